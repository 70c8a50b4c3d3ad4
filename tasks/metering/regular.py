"""Readings made regular when they are read: one value for each step, holes filled and marked, everything said. Pure.

What a meter sent is kept as it came; this is the one place where it is cleaned, so that a better rule tomorrow cleans
the past too.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from tasks.metering import cadence, counters, intervals, oddities, wording
from tasks.metering.coarser import to_days, to_hours, to_months
from tasks.metering.filling import SHORT, filled_in
from tasks.metering.grid import WHOLE, Pieces, edges, laid, runs
from tasks.metering.usage import Finding, Readings, Usage

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["best_step", "regular", "steps_of", "to_days", "to_hours", "to_months"]

_COUNTER = "counter"  # as models.meter has it
MOST = 50  # findings of one kind that are told one by one


def best_step(readings: Readings) -> int:
    """The step in which these readings are best reckoned, in seconds: a quarter or half of an hour, an hour, a day or a
    month. An hour where there are fewer than three."""
    return cadence.best_step(readings.times)


def steps_of(step: int, readings: Readings) -> int:
    """Seconds of the steps that usage is reckoned in: the meter's own, or what its readings show."""
    return step if step in cadence.STEPS else best_step(readings)


def regular(
    readings: Readings, *, kind: str, step: int, zone: str, rolls_at: int | None = None, end: int | None = None
) -> Usage:
    """What the meter used in each step.

    The first and, without `end`, the last step are left out where they were not measured whole (nine tenths at least).
    Inside, the energy of the readings is kept to the milliwatt-hour: the sum over a counter's steps is its last value
    minus its first, plus what resets and rollovers hid. Steps of which less than nine tenths were measured are marked
    as filled: short holes by a straight line, longer ones by the same step of the weeks around, gaps of a counter by
    an even share of what it counted in them.

    Args:
        readings: as stored. None at all give a Usage without steps.
        kind: "interval" or "counter".
        step: seconds: a divisor of an hour, an hour, or tasks.energy.series.DAY or MONTH.
        zone: IANA time zone.
        rolls_at: of a counter: the milliwatt-hours at which it begins again from zero, if that is known.
        end: up to when steps are wanted (epoch seconds); those after the last reading are filled. None: to its end.

    Raises:
        ValueError: the times lie so far apart that one of them must be wrong; the text is for people.
        zoneinfo.ZoneInfoNotFoundError: there is no such zone.
    """
    readings, found = oddities.tidy(readings, zone)
    if not len(readings.times):
        return _none(step, zone, found)
    made, more = (
        counters.pieces(readings, step, zone, rolls_at) if kind == _COUNTER else intervals.pieces(readings, step, zone)
    )
    found += more
    if not len(made.begin):
        return _none(step, zone, found)
    usage = _laid(made, step, zone, end)
    return replace(usage, findings=_told([*found, *_gaps(usage)], zone))


def _none(step: int, zone: str, found: list[Finding]) -> Usage:
    none = np.zeros(0)
    return Usage(none.astype(np.int64), none, none.astype(bool), step, zone, tuple(found))


def _laid(made: Pieces, step: int, zone: str, end: int | None) -> Usage:
    borders = edges(int(made.begin[0]), max(end or int(made.end[-1]), int(made.begin[0]) + 1), step, zone)
    if end is not None:
        borders = borders[: max(1, int(np.searchsorted(borders, end, "right")))]
    if len(borders) < 2:
        return _none(step, zone, [])
    kwh, known, measured = laid(made, borders)
    first = int(known[0] < WHOLE)
    past = len(kwh) - int(end is None and known[-1] < WHOLE)
    if first >= past:
        return _none(step, zone, [])
    keep = slice(first, past)
    kwh, known, measured, times = kwh[keep], known[keep], measured[keep], borders[:-1][keep]
    whole = _completed(kwh, known, times, step, zone)
    return Usage(times, whole, measured < WHOLE, step, zone)


def _completed(
    kwh: "NDArray[np.float64]", known: "NDArray[np.float64]", times: "NDArray[np.int64]", step: int, zone: str
) -> "NDArray[np.float64]":
    """What is known of a step and, for the rest of it, what was to be expected."""
    share = np.where(known < WHOLE, 0.0, known)
    guess = filled_in(kwh, share, times, step, zone)
    partly = known < WHOLE
    scaled = kwh / np.where(partly, 1.0, known)
    return np.where(partly, kwh + (1.0 - known) * guess, scaled)


def _gaps(usage: Usage) -> list[Finding]:
    """A finding for each run of steps that nothing was measured in."""
    found = []
    for first, past in runs(usage.filled):
        start = int(usage.times[first])
        end = int(usage.times[past]) if past < len(usage.times) else start + int(past - first) * usage.step
        short = end - start <= SHORT or past - first == 1
        how = "filled by a straight line" if short else "filled by what the weeks around show, or by what was counted"
        text = f"Nothing was measured {wording.span(start, end, usage.zone)} "
        text += f"({wording.length(end - start)}): {how}, and marked."
        found.append(Finding("gap", start, end, int(past - first), text))
    return found


def _told(found: list[Finding], zone: str) -> tuple[Finding, ...]:
    """In order of time; of more than MOST of one kind the longest, and how many more there are."""
    kept: list[Finding] = []
    for kind in {one.kind for one in found}:
        own = sorted((one for one in found if one.kind == kind), key=lambda one: one.start - one.end)
        kept += own[:MOST]
        if len(own) > MOST:
            first, last = min(one.start for one in own), max(one.end for one in own)
            steps = sum(one.steps for one in own[MOST:])
            text = f"{len(own) - MOST:,} more like this, shorter ones, dealt with in the same way, "
            text += f"between {wording.day(first, zone)} and {wording.day(last, zone)}."
            kept.append(Finding(kind, first, last, steps, text))
    return tuple(sorted(kept, key=lambda one: (one.start, one.end, one.kind)))
