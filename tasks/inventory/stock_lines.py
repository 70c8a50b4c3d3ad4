"""The standing of products: their figures judged, and all that is said of those that matter.

The scan, the reorder list and the pages of the stock read through here, so that they never say different things.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base import clock
from models.stock import Product, Supplier
from tasks.alerting.open_alerts import some_of
from tasks.inventory import stock_figures
from tasks.inventory.stock_figures import Figures, Part
from tasks.stock.words import Line

if TYPE_CHECKING:
    from tasks.stock.demand import Demand
    from tasks.stock.shortage import Standing

WANTED = (
    "id", "workspace_id", "sku", "name", "unit", "supplier_id", "currency", "cost", "on_hand", "reorder_level",
    "target", "pack_size", "discontinued", "revision",
)  # fmt: skip


@dataclass(frozen=True)
class Look:
    """A part of the products, judged."""

    figures: Figures
    demand: "Demand"
    standing: "Standing"

    def found(self) -> list[int]:
        """Where something is to be said."""
        return [int(each) for each in self.standing.level.nonzero()[0]]


def look(session: Session, part: Part, now: int) -> Look:
    """Read and judge a part of the products."""
    from tasks.stock import demand, shortage

    figures = stock_figures.read(session, part, now)
    sells = demand.reckon(figures.sold, figures.days_known)
    standing = shortage.judge(
        figures.on_hand, figures.on_order, figures.reorder_level, sells.daily, figures.lead_days,
        figures.discontinued, figures.negative_allowed,
    )  # fmt: skip
    return Look(figures, sells, standing)


def lines(session: Session, seen: Look, which: Iterable[int]) -> Iterator[Line]:
    """All that is to be said of some of them, asked for in portions; one that was deleted meanwhile is left out."""
    at = {seen.figures.ids[number]: number for number in which}
    for some in some_of(at):
        rows = _details(session, some)
        yield from _lines(seen, [at[row.id] for row in rows], rows)


def of_products(session: Session, ids: Iterable[str]) -> dict[str, Line]:
    """The lines of a few products, whatever is to be said of them; for a page."""
    found: dict[str, Line] = {}
    for some in some_of(ids):
        seen = look(session, Part(ids=tuple(some)), clock(session))
        found |= {line.product_id: line for line in lines(session, seen, range(len(seen.figures)))}
    return found


def short(session: Session, now: int) -> Iterator[Line]:
    """What is to be ordered in the session's workspace."""
    for part in stock_figures.parts(session):
        seen = look(session, part, now)
        wanted = [number for number in seen.found() if seen.standing.fires[number]]
        yield from lines(session, seen, wanted)


def _details(session: Session, ids: list[str]) -> list[Any]:
    """Rows of columns: objects of the ORM would take three times as long, and of a large shop these are thousands."""
    asked = select(*(getattr(Product, name) for name in WANTED), Supplier.name.label("supplier"))
    return list(session.execute(asked.outerjoin(Product.supplier).where(Product.id.in_(ids))))


def _lines(seen: Look, which: list[int], rows: list[Any]) -> Iterator[Line]:
    import numpy as np

    from tasks.stock import cover, reorder

    figures, demand = seen.figures, seen.demand
    at = np.array(which, dtype=np.int64)
    projected = (figures.on_hand + figures.on_order)[at]
    daily = demand.daily[at]
    targets = np.array([row.target for row in rows], dtype=np.float64)
    packs = np.array([row.pack_size for row in rows], dtype=np.float64)
    plan = reorder.plan(
        projected, figures.reorder_level[at], targets, packs, daily, demand.weekly_spread[at], figures.lead_days[at]
    )
    columns = (
        rows, figures.on_order[at].tolist(), figures.lead_days[at].tolist(), plan.order.tolist(),
        np.ceil(plan.up_to).tolist(), daily.tolist(), cover.days(figures.on_hand[at], daily).tolist(),
        cover.days(projected, daily).tolist(), demand.kind[at].tolist(), seen.standing.level[at].tolist(),
        seen.standing.fires[at].tolist(), seen.standing.clear[at].tolist(),
    )  # fmt: skip
    for row, coming, lead, order, up_to, rate, lasts, lasts_all, kind, level, fires, clear in zip(
        *columns, strict=True
    ):
        pack = row.pack_size if row.pack_size > 0 else Decimal(1)
        yield Line(
            workspace_id=row.workspace_id, product_id=row.id, sku=row.sku, name=row.name, unit=row.unit,
            supplier_id=row.supplier_id, supplier=row.supplier or "", currency=row.currency, cost=row.cost,
            on_hand=row.on_hand, on_order=_exact(coming), reorder_level=row.reorder_level, pack=pack,
            order=_exact(order), packs=int(_exact(order) / pack), up_to=_exact(up_to), targeted=row.target is not None,
            daily=rate, cover=_finite(lasts), cover_projected=_finite(lasts_all), lead_days=int(lead), kind=kind,
            level=level, fires=fires, clear=clear, discontinued=row.discontinued, revision=row.revision,
        )  # fmt: skip


def _exact(value: float) -> Decimal:
    """As it stands in the tables: what numpy made of ten-thousandths is one of them again."""
    return Decimal(int(value)) if value == int(value) else round(Decimal(value), 4)


def _finite(value: float) -> float | None:
    return None if value == float("inf") else float(value)
