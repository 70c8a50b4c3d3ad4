"""A meter's file with typed columns: asked for on its page or by the API, written by a run, some days at a time."""

import importlib.util
import io
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from flask import Flask

from deploy import check, start
from deploy.settings import Settings
from models.artifact import Artifact
from models.run import Run
from tasks import discover
from tasks.meter_file import typed
from tasks.metering import exporting, readings
from tasks.metering.packing import Corrupt
from tests.conftest import Person
from tests.energy_rows import START, meter_of, usage
from tests.front import WORKER, run_id, the_run, token_of
from tests.news import rows
from tests.stock_front import text_of
from tests.test_api_meters import Program
from tests.test_energy_mishaps import damaged
from tests.test_energy_page import look
from tests.web_fixtures import Browser
from workers import enqueue
from workers.execute import execute
from workers.runtime import Runtime

PARQUET = "application/vnd.apache.parquet"
DAYS = 130  # three stretches of them


@pytest.fixture
def house(runtime: Runtime, ada: Person) -> str:
    return meter_of(runtime, ada, usage(DAYS), name="House", time_zone="Europe/Berlin")


def asked(browser: Browser, meter: str, what: str, **more: str) -> str:
    """The run that the page's button starts."""
    answer = browser.post(f"/energy/meters/{meter}/export/{what}", {"format": "parquet", **more})
    assert answer.status_code == 303, answer.text
    return run_id(answer)


def written(runtime: Runtime, found: str) -> Run:
    execute(runtime, found, WORKER)
    return the_run(runtime, found)


def left(browser: Browser, runtime: Runtime, found: str) -> Any:
    """The file that a run left, as a table."""
    [artifact] = [each for each in rows(runtime, Artifact) if each.run_id == found]
    answer = browser.get(f"/runs/{found}/artifacts/{artifact.id}")
    assert (answer.status_code, answer.content_type) == (200, PARQUET)
    return pq.read_table(io.BytesIO(answer.data))


def test_the_button_starts_a_run_whose_page_has_the_file_and_what_is_in_it(
    ada_s: Browser, runtime: Runtime, ada: Person, house: str
) -> None:
    look(runtime, ada, house)
    for what, columns, count in (
        ("readings", ["time", "energy_kWh"], DAYS * 24),
        ("usage", ["time", "energy_kWh", "filled"], DAYS * 24),
        ("forecast", ["time", "mean_kWh", "lower_80_kWh", "upper_80_kWh", "lower_95_kWh", "upper_95_kWh"], 48),
    ):
        run = written(runtime, asked(ada_s, house, what))
        assert (run.state, run.queue) == ("succeeded", "energy"), run.error
        table = left(ada_s, runtime, run.id)
        assert (table.column_names, table.num_rows) == (columns, count)
        assert str(table.schema.field("time").type).endswith("tz=Europe/Berlin]")
        told = {key.decode(): value.decode() for key, value in table.schema.metadata.items()}
        assert (told["unit"], told["time_zone"], told["content"], told["meter"]) == (
            "kWh", "Europe/Berlin", what, "House",
        )  # fmt: skip
        answer = ada_s.get(f"/runs/{run.id}")
        page = text_of(answer)
        assert f"{count:,} " in page
        assert f'href="/energy/meters/{house}"' in answer.text
    assert run.headline == "48 rows as Parquet"


def test_its_values_are_those_of_the_readings_and_its_days_those_that_were_chosen(
    ada_s: Browser, runtime: Runtime, house: str
) -> None:
    key = {"key": "form:once"}
    both = [asked(ada_s, house, "readings", **{"from": "2014-01-02", "to": "2014-01-03", **key}) for _ in range(2)]
    assert both[0] == both[1], "a second click is the same run"
    table = left(ada_s, runtime, written(runtime, both[0]).id)
    first = START + 23 * 3600  # midnight of Berlin
    kept = usage(DAYS)
    since = int((kept.times < first).sum())
    assert [int(at.timestamp()) for at in table["time"].to_pylist()] == kept.times[since : since + 48].tolist()
    assert table["energy_kWh"].to_pylist() == (kept.values[since : since + 48] / 1e6).tolist()


def test_no_more_than_some_days_are_held_and_between_them_a_run_tells_how_far_it_is_and_can_be_cancelled(
    ada_s: Browser, runtime: Runtime, house: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, most = asked(ada_s, house, "readings"), []
    told: list[tuple[float, str]] = []
    read = readings.read

    def watched(session: Any, meter_id: str, start: int, end: int) -> Any:
        some = read(session, meter_id, start, end)
        most.append(len(some.times))
        told.append((the_run(runtime, found).progress, the_run(runtime, found).message))
        if len(most) == 3:
            with runtime.database.write(the_run(runtime, found).workspace_id) as writing:
                enqueue.cancel(writing, found)
        return some

    monkeypatch.setattr(readings, "read", watched)
    run = written(runtime, found)
    assert (run.state, rows(runtime, Artifact)) == ("cancelled", [])
    assert most == [60 * 24, 60 * 24, 10 * 24]
    assert [share for share, _ in told] == sorted(share for share, _ in told)


def test_what_no_run_can_write_ends_it_with_a_sentence(ada_s: Browser, runtime: Runtime, ada: Person) -> None:
    wrong = damaged(runtime, ada).id
    run = written(runtime, asked(ada_s, wrong, "readings"))
    assert (run.state, run.error) == ("failed", str(Corrupt()))
    assert rows(runtime, Artifact) == []


def test_the_api_starts_it_and_says_which_field_is_wrong(
    app: Flask, runtime: Runtime, ada: Person, grace: Person, house: str
) -> None:
    program = Program(app.test_client(), token_of(runtime, ada))

    def sent(**values: str) -> Any:
        return program("POST", "/api/v1/jobs/meter_file/runs", json=values)

    for values, field, said in (
        ({}, "meter", "Fill this in"),
        ({"meter": house, "first": "soon"}, "first", "Write a day like"),
        ({"meter": house, "first": "2014-02-01", "last": "2014-01-01"}, "last", "lies before the first"),
        ({"meter": house, "last": "2101-01-01"}, "last", "from 1990 to 2100"),
        ({"meter": house, "format": "xlsx"}, "format", "Choose one of"),
    ):
        answer = sent(**values)
        assert answer.status_code == 422
        assert said in answer.json["errors"][field], values
    theirs = meter_of(runtime, grace, usage(3))
    for values, said in (
        ({"meter": house, "first": "2031-01-01"}, "no readings in this time"),
        ({"meter": house, "what": "forecast"}, "There is no forecast"),
        ({"meter": theirs}, "This meter is not there"),
        ({"meter": house, "format": "hyper"}, "requirements/hyper.txt"),
    ):
        run = written(runtime, sent(**values).json["id"])
        if values.get("format") != "hyper" or not importlib.util.find_spec("pantab"):
            assert (run.state, said in (run.error or "")) == ("failed", True), values
    result = written(runtime, sent(meter=house, what="usage").json["id"]).result or {}
    assert (result["rows"], result["first"]) == (DAYS * 24, "2014-01-01T01:00:00+01:00")


def test_a_page_offers_tableau_where_the_workers_have_its_library(
    ada_s: Browser, runtime: Runtime, house: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(runtime.settings.__dict__, "tableau", True)
    assert "Tableau (.hyper)" in ada_s.get(f"/energy/meters/{house}").text
    run = asked(ada_s, house, "readings", format="hyper")
    assert the_run(runtime, run).params["format"] == "hyper"


@pytest.mark.skipif(bool(importlib.util.find_spec("pantab")), reason="its library is installed")
def test_a_worker_that_shall_write_tableau_extracts_and_cannot_is_not_started(runtime: Runtime) -> None:
    [said] = [each for each in check.energy_problems(Settings(tableau=True)) if "NIGHTSHIFT_TABLEAU is on" in each]
    assert "requirements/hyper.txt" in said
    assert said in start.problems("energy", Settings(tableau=True))
    assert said not in start.problems("web", Settings(tableau=True)), "a front cannot know what its workers have"
    assert check.energy_problems(runtime.settings) == []


def test_a_tableau_extract_holds_the_same_rows(runtime: Runtime, tmp_path: Any) -> None:
    pantab = pytest.importorskip("pantab", reason="needs requirements/hyper.txt, an extra of about 480 MB")
    pieces = iter([([START, START + 3600], [1.5, 2.5], [False, True])])
    table = exporting.Table(
        "usage", "House", "Europe/Berlin", "kWh", "interval", ("time", "energy_kWh", "filled"), pieces
    )
    typed.write("hyper", table, tmp_path / "a.hyper")
    found = pantab.frame_from_hyper(tmp_path / "a.hyper", table="usage", return_type="pyarrow")
    assert isinstance(found, pa.Table)
    assert [at.replace(tzinfo=UTC) for at in found["time"].to_pylist()] == [
        datetime(2014, 1, 1, 1, tzinfo=UTC), datetime(2014, 1, 1, 2, tzinfo=UTC),
    ]  # fmt: skip
    assert found["energy_kWh"].to_pylist() == [1.5, 2.5]


def test_the_front_needs_none_of_the_libraries_that_its_image_lacks(
    ada_s: Browser, runtime: Runtime, ada: Person, house: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    look(runtime, ada, house)
    for name in ("pyarrow", "pandas", "scipy", "statsmodels", "sklearn", "threadpoolctl", "matplotlib", "cv2"):
        for each in [module for module in sys.modules if module.partition(".")[0] == name]:
            monkeypatch.setitem(sys.modules, each, None)
        monkeypatch.setitem(sys.modules, name, None)
    for each in [module for module in sys.modules if module.startswith("tasks.energy.")]:
        monkeypatch.delitem(sys.modules, each)
    for what in exporting.CONTENTS:
        assert len(ada_s.get(f"/energy/meters/{house}/export/{what}.csv").data.splitlines()) > 48
    assert "Load and forecast" in ada_s.get(f"/energy/meters/{house}").text
    assert the_run(runtime, asked(ada_s, house, "usage")).state == "queued"
    assert discover()["meter_file"].queue == "energy"
