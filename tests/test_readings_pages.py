"""The pages of meter files: handed over, looked at, chosen, brought in, taken back, by whom it may be done."""

import gzip
import io
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from models.run import Run
from tests.conftest import Person, new_person
from tests.front import WORKER, browser_of, member_of, run_id, the_run
from tests.meter_files import QUARTERS, meters
from tests.web_fixtures import Browser
from workers.execute import execute
from workers.runtime import Runtime


def hand_over(browser: Browser, data: bytes | str, name: str = "House.csv", **fields: str) -> TestResponse:
    bytes_ = data.encode() if isinstance(data, str) else data
    form = {"files": [(io.BytesIO(bytes_), name)], **fields}
    return browser.post("/energy/import", form, content_type="multipart/form-data")


def let(runtime: Runtime, answer: TestResponse) -> Run:
    """Let the run that a button led to do its work."""
    found = run_id(answer)
    execute(runtime, found, WORKER)
    return the_run(runtime, found)


def seen(runtime: Runtime, browser: Browser, data: bytes | str, **fields: str) -> str:
    """The id of an import that was looked into."""
    run = let(runtime, hand_over(browser, data, **fields))
    assert run.state == "succeeded", run.error
    result: Any = run.result
    assert f"/energy/import/{result['intake']}" in browser.get(f"/runs/{run.id}").text
    return str(result["intake"])


def test_a_file_is_looked_into_brought_in_and_taken_back(runtime: Runtime, ada_s: Browser) -> None:
    assert "No readings were imported here yet" in ada_s.get("/energy/import").text
    found = seen(runtime, ada_s, QUARTERS)
    page = ada_s.get(f"/energy/import/{found}").text
    for words in ("Bring in 72 readings", "72 in kWh, 2024-05-01 00:00 to 2024-05-03 23:00, hourly", "A new meter"):
        assert words in page, words
    assert let(runtime, ada_s.post(f"/energy/import/{found}/apply")).headline == "72 written"
    page = ada_s.get(f"/energy/import/{found}").text
    assert "72 readings were new" in page
    assert f"/energy/meters/{meters(runtime)[0].id}" in page
    assert "The 72 readings that it brought are deleted" in ada_s.get(f"/energy/import/{found}/undo").text
    assert let(runtime, ada_s.post(f"/energy/import/{found}/undo")).headline == "72 taken back"
    assert "72 were taken back" in ada_s.get(f"/energy/import/{found}").text
    assert ada_s.post(f"/energy/import/{found}/discard").status_code == 303
    assert "No readings were imported here yet" in ada_s.get("/energy/import").text


def test_what_the_file_leaves_open_is_asked_and_a_chosen_meter_is_kept(runtime: Runtime, ada_s: Browser) -> None:
    let(runtime, ada_s.post(f"/energy/import/{seen(runtime, ada_s, QUARTERS)}/apply"))
    (meter,) = meters(runtime)
    text = QUARTERS.replace("kwh", "value")
    found = seen(runtime, ada_s, text, name="other.csv", meter=meter.id)
    page = ada_s.get(f"/energy/import/{found}").text
    assert "What you have to choose" in page
    assert "does not say in which unit" in page
    assert "Bring in" not in page
    refused = ada_s.post(f"/energy/import/{found}/apply")
    assert refused.status_code == 422
    assert "Choose first what is marked below" in refused.text
    run = let(runtime, ada_s.post(f"/energy/import/{found}/again", {"unit": "Wh", "target": [meter.id]}))
    assert run.headline == "0 new, 72 changed, 0 known", run.error
    result: Any = run.result
    page = ada_s.get(f"/energy/import/{result['intake']}").text
    assert "Bring in 72 readings" in page
    assert ada_s.get(f"/energy/import/{found}").status_code == 404, "the new look takes the old one's place"


def test_columns_are_chosen_anew_and_no_two_meters_go_to_one(runtime: Runtime, ada_s: Browser) -> None:
    rows = "".join(f"2024-05-{day:02d},{day},{day * 2 % 7}\n" for day in range(1, 31))
    found = seen(runtime, ada_s, f"date,A kWh,B kWh\n{rows}")
    both = {"target": ["a" * 28] * 2, "role": ["date", "value", "value"]}
    refused = ada_s.post(f"/energy/import/{found}/again", both)
    assert refused.status_code == 422
    assert "would go to one of yours" in refused.text
    run = let(
        runtime, ada_s.post(f"/energy/import/{found}/again", {"role": ["date", "", "value"], "target": ["-", "-"]})
    )
    assert run.headline == "30 new, 0 changed, 0 known", run.error
    run = let(runtime, ada_s.post(f"/energy/import/{run.result['intake']}/again", {"role": ["", "", "value"]}))  # type: ignore[index]
    assert run.state == "failed"
    assert "a column of times could not be found" in (run.error or "")


@pytest.mark.parametrize(
    ("data", "status", "words"),
    [
        (b"", 422, "empty"),
        (b"PK\x03\x04" + b"\0" * 60, 415, "This is a zip or a spreadsheet"),
        (gzip.compress(b"0" * 100_000), 415, "This is a zip or a spreadsheet"),
        (b"%PDF-1.7 and more", 415, "This is no file of meters"),
        (b"SQLite format 3\0" + b"\0" * 600, 415, "This is no file of meters"),
    ],
)
def test_what_is_no_file_of_meters_is_refused_at_the_form(ada_s: Browser, data: bytes, status: int, words: str) -> None:
    answer = hand_over(ada_s, data)
    assert answer.status_code == status
    assert words in answer.text
    assert 'id="files-error"' in answer.text, "it stands beside its field"


def test_a_wrong_choice_is_said_beside_its_field(ada_s: Browser) -> None:
    for field, value, words in (("zone", "Mars/Olympus", "Choose a time zone"), ("unit", "litres", "Choose one of")):
        answer = hand_over(ada_s, QUARTERS, **{field: value})
        assert answer.status_code == 422
        assert words in answer.text
        assert f'id="{field}-error"' in answer.text


def test_html_in_a_file_stays_text_on_the_page(runtime: Runtime, ada_s: Browser) -> None:
    rows = "".join(f"2024-05-{day:02d},{day},<script>alert(1)</script>\n" for day in range(1, 29))
    found = seen(runtime, ada_s, "date,kwh,<b>note</b>\n" + rows)
    page = ada_s.get(f"/energy/import/{found}").text
    assert "<script>alert(1)" not in page
    assert "<b>note" not in page


def test_viewers_look_and_change_nothing(app: Flask, runtime: Runtime, ada: Person, ada_s: Browser) -> None:
    found = seen(runtime, ada_s, QUARTERS)
    viewer = browser_of(app, runtime, member_of(runtime, ada, "vera", "viewer"))
    page = viewer.get(f"/energy/import/{found}")
    assert page.status_code == 200
    assert "Bring in 72" not in page.text
    assert hand_over(viewer, QUARTERS).status_code == 403
    for deed in ("apply", "undo", "discard", "again"):
        assert viewer.post(f"/energy/import/{found}/{deed}").status_code == 403


def test_another_workspace_s_import_and_a_bank_s_are_not_found_here(
    app: Flask, runtime: Runtime, ada_s: Browser
) -> None:
    found = seen(runtime, ada_s, QUARTERS)
    other = browser_of(app, runtime, new_person(runtime, "eve"))
    assert other.get(f"/energy/import/{found}").status_code == 404
    assert ada_s.get(f"/imports/{found}").location.endswith(f"/energy/import/{found}")
    assert "House.csv" not in ada_s.get("/imports").text


def test_the_samples_are_read_without_a_question(runtime: Runtime, ada_s: Browser) -> None:
    for number in range(3):
        run = let(runtime, ada_s.post(f"/jobs/readings/samples/{number}"))
        result: Any = run.result
        assert result["asks"] == [], run.error
        assert result["readings"] > 100
        assert result["oddities"] > 0
