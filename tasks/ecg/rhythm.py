"""Beats → rate and rhythm: figures that a reader can check against the strip.

Variability: Task Force of the ESC and NASPE, Circulation 93:1043 (1996). Only intervals between two beats of the
underlying rhythm count (normal, bundle branch block, paced), so that premature beats do not pass for variability.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tasks.ecg.labels import BASIC, NAMES, PREMATURE, AnyBeat
from tasks.ecg.quality import Quality, assess_quality

__all__ = ["LabelCount", "Pause", "Quality", "Rhythm", "Run", "assess_quality", "describe_rhythm"]

Floats = NDArray[np.float64]
Span = tuple[float, float]

PAUSE_S = 2.0
IRREGULAR = 0.10
"""RMSSD over mean RR above which intervals count as irregular (Dash et al., Ann Biomed Eng 37:1701, 2009)."""

_SHORTEST_S, _LONGEST_S = 0.2, 3.0
_ENOUGH = 4
_WINDOW_S = 30.0
_SMOOTHED = 5
_PATTERNS = (("every second", "np"), ("every third", "nnp"), ("every fourth", "nnnp"))


@dataclass(frozen=True)
class Pause:
    """No beat for `seconds` after `time_s`."""

    time_s: float
    seconds: float


@dataclass(frozen=True)
class Run:
    """Three or more ventricular beats, or flutter waves, in a row from `time_s` on."""

    time_s: float
    beats: int
    label: str


@dataclass(frozen=True)
class LabelCount:
    """How many beats bear a label and how sure of it the network is on average."""

    label: str
    name: str
    count: int
    mean_certainty: float


@dataclass(frozen=True)
class Rhythm:
    """Rate and rhythm of one recording; None wherever it cannot be told.

    Attributes:
        heart_rate_bpm: 60 over the median interval between beats of the underlying rhythm.
        lowest_bpm: the lowest rate, smoothed over five intervals.
        highest_bpm: the highest, likewise.
        sdnn_ms: standard deviation of the intervals.
        rmssd_ms: root mean square of successive differences.
        regularity: in words, see `describe_rhythm`.
        pauses: of more than two seconds.
        runs: of ventricular beats or flutter waves.
        counts: by label, in the order of `labels.NAMES`.
    """

    heart_rate_bpm: float | None
    lowest_bpm: float | None
    highest_bpm: float | None
    sdnn_ms: float | None
    rmssd_ms: float | None
    regularity: str
    pauses: tuple[Pause, ...]
    runs: tuple[Run, ...]
    counts: tuple[LabelCount, ...]


def describe_rhythm(beats: Sequence[AnyBeat], unreadable: Sequence[Span] = ()) -> Rhythm:
    """Tell rate and rhythm from classified beats.

    The rhythm is irregular where RMSSD exceeds `IRREGULAR` of the mean interval within half a minute (on MIT-BIH, with
    its own annotations: 100 % of 211 half minutes of atrial fibrillation, 4 % of 2,016 of sinus or paced rhythm). It is
    "regularly irregular" when every second, third or fourth beat is premature through three cycles at least and such
    stretches make up more than half of all beats.

    Args:
        beats: in the order of time.
        unreadable: (start, end) in seconds of stretches without a signal, which are no pauses of the heart.
    """
    times = np.array([beat.time_s for beat in beats], np.float64)
    labels = [beat.label for beat in beats]
    intervals, successive, starts = _basic_intervals(times, labels, unreadable)
    rates = 60 / _smoothed(intervals) if len(intervals) >= 2 else np.empty(0)
    return Rhythm(
        heart_rate_bpm=_rounded(60 / float(np.median(intervals))) if len(intervals) >= 2 else None,
        lowest_bpm=_rounded(float(rates.min())) if len(rates) else None,
        highest_bpm=_rounded(float(rates.max())) if len(rates) else None,
        sdnn_ms=_rounded(1000 * float(np.std(intervals, ddof=1))) if len(intervals) >= _ENOUGH else None,
        rmssd_ms=_rounded(1000 * _rms(successive)) if np.isfinite(successive).sum() >= _ENOUGH else None,
        regularity=_regularity(labels, intervals, successive, starts),
        pauses=_pauses(times, unreadable),
        runs=_runs(times, labels),
        counts=_counts(beats),
    )


def _basic_intervals(times: Floats, labels: Sequence[str], unreadable: Sequence[Span]) -> tuple[Floats, Floats, Floats]:
    """Intervals between neighbours of the underlying rhythm, their successive differences (NaN where two do not meet
    in one beat), and their starts; without any labelled beats, those of all beats."""
    gaps = np.diff(times)
    basic = np.array([label in BASIC for label in labels], bool)
    if basic.sum() < _ENOUGH and "!" not in labels:
        basic = np.ones(len(labels), bool)
    whole = np.array([not _touches(span, unreadable) for span in pairwise(times.tolist())], bool)
    kept = basic[:-1] & basic[1:] & whole & (gaps >= _SHORTEST_S) & (gaps <= _LONGEST_S)
    places = np.flatnonzero(kept)
    meets = np.diff(places, prepend=-9) == 1
    successive = np.where(meets, np.diff(gaps[places], prepend=0.0), np.nan)
    return gaps[places], successive, times[:-1][places]


def _touches(span: Span, others: Sequence[Span]) -> bool:
    return any(span[0] < end and start < span[1] for start, end in others)


def _smoothed(intervals: Floats) -> Floats:
    """Means over five intervals, so that one misplaced peak makes no lowest or highest rate."""
    width = min(_SMOOTHED, len(intervals))
    return np.convolve(intervals, np.ones(width) / width, "valid")


def _rms(successive: Floats) -> float:
    return float(np.sqrt(np.nanmean(successive**2)))


def _regularity(labels: Sequence[str], intervals: Floats, successive: Floats, starts: Floats) -> str:
    if sum(label == "!" for label in labels) * 2 > len(labels):
        return "ventricular flutter waves, no beats to compare"
    pattern, covered = _pattern(labels)
    if covered > 0.5:
        return f"regularly irregular: {pattern} beat is premature"
    irregular = _irregular_share(intervals, successive, starts)
    if irregular is None:
        return "cannot be told: too few beats"
    word = "irregular" if irregular > 0.5 else "regular with irregular stretches" if irregular > 0.1 else "regular"
    premature = sum(label in PREMATURE for label in labels)
    if covered > 0.1:
        return f"{word}, with premature beats, at times {pattern} beat"
    return f"{word}, with premature beats" if premature else word


def _pattern(labels: Sequence[str]) -> tuple[str, float]:
    """The cycle of premature beats that covers most, in words, and the share of all beats that it covers."""
    kinds = "".join("n" if label in BASIC else "p" if label in PREMATURE else "x" for label in labels)
    covered = {
        words: sum(len(found[0]) for found in re.finditer(f"(?:{cycle}){{3,}}", kinds)) for words, cycle in _PATTERNS
    }
    most = max(covered, key=lambda words: covered[words])
    return most, covered[most] / max(1, len(kinds))


def _irregular_share(intervals: Floats, successive: Floats, starts: Floats) -> float | None:
    """The share of half minutes with irregular intervals, among those with enough of them to tell."""
    told = []
    windows = (starts // _WINDOW_S).astype(int)
    for window in np.unique(windows):
        inside = windows == window
        if np.isfinite(successive[inside]).sum() >= _ENOUGH:
            told.append(_rms(successive[inside]) > IRREGULAR * intervals[inside].mean())
    return sum(told) / len(told) if told else None


def _pauses(times: Floats, unreadable: Sequence[Span]) -> tuple[Pause, ...]:
    long = (span for span in pairwise(times.tolist()) if span[1] - span[0] > PAUSE_S and not _touches(span, unreadable))
    return tuple(Pause(round(start, 3), round(end - start, 3)) for start, end in long)


def _runs(times: Floats, labels: Sequence[str]) -> tuple[Run, ...]:
    # One character a beat; a label is one by its definition.
    found = re.finditer(r"V{3,}|!{3,}", "".join(label[:1] or "?" for label in labels))
    return tuple(Run(round(float(times[run.start()]), 3), len(run[0]), run[0][0]) for run in found)


def _counts(beats: Iterable[AnyBeat]) -> tuple[LabelCount, ...]:
    certainties: dict[str, list[float]] = {}
    for beat in beats:
        certainties.setdefault(beat.label, []).append(beat.certainty)
    return tuple(
        LabelCount(label, name, len(certainties[label]), round(float(np.mean(certainties[label])), 4))
        for label, name in NAMES.items()
        if label in certainties
    )


def _rounded(value: float) -> float:
    return round(value, 1)
