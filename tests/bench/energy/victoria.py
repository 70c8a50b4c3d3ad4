"""Victoria by the hour, a day ahead from every midnight of 2014, each time with what was known then.

The design was chosen on the midnights of 2013. `mape` is the engine's strictly usable forecast: it chooses among all
candidates, from loads and temperatures up to midnight, nothing after. A perfect weather forecast is an upper bound, and
a simulated one no forecast of anybody's.
"""

import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np

from tasks.energy.forecasting import engine, regression
from tasks.energy.forecasting.candidate import Candidate, Deadline, Forecast
from tasks.energy.foretell import PAST
from tasks.energy.series import HOUR, Series
from tests.victoria import ABSENT, DAY_AHEAD, FILE, Victoria, Weather, mape, victoria

Forecasts = dict[int, "np.ndarray[Any, np.dtype[np.float64]]"]

YEAR, FIRST, EVERY = 2014, 3, 6  # the anchors' 60 origins: each sixth midnight from the fourth on
NAIVE_24, NAIVE_168 = 8.30, 8.12  # of those 60, as energy.md has them
ANCHOR = 5.46  # regression with AR residuals, degrees, yesterday's temperature
AIM = 5.0
WEATHERS: tuple[Weather, ...] = ("usable", "none", "simulated", "actual")
NAMES = {
    "usable": "measured up to midnight",
    "none": "no weather at all",
    "simulated": "a simulated forecast, wrong by 1.5 °C",
    "actual": "a perfect forecast: an upper bound",
}


def measure(quick: bool) -> dict[str, Any]:
    """All 365 midnights; the anchors' 60 when it shall be quick, and fifteen of them for the engine."""
    if not FILE.is_file():
        raise SystemExit(f"bench-energy {ABSENT}.")
    data = victoria()
    every = data.midnights(YEAR)
    sixty = every[FIRST::EVERY][:60]
    check = self_check(data, sixty)
    asked = sixty if quick else every
    found: dict[str, Any] = {"self_check": check, "origins": len(asked), "naive": naive(data, asked), "models": {}}
    for candidate in regression.CANDIDATES:
        some = asked if candidate is regression.CANDIDATES[0] else sixty  # the dearer ones are no better
        found["models"][candidate.name] = {each: told(data, candidate, some, sixty, each) for each in WEATHERS}
    return found | shipped(data, sixty[::4] if quick else every, sixty)


def self_check(data: Victoria, sixty: list[int]) -> dict[str, float]:
    """The seasonal naive must score as written down, or nothing that follows means anything."""
    check = naive(data, sixty)
    print(f"Victoria, self-check: seasonal naive {check['24']:.2f} / {check['168']:.2f} %", flush=True)
    if abs(check["24"] - NAIVE_24) > 0.006 or abs(check["168"] - NAIVE_168) > 0.006:
        raise SystemExit(f"The protocol is off: it should be {NAIVE_24} / {NAIVE_168} %.")
    return check


def naive(data: Victoria, origins: list[int]) -> dict[str, float]:
    """Yesterday again, and last week again."""
    return {
        str(lag): score(data, {at: data.load[at - lag : at - lag + DAY_AHEAD] for at in origins}) for lag in (24, 168)
    }


def told(
    data: Victoria, candidate: Candidate, origins: list[int], sixty: list[int], weather: Weather
) -> dict[str, float]:
    """How one model did with one knowledge of the weather."""
    made: Forecasts = {}
    spent = 0.0
    for at in origins:
        series = data.until(at, weather)
        spent -= time.thread_time()
        made[at] = candidate.predict(series, Deadline(60))
        spent += time.thread_time()
    print(f"  {candidate.name}, {NAMES[weather]}: {score(data, made):.2f} %", flush=True)
    return {
        "mape": score(data, made),
        "mape_60": score(data, {at: mean for at, mean in made.items() if at in set(sixty)}),
        "cpu_s": spent / len(origins),
        "origins": len(origins),
    }


def shipped(data: Victoria, origins: list[int], sixty: list[int]) -> dict[str, Any]:
    """The engine as a meter's page asks it: choosing for itself within a CPU-second, from what was measured by then."""
    with ProcessPoolExecutor(2) as pool:
        found = dict(
            zip(origins, pool.map(answered, [lately(data.until(at), PAST[HOUR]) for at in origins]), strict=True)
        )
    inside = [
        (one.lower_95 <= data.load[at : at + DAY_AHEAD]) & (data.load[at : at + DAY_AHEAD] <= one.upper_95)
        for at, one in found.items()
    ]
    return {
        "engine_origins": len(origins),
        "mape": score(data, {at: one.mean for at, one in found.items()}),
        "mape_60": score(data, {at: one.mean for at, one in found.items() if at in set(sixty)}),
        "coverage_95": float(100 * np.mean(inside)),
        "cpu_s": float(np.mean([one.seconds for one in found.values()])),
    }


def answered(series: Series) -> Forecast:
    """In a process of its own."""
    return engine.forecast(series)


def lately(series: Series, past: int) -> Series:
    """The last hours of the past, and what is ahead."""
    some = slice(-past - series.horizon, None)
    assert series.temperature is not None
    return replace(series, values=series.values[-past:], times=series.times[some], temperature=series.temperature[some])


def score(data: Victoria, made: Forecasts) -> float:
    """MAPE over all hours of all days."""
    return float(np.mean([mape(data.load[at : at + DAY_AHEAD], mean) for at, mean in made.items()]))


def lines(figures: dict[str, Any]) -> list[str]:
    """The table."""
    check, naive_all = figures["self_check"], figures["naive"]
    told = [
        f"Victoria hourly, 24 h ahead, {figures['origins']} midnights of {YEAR} (the anchors' 60): MAPE %",
        f"  seasonal naive 24 / 168: {naive_all['24']:.2f} / {naive_all['168']:.2f}"
        f" ({check['24']:.2f} / {check['168']:.2f}; written down: {NAIVE_24:.2f} / {NAIVE_168:.2f})",
    ]
    for name, rows in figures["models"].items():
        told.append(f"  {name}")
        told += [
            f"    {NAMES[each]:40} {row['mape']:6.2f} ({row['mape_60']:.2f}) of {row['origins']:3.0f},"
            f" {row['cpu_s']:.3f} CPU s a forecast"
            for each, row in rows.items()
        ]
    told.append(
        f"  the engine, {figures['engine_origins']} midnights, strictly usable: {figures['mape']:.2f}"
        f" ({figures['mape_60']:.2f}), 95 % intervals hold {figures['coverage_95']:.1f} %,"
        f" {figures['cpu_s']:.2f} CPU s a forecast (aim: under {AIM:.1f}; anchor on the 60: {ANCHOR:.2f})"
    )
    return told
