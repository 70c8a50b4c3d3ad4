"""Advice on a meter: what runs always, when most is used, what the weather, other tariffs and habits are worth.

Only what the meter's own readings show, each tip with energy, money and how it was reckoned. What they do not allow to
say stands under `missing`.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np

from tasks.energy.advice import last_year, loads, profile, simulate, weather, words
from tasks.energy.advice.told import Advice, Period, Tip
from tasks.energy.advice.window import DAY, Window, days_of, window_of
from tasks.metering.tariffs import TariffFacts
from tasks.metering.usage import Usage

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST_DAYS = 28
LEAST_SHARE = 0.01  # of use (or of its cost), below which a tip is left out
MOST_FILLED = 0.1  # of the steps, above which no costs are compared
MOST_FED = 0.5  # of all energy: a meter of a solar plant is nobody's use
TOO_LONG = "Advice needs readings of every day or finer; these are months."
FEW = "Advice needs {least} measured days; there {are}."
NOTHING = "Nothing was used in {days}: there is nothing to save."
FED_IN = "More was fed in than used: this is no meter of use, and advice would be wrong."
SOLAR = (
    "Some energy was fed in. What the weather and last year explain is of use less own generation, so it gives no tips."
)
NO_TARIFF = "The meter has no tariff: choose one, and every figure gets its price."
EXAMPLE = "The meter's tariff is an example with made-up prices: so is all money here. Choose your own tariff."
FILLED = "{share} of the steps were not measured: what tariffs would have cost is not told."
NO_YEAR = "There is no whole year of readings yet: figures are of {days}, and are not scaled up to a year."


def advise(
    usage: Usage,
    *,
    tariff: TariffFacts | None = None,
    tariffs: Sequence[TariffFacts] = (),
    temperature: "NDArray[np.float64] | None" = None,
    holidays: frozenset[date] = frozenset(),
) -> Advice:
    """What can be said of the last 365 whole days, or of those that there are.

    Args:
        usage: all that is known of the meter; earlier years serve the comparison.
        tariff: what it pays now; None: energy alone is told.
        tariffs: all that may be compared.
        temperature: [n] °C at each step of `usage`, NaN where unknown.
        holidays: public holidays, local dates.
    """
    if usage.step > DAY:
        return Advice(missing=[TOO_LONG])
    every = days_of(usage, temperature, holidays)
    if (many := int(every.measured.sum())) < LEAST_DAYS:
        return Advice(missing=[FEW.format(least=LEAST_DAYS, are=f"is {many}" if many == 1 else f"are {many}")])
    window = window_of(usage, every, holidays, tariff)
    advice = Advice(period=_period(window))
    if window.total <= 0 and window.fed <= 0:
        advice.missing.append(NOTHING.format(days=words.count(len(window.days.kwh), "day")))
    elif window.fed > MOST_FED * (window.total + window.fed):
        advice.missing.append(FED_IN)
    else:
        _fill(advice, window, tariffs)
    return advice


def _fill(advice: Advice, window: Window, tariffs: Sequence[TariffFacts]) -> None:
    if not window.whole_year:
        advice.missing.append(NO_YEAR.format(days=words.count(len(window.days.kwh), "day")))
    if window.fed > LEAST_SHARE * window.total:
        advice.missing.append(SOLAR)
    money = _with_money(advice, window)
    tips = [*_loads(advice, money), *_weather(advice, money)]
    if advice.weather and advice.weather.kind != "mean" and advice.weather.r2 >= weather.LEAST_R2:
        tips = [tip for tip in tips if tip.kind != "quiet month"]  # its months differ by heating and cooling
    tips += _tariffs(advice, window, tariffs)
    advice.tips = sorted((tip for tip in tips if _worth(tip, window)), key=_rank)


def _with_money(advice: Advice, window: Window) -> Window:
    """The window, without its tariff where that cannot be reckoned with."""
    if window.tariff is None:
        advice.missing.append(NO_TARIFF)
        return window
    filled = float(window.usage.filled.mean())
    if filled > MOST_FILLED:
        advice.missing.append(FILLED.format(share=words.percent(filled)))
        return replace(window, tariff=None)
    try:
        cost = window.cost(window.tariff)
    except ValueError as error:
        advice.missing.append(f"“{window.tariff.name}” cannot be reckoned: {error}")
        return replace(window, tariff=None)
    if window.tariff.rates.example:
        advice.missing.append(EXAMPLE)
    advice.period.cost_text = words.money(cost.total, window.tariff.currency)
    return window


def _loads(advice: Advice, window: Window) -> list[Tip]:
    advice.base, tips, missing = loads.base(window)
    _miss(advice, missing)
    advice.peaks, advice.profile = loads.peaks(window), profile.profile(window)
    kw = loads.base_kw(window)
    return tips + (profile.left_on(window, kw) if kw else [])


def _weather(advice: Advice, window: Window) -> list[Tip]:
    advice.last_year, tips, missing = last_year.compared(window)
    _miss(advice, missing)
    found, missing = weather.response(window)
    _miss(advice, missing)
    if found is None:
        return tips
    advice.weather = weather.told(window, found)
    creeping = [] if tips else weather.rising(window, found)  # else the same kilowatt-hours would count twice
    return [*tips, *weather.one_degree(window, found), *creeping]


def _tariffs(advice: Advice, window: Window, tariffs: Sequence[TariffFacts]) -> list[Tip]:
    if float(window.usage.filled.mean()) > MOST_FILLED:
        return []
    base = loads.base_kw(window)
    advice.tariffs = simulate.simulated(window, tariffs, base)
    if window.tariff is None:
        return []
    try:
        window.cost(window.tariff)
    except ValueError:
        return []
    return [*simulate.cheapest(window, advice.tariffs), *simulate.shifting(window, base)]


def _period(window: Window) -> Period:
    first, last = (date.fromordinal(int(window.days.ordinals[at])) for at in (0, -1))
    total = window.total - window.fed
    return Period(
        first=first.isoformat(), last=last.isoformat(), days=len(window.days.kwh),
        measured=int(window.days.measured.sum()), per=window.per, kwh=float(f"{total:.8g}"),
        energy=words.energy(total), text=window.about,
    )  # fmt: skip


def _miss(advice: Advice, text: str) -> None:
    if text:
        advice.missing.append(text)


def _worth(tip: Tip, window: Window) -> bool:
    """Whether it clears the threshold: a hundredth of the use. Those of money alone have cleared theirs."""
    return tip.kwh is None or tip.kwh >= LEAST_SHARE * window.total


def _rank(tip: Tip) -> tuple[Decimal, float]:
    return -Decimal(tip.money or 0), -(tip.kwh or 0.0)
