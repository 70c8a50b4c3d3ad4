"""Readings of a counter as stretches of known energy: differences, over resets, rollovers and replaced meters. Pure.

As Home Assistant takes a `total_increasing` sensor: what falls by a tenth or more began again from zero, what falls by
less is an error of the sensor. Beyond that a rollover is told from a reset, and a lone wrong reading is left out.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tasks.metering import falls, oddities, wording
from tasks.metering.cadence import cadence
from tasks.metering.grid import Pieces
from tasks.metering.usage import Finding, Readings, Trouble

if TYPE_CHECKING:
    from numpy.typing import NDArray

_RESET = falls.RESET
_TOLD = 50  # lone readings and jumps that are told one by one
_FAST = 20  # times the fastest usual rate: what a house may draw at most
_JUMP = 1000  # times as fast: another meter took over
_DIGITS: list[int] = [10**k * 10**6 for k in range(3, 9)] + [
    2**32 * 1000,
    2**31 * 1000,
]  # mWh: 3 to 8 digits, or Wh in 32 bits
_NEARLY = 0.02  # of the range of the digits: so near to its end a counter stands before it rolls over
_GAP = 1.5  # times the usual interval


@dataclass(slots=True)
class _Steps:
    """What lies between two readings and the next."""

    energy: "NDArray[np.float64]"
    known: "NDArray[np.bool_]"
    found: list[Finding]


def pieces(readings: Readings, step: int, zone: str, rolls_at: int | None = None) -> tuple[Pieces, list[Finding]]:
    """The energy between each two readings. `readings` are tidy; of fewer than two there is none."""
    readings, found = oddities.one_counter_unit(readings, zone)
    readings, more = _without_lone(readings, zone, rolls_at)
    found += more
    times = readings.times
    if len(times) < 2:
        none = np.zeros(0, dtype=np.int64)
        return Pieces(none, none, none.astype(np.float64), none.astype(bool)), found
    between = _differences(readings, zone, rolls_at)
    apart = np.diff(times)
    own = cadence(times)
    usual = own.seconds * (_GAP if own.regular else 5)
    measured = (apart <= max(usual, step)) | (np.diff(readings.values) == 0)  # a counter that stood still says it all
    known = between.known
    made = Pieces(times[:-1][known], times[1:][known], between.energy[known], measured[known])
    return made, found + between.found


def _rate(times: "NDArray[np.int64]", values: "NDArray[np.int64]") -> float:
    """mWh a second, all but the fastest hundredth; 0: it never rose."""
    apart, rose = np.diff(times), np.diff(values)
    rates = rose[rose > 0] / apart[rose > 0]
    return float(np.quantile(rates, 0.99 if len(rates) > 100 else 0.5)) if len(rates) else 0.0


def _without_lone(readings: Readings, zone: str, rolls_at: int | None) -> tuple[Readings, list[Finding]]:
    """A reading that lies below both neighbours, or above both, while these follow on each other: a sensor's slip."""
    times, values = readings.times, readings.values
    if len(values) < 4:
        return readings, []
    before, at, after = values[:-2], values[1:-1], values[2:]
    onward = after - before
    fits = (onward >= 0) & (onward <= _FAST * _rate(times, values) * (times[2:] - times[:-2]))
    lone = np.concatenate(([False], fits & ((at < before) | (at > after)), [False]))
    found = [
        Finding(
            "outlier", int(times[i]), int(times[i]), 1,
            f"The counter said {_shown(values[i])} on {wording.moment(int(times[i]), zone)}, between "
            f"{_shown(values[i - 1])} and {_shown(values[i + 1])}: that one reading was left out.",
        )
        for i in np.flatnonzero(lone)[:_TOLD]
    ]  # fmt: skip
    return Readings(times[~lone], values[~lone]), falls.some(found, np.flatnonzero(lone), times, zone)


def _differences(readings: Readings, zone: str, rolls_at: int | None) -> _Steps:
    times, values = readings.times, readings.values
    rate = _rate(times, values)
    rose = np.diff(values)
    made = _Steps(rose.astype(np.float64), np.ones(len(rose), dtype=bool), [])
    if np.count_nonzero(rose < 0) > falls.MANY:
        made.energy, made.known = falls.counted(readings, _FAST * rate * np.diff(times) + 1e6, rolls_at)
        made.found.append(falls.told(readings))
    for i in np.flatnonzero(rose < 0) if not made.found else ():
        _fell(made, readings, int(i), zone, rolls_at, rate)
    if rate > 0 and len(rose) >= 20:
        jumps = np.flatnonzero(rose > _JUMP * rate * np.diff(times))
        made.known[jumps], made.energy[jumps] = False, 0.0
        for i in jumps[: falls.MANY]:
            text = f"The counter jumped from {_shown(values[i])} to {_shown(values[i + 1])} "
            text += f"on {wording.moment(int(times[i + 1]), zone)}, as if another meter had taken over. It is counted "
            _lost(made, readings, int(i), text + "from there; what was used in between is not known.")
    return made


def _fell(made: _Steps, readings: Readings, i: int, zone: str, rolls_at: int | None, rate: float) -> None:
    """What a fall from reading i to the next means."""
    before, after = int(readings.values[i]), int(readings.values[i + 1])
    apart = int(readings.times[i + 1] - readings.times[i])
    on = wording.moment(int(readings.times[i + 1]), zone)
    went = f"The counter went back from {_shown(before)} to {_shown(after)} on {on}"
    limit = _FAST * rate * apart + 1e6
    end = _rolls(before, after, rolls_at, limit)
    if end:
        guess = "" if rolls_at else ", as its digits suggest (enter where it rolls over to be sure)"
        text = f"{went}: it rolled over at {_shown(end)}{guess}, and goes on from there."
        _put(made, readings, i, "rollover", float(after - before + end), text)
    elif before > 0 and after >= _RESET * before:
        ahead = _back_ahead(made, readings, i)
        text = f"{went}, less than a tenth: taken as an error of the sensor. It is counted on {ahead}."
        made.found.append(Finding("negative", *_between(readings, i), 1, text))
    elif rate <= 0 or after <= limit:
        text = f"{went}: taken as a reset, counted from zero on."
        _put(made, readings, i, "reset", float(max(after, 0)), text)
    else:
        text = f"{went}, too much for a reset: as if another meter had taken over. It is counted from there; what was "
        _lost(made, readings, i, text + "used in between is not known.")


def _rolls(before: int, after: int, rolls_at: int | None, limit: float) -> int:
    """Where it rolled over; 0: it did not."""
    if rolls_at:
        on = after - before + rolls_at
        return rolls_at if 0 <= on <= max(limit, _NEARLY * rolls_at) and before < rolls_at else 0
    for end in _DIGITS:
        near = before < end and before >= (1 - _NEARLY) * end and 0 <= after <= _NEARLY * end
        if near and after - before + end <= limit:
            return int(end)
    return 0


def _back_ahead(made: _Steps, readings: Readings, i: int) -> str:
    """Nothing is counted until the counter is past its former value; then what is above it."""
    values, peak = readings.values, int(readings.values[i])
    past = np.flatnonzero(values[i + 1 :] >= peak)
    fallen = np.flatnonzero(values[i + 1 :] < _RESET * peak)
    end = int(past[0]) if len(past) else len(values) - i - 1
    if len(fallen) and fallen[0] < end:
        end = int(fallen[0])
    made.energy[i : i + end] = 0.0
    if len(past) and int(past[0]) == end:
        made.energy[i + end] = float(values[i + 1 + end] - peak)
        return "when it is past its former value"
    return "only above its former value, which it has not reached again"


def _put(made: _Steps, readings: Readings, i: int, kind: Trouble, energy: float, text: str) -> None:
    made.energy[i] = energy
    made.found.append(Finding(kind, *_between(readings, i), 1, text))


def _lost(made: _Steps, readings: Readings, i: int, text: str) -> None:
    made.known[i] = False
    made.energy[i] = 0.0
    made.found.append(Finding("reset", *_between(readings, i), 1, text))


def _between(readings: Readings, i: int) -> tuple[int, int]:
    return int(readings.times[i]), int(readings.times[i + 1])


def _shown(milliwatt_hours: int) -> str:
    return f"{int(milliwatt_hours) / 1e6:,.1f} kWh"
