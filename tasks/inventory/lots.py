"""Which lots are still there: what came in with an expiry date and, first expired first out, was not yet taken.

Movements say what came in (with the lot's date, if it has one) and what went, not from which lot. As shops and kitchens
do it, whatever goes is taken from the lot that expires first of those that lie there on that day; what has no date
goes last. So a lot that came after a sale cannot have been sold by it, which a sum alone would get wrong. Pure.
"""

import heapq
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

NEVER = date.max  # sorts what has no date behind what has one
NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class Step:
    """A movement of one product: above zero it came in. Leave transfers out: they move a lot and do not spend it.

    A step below zero with a date is taken from that lot first: somebody wrote that lot off.
    """

    on: date
    quantity: Decimal
    expires_on: date | None = None


@dataclass(frozen=True, slots=True)
class Lot:
    """What is left of what expires on one day (None: never)."""

    expires_on: date | None
    quantity: Decimal

    def expired(self, today: date) -> bool:
        """Its day is past; on the day itself it is still good."""
        return self.expires_on is not None and self.expires_on < today


class _Shelf:
    """Quantities by the day they expire, and the nearest of these days."""

    def __init__(self) -> None:
        self.left: dict[date, Decimal] = {}
        self._days: list[date] = []
        self._owed = NOTHING  # went out before it was booked in

    def put(self, quantity: Decimal, day: date) -> None:
        paid = min(quantity, self._owed)
        self._owed -= paid
        if quantity - paid:
            if day not in self.left:
                heapq.heappush(self._days, day)
            self.left[day] = self.left.get(day, NOTHING) + quantity - paid

    def take(self, quantity: Decimal, day: date | None) -> None:
        if day is not None and day in self.left:
            quantity -= self._take_from(day, quantity)
        while quantity and self._days:
            first = self._days[0]
            quantity -= self._take_from(first, quantity)
            if first not in self.left:
                heapq.heappop(self._days)
        self._owed += quantity

    def _take_from(self, day: date, quantity: Decimal) -> Decimal:
        taken = min(quantity, self.left.get(day, NOTHING))
        if day in self.left and self.left[day] == taken:
            del self.left[day]
        elif taken:
            self.left[day] -= taken
        return taken


def left(steps: Iterable[Step]) -> list[Lot]:
    """The lots of one product that are left, the one that expires first before the others."""
    shelf = _Shelf()
    for step in sorted(steps, key=lambda one: (one.on, one.quantity < 0)):  # a day's deliveries before its sales
        if step.quantity > 0:
            shelf.put(step.quantity, step.expires_on or NEVER)
        elif step.quantity < 0:
            shelf.take(-step.quantity, step.expires_on)
    return [Lot(None if day == NEVER else day, shelf.left[day]) for day in sorted(shelf.left)]


def expiring(lots: Iterable[Lot], today: date, within: int) -> list[Lot]:
    """Those that are expired, or will be in `within` days."""
    last = today + timedelta(days=within)
    return [lot for lot in lots if lot.expires_on is not None and lot.expires_on <= last]
