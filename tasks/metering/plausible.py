"""Whether what a weather service tells of a place can be: beside what was measured there, and beside the Earth.

A service that mixes up units or places does not say so. A forecast of electricity that heats for 40 °C too little is
worse than one that knows no weather, so what does not fit is refused as a whole, with the two figures that do not go
together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from tasks.metering.temperatures import LEAST, MOST

HOUR, DAY = 3600, 86_400
OVERLAP_HOURS, OVERLAP_DIFFERS = 6, 10.0  # where both speak of the same hours, at the median
SOON, SOON_DIFFERS = 7 * DAY, 25.0  # °C between the medians of two days that lie at most so far apart
SEASON, SEASON_DIFFERS = 15 * DAY, 30.0  # beside the same days of other years
JUMP = 25.0  # °C within an hour
# By latitude: between which the middle of a day's temperatures lies, wherever on Earth, sea or mountain.
DAYS_MEDIANS = ((35.0, -25.0, 43.0), (50.0, -45.0, 42.0), (65.0, -65.0, 36.0), (90.0, -80.0, 28.0))

Pairs = Sequence[tuple[int, float]]


@dataclass(frozen=True, slots=True)
class Past:
    """What is known of a place beside what is told now.

    Attributes:
        recent: the hours of the last weeks that were measured, by time.
        season: those of the same days of other years.
    """

    recent: Pairs
    season: Pairs


def objection(service: str, told: Pairs, latitude: float, past: Past) -> str:
    """A sentence with the two figures that do not go together; "" when all does.

    Args:
        service: its name, for the sentence.
        told: epoch seconds and °C, rising, at least one.
    """
    wrong = _impossible(told) or _jump(told) or _beside_recent(told, past.recent) or _beside_season(told, past.season)
    if not wrong and not past.recent and not past.season:
        wrong = _beside_latitude(told, latitude)
    return f"{service} {wrong} Nothing of it was kept." if wrong else ""


def objection_to_history(service: str, told: Pairs, latitude: float, measured: Pairs) -> str:
    """The same for a year or less of the past, which hangs together with what was `measured` by some common hours."""
    wrong = _impossible(told) or _jump(told) or _beside_latitude(told, latitude) or _overlap(told, measured)
    return f"{service}’s archive {wrong} Nothing of it was kept." if wrong else ""


def _impossible(told: Pairs) -> str:
    worst = max((each for _at, each in told), key=abs)
    if LEAST <= worst <= MOST:
        return ""
    return f"told {worst:.1f} °C, and between {LEAST:.0f} and {MOST:.0f} °C is all that was ever measured on Earth."


def _jump(told: Pairs) -> str:
    for (first, before), (then, after) in pairwise(told):
        if then - first <= HOUR and abs(after - before) > JUMP:
            return f"told {before:.1f} °C and an hour later {after:.1f} °C, which cannot be."
    return ""


def _beside_recent(told: Pairs, recent: Pairs) -> str:
    """The same hours, where both speak of some; else the first day that is told beside the last one measured."""
    if not recent:
        return ""
    if len(_both(told, recent)) >= OVERLAP_HOURS:
        return _overlap(told, recent)
    last = recent[-1][0]
    fresh = [(at, each) for at, each in told if at > last]
    if not fresh or fresh[0][0] - last > SOON:
        return ""
    says, was = _middle(fresh, fresh[0][0], DAY), _middle(recent, last - DAY, DAY)
    if abs(says - was) > SOON_DIFFERS:
        return f"told {says:.1f} °C for a day, and {was:.1f} °C was measured here just before."
    return ""


def _both(told: Pairs, measured: Pairs) -> list[tuple[float, float]]:
    known = dict(measured)
    return [(each, known[at]) for at, each in told if at in known]


def _overlap(told: Pairs, measured: Pairs) -> str:
    both = _both(told, measured)
    if len(both) < OVERLAP_HOURS or abs(median(a - b for a, b in both)) <= OVERLAP_DIFFERS:
        return ""
    says, was = median(each[0] for each in both), median(each[1] for each in both)
    return f"told {says:.1f} °C for hours in which {was:.1f} °C was measured here before."


def _beside_season(told: Pairs, season: Pairs) -> str:
    if not season:
        return ""
    says, usual = median(each for _at, each in told), median(each for _at, each in season)
    if abs(says - usual) > SEASON_DIFFERS:
        return f"told {says:.1f} °C, and {usual:.1f} °C is usual here at this time of the year."
    return ""


def _beside_latitude(told: Pairs, latitude: float) -> str:
    """Of a place of which nothing is known yet."""
    says = _middle(told, told[0][0], DAY)
    _to, least, most = next(row for row in DAYS_MEDIANS if abs(latitude) <= row[0])
    if least <= says <= most:
        return ""
    return f"told {says:.1f} °C for a day, and so far from the equator it is {least:.0f} to {most:.0f} °C."


def _middle(pairs: Pairs, start: int, seconds: int) -> float:
    return median(each for at, each in pairs if start <= at <= start + seconds)
