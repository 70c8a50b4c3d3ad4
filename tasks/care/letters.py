"""What customers get by mail: that their message came, each public answer, each change of the status, a merge.

One deed is one mail: an answer that also solves is told in the answer. Letters are deliveries with their ticket, so
that answers land in it; `{ticket}` and `{rate}` in them become signed links when they are sent (`{rate}?score=3` opens
the page of the rating with that score chosen). When there is none, `tasks.care.silence` says; what a person of ours
does is always told.
"""

from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base import new_id
from models.delivery import Delivery
from models.desk import Desk, Inlet, Team
from models.ticket import ANSWER, AT_WORK, CLOSED, Customer, Ticket, TicketMessage
from models.workspace import Workspace
from tasks.care import copies, customers, desks, history, letter_words, reaching, silence
from tasks.care.by import AGENT, CUSTOMER, By
from tasks.care.letter_words import Now, Words
from tasks.mailing.letters import Button, Item, Part, letter

TICKET, RATE, STOPS = "{ticket}", "{rate}", ("{ticket}", "{rate}", "{link}", "{unsubscribe}")
OURS = "This address is a mailbox of this desk"
SCORES = ((3, "Good"), (2, "So-so"), (1, "Bad"))


def received(session: Session, ticket: Ticket, by: By, now: int) -> Delivery | None:
    """A new ticket: its number, what happens next, and by when."""
    told = _now(session, ticket, by, now)
    return _automatic(session, ticket, letter_words.received(told, by.kind == AGENT), by, now)


def moved(session: Session, ticket: Ticket, before: str, by: By, now: int) -> Delivery | None:
    """Another status without an answer. None: it is the same, or was imported and closes only because it is old."""
    if ticket.status == before:
        return None
    known = silence.drop_held(session, ticket)
    if silence.is_known(ticket, known):
        return None
    if not _concerns(ticket, by):
        return None
    told = _now(session, ticket, by, now, solving=True)
    parts = _asked(session, ticket) if ticket.status == "waiting" else []
    made = _automatic(session, ticket, letter_words.moved(told), by, now, parts)
    if made is not None and (due_at := silence.due(ticket, by, now)):
        made.due_at, ticket.known = due_at, known or before
    return made


def merged(session: Session, one: Ticket, into: Ticket, by: By, now: int) -> Delivery | None:
    """Told once, to the customer of the one that is no more."""
    silence.drop_held(session, one)
    words = letter_words.merged(_now(session, one, by, now), into.number, one.customer_id == into.customer_id)
    about = into if one.customer_id == into.customer_id else one
    return _automatic(session, about, words, by, now, name=one)


def answered(session: Session, ticket: Ticket, message: TicketMessage, before: str, by: By, now: int) -> list[Delivery]:
    """The answer itself, and what happens next, to the customer and to all who take part."""
    silence.drop_held(session, ticket)
    told, desk = _now(session, ticket, by, now), desks.of(session, ticket.workspace_id)
    customer = _customer(session, ticket)
    parts = [Part("", said=_safe(message.text))]
    if desk.signature:
        parts.append(Part("", said=_safe(desk.signature)))
    parts.append(Part("What happens next", lines=letter_words.answered(told)))
    rated = [*parts, _rating()] if ticket.status == CLOSED != before and desk.asks else parts
    title = f"Our answer to #{ticket.number}"
    made = [_mail(session, ticket, customer.email, customer, title, "", rated, by, now, message.id)]
    for email, reads in copies.reading(session, ticket.id).items():
        made.append(_mail(session, ticket, email, None, title, "", parts, by, now, message.id, page=reads))
    return [each for each in made if each is not None]


def _now(session: Session, ticket: Ticket, by: By, now: int, *, solving: bool = False) -> Now:
    """`solving`: what is promised is the solution, also while nobody has answered yet."""
    desk = desks.of(session, ticket.workspace_id)
    due = ticket.first_due_at if ticket.answered_at is None and not solving else ticket.solve_due_at
    promised = due is not None and due > now and ticket.status in AT_WORK
    words = letter_words.moment(due or 0, _zone(session, ticket), now) if promised else ""
    return Now(
        ticket.number, _safe(_subject(ticket, by)), ticket.status, words,
        desk.close_days, by.kind == CUSTOMER, desk.asks,
    )  # fmt: skip


def _subject(ticket: Ticket, by: By) -> str:
    """Of what somebody's own word brings them, and it may be somebody else's, no program makes a link."""
    return letter_words.tame(ticket.subject) if by.kind == CUSTOMER else ticket.subject


def _zone(session: Session, ticket: Ticket) -> str:
    zone = session.scalar(select(Team.time_zone).where(Team.id == ticket.team_id)) if ticket.team_id else None
    return zone or session.scalar(select(Workspace.time_zone).where(Workspace.id == ticket.workspace_id)) or "UTC"


def _concerns(ticket: Ticket, by: By) -> bool:
    """An imported ticket that nobody touched since is closed in silence: its customer was told long ago, elsewhere."""
    return not (by.kind == "machine" and ticket.source == "import" and ticket.told_at is None)


def _asked(session: Session, ticket: Ticket) -> list[Part]:
    """What we wait for: our last words to them."""
    mine = (TicketMessage.ticket_id == ticket.id, TicketMessage.kind == ANSWER)
    last = select(TicketMessage.text).where(*mine).order_by(TicketMessage.at.desc(), TicketMessage.id.desc())
    text = session.scalars(last.limit(1)).first()
    return [Part("What we asked", said=_safe(text[:2000]))] if text else []


def _automatic(
    session: Session, ticket: Ticket, words: Words, by: By, now: int, parts: list[Part] | None = None,
    name: Ticket | None = None,
) -> Delivery | None:  # fmt: skip
    """A letter that the machinery writes."""
    told = name or ticket
    customer = _customer(session, told)
    if not customers.has_address(customer):
        return None
    if problem := silence.broken(session, told, customer, by, now):
        history.note(session, told, history.MAIL, "", "not sent", by, now, problem)
        return None
    following = [*(parts or []), Part("What happens next", lines=words.next)]
    if ticket.status == CLOSED and name is None and desks.of(session, ticket.workspace_id).asks:
        following.append(_rating())
    return _mail(session, ticket, customer.email, customer, words.title, words.lead, following, by, now)


def _mail(
    session: Session, ticket: Ticket, to: str, customer: Customer | None, title: str, lead: str, parts: list[Part],
    by: By, now: int, message_id: str | None = None, *, page: bool = True,
) -> Delivery | None:  # fmt: skip
    """Write it down, unless it would reach nobody or ourselves. With a link to its `page` for who may read that."""
    if customers.nowhere(to):
        return None
    if problem := _nobody(session, ticket, to):
        history.note(session, ticket, history.MAIL, "", "not sent", by, now, problem)
        return None
    desk, by_mail = desks.of(session, ticket.workspace_id), _reads_mail(session, ticket.workspace_id)
    if not by_mail:
        parts = [replace(part, lines=tuple(map(letter_words.unread, part.lines))) for part in parts]
    text, html = letter(
        title, name=letter_words.greeted(customer.name) if customer else "", lead=lead, parts=parts, brand=desk.name,
        button=Button("See your ticket", TICKET) if page else None, why=_why(desk, customer, by_mail),
        preheader=_preheader(parts, lead),
    )  # fmt: skip
    delivery = Delivery(
        id=new_id(), workspace_id=ticket.workspace_id, account_id=customer.account_id if customer else None,
        ticket_id=ticket.id, message_id=message_id, automatic=message_id is None, to=to,
        subject=f"[#{ticket.number}] {_subject(ticket, by)}"[:200], text=text, html=html,
    )  # fmt: skip
    session.add(delivery)
    return delivery


def _nobody(session: Session, ticket: Ticket, to: str) -> str:
    if reaching.problem(session, ticket.workspace_id, to):
        return f"{reaching.BACK}; its part of this page says what to do"
    mine = select(Inlet.id).where(Inlet.workspace_id == ticket.workspace_id, Inlet.address == to)
    return OURS if session.scalar(mine.limit(1)) else ""


def _reads_mail(session: Session, workspace_id: str) -> bool:
    """Whether an answer to a mail finds its way: some mailbox of the desk is read."""
    read = select(Inlet.id).where(Inlet.workspace_id == workspace_id, Inlet.enabled)
    return session.scalar(read.limit(1)) is not None


def _why(desk: Desk, customer: Customer | None, by_mail: bool) -> str:
    what = f"you asked {desk.name}" if customer else f"you take part in a ticket of {desk.name}"
    how = " Keep the number in the subject when you answer." if by_mail else ""
    return f"You get this because {what}.{how}"


def _preheader(parts: list[Part], lead: str) -> str:
    return lead or next((part.said for part in parts if part.said), "")[:120]


def _rating() -> Part:
    """One click each; the page asks once more, because programs that look for viruses click, too."""
    items = [Item(words, link=f"{RATE}?score={score}") for score, words in SCORES]
    return Part("How was it?", items=items)


def _customer(session: Session, ticket: Ticket) -> Customer:
    return session.scalars(select(Customer).where(Customer.id == ticket.customer_id)).one()


def _safe(text: str) -> str:
    """People's own words hold none of the marks that become links."""
    for mark in STOPS:
        text = text.replace(mark, f"{mark[0]}\u2060{mark[1:]}")
    return text
