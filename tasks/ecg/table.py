"""ECGs as tables of numbers (CSV with any delimiter): what its columns are, told by its first lines.

Knows PhysioNet's `rdsamp -c` tables, the ECG export of Apple Health (a preamble of keys, one lead in µV), exports with
decimal commas, and bare columns of numbers.
"""

import math
import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice, pairwise

from tasks.ecg.limits import lead_name, millivolts, unique
from tasks.errors import JobError

_DELIMITERS = (";", "\t", "|", ",", " ")
_HERTZ = re.compile(r"(?<![\d.,])(\d{1,6}(?:[.,]\d{1,6})?)\s*(?:hertz|hz)\b", re.IGNORECASE)
_UNIT = re.compile(r"\s*[\[(/,]?\s*\b(nv|[uµμ]v|mv|v)\b\s*[\])]?\s*$", re.IGNORECASE)
_TIME = re.compile(r"^(elapsed|time|t|zeit|sec|secs|seconds?|s|ms|milliseconds?|timestamp)\b", re.IGNORECASE)
_MILLISECONDS = re.compile(r"\b(ms|msec|milliseconds?)\b", re.IGNORECASE)
_INDEX = re.compile(r"^(|#|n|nr|no|index|idx|samples?( ?(#|no|number|interval))?|unnamed: 0)$", re.IGNORECASE)
_CLOCK = re.compile(r"\[?(?:.*[ T])?(?:(\d{1,3}):)?(\d{1,2}):(\d{1,2}(?:\.\d+)?)(?:\s.*|Z|[+-]\d\d:?\d\d)?\]?")
_KEY_END = re.compile(r"[;,|\t:]")
_NO_NUMBERS = "This table has no two rows of numbers; export the ECG as columns of numbers."
_PREAMBLE_ROWS = 60
_HEAD_ROWS = 400
_MAX_COLUMNS = 64
_LONGEST_NAME = 60
_ABSURD = 1e9


@dataclass(frozen=True)
class Lead:
    """One column with an ECG: `column` from 0, its name, and mV for each unit (None when no unit is told)."""

    column: int
    name: str
    scale: float | None


@dataclass(frozen=True)
class Layout:
    """How a table is to be read.

    Attributes:
        delimiter: between cells; " " stands for any run of blanks.
        comma: whether numbers have decimal commas.
        skip: rows (blank lines do not count) before the first row of numbers.
        width: cells in a row.
        leads: the ECG columns.
        time: the column that tells the time, None without one.
        rate: samples a second when the table tells it, by its time column or in words; None when it does not.
    """

    delimiter: str
    comma: bool
    skip: int
    width: int
    leads: tuple[Lead, ...]
    time: int | None = None
    rate: float | None = None


def detect(lines: Sequence[str]) -> Layout:
    """Find out how a table is written, by its first lines (some hundred).

    Of all delimiters that give rows of one width, the one wins that leaves the most cells numbers, then the widest.

    Raises:
        JobError: there are no two rows of numbers of one width, or no column that could be an ECG.
    """
    lines = [line.strip("\r\n") for line in lines]
    found = [scored for delimiter in _DELIMITERS if (scored := _detect_with(lines, delimiter))]
    if not found:
        raise JobError(_NO_NUMBERS)
    return max(found, key=lambda scored: scored[0])[1]


def rows(lines: Iterable[str], layout: Layout) -> Iterator[list[float]]:
    """The numbers of each row below the headings: the lead columns in order, NaN for what is none."""
    wanted = [lead.column for lead in layout.leads]
    split_at = None if layout.delimiter == " " else layout.delimiter
    rest = iter(lines)
    deque(islice(_cells(rest, layout.delimiter), layout.skip), maxlen=0)
    for line in rest:
        cells = (line.replace(",", ".") if layout.comma else line).split(split_at)
        try:
            # Millions of rows pass here: plain ones at once, all others by the rules above.
            values = [float(cells[i]) for i in wanted]
            plain = max(values) < _ABSURD and min(values) > -_ABSURD
        except (ValueError, IndexError):
            plain = False
        if plain:
            yield values
        elif whole := next(_cells([line], layout.delimiter), None):
            yield [_number(whole[i], layout.comma) if i < len(whole) else math.nan for i in wanted]


def settle_rate(layout: Layout, given: float | None) -> float:
    """The sampling rate by the table and by its owner.

    Raises:
        JobError: neither tells it, or they contradict each other.
    """
    if given is None and layout.rate is None:
        raise JobError("This table does not tell its sampling rate; fill in how many samples a second it has.")
    if given and layout.rate and abs(given / layout.rate - 1) > 0.02:
        raise JobError(
            f"The table itself says {layout.rate:g} samples a second, not {given:g}; correct the sampling rate or "
            "leave it empty."
        )
    # Whole rates that people write are exact; a time column is rounded.
    return given or layout.rate or 0.0


Score = tuple[float, bool, int]


def _detect_with(lines: Sequence[str], delimiter: str) -> tuple[Score, Layout] | None:
    table = list(_cells(lines, delimiter))
    comma = delimiter != "," and _has_decimal_commas(table)
    numeric = [sum(_is_measure(cell, comma) for cell in row[: _MAX_COLUMNS + 1]) for row in table]
    start = next((i for i in range(len(table) - 1) if _begins(table, numeric, i)), None)
    if start is None or start > _PREAMBLE_ROWS or len(table[start]) > _MAX_COLUMNS:
        return None
    width = len(table[start])
    body = [row for row in table[start : start + _HEAD_ROWS] if len(row) == width]
    # Above a single column, keys and values may be parted by anything.
    above = table[:start] if width > 1 else [_parts(delimiter.join(row)) for row in table[:start]]
    layout = _with_columns(Layout(delimiter, comma, start, width, ()), above, body)
    share = sum(_is_measure(cell, comma) for row in body for cell in row) / (width * len(body))
    score = (share, comma and width == 1 and _are_decimals(body), width)
    return (score, layout) if layout else None


def _parts(line: str) -> list[str]:
    return [part.strip()[:_LONGEST_NAME] for part in _KEY_END.split(line)]


def _begins(table: Sequence[Sequence[str]], numeric: Sequence[int], i: int) -> bool:
    """Whether rows `i` and `i + 1` are alike and mostly numbers; a key and its value, as in "Age,54", are not."""
    return len(table[i]) == len(table[i + 1]) and all(
        numeric[row] * 2 > sum(bool(cell) for cell in table[row]) for row in (i, i + 1)
    )


def _with_columns(layout: Layout, preamble: Sequence[Sequence[str]], body: Sequence[Sequence[str]]) -> Layout | None:
    names, units = _headings(preamble, layout.width)
    columns = [[_measure(row[i], layout.comma) for row in body] for i in range(layout.width)]
    usable = [i for i, column in enumerate(columns) if sum(v == v for v in column) * 2 >= len(column)]
    layout = _with_time(layout, names, units, columns, preamble)
    skipped = {layout.time} | {i for i in usable if _is_index(names[i], columns[i])}
    chosen = [i for i in usable if i not in skipped]
    named = [i for i in chosen if lead_name(names[i]) or units[i]]
    leads: dict[str, Lead] = {}
    for i in named or chosen:
        name = unique(lead_name(names[i]) or _lone_lead(preamble, layout.width) or f"column {i + 1}", leads)
        leads[name] = Lead(i, name, millivolts(units[i]) if units[i] else _preamble_unit(preamble))
    return replace(layout, leads=tuple(leads.values())) if leads else None


def _headings(preamble: Sequence[Sequence[str]], width: int) -> tuple[list[str], list[str]]:
    """Name and unit of each column, by the last rows above the numbers that are as wide as they are."""
    wide = [[cell[:_LONGEST_NAME] for cell in row] for row in preamble[-3:] if len(row) == width and any(row)]
    if width == 1:
        wide = [row for row in wide if lead_name(row[0]) or _UNIT.search(row[0])]
    blank = [""] * width
    below = [cell if millivolts(cell) else "" for cell in wide[-1]] if wide else blank
    has_unit_row = len(wide) > 1 and any(below)
    names = wide[-2] if has_unit_row else wide[-1] if wide else blank
    units = [unit or _unit_of(name) for unit, name in zip(below if has_unit_row else blank, names, strict=True)]
    return [_UNIT.sub("", name).strip() if _unit_of(name) else name.strip() for name in names], units


def _with_time(
    layout: Layout,
    names: Sequence[str],
    units: Sequence[str],
    columns: Sequence[Sequence[float]],
    preamble: Sequence[Sequence[str]],
) -> Layout:
    told = _HERTZ.search("\n".join(" ".join(row) for row in preamble))
    layout = replace(layout, rate=float(told[1].replace(",", ".")) if told else None)
    for i, name in enumerate(names):
        step = _step(columns[i])
        named, bare = bool(_TIME.match(name)), not name and i == 0 and layout.width > 1
        if units[i] or not (named or (bare and step is not None and step < 0.02)):
            continue
        scale = 1e-3 if _MILLISECONDS.search(name) or (step and 1 < step < 20 and not _is_seconds(name)) else 1.0
        # A step of a whole second is a count of samples under a wrong name.
        rate = _rounded(1 / (step * scale)) if step and step * scale < 0.05 else layout.rate
        return replace(layout, time=i, rate=rate)
    return layout


def _is_seconds(name: str) -> bool:
    return bool(re.search(r"\b(s|sec|secs|seconds?)\b", name, re.IGNORECASE))


def _step(column: Sequence[float]) -> float | None:
    """The mean step of a column that rises evenly, None of any other; a clock rounded to ms still counts as even."""
    steps = [after - before for before, after in pairwise(column)]
    if not steps or any(not step >= 0 for step in steps):
        return None
    mean = (column[-1] - column[0]) / len(steps)
    return mean if mean > 0 and max(steps) <= 2.5 * mean else None


def _is_index(name: str, column: Sequence[float]) -> bool:
    return bool(_INDEX.match(name)) and _step(column) == 1.0


def _rounded(rate: float) -> float:
    """A rate told by rounded times: whole hertz when it is within half a percent of them."""
    return float(round(rate)) if abs(rate - round(rate)) < 0.005 * rate else rate


def _unit_of(name: str) -> str:
    found = _UNIT.search(name)
    # "V" alone or "II V" could be a lead; a lone capital V counts only inside brackets.
    return found[1] if found and (found[1] != "V" or "[" in found[0] or "(" in found[0]) else ""


def _preamble_unit(preamble: Sequence[Sequence[str]]) -> float | None:
    """The unit of a table that names it on a line of its own, as in "Unit,µV"."""
    cells = (row[1] for row in preamble if len(row) >= 2 and re.match(r"units?$|einheit$", row[0], re.IGNORECASE))
    return next((scale for cell in cells if (scale := millivolts(cell))), None)


def _lone_lead(preamble: Sequence[Sequence[str]], width: int) -> str | None:
    """The lead of a single column that is named on a line of its own, as in "Lead,Lead I"."""
    cells = (row[1] for row in preamble if len(row) >= 2 and re.match(r"leads?$|ableitung$", row[0], re.IGNORECASE))
    told = next((name for cell in cells if (name := lead_name(cell))), "unknown")
    return told if width == 1 else None


def _cells(lines: Iterable[str], delimiter: str) -> Iterator[list[str]]:
    if delimiter == " ":
        return (line.split() for line in lines if line.strip())
    # Numbers need no quotes, and a quote left open must not swallow the file into one cell.
    plain = (line.replace('"', "").replace("'", "").split(delimiter) for line in lines)
    return ([cell.strip() for cell in row] for row in plain if any(cell.strip() for cell in row))


def _has_decimal_commas(table: Sequence[Sequence[str]]) -> bool:
    return any(re.fullmatch(r"[+-]?\d*,\d+", cell) for row in table for cell in row)


def _are_decimals(body: Sequence[Sequence[str]]) -> bool:
    """Whether "0,125" is one number here and not two columns: small before the comma, exact behind it."""
    cells = [cell for row in body for cell in row]
    return sum(bool(re.fullmatch(r"[+-]?\d?,\d{2,}", cell)) for cell in cells) * 10 >= 9 * len(cells)


def _is_measure(cell: str, comma: bool) -> bool:
    value = _measure(cell, comma)
    return value == value


def _measure(cell: str, comma: bool) -> float:
    """A number, or a clock time in seconds; NaN for anything else."""
    value = _number(cell, comma)
    clock = _CLOCK.fullmatch(cell) if value != value and ":" in cell and len(cell) < 60 else None
    if clock is None:
        return value
    return int(clock[1] or 0) * 3600 + int(clock[2]) * 60 + float(clock[3])


def _number(cell: str, comma: bool) -> float:
    try:
        value = float(cell.replace(",", ".") if comma else cell)
    except ValueError:
        return math.nan
    return value if abs(value) < _ABSURD else math.nan
