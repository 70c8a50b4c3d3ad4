"""The week of a time-of-use tariff as a drawing and as a table: each hour in its price's colour, holes hatched."""

from dataclasses import dataclass
from decimal import Decimal

from tasks import money
from tasks.metering.tariff_faults import WEEKDAYS, at, cells, days_in_words, kinds_of_day, months_in_words
from tasks.metering.tariffs import FULL, TIMES, Rates

SHADES = 6
HOLE, CLASH = "hole", "clash"


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some hours of a day: where they stand in per mille of it, their shade and what they are."""

    start: float
    width: float
    shade: str  # "0".."5", the dearest last; "hole", "clash"
    title: str


@dataclass(frozen=True, slots=True)
class Week:
    """All months with the same hours. Rows are days from Monday on; lines say the same in words."""

    months: str  # “From October to March”, or nothing for the whole year
    rows: list[tuple[str, list[Stretch]]]
    lines: list[tuple[str, str, str, str]]  # days, hours, name, price


@dataclass(frozen=True, slots=True)
class Legend:
    name: str
    price: str
    shade: str


def weeks(rates: Rates, currency: str) -> list[Week]:
    """One for each season; none of other kinds of tariffs."""
    if rates.kind != TIMES:
        return []
    layouts: dict[tuple[tuple[tuple[int, int, tuple[str, ...]], ...], ...], list[int]] = {}
    for month in range(1, 13):
        layout = tuple(tuple(cells(rates, month, day)) for day in kinds_of_day(rates))
        layouts.setdefault(layout, []).append(month)
    shades, prices = _shades(rates), dict(rates.prices)
    return [_week(layout, months, shades, prices, currency) for layout, months in layouts.items()]


def legend(rates: Rates, currency: str) -> list[Legend]:
    """Names, prices and shades, the cheapest first."""
    shades = _shades(rates)
    ordered = sorted(rates.prices, key=lambda each: each[1])
    return [Legend(name, price(amount, currency), shades[name]) for name, amount in ordered]


def price(amount: Decimal, currency: str) -> str:
    """€0.2951, with all the decimals that a price has."""
    if amount == round(amount, money.FINEST):
        return money.show(round(amount, money.FINEST), currency)
    return f"{currency} {amount:f}"


def _shades(rates: Rates) -> dict[str, str]:
    """By name: the cheapest price is 0, the dearest the last."""
    ranks = sorted({amount for _name, amount in rates.prices})
    steps = max(1, len(ranks) - 1)
    return {name: str(round(ranks.index(amount) * (SHADES - 1) / steps)) for name, amount in rates.prices}


def _week(
    layout: tuple[tuple[tuple[int, int, tuple[str, ...]], ...], ...],
    months: list[int],
    shades: dict[str, str],
    prices: dict[str, Decimal],
    currency: str,
) -> Week:
    rows = []
    for day, found in enumerate(layout):
        name = WEEKDAYS[day][:1].upper() + WEEKDAYS[day][1:]
        rows.append((name, [_stretch(name, cell, shades) for cell in found]))
    lines: dict[tuple[int, int, tuple[str, ...]], list[int]] = {}
    for day, found in enumerate(layout):
        for cell in found:
            lines.setdefault(cell, []).append(day)
    told = [_line(cell, tuple(days), prices, currency, len(layout)) for cell, days in lines.items()]
    words = months_in_words(months).strip()
    return Week(words[:1].upper() + words[1:], rows, told)


def _stretch(day: str, cell: tuple[int, int, tuple[str, ...]], shades: dict[str, str]) -> Stretch:
    start, end, levels = cell
    shade = HOLE if not levels else CLASH if len(levels) > 1 else shades.get(levels[0], HOLE)
    what = " and ".join(levels) or "no price"
    title = f"{day} {at(start)} to {at(end)}: {what}"
    return Stretch(round(1000 * start / FULL, 3), round(1000 * (end - start) / FULL, 3), shade, title)


def _line(
    cell: tuple[int, int, tuple[str, ...]], days: tuple[int, ...], prices: dict[str, Decimal], currency: str, every: int
) -> tuple[str, str, str, str]:
    start, end, levels = cell
    cost = [price(prices[level], currency) for level in levels if level in prices]
    return (
        days_in_words(days, every),
        f"{at(start)} to {at(end)}",
        " and ".join(levels) or "–",
        " and ".join(cost) or "no price",
    )
