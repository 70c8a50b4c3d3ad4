"""The figures of many products as arrays: what is on hand and on order, and what was sold in each of the last weeks.

Three statements for a part of the products, of which one goes through the sales, and each only through its index. Rows
are plain whole numbers (ten-thousandths, as they stand in the tables): a Decimal for each would take as long as all
the rest. Pages of stock and the scan read through here, so that they never differ.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import BigInteger, ColumnElement, Float, Integer, Table, and_, case, func, select, type_coerce
from sqlalchemy import cast as as_type
from sqlalchemy.orm import Session

from models.base import Fixed, total
from models.session import EVERYONE
from models.stock import ON_ORDER, Movement, Product, Purchase, PurchaseLine, Supplier
from models.workspace import Workspace
from tasks.days import today

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

WEEKS = 8
BATCH = 20_000
SOME = 500  # of what goes into one IN (…)
DAY_MS = 86_400_000
LEAD_DAYS = 7  # of a product without a supplier and without a word of its own

_product, _movement = cast(Table, Product.__table__), cast(Table, Movement.__table__)
_workspace = cast(Table, Workspace.__table__)


@dataclass(frozen=True)
class Part:
    """Some products: those of the workspaces in a row, or a piece of one workspace, or these alone.

    Attributes:
        after, until: the workspaces behind the first and up to the second; empty, as below: without that bound.
        only: this workspace; `from_id` and `to_id`: its products behind the first and up to the second.
        ids: these products.
    """

    after: str = ""
    until: str = ""
    only: str = ""
    from_id: str = ""
    to_id: str = ""
    ids: tuple[str, ...] = ()

    @classmethod
    def bounded(cls, bounds: Sequence[str]) -> "Part":
        """From what `bounds` said."""
        after, until, only, from_id, to_id = bounds
        return cls(after, until, only, from_id, to_id)

    @property
    def bounds(self) -> list[str]:
        """For the params of a run."""
        return [self.after, self.until, self.only, self.from_id, self.to_id]

    def where(self, workspace: Any, product: Any) -> list[ColumnElement[bool]]:
        """As conditions on the columns of a table.

        The bounds of products are on an expression, so that no planner goes along an index of products by them: there,
        those of all workspaces lie mixed. It is the workspace that narrows, and these take a piece of it.
        """
        found = [workspace == self.only] if self.only else []
        each = product.concat("")
        found += [column > edge for column, edge in ((workspace, self.after), (each, self.from_id)) if edge]
        found += [column <= edge for column, edge in ((workspace, self.until), (each, self.to_id)) if edge]
        return [*found, product.in_(self.ids)] if self.ids else found


@dataclass(frozen=True)
class Figures:
    """Products as columns. `sold` has a row of weekly sales for each, the oldest week first, returns taken off."""

    places: "dict[str, Place]"
    workspaces: list[str]
    ids: list[str]
    on_hand: "Floats"
    on_order: "Floats"
    reorder_level: "Floats"
    lead_days: "Floats"
    discontinued: "NDArray[np.bool_]"
    negative_allowed: "NDArray[np.bool_]"
    days_known: "NDArray[np.int64]"
    sold: "Floats"

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True)
class Place:
    """What is to be known of a workspace: its day, and whether there may be less than nothing."""

    zone: str
    day: date
    negative_allowed: bool


def parts(session: Session, size: int = BATCH) -> list[Part]:
    """All products (in a session of one workspace: its own) in parts of about `size`; of small workspaces together."""
    counts = select(Product.workspace_id, func.count()).group_by(Product.workspace_id).order_by(Product.workspace_id)
    found: list[Part] = []
    after, last, sum_ = "", "", 0
    for place, count in session.execute(counts):
        if sum_ and sum_ + count > size:
            found.append(Part(after, last))
            after, sum_ = last, 0
        last, sum_ = place, sum_ + count
        if count > size:
            found += _pieces(session, place, count, size)
            after, sum_ = place, 0
    if sum_:
        found.append(Part(after, last))
    return found


def _pieces(session: Session, place: str, count: int, size: int) -> Iterator[Part]:
    """One workspace of many products in pieces."""
    number = func.row_number().over(order_by=Product.id).label("number")
    inner = select(Product.id, number).where(Product.workspace_id == place).subquery()
    edge = (inner.c.number % size == 0, inner.c.number < count)
    edges = session.scalars(select(inner.c.id).where(*edge).order_by(inner.c.id)).all()
    for from_id, to_id in pairwise(["", *edges, ""]):
        yield Part(only=place, from_id=from_id, to_id=to_id)


def places(session: Session, part: Part, now: int) -> dict[str, Place]:
    """The workspaces of a part."""
    asked = select(Workspace.id, Workspace.time_zone, Workspace.negative_stock)
    asked = asked.where(Workspace.id.in_(select(_product.c.workspace_id).where(*_mine(session, part))))
    rows = session.execute(asked).all()
    days = {zone: today(zone, now) for zone in {row.time_zone for row in rows}}
    return {row.id: Place(row.time_zone, days[row.time_zone], row.negative_stock == "allow") for row in rows}


def read(session: Session, part: Part, now: int, weeks: int = WEEKS) -> Figures:
    """The figures of a part of the products, in no order."""
    import numpy as np

    known = places(session, part, now)
    columns = _columns(session, _products(session, part), 8)
    ids = columns[1]
    at = {each: number for number, each in enumerate(ids)}
    allowed = {place: one.negative_allowed for place, one in known.items()}
    return Figures(
        places=known,
        workspaces=columns[0],
        ids=ids,
        on_hand=np.array(columns[2], dtype=np.float64) / Fixed.ONE,
        on_order=_on_order(session, part, at),
        reorder_level=np.array(columns[3], dtype=np.float64) / Fixed.ONE,
        lead_days=_lead_days(session, columns[4], columns[5]),
        discontinued=np.array(columns[6], dtype=bool),
        negative_allowed=np.array([allowed[place] for place in columns[0]], dtype=bool),
        days_known=_days_known(known, columns[0], columns[7]),
        sold=_sold(session, part, at, known, weeks),
    )


def _columns(session: Session, asked: Any, count: int) -> list[list[Any]]:
    """The rows of a statement over bare tables, as columns.

    As the driver hands them over, since they are all plain texts and whole numbers: to make SQLAlchemy's rows of them
    would take as long as to ask. And a few hundred at once: thousands of tuples that live keep the collector busy.
    """
    columns: list[list[Any]] = [[] for _ in range(count)]
    with session.connection().execute(asked) as answer:
        while rows := answer.cursor.fetchmany(SOME):
            for column, values in zip(columns, zip(*rows, strict=True), strict=True):
                column.extend(values)
    return columns


def _mine(session: Session, part: Part) -> list[ColumnElement[bool]]:
    """Bare tables are not narrowed by the session: this does it, and every statement below has it."""
    workspace = session.info["workspace"]
    narrowed = [] if workspace == EVERYONE else [_product.c.workspace_id == workspace]
    return [*narrowed, *part.where(_product.c.workspace_id, _product.c.id)]


def _whole(column: Any) -> Any:
    """A `Fixed` column as the whole number that it is."""
    return type_coerce(column, BigInteger)


def _plus(session: Session, part: Part, amount: Any) -> Any:
    """The sum. Of a part of many workspaces the plain one: where that overflows, each is looked at by itself."""
    if part.only or part.ids or session.info["workspace"] != EVERYONE:
        return as_type(total(amount), Float)
    return as_type(func.sum(amount), BigInteger)


def _products(session: Session, part: Part) -> Any:
    c = _product.c
    stopped = type_coerce(c.discontinued, Integer)  # which costs no call for each row
    asked = select(c.workspace_id, c.id, _whole(c.on_hand), _whole(c.reorder_level), c.lead_days, c.supplier_id)
    return asked.add_columns(stopped, c.created_at).where(*_mine(session, part))


def _lead_days(session: Session, own: Sequence[int | None], suppliers: Sequence[str | None]) -> Any:
    """The product's own lead time, else its supplier's. Suppliers are few: asked for once, not joined to each."""
    import numpy as np

    named = sorted({each for each in suppliers if each})
    found: dict[str | None, int] = {}
    for number in range(0, len(named), SOME):
        asked = select(Supplier.id, Supplier.lead_days).where(Supplier.id.in_(named[number : number + SOME]))
        found |= {row.id: row.lead_days for row in session.execute(asked)}
    theirs = np.array([found.get(each, LEAD_DAYS) for each in suppliers], dtype=np.float64)
    mine = np.array(own, dtype=np.float64)
    return np.where(np.isnan(mine), theirs, mine)


def _days_known(known: dict[str, Place], workspaces: Sequence[str], created: Sequence[int]) -> Any:
    import numpy as np

    first = date(1970, 1, 1).toordinal()
    today_is = {place: one.day.toordinal() - first for place, one in known.items()}
    days = np.array([today_is[place] for place in workspaces], dtype=np.int64)
    return np.maximum(days - np.array(created, dtype=np.int64) // DAY_MS + 1, 1)


def _on_order(session: Session, part: Part, at: dict[str, int]) -> Any:
    """What was ordered and has not come yet; a line of which too much came counts for nothing."""
    import numpy as np

    left = _whole(PurchaseLine.quantity) - _whole(PurchaseLine.received)
    asked = select(PurchaseLine.product_id, _plus(session, part, left)).join(
        Purchase, Purchase.id == PurchaseLine.purchase_id
    )
    asked = asked.where(
        Purchase.state.in_(ON_ORDER),
        PurchaseLine.quantity > PurchaseLine.received,
        *part.where(Purchase.workspace_id, PurchaseLine.product_id),
    ).group_by(PurchaseLine.product_id)
    found = np.zeros(len(at))
    for product, amount in session.execute(asked):
        if product in at:
            found[at[product]] = amount / Fixed.ONE
    return found


def _sold(session: Session, part: Part, at: dict[str, int], known: dict[str, Place], weeks: int) -> Any:
    """Weekly sales. Where workspaces of a part are in different days just now, each day is asked for by itself."""
    import numpy as np

    found = np.zeros((len(at), weeks))
    days = {place.day for place in known.values()}
    for day in days:
        zones = sorted({place.zone for place in known.values() if place.day == day})
        ids, *sums = _columns(session, _sales(session, part, day, zones if len(days) > 1 else (), weeks), weeks + 1)
        if ids:
            since = np.array(sums, dtype=np.float64).T
            which = np.fromiter((at.get(each, -1) for each in ids), dtype=np.int64, count=len(ids))
            # Each column holds all that was sold since its week began: the next one's taken off, it is that week's.
            since[:, :-1] -= since[:, 1:].copy()
            found[which[which >= 0]] = since[which >= 0] / -Fixed.ONE
    return found


def _sales(session: Session, part: Part, day: date, zones: Sequence[str], weeks: int) -> Any:
    """One pass over the sales and returns of the weeks that end on a day, by the index that holds all it needs."""
    starts = [day - timedelta(days=7 * number - 1) for number in range(weeks, 0, -1)]
    amount, on = _whole(_movement.c.quantity), _movement.c.on_day
    sums = [_plus(session, part, amount)]
    sums += [_plus(session, part, case((on >= start, amount), else_=0)) for start in starts[1:]]
    sold = (_movement.c.kind.in_(("sale", "return")), on >= starts[0], on <= day)
    # An outer join, so that SQLite goes from the products to their sales, and not through all movements there are.
    asked = select(_product.c.id, *sums).select_from(_product)
    asked = asked.outerjoin(_movement, and_(_movement.c.product_id == _product.c.id, *sold))
    asked = asked.where(*_mine(session, part)).having(sums[0].is_not(None))
    if zones:
        asked = asked.join(_workspace, _workspace.c.id == _product.c.workspace_id)
        asked = asked.where(_workspace.c.time_zone.in_(zones))
    return asked.group_by(_product.c.id)
