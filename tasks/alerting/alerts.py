"""Alerts: scans tell what they see, and here it is decided what opens, rises and resolves, and who is told of it.

A scan looks at everything while it only reads, asks `differing` what of it would change an alert, and in a short
transaction locks these workspaces, looks at the few again and hands them to `settle`. So nobody waits for a long scan,
and one that began before an edit does not undo what came of the edit.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import astuple, dataclass, field
from typing import Any, Literal

from sqlalchemy import insert, or_, select, update
from sqlalchemy.orm import Session

from models.alert import (
    AT_ONCE,
    ENDED,
    FIRING,
    GATHERED,
    LEVELLED,
    NEVER,
    NOTED,
    OPENED,
    PENDING,
    RESOLVED,
    Alert,
    Move,
    Mute,
    Notice,
    Wish,
)
from models.base import clock, db_now, new_id
from models.session import touch
from models.workspace import Membership, Workspace, hears
from tasks.alerting.open_alerts import Key, Open, open_alerts, some_of, standing

Deed = Literal["", "note", "open", "raise", "reword", "resolve", "drop", "again"]


@dataclass(frozen=True, slots=True)
class Sight:
    """What a scan sees of one subject.

    Attributes:
        level: how bad it is; 0: not at all. It says nothing of whether an open alert ends: that does `clear`.
        fires: whether it is to be warned of; a level above 0 that does not fire is pending: shown, and only gathered.
        clear: the value is back past the margin, so that one which swings about its limit does not ring twice.
        period: what it is reckoned for ("2026-11-01"); a new one begins anew.
        cause: what it is judged by, such as the revision of a budget; another one begins the next episode.
        title: the news in a line. text: why, and what to do; a look may leave it out, for it changes with the title.
        link: a path of ours.
        end: the news when it resolves.
        to: the accounts to tell of it; None: all that `settle` tells.
    """

    workspace: str
    subject: str
    level: int = 0
    fires: bool = True
    clear: bool = False
    period: str = ""
    cause: str = ""
    title: str = ""
    text: str = ""
    link: str = ""
    end: str = ""
    data: dict[str, Any] = field(default_factory=dict)
    to: frozenset[str] | None = None

    @property
    def key(self) -> Key:
        return self.workspace, self.subject


@dataclass(slots=True)
class Count:
    """What came of it, for the scan's result."""

    noted: int = 0
    opened: int = 0
    levelled: int = 0
    resolved: int = 0

    def __add__(self, other: "Count") -> "Count":
        pairs = zip(astuple(self), astuple(other), strict=True)
        return Count(*(one + more for one, more in pairs))


def decide(open_: Alert | Open | None, seen: Sight) -> Deed:
    """What a sight does to the open alert of its subject: "again" ends it without a word and begins the next."""
    if open_ is None:
        return ("open" if seen.fires else "note") if seen.level else ""
    if (open_.period, open_.cause) != (seen.period, seen.cause):
        if open_.period == seen.period and seen.clear and open_.state == FIRING:
            return "resolve"
        return "again" if seen.level else "drop"
    if seen.clear and open_.state == FIRING:
        return "resolve"
    if seen.clear and not seen.level:
        return "drop"  # what only is pending stays while its level does
    if seen.fires and (seen.level > open_.level or (open_.state == PENDING and seen.level)):
        return "raise"
    reworded = open_.title != seen.title[:200] or (seen.text and open_.text != seen.text[:1000])
    return "reword" if seen.level and reworded else ""


def differing(
    session: Session,
    rule: str,
    sights: Iterable[Sight],
    workspaces: Collection[str] | None = None,
    opened: Mapping[Key, Open] | None = None,
) -> list[Key]:
    """The subjects whose alert would change; streams, and keeps only the open alerts and the answer.

    Args:
        workspaces: where the sights are of all subjects there are, so that an open alert of another one has lost its
            subject and ends; None: of the session's own workspace.
        opened: the open alerts there, if they were looked up before (`standing`).
    """
    left = dict(standing(session, rule, workspaces) if opened is None else opened)
    found: list[Key] = []
    noted: list[Sight] = []
    for seen in sights:
        deed = decide(left.pop(seen.key, None), seen)
        if deed == "note":
            noted.append(seen)
        elif deed:
            found.append(seen.key)
    before = _episodes(session, rule, noted)
    found += [seen.key for seen in noted if seen.cause not in before.get((*seen.key, seen.period), (0, ()))[1]]
    return [*found, *left]


def lock(session: Session, workspaces: Iterable[str]) -> None:
    """Whoever judges a workspace waits here for another who does. Takes the rows' locks until the commit."""
    for some in some_of(sorted(set(workspaces))):
        session.execute(update(Workspace).where(Workspace.id.in_(some)).values(name=Workspace.name))


def settle(
    session: Session,
    area: str,
    rule: str,
    sights: Iterable[Sight],
    gone: Iterable[Key] = (),
    to: Collection[str] | None = None,
) -> Count:
    """Open, level and resolve; write each step and who is to be told of it. After `lock`, with sights from after it.

    Args:
        gone: subjects that are no more: their alerts end without a word.
        to: the accounts to tell; None: all members of the workspace. Whoever's role has no part in the area
            (`models.workspace.hears`) is told nothing in either case.
    """
    sights, gone = list({seen.key: seen for seen in sights}.values()), list(gone)  # the last word of each subject
    places = {key[0] for key in (*(one.key for one in sights), *gone)}
    subjects = {*(one.subject for one in sights), *(key[1] for key in gone)}
    opened, count, now = open_alerts(session, rule, places, subjects), Count(), clock(session)
    begun: list[tuple[Sight, Deed]] = []
    moves: list[tuple[Alert, str]] = []
    for seen in sights:
        alert = opened.get(seen.key)
        deed = decide(alert, seen)
        if alert is not None and deed in ("again", "drop", "resolve"):
            _end(alert, now)
            if deed == "resolve":
                alert.title = (seen.end or alert.title)[:200]
                moves.append((alert, ENDED))
                count.resolved += 1
        elif alert is not None and deed in ("raise", "reword"):
            moves += _changed(alert, seen, deed, now, count)
        if deed in ("open", "note", "again"):
            begun.append((seen, deed))
    for key in gone:
        if key in opened:
            _end(opened[key], now)
    moves += _begin(session, area, rule, begun, now, count)
    session.flush()
    _tell(session, area, rule, moves, now, to, {seen.key: seen.to for seen in sights if seen.to is not None})
    return count


def _changed(alert: Alert, seen: Sight, deed: Deed, now: int, count: Count) -> list[tuple[Alert, str]]:
    told = OPENED if alert.state == PENDING else LEVELLED
    alert.title, alert.text, alert.data, alert.link = seen.title[:200], seen.text[:1000], seen.data, seen.link
    if deed == "reword":
        return []
    alert.level, alert.state, alert.moved_at = seen.level, FIRING, now
    alert.acknowledged_at = alert.acknowledged_by = None  # who saw to it saw to less
    count.opened += told == OPENED
    count.levelled += told == LEVELLED
    return [(alert, told)]


def _end(alert: Alert, now: int) -> None:
    alert.state, alert.resolved_at, alert.moved_at = RESOLVED, now, now


def _begin(
    session: Session, area: str, rule: str, begun: list[tuple[Sight, Deed]], now: int, count: Count
) -> list[tuple[Alert, str]]:
    """New alerts, each the next episode of its subject and period."""
    before, moves = _episodes(session, rule, [seen for seen, _ in begun]), []
    for seen, _deed in begun:
        last, causes = before.get((*seen.key, seen.period), (0, set()))
        if not seen.fires and seen.cause in causes:
            continue  # half of it was used, more, less: it is noted once
        alert = Alert(
            id=new_id(), workspace_id=seen.workspace, area=area, rule=rule, subject=seen.subject, period=seen.period,
            episode=last + 1, cause=seen.cause, state=FIRING if seen.fires else PENDING, level=seen.level,
            title=seen.title[:200], text=seen.text[:1000], link=seen.link, data=seen.data, opened_at=now, moved_at=now,
        )  # fmt: skip
        session.add(alert)
        moves.append((alert, OPENED if seen.fires else NOTED))
        count.opened += seen.fires
        count.noted += not seen.fires
    return moves


def _episodes(session: Session, rule: str, sights: list[Sight]) -> dict[tuple[str, str, str], tuple[int, set[str]]]:
    """The last episode of each subject and period, and the causes there were."""
    found: dict[tuple[str, str, str], tuple[int, set[str]]] = {}
    for some in some_of(sorted({seen.subject for seen in sights})):
        asked = select(Alert.workspace_id, Alert.subject, Alert.period, Alert.episode, Alert.cause)
        for *key, episode, cause in session.execute(asked.where(Alert.rule == rule, Alert.subject.in_(some))):
            last, causes = found.get(tuple(key), (0, set()))  # type: ignore[arg-type]
            found[tuple(key)] = (max(last, episode), causes | {cause})  # type: ignore[index]
    return found


def _tell(
    session: Session, area: str, rule: str, moves: list[tuple[Alert, str]], now: int, to: Collection[str] | None,
    only: Mapping[Key, frozenset[str]],
) -> None:  # fmt: skip
    """A row for each step, and one for each person to be told of it; bulk inserts, which the ORM does not see.

    Args:
        only: who is told of some subjects, and nobody else.
    """
    if not moves:
        return
    places = {alert.workspace_id for alert, _ in moves}
    steps = [
        {"id": new_id(), "workspace_id": alert.workspace_id, "alert_id": alert.id, "what": what, "level": alert.level,
         "title": alert.title, "at": now}
        for alert, what in moves
    ]  # fmt: skip
    session.execute(insert(Move), steps)
    muted, audience = _muted(session, rule, places), _audience(session, area, places, to)
    notices, hasty = [], set()
    for (alert, _), step in zip(moves, steps, strict=True):
        place = alert.workspace_id
        if (place, alert.subject) not in muted:
            mine = only.get((place, alert.subject))
            for account, how in audience[place]:
                if mine is not None and account not in mine:
                    continue
                notices.append({"move_id": step["id"], "account_id": account, "workspace_id": place, "area": area})
                hasty |= {place} if how == AT_ONCE else set()
    if notices:
        session.execute(insert(Notice), notices)
    for place in hasty:  # gathered news wait for the digest's hour: thousands of runs would find nothing to do
        touch(session, Notice, place)


def _muted(session: Session, rule: str, places: Collection[str]) -> set[Key]:
    still = or_(Mute.until.is_(None), Mute.until > db_now())
    return {
        (row.workspace_id, row.subject)
        for some in some_of(places)
        for row in session.execute(
            select(Mute.workspace_id, Mute.subject).where(Mute.rule == rule, still, Mute.workspace_id.in_(some))
        )
    }


def _audience(
    session: Session, area: str, places: Collection[str], to: Collection[str] | None
) -> dict[str, list[tuple[str, str]]]:
    """The members of each workspace who want to hear of this area at all, and how."""
    found: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for some in some_of(places):
        members = select(Membership.workspace_id, Membership.account_id, Membership.role, Wish.areas)
        members = members.outerjoin(Wish, Wish.account_id == Membership.account_id)
        for place, account, role, areas in session.execute(members.where(Membership.workspace_id.in_(some))):
            how = (areas or {}).get(area, GATHERED)
            if how != NEVER and hears(role, area) and (to is None or account in to):
                found[place].append((account, how))
    return found
