"""What repeats: the season of a step, the longer one around it, and where in them each step lies."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tasks.energy.forecasting.calendar import HOLIDAY, SUNDAY, day_kinds, local_parts
from tasks.energy.series import DAY, MONTH, Series

if TYPE_CHECKING:
    from numpy.typing import NDArray

WEEKDAYS = 7


@dataclass(frozen=True, slots=True)
class Seasons:
    """Lengths in steps.

    Attributes:
        short: of the season in which most repeats: a day of hours, a week of days, a year of months.
        long: of the one around it: a week of hours, a year of days; None: there is none worth a lag.
        word, long_word: their names for people.
    """

    short: int
    long: int | None
    word: str
    long_word: str


def seasons(step: int) -> Seasons:
    """The seasons of a step of so many seconds."""
    if step >= MONTH:
        return Seasons(12, None, "year", "")
    if step >= DAY:
        return Seasons(7, 364, "week", "year")  # 364: a year later on the same weekday
    return Seasons(DAY // step, WEEKDAYS * DAY // step, "day", "week")


def places(series: Series) -> "tuple[NDArray[np.int64], NDArray[np.int64]]":
    """Where in the short season, and in the week of hours, each step lies: [n + horizon] each, from 0.

    By the wall's clock and with public holidays as Sundays where the dates are real; else counted from the start.
    Days and months have one season: both are the same.
    """
    found, count = seasons(series.step), len(series.times)
    if series.step >= DAY:
        place = _weekday_or_month(series) if series.calendar else np.arange(count) % found.short
        return place, place
    if not series.calendar:
        since = np.arange(count)
        return since % found.short, since % (WEEKDAYS * found.short) * 24 // found.short
    ordinals, hours, weekdays = local_parts(series.times, series.zone)
    kinds = day_kinds(ordinals, weekdays, series.holidays)
    days = np.where(kinds == HOLIDAY, SUNDAY, weekdays)
    return (hours * 3600 / series.step).astype(np.int64), days * 24 + hours.astype(np.int64)


def _weekday_or_month(series: Series) -> "NDArray[np.int64]":
    ordinals, _, weekdays = local_parts(series.times, series.zone)
    if series.step >= MONTH:
        return (ordinals.astype("datetime64[D]") - _SHIFT).astype("datetime64[M]").astype(np.int64) % 12
    kinds = day_kinds(ordinals, weekdays, series.holidays)
    return np.where(kinds == HOLIDAY, SUNDAY, weekdays)


_SHIFT = 719_163  # days from 0001-01-01 to 1970-01-01, as date.toordinal counts
