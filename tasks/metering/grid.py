"""Steps of time: their borders, and energy laid over them. Pure."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

from tasks.energy.forecasting.calendar import local_parts
from tasks.energy.series import DAY, MONTH

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_STEPS = 4_000_000  # a century of quarters of an hour
WHOLE = 0.9  # a step of which less was measured counts as not measured
_EPOCH = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True)
class Pieces:
    """Stretches of time of which the energy is known, rising, none over another; what lies between is not known.

    Attributes:
        begin, end: [n] int64, epoch seconds.
        energy: [n] float64, milliwatt-hours.
        measured: [n] bool, False where only the sum over a gap is known.
    """

    begin: "NDArray[np.int64]"
    end: "NDArray[np.int64]"
    energy: "NDArray[np.float64]"
    measured: "NDArray[np.bool_]"


def edges(start: int, end: int, step: int, zone: str) -> "NDArray[np.int64]":
    """[n + 1] the borders of the n steps that hold start..end (epoch seconds).

    Steps of DAY and MONTH go from local midnight to local midnight. Shorter ones are hours and parts of hours of UTC,
    moved by the half or quarter of an hour by which a zone such as India's is off, so that they are its hours too.

    Raises:
        ValueError: that would be more than MOST_STEPS steps; the text is for people.
    """
    if (end - start) // step > MOST_STEPS:
        raise ValueError("The readings lie too far apart: a time among them is wrong. Remove what has a wrong year.")
    if step == DAY:
        return _midnights(_days(_local(start, zone), _local(end - 1, zone)), zone)
    if step == MONTH:
        return _midnights(_months(_local(start, zone), _local(end - 1, zone)), zone)
    off = int(_utc_offset(start, zone)) % step
    first, last = (start + off) // step, -(-(end + off) // step)
    return np.arange(first, max(last, first + 1) + 1, dtype=np.int64) * step - off


def _local(at: int, zone: str) -> date:
    return datetime.fromtimestamp(at, ZoneInfo(zone)).date()


def _utc_offset(at: int, zone: str) -> float:
    return (datetime.fromtimestamp(at, ZoneInfo(zone)).utcoffset() or timedelta(0)).total_seconds()


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(n) for n in range((last - first).days + 2)]


def _months(first: date, last: date) -> list[date]:
    low, high = first.year * 12 + first.month - 1, last.year * 12 + last.month - 1
    return [date(n // 12, n % 12 + 1, 1) for n in range(low, max(low, high) + 2)]


def _midnights(days: list[date], zone: str) -> "NDArray[np.int64]":
    """Where clocks go forward at midnight the day begins with that hour's end, which is the same moment."""
    tz = ZoneInfo(zone)
    found = (datetime(day.year, day.month, day.day, tzinfo=tz).timestamp() for day in days)
    return np.fromiter(found, dtype=np.float64, count=len(days)).astype(np.int64)


def wall(times: "NDArray[np.int64]", zone: str) -> "NDArray[np.int64]":
    """[n] seconds since 1970 on the wall's clock."""
    days, hours, _ = local_parts(times, zone)
    return (days - _EPOCH) * DAY + np.round(hours * 3600).astype(np.int64)


def laid(
    pieces: Pieces, borders: "NDArray[np.int64]"
) -> "tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]":
    """Energy laid over steps, each piece evenly over those that it touches; what lies outside of them is left out.

    Returns:
        [n] kWh, [n] share of the step that is known, [n] share of it that was measured; both 0..1.
    """
    steps = len(borders) - 1
    inside = (pieces.end > borders[0]) & (pieces.begin < borders[-1])
    begin, end = pieces.begin[inside], pieces.end[inside]
    first = np.maximum(np.searchsorted(borders, begin, "right") - 1, 0)
    last = np.minimum(np.searchsorted(borders, end, "left") - 1, steps - 1)
    count = last - first + 1
    which = np.repeat(np.arange(len(begin)), count)
    step = np.arange(len(which)) - np.repeat(np.cumsum(count) - count - first, count)
    held = np.minimum(end[which], borders[step + 1]) - np.maximum(begin[which], borders[step])
    energy = pieces.energy[inside][which] * (held / (end - begin)[which])
    length = np.diff(borders)
    kwh = np.bincount(step, energy, steps) / 1e6
    known = np.bincount(step, held, steps) / length
    measured = np.bincount(step, held * pieces.measured[inside][which], steps) / length
    return kwh, np.minimum(known, 1.0), np.minimum(measured, 1.0)


def runs(mask: "NDArray[np.bool_]") -> "NDArray[np.int64]":
    """[k, 2] first and one past the last index of each run of True."""
    padded = np.concatenate(([False], mask, [False])).astype(np.int8)
    turns = np.flatnonzero(np.diff(padded))
    return turns.reshape(-1, 2)
