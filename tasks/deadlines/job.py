"""The job that reckons the deadlines of a workspace's open tickets anew after its hours, holidays or policies changed.

Pages do so themselves where tickets are few; this looks again, at all of them, and also after an import or an erasure.
"""

from pydantic import Field

from models.desk import Policy, Team
from models.workspace import SYSTEM
from tasks.care.clocks import Portion, portion
from tasks.context import Context
from tasks.job import Job, NoParams, Result

PASSES = 3  # a ticket that somebody changes at that moment is left alone, and met in the next pass


class Reckoned(Result):
    """What was reckoned."""

    seen: int = Field(title="Open tickets")
    moved: int = Field(title="Of which a deadline, a mark or the policy changed")


def run(params: NoParams, ctx: Context) -> Reckoned:
    """A few thousand tickets in each transaction, so that nobody waits for all of them."""
    if ctx.workspace == SYSTEM:
        return Reckoned(seen=0, moved=0)
    total = Reckoned(seen=0, moved=0)
    for number in range(PASSES):
        seen, moved = _pass(ctx, number)
        total = Reckoned(seen=max(total.seen, seen), moved=total.moved + moved)
        if not moved:
            break
    return total


def _pass(ctx: Context, number: int) -> tuple[int, int]:
    seen = moved = 0
    after: str | None = ""
    while after is not None:
        ctx.progress(number / PASSES, f"{seen} tickets")
        found = _portion(ctx, after)
        seen, moved, after = seen + found.seen, moved + found.moved, found.after
    return seen, moved


def _portion(ctx: Context, after: str) -> Portion:
    with ctx.database.write(ctx.workspace) as session:
        return portion(session, ctx.workspace, ctx.now(), after=after)


def headline(found: Reckoned) -> str:
    if not found.moved:
        return "no deadline moved"
    return "1 deadline moved" if found.moved == 1 else f"{found.moved} deadlines moved"


JOB = Job(
    kind="deadlines",
    title="Reckon deadlines",
    summary="Reckons when open tickets are due after a team’s hours, holidays or the policies changed.",
    params=NoParams,
    result=Reckoned,
    run=run,
    queue="scans",
    audience="machinery",
    watches=(Team, Policy),
    headline=headline,
)
