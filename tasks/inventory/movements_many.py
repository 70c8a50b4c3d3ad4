"""Many movements at a time, and an import's movements taken back: what imports write, at the speed of plain SQL.

The same rules as `tasks.inventory.movements`, which tells of them; only the statements are fewer.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, cast

from sqlalchemy import Table, bindparam, delete, insert, select, update
from sqlalchemy.orm import Session

from models.base import new_id, total
from models.session import touch
from models.statements import changed
from models.stock import KINDS, Movement, Product
from models.workspace import Workspace
from tasks.inventory.movements import COMES, REFUSE, SHORT, hold, plain, quantity

SOME = 500  # rows of one wave, and ids of one IN (…)
TAKEN = "{name} would be left with {there}, because some of it is gone by now. Record what came in, then undo again."
_product, _movement = cast(Table, Product.__table__), cast(Table, Movement.__table__)


@dataclass(frozen=True, slots=True)
class Row:
    """One movement to write: as `movements.record` takes it, with the product's id. Its place is not checked."""

    product_id: str
    kind: str
    amount: Decimal
    on: date
    location_id: str | None = None
    to_location_id: str | None = None
    unit_price: Decimal | None = None
    expires_on: date | None = None
    note: str = ""
    line_id: str | None = None
    intake_id: str | None = None
    fingerprint: str | None = None
    created_by: str | None = None


class Wrong(ValueError):
    """A row that cannot be written; nothing of its wave is."""

    def __init__(self, row: Row, message: str) -> None:
        super().__init__(message)
        self.row = row


@dataclass(slots=True)
class _Kept:
    """A product as its wave finds it."""

    workspace_id: str
    name: str
    location_id: str | None
    there: Decimal
    refuses: bool
    moved: Decimal = Decimal(0)


def record_many(session: Session, rows: Iterable[Row]) -> int:
    """Write movements in their order and move the quantities; gives how many rows it took. Wakes the watching jobs.

    Raises:
        Wrong: a row that cannot be, with a sentence; roll back then.
    """
    return sum(_write(session, wave) for wave in _waves(rows))


def undo(session: Session, intake_id: str) -> int:
    """Take back all movements of an import, and what reversed them; gives how many they were. Once is enough.

    Raises:
        ValueError: the workspace refuses negative stock, and something would be left below zero.
    """
    sums = select(Movement.product_id, total(Movement.quantity)).where(Movement.intake_id == intake_id)
    away = {one[0]: one[1] for one in session.execute(sums.group_by(Movement.product_id))}
    if not away:
        return 0
    for some in _parts(sorted(away)):
        kept = _products(session, some, held=False)
        for product_id, product in kept.items():
            product.moved = -away[product_id]
            if product.moved < 0 and product.there + product.moved < 0 and product.refuses:
                raise ValueError(TAKEN.format(name=product.name, there=plain(product.there + product.moved)))
        _update(session, kept)
        _touch(session, kept)
    gone = delete(Movement).where(Movement.intake_id == intake_id)
    return changed(session, gone.execution_options(synchronize_session=False))


def _waves(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Rows in parts. A count is reckoned from what was there before its part, so it begins a new one if need be."""
    wave: list[Row] = []
    moved: set[str] = set()
    for row in rows:
        if len(wave) == SOME or (row.kind == "count" and row.product_id in moved):
            yield wave
            wave, moved = [], set()
        wave.append(row)
        moved.add(row.product_id)
    if wave:
        yield wave


def _write(session: Session, wave: list[Row]) -> int:
    counts = [row for row in wave if row.kind == "count"]
    kept = _products(session, sorted({row.product_id for row in wave}), held=bool(counts))
    for row in wave:
        _check(row, kept)
    found = _present(session, counts, kept)
    values: list[dict[str, Any]] = []
    for row in wave:
        product = kept[row.product_id]
        for signed, place in _sides(row, product, found):
            product.moved += signed
            _enough(row, product, signed)
            values.append(_values(row, product, signed, place))
        if row.kind == "transfer":  # the two last share an id, and the line of the file is the first's
            values[-1] |= {"transfer_id": values[-2]["transfer_id"], "fingerprint": None}
    session.execute(insert(_movement), values)
    _update(session, kept)
    _touch(session, kept)
    return len(wave)


def _check(row: Row, kept: dict[str, _Kept]) -> None:
    try:
        quantity(row.amount, zero=row.kind == "count")
    except ValueError as error:
        raise Wrong(row, str(error)) from error
    if row.product_id not in kept:
        raise Wrong(row, "There is no such product.")
    if row.kind not in KINDS:
        raise Wrong(row, f"A movement is one of {', '.join(KINDS)}.")
    source = row.location_id or kept[row.product_id].location_id
    if row.kind == "transfer" and row.to_location_id in (None, source):
        raise Wrong(row, "Say where it goes: another location than the one it comes from.")


def _sides(row: Row, product: _Kept, found: dict[str, Decimal]) -> list[tuple[Decimal, str | None]]:
    """What a row adds where; a transfer does twice."""
    place = row.location_id or product.location_id
    if row.kind == "transfer":
        return [(-row.amount, place), (row.amount, row.to_location_id)]
    if row.kind == "count":
        return [(row.amount - found[row.product_id], place)]
    return [(row.amount if row.kind in COMES else -row.amount, place)]


def _enough(row: Row, product: _Kept, signed: Decimal) -> None:
    left = product.there + product.moved
    if signed < 0 and left < 0 and row.kind != "transfer" and product.refuses:
        there = left - signed
        are = "is" if there == 1 else "are"
        raise Wrong(row, SHORT.format(there=plain(there), name=product.name, are=are))


def _values(row: Row, product: _Kept, signed: Decimal, place: str | None) -> dict[str, Any]:
    return {
        "id": new_id(), "workspace_id": product.workspace_id, "product_id": row.product_id, "location_id": place,
        "kind": row.kind, "quantity": signed, "on_day": row.on,
        "counted": row.amount if row.kind == "count" else None, "unit_price": row.unit_price,
        "expires_on": row.expires_on, "note": row.note, "line_id": row.line_id, "intake_id": row.intake_id,
        "fingerprint": row.fingerprint, "created_by": row.created_by, "reverses_id": None,
        "transfer_id": new_id() if row.kind == "transfer" else None,
    }  # fmt: skip


def _products(session: Session, ids: Sequence[str], *, held: bool) -> dict[str, _Kept]:
    """The products. Where it matters what they are now, they are held until the commit, so that it stays true."""
    asked = select(
        Product.id, Product.workspace_id, Product.name, Product.location_id, Product.on_hand, Workspace.negative_stock
    ).join(Workspace, Workspace.id == Product.workspace_id)

    def read() -> dict[str, _Kept]:
        found = session.execute(asked.where(Product.id.in_(ids)))
        return {each[0]: _Kept(*each[1:5], refuses=each[5] == REFUSE) for each in found}

    kept = {} if held else read()
    if held or any(each.refuses for each in kept.values()):
        hold(session, ids)
        kept = read()
    return kept


def _present(session: Session, counts: list[Row], kept: dict[str, _Kept]) -> dict[str, Decimal]:
    """What was there of each counted product, at the end of its day and at its place, by product."""
    groups: dict[tuple[date, str | None], list[str]] = defaultdict(list)
    for row in counts:
        groups[row.on, row.location_id].append(row.product_id)
    found: dict[str, Decimal] = {}
    for (on, place), ids in groups.items():
        asked = select(Movement.product_id, total(Movement.quantity)).where(Movement.product_id.in_(ids))
        asked = asked.where(Movement.on > on if place is None else Movement.on <= on)
        asked = asked if place is None else asked.where(Movement.location_id == place)
        sums = {each[0]: each[1] for each in session.execute(asked.group_by(Movement.product_id))}
        for one in ids:
            found[one] = kept[one].there - sums.get(one, Decimal(0)) if place is None else sums.get(one, Decimal(0))
    return found


def _update(session: Session, kept: dict[str, _Kept]) -> None:
    by = [{"which": one, "by": product.moved} for one, product in kept.items() if product.moved]
    if by:
        moved = update(_product).where(_product.c.id == bindparam("which"))
        session.connection().execute(moved.values(on_hand=_product.c.on_hand + bindparam("by")), by)


def _touch(session: Session, kept: dict[str, _Kept]) -> None:
    """Statements past the ORM wake nobody by themselves, and products in the session must be read again."""
    for workspace_id in {product.workspace_id for product in kept.values()}:
        for table in (Product, Movement):
            touch(session, table, workspace_id)
    for each in session.identity_map.values():
        if isinstance(each, Product) and each.id in kept:
            session.expire(each, ["on_hand"])


def _parts(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), SOME):
        yield ids[start : start + SOME]
