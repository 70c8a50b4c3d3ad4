"""All that is wrong in a meter's usage: spikes, lines, changes of level, holes, a rising base load, resets. Pure."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from tasks.energy.anomalies import base_load, flat, shifts, spikes, words
from tasks.energy.anomalies.found import Found, Kind, Price
from tasks.energy.anomalies.model import Expected, expected
from tasks.energy.series import DAY, HOUR
from tasks.metering.grid import edges, runs
from tasks.metering.usage import Usage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["Found", "Kind", "Price", "find"]

DAYS = 5  # the least that shows what is usual
MOST = 200  # of the newest: no list is read further
_HOLE = 3 * HOUR  # a shorter one is no news
_SHIFT = 0.05  # of the usual energy: a smaller change of level is none


def find(
    usage: Usage,
    *,
    temperature: "Floats | None" = None,
    holidays: frozenset[date] = frozenset(),
    price: Price | None = None,
) -> tuple[Found, ...]:
    """What is wrong, in order of time; of more than MOST the newest.

    Filled steps are never judged. What is expected comes from a robust regression on the usage itself (see `model`);
    fewer than two weeks, and steps of months, are looked through for holes, lines and resets alone.

    Args:
        usage: steps of an hour or less, of a day, or of a month.
        temperature: [n] degrees Celsius beside its steps, NaN where unknown. With it a heat wave is no anomaly.
        holidays: local dates that are free.
        price: what so many kWh in these steps cost, for the damage.
    """
    if not len(usage.times):
        return tuple(_resets(usage))
    lines = flat.lines(usage)
    judged = usage.filled.copy()
    for first, past in lines:
        judged[first:past] = True
    calm = replace(usage, filled=judged)
    known = _known(calm, temperature, holidays)
    look = _Look(usage, price, _usual(calm, known))
    found = [*_resets(usage), *look.missing(), *look.flat(lines)]
    if known is not None:
        found += look.judged(calm, known)
    return tuple(sorted(found, key=lambda one: (one.start, one.kind))[-MOST:])


def _known(usage: Usage, temperature: "Floats | None", holidays: frozenset[date]) -> Expected | None:
    days = (int(usage.times[-1]) - int(usage.times[0])) / DAY
    if usage.step > DAY or days < DAYS or (~usage.filled).sum() * usage.step < DAYS * DAY / 2:
        return None
    return expected(usage, temperature, holidays)


def _usual(usage: Usage, known: Expected | None) -> "Floats":
    """[n] what was to be expected of each step, as well as can be said."""
    if known is not None:
        return known.flat(known.model)
    there = ~usage.filled
    return np.full(len(usage.kwh), float(np.mean(usage.kwh[there])) if there.any() else 0.0)


def _resets(usage: Usage) -> Iterator[Found]:
    for one in usage.findings:
        if one.kind == "reset":
            yield Found("reset", one.start, one.end, None, None, one.text)


class _Look:
    """One usage looked at: makes what is told of what the parts found."""

    def __init__(self, usage: Usage, price: Price | None, usual: "Floats") -> None:
        self.usage, self.price, self.usual = usage, price, usual
        last = int(usage.times[-1])
        self.borders = np.append(usage.times, edges(last, last + 1, usage.step, usage.zone)[1])

    def _found(
        self, kind: Kind, first: int, past: int, usual: "Floats", text: str, *, ends: bool = True, hole: bool = False
    ) -> Found:
        """Of steps first to past (not counted), with the damage."""
        own = self.usage.kwh[first:past]
        more = own if hole else own - usual
        cost = float(self.price(self.usage.times[first:past], more)) if self.price else None
        start, end = int(self.borders[first]), int(self.borders[past]) if ends else None
        return Found(kind, start, end, float(more.sum()), cost, text, self.usage.times[first:past], usual)

    def missing(self) -> Iterator[Found]:
        """Holes of some hours, two of them with next to nothing between taken as one."""
        holes: list[tuple[int, int]] = []
        for first, past in runs(self.usage.filled):
            if holes and first - holes[-1][1] <= 2:
                holes[-1] = (holes[-1][0], int(past))
            else:
                holes.append((int(first), int(past)))
        for first, past in holes:
            if self.borders[past] - self.borders[first] >= _HOLE:
                ends = past < len(self.usage.times)
                text = words.missing(self.usage, self.borders, first, past, ends)
                yield self._found("missing", first, past, self.usual[first:past], text, ends=ends, hole=True)

    def flat(self, lines: "NDArray[np.int64]") -> Iterator[Found]:
        """Lines, with what was to be expected instead."""
        for first, past in lines.tolist():
            usual = self.usual[first:past]
            ends = past < len(self.usage.times)
            text = words.flat(self.usage, self.borders, first, past, ends, usual)
            yield self._found("flat", first, past, usual, text, ends=ends)

    def judged(self, calm: Usage, known: Expected) -> list[Found]:
        """What stands out from the expectation."""
        events = spikes.events(calm, known)
        levels = list(self._shifts(known, events))
        found = [
            self._found("spike", one.first, one.past, one.expected, words.spike(self.usage, self.borders, one))
            for one in events
        ]
        return [*found, *levels, *self._base(calm, known, levels)]

    def _shifts(self, known: Expected, events: "list[spikes.Event]") -> Iterator[Found]:
        slots = known.kwh.shape[1]
        rest = known.residual.copy()
        for event in events:
            rest[known.day[event.first : event.past], known.slot[event.first : event.past]] = np.nan
        there = np.isfinite(rest)
        whole = there.sum(axis=1) >= 0.5 * slots
        daily = np.where(whole, np.where(there, rest, 0.0).sum(axis=1) / np.maximum(there.sum(axis=1), 1), np.nan)
        level = float(np.nanmean(np.abs(known.kwh)))
        for one in shifts.shifts(shifts.without_christmas(daily, known.ordinals), _SHIFT * level):
            first, past = self._steps(known, one)
            usual = self.usual[first:past] + one.before
            text = words.shift(self.usage, self.borders, first, past, one, slots, float(usual.mean()))
            yield self._found("shift", first, past, usual, text, ends=one.past is not None)

    def _steps(self, known: Expected, one: shifts.Shift) -> tuple[int, int]:
        last = len(known.ordinals) if one.past is None else one.past
        first, past = (int(at) for at in np.searchsorted(known.day, (one.first, last)))
        return first, past

    def _base(self, calm: Usage, known: Expected, levels: list[Found]) -> Iterator[Found]:
        """Rises of the base load that are not those of the whole level, which are told already."""
        taken = [one.start for one in levels]
        for one in base_load.rises(calm, known):
            first, past = self._steps(known, one)
            start = int(self.borders[first])
            if any(abs(start - other) <= 21 * DAY for other in taken):
                continue
            steps = self.usage.times[first:past]
            more = np.full(past - first, one.size * self.usage.step / HOUR)
            cost = float(self.price(steps, more)) if self.price else None
            before = float(np.nanmedian(base_load.nightly(calm, known)[: one.first]))
            text = words.base(self.usage, start, one, before)
            end = int(self.borders[past]) if one.past is not None else None
            yield Found(
                "base load", start, end, float(more.sum()), cost, text, steps, self.usage.kwh[first:past] - more
            )
