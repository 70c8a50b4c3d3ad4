"""The scan of dates, apart from that of the stock: it reads other rows, and what it finds changes with the day."""

from dataclasses import asdict

from pydantic import Field

from models.run import SUCCEEDED
from models.stock import Movement
from models.workspace import SYSTEM
from tasks.alerting.alerts import Count
from tasks.alerting.open_alerts import Key
from tasks.context import Context
from tasks.inventory import ageing, stock_figures
from tasks.inventory.ageing import Ageing
from tasks.inventory.stock_figures import Part
from tasks.job import Job, Params, Result, hidden_field

SHOWN = 200


class ExpiryParams(Params):
    """Nothing to fill in. The system's own run splits into parts of the products: the bounds of one."""

    part: list[str] = hidden_field([])


class Late(Result):
    """A product of which something expires."""

    product_id: str
    name: str
    title: str
    text: str
    expired: bool


class ExpiryResult(Result):
    """What expires."""

    soon: int = Field(title="Products of which something expires soon")
    expired: int = Field(title="Products of which something has expired")
    opened: int = Field(title="Alerts that opened")
    levelled: int = Field(title="Alerts that became worse")
    resolved: int = Field(title="Alerts that were resolved")
    unseen: int = Field(0, title="Parts that could not be looked at")
    lines: list[Late] = Field(title="The first of them")


def run(params: ExpiryParams, ctx: Context) -> ExpiryResult:
    """Look at one workspace; in the system's, at all of them in parts that several workers share."""
    if ctx.workspace != SYSTEM:
        return _own(ctx)
    if params.part:
        return _one(ctx, Part.bounded(params.part))
    return _everything(ctx)


def _own(ctx: Context) -> ExpiryResult:
    found: list[Ageing] = []
    keys: list[Key] = []
    with ctx.read() as session:
        for part in stock_figures.parts(session) or [Part()]:
            some, changed = ageing.look(session, part, ctx.now())
            found, keys = found + some, keys + changed
    count = ageing.settle(ctx.session, keys, ctx.now()) if keys else Count()
    return _result(found, count, sorted(found, key=lambda each: (each.first, each.name))[:SHOWN])


def _one(ctx: Context, part: Part) -> ExpiryResult:
    """A part of everybody's products, in a transaction of its own."""
    with ctx.read_everything() as session:
        found, keys = ageing.look(session, part, ctx.now())
    count = Count()
    if keys:
        with ctx.write_everything() as session:
            count = ageing.settle(session, keys, ctx.now())
    return _result(found, count)


def _everything(ctx: Context) -> ExpiryResult:
    if ctx.children is not None:
        return _together([child.result if child.state == SUCCEEDED else None for child in ctx.children])
    with ctx.read_everything() as session:
        parts = stock_figures.parts(session)
    if len(parts) > 1:
        ctx.fan_out("expiry", [ExpiryParams(part=each.bounds) for each in parts])
    return _together([_one(ctx, part).model_dump() for part in parts])


def _together(results: list[dict[str, object] | None]) -> ExpiryResult:
    """The sums of the parts. What is in whose workspace is for its members alone."""
    whole = _result([], Count())
    for result in results:
        if result is None:
            whole.unseen += 1
            continue
        part = ExpiryResult.model_validate(result)
        for name in ("soon", "expired", "opened", "levelled", "resolved"):
            setattr(whole, name, getattr(whole, name) + getattr(part, name))
    return whole


def _result(found: list[Ageing], count: Count, shown: list[Ageing] | None = None) -> ExpiryResult:
    expired = sum(each.lots[0].expired(each.day) for each in found)
    told = {name: value for name, value in asdict(count).items() if name != "noted"}
    lines = [_late(each) for each in shown or []]
    return ExpiryResult(soon=len(found) - expired, expired=expired, lines=lines, **told)


def _late(each: Ageing) -> Late:
    seen = ageing.sight(each)
    return Late(
        product_id=each.product_id, name=each.name, title=seen.title, text=seen.text,
        expired=each.lots[0].expired(each.day),
    )  # fmt: skip


def headline(result: ExpiryResult) -> str:
    """For lists and mails."""
    if not result.soon + result.expired:
        return "nothing expires soon"
    return f"{result.expired} expired, {result.soon} soon"


JOB = Job(
    kind="expiry",
    title="Check expiry dates",
    summary="Finds the lots that expire within two weeks, or have expired, and are still there.",
    params=ExpiryParams,
    result=ExpiryResult,
    run=run,
    queue="scans",
    schedule="27 * * * *",
    watches=(Movement,),
    headline=headline,
    area=ageing.AREA,
)
