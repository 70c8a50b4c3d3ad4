"""A look at a meter: its readings made regular, forecasts, anomalies, advice. Pure: plain data in, a result out."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

from tasks.energy import foretell, points
from tasks.energy.horizons import Word
from tasks.energy.material import Material, Wish
from tasks.energy.parts import Parts
from tasks.energy.result import Ahead, AnomalyFound, Charts, EnergyResult, Oddity
from tasks.errors import JobError
from tasks.metering import regular
from tasks.metering.usage import Usage

if TYPE_CHECKING:
    from tasks.energy.advice.told import Advice
    from tasks.energy.anomalies.found import Found

Tell = Callable[[float, str], None]
LEAST = 6  # readings of which anything can be said
PASSING = ("spike", "flat")
MOST_REPLACED = 0.05  # of the steps; beyond, what is usual is not known
REPLACED = "{many} steps of {odd} anomal{s} count as what was to be expected there, so that no forecast repeats them."
NONE = "There are no readings{until}. Import some, or send them in, then look again."
FEW = "There {are}: a forecast by the hour needs two days of them, by the day three weeks, by the month half a year."
EMPTY = "Nothing was measured: all values are missing. Look at the file's column of values, or at the meter."


@dataclass(frozen=True, slots=True)
class Figures:
    """What a list of meters shows, kWh; None where too little is known."""

    week: float | None
    week_before: float | None
    month: float | None
    month_before: float | None
    tomorrow: float | None


@dataclass(frozen=True, slots=True)
class Look:
    """What a look came to.

    Attributes:
        whole: the result without a forecast.
        aheads: the forecasts by their horizon.
        found: the anomalies, as they are recorded.
        as_of, since: epoch seconds up to and from which on it was looked at.
        night: local day for which it was made.
    """

    whole: EnergyResult
    aheads: dict[Word, Ahead]
    found: "tuple[Found, ...]"
    figures: Figures
    as_of: int
    since: int
    night: str
    seconds: float

    def result(self, word: Word) -> EnergyResult:
        """The result with one of its forecasts."""
        return EnergyResult.model_validate(self.whole.model_dump() | self.aheads[word].model_dump())


def night_of(as_of: int, zone: str) -> str:
    """The local day in which something was known."""
    return datetime.fromtimestamp(as_of, ZoneInfo(zone)).date().isoformat()


def look(material: Material, wish: Wish, tell: Tell = lambda share, words: None) -> Look:
    """Look at a meter.

    Args:
        tell: told how far it is.

    Raises:
        JobError: the readings allow no forecast; says why.
        ValueError, ArithmeticError: a computation came to nothing.
    """
    began = time.thread_time()
    tell(0.05, "Making the readings regular")
    parts = _parts(material)
    tell(0.1, "Looking for anomalies")
    found = _anomalies(material, parts)
    usual, replaced = calm(parts, found)
    tell(0.2, "Choosing among the models")
    aheads = foretell.aheads(material, usual, wish, lambda share: tell(0.2 + 0.6 * share, "Choosing among the models"))
    tell(0.8, "Reckoning what could be saved")
    whole = _whole(material, parts, found)
    whole.oddities += replaced
    seconds = time.thread_time() - began
    figures = _figures(material, parts, aheads)
    night, since = night_of(material.as_of, material.zone), int(parts.usage.times[0])
    return Look(whole, aheads, found, figures, material.as_of, since, night, round(seconds, 3))


def calm(parts: Parts, found: "tuple[Found, ...]") -> tuple[Parts, list[Oddity]]:
    """The usage without what was wrong for a while: a forecast that learnt from a fault would repeat it tomorrow.

    Spikes and flat lines become what was to be expected there, and count as not measured; what lasts stays.
    """
    usage = parts.usage
    odd = [one for one in found if one.kind in PASSING and len(one.times) == len(one.expected)]
    at = [np.searchsorted(usage.times, one.times) for one in odd]
    many = sum(map(len, at))
    if not many or many > MOST_REPLACED * len(usage.times):
        return parts, []
    kwh, filled = usage.kwh.copy(), usage.filled.copy()
    for one, where in zip(odd, at, strict=True):
        kwh[where], filled[where] = one.expected, True
    text = REPLACED.format(many=f"{many:,}", odd=f"{len(odd):,}", s="y" if len(odd) == 1 else "ies")
    told = Oddity(kind="anomalies", steps=many, text=text)
    return Parts.of(replace(usage, kwh=kwh, filled=filled), parts.material), [told]


def _parts(material: Material) -> Parts:
    """The usage in its own steps, by the hour, the day and the month, as far as it is that fine."""
    if not len(material.readings.times):
        raise JobError(NONE.format(until=""))
    count = len(material.readings.times)
    if count < LEAST:
        are = f"is only {count} reading" if count == 1 else f"are only {count} readings"
        raise JobError(FEW.format(are=are))
    step = regular.steps_of(material.step, material.readings)
    usage = regular.regular(
        material.readings, kind=material.kind, step=step, zone=material.zone, rolls_at=material.rolls_at
    )
    if usage.filled.all():  # of no steps, too
        raise JobError(EMPTY)
    return Parts.of(usage, material)


def _anomalies(material: Material, parts: Parts) -> "tuple[Found, ...]":
    from tasks.energy.anomalies.find import find

    usage = parts.usage
    return find(
        usage,
        temperature=parts.degrees(usage.times),
        holidays=parts.holidays,
        price=foretell.price(material, parts.holidays),
    )


def _whole(material: Material, parts: Parts, found: "tuple[Found, ...]") -> EnergyResult:
    zone = ZoneInfo(material.zone)
    usage = parts.usage
    return EnergyResult(
        meter=material.meter,
        name=material.name,
        zone=material.zone,
        unit=material.unit,
        as_of=_iso(material.as_of, zone),
        currency=material.tariff.currency if material.tariff else "",
        readings=len(material.readings.times),
        step=usage.step,
        first=_iso(int(usage.times[0]), zone),
        last=_iso(int(material.readings.times[-1]), zone),
        note=_note(parts),
        oddities=[*material.oddities, *_oddities(usage, zone)],
        anomalies=[_anomaly(one, material, zone) for one in found],
        advice=_advice(material, parts),
        charts=_charts(material, parts),
    )


def _advice(material: Material, parts: Parts) -> "Advice":
    from tasks.energy.advice.advise import advise

    usage = parts.usage
    return advise(
        usage, tariff=material.tariff, tariffs=material.tariffs, temperature=parts.degrees(usage.times),
        holidays=parts.holidays,
    )  # fmt: skip


def _oddities(usage: Usage, zone: ZoneInfo) -> list[Oddity]:
    return [
        Oddity(kind=one.kind, start=_iso(one.start, zone), end=_iso(one.end, zone), steps=one.steps, text=one.text)
        for one in usage.findings
    ]


def _anomaly(one: "Found", material: Material, zone: ZoneInfo) -> AnomalyFound:
    cost = None if one.cost is None or material.tariff is None else round(float(one.cost), 4)
    return AnomalyFound(
        start=_iso(one.start, zone),
        end=None if one.end is None else _iso(one.end, zone),
        kind=one.kind,
        kwh=None if one.kwh is None else round(float(one.kwh), 3),
        cost=cost,
        currency=material.tariff.currency if material.tariff and cost is not None else "",
        text=one.text,
    )


def _note(parts: Parts) -> str:
    """What is special: nothing is ever used, or always the same."""
    known = parts.usage.kwh[~parts.usage.filled]
    if not known.any():
        return "Not a single kilowatt-hour was used in all of this time. Is it the right meter, and the right column?"
    if np.ptp(known) == 0:
        return (
            "The use is the same in every step: no meter of a living house shows that. Is it a setting or an estimate?"
        )
    return ""


def _charts(material: Material, parts: Parts) -> Charts:
    shown = parts.hours or parts.days or parts.months or parts.usage
    load, curve = points.load(shown, material.scale), points.curve(parts.usage)
    heat = points.heat(parts.hours, material.scale) if parts.hours else None
    days = parts.days
    degrees = parts.daily_degrees()
    scatter = points.scatter(days, degrees, material.scale) if days is not None and degrees is not None else None
    return Charts(
        load_times=load.times,
        load=load.values,
        load_step=shown.step,
        heat_days=heat.days if heat else [],
        heat=heat.values if heat else [],
        curve=curve.loads if curve else [],
        curve_since=curve.since if curve else 0,
        scatter_days=scatter.days if scatter else [],
        scatter_degrees=scatter.degrees if scatter else [],
        scatter=scatter.values if scatter else [],
        line=scatter.line if scatter else [],
        line_words=scatter.words if scatter else "",
    )


def _figures(material: Material, parts: Parts, aheads: dict[Word, Ahead]) -> Figures:
    today = parts.known_until(date.fromisoformat(night_of(material.as_of, material.zone)).toordinal())
    past = {back: parts.days_back(today, back, many) for back, many in ((7, 7), (14, 7), (30, 30), (60, 30))}
    return Figures(past[7], past[14], past[30], past[60], foretell.tomorrow(material, aheads))


def _iso(at: int, zone: ZoneInfo) -> str:
    return datetime.fromtimestamp(at, zone).isoformat()
