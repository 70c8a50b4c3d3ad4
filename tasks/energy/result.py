"""What a look at a meter tells: read by result.html, the meter's page, the API and --json."""

from typing import Literal

from pydantic import Field

from tasks.energy.advice.told import Advice
from tasks.job import Result


class Step(Result):
    """One step of a forecast: 80 of 100 times it lies between lower_80 and upper_80, 95 times between the others."""

    time: str = Field(title="Where it begins, ISO 8601 with its offset from UTC")
    mean: float
    lower_80: float
    upper_80: float
    lower_95: float
    upper_95: float


class Tried(Result):
    """How a model did on the meter's own past."""

    model: str
    mase: float | None = Field(title="Mean error over the seasonal naive's in the fitted past; 1 is no better than it")
    smape: float | None = Field(title="Symmetric percentage error")
    seconds: float = Field(title="CPU time")
    note: str = Field("", title="What happened, when it gave no answer")


class Oddity(Result):
    """Something odd in the readings, and by which rule it was dealt with."""

    kind: str
    start: str = Field("", title="When it begins, ISO 8601; empty where it has no time")
    end: str = Field("", title="When it ends")
    lines: str = Field("", title="Lines of the file")
    steps: int = Field(0, title="How many readings it concerns")
    text: str = Field(title="What was found, and what was done")


class AnomalyFound(Result):
    """Something wrong in what was used."""

    start: str
    end: str | None = Field(title="Empty while it goes on")
    kind: str
    kwh: float | None = Field(title="More than expected; negative: less")
    cost: float | None = Field(title="What that cost")
    currency: str = ""
    text: str


class Charts(Result):
    """The few numbers that the pictures are drawn from, in the result's unit; times are epoch seconds."""

    load_times: list[int] = Field([])
    load: list[float | None] = Field([])
    load_step: int = Field(3600, title="Seconds from one of these to the next")
    heat_days: list[str] = Field([])
    heat: list[list[float | None]] = Field([], title="By day, the energy of each local hour")
    curve: list[float] = Field([], title="kW that were reached or passed for 0, 1, … 100 % of the time")
    curve_since: int = 0
    scatter_days: list[str] = Field([])
    scatter_degrees: list[float] = Field([])
    scatter: list[float] = Field([], title="Energy of those days")
    line: list[tuple[float, float]] = Field([], title="Degrees and energy of the fitted line")
    line_words: str = ""


class Ahead(Result):
    """A forecast, how it was chosen and how far it can be trusted."""

    horizon: Literal["hour", "day", "month"] = "hour"
    unit: str = Field("kWh", title="Unit of the forecast and of the pictures")
    as_of: str = Field("", title="It uses what was known then, and nothing later")
    model: str = Field("", title="Which model answered")
    reason: str = Field("", title="Why that one")
    fallback: str = Field("", title="What could not be used, and what answers instead")
    weather: str = Field("", title="Which weather it uses")
    validation: list[Tried] = Field([], title="How each model did on the meter's own past")
    forecast: list[Step] = Field([])
    kwh: float | None = Field(None, title="Energy of all steps together, kWh")
    cost: float | None = Field(None, title="What they will cost by the meter's tariff")
    currency: str = ""
    week_kwh: float | None = Field(None, title="Of a forecast by the day: energy of its first seven days")
    week_cost: float | None = Field(None, title="What those will cost")
    seconds: float = Field(0.0, title="CPU seconds")


class Looked(Result):
    """What became of one of many meters."""

    meter: str
    state: str
    reason: str = ""
    model: str = ""
    seconds: float = 0.0


class EnergyResult(Ahead):
    """A look at one meter; of many meters at once, only `meters` and the counts."""

    meter: str = Field("", title="The stored meter's id")
    name: str = ""
    zone: str = "UTC"
    readings: int = Field(0, title="Readings that were looked at")
    step: int = Field(0, title="Seconds from one to the next")
    first: str = ""
    last: str = ""
    note: str = Field("", title="What is special about this meter")
    oddities: list[Oddity] = Field([], title="What was odd in the readings, and what was done")
    anomalies: list[AnomalyFound] = Field([])
    advice: Advice | None = Field(None, title="What would save energy or money, and how that was reckoned")
    charts: Charts = Charts()
    meters: list[Looked] = Field([], title="Of many at once: what became of each; at most the first hundred")
    made: int = Field(0, title="Meters with a new forecast")
    refused: int = Field(0, title="Meters whose readings allow none")
    failed: int = Field(0, title="Meters at which something broke")
    current: int = Field(0, title="Meters that were looked at already")
    left: int = Field(0, title="Meters that a failed part did not come to; the next run does")


def short_model(name: str) -> str:
    """A model's name where there is little room: “median of 5 models”."""
    return f"median of {name.count(';') + 2} models" if name.startswith("median of ") else name
