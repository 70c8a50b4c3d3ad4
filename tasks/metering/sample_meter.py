"""A household that is made up, to look around with: a year of quarter hours, its weather, its tariff, and oddities.

Deterministic: the same last day gives the same year. It heats with electricity a little, so that weather matters; it
is away for two weeks, so that a flat time is no fault; and in it are a spike, a stuck counter, a gap and a base load
that has risen, so that there is something to find.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from tasks.metering.usage import Readings

NAME, SOURCE = "Sample household", "sample"
NOTE = "A made-up household to look around with. Delete it when you have meters of your own."
STEP, HOUR, DAY = 900, 3600, 86_400
DAYS, AHEAD = 365, 7
MWH = 1_000_000  # milliwatt-hours in a kilowatt-hour
SPIKE_AGO, STUCK_AGO, GAP_AGO, RISE_AGO, AWAY_AGO = 12, 47, 81, 20, (150, 136)  # days before the last one
TARIFF: dict[str, Any] = {
    "kind": "time of use", "standing": "0.42", "rest": "Day", "example": True,  # no tip to others rests on it
    "levels": [{"name": "Day", "price": "0.34"}, {"name": "Night", "price": "0.21"}],
    "periods": [{"level": "Night", "start": "22:00", "end": "06:00"}],
}  # fmt: skip
CURRENCY, STANDING = "EUR", "0.42"


@dataclass(frozen=True, slots=True)
class Planted:
    """An oddity that stands in the sample, from `start` to before `end`, epoch seconds."""

    kind: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class SampleMeter:
    """Readings of an interval meter, and hourly temperatures that begin with them and go on for a week after."""

    readings: Readings
    hours: NDArray[np.int64]
    degrees: NDArray[np.float64]
    planted: tuple[Planted, ...]


def household(last: date, zone: str = "Europe/Berlin") -> SampleMeter:
    """The year that ends with the local day `last`.

    Args:
        zone: IANA name of where it stands; its habits follow the wall's clock.
    """
    chance = np.random.default_rng(20_260_101)
    tz = ZoneInfo(zone)
    start, end = _midnight(last - timedelta(days=DAYS - 1), tz), _midnight(last + timedelta(days=1), tz)
    hours = np.arange(start, end + AHEAD * DAY, HOUR, dtype=np.int64)
    degrees = _weather(hours, chance)
    times = np.arange(start, end, STEP, dtype=np.int64)
    kwh = _usage(times, np.interp(times, hours, degrees), tz, chance)
    kept, planted = _plant(times, kwh, tz, last, chance)
    values = np.rint(kwh * 1000).astype(np.int64) * (MWH // 1000)  # a meter shows whole watt-hours
    return SampleMeter(Readings(times[kept], values[kept]), hours, np.round(degrees, 1), planted)


def _weather(hours: NDArray[np.int64], chance: np.random.Generator) -> NDArray[np.float64]:
    """A year and a day around 10 °C, and spells that last for some days."""
    year = -9.5 * np.cos(2 * np.pi * (hours / DAY - 20) / 365.25)
    day = -3.5 * np.cos(2 * np.pi * (hours % DAY) / DAY - 0.6)
    spells, now = np.empty(len(hours)), 0.0
    for at, push in enumerate(chance.normal(0, 0.32, len(hours))):
        now = 0.992 * now + push
        spells[at] = now
    return np.clip(10 + year + day + spells, -18, 37)


def _usage(
    times: NDArray[np.int64], degrees: NDArray[np.float64], tz: ZoneInfo, chance: np.random.Generator
) -> NDArray[np.float64]:
    """kWh of each quarter of an hour."""
    clock, free = _clock(times, tz)
    morning, noon, evening = (_bump(clock, at, wide) for at, wide in ((7.3, 0.8), (12.6, 1.2), (19.2, 1.7)))
    people = np.where(free, 0.25 * morning + 0.75 * noon + 1.1 * evening, 0.6 * morning + 0.15 * noon + 1.0 * evening)
    awake = (clock > 6.2) & (clock < 23.2)
    fridge = 0.055 * (np.sin(2 * np.pi * times / 2700.0) > 0)
    heating = 0.05 * np.clip(15 - degrees, 0, None) * np.where(awake, 1.0, 0.45)
    cooking = (chance.random(len(times)) < 0.03 * people) * chance.uniform(0.8, 2.2, len(times))
    kw = 0.11 + fridge + heating + people * chance.lognormal(-0.6, 0.35, len(times)) + cooking
    first, until = (times[-1] - ago * DAY for ago in AWAY_AGO)
    away = (times >= first) & (times < until)
    kw[away] = 0.09 + fridge[away] + 0.3 * heating[away]
    return np.asarray(kw * STEP / HOUR, dtype=np.float64)


def _clock(times: NDArray[np.int64], tz: ZoneInfo) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Hours on the wall's clock, and whether it is a weekend."""
    offsets = np.array(
        [datetime.fromtimestamp(int(at), tz).utcoffset().total_seconds() for at in times[::4]],  # type: ignore[union-attr]
        dtype=np.int64,
    )
    local = times + np.repeat(offsets, 4)[: len(times)]
    return (local % DAY) / HOUR, (local // DAY + 3) % 7 >= 5


def _bump(clock: NDArray[np.float64], at: float, wide: float) -> NDArray[np.float64]:
    return np.asarray(np.exp(-0.5 * ((clock - at) / wide) ** 2), dtype=np.float64)


def _plant(
    times: NDArray[np.int64], kwh: NDArray[np.float64], tz: ZoneInfo, last: date, chance: np.random.Generator
) -> tuple[NDArray[np.bool_], tuple[Planted, ...]]:
    """Changes `kwh` where something is to be found; which readings are left, and what was done."""

    def at(ago: int, hour: int) -> int:
        return _midnight(last - timedelta(days=ago), tz) + hour * HOUR

    spike = Planted("spike", at(SPIKE_AGO, 14), at(SPIKE_AGO, 15))
    stuck = Planted("flat", at(STUCK_AGO, 3), at(STUCK_AGO - 1, 9))
    gap = Planted("missing", at(GAP_AGO, 5), at(GAP_AGO - 2, 17))
    rise = Planted("base load", at(RISE_AGO, 0), int(times[-1]) + STEP)
    inside = {one.kind: (times >= one.start) & (times < one.end) for one in (spike, stuck, gap, rise)}
    kwh[inside["base load"]] += 0.18 * STEP / HOUR
    kwh[inside["spike"]] += 2.6 * chance.uniform(0.9, 1.1, int(inside["spike"].sum()))
    kwh[inside["flat"]] = 0.062
    return ~inside["missing"], (gap, stuck, rise, spike)


def _midnight(day: date, tz: ZoneInfo) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=tz).timestamp())
