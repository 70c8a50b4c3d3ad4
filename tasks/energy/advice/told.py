"""What advice consists of: plain data that goes into a run's result as JSON (`Advice.model_dump(mode="json")`).

Money is a decimal in text ("123.40") beside how it reads ("€123.40"). `per` says of which time a figure is: "a year",
or "182 days" where there is no whole year: nothing is scaled up.
"""

from pydantic import BaseModel, ConfigDict

Row = list[float | None]


class _Told(BaseModel):
    model_config = ConfigDict(extra="forbid", ser_json_inf_nan="null")


class Tip(_Told):
    """One thing that is worth doing, with what it is worth and how that was reckoned."""

    # "base load", "quiet month", "tariff", "shift", "heating", "cooling", "weekends", "nights", "more", "rising"
    kind: str
    title: str
    kwh: float | None = None  # that it saves; None where it saves money alone
    energy: str = ""  # the same in words
    money: str | None = None
    money_text: str = ""
    currency: str = ""
    per: str
    how: str  # figures and formula in words, and of which days
    sure: str  # how far it can be trusted


class Base(_Told):
    """What runs at all hours."""

    watts: float
    kwh: float
    share: float  # of all that was used, 0..1
    money_text: str = ""
    text: str
    how: str


class Peaks(_Told):
    """The highest load, and how seldom it is reached."""

    kw: float
    at: str  # ISO 8601 with offset
    load_factor: float  # mean over highest load, 0..1
    kw_1: float  # reached or passed in 1 % of the time
    kw_10: float
    kw_50: float
    hours_near: float  # hours above 80 % of the highest load
    busiest: tuple[int, int]  # the three hours of a working day that take most: from, to
    busiest_share: float  # of working days' energy in them
    text: str


class Season(_Told):
    """Median load by hour of the day in three months, kW; None where too little was measured."""

    name: str
    workdays: Row
    free: Row  # weekends and public holidays


class Profile(_Told):
    """When it is used: median load in kW by weekday (Monday first) and hour, and by season."""

    week: list[Row]  # [7][24]
    seasons: list[Season]
    text: str


class LastYear(_Told):
    """Beside one's own year before: days measured in both, 52 weeks apart, so that weekdays meet their like."""

    days: int
    kwh_now: float
    kwh_before: float
    change: float  # kWh, more is above zero
    percent: float | None
    corrected: bool  # for the weather
    weather: float | None = None  # kWh of the change that the weather explains
    rest: float | None = None  # kWh that it does not
    margin: float | None = None  # 95 % of such rests lie within, without any change of habits
    money_text: str = ""
    text: str
    how: str


class Simulated(_Told):
    """What the same use would have cost under a tariff."""

    id: str
    name: str
    currency: str
    current: bool = False
    example: bool = False  # its prices are made up: it is shown, and no tip rests on it
    total: str | None = None
    total_text: str = ""
    per_kwh_text: str = ""
    difference: str | None = None  # to the current tariff, above zero: dearer
    difference_text: str = ""
    levels: list[tuple[str, float, str]] = []  # name, kWh, money in words
    note: str = ""  # break-even, or why it could not be reckoned


class Weather(_Told):
    """What cold and heat do to it."""

    kind: str
    heating: float  # kWh for each degree and day
    cooling: float
    heats_below: float | None
    cools_above: float | None
    r2: float
    days: int
    heating_kwh: float
    cooling_kwh: float
    text: str


class Period(_Told):
    """Which days all of it is about."""

    first: str = ""
    last: str = ""
    days: int = 0
    measured: int = 0
    per: str = ""
    kwh: float = 0.0
    energy: str = ""
    cost_text: str = ""  # under the current tariff
    text: str = ""


class Advice(_Told):
    """Tips, the best first, what they rest on, and what is missing for more."""

    period: Period = Period()
    tips: list[Tip] = []
    base: Base | None = None
    peaks: Peaks | None = None
    profile: Profile | None = None
    last_year: LastYear | None = None
    weather: Weather | None = None
    tariffs: list[Simulated] = []
    missing: list[str] = []
