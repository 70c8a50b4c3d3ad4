"""Forecasts by the hour, the day and the month out of a meter's usage, with their weather and their cost. Pure."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

from tasks.energy.forecasting import engine, temperature
from tasks.energy.forecasting.candidate import Forecast, Trial
from tasks.energy.horizons import HORIZONS, Word, following
from tasks.energy.material import Material, Wish
from tasks.energy.parts import Parts
from tasks.energy.points import daily
from tasks.energy.result import Ahead, Step, Tried
from tasks.energy.series import DAY, HOUR, MONTH, Series
from tasks.errors import JobError
from tasks.metering import tariffs
from tasks.metering.usage import Usage

if TYPE_CHECKING:
    from datetime import date

    from numpy.typing import NDArray

    from tasks.energy.anomalies.found import Price
    from tasks.metering.temperatures import Temperatures

    Floats = NDArray[np.float64]

WEEK = 7
MAIN = 0.6  # of the budget, for the horizon that was asked for
PAST = {HOUR: 800 * 24, DAY: 1100, MONTH: 120}  # steps that a forecast is made of
MOST_LATE = {HOUR: 14 * 24, DAY: 14, MONTH: 1}
LEAST = {"hour": 48, "day": 21, "month": 6}  # steps that were measured
COARSE = "The readings come by the {step}, so this is a forecast by the {word} and not by the hour."
SHORT = "There are {count} {word}s of readings: a forecast by the {word} needs {least}. Wait for more of them."
NO_WEATHER = "Nothing is known of the weather at this meter's place, so the forecast goes without it. {why}"
LITTLE_WEATHER = "Too little is known of the past weather at this meter's place, so the forecast goes without it."
NO_FORECAST = "There was no weather forecast, so the temperatures ahead are those usual for the season. {why}"
WRONG_WEATHER = (
    "The weather forecast lies farther from all that was seen at this place than weather goes, so it is not used where "
    "it does: there the usual temperatures for the season stand in."
)
FORECAST = "The temperatures ahead are a weather forecast's."
USUAL = "The temperatures ahead are those usual for the season, and what lingers of the last days."
NO_COST = "What it will cost is not told: {why}"


def aheads(material: Material, parts: Parts, wish: Wish, tell: Callable[[float], None]) -> dict[Word, Ahead]:
    """The forecast that is wished for first, then the further ones for which the past is long enough.

    Raises:
        JobError: the past is too short for the first one.
    """
    main = _possible(parts, wish.horizon)
    steps = wish.ahead if main == wish.horizon else HORIZONS[main].usual
    others = [word for word in wish.further if word != main and not _too_short(parts, word)]
    share = MAIN if others else 1.0
    if wrong := _too_short(parts, main):
        raise JobError(wrong)
    told = _ahead(material, parts, main, steps, wish.budget * share)
    if main != wish.horizon:
        told.fallback = f"{COARSE.format(step=_step_words(parts.usage.step), word=main)} {told.fallback}".strip()
    found = {main: told}
    for number, word in enumerate(others):
        tell(share + (1 - share) * number / len(others))
        found[word] = _ahead(material, parts, word, HORIZONS[word].usual, wish.budget * (1 - share) / len(others))
    return found


def _step_words(step: int) -> str:
    return "hour" if step <= HOUR else "day" if step <= DAY else "month"


def _possible(parts: Parts, word: Word) -> Word:
    """The horizon itself, or the finest for which the readings come often enough."""
    order: tuple[Word, ...] = ("hour", "day", "month")
    for each in order[order.index(word) :]:
        if parts.by(each) is not None:
            return each
    return "month"


def _too_short(parts: Parts, word: Word) -> str:
    usage = parts.by(word)
    count = 0 if usage is None else int((~usage.filled).sum())
    return SHORT.format(count=count, word=word, least=LEAST[word]) if count < LEAST[word] else ""


def _ahead(material: Material, parts: Parts, word: Word, steps: int, budget: float) -> Ahead:
    usage = parts.by(word)
    assert usage is not None  # `_too_short` was asked
    late = _late(material, usage)
    series, weather = series_of(parts, usage, steps + late)
    found = _later(engine.forecast(series, budget=budget), late)
    times = series.times[len(series.values) + late :]
    told = _told(material, word, times, found, weather)
    _add_cost(told, material, parts, times, found, usage.step)
    return told


def _late(material: Material, usage: Usage) -> int:
    """Steps that are over, and whose readings are yet to come: they are foretold too, and not told."""
    ahead = following(int(usage.times[-1]), MOST_LATE[usage.step] + 1, usage.step, usage.zone)
    return min(int((ahead[1:] <= material.as_of).sum()), MOST_LATE[usage.step])


def _later(found: Forecast, late: int) -> Forecast:
    names = ("mean", "lower_80", "upper_80", "lower_95", "upper_95")
    return replace(found, **{name: getattr(found, name)[late:] for name in names})


def series_of(parts: Parts, usage: Usage, steps: int) -> "tuple[Series, Weather]":
    """What a forecast is made of, and in words which weather it uses."""
    some = slice(-PAST[usage.step], None)
    times = usage.times[some]
    ahead = following(int(times[-1]), steps, usage.step, usage.zone)
    weather = weather_of(parts, times, ahead, usage)
    series = Series(
        values=usage.kwh[some], times=np.concatenate([times, ahead]), step=usage.step, zone=usage.zone,
        filled=usage.filled[some], temperature=weather.degrees, holidays=parts.holidays, unit="kWh",
    )  # fmt: skip
    return series, weather


@dataclass(frozen=True, slots=True)
class Weather:
    """Degrees of all steps, past and ahead; None where too little is known. What is used, and what could not be."""

    degrees: "Floats | None"
    words: str = ""
    fallback: str = ""


def weather_of(parts: Parts, times: "NDArray[np.int64]", ahead: "NDArray[np.int64]", usage: Usage) -> Weather:
    """What was known of the weather at the steps of a series, and what stands where nothing was."""
    material = parts.material
    if usage.step > DAY:
        return Weather(None)
    if material.temperature is None or not len(material.temperature.times):
        return Weather(None, fallback=NO_WEATHER.format(why=material.trouble) if material.service else "")
    every = np.concatenate([times, ahead])
    known = _degrees(material.temperature, every, usage)
    measured, told = known[: len(times)], known[len(times) :]
    if np.isfinite(measured).sum() < len(times) / 2:
        return Weather(None, fallback=LITTLE_WEATHER)
    doubtful = temperature.doubtful(every, measured, told)
    degrees = np.concatenate([measured, temperature.ahead(every, measured, len(ahead), told)])
    share = float(np.isfinite(np.where(doubtful, np.nan, told)).mean())
    fallback = WRONG_WEATHER if doubtful.any() else ""
    if material.service and share == 0 and not fallback:
        fallback = NO_FORECAST.format(why=material.trouble)
    words = USUAL if share == 0 else FORECAST if share > 0.99 else f"{FORECAST} Beyond its end: {USUAL.lower()}"
    return Weather(degrees, words, " ".join(fallback.split()))


def _degrees(weather: "Temperatures", every: "NDArray[np.int64]", usage: Usage) -> "Floats":
    if usage.step < DAY:
        return weather.at(every)
    none = np.zeros(len(every))
    return daily(weather.times, weather.degrees, Usage(every, none, none.astype(bool), DAY, usage.zone))


def _told(material: Material, word: Word, times: "NDArray[np.int64]", found: Forecast, weather: "Weather") -> Ahead:
    zone, scale = ZoneInfo(material.zone), material.scale
    columns = (found.mean, found.lower_80, found.upper_80, found.lower_95, found.upper_95)
    rows = zip(times.tolist(), *((column * scale).tolist() for column in columns), strict=True)
    names = ("mean", "lower_80", "upper_80", "lower_95", "upper_95")
    return Ahead(
        horizon=word,
        unit=material.unit,
        as_of=datetime.fromtimestamp(material.as_of, zone).isoformat(),
        model=found.model,
        reason=found.reason,
        fallback=f"{weather.fallback} {found.fallback}".strip(),
        weather=weather.words,
        validation=[_tried(one) for one in found.trials],
        forecast=[
            Step(
                time=datetime.fromtimestamp(at, zone).isoformat(),
                **{n: round(v, 6) for n, v in zip(names, row, strict=True)},
            )
            for at, *row in rows
        ],
        kwh=round(float(found.mean.sum()), 3),
        seconds=round(found.seconds, 3),
    )


def _tried(one: Trial) -> Tried:
    def finite(value: float | None) -> float | None:
        return None if value is None or not np.isfinite(value) else round(float(value), 4)

    return Tried(
        model=one.model, mase=finite(one.mase), smape=finite(one.smape), seconds=round(one.seconds, 3), note=one.note
    )


def _add_cost(
    told: Ahead, material: Material, parts: Parts, times: "NDArray[np.int64]", found: Forecast, step: int
) -> None:
    weekly = step == DAY and len(times) >= WEEK
    told.week_kwh = round(float(found.mean[:WEEK].sum()), 3) if weekly else None
    if material.tariff is None:
        return
    try:
        costs = [
            tariffs.cost(material.tariff.rates, times[:many], found.mean[:many], step, material.zone, parts.holidays)
            for many in (len(times), WEEK)
        ]
    except ValueError as error:
        told.fallback = f"{told.fallback} {NO_COST.format(why=error)}".strip()
        return
    told.cost, told.currency = round(float(costs[0].total), 2), material.tariff.currency
    told.week_cost = round(float(costs[1].total), 2) if weekly else None


def price(material: Material, holidays: "frozenset[date]") -> "Price | None":
    """What some energy in some steps costs more, with tax; None without a tariff that can be reckoned with."""
    tariff = material.tariff
    if tariff is None or tariffs.problems(tariff.rates):
        return None

    def of(times: "NDArray[np.int64]", kwh: "Floats") -> float:
        return float(np.sum(tariffs.price_at(tariff.rates, times, material.zone, holidays) * kwh))

    return of


def tomorrow(material: Material, aheads: dict[Word, Ahead]) -> float | None:
    """kWh of the forecast's first whole local day after the one in which it was made; None when it has no such day."""
    zone = ZoneInfo(material.zone)
    day = datetime.fromtimestamp(material.as_of - 1, zone).date() + timedelta(1)  # at midnight the day that begins
    if "hour" in aheads:
        found = [step.mean for step in aheads["hour"].forecast if datetime.fromisoformat(step.time).date() == day]
        if len(found) >= 23:
            return round(sum(found) / material.scale, 3)
    if "day" in aheads:
        for step in aheads["day"].forecast:
            if datetime.fromisoformat(step.time).date() == day:
                return round(step.mean / material.scale, 3)
    return None
