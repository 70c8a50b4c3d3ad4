"""Green Button files (NAESB REQ.21, ESPI): Atom entries that point at one another, several meters in one file.

The file is read twice, so that what a reading type says is known wherever in the file it stands: first its entries
without their readings, then the readings.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tasks.metering.files.chunk import Chunk
from tasks.metering.files.espi import ESPI, Leaf, leaves
from tasks.metering.files.found import Hints, Layout, Unreadable
from tasks.metering.files.tally import Tally

WH, W = 72, 38  # units of measure
UNITS = {71: "VAh", 73: "VArh", 61: "VA", 63: "VAr", 42: "m³", 119: "ft³", 132: "BTU", 169: "therms", 29: "V", 5: "A",
         128: "US gallons", 134: "litres"}  # fmt: skip
CUMULATIVE = (1, 3, 9)  # accumulation behaviours: bulk quantity, cumulative, summation
ESTIMATED = {"7", "8", "9", "10", "12", "13"}  # qualities: edited, estimated, questionable, projected, mixed
REVERSE = 19
AT_ONCE = 60_000
MOST_ENTRIES = 100_000
MOST_DIGITS = 18
NO_METERS = "This Green Button file holds no readings: only {}. Ask for the file with interval data."
TOO_MANY = "This Green Button file has more than {:,} entries; ask for a shorter time."


@dataclass(slots=True)
class Entry:
    """An Atom entry: what it is, its addresses and what it points at."""

    kind: str = ""
    own: str = ""
    up: str = ""
    related: list[str] = field(default_factory=list)
    title: str = ""
    said: dict[str, str] = field(default_factory=dict)
    number: int = 0


@dataclass(frozen=True, slots=True)
class Type:
    """What a reading type says: mWh (or mW) of one unit of its values."""

    factor: float
    power: bool
    counter: bool
    length: int
    reverse: bool
    foreign: str = ""


class GreenButton:
    """See `formats.Source`."""

    surely_dated = True

    def __init__(self, path: Path, hints: Hints, tally: Tally) -> None:
        self.path, self.hints, self.tally = path, hints, tally
        self.layout = Layout("green button", dates="ymd")
        self.rows = self.line = 0
        self.used: dict[str, set[str]] = {}
        self.kinds: dict[str, str] = {}
        self.blocks = self._survey()

    @property
    def single(self) -> bool:
        return len({key for key, _type in self.blocks.values()}) == 1

    def _survey(self) -> dict[int, tuple[str, Type]]:
        """The key and the type of each entry that holds interval blocks, by its number."""
        entries = [entry for entry in self._entries() if entry.kind]
        by_address = {entry.own: entry for entry in entries if entry.own}
        types = {entry.own: _type(entry.said) for entry in entries if entry.kind == "ReadingType"}
        found = {}
        only = next(iter(types.values())) if len(types) == 1 else None
        points = {entry.own: entry for entry in entries if entry.kind == "UsagePoint"}
        for entry in entries:
            if entry.kind == "IntervalBlock":
                meter = _parent(entry, by_address, "MeterReading")
                typed = _type_of(meter, types) or _type_of(entry, types) or only or _type({})
                found[entry.number] = (self._name(meter, points, typed), typed)
        if not found:
            kinds = sorted({entry.kind for entry in entries}) or ["no entries"]
            raise Unreadable(NO_METERS.format(", ".join(kinds)))
        return found

    def _name(self, meter: Entry | None, points: dict[str, Entry], typed: Type) -> str:
        """A point's own words, with what tells two series of one point apart."""
        point = next((each for own, each in points.items() if meter and own and meter.own.startswith(own)), None)
        name = next((each.title for each in (point, meter) if each and each.title), "") or self.hints.name
        if len(points) > 1 and point is not None:
            name = f"{name} {point.own.rstrip('/').rpartition('/')[2]}"[:120]
        many = meter.own.rstrip("/").rpartition("/")[2] if meter and meter.own else ""
        return f"{name} (fed in)" if typed.reverse else name if many in ("", "1", "01") else f"{name} {many}"[:140]

    def _entries(self) -> Iterator[Entry]:
        entry, number = Entry(), 0
        for what, (path, text, attributes) in leaves(self.path):
            if "entry" not in path:
                continue
            if what == "end" and path[-1] == "entry":
                number += 1
                if number > MOST_ENTRIES:
                    raise Unreadable(TOO_MANY.format(MOST_ENTRIES))
                entry.number = number
                yield entry
                entry = Entry()
            elif "IntervalReading" not in path:
                _gather(entry, path, text, attributes)
            else:
                entry.kind = "IntervalBlock"

    def chunks(self) -> Iterator[Chunk]:
        """The readings, block by block."""
        number = 1
        waiting: list[tuple[int, float]] = []
        reading: dict[str, str] = {}
        length = 0
        for what, leaf in leaves(self.path):
            path, text, _attributes = leaf
            name = path[-1]
            if what == "end" and name == "entry":
                yield from self._block(number, waiting, length)
                waiting, number = [], number + 1
            elif what == "end" and name == "IntervalReading":
                length = self._reading(reading, waiting) or length
                reading = {}
                if len(waiting) >= AT_ONCE:
                    yield from self._block(number, waiting, length)
                    waiting = []
            elif what == "leaf" and "IntervalReading" in path:
                reading[name] = text

    def _reading(self, said: dict[str, str], waiting: list[tuple[int, float]]) -> int:
        """One reading; its duration in seconds."""
        self.rows += 1
        self.line = self.rows
        start, value = _whole(said.get("start", "")), _whole(said.get("value", ""))
        if start is None:
            self.tally.note("time", [self.rows], said.get("start", "no start"))
        elif value is None:
            self.tally.note("number" if said.get("value") else "empty", [self.rows], said.get("value", ""))
        if start is None or value is None:
            return 0
        waiting.append((start, float(value)))
        if said.get("quality") in ESTIMATED:
            self.tally["estimated"].add([self.rows])
        duration = said.get("duration", "")
        return int(duration) if duration.isdecimal() and len(duration) < 9 else 0

    def _block(self, number: int, waiting: list[tuple[int, float]], length: int) -> Iterator[Chunk]:
        known = self.blocks.get(number)
        if not waiting or known is None:
            return
        key, typed = known
        lines = np.arange(self.rows - len(waiting) + 1, self.rows + 1)
        if typed.foreign:
            self.tally.note("other kind", lines.tolist(), f"{key}: {typed.foreign}")
            return
        self.used.setdefault(key, set()).add("W" if typed.power else "Wh")
        if typed.counter:
            self.kinds[key] = "counter"
        elif typed.length or length:
            self.kinds[key] = "interval"
        times = np.array([start for start, _value in waiting], np.int64)
        good = (times > 0) & (times < 2**33)
        self.tally.note("time", lines[~good].tolist(), "a time that is none")
        values = np.array([value for _start, value in waiting]) * typed.factor
        zero = np.zeros(int(good.sum()), np.int64)
        days = times[good] // 86_400
        yield Chunk(key, key, lines[good], times[good], zero, values[good], typed.power, days)


def _whole(text: str) -> int | None:
    """A number that 64 bits hold, as times and values here are; None for all else."""
    try:
        return int(text) if len(text) <= MOST_DIGITS else None
    except ValueError:
        return None


def _gather(entry: Entry, path: tuple[str, ...], text: str, attributes: dict[str, str]) -> None:
    name = path[-1]
    if name == "link":
        relation, address = attributes.get("rel", ""), attributes.get("href", "")[:500]
        if relation == "self":
            entry.own = address
        elif relation == "up":
            entry.up = address
        elif relation == "related" and len(entry.related) < 20:
            entry.related.append(address)
    elif name == "title" and path[-2] == "entry":
        entry.title = " ".join(text.split())[:80]
    if "content" in path:
        inside = path[path.index("content") + 1 :]
        if inside and not entry.kind:
            entry.kind = inside[0]
        if len(inside) > 1 and len(entry.said) < 60:
            entry.said[name] = text


def _parent(entry: Entry, known: dict[str, Entry], kind: str) -> Entry | None:
    """Whom it belongs to: `up` names the collection, whose address begins with the owner's."""
    for address in (entry.up, entry.own):
        while address:
            found = known.get(address)
            if found is not None and found.kind == kind:
                return found
            address = address.rpartition("/")[0]
    some = [each for each in known.values() if each.kind == kind]
    return some[0] if len(some) == 1 else None


def _type_of(entry: Entry | None, types: dict[str, Type]) -> Type | None:
    return next((types[address] for address in entry.related if address in types), None) if entry else None


def _type(said: dict[str, str]) -> Type:
    def number(name: str, default: int) -> int:
        text = said.get(name, "")
        return int(text) if text.lstrip("-").isdecimal() and len(text) < 10 else default

    uom, power_of_ten = number("uom", WH), max(-12, min(number("powerOfTenMultiplier", 0), 12))
    foreign = "" if uom in (WH, W) else UNITS.get(uom, f"unit {uom}")
    return Type(
        factor=1e3 * 10.0**power_of_ten,
        power=uom == W,
        counter=number("accumulationBehaviour", 4) in CUMULATIVE,
        length=number("intervalLength", 0),
        reverse=number("flowDirection", 1) == REVERSE,
        foreign=foreign,
    )


__all__ = ["ESPI", "GreenButton", "Leaf"]
