"""Leads are told of a mailbox that stays in trouble, and of mails that it put aside because they could not be read.

Both are alerts of the mailbox, looked at once a minute for all desks in a few small questions. They end when a look
ends well, and when somebody saw to all mails that were put aside. One that is paused is nobody's trouble.
"""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from models.alert import FIRING, Alert
from models.desk import Inlet
from models.engine import again
from models.ticket import Received
from models.workspace import CARE
from tasks.alerting import alerts
from tasks.alerting.alerts import Count, Sight
from tasks.alerting.open_alerts import Key, standing
from tasks.care import audience
from tasks.care.inlets import ASIDE
from tasks.care.marks import Opens

TROUBLE, UNREAD = "mailbox", "unread mail"  # the rules
LOOKS, LONG_MS = 3, 30 * 60_000  # so many looks in a row, and so long without one that ended well
PAGE, LOG = "/care/mailboxes", "/care/received?outcome=set+aside"
BROKE_OFF = "Its looks broke off without a word of why; whoever runs this Nightshift finds it in the log."
WHAT_TO_DO = "Mail to it waits and becomes no ticket. {} Put right what it says under Mailboxes, then press Test."
READ_AGAIN = "The mailbox {} is read again"
SEEN_TO = "Every mail that {} put aside was seen to"
LOOK_AT_THEM = (
    "A program broke at it each time that it was read. It lies in the mailbox, flagged and unread: answer it there, or "
    "have it tried again under Received mail, where you also say that it is seen to."
)


@dataclass(frozen=True, slots=True)
class Row:
    """A mailbox in so far as it may be told of."""

    workspace: str
    inlet: str
    address: str
    failing: bool
    trouble: str
    aside: int


def rows(session: Session, now: int, workspace: str = "") -> list[Row]:
    """Those in trouble for long, and those with mails put aside."""
    aside: dict[str, int] = _aside(session, workspace)
    failing = and_(
        Inlet.enabled, Inlet.failures >= LOOKS, func.coalesce(Inlet.read_at, Inlet.created_at) <= now - LONG_MS
    )
    wanted = (Inlet.workspace_id, Inlet.id, Inlet.address, failing.label("failing"), Inlet.trouble)
    asked = select(*wanted).where(or_(failing, Inlet.id.in_(list(aside))))
    if workspace:
        asked = asked.where(Inlet.workspace_id == workspace)
    return [
        Row(row.workspace_id, row.id, row.address, bool(row.failing), row.trouble, aside.get(row.id, 0))
        for row in session.execute(asked)
    ]


def _aside(session: Session, workspace: str) -> dict[str, int]:
    asked = select(Received.inlet_id, func.count()).where(Received.outcome == ASIDE, Received.inlet_id.is_not(None))
    asked = asked.where(Received.workspace_id == workspace) if workspace else asked
    return {str(inlet): int(count) for inlet, count in session.execute(asked.group_by(Received.inlet_id))}


def sights(session: Session, now: int, workspace: str = "") -> dict[str, list[Sight]]:
    """By rule, what is to be told, and what is over; of a mailbox that is paused or gone nothing."""
    found: dict[str, list[Sight]] = {TROUBLE: [], UNREAD: []}
    for row in rows(session, now, workspace):
        if row.failing:
            found[TROUBLE].append(_trouble(row))
        if row.aside:
            found[UNREAD].append(_unread(row))
    for rule, some in found.items():
        some += _over(session, rule, {seen.key for seen in some}, workspace)
    return found


def _trouble(row: Row) -> Sight:
    text = WHAT_TO_DO.format(row.trouble or BROKE_OFF)
    return Sight(row.workspace, row.inlet, 1, title=f"The mailbox {row.address} cannot be read", text=text, link=PAGE)


def _unread(row: Row) -> Sight:
    """A second and a third one are news as well; of more it is only told how many there are."""
    mails = f"{row.aside} mails" if row.aside > 1 else "A mail"
    title = f"{mails} to {row.address} could not be read"
    return Sight(row.workspace, row.inlet, min(row.aside, 3), title=title, text=LOOK_AT_THEM, link=LOG)


def _over(session: Session, rule: str, still: Collection[Key], workspace: str) -> list[Sight]:
    """Open alerts of mailboxes that are well again."""
    asked = select(Alert.workspace_id, Alert.subject, Alert.cause, Inlet.address)
    asked = asked.join(Inlet, Inlet.id == Alert.subject).where(Alert.rule == rule, Alert.state == FIRING)
    asked = asked.where(Inlet.enabled) if rule == TROUBLE else asked
    asked = asked.where(Alert.workspace_id == workspace) if workspace else asked
    end = READ_AGAIN if rule == TROUBLE else SEEN_TO
    return [
        Sight(place, subject, 0, clear=True, cause=cause, end=end.format(address))
        for place, subject, cause, address in session.execute(asked)
        if (place, subject) not in still
    ]


def scan(read: Opens, write: Opens, now: int) -> Count:
    """Look at all desks, and write the few alerts that change."""
    with read() as session:
        changed = [key for rule, some in sights(session, now).items() for key in alerts.differing(session, rule, some)]
    total = Count()
    for place in sorted({place for place, _ in changed}):
        total += _settled(write, now, place)
    return total


@again
def _settled(write: Opens, now: int, place: str) -> Count:
    with write() as session:
        return settle(session, now, place)


def settle(session: Session, now: int, place: str) -> Count:
    """Look again at one workspace, now that nobody else judges it, and tell its leads."""
    alerts.lock(session, [place])
    leads = audience.of(session, [place], now)[place].leads_of(None)
    total = Count()
    for rule, some in sights(session, now, place).items():
        known = {seen.key for seen in some}
        gone = [key for key in standing(session, rule, [place]) if key not in known]
        total += alerts.settle(session, CARE, rule, some, gone, leads)
    return total
