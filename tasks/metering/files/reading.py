"""One file of meters, whatever it is: its readings in parts as it is read, and in the end what was found."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from tasks.errors import JobError
from tasks.metering.files import formats, swapped, telling
from tasks.metering.files.chunk import TEMPERATURE, Chunk
from tasks.metering.files.found import Hints, Layout, Parsed, Part, Temperature, Unreadable
from tasks.metering.files.series import Series
from tasks.metering.files.tally import Tally
from tasks.metering.usage import Readings

MOST_SERIES = 1_000
HELD = 600_000  # readings of all series together that wait to be settled
TOO_MANY = "This file holds more than {:,} meters; export fewer of them at once."
NOTHING = "Every value in this file is missing: none of its {:,} lines holds a number. There is nothing to bring in."
MIXED = "Some dates put the day first and others the month, so days up to 12 may be swapped without being seen."
NO_READINGS = "No reading of this file could be read. {}"


class Reader:
    """Reads a file once, from its first line to its last, in memory that does not grow with it.

    Args:
        path: the file.
        hints: what is known or chosen.

    Raises:
        Unreadable: it is no file of meters; the message says what to do.
    """

    def __init__(self, path: Path, hints: Hints) -> None:
        self.path, self.hints = path, hints
        self.tally = Tally()
        self.series: dict[str, Series] = {}
        self.held = 0  # readings that wait, in all series
        self.days = swapped.Days()
        self.distrusted: frozenset[int] = frozenset()
        try:
            self.source = formats.open_file(path, hints, self.tally)
        except JobError as error:
            raise error if isinstance(error, Unreadable) else Unreadable(str(error)) from error
        self.layout: Layout = self.source.layout

    @property
    def line(self) -> int:
        """How far it is: the last line that was read."""
        return self.source.line

    @property
    def single(self) -> bool:
        """Whether the file is surely of one meter alone."""
        return self.source.single

    def parts(self) -> Iterator[Part]:
        """Readings, series by series, settled and in order within a part; at its end `parsed` knows everything.

        Raises:
            Unreadable: the file is damaged or hostile from here on, or holds nothing.
        """
        if self.hints.swapped == "leave out":
            self.distrusted = self._look_for_swapped()
        try:
            for chunk in self.source.chunks():
                yield from self._take(chunk)
        except JobError as error:
            raise error if isinstance(error, Unreadable) else Unreadable(str(error)) from error
        for one in self.series.values():
            if part := one.take(whole=True):
                yield part
        if not any(one.count for key, one in self.series.items() if key != TEMPERATURE):
            self._refuse_empty()

    def whole(self) -> Parsed:
        """Everything at once, in memory."""
        gathered: dict[str, list[Readings]] = {}
        for part in self.parts():
            gathered.setdefault(part.key, []).append(part.readings)
        parsed = self.parsed()
        weather = _together(gathered.get(TEMPERATURE, []))
        degrees = Temperature(weather.times, weather.values) if len(weather.times) else None
        series = tuple(
            replace(one, readings=_together(gathered.get(one.key, [])), temperature=degrees) for one in parsed.series
        )
        return replace(parsed, series=series)

    def parsed(self) -> Parsed:
        """What was found, once all parts were taken."""
        twice = self._twice()
        found = None if self.source.surely_dated else swapped.find(self.days, twice)
        reasons = swapped.reasons(found, twice) if found else []
        if self.tally["other order"].count:
            reasons.append(MIXED)
        oddities = telling.of_file(self.tally, self.layout, self.hints, found, reasons)
        series = tuple(
            telling.of_series(one, self.hints, self._title(key), self.source.used.get(key, set()), reasons)
            for key, one in self.series.items()
            if key != TEMPERATURE and one.count
        )
        return Parsed(self.layout, series, (*self.layout.asks, *oddities), self.source.rows)

    def _take(self, chunk: Chunk) -> Iterator[Part]:
        chunk = self._trusted(chunk)
        if chunk.key not in self.series:
            if len(self.series) >= MOST_SERIES:
                raise Unreadable(TOO_MANY.format(MOST_SERIES))
            ends = self.layout.stamps == "end" and chunk.key != TEMPERATURE
            self.series[chunk.key] = Series(
                chunk.key, chunk.name, self.hints, ends=ends, kind=self.source.kinds.get(chunk.key, "")
            )
        one = self.series[chunk.key]
        before = one.held
        one.add(chunk)
        self.held += one.held - before
        if one.full or self.held > HELD:
            yield from self._settled()

    def _settled(self) -> Iterator[Part]:
        """What can be settled of the series that holds most."""
        largest = max(self.series.values(), key=lambda each: each.held)
        before = largest.held
        part = largest.take(whole=False)
        self.held += largest.held - before
        if part:
            yield part

    def _trusted(self, chunk: Chunk) -> Chunk:
        """Remembers the days; leaves out those that somebody chose to leave out."""
        if self.distrusted:
            chunk = self._without(chunk)
        if len(chunk.days) and not self.source.surely_dated and chunk.key != TEMPERATURE:
            starts = np.flatnonzero(np.diff(chunk.days, prepend=chunk.days[0] - 1))
            for day, line in zip(chunk.days[starts].tolist(), chunk.lines[starts].tolist(), strict=True):
                self.days.add(day, line)
        return chunk

    def _without(self, chunk: Chunk) -> Chunk:
        kept = ~np.isin(chunk.days, list(self.distrusted))
        if chunk.key != TEMPERATURE:
            self.tally["left out"].add(chunk.lines[~kept].tolist())
        return Chunk(
            chunk.key, chunk.name, chunk.lines[kept], chunk.wall[kept], chunk.offset[kept], chunk.values[kept],
            chunk.power, chunk.days[kept],
        )  # fmt: skip

    def _look_for_swapped(self) -> frozenset[int]:
        """Which days must not be trusted; the file is read once more for it."""
        other = Reader(self.path, replace(self.hints, swapped=""))
        for _part in other.parts():
            pass
        found = None if other.source.surely_dated else swapped.find(other.days, other._twice())
        return found.days if found else frozenset()

    def _title(self, key: str) -> str:
        """What stands above a series' values; of those without a header, their own name."""
        at = self.layout.at("value")
        return self.layout.columns[at].title if at is not None and not self.layout.wide else key

    def _twice(self) -> dict[int, set[int]]:
        """Days as written that hold several different readings for one time, with their lines."""
        found: dict[int, set[int]] = {}
        for one in self.series.values():
            for day, lines in one.twice.items():
                found.setdefault(day, set()).update(lines)
        return found

    def _refuse_empty(self) -> None:
        if self.tally["empty"].count and not self.tally["number"].count:
            raise Unreadable(NOTHING.format(self.source.rows))
        told = telling.first_trouble(self.tally, self.series.values())
        raise Unreadable(NO_READINGS.format(told or "Look at its columns."))


def _together(parts: list[Readings]) -> Readings:
    """Parts as one; where they overlap, what comes later in the file counts."""
    if not parts:
        return Readings(np.empty(0, np.int64), np.empty(0, np.int64))
    times = np.concatenate([part.times for part in parts])
    values = np.concatenate([part.values for part in parts])
    if len(parts) > 1 and bool((np.diff(times) <= 0).any()):
        order = np.argsort(times, kind="stable")
        times, values = times[order], values[order]
        last = np.append(times[1:] != times[:-1], True)
        times, values = times[last], values[last]
    return Readings(times, values)
