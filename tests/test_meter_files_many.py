"""A file of very many meters costs for each reading what one of a single meter does."""

import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np

from tasks.metering.files import Hints, settling
from tasks.metering.files.reading import Reader
from tasks.metering.files.series import Series

METERS, READINGS = 200, 4


class Counting(dict[str, Series]):
    """Counts how often all of them are gone through."""

    times = 0

    def values(self) -> Any:
        self.times += 1
        return super().values()


def test_many_meters_in_one_file_are_not_gone_through_at_each_of_its_readings(tmp_path: Path) -> None:
    path = tmp_path / "House.csv"
    rows = (f"2024-05-{day + 1:02d}T{meter % 24:02d}:00:00Z,m{meter},{day + 1}.5\n"
            for day in range(READINGS) for meter in range(METERS))  # fmt: skip
    path.write_text("time,meter,kWh\n" + "".join(rows))
    reader = Reader(path, Hints(name="House"))
    reader.series = gone = Counting()
    for _part in reader.parts():
        pass
    assert len(gone) == METERS
    assert gone.times < 10


def test_the_step_of_irregular_readings_is_found_without_a_list_of_all_lengths_of_a_month() -> None:
    times = np.cumsum(np.arange(20) * 86_400 * 3)
    settling.step_of(times)
    tracemalloc.start()
    try:
        settling.step_of(times)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < 200_000


def test_readings_a_month_apart_are_monthly_however_long_their_months_are() -> None:
    months = np.cumsum(np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30]) * 86_400)
    assert settling.step_of(months) == settling.MONTH
    assert settling.step_of(np.cumsum(np.full(9, 32 * 86_400))) == 32 * 86_400
