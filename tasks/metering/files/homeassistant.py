"""Home Assistant's statistics as JSON: an object of lists by statistic, or one list, read an element at a time."""

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tasks.metering.files import stamps, units
from tasks.metering.files.chunk import Chunk
from tasks.metering.files.found import Hints, Layout, Unreadable
from tasks.metering.files.tally import Tally

PIECE, LONGEST = 1 << 16, 20_000
AT_ONCE = 20_000
FIELDS = ("sum", "state", "change", "mean")
KEY = re.compile(r'"((?:[^"\\]|\\.){1,200})"\s*:\s*\[')
BROKEN = "This JSON is damaged after {:,} statistics: an element is no object, or far too long. Export it again."


class Statistics:
    """See `formats.Source`."""

    surely_dated, single = True, False

    def __init__(self, path: Path, encoding: str, hints: Hints, tally: Tally) -> None:
        self.path, self.encoding, self.hints, self.tally = path, encoding, hints, tally
        self.layout = Layout("home assistant", encoding=encoding)
        self.rows = self.line = 0
        self.used: dict[str, set[str]] = {}
        self.kinds: dict[str, str] = {}
        self.fields: dict[str, str] = {}
        self.stamps = stamps.Stamps("ymd")

    def chunks(self) -> Iterator[Chunk]:
        waiting: dict[str, list[tuple[int, int, int, float]]] = {}
        count = 0
        for key, element in self._elements():
            self.rows += 1
            self.line = self.rows
            name = _text(element.get("statistic_id") or element.get("entity_id") or key or self.hints.name)
            if row := self._row(name, element):
                waiting.setdefault(name, []).append(row)
                count += 1
            if count >= AT_ONCE:
                yield from self._given(waiting)
                waiting, count = {}, 0
        yield from self._given(waiting)

    def _row(self, name: str, element: dict[str, Any]) -> tuple[int, int, int, float] | None:
        """Line, wall clock, offset and value; None for what is no reading."""
        unit = _text(element.get("unit_of_measurement") or element.get("unit") or "")[:20]
        if unit and not units.plain(unit):
            self.tally.note("foreign unit", [self.rows], f"{unit} ({name})")
            return None
        self.used.setdefault(name, set()).add(units.plain(unit) or self.hints.unit)
        wall, offset = self._time(element.get("start", element.get("start_ts", element.get("last_changed"))))
        if wall == stamps.NO_TIME:
            self.tally.note("time", [self.rows], _text(element.get("start"))[:40])
            return None
        value = self._value(name, element)
        if value is None:
            self.tally.note("empty", [self.rows])
            return None
        return self.rows, wall, offset, value

    def _time(self, given: object) -> tuple[int, int]:
        text = str(given)
        if isinstance(given, int | float) and not isinstance(given, bool):
            unit = stamps.epoch_unit([text])
            return (int(given / unit), 0) if unit else (int(stamps.NO_TIME), 0)
        wall, offset, _days = self.stamps.read([text])
        return int(wall[0]), int(offset[0])

    def _value(self, name: str, element: dict[str, Any]) -> float | None:
        """By the field that the first element of a statistic has: its sum goes on where a counter is reset."""
        chosen = self.fields.get(name) or next((each for each in FIELDS if _number(element.get(each)) is not None), "")
        if chosen and name not in self.fields:
            self.fields[name] = chosen
            self.kinds[name] = {"sum": "counter", "change": "interval"}.get(chosen, "")
        return _number(element.get(chosen)) if chosen else None

    def _given(self, waiting: dict[str, list[tuple[int, int, int, float]]]) -> Iterator[Chunk]:
        for name, rows in waiting.items():
            unit = next(iter(sorted(self.used[name] - {""})), "")
            columns = list(zip(*rows, strict=True))
            lines, wall, offset = (np.array(column, np.int64) for column in columns[:3])
            values = np.array(columns[3]) * units.factor(unit or "kWh")
            yield Chunk(name, name, lines, wall, offset, values, units.is_power(unit), wall // stamps.DAY)

    def _elements(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Each object inside a list, with the name of the list; no more of the file than one is in memory."""
        decoder = json.JSONDecoder()
        key, buffer, inside = "", "", False
        with self.path.open(encoding=self.encoding) as file:
            while True:
                piece = file.read(PIECE)
                buffer += piece
                while True:
                    if not inside:
                        found = KEY.search(buffer) or re.match(r"\s*\[", buffer)
                        if not found:
                            buffer = buffer[-300:] if self.rows or len(buffer) > LONGEST else buffer
                            break
                        key = found[1] if found.re is KEY else ""
                        buffer, inside = buffer[found.end() :], True
                    buffer = buffer.lstrip(" \r\n\t,")
                    if buffer.startswith("]"):
                        buffer, inside = buffer[1:], False
                        continue
                    if not buffer:
                        break
                    element, end = self._decoded(decoder, buffer, last=not piece)
                    if element is None:
                        break
                    yield key, element
                    buffer = buffer[end:]
                if not piece:
                    return

    def _decoded(self, decoder: json.JSONDecoder, buffer: str, *, last: bool) -> tuple[dict[str, Any] | None, int]:
        """The next object, or None where the rest of it is yet to be read."""
        closed = buffer.find("}") + 1
        if not buffer.startswith("{") or (closed == 0 and (last or len(buffer) > LONGEST)) or closed > LONGEST:
            raise Unreadable(BROKEN.format(self.rows))
        if closed == 0:
            return None, 0
        try:
            element, end = decoder.raw_decode(buffer[:closed])
        except (ValueError, RecursionError) as error:
            raise Unreadable(BROKEN.format(self.rows)) from error
        return element, end


def _number(value: object) -> float | None:
    try:
        found = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else math.nan
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def _text(value: object) -> str:
    """Words that every database keeps: JSON may write a NUL, and half a sign."""
    return str(value)[:160].replace("\0", "").encode("utf-8", "ignore").decode()
