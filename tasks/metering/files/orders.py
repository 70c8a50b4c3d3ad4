"""Whether the day or the month comes first, told from all days of a file; asked for where they do not tell."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from tasks.metering.files import stamps
from tasks.tabular import days

MOST = 50_000  # different days; a file of meters has some thousands


@dataclass(frozen=True, slots=True)
class Order:
    """The order; whether nothing tells it (`open`); and by what it was told."""

    order: str
    open: bool = False
    why: str = ""


def fits(text: str) -> frozenset[str]:
    """The orders in which this is a day."""
    if stamps.YEAR_FIRST.fullmatch(text.strip()):
        return frozenset({"ymd"})
    return frozenset(order for order in days.ORDERS if stamps.day_of(text, order) is not None)


def order_of(texts: Iterable[str]) -> Order:
    """Read days until one fits a single order alone; where none does, see which order makes them follow one another."""
    seen: dict[str, frozenset[str]] = {}
    votes = dict.fromkeys(days.ORDERS, 0)
    for text in texts:
        if not text or text in seen:
            continue
        seen[text] = found = fits(text)
        if len(found) == 1:
            votes[next(iter(found))] += 1
            if sum(votes.values()) >= 3:
                break
        if len(seen) > MOST:
            break
    if any(votes.values()):
        best = max(votes, key=votes.__getitem__)
        return Order(best, why="days above 12 tell which number is the day")
    return _by_sequence([text for text, found in seen.items() if found])


def _by_sequence(texts: list[str]) -> Order:
    orders = [order for order in days.ORDERS if texts and all(order in fits(text) for text in texts)]
    if len(orders) < 2:
        return Order(orders[0] if orders else "ymd")
    if {stamps.day_of(text, order) for text in texts[:50] for order in orders} == {
        stamps.day_of(text, orders[0]) for text in texts[:50]
    } and all(len({stamps.day_of(text, order) for order in orders}) == 1 for text in texts):
        return Order(orders[0])  # 31 Jan 2024: all orders read the same day
    even = [order for order in orders if len(texts) > 1 and _follow([stamps.day_of(text, order) for text in texts])]
    if len(even) == 1:
        return Order(even[0], why="only so do its days follow one another")
    return Order("dmy" if "dmy" in orders else orders[0], open=True)


def _follow(found: list[int | None]) -> bool:
    steps = {after - before for before, after in pairwise(found) if before and after}
    return steps in ({1}, {-1})
