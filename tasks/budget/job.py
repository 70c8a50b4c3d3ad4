"""The scan of the budgets: on every change in a workspace, and every hour in all of them."""

from pydantic import Field
from sqlalchemy.orm import Session

from models.base import clock
from models.ledger import Budget, Entry, Recurring
from models.workspace import SYSTEM
from tasks.alerting.alerts import Count
from tasks.books import budget_history, budget_news, budget_scan, budgets
from tasks.books.budget_bounds import Calendar
from tasks.books.budget_sums import Scope
from tasks.budget import words
from tasks.context import Context
from tasks.errors import JobError
from tasks.job import Job, Params, Result, hidden_field
from tasks.sections import Figure, Reader, Section

PICTURES = 2  # of a digest


class Stretch(Params):
    """Nothing to fill in; the machinery's own runs look at the workspaces from `first` to `last`."""

    first: str = hidden_field("")
    last: str = hidden_field("")


class Looked(Result):
    """What the scan came to."""

    budgets: int = Field(title="Budgets looked at")
    noted: int = Field(0, title="Half used, now noted")
    opened: int = Field(0, title="New warnings")
    rose: int = Field(0, title="Warnings that rose")
    resolved: int = Field(0, title="Resolved")
    left_out: int = Field(0, title="Workspaces that could not be reckoned")


def run(params: Stretch, ctx: Context) -> Looked:
    """One workspace's budgets; in the system's own, those of all."""
    if ctx.workspace != SYSTEM:
        return _one(ctx)
    if params.last:
        return _all(ctx, Scope(params.first, params.last))
    if ctx.children is not None:
        return _gathered(ctx)
    with ctx.read_everything() as session:
        parts = list(budget_scan.stretches(session))
    if len(parts) > 1:
        ctx.fan_out("budget", [Stretch(first=part.first, last=part.last) for part in parts])
    return _all(ctx, parts[0] if parts else Scope())


def _all(ctx: Context, scope: Scope) -> Looked:
    return _result(*budget_scan.scan(ctx.read_everything, ctx.write_everything, ctx.now(), scope))


def _one(ctx: Context) -> Looked:
    with ctx.read() as session:
        looked, keys = budget_scan.look(session, Calendar(ctx.now()), Scope(ctx.workspace, ctx.workspace))
    count = budget_scan.settle(ctx.session, ctx.now(), keys) if keys else Count()
    return _result(looked, count)


def _gathered(ctx: Context) -> Looked:
    children = ctx.children or []
    if any(child.result is None for child in children):
        raise JobError("A part of the budgets could not be looked at. Its own run says why.")
    names = list(Looked.model_fields)
    return Looked(**{name: sum((child.result or {}).get(name, 0) for child in children) for name in names})


def _result(looked: int, count: Count, left_out: int = 0) -> Looked:
    return Looked(
        budgets=looked, noted=count.noted, opened=count.opened, rose=count.levelled, resolved=count.resolved,
        left_out=left_out,
    )  # fmt: skip


def headline(result: Looked) -> str:
    """What is new, or that nothing is."""
    told = [
        f"{number} {words}"
        for number, words in (
            (result.opened + result.rose, "to look at"),
            (result.resolved, "resolved"),
            (result.left_out, "not reckoned; the log says why"),
        )
        if number
    ]
    return ", ".join(told) or "nothing new"


def section(session: Session, workspace: str, reader: Reader) -> Section | None:
    """A line for each budget that matters, and the burn-downs of the two most pressing ones."""
    today = budgets.today_of(session, workspace, clock(session))
    pressing = [one for one in budgets.states(session, workspace, today, near=True) if one.standing.level]
    if not pressing:
        return None
    lines = budget_news.lines(pressing, reader.amounts)
    drawn = [one for one in pressing if one.standing.share is not None][:PICTURES] if reader.pictures else []
    figures = [_figure(session, workspace, one, reader.amounts) for one in drawn]
    return Section("Budgets", "/expenses/budgets", lines, figures)


def _figure(session: Session, workspace: str, one: budgets.BudgetState, amounts: bool) -> Figure:
    from tasks.budget.drawing import burn_down  # matplotlib, which a scan does not need

    days = budget_history.daily(session, workspace, one)
    png = burn_down(one.name, one.standing, days, one.currency if amounts else "")
    return Figure(f"budget-{one.id}", words.alt(one.name, one.standing), png)


JOB = Job(
    kind="budget",
    title="Check the budgets",
    summary="Looks at every budget and warns of those that are nearly used up, or will be before their period ends.",
    params=Stretch,
    result=Looked,
    run=run,
    queue="scans",
    schedule="12 * * * *",
    time_limit=600,
    watches=(Entry, Budget, Recurring),
    headline=headline,
    area=budgets.AREA,
    section=section,
    sections=budget_news.sections,
)
