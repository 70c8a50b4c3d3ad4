"""The scan of the tickets: every minute in all workspaces, and on every change in one.

Its transactions are its own and small, so that agents never wait for it; whatever it does it does once, because each
looks again at the rows that it holds.
"""

from functools import partial

from pydantic import Field

from models.delivery import Delivery
from models.ticket import Ticket
from models.workspace import CARE, SYSTEM
from tasks.alerting.alerts import Count
from tasks.care import closing, digest_part, marks, neglect
from tasks.care.apart import Apart
from tasks.context import Context
from tasks.job import Job, NoParams, Result
from tasks.mailing import outbox


class Looked(Result):
    """What the scan came to."""

    marks: int = Field(0, title="Tickets that reached a mark of their time")
    opened: int = Field(0, title="New warnings")
    rose: int = Field(0, title="Warnings that rose")
    resolved: int = Field(0, title="Resolved")
    closed: int = Field(0, title="Solved tickets that were closed")


def run(_params: NoParams, ctx: Context) -> Looked:
    """All workspaces in the system's run; else the one whose tickets changed."""
    apart = Apart()
    found = _everywhere(ctx, apart) if ctx.workspace == SYSTEM else _here(ctx, apart)
    apart.end()
    return found


def _everywhere(ctx: Context, apart: Apart) -> Looked:
    """The scans, of which each runs whatever became of the others."""
    looks = (ctx.read_everything, ctx.write_everything, ctx.now(), apart)
    told, count = apart.alone("", lambda: marks.scan(*looks), (0, Count()))
    count += apart.alone("", lambda: neglect.scan(*looks), Count())
    closed = apart.alone("", lambda: closing.scan(*looks), 0)
    apart.alone("", lambda: _wake(ctx), None)
    return _result(told, count, closed)


def _wake(ctx: Context) -> None:
    """Mails that were held back a moment leave now."""
    with ctx.read_everything() as session:
        places = outbox.fell_due(session)
    for place in places:
        ctx.touch(Delivery, place)


def _here(ctx: Context, apart: Apart) -> Looked:
    place, now = ctx.workspace, ctx.now()
    mine = partial(ctx.database.write, place)
    told, count = apart.alone(place, lambda: marks.scan(ctx.read, mine, now, apart, place), (0, Count()))
    with ctx.read() as session:
        concerned = neglect.concerned(session, place)
    if concerned:
        count += neglect.scan(ctx.read, mine, now, apart, place)
    return _result(told, count, 0)


def _result(told: int, count: Count, closed: int) -> Looked:
    return Looked(marks=told, opened=count.opened, rose=count.levelled, resolved=count.resolved, closed=closed)


def headline(result: Looked) -> str:
    """What is new, or that nothing is."""
    told = [
        f"{number} {words}"
        for number, words in (
            (result.opened + result.rose, "to look at"),
            (result.resolved, "resolved"),
            (result.closed, "closed"),
        )
        if number
    ]
    return ", ".join(told) or "nothing new"


JOB = Job(
    kind="tickets",
    title="Watch the tickets",
    summary="Tells who is to be told when a ticket's time runs out, and closes what was solved long enough ago.",
    params=NoParams,
    result=Looked,
    run=run,
    queue="scans",
    schedule="* * * * *",
    time_limit=300,
    audience="machinery",
    watches=(Ticket,),
    headline=headline,
    area=CARE,
    section=digest_part.section,
    news=digest_part.news,
)
