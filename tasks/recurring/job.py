"""The job that enters what comes by itself (rent, salary) on its day, by the calendar of each workspace.

Days that passed while nothing ran are made up for. An entry knows its recurring one and its day, which are unique
together, so that whatever runs twice enters once.
"""

from datetime import date, timedelta
from decimal import Decimal

from pydantic import Field
from sqlalchemy import Row, Select, select, update
from sqlalchemy.orm import Session

from models.base import clock, new_id
from models.ledger import Entry, Purse, Recurring
from models.workspace import SYSTEM, Workspace
from tasks.alerting import alerts
from tasks.books import recurrence
from tasks.context import Context
from tasks.days import today
from tasks.job import Job, NoParams, Result

AHEAD = timedelta(days=1)  # somewhere it is tomorrow already
TOGETHER = 100  # workspaces in one transaction
SHOWN = 50


class Line(Result):
    """One that was entered."""

    name: str
    on: date
    amount: Decimal
    currency: str


class Entered(Result):
    """What came by itself."""

    entered: int = Field(title="Entered")
    waiting: int = Field(title="Due, but in a closed account")
    lines: list[Line] = Field(title="What was entered in this workspace")


def run(params: NoParams, ctx: Context) -> Entered:
    """Find what is due anywhere, and enter it a few workspaces at a time."""
    everywhere = ctx.workspace == SYSTEM
    with ctx.read_everything() if everywhere else ctx.read() as session:
        asked = _due(clock(session)).with_only_columns(Recurring.workspace_id).distinct()
        places = list(session.scalars(asked.order_by(Recurring.workspace_id)))
    total = Entered(entered=0, waiting=0, lines=[])
    for start in range(0, len(places), TOGETHER):
        if start:
            ctx.progress(start / len(places), f"{start} of {len(places)} workspaces")
        some = places[start : start + TOGETHER]
        with ctx.write_everything() if everywhere else ctx.database.write(ctx.workspace) as session:
            alerts.lock(session, some)
            for found in session.execute(_due(clock(session)).where(Recurring.workspace_id.in_(some))).all():
                _enter(session, found, total, tell=not everywhere)
    return total


def _due(now: int) -> Select[Recurring, Purse, str]:
    """What may be due; whether it is, each workspace's own calendar says."""
    asked = select(Recurring, Purse, Workspace.time_zone).join(Purse, Purse.id == Recurring.purse_id)
    asked = asked.join(Workspace, Workspace.id == Recurring.workspace_id)
    return asked.where(Recurring.paused.is_(False), Recurring.next_on <= today("UTC", now) + AHEAD)


def _enter(session: Session, found: Row[Recurring, Purse, str], total: Entered, tell: bool) -> None:
    """Enter one on each of its days up to today, and note the next."""
    one, purse, zone = found
    until = today(zone, clock(session))
    if one.next_on is None or one.next_on > until:
        return
    if purse.closed_at is not None:
        total.waiting += 1
        return
    coming = recurrence.following(one.first_on, one.every, one.steps, one.next_on, one.last_on)
    day = next(coming, None)
    known = set(session.scalars(select(Entry.on).where(Entry.recurring_id == one.id, Entry.on >= one.next_on)))
    while day is not None and day <= until:
        if day not in known:
            session.add(_entry(one, purse, day))
            total.entered += 1
            if tell and len(total.lines) < SHOWN:
                total.lines.append(Line(name=one.name, on=day, amount=one.amount, currency=purse.currency))
        day = next(coming, None)
    # A statement, which no job watches: the row itself is as it was.
    session.execute(update(Recurring).where(Recurring.id == one.id).values(next_on=day))


def _entry(one: Recurring, purse: Purse, day: date) -> Entry:
    return Entry(
        id=new_id(), workspace_id=one.workspace_id, purse_id=purse.id, category_id=one.category_id,
        payee_id=one.payee_id, on=day, amount=one.amount, currency=purse.currency, note=one.note or one.name,
        recurring_id=one.id, created_by=one.created_by,
    )  # fmt: skip


def headline(found: Entered) -> str:
    if not found.entered:
        return "nothing was due"
    return "1 entry" if found.entered == 1 else f"{found.entered} entries"


JOB = Job(
    kind="recurring",
    title="Enter what recurs",
    summary="Enters rent, salary and whatever else comes by itself on its day, and makes up for days that were missed.",
    params=NoParams,
    result=Entered,
    run=run,
    queue="scans",
    schedule="3 * * * *",
    time_limit=300,
    watches=(Recurring,),
    headline=headline,
)
