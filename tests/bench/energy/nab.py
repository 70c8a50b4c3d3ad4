"""The Numenta Anomaly Benchmark's scoring and its simplest detector, as published (Lavin and Ahmad, 2015).

A window's first detection earns up to 1, early more than late; a window without any costs 1; a false alarm costs up to
0.11, less just behind a window. 0 is a detector that says nothing, 100 one that finds each window at its beginning.
"""

import csv
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from math import erfc, exp, sqrt
from pathlib import Path
from typing import Any

import numpy as np

FALSE, MISSED = 0.11, 1.0  # the standard profile
SIZE, STEP = 6400, 100  # of the windowed Gaussian


@dataclass(frozen=True, slots=True)
class File:
    """A file and the windows in which something is wrong, as rows first to last."""

    name: str
    times: "np.ndarray[Any, np.dtype[np.int64]]"
    values: "np.ndarray[Any, np.dtype[np.float64]]"
    windows: list[tuple[int, int]]

    @property
    def probation(self) -> int:
        """Rows at the beginning in which nothing counts."""
        return int(min(0.15 * len(self.times), 0.15 * 5000))


def files(folder: Path) -> list[File]:
    """All there are, by name."""
    labels = json.loads((folder / "combined_windows.json").read_text("utf-8"))
    by_name = {name.rpartition("/")[2]: windows for name, windows in labels.items()}
    return [_file(path, by_name[path.name]) for path in sorted(folder.glob("*.csv"))]


def _file(path: Path, windows: list[list[str]]) -> File:
    with path.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    times = np.array([_epoch(row["timestamp"]) for row in rows])
    ends = [(np.searchsorted(times, _epoch(a)), np.searchsorted(times, _epoch(b))) for a, b in windows]
    values = np.array([float(row["value"]) for row in rows])
    return File(path.stem, times, values, [(int(first), int(last)) for first, last in ends])


def _epoch(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def _sigmoid(position: float) -> float:
    return -1.0 if position > 3 else 2 / (1 + exp(5 * position)) - 1


def score(file: File, rows: list[int]) -> float:
    """What detections at these rows are worth, not normalised."""
    rows = [row for row in rows if row >= file.probation]
    return sum(_window(window, rows) for window in file.windows) + sum(_alarm(file.windows, row) for row in rows)


def _window(window: tuple[int, int], rows: list[int]) -> float:
    first, last = window
    width = last - first + 1
    earned = [_sigmoid(-(last - row + 1) / width) / _sigmoid(-1.0) for row in rows if first <= row <= last]
    return max(earned, default=-MISSED)


def _alarm(windows: list[tuple[int, int]], row: int) -> float:
    if any(first <= row <= last for first, last in windows):
        return 0.0
    before = [(first, last) for first, last in windows if last < row]
    if not before:
        return -FALSE
    first, last = before[-1]
    return FALSE * _sigmoid((row - last) / (last - first))


def normal(every: list[File], scores: list[float]) -> float:
    """0 for silence, 100 for perfection, over all files."""
    windows = sum(len(file.windows) for file in every)
    return 100 * (sum(scores) + MISSED * windows) / (windows + MISSED * windows)


def hits(file: File, rows: list[int]) -> tuple[int, int]:
    """Windows that were found, and detections in none."""
    rows = [row for row in rows if row >= file.probation]
    found = sum(any(first <= row <= last for row in rows) for first, last in file.windows)
    return found, sum(not any(first <= row <= last for first, last in file.windows) for row in rows)


def gaussian(values: "np.ndarray[Any, np.dtype[np.float64]]") -> "np.ndarray[Any, np.dtype[np.float64]]":
    """[n] the windowed Gaussian's scores: one less the tail's probability under the mean and spread of the window."""
    found = np.zeros(len(values))
    total = np.concatenate(([0.0], np.cumsum(values)))
    square = np.concatenate(([0.0], np.cumsum((values - values.mean()) ** 2)))
    for i in range(1, len(values)):
        past = i if i <= SIZE else SIZE + (i - SIZE) // STEP * STEP
        low = max(0, past - SIZE)
        mean = (total[past] - total[low]) / (past - low)
        spread = (square[past] - square[low]) / (past - low) - (mean - values.mean()) ** 2
        off = abs(values[i] - mean) / max(sqrt(max(spread, 0.0)), 1e-6)
        found[i] = 1 - 0.5 * erfc(off / sqrt(2))
    return found
