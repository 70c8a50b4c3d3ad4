"""Victoria's electricity by the hour, where it lies beside the repository, as known at midnights of Melbourne."""

import csv
import os
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tasks.energy.forecasting.calendar import local_parts, public_holidays
from tasks.energy.forecasting.temperature import ahead
from tasks.energy.series import HOUR, Series

SHARED = Path(os.environ.get("NIGHTSHIFT_SHARED", Path(__file__).parents[2] / "shared")) / "data"
FILE = SHARED / "energy" / "vic_electricity" / "vic_electricity.csv"
ABSENT = "needs the data beside the repository: ../shared/data/energy/vic_electricity (or NIGHTSHIFT_SHARED)"
ZONE = "Australia/Melbourne"
DAY_AHEAD = 24

Array = NDArray[np.float64]
Weather = Literal["usable", "none", "actual", "simulated"]


@dataclass(frozen=True, slots=True)
class Victoria:
    """[n] hours of 2012 to 2014: when they begin (epoch seconds), MWh, mean °C, and the file's own holidays."""

    times: NDArray[np.int64]
    load: Array
    degrees: Array
    marked: frozenset[date]

    def midnights(self, year: int) -> list[int]:
        """Indices of the hours at which the days of a year begin in Melbourne."""
        ordinals, hours, _ = local_parts(self.times, ZONE)
        return [int(i) for i in np.flatnonzero(hours == 0) if date.fromordinal(int(ordinals[i])).year == year]

    def until(self, midnight: int, weather: Weather = "usable") -> Series:
        """The series as it was known at a midnight, the next 24 hours ahead.

        Args:
            weather: "usable": only what was measured by then; "none": calendar alone; "actual": the temperatures that
                came, as a perfect weather forecast; "simulated": those with errors of 1.5 °C that last for hours.
        """
        end = midnight + DAY_AHEAD
        degrees: Array | None = None
        if weather != "none":
            past = self.degrees[:midnight]
            told = None if weather == "usable" else self.degrees[midnight:end] + _errors(midnight, weather)
            degrees = np.append(past, ahead(self.times[:end], past, DAY_AHEAD, told))
        return Series(
            values=self.load[:midnight],
            times=self.times[:end],
            step=HOUR,
            zone=ZONE,
            temperature=degrees,
            holidays=public_holidays("AU", "VIC", (2012, 2013, 2014, 2015)),
            unit="MWh",
        )


def _errors(midnight: int, weather: Weather) -> Array:
    """[24] what a weather forecast gets wrong: standard deviation 1.5 °C, correlation 0.9 from hour to hour."""
    errors = np.zeros(DAY_AHEAD)
    if weather == "simulated":
        chance = np.random.default_rng(midnight).normal(0, 1.5, DAY_AHEAD)
        errors[0] = chance[0]
        for hour in range(1, DAY_AHEAD):
            errors[hour] = 0.9 * errors[hour - 1] + np.sqrt(1 - 0.9**2) * chance[hour]
    return errors


def victoria() -> Victoria:
    """All hours of the file: two half hours each."""
    with FILE.open(encoding="ascii", newline="") as file:
        rows = list(csv.DictReader(file))
    times = [int(datetime.fromisoformat(row["Time"]).timestamp()) for row in rows[::2]]
    load = np.array([float(row["Demand"]) for row in rows]).reshape(-1, 2).sum(axis=1)
    degrees = np.array([float(row["Temperature"]) for row in rows]).reshape(-1, 2).mean(axis=1)
    marked = frozenset(date.fromisoformat(row["Date"]) for row in rows if row["Holiday"] == "TRUE")
    return Victoria(np.array(times, dtype=np.int64), load, degrees, marked)


def mape(truth: Array, mean: Array) -> float:
    """Mean absolute percentage error."""
    return float(100 * (np.abs(truth - mean) / truth).mean())
