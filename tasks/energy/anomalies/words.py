"""What an anomaly looks like, in a sentence or two of plain English. Pure."""

from typing import TYPE_CHECKING

from tasks.energy.anomalies.shifts import Shift
from tasks.energy.anomalies.spikes import Event
from tasks.metering import wording
from tasks.metering.usage import Usage

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Whole = NDArray[np.int64]

YEAR = 365.2425


def spike(usage: Usage, one: Event) -> str:
    """How much was used, how much was to be expected, how many times that is."""
    used, usual = float(usage.kwh[one.first : one.past].sum()), float(one.expected.sum())
    only = "Only " if used < usual else ""
    return f"{only}{wording.energy(used)}, where {wording.energy(usual)} were to be expected{_times(used, usual)}."


def _times(used: float, usual: float) -> str:
    if usual <= 0 or used < 0:
        return ""
    if used >= 2 * usual:
        return f" ({used / usual:,.1f} times as much)"
    return f" ({abs(used / usual - 1):.0%} {'more' if used > usual else 'less'})"


def flat(usage: Usage, borders: "Whole", first: int, past: int, usual: "Floats") -> str:
    """Which value repeats, how often, and what that means."""
    value, each = float(usage.kwh[first]), f"each {wording.every(usage.step)}"
    if value == 0:
        what, hint = f"0 kWh {each}", "the current was off, or the meter does not measure"
    else:
        what, hint = f"the same {wording.energy(value)} {each}", "it seems to repeat its last reading"
    length = wording.length(int(borders[past]) - int(borders[first]))
    there = f" {wording.energy(float(usual.sum()))} were to be expected." if abs(float(usual.sum())) > 0 else ""
    return f"The meter says {what}, for {length}: {hint}.{there}"


def missing(usage: Usage, borders: "Whole", first: int, past: int, ends: bool) -> str:
    """From when to when, how long, what was filled in, and what the cleaning knows of it."""
    start, end = int(borders[first]), int(borders[past])
    length = wording.length(end - start)
    filled = wording.energy(float(usage.kwh[first:past].sum()))
    why = next((one.text for one in usage.findings if _explains(one.kind, one.start, one.end, start, end)), "")
    when = wording.span(start, end, usage.zone) if ends else f"since {wording.moment(start, usage.zone)}"
    return f"Nothing was measured {when} ({length}); about {filled} were used. {why}".strip()


def _explains(kind: str, start: int, end: int, first: int, last: int) -> bool:
    return kind in ("units", "outlier") and start < last and end >= first


def shift(usage: Usage, borders: "Whole", first: int, past: int, one: Shift, slots: int, before: float) -> str:
    """By how much a day, from what level, until when."""
    higher = "more" if one.size > 0 else "less"
    change = wording.energy(abs(one.size) * slots)
    share = f", {abs(one.size / before):.0%}" if before > 0 else ""
    start = wording.day(int(borders[first]), usage.zone)
    text = f"Since {start} {change} {higher} a day than before{share}, weather and season allowed for."
    if one.past is None:
        return text
    return f"From {start} to {wording.day(int(borders[past]), usage.zone)} {change} {higher} a day than before{share}."


def base(usage: Usage, start: int, one: Shift, before: float) -> str:
    """By how much the nights' least rose, and what that is in a year."""
    year = wording.energy(one.size * 24 * YEAR)
    text = f"Since about {wording.day(start, usage.zone)} the base load at night is {_watts(one.size)} higher"
    level = f" (before: {_watts(before)})" if before > 0 else ""
    return f"{text}{level}: something runs all the time that did not. In a year that is {year}."


def _watts(kilowatts: float) -> str:
    return f"{kilowatts * 1000:,.0f} W" if abs(kilowatts) < 1 else f"{kilowatts:,.1f} kW"
