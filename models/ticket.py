"""Customer care's tables: customers, their tickets, what was said and done, and the mail that was received."""

from typing import Any

from sqlalchemy import BigInteger, Boolean, ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import ID, Base, Json, LongText, Owned, db_now, new_id

NEW, OPEN, WAITING, HOLD, SOLVED, CLOSED, REOPENED = "new", "open", "waiting", "hold", "solved", "closed", "reopened"
STATUSES = (NEW, OPEN, REOPENED, WAITING, HOLD, SOLVED, CLOSED)
AT_WORK = (NEW, OPEN, REOPENED)  # the clock runs
STOPPED = (WAITING, HOLD)  # it stands still, and goes on later
DONE = (SOLVED, CLOSED)
URGENT, HIGH, NORMAL, LOW = 1, 2, 3, 4
QUESTION, ANSWER, NOTE = "question", "answer", "note"  # of the customer, to the customer, for the team alone


class Customer(Owned, Base):
    """Whoever asks. Known by an address; an account of theirs, if they have one, sees these tickets alone."""

    __tablename__ = "customer"
    __table_args__ = (UniqueConstraint("workspace_id", "email"),)

    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_id)
    email: Mapped[str] = mapped_column(String(254))  # lower case; one that was imported without is ID@invalid
    name: Mapped[str] = mapped_column(String(120), default="")
    account_id: Mapped[str | None] = mapped_column(ID, ForeignKey("account.id", ondelete="SET NULL"), index=True)
    mailed_at: Mapped[int] = mapped_column(BigInteger, default=0)  # the last automatic mail to them …
    mailed_count: Mapped[int] = mapped_column(Integer, default=0)  # … and how many within the hour: loops end here
    returned: Mapped[str] = mapped_column(String(300), default="")  # why mail of this desk came back, and when; it …
    returned_at: Mapped[int] = mapped_column(BigInteger, default=0)
    reached_at: Mapped[int] = mapped_column(BigInteger, default=0)  # … is over once mail is known to reach them
    created_at: Mapped[int] = mapped_column(BigInteger, default=db_now())


class Ticket(Owned, Base):
    """A question or a trouble of a customer, and its deadlines. Written by `tasks.care` alone; times in milliseconds.

    The clock: `spent` milliseconds of working time were used up to `clock_at`; it runs while that is set. The due times
    are what they are as long as it goes on running. `next_mark_at` is when the next of 50, 75 and 100 % of either time
    is reached: the scan asks for nothing else.
    """

    __tablename__ = "ticket"
    __table_args__ = (
        UniqueConstraint("workspace_id", "number"),
        Index("ix_ticket_list", "workspace_id", "status", "changed_at"),
        Index("ix_ticket_mine", "workspace_id", "assignee_id", "status", "changed_at"),
        Index("ix_ticket_team", "workspace_id", "team_id", "status", "changed_at"),
        Index("ix_ticket_priority", "workspace_id", "status", "priority", "changed_at"),
        Index("ix_ticket_solve_due", "workspace_id", "status", "solve_due_at"),
        Index("ix_ticket_first_due", "workspace_id", "status", "answered_at", "first_due_at"),
        Index("ix_ticket_when", "workspace_id", "changed_at"),
        Index("ix_ticket_made", "workspace_id", "created_at"),
        Index("ix_ticket_customer", "customer_id", "created_at"),
        Index("ix_ticket_marks", "next_mark_at"),
        Index("ix_ticket_foreign", "workspace_id", "foreign_key"),
        Index("ix_ticket_over", "status", "changed_at"),
        Index("ix_ticket_found", "id", "changed_at"),  # a search sorts thousands without reading them
    )

    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_id)
    workspace_id: Mapped[str] = mapped_column(ID, ForeignKey("workspace.id", ondelete="CASCADE"))  # indexed above
    number: Mapped[int] = mapped_column(Integer)  # what people call it by, from 1 in each workspace
    subject: Mapped[str] = mapped_column(String(200))
    customer_id: Mapped[str] = mapped_column(ID, ForeignKey("customer.id", ondelete="CASCADE"))
    topic_id: Mapped[str | None] = mapped_column(ID, ForeignKey("topic.id", ondelete="SET NULL"), index=True)
    priority: Mapped[int] = mapped_column(Integer, default=NORMAL)
    status: Mapped[str] = mapped_column(String(10), default=NEW)
    team_id: Mapped[str | None] = mapped_column(ID, ForeignKey("team.id", ondelete="SET NULL"))
    assignee_id: Mapped[str | None] = mapped_column(ID, ForeignKey("account.id", ondelete="SET NULL"))
    source: Mapped[str] = mapped_column(String(10))  # web, api, mail, chat, import
    version: Mapped[int] = mapped_column(Integer, default=1)  # grows with everything: who saw an older one is told so
    links_version: Mapped[int] = mapped_column(Integer, default=1)
    merged_into_id: Mapped[str | None] = mapped_column(ID, ForeignKey("ticket.id", ondelete="SET NULL"), index=True)
    intake_id: Mapped[str | None] = mapped_column(ID, ForeignKey("intake.id", ondelete="SET NULL"), index=True)
    foreign_key: Mapped[str] = mapped_column(String(80), default="")  # its number where it was imported from

    policy_id: Mapped[str | None] = mapped_column(ID, ForeignKey("policy.id", ondelete="SET NULL"), index=True)
    first_minutes: Mapped[int | None] = mapped_column(Integer)
    solve_minutes: Mapped[int | None] = mapped_column(Integer)
    spent: Mapped[int] = mapped_column(BigInteger, default=0)
    clock_at: Mapped[int | None] = mapped_column(BigInteger)
    first_due_at: Mapped[int | None] = mapped_column(BigInteger)
    solve_due_at: Mapped[int | None] = mapped_column(BigInteger)
    first_mark: Mapped[int] = mapped_column(Integer, default=0)  # 0, 50, 75, 100: what was told
    solve_mark: Mapped[int] = mapped_column(Integer, default=0)
    next_mark_at: Mapped[int | None] = mapped_column(BigInteger)
    first_taken: Mapped[int | None] = mapped_column(BigInteger)  # working time until then, in milliseconds
    solve_taken: Mapped[int | None] = mapped_column(BigInteger)
    first_in_time: Mapped[bool | None] = mapped_column(Boolean)  # None: no deadline, or not yet
    solve_in_time: Mapped[bool | None] = mapped_column(Boolean)

    created_at: Mapped[int] = mapped_column(BigInteger, default=db_now())
    changed_at: Mapped[int] = mapped_column(BigInteger, default=db_now())  # by a person; marks do not count
    answered_at: Mapped[int | None] = mapped_column(BigInteger)  # the first public answer
    heard_at: Mapped[int | None] = mapped_column(BigInteger)  # the customer's last word
    told_at: Mapped[int | None] = mapped_column(BigInteger)  # ours to them
    known: Mapped[str] = mapped_column(String(10), default="")  # the status they know, while a mail about another waits
    solved_at: Mapped[int | None] = mapped_column(BigInteger)
    closed_at: Mapped[int | None] = mapped_column(BigInteger)
    reopened: Mapped[int] = mapped_column(Integer, default=0)


class TicketMessage(Owned, Base):
    """What somebody said: plain text, whatever it came as."""

    __tablename__ = "ticket_message"
    __table_args__ = (
        Index("ix_ticket_message_of", "ticket_id", "at", "id"),
        Index("ix_ticket_message_fingerprint", "workspace_id", "fingerprint"),
    )

    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_id)
    ticket_id: Mapped[str] = mapped_column(ID, ForeignKey("ticket.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(10))
    account_id: Mapped[str | None] = mapped_column(ID, ForeignKey("account.id", ondelete="SET NULL"))
    customer_id: Mapped[str | None] = mapped_column(ID, ForeignKey("customer.id", ondelete="CASCADE"))
    text: Mapped[str] = mapped_column(LongText)
    quoted: Mapped[str] = mapped_column(LongText, default="")  # what a mail repeated of what was said before
    automatic: Mapped[bool] = mapped_column(Boolean, default=False)  # an out-of-office: opens nothing again
    source: Mapped[str] = mapped_column(String(10))
    remarks: Mapped[list[str] | None] = mapped_column(Json)  # what was left out of a mail, and why
    said_in: Mapped[int | None] = mapped_column(Integer)  # the number of another customer's ticket that it came from
    fingerprint: Mapped[str | None] = mapped_column(String(64))  # of a program's or a form's key: written once
    version: Mapped[int] = mapped_column(Integer, default=1)  # of the ticket, as of this
    at: Mapped[int] = mapped_column(BigInteger, default=db_now())


class TicketFile(Owned, Base):
    """An attachment, checked as all uploads are; its bytes stand in storage under `key`."""

    __tablename__ = "ticket_file"

    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_id)
    ticket_id: Mapped[str] = mapped_column(ID, ForeignKey("ticket.id", ondelete="CASCADE"), index=True)
    message_id: Mapped[str] = mapped_column(ID, ForeignKey("ticket_message.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(200))
    media_type: Mapped[str] = mapped_column(String(80))
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))
    key: Mapped[str] = mapped_column(String(80))


class TicketEvent(Owned, Base):
    """A change: of a field from one value to another, a mark reached, a mail sent. Nobody edits these."""

    __tablename__ = "ticket_event"
    __table_args__ = (Index("ix_ticket_event_of", "ticket_id", "at", "id"),)

    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_id)
    ticket_id: Mapped[str] = mapped_column(ID, ForeignKey("ticket.id", ondelete="CASCADE"))
    what: Mapped[str] = mapped_column(String(20))  # opened, status, priority, topic, team, assignee, mark, merged, …
    before: Mapped[str] = mapped_column("was", String(120), default="")
    after: Mapped[str] = mapped_column("became", String(120), default="")
    account_id: Mapped[str | None] = mapped_column(ID, ForeignKey("account.id", ondelete="SET NULL"))
    why: Mapped[str] = mapped_column(String(200), default="")
    version: Mapped[int] = mapped_column(Integer, default=1)  # of the ticket, as of this
    at: Mapped[int] = mapped_column(BigInteger, default=db_now())


class TicketTag(Owned, Base):
    __tablename__ = "ticket_tag"
    __table_args__ = (Index("ix_ticket_tag_name", "workspace_id", "name", "ticket_id"),)

    workspace_id: Mapped[str] = mapped_column(ID, ForeignKey("workspace.id", ondelete="CASCADE"))  # indexed above
    ticket_id: Mapped[str] = mapped_column(ID, ForeignKey("ticket.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(String(40), primary_key=True)  # lower case


class TicketLink(Owned, Base):
    """Two tickets that have to do with each other; kept once, from the lower id to the higher."""

    __tablename__ = "ticket_link"

    one_id: Mapped[str] = mapped_column(ID, ForeignKey("ticket.id", ondelete="CASCADE"), primary_key=True)
    other_id: Mapped[str] = mapped_column(ID, ForeignKey("ticket.id", ondelete="CASCADE"), primary_key=True, index=True)


class TicketCopy(Owned, Base):
    """An address that takes part beside the customer: its mail lands in the ticket, and answers go there, too."""

    __tablename__ = "ticket_copy"

    ticket_id: Mapped[str] = mapped_column(ID, ForeignKey("ticket.id", ondelete="CASCADE"), primary_key=True)
    email: Mapped[str] = mapped_column(String(254), primary_key=True)  # lower case
    reads: Mapped[bool] = mapped_column(Boolean, default=True)  # the whole ticket by a link; who a mail named does not


class Presence(Owned, Base):
    """That an agent looks at a ticket, or writes an answer, as of a moment ago."""

    __tablename__ = "presence"

    ticket_id: Mapped[str] = mapped_column(ID, ForeignKey("ticket.id", ondelete="CASCADE"), primary_key=True)
    account_id: Mapped[str] = mapped_column(ID, ForeignKey("account.id", ondelete="CASCADE"), primary_key=True)
    writes: Mapped[bool] = mapped_column(Boolean, default=False)
    seen_at: Mapped[int] = mapped_column(BigInteger, default=db_now(), index=True)


class Rating(Owned, Base):
    """How a closed ticket's customer found it: 1 (bad), 2, 3 (good)."""

    __tablename__ = "rating"

    ticket_id: Mapped[str] = mapped_column(ID, ForeignKey("ticket.id", ondelete="CASCADE"), primary_key=True)
    score: Mapped[int] = mapped_column(Integer)
    words: Mapped[str] = mapped_column(String(1000), default="")
    at: Mapped[int] = mapped_column(BigInteger, default=db_now(), index=True)


class TicketWords(Owned, Base):
    """What a search looks through: all words of a ticket. `models.ticket_search` gives it each database's full text."""

    __tablename__ = "ticket_words"

    ticket_id: Mapped[str] = mapped_column(ID, ForeignKey("ticket.id", ondelete="CASCADE"), primary_key=True)
    words: Mapped[str] = mapped_column(LongText)


class Received(Owned, Base):
    """A mail that was read, once: what became of it. `fingerprint` is of its Message-ID, sender and date."""

    __tablename__ = "received"
    __table_args__ = (
        UniqueConstraint("workspace_id", "fingerprint"),
        Index("ix_received_at", "workspace_id", "at"),
        Index("ix_received_outcome", "outcome", "workspace_id", "at"),
    )

    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_id)
    workspace_id: Mapped[str] = mapped_column(ID, ForeignKey("workspace.id", ondelete="CASCADE"))  # indexed above
    inlet_id: Mapped[str | None] = mapped_column(ID, ForeignKey("inlet.id", ondelete="SET NULL"))
    fingerprint: Mapped[str] = mapped_column(String(64))
    message_id: Mapped[str] = mapped_column(String(64), default="", index=True)  # hashed, for In-Reply-To as a hint
    sender: Mapped[str] = mapped_column(String(254))
    subject: Mapped[str] = mapped_column(String(200), default="")
    outcome: Mapped[str] = mapped_column(String(10))  # opened, added, left out, refused, set aside
    reason: Mapped[str] = mapped_column(String(300), default="")
    ticket_id: Mapped[str | None] = mapped_column(ID, ForeignKey("ticket.id", ondelete="SET NULL"), index=True)
    data: Mapped[dict[str, Any] | None] = mapped_column(Json)
    at: Mapped[int] = mapped_column(BigInteger, default=db_now())
