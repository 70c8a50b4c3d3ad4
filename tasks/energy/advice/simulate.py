"""What the same use would have cost under other tariffs, and what moving some of it to cheap hours would save."""

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np

from tasks.energy.advice import words
from tasks.energy.advice.told import Simulated, Tip
from tasks.energy.advice.window import HOUR, Window
from tasks.metering.costs import Cost
from tasks.metering.tariffs import TIMES, TariffFacts, price_at

if TYPE_CHECKING:
    from tasks.energy.advice.window import Floats

MOST = 50
LEAST_SHARE = Decimal("0.01")  # of the cost, below which nothing is worth a tip
MOVED = 0.1  # of what could be moved: a tip speaks of a tenth


def simulated(window: Window, tariffs: Sequence[TariffFacts], base: float | None) -> list[Simulated]:
    """All tariffs on the same steps, the cheapest first, those that could not be reckoned last.

    Args:
        base: kW that run at all hours, which cannot be moved; None: unknown.
    """
    current = window.tariff
    others = [each for each in tariffs if current is None or each.id != current.id][: MOST - 1]
    every = [current, *others] if current else others
    found = [_one(window, each, base) for each in every]
    return sorted(found, key=lambda each: (each.total is None, each.currency, Decimal(each.total or 0)))


def _one(window: Window, tariff: TariffFacts, base: float | None) -> Simulated:
    now = window.tariff
    told = Simulated(
        id=tariff.id, name=tariff.name, currency=tariff.currency, current=tariff == now, example=tariff.rates.example
    )  # fmt: skip
    try:
        cost = window.cost(tariff)
    except ValueError as error:
        told.note = str(error)
        return told
    told.total, told.total_text = str(round(cost.total, 2)), words.money(cost.total, tariff.currency)
    told.per_kwh_text = words.price(cost.total / cost.kwh, tariff.currency) if cost.kwh else ""
    told.levels = [(e.name, float(round(e.kwh, 3)), words.money(e.amount, tariff.currency)) for e in cost.levels]
    if now and tariff != now:
        _beside(window, told, tariff, cost, base)
    return told


def _beside(window: Window, told: Simulated, tariff: TariffFacts, cost: Cost, base: float | None) -> None:
    """How it differs from the current tariff, and how much would have to move to cheap hours to break even."""
    now = window.tariff
    if now is None or now.currency != tariff.currency:
        told.note = "It is in another currency." if now else ""
        return
    try:
        difference = cost.total - window.cost(now).total
    except ValueError:
        return
    told.difference = str(round(difference, 2))
    size = words.money(abs(difference), tariff.currency)
    told.difference_text = f"{size} {'dearer' if difference > 0 else 'cheaper'}" if difference else "the same"
    if difference > 0 and tariff.rates.kind == TIMES:
        told.note = _even(window, tariff, difference, base)


def _even(window: Window, tariff: TariffFacts, difference: Decimal, base: float | None) -> str:
    shifted = _shifted(window, tariff, 1.0, base)
    if shifted is None:
        return ""
    kwh, saved = shifted
    if saved <= difference:
        return "It stays dearer however much is moved to its cheap hours."
    share = float(difference / saved)
    return (
        f"It breaks even when {words.energy(share * kwh)} in {window.per} move to the cheapest hours of the same day: "
        f"{words.percent(share)} of what the dearest hours take above the base load."
    )


def shifting(window: Window, base: float | None) -> list[Tip]:
    """What a tenth of the dearest hours' movable energy saves in the cheapest hours of the same days."""
    tariff = window.tariff
    if tariff is None or tariff.rates.kind != TIMES or window.fed > 0.01 * window.total:
        return []
    shifted = _shifted(window, tariff, MOVED, base)
    if shifted is None or shifted[1] < LEAST_SHARE * window.cost(tariff).total:
        return []
    kwh, saved = shifted
    name = "the dearest hours"
    above = f" above the base load of {words.power(base * 1000)}" if base is not None else ""
    title = f"Move {words.energy(kwh)} from {name} to the cheapest hours of the same day"
    how = (
        f"A tenth of what {name} of each day took{above}, spread over that day's cheapest hours, reckoned once more "
        f"under “{tariff.name}”. {window.about}"
    )
    return [
        Tip(
            kind="shift", title=title, kwh=None, energy="", money=str(round(saved, 2)),
            money_text=words.money(saved, tariff.currency), currency=tariff.currency, per=window.per, how=how,
            sure="Sure as a sum; whether so much can wait, you know best.",
        )
    ]  # fmt: skip


def _shifted(window: Window, tariff: TariffFacts, share: float, base: float | None) -> tuple[float, Decimal] | None:
    """kWh moved and what that saves; None where nothing can be moved."""
    moved = _moved(window, tariff, share, base)
    if moved is None:
        return None
    kwh, after = moved
    try:
        return kwh, window.cost(tariff).total - window.cost(tariff, after).total
    except ValueError:
        return None


def _moved(window: Window, tariff: TariffFacts, share: float, base: float | None) -> "tuple[float, Floats] | None":
    """kWh, and the steps [n] with that much moved from each day's dearest to its cheapest."""
    if window.usage.step > HOUR:
        return None
    prices = price_at(tariff.rates, window.usage.times, window.usage.zone, window.holidays)
    where, size = window.ordinal - window.days.ordinals[0], len(window.days.kwh)
    highest, lowest = np.full(size, -np.inf), np.full(size, np.inf)
    np.maximum.at(highest, where, prices)
    np.minimum.at(lowest, where, prices)
    dear = (prices == highest[where]) & (highest > lowest)[where]
    cheap = (prices == lowest[where]) & (highest > lowest)[where]
    least = (base or 0.0) * window.usage.step / HOUR
    less = np.where(dear, share * np.maximum(window.used - least, 0.0), 0.0)
    if not less.any():
        return None
    of_day, places = np.bincount(where, less, size), np.bincount(where, cheap, size)
    more = np.where(cheap, (of_day / np.maximum(places, 1))[where], 0.0)
    return float(less.sum()), window.usage.kwh - less + more


def cheapest(window: Window, found: Sequence[Simulated]) -> list[Tip]:
    """The tariff that would have saved most, if it is worth the trouble."""
    now = next((each for each in found if each.current and each.total is not None), None)
    real = [each for each in found if each.difference is not None and not each.example]
    cheaper = [each for each in real if Decimal(each.difference or 0) < 0]
    if now is None or now.example or not cheaper:
        return []
    best = min(cheaper, key=lambda each: Decimal(each.difference or 0))
    saved = -Decimal(best.difference or 0)
    if saved < LEAST_SHARE * abs(Decimal(now.total or 0)):
        return []
    how = (
        f"The same energy in the same steps: {now.total_text} under “{now.name}”, {best.total_text} under "
        f"“{best.name}”, standing charge and tax in both. {window.about}"
    )
    sure = "Sure for these days; use changes, and prices do." if window.whole_year else (
        "Fair: it is no whole year, and prices or use of other seasons may turn it round."
    )  # fmt: skip
    return [
        Tip(
            kind="tariff", title=f"“{best.name}” would have cost less than “{now.name}”", money=str(round(saved, 2)),
            money_text=words.money(saved, best.currency), currency=best.currency, per=window.per, how=how, sure=sure,
        )
    ]  # fmt: skip
