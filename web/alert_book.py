"""Alerts as one person sees them, over all their workspaces; and what they do to them.

Each workspace is read through a session narrowed to it: what its members alone may see is asked for nowhere else.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache

from flask import abort
from sqlalchemy import ColumnElement, Select, and_, bindparam, case, exists, func, or_, select, update
from sqlalchemy.orm import Session

from models.account import Account
from models.alert import FIRING, PENDING, RESOLVED, Alert, Move, Mute
from models.base import clock, db_now
from models.statements import changed
from models.workspace import CARE, DESK, HOUSE, Membership, hears
from tasks.alerting import alerts
from tasks.alerting.telling import weight
from web import identity
from web.current import RANKS, everyone, me, rank, runtime
from web.identity import Place

PAGE, FEW = 50, 20
MANY = 99  # the navigation bar counts no further
DAY_MS = 86_400_000
RECENT_MS = 7 * DAY_MS
MUTES: dict[str, int | None] = {"day": DAY_MS, "week": 7 * DAY_MS, "good": None}
WORST = (
    case((Alert.acknowledged_at.is_(None), 0), else_=1),
    case((Alert.level > 10, Alert.level * 3), else_=Alert.level * 100).desc(),  # per cent, or grades up to 3
    Alert.moved_at.desc(),
    Alert.id,
)


@dataclass(frozen=True, slots=True)
class Line:
    """An alert with what is shown beside it."""

    alert: Alert
    place: str
    place_name: str
    may_act: bool
    moves: list[Move]
    mute: Mute | None
    acknowledged_by: str

    @property
    def weight(self) -> float:
        """How bad it is, whatever its rule."""
        return weight(self.alert.level)


@dataclass(slots=True)
class Book:
    """What the page shows."""

    firing: dict[str, list[Line]] = field(default_factory=dict)  # by area
    pending: list[Line] = field(default_factory=list)
    resolved: list[Line] = field(default_factory=list)
    count: int = 0  # of all that fire
    more: dict[str, int] = field(default_factory=dict)  # workspaces of which not all are shown, and how many are not


def places() -> Sequence[Place]:
    """My workspaces, but for those whose customer I am."""
    return [place for place in identity.my_workspaces() if hears(place.role, CARE)]


def theirs(role: str) -> tuple[ColumnElement[bool], ...]:
    """The condition of alerts that somebody of this role may see, who hears of any."""
    return () if role in HOUSE else (Alert.area == CARE,)


def book(chosen: str = "", page: int = 1) -> Book:
    """All of my workspaces, the worst of each; or one of them, page by page."""
    found = Book()
    for place in places():
        if chosen in ("", place.id):
            with runtime().database.read(place.id) as session:
                _add(found, session, place, page if chosen else 0)
    for lines in found.firing.values():
        lines.sort(key=lambda line: (bool(line.alert.acknowledged_at), -line.weight, -line.alert.moved_at))
    for group in (found.pending, found.resolved):
        group.sort(key=lambda line: -line.alert.moved_at)
    return found


def _add(found: Book, session: Session, place: Place, page: int) -> None:
    firing = (Alert.state == FIRING, *theirs(place.role))
    count = session.scalar(select(func.count()).select_from(Alert).where(*firing)) or 0
    found.count += count
    asked = select(Alert).where(*firing).order_by(*WORST).limit(PAGE).offset(PAGE * max(page - 1, 0))
    lines = _lines(session, place, asked_for(session, asked))
    for line in lines:
        found.firing.setdefault(line.alert.area, []).append(line)
    if not page and count > len(lines):
        found.more[place.name] = count - len(lines)
    recent = and_(Alert.state == RESOLVED, Alert.resolved_at > db_now() - RECENT_MS)
    for group, which in ((found.pending, Alert.state == PENDING), (found.resolved, recent)):
        newest = select(Alert).where(which, *theirs(place.role)).order_by(Alert.moved_at.desc(), Alert.id).limit(FEW)
        group += _lines(session, place, asked_for(session, newest))


def asked_for(session: Session, asked: Select[Alert]) -> list[Alert]:
    return list(session.scalars(asked))


def _lines(session: Session, place: Place, found: list[Alert]) -> list[Line]:
    ids = [alert.id for alert in found]
    moves: dict[str, list[Move]] = {each: [] for each in ids}
    for move in session.scalars(select(Move).where(Move.alert_id.in_(ids)).order_by(Move.at, Move.id)):
        moves[move.alert_id].append(move)
    mutes = _mutes(session, found)
    people = {alert.acknowledged_by for alert in found if alert.acknowledged_at} - {None}
    names = {
        row.id: row.name for row in session.execute(select(Account.id, Account.name).where(Account.id.in_(people)))
    }
    may = rank(place.role) >= RANKS["member"] or place.role in DESK
    return [
        Line(
            alert, place.id, place.name, may, moves[alert.id], mutes.get((alert.rule, alert.subject)),
            names.get(alert.acknowledged_by or "", "Somebody") if alert.acknowledged_at else "",
        )
        for alert in found
    ]  # fmt: skip


def _mutes(session: Session, found: list[Alert]) -> dict[tuple[str, str], Mute]:
    subjects = {alert.subject for alert in found}
    still = or_(Mute.until.is_(None), Mute.until > db_now())
    rows = session.scalars(select(Mute).where(Mute.subject.in_(subjects), still))
    return {(mute.rule, mute.subject): mute for mute in rows}


def count() -> int:
    """How many alerts of all my workspaces wait for somebody; MANY + 1 for more than that."""
    with everyone() as session:
        return session.scalar(_counting(), {"me": me().id}) or 0


@cache
def _counting() -> Select[int]:
    """Put together once: each page asks it."""
    mine = (Membership.workspace_id == Alert.workspace_id, Membership.account_id == bindparam("me"))
    heard = or_(Membership.role.in_(HOUSE), and_(Membership.role.in_(DESK), Alert.area == CARE))  # as `hears` has it
    waits = select(Alert.id).join(Membership, and_(*mine)).where(heard, *waiting()).limit(MANY + 1)
    return select(func.count()).select_from(waits.subquery())


def waiting() -> tuple[ColumnElement[bool], ...]:
    """The condition of alerts that nobody sees to, and that nobody has muted."""
    same = (Mute.workspace_id == Alert.workspace_id, Mute.rule == Alert.rule, Mute.subject == Alert.subject)
    muted = exists().where(*same, or_(Mute.until.is_(None), Mute.until > db_now()))
    return Alert.state == FIRING, Alert.acknowledged_at.is_(None), ~muted


def one(alert_id: str) -> Line:
    """An alert of one of my workspaces; 404."""
    for place in places():
        with runtime().database.read(place.id) as session:
            asked = select(Alert).where(Alert.id == alert_id, *theirs(place.role))
            if lines := _lines(session, place, asked_for(session, asked)):
                return lines[0]
    abort(404)


def find(session: Session, alert_id: str) -> Alert:
    """An alert of the session's workspace; 404."""
    return session.scalar(select(Alert).where(Alert.id == alert_id)) or abort(404)


def act(alert_id: str, deed: Callable[[Session, Alert], str]) -> str:
    """Do something to an alert of mine; 403 where I may only look. Returns what is to be said."""
    line = one(alert_id)
    if not line.may_act:
        abort(403)
    with runtime().database.write(line.place) as session:
        alerts.lock(session, [line.place])
        return deed(session, find(session, alert_id))


def acknowledge(session: Session, alert: Alert) -> str:
    mine = update(Alert).where(Alert.id == alert.id, Alert.state == FIRING, Alert.acknowledged_at.is_(None))
    if changed(session, mine.values(acknowledged_at=db_now(), acknowledged_by=me().id)):
        return "Noted: you see to it. It comes back to the others if it gets worse."
    return "Somebody sees to it already." if alert.acknowledged_at else "It does not need anybody any more."


def hand_back(session: Session, alert: Alert) -> str:
    session.execute(update(Alert).where(Alert.id == alert.id).values(acknowledged_at=None, acknowledged_by=None))
    return "It waits for somebody again."


def mute(session: Session, alert: Alert, length: int | None) -> str:
    """Nobody is told of its subject for so many milliseconds; None: for good."""
    found = session.get(Mute, (alert.workspace_id, alert.rule, alert.subject))
    if found is None:
        found = Mute(workspace_id=alert.workspace_id, rule=alert.rule, subject=alert.subject)
        session.add(found)
    found.until, found.account_id = None if length is None else clock(session) + length, me().id
    return "Muted for everybody in this workspace: it stays on this page, and nobody gets mail about it."


def unmute(session: Session, alert: Alert) -> str:
    if (found := session.get(Mute, (alert.workspace_id, alert.rule, alert.subject))) is not None:
        session.delete(found)
    return "People are told of it again from its next change on."
