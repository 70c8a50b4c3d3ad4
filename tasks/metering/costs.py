"""What energy costs under a tariff, exactly: sums in whole milliwatt-hours, prices and money in Decimal.

Energy is summed by local month and price level to the milliwatt-hour and multiplied by the price; each such line, each
month's standing charge and each month's tax is rounded to a ten-thousandth, half up. All totals are sums of these, so
months add up to the year exactly.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from tasks.metering.grid import wall
from tasks.metering.price_levels import DAY, HOUR, TOO_COARSE, level_at, level_of_long, months_of, parts_of
from tasks.metering.tariff_faults import faults
from tasks.metering.tariffs import TIERED, TIMES, Rates

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

MWH = 1_000_000  # milliwatt-hours of a kilowatt-hour
MOST = 9e12  # kWh in all: what 64 bits count in milliwatt-hours
CENT = Decimal("0.0001")
NO_AMOUNT = "There are steps without an amount of energy; fill or leave them out first."
TOO_MUCH = "That is more energy than can be reckoned with."


@dataclass(frozen=True, slots=True)
class LevelCost:
    """What was used at one price. What was fed in is a level of its own, below zero."""

    name: str
    price: Decimal  # without tax
    kwh: Decimal
    amount: Decimal


@dataclass(frozen=True, slots=True)
class MonthCost:
    """A local month, "2014-03". `fed_in` is what feeding in earned, from zero up."""

    month: str
    days: int
    kwh: Decimal
    energy: Decimal
    standing: Decimal
    fed_in: Decimal
    tax: Decimal
    total: Decimal


@dataclass(frozen=True, slots=True)
class Cost:
    """What some energy costs: total = energy + standing + tax - fed_in, in all and in each month."""

    total: Decimal
    energy: Decimal
    standing: Decimal
    fed_in: Decimal
    tax: Decimal
    kwh: Decimal  # used, without what was fed in
    days: int
    months: tuple[MonthCost, ...]
    levels: tuple[LevelCost, ...]


def cost(
    rates: Rates,
    times: "Ints",
    kwh: "Floats",
    step: int,
    zone: str,
    holidays: frozenset[date] = frozenset(),
) -> Cost:
    """What this energy costs.

    Energy below zero was fed in: it earns `feed_in`, or nothing, and neither lowers use nor fills blocks. Within a step
    energy is taken as spread evenly. A day that is begun costs its whole standing charge, a month that is begun has its
    whole blocks.

    Args:
        times: [n] epoch seconds, rising, where each step begins; days and months begin at local midnight.
        kwh: [n] energy of each step.
        step: seconds; more than a day is a month.
        zone: IANA name.
        holidays: public holidays, local dates.

    Raises:
        ValueError: the tariff has holes, or the steps are too coarse for it; the text is for people.
    """
    _sound(rates)
    exact = _whole(kwh)
    used, fed = np.maximum(exact, 0), np.maximum(-exact, 0)
    local = wall(times, zone)
    months = months_of(local)
    first = int(months.min()) if len(months) else 0
    count = int(months.max()) - first + 1 if len(months) else 0
    wide = len(rates.prices) + 1
    table = np.zeros(count * wide, dtype=np.int64)
    for month, level, amount in _shares(rates, times, local, used, step, zone, holidays):
        np.add.at(table, (month - first) * wide + level, amount)
    np.add.at(table, (months - first) * wide + wide - 1, fed)
    days = _days(local, months - first, count, step)
    return _sum(rates, table.reshape(count, wide), days, first)


def price_at(
    rates: Rates,
    times: "Ints",
    zone: str,
    holidays: frozenset[date] = frozenset(),
    kwh: "Floats | None" = None,
) -> "Floats":
    """What one kilowatt-hour more costs at these times, with tax: the marginal price, without the standing charge.

    Args:
        times: [n] epoch seconds, rising.
        kwh: [n] what was used in the steps that begin there. With it a tiered tariff's price is that of the block which
            has been reached; without it that of its cheapest block: what it costs at least.

    Returns:
        [n] per kWh.

    Raises:
        ValueError: the tariff has holes; the text is for people.
    """
    _sound(rates)
    prices = np.array([float(price * rates.factor) for _name, price in rates.prices])
    times = np.asarray(times, dtype=np.int64)
    local = wall(times, zone)
    if rates.kind == TIMES:
        return np.asarray(prices[level_at(rates, local, holidays)])
    if rates.kind != TIERED:
        return np.full(len(times), prices[0])
    if kwh is None:
        return np.full(len(times), prices.min())
    reached = _reached(rates, local, np.maximum(_whole(kwh), 0))
    return np.asarray(prices[np.searchsorted(_bounds(rates)[1:-1], reached, side="right")])


def _sound(rates: Rates) -> None:
    if found := faults(rates):
        raise ValueError(found[0][1])


def _whole(kwh: "Floats") -> "Ints":
    kwh = np.asarray(kwh, dtype=float)
    if not np.isfinite(kwh).all():
        raise ValueError(NO_AMOUNT)
    if np.abs(kwh).sum() > MOST:
        raise ValueError(TOO_MUCH)
    return np.rint(kwh * MWH).astype(np.int64)


def _shares(
    rates: Rates, times: "Ints", local: "Ints", used: "Ints", step: int, zone: str, holidays: frozenset[date]
) -> "Iterator[tuple[Ints, Ints | int, Ints]]":
    """Months, levels and energy, each [m], that together are all that was used."""
    if rates.kind == TIERED:
        yield from _tiers(rates, local, used, step)
    elif rates.kind == TIMES and step > HOUR:
        yield months_of(local), level_of_long(rates, local, step, holidays), used
    elif rates.kind == TIMES:
        parts, each = parts_of(rates, local, step)
        starts = (np.asarray(times, dtype=np.int64)[:, None] + each * np.arange(parts)).ravel()
        within = local if parts == 1 else wall(starts, zone)
        energy = (used // parts)[:, None] + (np.arange(parts) < (used % parts)[:, None])
        yield months_of(within), level_at(rates, within, holidays), energy.ravel()
    else:
        yield months_of(local), 0, used


def _tiers(rates: Rates, local: "Ints", used: "Ints", step: int) -> "Iterator[tuple[Ints, int, Ints]]":
    if step > DAY and (rates.per == "day" or rates.starts != 1):
        raise ValueError(TOO_COARSE)
    months, after = months_of(local), _reached(rates, local, used)
    bounds = _bounds(rates)
    for level, (low, high) in enumerate(pairwise(bounds)):
        yield months, level, np.clip(after, low, high) - np.clip(after - used, low, high)


def _reached(rates: Rates, local: "Ints", used: "Ints") -> "Ints":
    """[n] what has been used by the end of each step since its month (or day) of blocks began, in milliwatt-hours."""
    shifted = local if rates.per == "day" else local - (rates.starts - 1) * DAY  # the month then begins on its first
    period = shifted // DAY if rates.per == "day" else months_of(shifted)
    total = np.cumsum(used)
    begins = np.flatnonzero(np.diff(period, prepend=period[:1] - 1))
    earlier = total[begins] - used[begins]
    return np.asarray(total - np.repeat(earlier, np.diff(begins, append=len(used))))


def _bounds(rates: Rates) -> "Ints":
    """[blocks + 1] from where to where blocks go, in milliwatt-hours."""
    most = np.iinfo(np.int64).max
    upper = [most if block.up_to is None else min(most, int(block.up_to * MWH)) for block in rates.blocks]
    return np.array([0, *upper], dtype=np.int64)


def _days(local: "Ints", months: "Ints", count: int, step: int) -> list[int]:
    """How many days each month has here."""
    if step > DAY:
        firsts = (local // DAY).astype("datetime64[D]").astype("datetime64[M]")
        lengths = (firsts + 1).astype("datetime64[D]") - firsts.astype("datetime64[D]")
        return [int(n) for n in np.bincount(months, weights=lengths.astype(np.int64), minlength=count)]
    _seen, where = np.unique(local // DAY, return_index=True)
    return [int(n) for n in np.bincount(months[where], minlength=count)]


def _sum(rates: Rates, table: "Ints", days: list[int], first: int) -> Cost:
    """From energy by month and level [months, levels + 1], the last what was fed in, to money."""
    prices, earns = [price for _name, price in rates.prices], rates.feed_in or Decimal(0)
    energy = [[_kwh(cell) for cell in row] for row in table]
    lines = [[_cents(kwh * price) for kwh, price in zip(row[:-1], prices, strict=True)] for row in energy]
    fed = [_cents(row[-1] * earns) for row in energy]
    months = tuple(
        _month(rates, first + at, days[at], _total(energy[at][:-1]), _total(lines[at]), fed[at])
        for at in range(len(table))
    )
    levels = [
        LevelCost(name, price, _kwh(table[:, at].sum()), _total(line[at] for line in lines))
        for at, (name, price) in enumerate(rates.prices)
    ]
    if table[:, -1].any():
        levels.append(LevelCost("Fed in", -earns, -_kwh(table[:, -1].sum()), -_total(fed)))
    names = ("total", "energy", "standing", "fed_in", "tax", "kwh")
    total, used, standing, fed_in, tax, kwh = (_total(getattr(month, name) for month in months) for name in names)
    return Cost(total, used, standing, fed_in, tax, kwh, sum(days), months, tuple(levels))


def _month(rates: Rates, month: int, days: int, kwh: Decimal, energy: Decimal, fed: Decimal) -> MonthCost:
    standing = _cents(rates.standing * days)
    tax = _cents((energy + standing) * rates.tax / 100)
    name = f"{1970 + month // 12:04}-{month % 12 + 1:02}"
    return MonthCost(name, days, kwh, energy, standing, fed, tax, energy + standing + tax - fed)


def _total(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, Decimal(0))


def _kwh(whole: "np.int64 | int") -> Decimal:
    return Decimal(int(whole)) / MWH


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_UP)
