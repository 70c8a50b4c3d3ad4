"""Scanning the budgets: look at all while only reading, then change the few alerts that differ."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from itertools import groupby, islice

import structlog
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from models.engine import again, of_data
from models.ledger import Budget
from models.workspace import Workspace
from tasks.alerting import alerts
from tasks.alerting.alerts import Count
from tasks.alerting.open_alerts import Key
from tasks.books import budgets
from tasks.books.budget_bounds import Calendar
from tasks.books.budget_sums import Scope

log = structlog.get_logger()
BATCH = 5_000  # budgets of one run; what a workspace has stays together
AT_ONCE = 500  # alerts that change in one transaction
Opens = Callable[[], AbstractContextManager[Session]]


def stretches(session: Session, size: int = 0) -> Iterator[Scope]:
    """All workspaces in stretches of about `size` budgets; each is in exactly one, with budgets or without."""
    counts = select(Workspace.id, func.count(Budget.id)).outerjoin(Budget, Budget.workspace_id == Workspace.id)
    first = last = ""
    many = 0
    for workspace, count in session.execute(counts.group_by(Workspace.id).order_by(Workspace.id)):
        if many and many + count > (size or BATCH):
            yield Scope(first, last)
            first, many = "", 0
        first, last, many = first or workspace, workspace, many + count
    if last:
        yield Scope(first, last)


def scan(read: Opens, write: Opens, now: int, scope: Scope) -> tuple[int, Count, int]:
    """All budgets of a scope; what differs is written a few workspaces at a time.

    Returns:
        How many budgets, what came of it, and the workspaces that had to be left out.
    """
    total, looked, left = Count(), 0, 0
    for keys, budgets_, lost in _looks(read, now, scope):
        looked, left = looked + budgets_, left + lost
        for some in _by_workspace(keys):
            total += _settled(write, now, some)
    return looked, total, left


def _looks(read: Opens, now: int, scope: Scope) -> Iterator[tuple[list[Key], int, int]]:
    """What is to be changed; where one workspace cannot be reckoned, the others are looked at without it.

    Halves of halves until it is by itself: so a stretch of thousands costs a dozen more looks.
    """
    try:
        with read() as session:
            looked, keys = look(session, Calendar(now), scope)
    except DBAPIError as error:
        if not of_data(error):
            raise
        log.warning("budgets.not_reckoned", first=scope.first, last=scope.last, exc_info=True)
    else:
        yield keys, looked, 0
        return
    halves = _halves(read, scope)
    for half in halves:
        yield from _looks(read, now, half)
    if not halves:
        yield [], 0, 1


def _halves(read: Opens, scope: Scope) -> list[Scope]:
    """Two parts of a stretch, or its only workspace; none where that was all it had."""
    with read() as session:
        places = sorted(_places(session, scope))
    if scope.first and scope.first == scope.last:
        return []
    middle = (len(places) + 1) // 2
    return [Scope(part[0], part[-1]) for part in (places[:middle], places[middle:]) if part]


def look(session: Session, calendar: Calendar, scope: Scope) -> tuple[int, list[Key]]:
    """How many budgets there are, and those whose alert would change."""
    places = _places(session, scope)
    looked = session.scalar(select(func.count()).select_from(Budget).where(*scope.holds())) or 0
    seen = budgets.sights(session, calendar, scope)
    return looked, alerts.differing(session, budgets.RULE, seen, places)


def _places(session: Session, scope: Scope) -> Sequence[str]:
    there = select(Workspace.id).where(Workspace.id >= scope.first)
    return session.scalars(there.where(Workspace.id <= scope.last) if scope.last else there).all()


@again
def _settled(write: Opens, now: int, keys: list[Key]) -> Count:
    with write() as session:
        return settle(session, now, keys)


def settle(session: Session, now: int, keys: list[Key]) -> Count:
    """Look again at these budgets, now that nobody else changes their alerts, and write what comes of it."""
    alerts.lock(session, {workspace for workspace, _ in keys})
    count = Count()
    for some in _some(keys, AT_ONCE):
        scope = Scope(min(some)[0], max(some)[0], budgets=tuple(budget for _, budget in some))
        seen = list(budgets.sights(session, Calendar(now), scope, every=True))
        gone = set(some) - {one.key for one in seen}
        count += alerts.settle(session, budgets.AREA, budgets.RULE, seen, sorted(gone))
    return count


def _by_workspace(keys: list[Key]) -> Iterator[list[Key]]:
    """In parts of about AT_ONCE; those of one workspace stay together, so that it is locked once."""
    part: list[Key] = []
    for _, own in groupby(sorted(keys), key=lambda key: key[0]):
        part += own
        if len(part) >= AT_ONCE:
            yield part
            part = []
    if part:
        yield part


def _some(keys: list[Key], size: int) -> Iterator[list[Key]]:
    walk = iter(sorted(keys))
    while part := list(islice(walk, size)):
        yield part
