"""What stands in a column, told from its first cells."""

from collections import Counter
from collections.abc import Sequence

from tasks.metering.files import numbers, stamps, units
from tasks.tabular import days

ORDERS = tuple(days.ORDERS)


def kind_of(cells: Sequence[str]) -> str:
    """ "stamp", "date", "clock", "epoch", "number", "unit", "text" or "" of an empty column."""
    told = Counter(kind for cell in cells if (kind := _kind(cell)))
    if not told:
        return ""
    kind, count = told.most_common(1)[0]
    if kind == "number" and stamps.epoch_unit([cell for cell in cells if numbers.looks_so(cell)]):
        return "epoch"
    if kind == "number" and all(_eight(cell) for cell in cells if cell):
        return "date"
    return kind if count * 2 > told.total() else "text"


def _kind(cell: str) -> str:
    if numbers.missing(cell):
        return ""
    if numbers.looks_so(cell) and not _dotted(cell):
        return "number"
    if units.plain(cell):
        return "unit"
    day, clock = stamps.split(cell)
    if day and clock:
        return "stamp" if is_day(day) and stamps.clock_of(clock) else "text"
    if clock:
        return "clock" if stamps.clock_of(clock) else "text"
    return "date" if is_day(day) else "text"


def _dotted(cell: str) -> bool:
    """31.12.2024 has the signs of a number, but is a day; so has 202401010015."""
    return (cell.count(".") == 2 and is_day(cell)) or bool(stamps.COMPACT.fullmatch(cell) and is_day(cell[:8]))


def _eight(cell: str) -> bool:
    return bool(stamps.YEAR_FIRST.fullmatch(cell)) and is_day(cell)


def is_day(text: str) -> bool:
    """Whether it is a day in one order at least."""
    return any(stamps.day_of(text, order) is not None for order in ORDERS)


def is_hour_column(cells: Sequence[str]) -> int:
    """24 for a column of hours 1 to 24, 23 for one of 0 to 23, else 0."""
    told = {int(cell) for cell in cells if cell.isdigit() and len(cell) < 3}
    if not told or any(not cell.isdigit() for cell in cells if cell) or max(told) > 24:
        return 0
    return 24 if max(told) == 24 or (min(told) == 1 and len(told) > 1) else 23
