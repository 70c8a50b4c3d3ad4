"""How a budget stands: what is spent of what may go, how far the period is, and where it will likely end.

The forecast, in words. What comes by itself (rent, a subscription) is known: what of it has come is no habit and is
not multiplied, and what is still due until the period's end is added as it is. All the rest is taken as purchases that
come by chance, as often and as large as those so far: the days that are left bring `rest / days gone` each. The range
is that of such a process: its variance is that of the purchases still to come and of the rate, which so few of them
taught us. One large purchase therefore makes the range wide and does not cry wolf, while many small ones make it
narrow. Four ends in five lie inside of the range. It is said to exceed the limit when four ends in five do; and only
with evidence: a third of the period gone, and half of the limit used.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from math import sqrt

from tasks.budget.periods import Window

ZERO, CENT = Decimal(0), Decimal("0.01")
INSIDE, LIKELY = 1.28, 0.84  # standard deviations: four in five lie within ±1.28, and above -0.84
EVIDENCE_GONE, EVIDENCE_USED = 3, 50  # a third of the period, half of the limit
MARGIN = 5  # percentage points below a level before it counts as left
PENDING, FORECAST, WARNED, OVER = 50, 70, 80, 100


@dataclass(frozen=True, slots=True)
class Spending:
    """What the entries say; spending is above zero.

    Attributes:
        now: in the period. regular: of it, what came by itself.
        squares: the sum of the squares of the other entries, for the range.
        before: in the earlier periods that a roll-over reckons with.
        due: what comes by itself until the period's end.
    """

    now: Decimal = ZERO
    regular: Decimal = ZERO
    squares: float = 0.0
    before: Decimal = ZERO
    due: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Forecast:
    """Where the period likely ends: about `end`, four times in five from `low` to `high`."""

    end: Decimal
    low: Decimal
    high: Decimal
    floor: Decimal  # four ends in five are above it


@dataclass(frozen=True)
class Standing:
    """A budget in its period, of one day.

    Attributes:
        limit: what may go in this period, with what rolled over (`carried`).
    """

    window: Window
    today: date
    limit: Decimal
    carried: Decimal
    spending: Spending

    @property
    def spent(self) -> Decimal:
        return self.spending.now

    @cached_property
    def forecast(self) -> Forecast | None:
        """Reckoned when it is asked for: a scan needs it of few."""
        return foresee(self.window, self.today, self.spending)

    @property
    def left(self) -> Decimal:
        return self.limit - self.spent

    @cached_property
    def days_gone(self) -> int:
        return self.window.gone(self.today)

    @property
    def days_left(self) -> int:
        return self.window.days - self.days_gone

    @property
    def share(self) -> int | None:
        """Per cent of the limit, rounded down: 99.9 is not yet all. None where nothing may go."""
        return max(int(self.spent * 100 // self.limit), 0) if self.limit > 0 else None

    @property
    def even(self) -> int:
        """Per cent of the limit that an even pace would have used by tonight."""
        return self.days_gone * 100 // self.window.days

    @property
    def a_day(self) -> Decimal | None:
        """What may go each day that is left; None on the last day, and when nothing is left."""
        if self.days_left == 0 or self.left <= 0:
            return None
        return (self.left / self.days_left).quantize(CENT)

    @property
    def exceeds(self) -> bool:
        """Whether it will likely be overspent."""
        return self._forecast_above(EVIDENCE_USED, 100)

    @cached_property
    def level(self) -> int:
        """Of 100, 80, 70 (forecast), 50 and 0 the first that holds. Where nothing may go, any spending is over it."""
        if self.limit <= 0:
            return OVER if self.spent > self.limit else 0
        if self.reaches(OVER):
            return OVER
        if self.reaches(WARNED):
            return WARNED
        if not self.reaches(PENDING):
            return 0
        return FORECAST if self.exceeds else PENDING

    @property
    def clear(self) -> bool:
        """Whether what was warned of is over: below 80 % by the margin, and no forecast that comes near the limit."""
        if self.limit <= 0:
            return self.spent <= self.limit
        if self.reaches(WARNED - MARGIN):
            return False
        return not self._forecast_above(EVIDENCE_USED - MARGIN, 100 - MARGIN)

    def reaches(self, percent: int) -> bool:
        return self.spent * 100 >= self.limit * percent

    def _forecast_above(self, used: int, percent: int) -> bool:
        if self.limit <= 0 or not self.reaches(used):
            return False
        seen = self.forecast
        return seen is not None and seen.floor * 100 > self.limit * percent


def reckon(window: Window, today: date, limit: Decimal, carried: Decimal, spent: Spending) -> Standing:
    """How a budget stands."""
    return Standing(window, today, limit + carried, carried, spent)


def foresee(window: Window, today: date, spent: Spending) -> Forecast | None:
    """Where the period ends. None before a third of it is gone: too little is known to say."""
    gone = window.gone(today)
    if gone * EVIDENCE_GONE < window.days:
        return None
    left = window.days - gone
    ratio = left / gone
    rest = max(spent.now - spent.regular, ZERO)
    middle = spent.now + spent.due + (rest * left / gone).quantize(CENT)
    deviation = sqrt(spent.squares * ratio * (1 + ratio)) if rest else 0.0
    least = spent.now + min(spent.due, ZERO)  # what is spent stays spent
    low, high = middle - _decimal(INSIDE * deviation), middle + _decimal(INSIDE * deviation)
    floor = middle - _decimal(LIKELY * deviation)
    return Forecast(middle, max(low, least), high, max(floor, least))


def _decimal(amount: float) -> Decimal:
    return Decimal(round(amount * 100)) / 100
