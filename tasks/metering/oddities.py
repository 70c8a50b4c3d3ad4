"""Readings that cannot be meant as they stand: double or disordered times, two units by turns, absurd sizes. Pure."""

from typing import TYPE_CHECKING

import numpy as np

from tasks.metering import wording
from tasks.metering.grid import runs
from tasks.metering.usage import Finding, Readings

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ABSURD = 10_000  # times the usual reading, and a hundred times all but one in a thousand: no house draws that
_THOUSAND = (500.0, 2000.0)
_ALIKE = 1.6  # as far as the two groups may differ once one is divided by a thousand


def tidy(readings: Readings, zone: str) -> tuple[Readings, list[Finding]]:
    """In order of time, each time once. Stored readings are so already; those that come from elsewhere may not be."""
    times, values = np.asarray(readings.times, np.int64), np.asarray(readings.values, np.int64)
    found: list[Finding] = []
    if len(times) < 2 or (np.diff(times) > 0).all():
        return Readings(times, values), found
    back = int((np.diff(times) < 0).sum())
    order = np.argsort(times, kind="stable")
    times, values = times[order], values[order]
    if back:
        text = f"The readings were out of order in {wording.count(back, 'place')}; they were sorted by their time."
        found.append(Finding("order", int(times[0]), int(times[-1]), back, text))
    return once(times, values, zone, found)


def once(
    times: "NDArray[np.int64]", values: "NDArray[np.int64]", zone: str, found: list[Finding]
) -> tuple[Readings, list[Finding]]:
    """Of readings with the same time the last one counts."""
    keep = np.append(np.diff(times) > 0, True)[: len(times)]
    again = np.flatnonzero(~keep)
    if len(again):
        first = int(times[again[0]])
        text = f"{wording.count(len(again), 'reading')} stood at a time that had one already, the first "
        text += f"{wording.moment(first, zone)}; the last of each counts."
        found.append(Finding("repeat", first, int(times[again[-1]]), len(again), text))
    return Readings(times[keep], values[keep]), found


def without_absurd(readings: Readings, zone: str) -> tuple[Readings, list[Finding]]:
    """Without values such as a full 32-bit register: they are missing, and said."""
    size = np.abs(readings.values.astype(np.float64))
    some = size[size > 0]
    if len(some) < 20:
        return readings, []
    limit = max(_ABSURD * float(np.median(some)), 100 * float(np.quantile(some, 0.999, method="lower")))
    wrong = size > limit
    found = [
        Finding(
            "outlier", int(readings.times[i]), int(readings.times[i]), 1,
            f"The reading of {wording.moment(int(readings.times[i]), zone)} says "
            f"{wording.energy(float(readings.values[i]) / 1e6)}, more than {_ABSURD:,} times the usual: "
            "it counts as missing.",
        )
        for i in np.flatnonzero(wrong)
    ]  # fmt: skip
    return (Readings(readings.times[~wrong], readings.values[~wrong]), found) if found else (readings, found)


def one_unit(readings: Readings, zone: str) -> tuple[Readings, list[Finding]]:
    """An interval meter in kWh and in Wh by turns: the smaller group is missing, for which is right nobody can know.

    Two groups of readings a thousand times apart with nothing between are not enough: a heat pump's rest and work are
    as far apart. Divided by a thousand the larger must look like the smaller one, from its low values to its high ones.
    """
    values = readings.values.astype(np.float64)
    large = _thousandfold(np.abs(values))
    if large is None:
        return readings, []
    wrong = large if 2 * large.sum() <= (values != 0).sum() else ~large & (values != 0)
    return _missing(readings, wrong, zone)


def _thousandfold(size: "NDArray[np.float64]") -> "NDArray[np.bool_] | None":
    """Which belong to the larger group; None where there is but one."""
    some = np.sort(np.log10(size[size > 0]))
    if len(some) < 16 or some[-1] - some[0] < 2.5:
        return None
    gap = np.argmax(np.diff(some)[7:-7]) + 7 if len(some) > 16 else 7
    low, high = 10 ** some[: gap + 1], 10 ** some[gap + 1 :]
    parts = np.quantile(high, (0.1, 0.5, 0.9)) / np.quantile(low, (0.1, 0.5, 0.9))
    exact = abs(parts[1] / 1000 - 1) < 0.01
    spread = np.quantile(low, 0.9) / np.quantile(low, 0.1) > 1.2
    alike = (np.abs(np.log(parts / 1000)) < np.log(_ALIKE)).all() and _THOUSAND[0] < parts[1] < _THOUSAND[1]
    if not (alike and (spread or exact) and some[gap + 1] - some[gap] > 0.5):
        return None
    found: NDArray[np.bool_] = size >= high[0] * 0.999
    return found


def one_counter_unit(readings: Readings, zone: str) -> tuple[Readings, list[Finding]]:
    """A counter in kWh and in Wh by turns: it rises a thousandfold at once, which no counter can, and falls back."""
    values = readings.values.astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = values[1:] / values[:-1]
    up = np.isfinite(ratio) & (np.abs(ratio / 1000 - 1) < 0.05) & (values[:-1] >= 1e6)
    down = np.isfinite(ratio) & (np.abs(ratio * 1000 - 1) < 0.05) & (values[1:] >= 1e6)
    if not up.any() or len(values) < 4:
        return readings, []
    turns = np.cumsum(up.astype(np.int64) - down.astype(np.int64))
    level = np.concatenate(([0], turns))
    large = level > level.min()
    return _missing(readings, large if 2 * large.sum() <= len(values) else ~large, zone)


def _missing(readings: Readings, wrong: "NDArray[np.bool_]", zone: str) -> tuple[Readings, list[Finding]]:
    parts = runs(wrong)
    times = readings.times
    what = "a thousand times as large or as small as the others, as if kWh and Wh came by turns"
    if len(parts) > 20:
        whole = wording.span(int(times[wrong][0]), int(times[wrong][-1]) + 1, zone)
        text = f"{wording.count(int(wrong.sum()), 'reading')} {whole} are {what}: they count as missing."
        found = [Finding("units", int(times[wrong][0]), int(times[wrong][-1]), int(wrong.sum()), text)]
    else:
        found = [
            Finding(
                "units", int(times[first]), int(times[past - 1]), int(past - first),
                f"{wording.count(int(past - first), 'reading')} from {wording.moment(int(times[first]), zone)} on "
                f"{'is' if past - first == 1 else 'are'} {what}: counted as missing. Put the unit right and import "
                "them again.",
            )
            for first, past in parts
        ]  # fmt: skip
    return Readings(times[~wrong], readings.values[~wrong]), found
