"""What was known at the same hour of every past day, and what came after: the rows that a direct forecast learns from.

One row a day. Its origin is the step at the hour at which the forecast begins (on the wall's clock, so that the days of
the change to summer time fit in); behind it lie the loads and temperatures that were known, ahead the steps to come.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tasks.energy.forecasting.calendar import BRIDGE, HOLIDAY, SATURDAY, day_kinds, local_parts
from tasks.energy.series import DAY

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tasks.energy.series import Series

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

WEEK = 7  # days that lie behind every origin
_COLD, _WARM = 16.0, 20.0  # °C below which people heat and above which they cool: the model may bend there


@dataclass(frozen=True, slots=True)
class Origins:
    """Steps at which forecasts begin, today's last.

    Attributes:
        at: [m] index into the series' times; the last is len(values).
        day: steps of a day.
        ordinals: [m] local dates of the origins.
        late: share of the day that is over at an origin, 0 at midnight.
        kinds: kinds of day (see `day_kinds`) from the day before the first origin to long after the last.
        seasons: whether the days tell of a year's seasons.
    """

    at: "Ints"
    day: int
    ordinals: "Ints"
    late: float
    kinds: "Ints"
    seasons: bool

    def kind(self, ahead: int) -> "Ints":
        """[m] the kind of the day `ahead` days after each origin's."""
        return np.asarray(self.kinds[self.ordinals - self.ordinals[0] + 1 + ahead])


def origins(series: "Series", most: int) -> Origins:
    """The last `most` days' steps at the hour at which the future begins, each with a week behind it."""
    day, n = DAY // series.step, len(series.values)
    rough = np.arange(n, WEEK * day - 1, -day)[:most][::-1]
    if not series.calendar:
        ordinals = rough // day  # the weekday's name is unknown, but every seventh day is the same
        return Origins(rough, day, ordinals, 0.0, _kinds(series, ordinals), seasons=False)
    dates, hours, _ = local_parts(series.times[: n + 1], series.zone)
    local = dates * DAY + np.round(hours * 3600).astype(np.int64)
    # An offset that changed since moves the same hour of the clock by so many steps.
    wanted = local[n] - DAY * np.arange(len(rough))[::-1]
    at = rough + np.round((wanted - local[rough]) / series.step).astype(np.int64)
    far = at >= WEEK * day  # a change may have moved the first one out of reach
    at, ordinals = at[far], (wanted // DAY)[far]
    return Origins(at, day, ordinals, float(hours[n]) / 24, _kinds(series, ordinals), seasons=len(at) > 300)


def _kinds(series: "Series", ordinals: "Ints") -> "Ints":
    days = np.arange(ordinals[0] - 1, ordinals[-1] + series.horizon * series.step // DAY + 4)
    weekdays = (days - 1) % 7
    return day_kinds(days, weekdays, series.holidays) if series.calendar else weekdays


def slots(series: "Series") -> "Ints":
    """[horizon] how many steps after the origin each step ahead begins by the wall's clock: one is left out on the day
    on which summer time begins, and comes twice on the day on which it ends."""
    if not series.calendar:
        return np.arange(series.horizon)
    ordinals, hours, _ = local_parts(series.times[len(series.values) :], series.zone)
    passed = (ordinals - ordinals[0]) * DAY + (hours - hours[0]) * 3600
    return np.asarray(np.maximum(0, np.round(passed / series.step)), dtype=np.int64)


def blocks(values: "Floats", at: "Ints", first: int, length: int) -> "Floats":
    """[m, length] values from `first` steps after each origin on. All must exist."""
    return np.asarray(values[at[:, None] + np.arange(first, first + length)[None, :]])


def by_the_hour(rows: "Floats", most: int = 24) -> "Floats":
    """[m, length] rows averaged to at most `most` numbers each."""
    parts = np.array_split(np.arange(rows.shape[1]), min(most, rows.shape[1]))
    return np.column_stack([rows[:, p].mean(axis=1) for p in parts])


def usual(values: "Floats", origin: Origins) -> "Floats":
    """[m, day] mean of the last seven days, slot by slot."""
    week = blocks(values, origin.at, -WEEK * origin.day, WEEK * origin.day)
    return np.asarray(week.reshape(len(week), WEEK, origin.day).mean(axis=1))


def loads(values: "Floats", origin: Origins) -> "list[Floats]":
    """What the loads tell: the last day, the usual day of the last week, how the last day and the last four hours
    departed from it. (Groups weigh alike: differences told on their own count for more than between the lines.)"""
    day, at = origin.day, origin.at
    hours = max(1, day // 6)
    week, last = usual(values, origin), blocks(values, at, -day, day)
    off = last - week
    return [by_the_hour(off), by_the_hour(last), by_the_hour(week), by_the_hour(off[:, -hours:], 4)]


def calendar(origin: Origins, ahead: int) -> "list[Floats]":
    """What the calendar tells of the day `ahead` days after each origin: its kind, whether people are free then, are
    free the day before and the day after, and where in the year it lies."""
    sort = (1 - origin.late) * np.eye(9)[origin.kind(ahead)] + origin.late * np.eye(9)[origin.kind(ahead + 1)]
    before, free, after = (_free(origin, ahead + k) for k in (-1, 0, 1))
    told = [sort, np.column_stack([free, before, free * before, sort[:, HOLIDAY]]), np.column_stack([after, before])]
    if origin.seasons:
        year = 2 * np.pi * ((origin.ordinals + ahead) % 365.2425) / 365.2425
        told.append(np.column_stack([f(k * year) for k in (1, 2, 3) for f in (np.sin, np.cos)]))
    return told


def _free(origin: Origins, ahead: int) -> "Floats":
    """[m] how much of the 24 hours that begin `ahead` days after each origin is free."""
    one, two = (
        ((kind >= SATURDAY) & (kind != BRIDGE)).astype(float) for kind in (origin.kind(ahead), origin.kind(ahead + 1))
    )
    return np.asarray((1 - origin.late) * one + origin.late * two)


def weather(degrees: "Floats", origin: Origins) -> "list[Floats]":
    """What the temperatures behind each origin tell: the last day by the hour, the last week day by day."""
    week = blocks(degrees, origin.at, -WEEK * origin.day, WEEK * origin.day)
    return [by_the_hour(week[:, -origin.day :]), by_the_hour(week, WEEK)]


def weather_ahead(degrees: "Floats", origin: Origins, first: int) -> "list[Floats]":
    """What the temperatures of a day ahead tell, where a weather forecast is known: by the hour, the day's mean and
    ends, and in pieces of three hours as heating and cooling degrees."""
    rows = blocks(degrees, origin.at, first, origin.day)
    parts = by_the_hour(rows, 8)
    whole = np.column_stack([rows.mean(axis=1), rows.max(axis=1), rows.min(axis=1)])
    return [by_the_hour(rows), whole, np.maximum(parts - _WARM, 0), np.maximum(_COLD - parts, 0)]
