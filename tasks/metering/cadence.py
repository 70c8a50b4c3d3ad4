"""How often readings come, and how long each of an interval meter stands for. Pure."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tasks.energy.series import DAY, HOUR, MONTH
from tasks.metering.grid import edges, runs

if TYPE_CHECKING:
    from numpy.typing import NDArray

STEPS = (900, 1800, HOUR, DAY, MONTH)  # in which usage is reckoned
_USUAL = np.array(
    [1, 5, 6, 10, 12, 15, 20, 30, 60, 120, 180, 300, 360, 600, 720, 900, 1200, 1800, HOUR, 2 * HOUR, 3 * HOUR,
     4 * HOUR, 6 * HOUR, 8 * HOUR, 12 * HOUR, DAY, 7 * DAY, MONTH, 3 * MONTH, 12 * MONTH]
)  # fmt: skip
_NEAR = 0.1  # as far as an interval may be off: 23 and 25 hours are a day, 28 and 31 days a month
_IN_A_ROW = 4  # as many far apart are no gaps but a coarser part


@dataclass(frozen=True, slots=True)
class Cadence:
    """How often readings come: every `seconds`, if `regular`; else that often by their median."""

    seconds: int
    regular: bool


def cadence(times: "NDArray[np.int64]") -> Cadence:
    """How often readings at these times come. Three readings are the least that show it; before, an hour is assumed."""
    if len(times) < 3:
        return Cadence(int(times[1] - times[0]) if len(times) == 2 else HOUR, regular=False)
    apart = np.diff(times)
    middle = float(np.median(apart))
    usual = int(_USUAL[np.argmin(np.abs(np.log(_USUAL / middle)))])
    for guess in (usual, round(middle)):
        if np.mean(np.abs(apart - guess) <= guess * _NEAR) >= 0.5:
            return Cadence(guess, regular=True)
    return Cadence(round(middle), regular=False)


def best_step(times: "NDArray[np.int64]") -> int:
    """The finest of STEPS for which there mostly is a reading in each step; HOUR where nothing shows it."""
    if len(times) < 3:
        return HOUR
    found = cadence(times)
    usual = found.seconds if found.regular else float(np.percentile(np.diff(times), 75))
    if usual > DAY * (1 + _NEAR):
        return MONTH
    return next(step for step in STEPS if usual <= step * (1 + _NEAR))


def lengths(times: "NDArray[np.int64]", values: "NDArray[np.int64]", own: Cadence, zone: str) -> "NDArray[np.int64]":
    """[n] seconds that each reading of an interval meter stands for: to the next one, unless there is a gap."""
    last = _alone(int(times[-1]), own, zone)
    apart = np.append(np.diff(times), last)
    if not own.regular:
        return np.asarray(np.minimum(apart, max(5 * own.seconds, 1)), dtype=np.int64)
    near = apart <= own.seconds * (1 + _NEAR)
    found = np.where(near, apart, own.seconds)
    if own.seconds >= DAY:
        if not near.all():
            found[~near] = [_alone(int(at), own, zone) for at in times[~near]]
        return found
    found[_coarse(apart, values, own.seconds, near)] = 0
    return np.where(found == 0, apart, found)


def _alone(at: int, own: Cadence, zone: str) -> int:
    """Of a reading that no other follows: to the end of its local day or month, if it began with it."""
    step = {DAY: DAY, MONTH: MONTH}.get(own.seconds)
    if step:
        begin, end = (int(border) for border in edges(at, at + 1, step, zone)[:2])
        if begin == at:
            return end - begin
    return own.seconds


def _coarse(
    apart: "NDArray[np.int64]", values: "NDArray[np.int64]", native: int, near: "NDArray[np.bool_]"
) -> "NDArray[np.bool_]":
    """Where readings are farther apart and larger in proportion: these are coarser, and nothing is missing."""
    found = np.zeros(len(apart), dtype=bool)
    times = np.round(apart / native).astype(np.int64)
    even = ~near & (np.abs(apart - times * native) <= native * _NEAR) & (apart <= DAY)
    usual = float(np.median(values[near])) if near.any() else 0.0
    if usual <= 0:
        return found
    for many in np.unique(times[even]):
        for first, past in runs(even & (times == many)):
            if past - first >= _IN_A_ROW and np.median(values[first:past]) > usual * np.sqrt(many):
                found[first:past] = True
    return found
