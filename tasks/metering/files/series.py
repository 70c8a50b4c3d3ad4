"""One series while its file is read: gathers readings, settles half a million at a time, remembers what it saw."""

import numpy as np

from tasks.metering.files import headers, numbers, settling, turns
from tasks.metering.files.chunk import TEMPERATURE, Chunk
from tasks.metering.files.found import Hints, Part
from tasks.metering.files.settling import DAY, MONTH, Rows, Values, Whole
from tasks.metering.files.tally import Tally
from tasks.metering.merging import AHEAD, EARLIEST, MINUTE
from tasks.metering.usage import Readings

SLICE = 100_000  # readings that are settled together
FEW = 10
RISING = 0.97  # of a counter's steps that do not go back


class Series:
    """Takes chunks in, gives parts out.

    Args:
        key, name: of the series.
        ends: whether times are the ends of their intervals.
        kind: what the file itself says of it, such as that it counts on (Home Assistant's sum).
    """

    def __init__(self, key: str, name: str, hints: Hints, *, ends: bool, kind: str = "") -> None:
        self.key, self.name, self.hints, self.ends = key, name, hints, ends
        self.tally = Tally()
        self.kind, self.evidence = kind, ""
        self.waiting: list[Rows] = []
        self.held = self.count = self.step = 0
        self.newest_first: bool | None = None
        self.first: int | None = None
        self.last: int | None = None
        self.power = False
        self.falls = self.moves = self.zeros = self.negative = 0
        self.least, self.most = 0, 0
        self.edge: int | None = None  # the last value that was settled
        self.turn_at: float | None = None
        self.twice: dict[int, set[int]] = {}  # days as written with several readings for one time, and their lines

    def add(self, chunk: Chunk) -> None:
        self.power = self.power or chunk.power
        if len(chunk.lines):
            self.waiting.append(Rows(chunk.lines, chunk.wall, chunk.offset, chunk.values))
            self.held += len(chunk.lines)

    @property
    def full(self) -> bool:
        return self.held >= SLICE

    def take(self, *, whole: bool) -> Part | None:
        """What can be settled now: all of it at the file's end, before that all but a day."""
        if not self.waiting:
            return None
        rows = settling.joined(self.waiting)
        if self.newest_first is None:
            moves = np.diff(rows.wall)
            self.newest_first = bool((moves < 0).sum() > (moves > 0).sum())
        if self.newest_first:
            rows = rows.take(slice(None, None, -1))
        rows, rest = (rows, None) if whole else self._hold_back(rows)
        self.waiting = [rest.take(slice(None, None, -1)) if self.newest_first else rest] if rest is not None else []
        self.held = len(rest.lines) if rest is not None else 0
        return self._settled(rows)

    def _hold_back(self, rows: Rows) -> tuple[Rows, Rows | None]:
        """A whole day at the open end waits for what follows, so that no night and no repeat is cut in two."""
        if self.newest_first:
            cut = int(np.argmax(rows.wall >= (int(rows.wall.min()) // DAY + 2) * DAY))
            return (
                (rows.take(slice(cut, None)), rows.take(slice(0, cut)))
                if 0 < cut < len(rows.wall) // 2
                else (rows, None)
            )
        cut = int(np.argmax(rows.wall >= (int(rows.wall.max()) // DAY - 1) * DAY))
        return (rows.take(slice(0, cut)), rows.take(slice(cut, None))) if cut > len(rows.wall) // 2 else (rows, None)

    def _settled(self, rows: Rows) -> Part | None:
        rows = self._small_enough(rows)
        if not self.step:
            self.step = settling.step_of(np.sort(rows.wall))
        if self.ends and self.step and self.step % DAY == 0 and self.step != MONTH:
            rows.wall = rows.wall - self.step
        rows, utc = settling.moments(rows, self.hints, self.tally)
        if self.ends and self.step and self.step % DAY and self.step != MONTH and self.kind != "counter":
            utc = utc - self.step
        rows, utc = self._of_our_time(rows, utc)
        rows, utc = settling.in_order(rows, utc, self.tally)
        rows, utc = settling.once(rows, utc, self._rule(), self.tally, self.twice)
        if not len(utc):
            return None
        settling.holes(utc, rows.lines, self.step, self._edge_time(utc), self.tally)
        values = self._values(rows)
        self._remember(utc, values, rows.lines)
        return Part(self.key, self._by_minutes(utc, values))

    def _by_minutes(self, utc: Whole, values: Whole) -> Readings:
        """Nothing finer than a minute is kept: intervals are added up, of a counter the last reading stays."""
        if self.key == TEMPERATURE or len(utc) < 2 or int(np.diff(utc).min()) >= MINUTE:
            return Readings(utc, values)
        minutes = utc // MINUTE
        first = np.append(True, minutes[1:] != minutes[:-1])
        self.tally["minutes"].add([], int((~first).sum()))
        if self.judge(self.name)[0] == "counter":
            last = np.append(first[1:], True)
            return Readings(utc[last], values[last])
        return Readings(minutes[first] * MINUTE, np.add.reduceat(values, np.flatnonzero(first)))

    def _small_enough(self, rows: Rows) -> Rows:
        big = np.abs(rows.values) > numbers.LARGEST
        self.tally.note("large", rows.lines[big].tolist())
        return rows.take(~big) if big.any() else rows

    def _of_our_time(self, rows: Rows, utc: Whole) -> tuple[Rows, Whole]:
        """What cannot have been measured yet, or was before there were such files, is refused."""
        odd = utc < EARLIEST
        if self.hints.now:
            odd |= utc > self.hints.now + AHEAD
        self.tally["future"].add(rows.lines[odd].tolist())
        return (rows.take(~odd), utc[~odd]) if odd.any() else (rows, utc)

    def _rule(self) -> str:
        """ "Last" is of the file's lines; rows that came newest first stand the other way round by now."""
        rule = self.hints.repeats or "last"
        return {"last": "first", "first": "last"}.get(rule, rule) if self.newest_first else rule

    def _edge_time(self, utc: Whole) -> int | None:
        """Where the part before this one ended; parts that come newest first have no such edge."""
        if self.last is None or self.newest_first:
            return None
        if int(utc[0]) <= self.last:
            self.tally["late"].add([], int((utc <= self.last).sum()))
            return None
        return self.last

    def _values(self, rows: Rows) -> Whole:
        values = rows.values
        if self.power and self.key != TEMPERATURE:
            values = values * ((self.step or 3600) / 3600)
        if self.key != TEMPERATURE:
            values = self._turned(values, rows.lines)
        return np.rint(values).astype(np.int64)

    def _turned(self, values: Values, lines: Whole) -> Values:
        """Where kWh and Wh come by turns, the larger are told of, and divided where somebody chose that."""
        if self.turn_at is None:
            self.turn_at = turns.threshold(values, rising=_rising(values))
        if self.turn_at is None:
            return values
        large = np.abs(values) > self.turn_at
        self.tally["turns"].add(lines[large].tolist())
        return np.where(large, values / 1000, values) if self.hints.turns == "divide" else values

    def _even(self, values: Whole) -> Whole:
        """Values in one unit, to see how they rise and fall."""
        if self.turn_at is None or self.hints.turns == "divide":
            return values
        return np.where(np.abs(values) > self.turn_at, values // 1000, values)

    def _remember(self, utc: Whole, values: Whole, lines: Whole) -> None:
        self.count += len(utc)
        self.first = min(int(utc[0]), self.first) if self.first is not None else int(utc[0])
        self.last = max(int(utc[-1]), self.last) if self.last is not None else int(utc[-1])
        low, high = int(values.min()), int(values.max())
        self.least, self.most = (low, high) if self.edge is None else (min(low, self.least), max(high, self.most))
        even = self._even(values)
        steps = np.diff(even, prepend=even[0] if self.edge is None or self.newest_first else self.edge)
        self.moves += int((steps != 0).sum())
        self.falls += int((steps < 0).sum())
        self.zeros += int((values == 0).sum())
        self.negative += int((values < 0).sum())
        self.tally["negative"].add(lines[values < 0].tolist())
        self.tally["fall"].add(lines[steps < 0].tolist())
        for before, after in _falls(values, steps):
            self.tally["fall"].say(f"{before}|{after}")
        self.edge = int(even[-1])

    def judge(self, title: str) -> tuple[str, str, bool]:
        """Counter or interval, why that is thought, and whether it is only a guess that a person must confirm."""
        if self.hints.kind:
            return self.hints.kind, "as you chose", False
        if self.kind:
            return self.kind, "as the file says", False
        word_kind, word = headers.kind_of(title)
        rises = self.moves - self.falls
        counts_on = self.falls <= (1 - RISING) * max(self.moves, 1) and rises > 0
        high = self.least > 0 and (self.most - self.least) / max(rises, 1) * 3 < self.most
        if self.count >= FEW and counts_on and (high or self.count >= 50):
            return "counter", f"its values only ever rise ({self.falls:,} of {self.moves:,} changes go down)", False
        if self.count >= FEW and not counts_on:
            return "interval", f"its values rise and fall ({self.falls:,} of {self.moves:,} changes go down)", False
        if word_kind:
            return word_kind, f"its header says “{word}”", False
        return "interval", "its few values tell nothing", self.count > 1 and self.moves > 0


def _rising(values: Values) -> bool:
    steps = np.diff(values)
    return bool(len(steps) > 2 and (steps < 0).sum() <= (1 - RISING) * len(steps) + 2 and (steps >= 0).mean() > 0.5)


def _falls(values: Whole, steps: Whole) -> list[tuple[int, int]]:
    places = np.flatnonzero(steps < 0)[:3].tolist()
    return [(int(values[at - 1]), int(values[at])) for at in places if at]
