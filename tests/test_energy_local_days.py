"""A file with times in UTC and a column of local days tells by what clock its days are."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tasks.energy import filed

HOURS = 24 * 21


def written(path: Path, offset: timedelta, *, summer_from: int = HOURS, zone: str = "Z", step: int = 60) -> Path:
    """A use by the hour, with the local day of a clock `offset` ahead of UTC, and an hour more from some hour on."""
    start, lines = datetime(2024, 5, 1, tzinfo=UTC), ["Time,Use kWh,Date,Holiday"]
    for number in range(HOURS * 60 // step):
        at = start + timedelta(minutes=step * number)
        local = at + offset + (timedelta(hours=1) if number * step >= summer_from * 60 else timedelta())
        lines.append(f"{at:%Y-%m-%dT%H:%M:%S}{zone},{number % 24 + 1},{local:%Y-%m-%d},FALSE")
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize(
    ("hours", "zone", "turns"), [(10, "Etc/GMT-10", "14:00 UTC"), (-5, "Etc/GMT+5", "05:00 UTC")], ids=["east", "west"]
)
@pytest.mark.parametrize("step", [60, 30])
def test_the_clock_of_a_column_of_local_days_is_taken_and_told(
    tmp_path: Path, hours: int, zone: str, turns: str, step: int
) -> None:
    file = written(tmp_path / "use.csv", timedelta(hours=hours), summer_from=24 * 15, step=step)
    found = filed.material(file, "", "")
    assert found.zone == zone
    told = {odd.kind: odd.text for odd in found.oddities}
    assert f"“Date” turns at {turns}, so local time is read as UTC{hours:+d}." in told["local days"]
    assert not any(" 0 " in odd.text or odd.text.startswith("0 ") for odd in found.oddities)


def test_a_zone_that_is_named_holds(tmp_path: Path) -> None:
    found = filed.material(written(tmp_path / "use.csv", timedelta(hours=10)), "", "Australia/Melbourne")
    assert found.zone == "Australia/Melbourne"
    assert "local days" not in {odd.kind for odd in found.oddities}


@pytest.mark.parametrize(
    ("offset", "zone"),
    [(timedelta(), "Z"), (timedelta(hours=10), "+10:00"), (timedelta(hours=5, minutes=30), "Z")],
    ids=["days of UTC", "times that are not UTC", "half an hour, of which there is no such zone"],
)
def test_where_no_whole_offset_can_be_told_the_clock_stays_utc(tmp_path: Path, offset: timedelta, zone: str) -> None:
    found = filed.material(written(tmp_path / "use.csv", offset, zone=zone, step=30), "", "")
    assert found.zone == "UTC"
    assert "local days" not in {odd.kind for odd in found.oddities}
