"""The few numbers that pictures are drawn from: load, heat map, duration curve and scatter over the weather."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from tasks.energy.forecasting.calendar import local_parts
from tasks.energy.series import DAY, HOUR
from tasks.metering.usage import Usage

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tasks.energy.forecasting.degrees import Degrees

    Floats = NDArray[np.float64]

LOAD_HOURS, LOAD_DAYS, LOAD_MONTHS = 14 * 24, 120, 48
HEAT_DAYS = 42
CURVE_DAYS = 366
SCATTER_DAYS = 366
LINE_POINTS = 25
LEAST_TAKEN = 6  # temperatures of a day
DIGITS = 4  # that count


@dataclass(frozen=True, slots=True)
class Load:
    """What was used lately.

    Attributes:
        times: [n] epoch seconds.
        values: [n] energy of each step; None where nothing was measured.
    """

    times: list[int]
    values: list[float | None]


@dataclass(frozen=True, slots=True)
class Heat:
    """Energy by hour and day.

    Attributes:
        days: [d] local dates, ISO.
        values: [d][24] energy of each local hour; None where nothing was measured, and in the hour that a day lacks.
    """

    days: list[str]
    values: list[list[float | None]]


@dataclass(frozen=True, slots=True)
class Curve:
    """Load duration: the load that was reached or passed for a share of the time, kW at 0, 1, … 100 %."""

    loads: list[float]
    since: int


@dataclass(frozen=True, slots=True)
class Scatter:
    """Days over their mean temperature.

    Attributes:
        days: [n] local dates, ISO.
        degrees, values: [n] mean degrees Celsius and energy of each.
        line: [(degrees, energy)] of the fitted line, "" of `words` where there is none.
        words: what the line says, for people.
    """

    days: list[str]
    degrees: list[float]
    values: list[float]
    line: list[tuple[float, float]]
    words: str


def short(value: float) -> float:
    """A number with as many digits as a picture shows."""
    return float(f"{value:.{DIGITS}g}")


def load(usage: Usage, scale: float) -> Load:
    """The last stretch of a meter's usage, as long as its steps can be told apart in a picture.

    Args:
        scale: shown units in a kWh.
    """
    most = LOAD_HOURS * HOUR // usage.step if usage.step < DAY else LOAD_DAYS if usage.step == DAY else LOAD_MONTHS
    some = slice(-most, None)
    values = [
        None if gap else short(value * scale)
        for value, gap in zip(usage.kwh[some].tolist(), usage.filled[some].tolist(), strict=True)
    ]
    return Load(usage.times[some].tolist(), values)


def heat(hours: Usage, scale: float) -> Heat | None:
    """The last weeks by hour and day; None for less than two days.

    Args:
        hours: by the hour.
    """
    import numpy as np

    some = slice(-(HEAT_DAYS * 24), None)
    days, clock, _ = local_parts(hours.times[some], hours.zone)
    first = int(days[0]) + (1 if clock[0] >= 1 else 0)  # a day of which a part is missing at the start is left out
    count = int(days[-1]) - first + 1
    if count < 2:
        return None
    table = np.full((count, 24), np.nan)
    inside = (days >= first) & ~hours.filled[some]
    at = (days[inside] - first, clock[inside].astype(int))
    table[at] = 0.0
    np.add.at(table, at, hours.kwh[some][inside] * scale)  # the hour that comes twice in autumn holds both
    named = [date.fromordinal(first + number).isoformat() for number in range(count)]
    return Heat(named, [[None if np.isnan(value) else short(value) for value in row] for row in table.tolist()])


def curve(usage: Usage) -> Curve | None:
    """Load duration of the last year; None where there are too few steps."""
    import numpy as np

    start = int(usage.times[-1]) - CURVE_DAYS * DAY
    kept = (usage.times >= start) & ~usage.filled
    if kept.sum() < 48:
        return None
    loads = usage.kwh[kept] * (HOUR / usage.step)
    shares = np.quantile(loads, np.linspace(1, 0, 101))
    return Curve([short(value) for value in shares.tolist()], int(usage.times[kept][0]))


def daily(times: "NDArray[np.int64]", degrees: "Floats", days: Usage) -> "Floats":
    """Mean temperature of each day: [days]; NaN where less than six were taken.

    Args:
        times, degrees: [n] epoch seconds, rising, and degrees Celsius.
        days: by the day.
    """
    import numpy as np

    end = int(days.times[-1]) + 25 * HOUR
    known = np.isfinite(degrees) & (times >= days.times[0]) & (times < end)
    at = np.searchsorted(days.times, times[known], side="right") - 1
    sums = np.bincount(at, degrees[known], len(days.times))
    counts = np.bincount(at, None, len(days.times))
    return np.where(counts >= LEAST_TAKEN, sums / np.maximum(counts, 1), np.nan)


def scatter(days: Usage, degrees: "Floats", scale: float) -> Scatter | None:
    """The last year's days over their temperature, with the change-point line; None where neither is known enough.

    Args:
        days: by the day.
        degrees: [days] mean temperature, NaN where unknown.
    """
    import numpy as np

    from tasks.energy.forecasting import degrees as models

    some = slice(-SCATTER_DAYS, None)
    energy = np.where(days.filled[some], np.nan, days.kwh[some])
    both = np.isfinite(energy) & np.isfinite(degrees[some])
    try:
        found = models.fit(energy, degrees[some])
    except ValueError:
        return None
    shown = degrees[some][both]
    at = np.linspace(float(shown.min()), float(shown.max()), LINE_POINTS)
    return Scatter(
        [date_of(each, days.zone) for each in days.times[some][both].tolist()],
        [round(each, 1) for each in shown.tolist()],
        [short(each * scale) for each in energy[both].tolist()],
        [(round(x, 1), short(y * scale)) for x, y in zip(at.tolist(), found.expected(at).tolist(), strict=True)],
        _said(found),
    )


def _said(found: "Degrees") -> str:
    said = []
    if found.heats_below is not None:
        said.append(f"{found.heating:.3g} kWh more a day for each degree below {found.heats_below:.0f} °C")
    if found.cools_above is not None:
        said.append(f"{found.cooling:.3g} kWh more a day for each degree above {found.cools_above:.0f} °C")
    if not said:
        return "The weather explains nothing of the use here."
    return f"{' and '.join(said)}; that explains {found.r2:.0%} of the differences between days."


def date_of(at: int, zone: str) -> str:
    return datetime.fromtimestamp(at, ZoneInfo(zone)).date().isoformat()
