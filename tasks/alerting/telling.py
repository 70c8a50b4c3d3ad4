"""What there is to tell people, read in bulk: a few questions for a hundred of them, whatever their workspaces hold.

Only what a person may see comes here: alerts of workspaces that they are a member of now, of areas that they want to
hear of, and of nothing that was muted in the meantime.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from models.account import Account
from models.alert import AT_ONCE, ENDED, FIRING, NEVER, NOTED, Alert, Move, Mute, Notice, Wish
from models.base import db_now
from models.workspace import CARE, CUSTOMER, DESK, Membership, Workspace
from tasks.alerting import wishes
from tasks.sections import Section

Line = Any  # a row of COLUMNS, with more
Muted = set[tuple[str, str, str]]  # workspace, rule, subject
WEEK_MS = 7 * 86_400_000
COLUMNS = (
    Alert.id, Alert.workspace_id, Alert.area, Alert.rule, Alert.subject, Alert.state, Alert.level, Alert.title,
    Alert.text, Alert.link, Alert.opened_at, Alert.moved_at, Alert.acknowledged_at,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Person:
    """Whom to tell, and how they want it."""

    id: str
    name: str
    email: str
    zone: str
    wish: Any  # a row of Wish's columns
    places: dict[str, str]  # their workspaces, id and name, as far as they are asked about
    several: bool = False  # whether they have more than one, so that a page may stand in another than they look at
    care_only: frozenset[str] = frozenset()  # those of them in which they see customer care and nothing else

    def wants(self, area: str) -> str:
        return wishes.choice(self.wish.areas, area)

    def sees(self, place: str, area: str) -> bool:
        """Whether what a subject has to tell of a workspace is for them at all."""
        return place in self.places and (place not in self.care_only or area == CARE)

    @property
    def since(self) -> int:
        """When their last digest was due; who never had one is told of a week."""
        return self.wish.last_slot or (self.wish.next_due or 0) - WEEK_MS


@dataclass(frozen=True, slots=True)
class News:
    """An alert as one person is to hear of it; `what` is its last untold move, "" when there is none."""

    id: str
    place: str
    area: str
    state: str
    level: int
    title: str
    text: str
    link: str
    since: int
    moved: int
    acknowledged: bool
    what: str = ""
    moves: tuple[str, ...] = ()

    @property
    def weight(self) -> float:
        return weight(self.level)


def weight(level: int) -> float:
    """How bad it is, whatever its rule: levels are per cent, or grades up to 3. From 1 on it is as bad as it gets."""
    return level / 100 if level > 10 else level / 3


@dataclass(slots=True)
class Bag:
    """All that is for one person."""

    person: Person
    news: list[News] = field(default_factory=list)  # each alert once
    spent: list[str] = field(default_factory=list)  # moves that no mail needs to tell: muted, not theirs any more
    sections: list[tuple[str, Section]] = field(default_factory=list)  # with the workspace's name

    @property
    def firing(self) -> list[News]:
        """What needs somebody, worst first, and of two the newer."""
        open_ = [each for each in self.news if each.state == FIRING and not each.acknowledged]
        return sorted(open_, key=lambda each: (-each.weight, -each.moved))

    @property
    def changed(self) -> list[News]:
        """What is new and needs nobody: noted, or seen to by somebody."""
        open_ = {each.id for each in self.firing}
        return [each for each in self.news if each.what not in ("", ENDED) and each.id not in open_]

    @property
    def resolved(self) -> list[News]:
        return [each for each in self.news if each.what == ENDED]

    @property
    def moves(self) -> list[str]:
        return [move for each in self.news for move in each.moves]

    @property
    def worth_it(self) -> bool:
        """Whether there is anything to say; of what the subjects add, once that is known."""
        return bool(self.moves or (self.person.wish.nag and self.firing) or any(part.news for _, part in self.sections))


def people(session: Session, ids: Collection[str], place: str = "") -> list[Person]:
    """These people, with all their workspaces, or with this one alone."""
    asked = select(Account.id, Account.name, Account.email, Account.time_zone, *Wish.__table__.c)
    asked = asked.join(Wish, Wish.account_id == Account.id).where(Account.id.in_(ids)).order_by(Account.id)
    where, narrow = places(session, ids), care_only(session, ids)
    return [
        Person(
            row.id, row.name, row.email, row.time_zone, row, _only(where[row.id], place), len(where[row.id]) > 1,
            narrow[row.id],
        )
        for row in session.execute(asked)
    ]  # fmt: skip


def places(session: Session, ids: Collection[str]) -> dict[str, dict[str, str]]:
    """Each one's workspaces, id and name, but for those whose customers they are."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    asked = select(Membership.account_id, Workspace.id, Workspace.name).join(Workspace)
    asked = asked.where(Membership.account_id.in_(ids), Membership.role != CUSTOMER)
    for account, workspace, name in session.execute(asked.order_by(Membership.created_at, Workspace.id)):
        found[account][workspace] = name
    return found


def care_only(session: Session, ids: Collection[str]) -> dict[str, frozenset[str]]:
    """The workspaces in which each one is of the desk alone."""
    found: dict[str, frozenset[str]] = defaultdict(frozenset)
    asked = select(Membership.account_id, Membership.workspace_id).where(Membership.account_id.in_(ids))
    for account, workspace in session.execute(asked.where(Membership.role.in_(DESK))):
        found[account] |= {workspace}
    return found


def _only(where: dict[str, str], place: str) -> dict[str, str]:
    return {key: name for key, name in where.items() if place in ("", key)}


def bags(session: Session, persons: Sequence[Person], *, at_once: bool = False, place: str = "") -> list[Bag]:
    """What is new for each, and with it what is still wrong.

    Args:
        at_once: only what is new, and of areas that the person wants to hear of at once.
        place: only of this workspace.
    """
    everywhere = {workspace for person in persons for workspace in person.places}
    muted = _muted(session, everywhere)
    found = {person.id: Bag(person) for person in persons}
    told = _untold(session, list(found), place)
    for account, rows in told.items():
        _fill(found[account], rows, muted, at_once)
    if not at_once:
        _add_firing(session, found, everywhere, muted)
    return list(found.values())


def _muted(session: Session, places: Collection[str]) -> Muted:
    still = or_(Mute.until.is_(None), Mute.until > db_now())
    asked = select(Mute.workspace_id, Mute.rule, Mute.subject).where(still, Mute.workspace_id.in_(places))
    return {(row.workspace_id, row.rule, row.subject) for row in session.execute(asked)}


def _untold(session: Session, accounts: list[str], place: str) -> dict[str, list[Line]]:
    asked = select(Notice.account_id, Notice.move_id, Move.what, Move.title.label("words"), *COLUMNS)
    asked = asked.join(Move, Move.id == Notice.move_id).join(Alert, Alert.id == Move.alert_id)
    asked = asked.where(Notice.account_id.in_(accounts), Notice.told_at.is_(None)).order_by(Move.at, Move.id)
    rows: dict[str, list[Line]] = defaultdict(list)
    for row in session.execute(asked.where(Notice.workspace_id == place) if place else asked):
        rows[row.account_id].append(row)
    return rows


def _fill(bag: Bag, rows: list[Line], muted: Muted, at_once: bool) -> None:
    """The untold moves of a person, gathered by alert: the last one is what is told."""
    steps: dict[str, list[Line]] = defaultdict(list)
    for row in rows:
        wanted = bag.person.wants(row.area)
        if not bag.person.sees(row.workspace_id, row.area) or _is_muted(row, muted) or wanted == NEVER:
            bag.spent.append(row.move_id)
        elif not at_once or (wanted == AT_ONCE and row.what != NOTED):
            steps[row.id].append(row)
        elif bag.person.wish.repeat == "never":
            bag.spent.append(row.move_id)  # no digest will ever tell it
    bag.news += [_news(each[-1], each[-1].what, tuple(step.move_id for step in each)) for each in steps.values()]


def _add_firing(session: Session, bags_: dict[str, Bag], places: Collection[str], muted: Muted) -> None:
    by_place: dict[str, list[Line]] = defaultdict(list)
    firing = select(*COLUMNS).where(Alert.state == FIRING, Alert.workspace_id.in_(places))
    for row in session.execute(firing.where(Alert.acknowledged_at.is_(None))):
        if not _is_muted(row, muted):
            by_place[row.workspace_id].append(row)
    for bag in bags_.values():
        known = {each.id for each in bag.news}
        rows = [row for place in bag.person.places for row in by_place[place] if bag.person.sees(place, row.area)]
        bag.news += [_news(row) for row in rows if row.id not in known and bag.person.wants(row.area) != NEVER]


def _is_muted(row: Line, muted: Muted) -> bool:
    return (row.workspace_id, row.rule, row.subject) in muted


def _news(row: Line, what: str = "", moves: tuple[str, ...] = ()) -> News:
    title = row.words if what == ENDED else row.title
    return News(
        row.id, row.workspace_id, row.area, row.state, row.level, title, row.text, row.link, row.opened_at,
        row.moved_at, row.acknowledged_at is not None, what, moves,
    )  # fmt: skip
