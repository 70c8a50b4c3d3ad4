"""What is said of a product that runs out: the news in a line, why, and what to do."""

from dataclasses import dataclass
from decimal import Decimal

from tasks.stock.kinds import DYING, INTERMITTENT, LUMPY, NOTHING, REORDER, SHORT

HELD = "It is a little above its limit again. The alert ends when it is a tenth above, so that it does not ring twice."
LONGEST_NAME, LONGEST_SUPPLIER = 80, 50  # in a line of at most 200


@dataclass(frozen=True, slots=True)
class Line:
    """A product with all that is said of it; quantities are exact, the rate and the cover are not.

    Attributes:
        cover: days that what is on hand lasts; None: nothing is sold.
        cover_projected: the same with what is on order.
        order: what to order now, in whole packs; `packs` of `pack`.
        up_to: what it is ordered up to; `targeted`: because its owner said so.
        kind: how it sells, a class of demand.py.
    """

    workspace_id: str
    product_id: str
    sku: str
    name: str
    unit: str
    supplier_id: str | None
    supplier: str
    currency: str
    cost: Decimal | None
    on_hand: Decimal
    on_order: Decimal
    reorder_level: Decimal
    pack: Decimal
    order: Decimal
    packs: int
    up_to: Decimal
    targeted: bool
    daily: float
    cover: float | None
    cover_projected: float | None
    lead_days: int
    kind: int
    level: int
    fires: bool
    clear: bool
    discontinued: bool
    revision: int

    @property
    def projected(self) -> Decimal:
        return self.on_hand + self.on_order

    @property
    def total(self) -> Decimal | None:
        """What the order costs; None: nobody said what one costs."""
        return None if self.cost is None else self.cost * self.order


def plain(value: Decimal | float) -> str:
    """A quantity in a sentence: 12, not 12.0000; 1,200."""
    if value == (whole := int(value)):
        return f"{whole:,}"
    text = f"{round(Decimal(value), 4):,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def days(count: float) -> str:
    whole = int(count)
    return "less than a day" if whole < 1 else f"{whole} day{'' if whole == 1 else 's'}"


def clip(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def title(line: Line) -> str:
    """The news: “Chai: 4 left, 3 days of sales; order 24 from Exotic Liquids”."""
    return f"{clip(line.name, LONGEST_NAME)}: {_left(line)}{_ordered(line)}"


def _left(line: Line) -> str:
    coming = f" and {plain(line.on_order)} on order" if line.on_order > 0 else ""
    if line.on_hand < 0:
        return f"{plain(line.on_hand)} on hand{coming}, less than nothing: count it"
    if line.on_hand == 0:
        return f"nothing left{coming.replace(' and ', ', ', 1)}"
    left = f"{plain(line.on_hand)} left{coming}"
    if line.level == REORDER and line.cover_projected is None:
        return f"{left}, reorder at {plain(line.reorder_level)}"
    if line.cover_projected is not None and line.level >= REORDER:
        return f"{left}, {days(line.cover_projected)} of sales"
    return left


def _ordered(line: Line) -> str:
    if not line.fires or line.order <= 0:
        return ""
    whom = f" from {clip(line.supplier, LONGEST_SUPPLIER)}" if line.supplier else ""
    return f"; order {plain(line.order)}{whom}"


def text(line: Line) -> str:
    """Why it is said, and what to do about it."""
    return " ".join(each for each in (_why(line), _sells(line), _what_to_do(line)) if each)


def reason(line: Line) -> str:
    """Why alone, where what to do stands beside it."""
    return " ".join(each for each in (_why(line), _sells(line)) if each)


def _why(line: Line) -> str:
    if line.on_hand < 0:
        return "More went out than there was: something was not booked in, or was booked out twice."
    if line.level == NOTHING:
        return "Nothing is left." if line.fires else "Nothing is left, but enough is on order."
    if line.level == SHORT and line.cover_projected is not None:
        with_order = " together with what is on order" if line.on_order > 0 else ""
        return (
            f"What is there{with_order} lasts {days(line.cover_projected)} at the rate it sells; "
            f"an order takes {line.lead_days} days to come."
        )
    if line.level == REORDER:
        total = f" and on order, {plain(line.projected)} together," if line.on_order > 0 else ""
        return f"What is on hand{total} is down to its reorder level of {plain(line.reorder_level)}."
    return ""


def _sells(line: Line) -> str:
    if not line.daily:
        return "It was not sold in the last weeks." if line.level < NOTHING else ""
    how = {INTERMITTENT: ", now and then", LUMPY: ", now and then and unevenly", DYING: " and less and less"}
    return f"It sells {plain(round(line.daily * 7, 1))} a week{how.get(line.kind, '')}."


def _what_to_do(line: Line) -> str:
    if line.on_hand < 0:
        return "Count it and record the count."
    if not line.fires:
        return "Nothing is to be done until it comes." if line.level else ""
    if line.order <= 0:
        return "Its target is too low for its lead time: raise the target, and order."
    whom = f" from {line.supplier}" if line.supplier else ""
    packs = f" ({line.packs} packs of {plain(line.pack)})" if line.pack not in (0, 1) else ""
    return f"Order {plain(line.order)}{packs}{whom}, {_up_to(line)}."


def _up_to(line: Line) -> str:
    if line.targeted:
        return f"up to its target of {plain(line.up_to)}"
    if line.daily:
        return f"up to {plain(line.up_to)}, which lasts until the order after it has come"
    return f"up to {plain(line.up_to)}, twice its reorder level"


def end(line: Line) -> str:
    """The news when it is over."""
    name = clip(line.name, LONGEST_NAME)
    if line.discontinued:
        return f"{name} is discontinued: no more is ordered"
    coming = f" and {plain(line.on_order)} on order" if line.on_order > 0 else ""
    return f"{name}: {plain(line.on_hand)} on hand{coming}, enough again"


def holding(line: Line) -> str:
    """Of an open alert whose product is a little above its limit, so that it does not end yet."""
    return f"{clip(line.name, LONGEST_NAME)}: {_left(line)}, a little above its limit"
