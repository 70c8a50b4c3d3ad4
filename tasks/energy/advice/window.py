"""The time that advice is about: the last whole year of local days, or what there is of it."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from tasks.energy.advice import words
from tasks.energy.forecasting.calendar import local_parts
from tasks.energy.series import DAY, HOUR
from tasks.metering.costs import Cost, cost
from tasks.metering.regular import to_days, to_hours
from tasks.metering.tariffs import TariffFacts
from tasks.metering.usage import Usage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]

YEAR, LEAST_YEAR = 365, 364  # days; 52 whole weeks are a year: local days cut at both ends leave one out
WHOLE = 0.9  # of a year's days must be measured for figures of a year
SATURDAY = 5
_EPOCH = date(1970, 1, 1).toordinal()


@dataclass(frozen=True)
class Days:
    """All whole local days that are known.

    Attributes:
        ordinals: [d] date ordinals, rising by one.
        kwh: [d] energy.
        measured: [d] bool, at least nine tenths of the day.
        free: [d] bool, weekends and public holidays.
        temperature: [d] mean °C, NaN where unknown; None: nowhere known.
    """

    ordinals: "Ints"
    kwh: "Floats"
    measured: "Bools"
    free: "Bools"
    temperature: "Floats | None"


@dataclass(frozen=True)
class Window:
    """The steps of the last 365 whole days (or fewer), and the days themselves.

    Attributes:
        usage: its steps, at most a day long.
        ordinal, hour, free: [n] each step's local day, hour (0..24) and whether it is a weekend or public holiday.
        days: the window's own days.
        every: all days that are known, those before the window too.
        tariff: what the meter pays now.
    """

    usage: Usage
    ordinal: "Ints"
    hour: "Floats"
    free: "Bools"
    days: Days
    every: Days
    holidays: frozenset[date]
    tariff: TariffFacts | None
    costs: dict[str, Cost] = field(default_factory=dict)

    @property
    def whole_year(self) -> bool:
        return len(self.days.kwh) >= LEAST_YEAR and bool(self.days.measured.mean() >= WHOLE)

    @property
    def per(self) -> str:
        return "a year" if self.whole_year else words.count(len(self.days.kwh), "day")

    @cached_property
    def used(self) -> "Floats":
        """[n] kWh from zero up: without what was fed in."""
        return np.maximum(self.usage.kwh, 0.0)

    @cached_property
    def total(self) -> float:
        return float(self.used.sum())

    @cached_property
    def fed(self) -> float:
        return float(np.maximum(-self.usage.kwh, 0.0).sum())

    @cached_property
    def hours(self) -> "Window | None":
        """The same in hours; None where steps are longer."""
        if self.usage.step > HOUR:
            return None
        return self if self.usage.step == HOUR else _cut(to_hours(self.usage), self)

    @property
    def since(self) -> str:
        """ "all 365 days from 1 January 2014 to 31 December 2014"."""
        first, last = (date.fromordinal(int(self.days.ordinals[at])) for at in (0, -1))
        measured, count = int(self.days.measured.sum()), len(self.days.kwh)
        many = f"all {count} days" if measured == count else f"the {measured} measured of {count} days"
        return f"{many} from {words.days(first, last)}"

    @property
    def about(self) -> str:
        """The same as a sentence."""
        return f"{self.since[:1].upper()}{self.since[1:]}."

    def cost(self, tariff: TariffFacts, kwh: "Floats | None" = None) -> Cost:
        """What the window's energy costs, or what another amount in the same steps would.

        Raises:
            ValueError: this tariff cannot be reckoned with these steps; the text is for people.
        """
        usage = self.usage
        if kwh is not None:
            return cost(tariff.rates, usage.times, kwh, usage.step, usage.zone, self.holidays)
        if tariff.id not in self.costs:
            found = cost(tariff.rates, usage.times, usage.kwh, usage.step, usage.zone, self.holidays)
            self.costs[tariff.id] = found
        return self.costs[tariff.id]

    def saved(self, less: "Floats") -> Decimal | None:
        """What using `less` [n] kWh in each step would save under the current tariff; None where that is not known.

        Reckoned twice, with and without, so that blocks and times of use count as they would. No step goes below zero.
        """
        if self.tariff is None:
            return None
        rest = np.where(self.usage.kwh > 0, np.maximum(self.usage.kwh - less, 0.0), self.usage.kwh)
        try:
            return self.cost(self.tariff).total - self.cost(self.tariff, rest).total
        except ValueError:
            return None

    def by_day(self, kwh: "Floats") -> "Floats":
        """[n] each step's share of its day's saving [d], in proportion to what it used."""
        where = self.ordinal - self.days.ordinals[0]
        of_day = np.bincount(where, self.used, len(self.days.kwh))
        share = np.divide(self.used, of_day[where], out=np.zeros(len(where)), where=of_day[where] > 0)
        return np.asarray(share * kwh[where])


def days_of(usage: Usage, temperature: "Floats | None", holidays: frozenset[date]) -> Days:
    """The whole local days of a usage whose steps are at most a day.

    Args:
        temperature: [n] °C of each step, NaN where unknown.
    """
    found = to_days(usage)
    ordinals, _, weekday = local_parts(found.times, usage.zone)
    free = _free(ordinals, weekday, holidays)
    return Days(ordinals, found.kwh, ~found.filled, free, _daily(usage, temperature, ordinals))


def _free(ordinals: "Ints", weekday: "Ints", holidays: frozenset[date]) -> "Bools":
    return (weekday >= SATURDAY) | np.isin(ordinals, [each.toordinal() for each in holidays])


def _daily(usage: Usage, temperature: "Floats | None", ordinals: "Ints") -> "Floats | None":
    """[d] mean of each day of which three quarters are known."""
    if temperature is None or not len(ordinals) or not np.isfinite(temperature).any():
        return None
    where, _, _ = local_parts(usage.times, usage.zone)
    where, size = where - ordinals[0], len(ordinals)
    inside, known = (where >= 0) & (where < size), np.isfinite(temperature)
    steps = np.bincount(where[inside], minlength=size)
    there = np.bincount(where[inside & known], minlength=size)
    sums = np.bincount(where[inside & known], temperature[inside & known], size)
    return np.where(there >= 0.75 * np.maximum(steps, 1), sums / np.maximum(there, 1), np.nan)


def months_of(ordinals: "Ints") -> "Ints":
    """[n] months 1..12 of date ordinals."""
    days = (ordinals - _EPOCH).astype("datetime64[D]")
    return np.asarray(days.astype("datetime64[M]").astype(np.int64) % 12 + 1)


def window_of(
    usage: Usage, every: Days, holidays: frozenset[date], tariff: TariffFacts | None, longest: int = YEAR
) -> Window:
    """The last `longest` days, from the first to the last that were measured."""
    there = np.flatnonzero(every.measured)
    last = int(there[-1]) + 1
    first = max(int(there[0]), last - longest)
    days = Days(
        every.ordinals[first:last],
        every.kwh[first:last],
        every.measured[first:last],
        every.free[first:last],
        None if every.temperature is None else every.temperature[first:last],
    )
    ordinal, hour, weekday = local_parts(usage.times, usage.zone)
    keep = (ordinal >= days.ordinals[0]) & (ordinal <= days.ordinals[-1])
    free = _free(ordinal, weekday, holidays)
    kept = Usage(usage.times[keep], usage.kwh[keep], usage.filled[keep], usage.step, usage.zone)
    return Window(kept, ordinal[keep], hour[keep], free[keep], days, every, holidays, tariff)


def _cut(usage: Usage, whole: Window) -> Window:
    ordinal, hour, weekday = local_parts(usage.times, usage.zone)
    free = _free(ordinal, weekday, whole.holidays)
    return Window(usage, ordinal, hour, free, whole.days, whole.every, whole.holidays, whole.tariff)


__all__ = ["DAY", "HOUR", "Days", "Window", "days_of", "window_of"]
