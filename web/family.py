"""A run among others: what it waits for, what waits for it, its parent, its parts, its origin and its schedule."""

from dataclasses import dataclass, field
from typing import cast

from sqlalchemy import Table, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from models.run import BLOCKED, CANCELLED, END_STATES, FAILED, QUEUED, RUNNING, SUCCEEDED, Dependency, Run
from models.schedule import Schedule

table = cast(Table, Run.__table__)
Column = InstrumentedAttribute[str]
PAGE = 25
SHOWN = 20  # of the runs that it waits for, and of those that wait for it
ORDER = (FAILED, RUNNING, QUEUED, BLOCKED, CANCELLED, SUCCEEDED)  # what needs somebody stands first


@dataclass
class Parts:
    """What a run was split into.

    Attributes:
        counts: how many are in each state, in the order in which they are listed.
        share: how much of all of them together is done, 0 to 1.
        listed: one page of them, failed ones first.
    """

    counts: dict[str, int]
    share: float
    listed: list[Run]
    page: int = 1

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def ended(self) -> int:
        return sum(self.counts.get(state, 0) for state in END_STATES)

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PAGE))


@dataclass
class Family:
    """Each with at most SHOWN runs of the workspace."""

    needs: list[Run] = field(default_factory=list)
    followers: list[Run] = field(default_factory=list)
    parent: Run | None = None
    origin: Run | None = None
    schedule: Schedule | None = None


def family(session: Session, run: Run) -> Family:
    """The runs beside this one; those that are gone by now are None."""
    return Family(
        needs=needs(session, run.id),
        followers=_some(session, Dependency.run_id, Dependency.needs_id, run.id),
        parent=_one(session, run.parent_id),
        origin=_one(session, run.origin_id),
        schedule=_schedule(session, run.schedule_id),
    )


def needs(session: Session, run_id: str) -> list[Run]:
    """What a run waits for, or waited for."""
    return _some(session, Dependency.needs_id, Dependency.run_id, run_id)


def _some(session: Session, wanted: Column, by: Column, run_id: str) -> list[Run]:
    # Ids first: joined, a planner without statistics goes through all runs of the workspace.
    ids = session.scalars(select(wanted).where(by == run_id).order_by(wanted).limit(SHOWN)).all()
    return list(session.scalars(select(Run).where(Run.id.in_(ids)).order_by(Run.id))) if ids else []


def _one(session: Session, run_id: str | None) -> Run | None:
    return session.scalar(select(Run).where(Run.id == run_id)) if run_id else None


def _schedule(session: Session, schedule_id: str | None) -> Schedule | None:
    return session.scalar(select(Schedule).where(Schedule.id == schedule_id)) if schedule_id else None


def parts(session: Session, run: Run, page: int = 1) -> Parts | None:
    """The parts of a run that was split; None for every other."""
    if not run.children:
        return None
    # Of the table and so not narrowed: the parent is the workspace's own, and the index alone holds the answer.
    counted = select(table.c.state, func.count()).where(table.c.parent_id == run.id).group_by(table.c.state)
    found: dict[str, int] = {row[0]: row[1] for row in session.execute(counted)}
    going = select(func.sum(Run.progress)).where(Run.parent_id == run.id, Run.state == RUNNING)
    done = sum(found.get(state, 0) for state in END_STATES) + (session.scalar(going) or 0.0)
    made = Parts(
        counts={state: found[state] for state in ORDER if state in found},
        share=min(1.0, done / max(run.children, sum(found.values()))),
        listed=[],
    )
    made.page = min(max(1, page), made.pages)
    made.listed = _page(session, run.id, made)
    return made


def _page(session: Session, parent_id: str, made: Parts) -> list[Run]:
    """State by state, so that the index serves each: nothing is sorted, however many there are."""
    skip, listed = (made.page - 1) * PAGE, list[Run]()
    for state, count in made.counts.items():
        if skip < count and (room := PAGE - len(listed)):
            of_state = select(Run).where(Run.parent_id == parent_id, Run.state == state).order_by(Run.id)
            listed += session.scalars(of_state.offset(skip).limit(room))
        skip = max(0, skip - count)
    return listed
