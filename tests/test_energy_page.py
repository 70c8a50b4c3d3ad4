"""A meter's page: what it shows of a look, what it says before there is one, and the files that it gives."""

import csv
import io

import numpy as np
import pytest
from flask import Flask
from sqlalchemy import select, update

from models.meter import Meter, Outlook
from models.run import Run
from models.session import EVERYONE
from tasks.metering import exporting, looking
from tests import energy_rows
from tests.conftest import Person
from tests.energy_rows import DAY, HOUR, START, meter_of, outlook_of, tariff_of, usage
from tests.front import browser_of, member_of
from tests.stock_front import text_of
from tests.test_energy_job import looked
from tests.web_fixtures import Browser
from web import energy_exports
from workers.runtime import Runtime


def look(runtime: Runtime, person: Person, meter: str) -> Run:
    """A look with a small budget."""
    return looked(runtime, person, meter, budget=0.1)


@pytest.fixture
def house(runtime: Runtime, ada: Person) -> str:
    """A household of ten weeks with a spike on its last day but one."""
    kept = usage(70)
    kept.values[68 * 24 + 3] += 12_000_000
    return meter_of(runtime, ada, kept, name="House & <b>home</b>", tariff_id=tariff_of(runtime, ada))


def test_before_there_are_readings_the_page_says_how_to_bring_them(
    ada_s: Browser, runtime: Runtime, ada: Person
) -> None:
    meter = meter_of(runtime, ada)
    page = text_of(ada_s.get(f"/energy/meters/{meter}"))
    assert "No readings yet" in page
    assert f"/api/v1/meters/{meter}/readings" in page
    assert "Look now" not in page


def test_with_readings_and_no_look_it_offers_one(ada_s: Browser, house: str) -> None:
    page = text_of(ada_s.get(f"/energy/meters/{house}"))
    assert "Not looked at yet" in page
    assert "Look now" in page


def test_the_button_starts_a_run_of_this_meter_once(ada_s: Browser, runtime: Runtime, house: str) -> None:
    answers = [ada_s.post(f"/energy/meters/{house}/look", {"horizon": "day", "key": "form:once"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 303]
    assert answers[0].location == answers[1].location
    with runtime.database.read(EVERYONE) as session:
        run = session.scalars(select(Run).where(Run.id == answers[0].location.rpartition("/")[2])).one()
    assert (run.kind, run.queue) == ("energy", "energy")
    assert (run.params["meter"], run.params["horizon"]) == (house, "day")
    assert "It is being looked at now" in text_of(ada_s.get(f"/energy/meters/{house}"))


def test_after_a_look_it_shows_forecast_model_validation_anomalies_advice_and_what_was_cleaned(
    ada_s: Browser, runtime: Runtime, ada: Person, house: str
) -> None:
    run = look(runtime, ada, house)
    assert run.state == "succeeded", run.error
    for address in (f"/energy/meters/{house}", f"/runs/{run.id}"):
        answer = ada_s.get(address)
        page = text_of(answer)
        assert "<b>home" not in answer.text
        assert "style=" not in answer.text, "a style attribute is refused by our policy"
        for words in ("Load and forecast", "Which model, and why", "seasonal naive", "By hour and day"):
            assert words in page, (address, words)
        for words in ("Load duration", "What was odd in the readings", "Spike , 2014-03-10 03:00", "Base load"):
            assert words in page, (address, words)
    assert "in the next 48 hours" in text_of(ada_s.get(f"/energy/meters/{house}?horizon=hour"))
    assert "in the next 30 days" in text_of(ada_s.get(f"/energy/meters/{house}?horizon=day"))
    assert "in the next 48 hours" in text_of(ada_s.get(f"/energy/meters/{house}?horizon=century"))


def test_a_refused_meter_says_why_and_one_of_an_older_form_says_to_look_again(
    ada_s: Browser, runtime: Runtime, ada: Person
) -> None:
    meter = meter_of(runtime, ada, energy_rows.of([1.0, 2.0, 3.0]))
    look(runtime, ada, meter)
    assert "There are only 3 readings" in text_of(ada_s.get(f"/energy/meters/{meter}"))
    with runtime.database.write(EVERYONE) as session:
        values = {"state": "made", "data": {"whole": {"of": "old"}, "aheads": {"hour": {}}}}
        session.execute(update(Outlook).where(Outlook.meter_id == meter).values(**values))
    assert "older form of the job" in text_of(ada_s.get(f"/energy/meters/{meter}"))


def test_a_viewer_sees_it_and_starts_nothing(app: Flask, runtime: Runtime, ada: Person, house: str) -> None:
    viewer = browser_of(app, runtime, member_of(runtime, ada, "vera", "viewer"))
    page = text_of(viewer.get(f"/energy/meters/{house}"))
    assert "Look now" not in page
    assert "Send readings" not in page
    assert "Parquet" not in page
    assert viewer.post(f"/energy/meters/{house}/look").status_code == 403
    assert viewer.post(f"/energy/meters/{house}/export/readings", {"format": "parquet"}).status_code == 403
    assert viewer.get(f"/energy/meters/{house}/export/readings.csv").status_code == 200


def test_a_meter_of_another_workspace_is_not_there(ada_s: Browser, runtime: Runtime, grace: Person) -> None:
    theirs = meter_of(runtime, grace, usage(3))
    for path in ("", "/export/readings.csv", "/export/forecast.csv"):
        assert ada_s.get(f"/energy/meters/{theirs}{path}").status_code == 404
    for path in ("look", "export/usage"):
        assert ada_s.post(f"/energy/meters/{theirs}/{path}", {"format": "parquet"}).status_code == 404


def test_readings_and_use_come_as_csv_to_the_milliwatt_hour(ada_s: Browser, runtime: Runtime, ada: Person) -> None:
    kept = usage(5)
    hole = np.ones(len(kept.times), bool)
    hole[30:33] = False
    from tasks.metering.usage import Readings

    meter = meter_of(runtime, ada, Readings(kept.times[hole], kept.values[hole]), time_zone="Europe/Berlin")
    answer = ada_s.get(f"/energy/meters/{meter}/export/readings.csv")
    rows = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert rows[0] == ["time", "energy_kWh"]
    assert rows[1] == ["2014-01-01T01:00:00+01:00", f"{kept.values[0] / 1e6:.6f}".rstrip("0")]
    assert len(rows) == 1 + int(hole.sum())
    answer = ada_s.get(f"/energy/meters/{meter}/export/usage.csv")
    rows = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert rows[0] == ["time", "energy_kWh", "filled"]
    assert [row[2] for row in rows[1:]].count("yes") == 3
    assert len(rows) == 1 + len(kept.times)
    some = ada_s.get(f"/energy/meters/{meter}/export/readings.csv?from=2014-01-02&to=2014-01-02")
    assert len(some.data.splitlines()) == 1 + 24 - 3


def test_what_cannot_be_exported_is_said_on_the_page_and_no_run_is_made_for_it(
    ada_s: Browser, runtime: Runtime, house: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def said(words: str, what: str, **asked: str) -> bool:
        """By the download and by the button."""
        address = f"/energy/meters/{house}/export/{what}"
        answers = (
            ada_s.get(f"{address}.csv", query_string=asked, follow_redirects=True),
            ada_s.post(address, {"format": "parquet", **asked}, follow_redirects=True),
        )
        return all(words in text_of(answer) for answer in answers)

    assert said("no readings in this time", "readings", **{"from": "2031-01-01", "to": "2031-01-02"})
    assert said("Write days like 2026-01-31", "readings", **{"from": "yesterday"})
    assert said("The last day lies before the first", "usage", **{"from": "2014-02-01", "to": "2014-01-31"})
    for name, day in (("to", "9999-12-31"), ("to", "2101-01-01"), ("from", "0001-01-01"), ("from", "1989-12-31")):
        assert said("Choose days from 1990 to 2100", "readings", **{name: day})
    assert said("There is no forecast of this meter", "forecast")
    monkeypatch.setattr(exporting, "MOST", 100)
    assert said("a file holds at most 100", "usage")
    monkeypatch.undo()
    monkeypatch.setattr(energy_exports, "MOST_USAGE", 100)
    csv_page = ada_s.get(f"/energy/meters/{house}/export/usage.csv", follow_redirects=True)
    assert "at most 100" in text_of(csv_page), "a front makes fewer readings regular than a run"
    for what, format in (("weather", "parquet"), ("readings", "xlsx"), ("readings", "hyper")):
        assert ada_s.post(f"/energy/meters/{house}/export/{what}", {"format": format}).status_code == 404
    with runtime.database.read(EVERYONE) as session:
        assert session.scalars(select(Run).where(Run.kind == "meter_file")).all() == []


def test_a_time_that_is_chosen_holds_for_the_readings_files_and_stays_in_the_form(ada_s: Browser, house: str) -> None:
    page = ada_s.get(f"/energy/meters/{house}?from=2014-01-02&to=2014-01-03").text
    assert f'href="/energy/meters/{house}/export/usage.csv?from=2014-01-02&amp;to=2014-01-03"' in page
    assert page.count('name="from" value="2014-01-02"') >= 3, "the form, and a button for each file"
    assert "Tableau" not in page, "nobody said that the workers can write it"


def test_a_meter_that_is_changed_is_looked_at_again(runtime: Runtime, ada: Person, house: str) -> None:
    look(runtime, ada, house)
    with runtime.database.write(EVERYONE) as session:
        looking.stale(session, [house])
    outlook = outlook_of(runtime, house)
    assert outlook is not None
    assert outlook.night == ""
    with runtime.database.read(EVERYONE) as session:
        from tasks.metering import nightly

        assert [each.id for each in nightly.due(session, START + 80 * DAY)] == [house]
        assert session.get_one(Meter, house).step == HOUR
