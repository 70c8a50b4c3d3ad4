"""When it is used: hours, weekdays and seasons; and what runs while a plant or an office is closed."""

from typing import TYPE_CHECKING

import numpy as np

from tasks.energy.advice import words
from tasks.energy.advice.loads import tip
from tasks.energy.advice.told import Profile, Row, Season, Tip
from tasks.energy.advice.window import HOUR, Window, months_of

if TYPE_CHECKING:
    from tasks.energy.advice.window import Bools, Ints

LEAST = 4  # values that a median rests on
SEASONS = {
    "December to February": (12, 1, 2), "March to May": (3, 4, 5), "June to August": (6, 7, 8),
    "September to November": (9, 10, 11),
}  # fmt: skip
OPEN, CLOSE = 8, 18
WORKS = 1.5  # a working day's load over a free day's, in the hours of business, from which on a place is one of work
LEFT_ON = 1.2  # load over the base load that is called left on
NIGHT = (22, 5)


def profile(window: Window) -> Profile | None:
    """Median loads; None where steps are longer than an hour."""
    hours = window.hours
    if hours is None:
        return None
    known = ~hours.usage.filled
    weekday, hour = (hours.ordinal - 1) % 7, hours.hour.astype(int)
    week = [_row(hours, known & (weekday == day), hour) for day in range(7)]
    months = months_of(hours.ordinal)
    seasons = [_season(hours, name, known & np.isin(months, those), hour) for name, those in SEASONS.items()]
    return Profile(week=week, seasons=seasons, text=_text(hours, known))


def _season(window: Window, name: str, there: "Bools", hour: "Ints") -> Season:
    work, free = (_row(window, there & (window.free == is_free), hour) for is_free in (False, True))
    return Season(name=name, workdays=work, free=free)


def _row(window: Window, there: "Bools", hour: "Ints") -> Row:
    """[24] median kW of each hour of the day."""
    values = [window.usage.kwh[there & (hour == at)] for at in range(24)]
    return [float(f"{np.median(each):.4g}") if len(each) >= LEAST else None for each in values]


def _text(hours: Window, known: "Bools") -> str:
    work, free = (hours.usage.kwh[known & (hours.free == is_free)] for is_free in (False, True))
    if not len(work) or not len(free) or work.mean() <= 0:
        return ""
    ratio = float(free.mean() / work.mean())
    how = f"{words.percent(1 - ratio)} less" if ratio < 1 else f"{words.percent(ratio - 1)} more"
    each = f"An hour of a weekend or public holiday takes {how} than one of a working day"
    return f"{each} ({words.power(free.mean() * 1000)}, {words.power(work.mean() * 1000)})."


def left_on(window: Window, base: float) -> list[Tip]:
    """What a place of work uses above its base load while it is closed; nothing for a household.

    Args:
        base: kW.
    """
    if not _works(window):
        return []
    night = (window.hour >= NIGHT[0]) | (window.hour < NIGHT[1])
    closed = (
        ("weekends", "Weekends and public holidays", window.free),
        ("nights", "Nights before working days from 22:00 to 05:00", night & ~window.free),
    )
    return [found for kind, name, when in closed for found in _above(window, kind, name, when, base)]


def _works(window: Window) -> bool:
    """Whether its days show hours of business."""
    known, business = ~window.usage.filled, (window.hour >= OPEN) & (window.hour < CLOSE)
    work, free = (window.used[known & business & (window.free == is_free)] for is_free in (False, True))
    return len(work) > 0 and len(free) > 0 and float(work.mean()) >= WORKS * float(free.mean()) > 0


def _above(window: Window, kind: str, name: str, when: "Bools", base: float) -> list[Tip]:
    step = base * window.usage.step / HOUR
    known = when & ~window.usage.filled
    if not known.any() or step <= 0 or window.used[known].mean() < LEFT_ON * step:
        return []
    less = np.where(known, np.maximum(window.used - step, 0.0), 0.0)
    mean = float(window.used[known].mean()) * HOUR / window.usage.step
    how = (
        f"{name} took {words.power(mean * 1000)} on average, the base load is {words.power(base * 1000)}: all that was "
        f"above it in those {words.number(known.sum() * window.usage.step / HOUR)} hours. {window.about}"
    )
    title = f"{name} at the base load: {words.power(base * 1000)}, not {words.power(mean * 1000)}"
    sure = "Fair: what must run then (cooling, servers, cleaning) is in it."
    return [tip(window, kind, title, float(less.sum()), less, how, sure)]
