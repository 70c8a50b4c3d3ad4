"""A meter's usage in all lengths of steps that its readings allow, with its holidays and its weather. Pure."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

from tasks.energy.forecasting.calendar import local_parts, public_holidays
from tasks.energy.horizons import Word
from tasks.energy.material import Material
from tasks.energy.points import daily
from tasks.energy.series import DAY, HOUR
from tasks.metering.regular import to_days, to_hours, to_months
from tasks.metering.usage import Usage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

LATELY = 7  # days


@dataclass(frozen=True, slots=True)
class Parts:
    """A meter's usage in all lengths of steps that its readings allow."""

    usage: Usage
    hours: Usage | None
    days: Usage | None
    months: Usage | None
    holidays: frozenset[date]
    material: Material

    @classmethod
    def of(cls, usage: Usage, material: Material) -> "Parts":
        """Raises nothing of its own: what the readings are too few or too coarse for is None."""
        hours = _some(to_hours(usage)) if usage.step <= HOUR else None
        days = _some(to_days(usage)) if usage.step <= DAY else None
        return cls(usage, hours, days, _some(to_months(usage)), _holidays(usage, material), material)

    def by(self, word: Word) -> Usage | None:
        """The usage in steps of a horizon, from the first to the last that was measured."""
        usage = {"hour": self.hours, "day": self.days, "month": self.months}[word]
        return None if usage is None else _trimmed(usage)

    def degrees(self, times: "NDArray[np.int64]") -> "Floats | None":
        """Degrees Celsius at these times, NaN where unknown; None where nothing is known of the weather."""
        weather = self.material.temperature
        if weather is None or not len(weather.times):
            return None
        found = weather.at(times)
        return found if np.isfinite(found).any() else None

    def daily_degrees(self) -> "Floats | None":
        """Mean temperature of each of `days`."""
        weather = self.material.temperature
        if self.days is None or weather is None or not len(weather.times):
            return None
        return daily(weather.times, weather.degrees, self.days)

    def known_until(self, today: int) -> int:
        """The day after the last one that was measured whole (an ordinal), where that is lately; else `today`."""
        if self.days is None or self.days.filled.all():
            return today
        ordinals, _, _ = local_parts(self.days.times[~self.days.filled], self.days.zone)
        return min(today, int(ordinals[-1]) + 1) if int(ordinals[-1]) >= today - LATELY else today

    def days_back(self, today: int, back: int, many: int) -> float | None:
        """kWh of `many` local days from `back` days before one (an ordinal) on; None when one was not measured."""
        if self.days is None:
            return None
        ordinals, _, _ = local_parts(self.days.times, self.days.zone)
        wanted = (ordinals >= today - back) & (ordinals < today - back + many) & ~self.days.filled
        return round(float(self.days.kwh[wanted].sum()), 3) if int(wanted.sum()) == many else None


def _holidays(usage: Usage, material: Material) -> frozenset[date]:
    if not material.holidays:
        return frozenset()
    country, _, region = material.holidays.partition("-")
    zone = ZoneInfo(material.zone)
    first, last = (datetime.fromtimestamp(int(at), zone).year for at in usage.times[[0, -1]])
    try:
        return public_holidays(country, region, tuple(range(first, last + 4)))
    except ValueError:
        return frozenset()


def _some(usage: Usage) -> Usage | None:
    return usage if len(usage.times) else None


def _trimmed(usage: Usage) -> Usage | None:
    known = np.flatnonzero(~usage.filled)
    if not len(known):
        return None
    kept = slice(int(known[0]), int(known[-1]) + 1)
    return Usage(usage.times[kept], usage.kwh[kept], usage.filled[kept], usage.step, usage.zone)
