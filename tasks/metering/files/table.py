"""A table of readings in chunks: the fast way for columns of plain numbers, cell by cell where one is not."""

import math
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tasks.metering.files import cells, headers, numbers, stamps, units
from tasks.metering.files.chunk import TEMPERATURE, Chunk
from tasks.metering.files.found import Hints, Layout, Unreadable
from tasks.metering.files.layouts import data_of
from tasks.metering.files.tally import Tally
from tasks.tabular.records import Record

CELLS = 80_000  # in memory at once
ASSUMED = "kWh"
TOO_MANY_LINES_WRONG = (
    "More than half of this file's first lines have no time that can be read, such as “{}” in line {}. Choose which "
    "column is the time and how its days are written."
)
Times = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]


class Table:
    """A file of lines, read once from its first to its last.

    Args:
        path, layout, hints: what to read and how.
        tally: where oddities are counted; its kinds are told by `telling`.
    """

    def __init__(self, path: Path, layout: Layout, hints: Hints, tally: Tally) -> None:
        self.path, self.layout, self.hints, self.tally = path, layout, hints, tally
        self.rows = self.line = 0
        self.used: dict[str, set[str]] = {}  # units by series
        self.kinds: dict[str, str] = {}
        at = layout.at("time")
        self.time = at if at is not None else layout.at("end")
        self.time = self.time if self.time is not None else layout.at("date")
        self.clock = layout.at("clock") if self.time == layout.at("date") else None
        self.titles = [column.title.casefold() for column in layout.columns]
        self.stamps = self._stamps()
        self.kind = self._kind()

    def _stamps(self) -> stamps.Stamps:
        examples = self.layout.columns[self.time or 0].examples
        kind = cells.kind_of(examples)
        epoch = stamps.epoch_unit(examples) if kind == "epoch" else 0.0
        hours = 0
        if self.clock is not None:
            sample = [record.cells[self.clock] for record in islice(data_of(self.path, self.layout), 50)]
            hours = cells.is_hour_column(sample)
        return stamps.Stamps(self.layout.dates, epoch, hours)

    def _kind(self) -> str:
        """Home Assistant's sum counts on, and its change is of an interval; so are the columns of a day's times."""
        if self.layout.form == "clocks":
            return "interval"
        known = {"sum": "counter", "change": "interval"} if "statistic_id" in self.titles else {}
        at = self.layout.at("value")
        return known.get(self.titles[at], "") if at is not None else ""

    @property
    def surely_dated(self) -> bool:
        """Days in any order can be swapped; seconds since 1970 cannot."""
        return bool(self.stamps.epoch)

    @property
    def single(self) -> bool:
        return not self.layout.wide and self.layout.at("series") is None

    def chunks(self) -> Iterator[Chunk]:
        """Every reading of the file."""
        size = max(200, CELLS // max(len(self.layout.columns), 4))
        source = data_of(self.path, self.layout)
        while rows := list(islice(source, size)):
            self.line = rows[-1].number
            yield from self._read(rows)

    def _read(self, rows: list[Record]) -> Iterator[Chunk]:
        rows = self._as_wide(rows)
        texts = self._cells(rows, self.time or 0)
        clocks = self._cells(rows, self.clock) if self.clock is not None else None
        times = self.stamps.read(texts, clocks)
        good = times[0] != stamps.NO_TIME
        if clocks is None or all(clocks):
            self._count_midnights(texts if clocks is None else clocks, rows)
        if not good.all():
            self._explain(rows, np.flatnonzero(~good).tolist(), texts)
            rows = [row for row, keep in zip(rows, good.tolist(), strict=True) if keep]
            times = (times[0][good], times[1][good], times[2][good])
        self.rows += len(rows)
        if rows:
            yield from self._by_clocks(rows, times) if self.layout.form == "clocks" else self._columns(rows, times)

    def _as_wide(self, rows: list[Record]) -> list[Record]:
        """Without lines that have more cells than the header: one of their commas is not what it seems."""
        width = len(self.layout.columns)
        wide = [row for row in rows if len(row.cells) > width and any(row.cells[width:])]
        if not wide:
            return rows
        self.tally.note("width", (row.number for row in wide))
        return [row for row in rows if len(row.cells) <= width or not any(row.cells[width:])]

    def _cells(self, rows: Sequence[Record], at: int) -> list[str]:
        try:
            return [row.cells[at] for row in rows]
        except IndexError:
            return [row.cells[at] if at < len(row.cells) else "" for row in rows]

    def _count_midnights(self, texts: Sequence[str], rows: Sequence[Record]) -> None:
        """24:00 is a time of ends alone."""
        if any("24:00" in text for text in texts):
            found = [row.number for row, text in zip(rows, texts, strict=True) if "24:00" in text]
            self.tally.note("24:00", found)

    def _explain(self, rows: Sequence[Record], wrong: Sequence[int], texts: Sequence[str]) -> None:
        """What a line without a time is: a header once more, a total, units, or a mistake."""
        for at in wrong:
            row = rows[at]
            kind = self._kind_of_wrong(row, texts[at])
            self.tally[kind].add([row.number])
            self.tally[kind].say(texts[at] or " · ".join(cell for cell in row.cells if cell)[:50])
        if not self.rows and len(wrong) * 2 > len(rows) and self.tally["time"].count * 2 > len(rows):
            raise Unreadable(TOO_MANY_LINES_WRONG.format(self.tally["time"].words[0], self.tally["time"].lines[0]))

    def _kind_of_wrong(self, row: Record, text: str) -> str:
        folded = [cell.casefold() for cell in row.cells]
        if folded == self.titles[: len(folded)] or (folded[0] and folded[0] == self.titles[0]):
            return "header"
        if headers.is_total(next((cell for cell in row.cells if cell), "")) or not text.strip():
            return "total"
        if any(units.plain(cell) for cell in row.cells) and not any(map(numbers.looks_so, row.cells)):
            return "units line"
        if row.cells[0].startswith(("#", "//", ";")):
            return "comment"
        day = stamps.split(text)[0]
        if cells.is_day(day) and stamps.day_of(day, self.layout.dates) is None:
            return "other order"
        return "time"

    def _by_clocks(self, rows: Sequence[Record], times: Times) -> Iterator[Chunk]:
        """A line per day: its columns are times of that day."""
        places = self.layout.all("value clock")
        told = [stamps.clock_of(self.layout.columns[at].title) or (0, 0) for at in places]
        seconds = np.array([clock[0] for clock in told], np.int64)
        n, k = len(rows), len(places)
        cells_ = [cell for row in rows for cell in self._row(row, places)]
        lines = np.repeat([row.number for row in rows], k)
        wall = (times[0] // stamps.DAY * stamps.DAY).repeat(k) + np.tile(seconds, n)
        values, _given = self._numbers(cells_, lines)
        factor, power = self._factor(self.layout.columns[places[0]].unit, "")
        for key, name, part in self._by_series([row for row in rows for _ in places]):
            take = part if part is not None else np.arange(n * k)
            yield self._chunk(
                key, name, lines[take], wall[take], times[1].repeat(k)[take], values[take] * factor, power,
                times[2].repeat(k)[take],
            )  # fmt: skip

    @staticmethod
    def _row(row: Record, places: Sequence[int]) -> list[str]:
        return [row.cells[at] if at < len(row.cells) else "" for at in places]

    def _columns(self, rows: Sequence[Record], times: Times) -> Iterator[Chunk]:
        lines = np.array([row.number for row in rows], np.int64)
        groups = self._by_series(rows)
        foreign = self._foreign(rows)
        for at in self.layout.all("value"):
            texts = self._cells(rows, at)
            if foreign:
                texts = ["0" if place in foreign else text for place, text in enumerate(texts)]
            values, inline = self._numbers(texts, lines)
            for key, name, part in groups:
                named = (self.layout.columns[at].title,) * 2 if self.layout.wide else (key, name)
                if self.layout.wide and key:
                    named = (f"{key} {named[0]}",) * 2
                yield from self._with_unit(rows, at, named, lines, times, values, inline, part)
        yield from self._temperatures(rows, lines, times)

    def _foreign(self, rows: Sequence[Record]) -> set[int]:
        """Lines that name a unit that is none of electricity; what stands in them is nobody's business here."""
        at = self.layout.at("unit")
        if at is None:
            return set()
        return {place for place, text in enumerate(self._cells(rows, at)) if text and not units.plain(text)}

    def _by_series(self, rows: Sequence[Record]) -> list[tuple[str, str, "NDArray[np.int64] | None"]]:
        """Name by name, where a column names the meter: which rows are its."""
        at = self.layout.at("series")
        if at is None:
            return [("", self.hints.name, None)]
        groups: dict[str, list[int]] = {}
        for place, name in enumerate(self._cells(rows, at)):
            groups.setdefault(name[:160], []).append(place)
        return [(name, name or self.hints.name, np.array(found)) for name, found in groups.items()]

    def _with_unit(
        self, rows: Sequence[Record], at: int, named: tuple[str, str], lines: NDArray[np.int64], times: Times,
        values: NDArray[np.float64], inline: list[str], part: "NDArray[np.int64] | None",
    ) -> Iterator[Chunk]:  # fmt: skip
        take = part if part is not None else np.arange(len(rows))
        column = self.layout.columns[at]
        unit_at = self.layout.at("unit")
        told = self._cells(rows, unit_at) if unit_at is not None else inline
        groups = self._factors(take, told, column.unit, named[0], lines) if told else [(take, column.unit)]
        every = [(rows_of, *self._factor(unit, named[0])) for rows_of, unit in groups]
        for power in sorted({each[2] for each in every}):  # lines of several units stay in the file's order
            rows_of = np.concatenate([each[0] for each in every if each[2] == power])
            factors = np.concatenate([np.full(len(each[0]), each[1]) for each in every if each[2] == power])
            order = np.argsort(rows_of)
            rows_of, factors = rows_of[order], factors[order]
            yield self._chunk(
                *named, lines[rows_of], times[0][rows_of], times[1][rows_of], values[rows_of] * factors, power,
                times[2][rows_of],
            )  # fmt: skip

    def _factors(
        self, take: NDArray[np.int64], told: Sequence[str], default: str, key: str, lines: NDArray[np.int64]
    ) -> list[tuple[NDArray[np.int64], str]]:
        """Lines by the unit that they name; what is no energy is left out."""
        groups: dict[str, list[int]] = {}
        for at in take.tolist():
            text = told[at]
            unit = units.plain(text) if text else ""
            if text and not unit:
                self.tally.note("foreign unit", [int(lines[at])], f"{text} ({key})" if key else text)
            else:
                groups.setdefault(unit or default, []).append(at)
        return [(np.array(found), unit) for unit, found in groups.items()]

    def _factor(self, unit: str, key: str) -> tuple[float, bool]:
        used = unit or self.hints.unit
        self.used.setdefault(key, set()).add(used)
        if self.kind:
            self.kinds[key] = self.kind
        return units.factor(used or ASSUMED), units.is_power(used)

    def _numbers(self, texts: Sequence[str], lines: NDArray[np.int64]) -> tuple[NDArray[np.float64], list[str]]:
        """[n] numbers, NaN where there is none; and the units behind them, where any has one."""
        fast = numbers.column(texts, self.layout.decimal)
        if fast is not None:
            return np.array(fast), []
        found, told = np.full(len(texts), math.nan), [""] * len(texts)
        for at, text in enumerate(texts):
            try:
                found[at], told[at] = numbers.careful(text, self.layout.decimal)
            except numbers.NoNumber as error:
                self.tally.note("number", [int(lines[at])], f"{text[:30]}: {error}")
            else:
                if math.isnan(found[at]):
                    self.tally.note("empty", [int(lines[at])])
        return found, told if any(told) else []

    def _temperatures(self, rows: Sequence[Record], lines: NDArray[np.int64], times: Times) -> Iterator[Chunk]:
        at = self.layout.at("temperature")
        if at is None:
            return
        texts = [cell.removesuffix("°C").removesuffix("°F").strip() for cell in self._cells(rows, at)]
        fast = numbers.column(texts, self.layout.decimal)
        degrees = np.array(fast if fast is not None else [self._degree(text) for text in texts])
        if units.degrees(self.layout.columns[at].title) == "F":
            degrees = (degrees - 32) / 1.8
        odd = (degrees < -90) | (degrees > 60)
        self.tally.note("hot", lines[odd].tolist())
        degrees[odd] = math.nan
        yield self._chunk(TEMPERATURE, "", lines, times[0], times[1], degrees * 100, False, times[2])

    def _degree(self, text: str) -> float:
        try:
            return numbers.careful(text, self.layout.decimal)[0]
        except numbers.NoNumber:
            return math.nan

    @staticmethod
    def _chunk(
        key: str, name: str, lines: NDArray[np.int64], wall: NDArray[np.int64], offset: NDArray[np.int64],
        values: NDArray[np.float64], power: bool, days: NDArray[np.int64],
    ) -> Chunk:  # fmt: skip
        kept = np.isfinite(values)
        if kept.all():
            return Chunk(key, name, lines, wall, offset, values, power, days)
        return Chunk(key, name, lines[kept], wall[kept], offset[kept], values[kept], power, days[kept])
