"""Usages for the tests of advice: a household, an office, a heated house, their weather, and two tariffs."""

from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from tasks.energy.advice.told import Advice, Tip
from tasks.metering.tariffs import TariffFacts
from tasks.metering.usage import Usage

HOUR, DAY = 3600, 86_400
START = int(datetime(2024, 1, 1, tzinfo=UTC).timestamp())  # a Monday
Floats = NDArray[np.float64]

FLAT = TariffFacts.of("flat", "One price", "EUR", {"kind": "flat", "price": "0.30", "standing": "0.25"})
NIGHT = TariffFacts.of(
    "night", "Cheap nights", "EUR",
    {
        "kind": "time of use", "levels": [{"name": "Day", "price": "0.35"}, {"name": "Night", "price": "0.15"}],
        "periods": [{"level": "Night", "start": "22:00", "end": "06:00"}], "rest": "Day", "standing": "0.25",
    },
)  # fmt: skip


def usage(kwh: Floats, step: int = HOUR, filled: NDArray[np.bool_] | None = None) -> Usage:
    times = START + step * np.arange(len(kwh), dtype=np.int64)
    return Usage(times, kwh, np.zeros(len(kwh), bool) if filled is None else filled, step, "UTC")


def household(days: int = 400, base: float = 0.2) -> Floats:
    """0.2 kW at all hours, a kilowatt more from 18:00 to 22:00, a little chance in between."""
    hour = np.arange(24 * days) % 24
    chance = np.random.default_rng(1).gamma(1.0, 0.05, len(hour))
    return np.asarray(base + (hour >= 18) * (hour < 22) * 1.0 + (hour >= 6) * chance)


def office(days: int = 400) -> Floats:
    """10 kW on working days from 8 to 18; 3 kW at other times, and 2 kW from 1 to 4 on Sundays' and Mondays' nights."""
    at = np.arange(24 * days)
    hour, day = at % 24, at // 24 % 7
    work = (day < 5) & (hour >= 8) & (hour < 18)
    quiet = (hour >= 1) & (hour < 4) & ((day == 6) | (day == 0))
    return np.where(work, 10.0, np.where(quiet, 2.0, 3.0))


def weather(days: int, seed: int = 2) -> Floats:
    """[days * 24] hourly °C: a year's wave and weeks of warmth and cold."""
    day = np.arange(days)
    swing = np.random.default_rng(seed).normal(0, 3, days)
    return np.repeat(10 - 10 * np.cos(2 * np.pi * day / 365) + swing, 24)


def heated(degrees: Floats, more: float = 1.0) -> Floats:
    """What a house with electric heating takes: 0.1 kWh an hour for each degree below 15, times `more`."""
    chance = np.random.default_rng(3).normal(0, 0.03, len(degrees))
    return np.asarray((0.3 + 0.1 * np.maximum(15 - degrees, 0) + chance) * more)


def found(advice: Advice, kind: str) -> Tip:
    return next(tip for tip in advice.tips if tip.kind == kind)


def kinds(advice: Advice) -> set[str]:
    return {tip.kind for tip in advice.tips}
