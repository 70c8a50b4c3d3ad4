"""How a help desk works: its categories, teams and their hours, policies, absences, mailboxes and help articles."""

from datetime import date
from typing import Any

from sqlalchemy import BigInteger, Boolean, Date, ForeignKey, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import ID, Base, Json, LongText, Owned, db_now, new_id

NOBODY, ROTATE, LEAST = "nobody", "rotate", "least"  # who gets a new ticket of a team
IMAP, MAILDIR = "imap", "maildir"


class Desk(Owned, Base):
    """A workspace's help desk: one row, made with its first ticket or when somebody opens its settings."""

    __tablename__ = "desk"

    workspace_id: Mapped[str] = mapped_column(ID, ForeignKey("workspace.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(String(120))  # what customers read: the shop's name
    slug: Mapped[str] = mapped_column(String(40), unique=True, default=new_id)  # of its public page, /desk/SLUG
    public: Mapped[bool] = mapped_column(Boolean, default=False)  # whether that page is open to everybody
    next_number: Mapped[int] = mapped_column(Integer, default=1)
    close_days: Mapped[int] = mapped_column(Integer, default=7)  # after them a solved ticket is closed; 0: never
    forgotten_days: Mapped[int] = mapped_column(Integer, default=3)  # open and untouched for so long; 0: never told
    signature: Mapped[str] = mapped_column(String(1000), default="")
    answers: Mapped[bool] = mapped_column(Boolean, default=True)  # the assistant answers customers from articles
    asks: Mapped[bool] = mapped_column(Boolean, default=True)  # a closed ticket's customer is asked how it was
    links_version: Mapped[int] = mapped_column(Integer, default=1)  # grows: older links to tickets end
    strangers_at: Mapped[int] = mapped_column(BigInteger, default=0)  # an hour of mails to people never heard of …
    strangers: Mapped[int] = mapped_column(Integer, default=0)  # … and how many there were
    indexed_at: Mapped[int | None] = mapped_column(BigInteger)  # the assistant's index; its file stands in storage
    index_key: Mapped[str] = mapped_column(String(80), default="")


class Team(Owned, Base):
    """Who answers together, and when they work. `hours` is read by `tasks.care.hours` alone."""

    __tablename__ = "team"
    __table_args__ = (UniqueConstraint("workspace_id", "name"),)

    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(120))
    time_zone: Mapped[str] = mapped_column(String(64))
    hours: Mapped[dict[str, Any] | None] = mapped_column(Json)  # None: around the clock
    holidays: Mapped[str] = mapped_column(String(12), default="")  # public ones of "DE" or "DE-BY"
    closed: Mapped[list[str] | None] = mapped_column(Json)  # days of its own, as 2026-12-24
    assigns: Mapped[str] = mapped_column(String(8), default=NOBODY)
    turn: Mapped[int] = mapped_column(Integer, default=0)  # counts what it handed out; two workers never see the same
    created_at: Mapped[int] = mapped_column(BigInteger, default=db_now())


class TeamMember(Owned, Base):
    """Somebody in a team. Only a `lead` is told of what runs out of time; only who `takes` is handed new tickets."""

    __tablename__ = "team_member"

    team_id: Mapped[str] = mapped_column(ID, ForeignKey("team.id", ondelete="CASCADE"), primary_key=True)
    account_id: Mapped[str] = mapped_column(
        ID, ForeignKey("account.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    lead: Mapped[bool] = mapped_column(Boolean, default=False)
    takes: Mapped[bool] = mapped_column(Boolean, default=True)
    last_turn: Mapped[int] = mapped_column(Integer, default=0)  # the team's turn when they were last handed one


class Absence(Owned, Base):
    """Days, both included, on which somebody is handed nothing."""

    __tablename__ = "absence"

    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_id)
    account_id: Mapped[str] = mapped_column(ID, ForeignKey("account.id", ondelete="CASCADE"), index=True)
    first: Mapped[date] = mapped_column("first_day", Date)
    last: Mapped[date] = mapped_column("last_day", Date)


class Topic(Owned, Base):
    """A category of tickets and articles, and the team that answers it."""

    __tablename__ = "topic"
    __table_args__ = (UniqueConstraint("workspace_id", "name"),)

    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(120))
    team_id: Mapped[str | None] = mapped_column(ID, ForeignKey("team.id", ondelete="SET NULL"), index=True)
    archived: Mapped[bool] = mapped_column(Boolean, default=False)
    created_at: Mapped[int] = mapped_column(BigInteger, default=db_now())


class Policy(Owned, Base):
    """How much working time a ticket may take. The first one, by position, that fits it counts."""

    __tablename__ = "policy"

    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(120))
    position: Mapped[int] = mapped_column(Integer, default=0)
    priority: Mapped[int | None] = mapped_column(Integer)  # None: any
    topic_id: Mapped[str | None] = mapped_column(ID, ForeignKey("topic.id", ondelete="CASCADE"), index=True)
    first_minutes: Mapped[int | None] = mapped_column(Integer)  # until the first public answer; None: no deadline
    solve_minutes: Mapped[int | None] = mapped_column(Integer)
    around_the_clock: Mapped[bool] = mapped_column(Boolean, default=False)  # whatever the team's hours are
    created_at: Mapped[int] = mapped_column(BigInteger, default=db_now())


class Inlet(Owned, Base):
    """A mailbox whose mail becomes tickets. A maildir's folder stands in the settings, by the workspace's id."""

    __tablename__ = "inlet"

    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_id)
    kind: Mapped[str] = mapped_column(String(8))
    address: Mapped[str] = mapped_column(String(254))  # lower case; customers write to it, and their answers go to it
    plus: Mapped[bool] = mapped_column(Boolean, default=True)  # whether desk+TOKEN@… arrives there, too
    host: Mapped[str] = mapped_column(String(253), default="")
    port: Mapped[int] = mapped_column(Integer, default=993)
    security: Mapped[str] = mapped_column(String(8), default="tls")  # tls, starttls
    user: Mapped[str] = mapped_column("user_name", String(254), default="")
    sealed_password: Mapped[str] = mapped_column(String(1000), default="")  # encrypted; never shown, never exported
    folder: Mapped[str] = mapped_column(String(120), default="INBOX")
    topic_id: Mapped[str | None] = mapped_column(ID, ForeignKey("topic.id", ondelete="SET NULL"))
    enabled: Mapped[bool] = mapped_column(Boolean, default=True)
    uid_validity: Mapped[int] = mapped_column(BigInteger, default=0)
    last_uid: Mapped[int] = mapped_column(BigInteger, default=0)
    checked_at: Mapped[int | None] = mapped_column(BigInteger)
    trouble: Mapped[str] = mapped_column(String(500), default="")
    failures: Mapped[int] = mapped_column(Integer, default=0)  # looks in a row that did not end well
    read_at: Mapped[int | None] = mapped_column(BigInteger)  # the end of the last look that did
    tried: Mapped[dict[str, float] | None] = mapped_column(Json)  # mails that were begun and not ended, how often
    created_at: Mapped[int] = mapped_column(BigInteger, default=db_now())


class Article(Owned, Base):
    """A help article. Only what is `published` reaches customers, by the page and by the assistant."""

    __tablename__ = "article"

    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_id)
    title: Mapped[str] = mapped_column(String(200))
    body: Mapped[str] = mapped_column(LongText)  # plain text with blank lines, lists and links; never HTML
    topic_id: Mapped[str | None] = mapped_column(ID, ForeignKey("topic.id", ondelete="SET NULL"), index=True)
    published: Mapped[bool] = mapped_column(Boolean, default=False)
    views: Mapped[int] = mapped_column(Integer, default=0)
    helped: Mapped[int] = mapped_column(Integer, default=0)
    unhelpful: Mapped[int] = mapped_column(Integer, default=0)
    written_by: Mapped[str | None] = mapped_column(ID, ForeignKey("account.id", ondelete="SET NULL"))
    created_at: Mapped[int] = mapped_column(BigInteger, default=db_now())
    changed_at: Mapped[int] = mapped_column(BigInteger, default=db_now())
