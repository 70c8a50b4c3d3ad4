"""The energy job: files and meters looked at, bad ones refused with a sentence, and nothing known before its time."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import structlog
from pydantic import ValidationError
from sqlalchemy import select

from models.artifact import Artifact
from models.meter import Place
from models.run import Run
from models.session import EVERYONE
from tasks import discover
from tasks.__main__ import main
from tasks.energy.result import short_model
from tasks.handover import HandedOver
from tasks.metering import nightly, readings, weather
from tasks.metering.usage import Readings
from tests import energy_rows
from tests.conftest import Person
from tests.energy_rows import DAY, HOUR, START, anomalies_of, meter_of, outlook_of, place_of, tariff_of, usage
from tests.front import WORKER, the_run
from workers.enqueue import submit
from workers.execute import execute
from workers.runtime import Runtime


@pytest.fixture(autouse=True)
def _own_log() -> Iterator[None]:
    """The command line says where its log goes, for its process; the next test's is another."""
    yield
    structlog.reset_defaults()


JOB = discover()["energy"]
QUICK = 0.5  # CPU seconds for fits
AMPLE = 30.0  # so many that none is cut short, and each run comes to the same


def looked(runtime: Runtime, person: Person, meter: str, **more: Any) -> Run:
    """A look at a meter, as its page's button asks for it; the run as it ended."""
    params = JOB.params.model_validate({"meter": meter, "budget": QUICK, **more})
    with runtime.database.write(person.workspace_id) as session:
        run = submit(runtime, session, JOB, HandedOver(params), person.workspace_id, account_id=person.account_id).id
    execute(runtime, run, WORKER)
    return the_run(runtime, run)


@pytest.mark.parametrize(
    "asked", [{"part": ["a"] * (nightly.TOGETHER + 1)}, {"budget": 61}, {"budget": 600}], ids=["part", "minute", "more"]
)
def test_nobody_asks_for_so_much_that_the_nightly_parts_wait_for_long(asked: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=r"at most|less than or equal"):
        JOB.params.model_validate(asked)
    JOB.params.model_validate({"part": ["a"] * nightly.TOGETHER, "budget": 60})


def found(run: Run) -> dict[str, Any]:
    """The run's result."""
    return run.result or {}


def file_of(folder: Path, kept: Readings, name: str = "meter.csv") -> Path:
    lines = [
        f"{np.datetime64(int(at), 's')}Z,{value / 1e6:.6f}" for at, value in zip(kept.times, kept.values, strict=True)
    ]
    path = folder / name
    path.write_text("\n".join(["time,kWh", *lines]) + "\n")
    return path


def on_the_command_line(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any], str]:
    code = main(["run", "energy", *arguments, "--budget", str(QUICK), "--json"])
    out, err = capsys.readouterr()
    return code, json.loads(out)["result"] if out else {}, err


def test_a_file_is_foretold_with_intervals_its_model_and_how_that_did_beside_the_seasonal_naive(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, result, _ = on_the_command_line(capsys, str(file_of(tmp_path, usage(40))), "--out", str(tmp_path / "out"))
    assert code == 0
    assert result["model"]
    assert "MASE" in result["reason"]
    assert "seasonal naive" in {one["model"] for one in result["validation"]}
    assert len(result["forecast"]) == 48
    for step in result["forecast"]:
        assert step["lower_95"] <= step["lower_80"] <= step["mean"] <= step["upper_80"] <= step["upper_95"]
    assert result["forecast"][0]["time"] == "2014-02-10T00:00:00+00:00"
    assert result["kwh"] == pytest.approx(sum(step["mean"] for step in result["forecast"]), abs=0.01)
    assert {each.name for each in (tmp_path / "out").iterdir()} == {"forecast.csv", "load.png", "hours.png"}
    assert len((tmp_path / "out" / "forecast.csv").read_text("utf-8").splitlines()) == 49


@pytest.mark.parametrize(
    ("kept", "words"),
    [
        (energy_rows.of(np.array([1.0, 2.0, 3.0])), "3 of the 24 readings"),
        (energy_rows.of(1 + np.arange(30) % 5), "needs 48"),
        (energy_rows.of(np.zeros(365 * 24)), "All values are zero"),
        (energy_rows.of(np.full(365 * 24, 0.4)), "All values are the same"),
    ],
    ids=["three", "a day", "zeros", "constant"],
)
def test_too_little_is_refused_with_a_sentence(
    kept: Readings, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, result, err = on_the_command_line(capsys, str(file_of(tmp_path, kept)))
    assert (code, result) == (1, {})
    assert words in err


@pytest.mark.parametrize(("value", "words"), [(0.0, "Not a single kilowatt-hour"), (0.4, "the same in every step")])
def test_a_meter_of_zeros_and_one_that_never_changes_are_foretold_and_said_to_be_odd(
    value: float, words: str, runtime: Runtime, ada: Person
) -> None:
    run = looked(runtime, ada, meter_of(runtime, ada, energy_rows.of(np.full(90 * 24, value))))
    assert run.state == "succeeded", run.error
    result = found(run)
    assert words in result["note"]
    assert {step["mean"] for step in result["forecast"]} == {value}


def test_a_file_without_any_value_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "empty.csv"
    path.write_text("time,kWh\n" + "".join(f"2014-01-{day:02}T00:00:00Z,\n" for day in range(1, 29)))
    code, _, err = on_the_command_line(capsys, str(path))
    assert code == 1
    assert "missing" in err


@pytest.mark.parametrize(("horizon", "ahead"), [("hour", 87_600), ("day", 3650), ("month", 120)])
def test_ten_years_ahead_is_refused_before_anything_is_queued(
    horizon: str, ahead: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "energy", "--horizon", horizon, "--ahead", str(ahead)]) == 2
    assert capsys.readouterr().err.startswith("ahead: ")


def test_a_meter_is_looked_at_and_its_page_has_what_was_seen(runtime: Runtime, ada: Person) -> None:
    tariff = tariff_of(runtime, ada)
    meter = meter_of(runtime, ada, usage(70), tariff_id=tariff)
    run = looked(runtime, ada, meter)
    assert run.state == "succeeded", run.error
    result = found(run)
    assert result["cost"] == pytest.approx(result["kwh"] * 0.3, abs=0.02)
    outlook = outlook_of(runtime, meter)
    assert outlook is not None
    assert (outlook.state, outlook.night, outlook.model) == ("made", "2014-03-12", short_model(result["model"]))
    assert set((outlook.data or {})["aheads"]) == {"hour", "day"}
    week = usage(70).values[-7 * 24 :].sum() / 1e6
    assert outlook.week_kwh == pytest.approx(week, abs=0.01)
    assert outlook.tomorrow_kwh == pytest.approx(sum(s["mean"] for s in result["forecast"][:24]), abs=0.01)
    with runtime.database.read(EVERYONE) as session:
        names = set(session.scalars(select(Artifact.name).where(Artifact.run_id == run.id)))
    assert names == {"forecast.csv", "load.png", "hours.png"}


def test_what_was_not_known_when_it_was_made_changes_nothing(runtime: Runtime, ada: Person) -> None:
    """Readings, weather and forecasts of the weather from after a day are written; the look as of then is the same."""
    hours = np.arange(START, START + 90 * DAY, HOUR)
    degrees = 10 - 8 * np.cos((hours - START) / DAY / 60) + 3 * np.sin(hours / DAY * 2 * np.pi)
    known = hours <= START + 60 * DAY
    place = place_of(runtime, ada, hours[known], degrees[known], source="open-meteo")
    meter = meter_of(runtime, ada, usage(60), place_id=place)
    until = date(2014, 3, 2)
    before = found(looked(runtime, ada, meter, until=until, budget=AMPLE))
    with runtime.database.write(EVERYONE) as session:
        readings.write(session, readings_meter(session, meter), energy_rows.of(np.full(720, 9.0), START + 60 * DAY))
        row = session.get_one(Place, place)
        weather.write_observed(session, row, hours[~known], np.full(int((~known).sum()), 3500))
        weather.write_forecast(session, row, START + 60 * DAY + HOUR, hours[~known], np.full(719, -2000))
    after = found(looked(runtime, ada, meter, until=until, budget=AMPLE))
    assert [one["mean"] for one in before["forecast"]] == [one["mean"] for one in after["forecast"]]
    errors = [{one["model"]: one["mase"] for one in seen["validation"][1:]} for seen in (before, after)]
    assert errors[0] == errors[1]
    for name in ("as_of", "last", "weather", "fallback", "anomalies", "charts", "oddities"):
        assert before[name] == after[name], name
    assert outlook_of(runtime, meter) is None, "a look back is not what the meter's page shows"


def readings_meter(session: Any, meter_id: str) -> Any:
    from models.meter import Meter

    return session.get_one(Meter, meter_id)


def test_a_forecast_of_the_weather_is_used_and_an_absurd_one_is_not_and_that_is_said(
    runtime: Runtime, ada: Person
) -> None:
    hours = np.arange(START, START + 60 * DAY, HOUR)
    degrees = 10 + 5 * np.sin(hours / DAY * 2 * np.pi)
    place = place_of(runtime, ada, hours, degrees, source="open-meteo", trouble="It did not answer.")
    meter = meter_of(runtime, ada, usage(60), place_id=place)
    none = found(looked(runtime, ada, meter))
    assert "no weather forecast" in none["fallback"]
    assert "did not answer" in none["fallback"]
    ahead = np.arange(START + 60 * DAY, START + 67 * DAY, HOUR)
    for warmer, words in ((0.0, ""), (40.0, "farther from all that was seen")):
        with runtime.database.write(EVERYONE) as session:
            said = 1000 + 500 * np.sin(ahead / DAY * 2 * np.pi) + 100 * warmer
            weather.write_forecast(session, session.get_one(Place, place), START + 60 * DAY, ahead, np.rint(said))
        result = found(looked(runtime, ada, meter))
        assert words in result["fallback"]
        assert "no weather forecast" not in result["fallback"]
        assert ("farther" in result["fallback"]) == bool(words)


def test_a_refused_meter_says_why_on_its_page_and_its_run_fails_with_the_same_words(
    runtime: Runtime, ada: Person
) -> None:
    meter = meter_of(runtime, ada, energy_rows.of(np.array([1.0, 2.0, 3.0])))
    run = looked(runtime, ada, meter)
    outlook = outlook_of(runtime, meter)
    assert outlook is not None
    assert (run.state, outlook.state) == ("failed", "refused")
    assert run.error == outlook.reason
    assert "only 3 readings" in outlook.reason


def test_a_meter_of_somebody_else_is_none(runtime: Runtime, ada: Person, grace: Person) -> None:
    meter = meter_of(runtime, grace, usage(10))
    run = looked(runtime, ada, meter)
    assert (run.state, run.error) == ("failed", "This meter is not there any more.")


def test_a_spike_is_kept_as_an_anomaly_with_its_cost(runtime: Runtime, ada: Person) -> None:
    kept = usage(70)
    kept.values[60 * 24 + 3] += 12_000_000
    meter = meter_of(runtime, ada, kept, tariff_id=tariff_of(runtime, ada))
    result = found(looked(runtime, ada, meter))
    spikes = [one for one in result["anomalies"] if one["kind"] == "spike"]
    assert [one["start"] for one in spikes] == ["2014-03-02T03:00:00+00:00"]
    assert spikes[0]["cost"] == pytest.approx(spikes[0]["kwh"] * 0.3, abs=0.01)
    assert [one.kind for one in anomalies_of(runtime, meter)] == ["spike"]


def test_a_fault_of_yesterday_is_not_foretold_for_tomorrow(runtime: Runtime, ada: Person) -> None:
    kept = usage(70)
    kept.values[69 * 24 + 3] += 12_000_000
    result = found(looked(runtime, ada, meter_of(runtime, ada, kept)))
    assert max(step["mean"] for step in result["forecast"]) < 2
    assert max(step["upper_95"] for step in result["forecast"]) < 4
    assert "no forecast repeats" in " ".join(one["text"] for one in result["oddities"])


def test_daily_readings_are_foretold_by_the_day_and_that_is_said(runtime: Runtime, ada: Person) -> None:
    kept = energy_rows.of(10 + np.arange(90) % 7, step=DAY)
    result = found(looked(runtime, ada, meter_of(runtime, ada, kept, step=DAY)))
    assert result["horizon"] == "day"
    assert "by the day and not by the hour" in result["fallback"]
    assert len(result["forecast"]) == 30


def test_a_fit_that_would_take_long_is_stopped_at_its_budget_and_what_answers_is_named(
    runtime: Runtime, ada: Person
) -> None:
    result = found(looked(runtime, ada, meter_of(runtime, ada, usage(90)), budget=0.02))
    assert result["forecast"]
    assert any("Stopped after" in one["note"] for one in result["validation"])
    assert result["fallback"] or "naive" not in result["model"]
