"""What is wrong with a tariff: hours without a price or with two, amounts without one, prices below zero unasked."""

from collections.abc import Iterable, Iterator
from itertools import pairwise

from tasks.metering.tariffs import DAYS, FULL, HOLIDAY, TIERED, TIMES, Rates

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday", "public holidays")
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
MOST_SAID = 20
Cell = tuple[int, int, tuple[str, ...]]  # from, to (minutes), the levels there: none is a hole, two an overlap


def faults(rates: Rates) -> list[tuple[str, str]]:
    """The field at fault ("price", "levels", "periods", "blocks", "feed_in") and a sentence each."""
    by_kind = {TIMES: _times, TIERED: _tiers}.get(rates.kind, _flat)
    found = [*by_kind(rates), *_below_zero(rates)]
    if len(found) > MOST_SAID:
        found = [*found[:MOST_SAID], (found[MOST_SAID][0], f"And {len(found) - MOST_SAID} more.")]
    return found


def cells(rates: Rates, month: int, day: int) -> list[Cell]:
    """A day from midnight to midnight, cut wherever a period begins or ends; the `rest` fills what none names.

    Args:
        month: 1 to 12.
        day: 0 is Monday, 7 a public holiday with prices of its own.
    """
    there = [
        (start, end, period.level)
        for period in rates.periods
        if month in period.in_months and DAYS[day] in period.days
        for start, end in period.spans
    ]
    edges = sorted({0, FULL, *(edge for start, end, _level in there for edge in (start, end))})
    rest = (rates.rest,) if rates.rest else ()
    found = (
        (a, b, tuple(dict.fromkeys(level for start, end, level in there if start <= a and b <= end)))
        for a, b in pairwise(edges)
    )
    return list(_joined((a, b, levels or rest) for a, b, levels in found))


def kinds_of_day(rates: Rates) -> range:
    """The days of the week, and public holidays where they have prices of their own."""
    return range(8 if rates.holidays == "own" else 7)


def _joined(found: Iterable[Cell]) -> Iterator[Cell]:
    """Neighbours with the same levels as one."""
    last: Cell | None = None
    for a, b, levels in found:
        if last and last[2] == levels:
            last = (last[0], b, levels)
            continue
        if last:
            yield last
        last = (a, b, levels)
    if last:
        yield last


def _flat(rates: Rates) -> Iterator[tuple[str, str]]:
    if rates.price is None:
        yield "price", "Write what a kilowatt-hour costs."


def _times(rates: Rates) -> Iterator[tuple[str, str]]:
    names = [each.name for each in rates.levels]
    if not names:
        yield "levels", "Give at least one price."
        return
    yield from (
        ("levels", f"“{name}” stands there twice.") for name in sorted({n for n in names if names.count(n) > 1})
    )
    used = [period.level for period in rates.periods] + ([rates.rest] if rates.rest else [])
    yield from (("periods", f"“{name}” has no price.") for name in dict.fromkeys(used) if name not in names)
    yield from _odd_periods(rates)
    yield from (("periods", text) for text in _gaps(rates))
    yield from (("periods", f"“{name}” has a price but no hours.") for name in dict.fromkeys(names) if name not in used)


def _odd_periods(rates: Rates) -> Iterator[tuple[str, str]]:
    for period in rates.periods:
        if not period.spans:
            yield "periods", f"“{period.level}” begins and ends at {period.start}; a whole day is 00:00 to 24:00."
        if period.days == ("holiday",) and rates.holidays != "own":
            yield (
                "periods",
                (f"“{period.level}” is for public holidays alone; choose that these have prices of their own."),
            )


def _gaps(rates: Rates) -> Iterator[str]:
    """A sentence for each hole and overlap; the same one on several days or in several months is said once."""
    days: dict[tuple[int, Cell], list[int]] = {}  # by month
    for month in range(1, 13):
        for day in kinds_of_day(rates):
            for cell in cells(rates, month, day):
                if len(cell[2]) != 1:
                    days.setdefault((month, cell), []).append(day)
    months: dict[tuple[Cell, tuple[int, ...]], list[int]] = {}
    for (month, cell), found in days.items():
        months.setdefault((cell, tuple(found)), []).append(month)
    every = len(kinds_of_day(rates))
    for ((start, end, levels), those), when in months.items():
        hours = "" if (start, end) == (0, FULL) else f" {at(start)} to {at(end)}"
        has = "has" if hours or (len(those) in (1, every) and those[0] < HOLIDAY) else "have"
        what = f"{len(levels)} prices: {_and(levels)}" if levels else "no price"
        yield f"{days_in_words(those, every)}{hours} {has} {what}{months_in_words(when)}."


def _tiers(rates: Rates) -> Iterator[tuple[str, str]]:
    bounds = [block.up_to for block in rates.blocks]
    if not bounds:
        yield "blocks", "Give at least one price."
        return
    if None in bounds[:-1]:
        yield "blocks", "Only the last price may be without “up to”: what comes after it is never reached."
        return
    known = [bound for bound in bounds if bound is not None]
    if any(low >= high for low, high in pairwise(known)):
        yield "blocks", "Each “up to” must be more than the one before."
    if bounds[-1] is not None:
        yield "blocks", f"Above {bounds[-1].normalize():f} kWh there is no price: leave the last “up to” empty."


def _below_zero(rates: Rates) -> Iterator[tuple[str, str]]:
    if rates.below_zero:
        return
    field = {TIMES: "levels", TIERED: "blocks"}.get(rates.kind, "price")
    for name, price in rates.prices:
        if price < 0:
            named = f"The price of “{name}”" if rates.kind != "flat" else "The price"
            yield field, f"{named} is below zero. If that is meant, tick that prices may be below zero."
    if rates.feed_in is not None and rates.feed_in < 0:
        yield "feed_in", "You would pay for what you feed in. If that is meant, tick that prices may be below zero."


def at(minute: int) -> str:
    """450 is 07:30."""
    return f"{minute // 60:02}:{minute % 60:02}"


def days_in_words(days: tuple[int, ...], every: int = 7) -> str:
    """“Monday to Friday”, “Saturday and Sunday”, “Every day”."""
    if len(days) >= every:
        return "Every day"
    names = [_run(run) for run in _runs([day for day in days if day < HOLIDAY])]
    text = _and([*names, *(["public holidays"] if HOLIDAY in days else [])])
    return text[:1].upper() + text[1:]


def months_in_words(months: list[int]) -> str:
    """“ in May”, “ from November to March”; nothing for the whole year."""
    if len(months) >= 12:
        return ""
    there = set(months)
    first = next(month for month in sorted(there) if (month - 2) % 12 + 1 not in there)
    ordered = [month for month in (*range(first, 13), *range(1, first)) if month in there]
    if [(month - first) % 12 for month in ordered] != list(range(len(ordered))):
        return f" in {_and([MONTHS[month - 1] for month in sorted(there)])}"
    ends = MONTHS[ordered[0] - 1], MONTHS[ordered[-1] - 1]
    return f" in {ends[0]}" if len(ordered) == 1 else f" from {ends[0]} to {ends[1]}"


def _runs(days: list[int]) -> list[list[int]]:
    runs: list[list[int]] = []
    for day in sorted(days):
        if runs and runs[-1][-1] == day - 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    return runs


def _run(run: list[int]) -> str:
    names = [WEEKDAYS[day] for day in run]
    return " and ".join(names) if len(run) < 3 else f"{names[0]} to {names[-1]}"


def _and(names: Iterable[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last
