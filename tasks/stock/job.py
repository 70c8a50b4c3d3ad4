"""The scan of the inventory: what is short, and why the rest is not. Alerts open and resolve; it sends no mail."""

from decimal import Decimal
from typing import TYPE_CHECKING

from pydantic import Field
from sqlalchemy.orm import Session

from models.run import SUCCEEDED
from models.stock import Movement, Product, Purchase, PurchaseLine
from models.workspace import SYSTEM
from tasks.alerting.alerts import Count
from tasks.context import Context
from tasks.inventory import stock_figures, stock_scan
from tasks.inventory.stock_figures import Part
from tasks.job import Job, Params, Result, hidden_field
from tasks.sections import Reader, Section
from tasks.stock import words
from tasks.stock.words import Line

if TYPE_CHECKING:
    from tasks.stock.simpler import Tally

SHOWN = 200  # lines in a result; the reorder list has all


class StockParams(Params):
    """Nothing to fill in. The system's own run splits into parts of the products: the bounds of one."""

    part: list[str] = hidden_field([])


class ToOrder(Result):
    """A product that is to be ordered."""

    product_id: str
    sku: str
    name: str
    supplier: str
    title: str = Field(title="The news in a line")
    text: str = Field(title="Why, and what to do")
    on_hand: Decimal
    on_order: Decimal
    reorder_level: Decimal
    order: Decimal = Field(title="How many to order")
    packs: int
    total: Decimal | None = Field(title="What that costs")
    currency: str
    level: int = Field(title="1: down to the reorder level, 2: cover shorter than the lead time, 3: nothing left")


class Reason(Result):
    """Why a simpler rule names some products."""

    words: str
    count: int


class Simpler(Result):
    """A simpler rule, and what it would get wrong."""

    rule: str
    count: int = Field(title="How many products it names")
    reasons: list[Reason]
    missed: int = Field(title="How many that are to be ordered it does not name")


class StockResult(Result):
    """What is short, and what changed by it."""

    products: int = Field(title="Products that were looked at")
    short: int = Field(title="To be ordered")
    coming: int = Field(title="Nothing left, but enough on order")
    opened: int = Field(title="Alerts that opened")
    levelled: int = Field(title="Alerts that became worse")
    resolved: int = Field(title="Alerts that were resolved")
    unseen: int = Field(0, title="Parts that could not be looked at")
    left_out: int = Field(0, title="Workspaces that could not be reckoned; the log says why")
    lines: list[ToOrder] = Field(title="What is to be ordered; the first of it")
    simpler: list[Simpler] = Field(title="What simpler rules would say")


def run(params: StockParams, ctx: Context) -> StockResult:
    """Scan one workspace; in the system's, all of them in parts that several workers share."""
    if ctx.workspace != SYSTEM:
        return _own(ctx)
    if params.part:
        return _one(ctx, Part.bounded(params.part))
    return _everything(ctx)


def _own(ctx: Context) -> StockResult:
    from tasks.stock.simpler import Tally

    now, seen, tally = ctx.now(), stock_scan.Seen(), Tally.empty()
    shown: list[Line] = []
    with ctx.read() as session:
        parts = stock_figures.parts(session) or [Part()]
        for number, part in enumerate(parts):
            ctx.progress(number / len(parts), f"{seen.products} products")
            lines = _look(session, part, now, seen, tally)
            shown += [line for line in lines if line.fires][: SHOWN - len(shown)]
    count = Count()
    if seen.keys:
        count = stock_scan.settle(ctx.session, seen, now)
    return _result(seen, count, shown, tally)


def _look(session: Session, part: Part, now: int, seen: stock_scan.Seen, tally: "Tally") -> list[Line]:
    found, lines = stock_scan.look(session, part, now, seen)
    figures, standing = found.figures, found.standing
    tally.add(figures.on_hand, figures.on_order, figures.reorder_level, standing.fires, figures.discontinued)
    return lines


def _one(ctx: Context, part: Part) -> StockResult:
    """A part of everybody's products. Its transaction is its own: nothing of it waits for the other parts."""
    now, seen = ctx.now(), stock_scan.Seen()
    stock_scan.look_all(ctx.read_everything, part, now, seen)
    count = Count()
    if seen.keys:
        with ctx.write_everything() as session:
            count = stock_scan.settle(session, seen, now)
    return _result(seen, count)


def _everything(ctx: Context) -> StockResult:
    if ctx.children is not None:
        return _together([child.result if child.state == SUCCEEDED else None for child in ctx.children])
    with ctx.read_everything() as session:
        parts = stock_figures.parts(session)
    if len(parts) > 1:
        ctx.fan_out("stock", [StockParams(part=each.bounds) for each in parts])
    return _together([_one(ctx, part).model_dump() for part in parts])


def _together(results: list[dict[str, object] | None]) -> StockResult:
    """The sums of the parts. What is in whose workspace is for its members alone."""
    whole = _result(stock_scan.Seen(), Count())
    for result in results:
        if result is None:
            whole.unseen += 1
            continue
        part = StockResult.model_validate(result)
        for name in ("products", "short", "coming", "opened", "levelled", "resolved", "left_out"):
            setattr(whole, name, getattr(whole, name) + getattr(part, name))
    return whole


def _result(
    seen: stock_scan.Seen, count: Count, lines: list[Line] | None = None, tally: "Tally | None" = None
) -> StockResult:
    return StockResult(
        products=seen.products, short=seen.firing, coming=seen.pending,
        opened=count.opened, levelled=count.levelled, resolved=count.resolved, left_out=seen.left_out,
        lines=[_to_order(line) for line in sorted(lines or [], key=lambda one: (one.supplier, one.name))],
        simpler=_simpler(tally) if tally is not None and seen.products else [],
    )  # fmt: skip


def _to_order(line: Line) -> ToOrder:
    return ToOrder(
        product_id=line.product_id, sku=line.sku, name=line.name, supplier=line.supplier, title=words.title(line),
        text=words.text(line), on_hand=line.on_hand, on_order=line.on_order, reorder_level=line.reorder_level,
        order=line.order, packs=line.packs, total=line.total, currency=line.currency, level=line.level,
    )  # fmt: skip


def _simpler(tally: "Tally") -> list[Simpler]:
    from tasks.stock import simpler

    return [
        Simpler(
            rule=rule,
            count=int(tally.counts[number].sum()),
            reasons=[
                Reason(words=words, count=int(count))
                for words, count in zip(simpler.REASONS, tally.counts[number], strict=True)
                if count
            ],
            missed=int(tally.missed[number]),
        )
        for number, rule in enumerate(simpler.RULES)
    ]


def headline(result: StockResult) -> str:
    """For lists and mails."""
    if not result.products:
        return "there are no products yet"
    return f"{result.short} of {result.products} to be ordered" if result.short else "nothing is short"


def section(session: Session, workspace_id: str, reader: Reader) -> Section | None:
    """What the stock adds to a digest: what lasts the shortest, and what its orders cost."""
    from tasks.inventory.stock_section import section as made

    return made(session, workspace_id, reader)


JOB = Job(
    kind="stock",
    title="Check the stock",
    summary="Finds what must be ordered, what lasts too short and what is gone, by sales, orders and lead times.",
    params=StockParams,
    result=StockResult,
    run=run,
    queue="scans",
    schedule="17 * * * *",
    time_limit=300,
    watches=(Product, Movement, Purchase, PurchaseLine),
    headline=headline,
    area=stock_scan.AREA,
    section=section,
)
