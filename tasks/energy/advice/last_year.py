"""Beside one's own year before: the same weekdays 52 weeks earlier, and what the weather has to do with it.

The weather is taken out as the International Performance Measurement and Verification Protocol (option C) has it: the
earlier days are fitted over their temperature, and the fit says what the later days' weather would have taken.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from tasks.energy.advice import words
from tasks.energy.advice.loads import tip
from tasks.energy.advice.told import LastYear, Tip
from tasks.energy.advice.weather import LEAST_DAYS, LEAST_RANGE, evened
from tasks.energy.advice.window import Window
from tasks.energy.forecasting.degrees import Degrees

if TYPE_CHECKING:
    from tasks.energy.advice.window import Bools, Floats

BACK = 364  # 52 weeks
LEAST_PAIRS = 90
LEAST_CHANGE = 0.02  # of the year before, from which on a change is worth a tip
SLACK = 1.0  # °C beyond what the earlier days saw


@dataclass(frozen=True)
class _Pairs:
    """Days of the window and those 52 weeks before, measured both; [w] over the window's days.

    Attributes:
        there: which of the window's days have such a partner.
        now, before: kWh.
        warm, was: mean °C, NaN where unknown.
        free, were_free: weekends and public holidays.
    """

    there: "Bools"
    now: "Floats"
    before: "Floats"
    warm: "Floats"
    was: "Floats"
    free: "Bools"
    were_free: "Bools"


def compared(window: Window) -> tuple[LastYear | None, list[Tip], str]:
    """The comparison, a tip where more is used than the weather explains, and what is missing."""
    pairs = _pairs(window)
    if (many := int(pairs.there.sum())) < LEAST_PAIRS:
        return (
            None,
            [],
            (
                f"A comparison with last year needs {LEAST_PAIRS} days that were measured in both years; "
                f"there {'is' if many == 1 else 'are'} {many}."
            ),
        )
    found, free, pairs = _fit(pairs)
    told = _told(pairs, found, free)
    return told, _tips(window, pairs, told), ""


def _pairs(window: Window) -> _Pairs:
    every, days = window.every, window.days
    at = days.ordinals - BACK - every.ordinals[0]
    inside = at >= 0
    at = np.where(inside, at, 0)
    nothing = np.full(len(days.kwh), np.nan)
    was = nothing if every.temperature is None else every.temperature[at]
    warm = nothing if days.temperature is None else days.temperature
    there = inside & days.measured & every.measured[at]
    return _Pairs(there, days.kwh, every.kwh[at], warm, was, days.free, every.free[at])


def _fit(pairs: _Pairs) -> tuple[Degrees | None, float, _Pairs]:
    """The earlier days' response, what free days take less, and the pairs that it can speak of; None where none is."""
    known = pairs.there & np.isfinite(pairs.warm) & np.isfinite(pairs.was)
    if known.sum() < max(LEAST_DAYS, 0.8 * pairs.there.sum()) or np.ptp(pairs.was[known]) < LEAST_RANGE:
        return None, 0.0, pairs
    found, free = evened(np.where(known, pairs.before, np.nan), pairs.was, pairs.were_free)
    seen = (pairs.warm >= found.coldest - SLACK) & (pairs.warm <= found.warmest + SLACK)
    if (known & seen).sum() < LEAST_PAIRS:
        return None, 0.0, pairs
    return found, free, replace(pairs, there=known & seen)


def _told(pairs: _Pairs, found: Degrees | None, free: float) -> LastYear:
    there = pairs.there
    now, before = float(pairs.now[there].sum()), float(pairs.before[there].sum())
    change = now - before
    told = LastYear(
        days=int(there.sum()), kwh_now=words.digits(now), kwh_before=words.digits(before), change=words.digits(change),
        percent=round(100 * change / before, 2) if before > 0 else None, corrected=found is not None, text="", how="",
    )  # fmt: skip
    if found is None:
        told.text = f"{_difference(told)} It is not corrected for the weather: too little is known of it in both years."
        told.how = f"{words.count(told.days, 'day')} that were measured in both years, 52 weeks apart."
        return told
    weather = float((found.expected(pairs.warm[there]) - found.expected(pairs.was[there])).sum())
    weather -= free * (int(pairs.free[there].sum()) - int(pairs.were_free[there].sum()))  # holidays move
    told.weather, told.rest = words.digits(weather), words.digits(change - weather)
    told.margin = words.digits(found.margin(told.days))
    told.text = f"{_difference(told)} {_explained(told)}"
    told.how = _how(told, found)
    return told


def _difference(told: LastYear) -> str:
    """In {days} days 4 % more than a year before."""
    if told.percent is None:
        size = f"{words.energy(abs(told.change))} {'more' if told.change > 0 else 'less'}"
    elif abs(told.percent) < 0.05:
        return f"In {words.count(told.days, 'day')} as much was used as in those of the year before."
    else:
        size = f"{words.percent(told.percent / 100)} {'more' if told.change > 0 else 'less'}"
    return (
        f"In {words.count(told.days, 'day')} {size} than in those of the year before: "
        f"{words.energy(told.kwh_now)}, then {words.energy(told.kwh_before)}."
    )


def _explained(told: LastYear) -> str:
    weather, rest, margin = told.weather or 0.0, told.rest or 0.0, told.margin or 0.0
    part = f"The weather explains {words.energy(abs(weather))} {'more' if weather >= 0 else 'less'}."
    if abs(rest) <= margin:
        return f"{part} The rest lies within what chance does: nothing has changed for certain."
    return f"{part} Without it, {words.energy(abs(rest))} {'more' if rest > 0 else 'less'} than a year before."


def _how(told: LastYear, found: Degrees) -> str:
    bases = [
        f"heating below {found.heats_below:g} °C" if found.heats_below is not None else "",
        f"cooling above {found.cools_above:g} °C" if found.cools_above is not None else "",
    ]
    model = " and ".join(base for base in bases if base) or "no response to temperature was found"
    return (
        f"{words.count(told.days, 'day')} measured in both years, 52 weeks apart. The earlier days, weekends evened "
        f"out, fitted over their mean temperature ({model}; it explains {words.percent(found.r2)} of them) say what "
        f"the later weather would have taken. Without any change 95 of 100 such rests lie within "
        f"{words.energy(told.margin or 0.0)}."
    )


def _tips(window: Window, pairs: _Pairs, told: LastYear) -> list[Tip]:
    if told.rest is None or told.margin is None or told.kwh_before <= 0 or window.fed > 0.01 * window.total:
        return []
    if told.rest <= max(told.margin, LEAST_CHANGE * told.kwh_before):
        return []
    share = told.rest / told.kwh_now
    less = window.by_day(np.where(pairs.there, pairs.now.clip(0.0) * share, 0.0))
    title = f"{words.energy(told.rest)} more than a year before that the weather does not explain"
    sure = f"Good: chance does {words.energy(told.margin)} at most."
    found = tip(window, "more", title, told.rest, less, told.how, sure)
    told.money_text = found.money_text
    return [found.model_copy(update={"per": words.count(told.days, "day")})]
