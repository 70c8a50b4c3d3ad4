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
from tasks.metering.coarser import to_hours
from tasks.metering.grid import edges, runs
from tasks.metering.usage import Usage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["Found", "Kind", "Price", "find"]

DAYS = 5  # the least that shows what is usual
MOST = 200  # of the newest: no list is read further
_HOLE = 3 * HOUR  # a shorter one is no news
_NEAR = 21  # days: as far apart may one thing be seen by day and by night
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
    hours = to_hours(calm) if usage.step < HOUR else calm
    known = _known(hours, _by_the_hour(usage, hours, temperature), holidays)
    look = _Look(usage, hours, price, _usual(calm, hours, known))
    found = [*_resets(usage), *look.missing(), *look.flat(lines)]
    if known is not None:
        found += look.judged(known)
    return tuple(sorted(found, key=lambda one: (one.start, one.kind))[-MOST:])


def _by_the_hour(usage: Usage, hours: Usage, temperature: "Floats | None") -> "Floats | None":
    """The temperature beside the hours: of the step with which each begins."""
    if temperature is None or len(hours.times) == len(usage.times):
        return temperature
    return np.asarray(temperature[np.searchsorted(usage.times, hours.times)])


def _known(usage: Usage, temperature: "Floats | None", holidays: frozenset[date]) -> Expected | None:
    if usage.step > DAY or not len(usage.times):
        return None
    days = (int(usage.times[-1]) - int(usage.times[0])) / DAY
    if days < DAYS or (~usage.filled).sum() * usage.step < DAYS * DAY / 2:
        return None
    return expected(usage, temperature, holidays)


def _usual(usage: Usage, hours: Usage, known: Expected | None) -> "Floats":
    """[n] what was to be expected of each step, as well as can be said."""
    if known is not None:
        at = np.clip(np.searchsorted(hours.times, usage.times, "right") - 1, 0, len(hours.times) - 1)
        return np.asarray(known.flat(known.model)[at] * (usage.step / hours.step))
    there = ~usage.filled
    return np.full(len(usage.kwh), float(np.mean(usage.kwh[there])) if there.any() else 0.0)


def _resets(usage: Usage) -> Iterator[Found]:
    for one in usage.findings:
        if one.kind == "reset":
            yield Found("reset", one.start, one.end, None, None, one.text)


class _Look:
    """One usage looked at: makes what is told of what the parts found in it, and in its hours."""

    def __init__(self, usage: Usage, hours: Usage, price: Price | None, usual: "Floats") -> None:
        self.usage, self.hours, self.price, self.usual = usage, hours, price, usual
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
            text = words.flat(self.usage, self.borders, first, past, usual)
            yield self._found("flat", first, past, usual, text, ends=ends)

    def judged(self, known: Expected) -> list[Found]:
        """What stands out from the expectation."""
        hours, days = spikes.hours(self.hours, known), spikes.days(self.hours, known)
        rises = base_load.rises(self.hours, known)
        changes = [one for one in self._changes(known, hours) if not any(self._same(one, rise) for rise in rises)]
        rises = [one for one in rises if not any(abs(one.first - other.first) <= _NEAR for other in changes)]
        levels = [self._shift(known, one) for one in changes]
        days = [one for one in days if not any(_within(self.hours, one, level) for level in levels)]
        hours = [one for one in hours if not any(day.first <= one.first < day.past for day in days)]
        return [*map(self._spike, [*hours, *days]), *levels, *self._base(known, rises)]

    def _same(self, change: shifts.Shift, rise: shifts.Shift) -> bool:
        """Whether another level is nothing but a higher base load, the same in all hours."""
        kilowatts = change.size * HOUR / self.hours.step
        return abs(change.first - rise.first) <= _NEAR and 0.6 < rise.size / kilowatts < 1.6

    def _spike(self, one: spikes.Event) -> Found:
        first, past = self._native(one.first), self._native(one.past)
        steps = np.searchsorted(self.hours.times, self.usage.times[first:past], "right") - 1 - one.first
        usual = one.expected[np.minimum(steps, len(one.expected) - 1)] * (self.usage.step / self.hours.step)
        own = spikes.Event(first, past, usual)
        return self._found("spike", first, past, usual, words.spike(self.usage, own))

    def _native(self, hour: int) -> int:
        """Which step of the usage an hour begins with."""
        if hour >= len(self.hours.times):
            return len(self.usage.times)
        return int(np.searchsorted(self.usage.times, self.hours.times[hour]))

    def _changes(self, known: Expected, events: "list[spikes.Event]") -> list[shifts.Shift]:
        """Changes of the days' level, without the hours that are told by themselves."""
        rest = known.residual.copy()
        for event in events:
            rest[known.day[event.first : event.past], known.slot[event.first : event.past]] = np.nan
        there = np.isfinite(rest)
        whole = there.sum(axis=1) >= 0.5 * rest.shape[1]
        daily = np.where(whole, np.where(there, rest, 0.0).sum(axis=1) / np.maximum(there.sum(axis=1), 1), np.nan)
        least = _SHIFT * float(np.nanmean(np.abs(known.kwh)))
        return shifts.shifts(shifts.without_christmas(daily, known.ordinals), least)

    def _shift(self, known: Expected, one: shifts.Shift) -> Found:
        share = self.usage.step / self.hours.step
        first, past = self._steps(known, one)
        usual = self.usual[first:past] + one.before * share
        level = float(usual.mean()) / share
        text = words.shift(self.usage, self.borders, first, past, one, known.kwh.shape[1], level)
        return self._found("shift", first, past, usual, text, ends=one.past is not None)

    def _steps(self, known: Expected, one: shifts.Shift) -> tuple[int, int]:
        last = len(known.ordinals) if one.past is None else one.past
        first, past = (int(at) for at in np.searchsorted(known.day, (one.first, last)))
        return self._native(first), self._native(past)

    def _base(self, known: Expected, rises: list[shifts.Shift]) -> Iterator[Found]:
        """Rises of the base load."""
        for one in rises:
            first, past = self._steps(known, one)
            steps = self.usage.times[first:past]
            more = np.full(past - first, one.size * self.usage.step / HOUR)
            cost = float(self.price(steps, more)) if self.price else None
            start, end = int(self.borders[first]), int(self.borders[past]) if one.past is not None else None
            before = float(np.nanmedian(base_load.nightly(self.hours, known)[: one.first]))
            text = words.base(self.usage, start, one, before)
            usual = self.usage.kwh[first:past] - more
            yield Found("base load", start, end, float(more.sum()), cost, text, steps, usual)


def _within(hours: Usage, one: spikes.Event, level: Found) -> bool:
    """Whether days are told already, as a part of another level."""
    first, last = int(hours.times[one.first]), int(hours.times[one.past - 1])
    return last > level.start - DAY and (level.end is None or first < level.end + DAY)
