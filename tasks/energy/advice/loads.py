"""What runs at all hours, and the highest loads."""

from calendar import month_name
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

from tasks.energy.advice import words
from tasks.energy.advice.told import Base, Peaks, Tip
from tasks.energy.advice.window import HOUR, Window, months_of

if TYPE_CHECKING:
    from tasks.energy.advice.window import Floats

NIGHT = 5  # local hours from midnight on
LOW = 0.10  # quantile of the night's hours: a few dead hours do not make it zero, a few parties do not raise it
LEAST_HOURS = 28 * NIGHT  # measured hours of nights
LEAST_SHARE = 0.1  # of all use, below which the base load is worth no tip
QUIET = 0.8  # a month whose base load is below this share of the usual one shows what is possible
MONTH_HOURS, LEAST_MONTHS = 15 * NIGHT, 10


def base_kw(window: Window) -> float | None:
    """kW that run at all hours: what nine tenths of the measured hours between midnight and five exceed."""
    hours = window.hours
    if hours is None:
        return None
    night = (hours.hour < NIGHT) & ~hours.usage.filled
    if night.sum() < LEAST_HOURS:
        return None
    return max(0.0, float(np.quantile(hours.usage.kwh[night], LOW)))


def base(window: Window) -> tuple[Base | None, list[Tip], str]:
    """The base load, its tips, and what is missing where there is none."""
    kw = base_kw(window)
    if kw is None:
        return None, [], "The base load needs readings of every hour or finer, and four weeks of nights."
    steps = np.full(len(window.used), kw * window.usage.step / HOUR)
    kwh = float(np.minimum(steps, window.used).sum())
    share = kwh / window.total
    saved = window.saved(steps)
    money = words.money(saved, window.tariff.currency) if saved is not None and window.tariff else ""
    how = (
        f"Of all measured hours between midnight and 05:00 a tenth took {words.power(kw * 1000)} or less; that, in "
        f"each hour of {window.since}."
    )
    text = (
        f"{words.power(kw * 1000)} run at all hours: {words.energy(kwh)} in {window.per}, {words.percent(share)} of all"
        f"{f', {money}' if money else ''}."
    )
    watts, part = words.digits(kw * 1000), round(share, 4)
    found = Base(watts=watts, kwh=words.digits(kwh), share=part, money_text=money, text=text, how=how)
    return found, _tips(window, kw, share), ""


def _tips(window: Window, kw: float, share: float) -> list[Tip]:
    if share < LEAST_SHARE or kw * 1000 < 10:
        return []
    unit = words.nice(kw * 100) / 1000  # a round number of watts, a tenth of the base load at most
    less = np.full(len(window.used), unit * window.usage.step / HOUR)
    kwh = float(np.minimum(less, window.used).sum())
    small = words.power(unit * 1000)
    found = tip(
        window,
        "base load",
        f"Each {small} less of what runs all night and day",
        kwh,
        less,
        f"{small} in each hour of {window.since}. {words.power(kw * 1000)} run at all hours, {words.percent(share)} of "
        "all that is used: what a tenth of the night hours does not exceed.",
        "Sure: it is the same in every hour.",
    )
    return [found, *_quiet(window)]


def _quiet(window: Window) -> list[Tip]:
    """The month with the lowest base load shows what is possible, where it is lower than chance makes it.

    Not without temperatures: then nobody can tell a habit from the season.
    """
    nights = _nights(window)
    if len(nights) < LEAST_MONTHS or window.days.temperature is None:
        return []
    lows = {month: float(np.quantile(kwh, LOW)) for month, kwh in nights.items()}
    usual, best = float(np.median(list(lows.values()))), min(lows, key=lambda month: lows[month])
    if not 0 < lows[best] <= QUIET * usual or usual - lows[best] < 0.01 or _by_chance(nights[best], usual):
        return []
    each = np.zeros(13)
    each[list(lows)] = np.maximum(0.0, np.array(list(lows.values())) - lows[best])
    less = each[months_of(window.ordinal)] * window.usage.step / HOUR
    name = month_name[best]
    found = tip(
        window,
        "quiet month",
        f"The base load of {name} in all months: {words.power(lows[best] * 1000)}, not {words.power(usual * 1000)}",
        float(np.minimum(less, window.used).sum()),
        less,
        f"Each month's base load (what a tenth of its night hours does not exceed) less that of {name}, in each of the "
        f"month's hours. The usual month has {words.power(usual * 1000)}. {window.about}",
        "Fair: it was so low already, and the weather explains little of this meter's use.",
    )
    return [found]


def _nights(window: Window) -> "dict[int, Floats]":
    """The measured night hours, kWh, of each month of which there are enough."""
    hours = window.hours
    if hours is None or not window.whole_year:
        return {}
    night, months = (hours.hour < NIGHT) & ~hours.usage.filled, months_of(hours.ordinal)
    found = {month: hours.usage.kwh[night & (months == month)] for month in range(1, 13)}
    return {month: kwh for month, kwh in found.items() if len(kwh) >= MONTH_HOURS}


def _by_chance(kwh: "Floats", usual: float) -> bool:
    """Whether the lowest of twelve months may be as low by chance: the hours of one night count as one."""
    off = 3 * np.sqrt(LOW * (1 - LOW) * NIGHT / len(kwh))
    return float(np.quantile(kwh, min(1.0, LOW + off))) >= usual


def tip(window: Window, kind: str, title: str, kwh: float, less: "Floats", how: str, sure: str) -> Tip:
    """A tip whose money is what using `less` [n] kWh in each step would have saved."""
    saved = window.saved(less)
    currency = window.tariff.currency if saved is not None and window.tariff else ""
    under = (
        f" Money: the same days with and without, under “{window.tariff.name}”." if window.tariff and currency else ""
    )
    return Tip(
        kind=kind,
        title=title,
        kwh=words.digits(kwh),
        energy=words.energy(kwh),
        money=str(round(saved, 2)) if saved is not None else None,
        money_text=words.money(saved, currency) if saved is not None else "",
        currency=currency,
        per=window.per,
        how=how + under,
        sure=sure,
    )


def peaks(window: Window) -> Peaks | None:
    """The highest load and how seldom it is reached; None where steps are longer than an hour."""
    usage = window.usage
    known = ~usage.filled
    if usage.step > HOUR or not known.any():
        return None
    kw = usage.kwh * (HOUR / usage.step)
    best = int(np.argmax(np.where(known, kw, -np.inf)))
    highest = float(kw[best])
    if highest <= 0:
        return None
    at = datetime.fromtimestamp(int(usage.times[best]), ZoneInfo(usage.zone))
    one, ten, half = (float(np.quantile(kw[known], 1 - share)) for share in (0.01, 0.1, 0.5))
    mean = max(0.0, float(kw[known].mean()))
    near = float((kw[known] > 0.8 * highest).sum()) * usage.step / HOUR
    first, share = _busiest(window)
    hours = "1 hour" if near == 1 else f"{words.number(near)} hours"
    text = (
        f"The highest load was {words.power(highest * 1000)} on {at:%-d %B %Y at %H:%M}; the mean is "
        f"{words.percent(mean / highest)} of it. More than 80 % of it was reached in {hours}. "
        f"On working days {words.percent(share)} is used from {words.hour(first)} to {words.hour(first + 3)}."
    )
    return Peaks(
        kw=words.digits(highest), at=at.isoformat(), load_factor=round(mean / highest, 4), kw_1=words.digits(one),
        kw_10=words.digits(ten), kw_50=words.digits(half), hours_near=round(near, 2), busiest=(first, first + 3),
        busiest_share=round(share, 4), text=text,
    )  # fmt: skip


def _busiest(window: Window) -> tuple[int, float]:
    """The three hours in a row of a working day that take most, and their share of its energy."""
    there = ~window.free & ~window.usage.filled
    by_hour = np.bincount(window.hour[there].astype(int), window.used[there], 24)
    if not by_hour.sum():
        return 0, 0.0
    three = np.array([by_hour[at : at + 3].sum() for at in range(22)])
    return int(three.argmax()), float(three.max() / by_hour.sum())
