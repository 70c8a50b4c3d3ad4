"""Meter files through the jobs: looked into, brought in part by part, brought in again, taken back."""

from pathlib import Path

import numpy as np
import pytest

from models.intake import APPLIED, PREVIEWED, UNDONE, Intake
from models.meter import Meter, Place, WeatherDay
from models.session import EVERYONE
from tasks.metering.readings import remove, write
from tasks.metering.usage import Readings
from tests.conftest import Person
from tests.meter_files import QUARTERS, import_of, looked, meters, step, stored
from workers.runtime import Runtime

MAY_1 = 1_714_521_600  # 2024-05-01T00:00Z


def test_a_file_is_looked_into_brought_in_and_taken_back(runtime: Runtime, ada: Person, tmp_path: Path) -> None:
    run = looked(runtime, ada, QUARTERS, tmp_path, "House.csv")
    assert run.state == "succeeded", run.error
    assert run.headline == "72 new, 0 changed, 0 known"
    assert meters(runtime) == [], "nothing is written by looking"
    done = step(runtime, ada, run)
    assert done.headline == "72 written", done.error
    (meter,) = meters(runtime)
    assert (meter.name, meter.kind, meter.unit, meter.step) == ("House", "interval", "kWh", 3600)
    assert stored(runtime, meter)[MAY_1] == 1_000_000
    assert import_of(runtime, run).state == APPLIED
    assert step(runtime, ada, run, "undo").headline == "72 taken back"
    assert meters(runtime) == [], "the meter that the import made goes with its readings"
    assert import_of(runtime, run).state == UNDONE


def test_the_same_file_again_does_nothing(runtime: Runtime, ada: Person, tmp_path: Path) -> None:
    step(runtime, ada, looked(runtime, ada, QUARTERS, tmp_path, "House.csv"))
    again = looked(runtime, ada, QUARTERS, tmp_path, "House.csv")
    assert again.headline == "0 new, 0 changed, 72 known"
    assert step(runtime, ada, again).headline == "0 written"
    assert len(meters(runtime)) == 1


def test_what_was_replaced_comes_back_and_what_changed_since_stays(
    runtime: Runtime, ada: Person, tmp_path: Path
) -> None:
    step(runtime, ada, looked(runtime, ada, QUARTERS, tmp_path, "House.csv"))
    other = "time,kwh\n2024-05-01T00:00:00Z,9\n2024-05-01T01:00:00Z,9\n2024-05-04T00:00:00Z,9\n"
    run = looked(runtime, ada, other, tmp_path, "House.csv", meter_kind="interval")
    assert run.headline == "1 new, 2 changed, 0 known"
    step(runtime, ada, run)
    (meter,) = meters(runtime)
    assert stored(runtime, meter)[MAY_1] == 9_000_000
    step(runtime, ada, looked(runtime, ada, "time,kwh\n2024-05-01T01:00:00Z,11\n", tmp_path, "House.csv"))
    undone = step(runtime, ada, run, "undo")
    assert undone.headline == "2 taken back"
    found = stored(runtime, meter)
    assert len(found) == 72
    assert (found[MAY_1], found[MAY_1 + 3600]) == (1_000_000, 11_000_000), "the later word stays"


def test_the_weather_of_a_file_goes_to_the_meter_s_place(runtime: Runtime, ada: Person, tmp_path: Path) -> None:
    rows = "".join(f"2024-05-01T{hour:02d}:00:00Z,{hour % 5 + 1},{hour / 2}\n" for hour in range(24))
    step(runtime, ada, looked(runtime, ada, f"Time,Energy (kWh),Temperature\n{rows}", tmp_path, "House.csv"))
    (meter,) = meters(runtime)
    with runtime.database.read(EVERYONE) as session:
        place = session.get_one(Place, meter.place_id)
        assert place.name == "House"
        assert session.query(WeatherDay).filter_by(place_id=place.id).count() == 1


def test_what_must_be_chosen_is_chosen_first(runtime: Runtime, ada: Person, tmp_path: Path) -> None:
    text = QUARTERS.replace("kwh", "value")
    run = looked(runtime, ada, text, tmp_path)
    assert run.result
    assert run.result["asks"] == ["unit"]
    done = step(runtime, ada, run)
    assert done.state == "failed"
    assert "somebody must choose first: unit" in (done.error or "")
    assert import_of(runtime, run).state == PREVIEWED
    run = looked(runtime, ada, text, tmp_path, unit="Wh")
    assert step(runtime, ada, run).state == "succeeded"
    assert stored(runtime, meters(runtime)[0])[MAY_1] == 1_000


def test_each_meter_of_a_file_is_brought_in_made_or_left_out(runtime: Runtime, ada: Person, tmp_path: Path) -> None:
    rows = "".join(f"2024-05-{day:02d},{day % 3 + 1},{day % 4 + 1},{day % 5 + 1}\n" for day in range(1, 31))
    text = f"Date,Flat 1 [kWh],Flat 2 [kWh],Stairs [kWh]\n{rows}"
    run = looked(runtime, ada, text, tmp_path, targets="new|-|new")
    assert run.headline == "60 new, 0 changed, 0 known"
    step(runtime, ada, run)
    assert [meter.name for meter in meters(runtime)] == ["Flat 1 [kWh]", "Stairs [kWh]"]
    first = meters(runtime)[0]
    run = looked(runtime, ada, text, tmp_path, targets=f"-|{first.id}|-")
    assert run.result
    assert run.result["changed"] != 0


@pytest.mark.parametrize("text", ["time,kwh\n2024-05-01 00:00,\n2024-05-01 01:00,\n", "words\nand more\n"])
def test_a_file_without_readings_leaves_nothing_behind(
    runtime: Runtime, ada: Person, tmp_path: Path, text: str
) -> None:
    run = looked(runtime, ada, text, tmp_path)
    assert run.state == "failed"
    assert run.error
    with runtime.database.read(EVERYONE) as session:
        assert session.query(Intake).count() == 0


def test_a_counter_s_file_does_not_go_to_a_meter_of_intervals(runtime: Runtime, ada: Person, tmp_path: Path) -> None:
    step(runtime, ada, looked(runtime, ada, QUARTERS, tmp_path, "House.csv"))
    (meter,) = meters(runtime)
    rows = "".join(f"2024-06-{1 + at // 24:02d}T{at % 24:02d}:00:00Z,{1000 + at}\n" for at in range(72))
    run = looked(runtime, ada, f"time,kwh\n{rows}", tmp_path, "other.csv", meter=meter.id)
    assert run.result
    assert run.result["asks"] == ["meter_kind"]
    assert "“House” keeps the energy of intervals, and the file holds what a counter shows" in str(run.result["found"])
    assert step(runtime, ada, run).state == "failed"
    few = looked(runtime, ada, "time,kwh\n2024-06-01T00:00Z,1\n2024-06-01T01:00Z,2\n", tmp_path, meter=meter.id)
    assert few.result
    assert few.result["asks"] == [], "what its meter is tells what a few readings do not"


def test_a_step_that_failed_midway_is_gone_on_with_and_all_of_it_can_be_taken_back(
    runtime: Runtime, ada: Person, tmp_path: Path
) -> None:
    """Its second meter was made one of other steps meanwhile, which refuses these; then it was put right."""
    rows = "".join(f"2024-05-{1 + at // 24:02d} {at % 24:02d}:00,{at % 7},{at % 5}\n" for at in range(72))
    run = looked(runtime, ada, f"time,A kWh,B kWh\n{rows}", tmp_path)
    with runtime.database.write(ada.workspace_id) as session:
        blocking = Meter(name="B kWh", kind="interval", unit="kWh")
        session.add(blocking)
        session.flush()
        write(session, blocking, Readings(np.array([MAY_1 + 30]), np.array([5])))
    run = looked(runtime, ada, f"time,A kWh,B kWh\n{rows}", tmp_path)
    failed = step(runtime, ada, run)
    assert failed.state == "failed"
    assert "less than a minute apart" in (failed.error or "")
    first = next(meter for meter in meters(runtime) if meter.name == "A kWh")
    assert len(stored(runtime, first)) == 72, "what was written stays"
    with runtime.database.write(ada.workspace_id) as session:
        remove(session, session.get_one(Meter, blocking.id), MAY_1, MAY_1 + 60)
    again = step(runtime, ada, run)
    assert again.state == "succeeded", again.error
    assert [meter.name for meter in meters(runtime)] == ["A kWh", "B kWh"], "no meter is made twice"
    assert step(runtime, ada, run, "undo").headline == "144 taken back"
    assert [meter.name for meter in meters(runtime)] == ["B kWh"]
