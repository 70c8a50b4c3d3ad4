"""What cold and heat do to it, what one degree is worth, and whether use creeps up week by week."""

from typing import TYPE_CHECKING

import numpy as np

from tasks.energy.advice import words
from tasks.energy.advice.loads import tip
from tasks.energy.advice.told import Tip, Weather
from tasks.energy.advice.window import Window
from tasks.energy.forecasting.degrees import Degrees, fit

if TYPE_CHECKING:
    from tasks.energy.advice.window import Bools, Floats

LEAST_DAYS = 120
LEAST_RANGE = 8.0  # °C between the coldest and the warmest day
LEAST_R2 = 0.3
LEAST_FREE = 3  # days of a kind, about as warm, that tell it from the other
LEAST_WEEKS = 26
CERTAIN = 2.58  # standard deviations: a trend by chance is one in a hundred
NO_WEATHER = (
    "Nothing is known of the weather where this meter stands: name its place, and cold and heat can be reckoned with."
)


def response(window: Window) -> tuple[Degrees | None, str]:
    """How the window's days hang on temperature; or what is missing."""
    days = window.days
    if days.temperature is None:
        return None, NO_WEATHER
    known = days.measured & np.isfinite(days.temperature)
    if known.sum() < LEAST_DAYS or np.ptp(days.temperature[known]) < LEAST_RANGE:
        return None, (
            f"What the weather does needs {LEAST_DAYS} days with temperatures {LEAST_RANGE:.0f} °C apart; "
            f"{words.count(int(known.sum()), 'day')} are known."
        )
    return evened(np.where(known, days.kwh, np.nan), days.temperature, days.free)[0], ""


def evened(kwh: "Floats", temperature: "Floats", free: "Bools") -> tuple[Degrees, float]:
    """The change-point model of days whose weekends and holidays are put on the level of working days.

    A model without the kind of day takes what a Sunday uses less for scatter, and finds less certain what the weather
    does. Among days about as warm, the medians of both kinds tell how far they are apart.

    Args:
        kwh, temperature: [d], NaN where unknown.
        free: [d] weekends and public holidays.

    Returns:
        The model of a working day, and what a free day takes less, kWh.

    Raises:
        ValueError: there are too few days; the text is for people.
    """
    less = _apart(kwh, temperature, free)
    return fit(kwh + less * free, temperature), less


def _apart(kwh: "Floats", temperature: "Floats", free: "Bools") -> float:
    known = np.isfinite(kwh) & np.isfinite(temperature)
    if not known.any():
        return 0.0
    warmth = np.searchsorted(np.quantile(temperature[known], np.linspace(0, 1, 11)[1:-1]), temperature)
    apart, weight = [], []
    for group in range(10):
        work, rest = (kwh[known & (warmth == group) & (free == is_free)] for is_free in (False, True))
        if min(len(work), len(rest)) >= LEAST_FREE:
            apart.append(float(np.median(work) - np.median(rest)))
            weight.append(len(rest))
    return float(np.average(apart, weights=weight)) if apart else 0.0


def told(window: Window, found: Degrees) -> Weather | None:
    """The response in words and figures."""
    days = window.days
    if days.temperature is None:
        return None
    known = days.measured & np.isfinite(days.temperature)
    _base, heating, cooling = (part[known].sum() for part in found.parts(days.temperature))
    return Weather(
        kind=found.kind, heating=words.digits(found.heating), cooling=words.digits(found.cooling),
        heats_below=found.heats_below, cools_above=found.cools_above, r2=round(found.r2, 3), days=found.days,
        heating_kwh=words.digits(float(heating)), cooling_kwh=words.digits(float(cooling)),
        text=_text(window, found, float(heating), float(cooling)),
    )  # fmt: skip


def _text(window: Window, found: Degrees, heating: float, cooling: float) -> str:
    if found.r2 < LEAST_R2 or found.kind == "mean":
        return "The weather explains little of what is used."
    parts = []
    if found.heats_below is not None:
        parts.append(_slope(found.heating, "below", found.heats_below, heating, window))
    if found.cools_above is not None:
        parts.append(_slope(found.cooling, "above", found.cools_above, cooling, window))
    return f"{' '.join(parts)} The weather explains {words.percent(found.r2)} of what differs between days of a kind."


def _slope(slope: float, side: str, degrees: float, kwh: float, window: Window) -> str:
    return (
        f"Each degree {side} {degrees:g} °C takes {words.energy(slope)} more a day: {words.energy(kwh)} in "
        f"{words.count(int(window.days.measured.sum()), 'day')}."
    )


def one_degree(window: Window, found: Degrees) -> list[Tip]:
    """What heating one degree less, and cooling one degree less, would save."""
    temperature = window.days.temperature
    if temperature is None or found.r2 < LEAST_R2 or window.fed > 0.01 * window.total:
        return []
    known = np.where(window.days.measured & np.isfinite(temperature), temperature, np.nan)
    tips = []
    if found.heats_below is not None:
        tips.append(_degree(window, found, "heating", found.heating, found.heats_below - known))
    if found.cools_above is not None:
        tips.append(_degree(window, found, "cooling", found.cooling, known - found.cools_above))
    return tips


def _degree(window: Window, found: Degrees, kind: str, slope: float, off: "Floats") -> Tip:
    """One degree moves the temperature at which heating (cooling) begins by one: each such day takes the slope less."""
    degrees = np.nan_to_num(np.clip(off, 0.0, 1.0))
    day = np.minimum(slope * degrees, window.days.kwh.clip(0.0))
    many = int((degrees > 0).sum())
    where = f"below {found.heats_below:g}" if kind == "heating" else f"above {found.cools_above:g}"
    how = (
        f"{words.energy(slope)} for each degree and day, on {words.count(many, 'day')} {where} °C (a day less than a "
        f"degree off counts in part). Fitted on {words.count(found.days, 'day')}: {window.since}."
    )
    title = "Heat to one degree less" if kind == "heating" else "Cool to one degree more"
    sure = f"{'Good' if found.r2 >= 0.6 else 'Fair'}: the weather explains {words.percent(found.r2)} of it."
    return tip(window, kind, title, float(day.sum()), window.by_day(day), how, sure)


def rising(window: Window, found: Degrees) -> list[Tip]:
    """Whether weekly use rises though the weather is taken out: Theil-Sen's slope, by Mann's test of chance."""
    temperature = window.days.temperature
    if temperature is None or window.fed > 0.01 * window.total:
        return []
    known = np.where(window.days.measured, window.days.kwh, np.nan)
    even = known + _apart(known, temperature, window.days.free) * window.days.free
    off = even - found.expected(temperature)
    weeks = np.array([np.nan if np.isnan(week).sum() > 2 else np.nanmean(week) * 7 for week in _weeks(off)])
    at = np.flatnonzero(np.isfinite(weeks))
    if len(at) < LEAST_WEEKS:
        return []
    i, j = np.triu_indices(len(at), 1)
    slope = float(np.median((weeks[at[j]] - weeks[at[i]]) / (at[j] - at[i])))
    if slope <= 0 or _chance(weeks[at], slope * at.astype(np.float64)) < CERTAIN:
        return []
    more = slope * (at[-1] - at[0])
    less = window.by_day(np.clip(slope / 7 * (np.arange(len(off)) / 7), 0.0, None))
    how = (
        f"Weeks with the weather taken out rose by {words.energy(slope)} from each to the next (the median slope "
        f"between all {len(at)} weeks): {words.energy(float(more))} a week by now. Counted is all above the "
        f"level of the first week. {window.about}"
    )
    title = f"Use creeps up: {words.energy(float(more))} more in a week than at the beginning, weather aside"
    return [tip(window, "rising", title, float(less.sum()), less, how, "Good: by chance one in a hundred rises so.")]


def _weeks(off: "Floats") -> "list[Floats]":
    """Whole weeks, the last ending with the last day."""
    first = len(off) % 7
    return [off[at : at + 7] for at in range(first, len(off), 7)]


def _chance(values: "Floats", trend: "Floats") -> float:
    """Mann and Kendall's statistic in standard deviations.

    Weeks that are like the one before count for fewer: the variance is widened by the memory of what is left without
    the trend (Hamed and Rao 1998, with the first lag alone).
    """
    n = len(values)
    i, j = np.triu_indices(n, 1)
    score = float(np.sign(values[j] - values[i]).sum())
    off = values - trend - np.median(values - trend)
    memory = max(0.0, float(off[1:] @ off[:-1]) / max(float(off @ off), 1e-12))
    spread = np.sqrt(n * (n - 1) * (2 * n + 5) / 18 * (1 + memory) / (1 - min(memory, 0.95)))
    return float(score / spread)
