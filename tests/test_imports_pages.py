"""The pages and the API of imports: a file in, looked at, read in another way, written, taken back."""

import io
import json
import zipfile
from typing import Any

import pytest
from flask import Flask
from PIL import Image
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from models.intake import Intake
from models.run import Run
from models.session import EVERYONE
from tests.conftest import Person, new_person
from tests.front import WORKER, browser_of, change, member_of, run_id, the_run, token_of
from tests.import_files import BANK, entries, intakes, lines
from tests.web_fixtures import Browser
from workers.execute import execute
from workers.runtime import Runtime


def hand_over(browser: Browser, data: bytes | str, name: str = "bank.csv", **fields: str) -> TestResponse:
    bytes_ = data.encode() if isinstance(data, str) else data
    form = {"files": [(io.BytesIO(bytes_), name)], "subject": "expenses", "account": "Bank", **fields}
    return browser.post("/imports", form, content_type="multipart/form-data")


def previewed(runtime: Runtime, browser: Browser, data: bytes | str = BANK, **fields: str) -> str:
    """The id of an import whose preview is there."""
    found = run_id(hand_over(browser, data, **fields))
    assert execute(runtime, found, WORKER) == "succeeded", the_run(runtime, found).error
    result: Any = the_run(runtime, found).result
    assert f"/imports/{result['intake']}" in browser.get(f"/runs/{found}").text
    return str(result["intake"])


def let(runtime: Runtime, answer: TestResponse) -> Run:
    """Let the run that a button led to do its work."""
    found = run_id(answer)
    execute(runtime, found, WORKER)
    return the_run(runtime, found)


def bomb() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bank.csv", b"0" * 30_000_000)
    return made.getvalue()


def picture() -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (8, 8)).save(made, "PNG")
    return made.getvalue()


def test_a_file_is_read_looked_at_imported_and_taken_back(runtime: Runtime, ada_s: Browser) -> None:
    assert "Nothing was imported here yet" in ada_s.get("/imports").text
    found = previewed(runtime, ada_s)
    page = ada_s.get(f"/imports/{found}").text
    for words in ("Import 3 lines", "Landlord", "€800.00", "Accounts", "Payees", "Discard", "selected>Date"):
        assert words in page, words
    assert entries(runtime) == []
    done = let(runtime, ada_s.post(f"/imports/{found}/apply"))
    assert done.headline == "3 written"
    assert len(entries(runtime)) == 3
    page = ada_s.get(f"/imports/{found}").text
    assert "3 entries were written" in page
    assert "Undo this import" in page
    assert "3 of the 3 entries that it wrote are still there" in ada_s.get(f"/imports/{found}/undo").text
    let(runtime, ada_s.post(f"/imports/{found}/undo"))
    assert entries(runtime) == []
    assert "3 were deleted again" in ada_s.get(f"/imports/{found}").text
    assert ada_s.post(f"/imports/{found}/discard").status_code == 303
    assert intakes(runtime) == []


@pytest.mark.parametrize(
    ("data", "status", "words"),
    [
        (b"", 422, "empty"),
        (b"Date,Payee,Amount\n", 422, "a header and no line"),
        (picture(), 415, "This is a picture"),
        (bomb(), 415, "This is a zip or a spreadsheet"),
        (b"%PDF-1.7", 415, "This is a PDF"),
        (b"<html><table></table></html>", 415, "This is a web page"),
        (b"\xd0\xcf\x11\xe0" + b"\0" * 600, 415, "This is a spreadsheet"),
        (b"SQLite format 3\0" + b"\0" * 600, 415, "This is a database"),
        (b"a\0b\1" * 500, 415, "NUL"),
    ],
)  # fmt: skip
def test_what_is_no_file_of_lines_is_refused_at_the_form(
    ada_s: Browser, runtime: Runtime, data: bytes, status: int, words: str
) -> None:
    answer = hand_over(ada_s, data)
    assert answer.status_code == status
    assert words in answer.text
    assert 'id="files-error"' in answer.text, "it stands beside its field"
    with runtime.database.read(EVERYONE) as session:
        assert session.scalars(select(Run)).all() == []


def test_what_was_chosen_wrongly_is_said_beside_its_field(ada_s: Browser) -> None:
    answer = hand_over(ada_s, BANK, currency="XQZ")
    assert answer.status_code == 422
    assert "There is no such currency" in answer.text
    answer = hand_over(ada_s, BANK, columns="date|nonsense|amount|note")
    assert answer.status_code == 422
    assert "is no meaning of a column" in answer.text


def test_columns_and_dates_can_be_changed_and_the_file_is_read_again(runtime: Runtime, ada_s: Browser) -> None:
    text = "When,Who,What,Sum\n01/02/2026,Shop,Thing,-1\n03/04/2026,Shop,Other,-2\n"
    found = previewed(runtime, ada_s, text, columns="date|payee|note|amount")
    assert "could be read with day and month changed" in ada_s.get(f"/imports/{found}").text
    form = {"role": ["date", "note", "payee", "amount"], "dates": "mdy", "decimal": "point", "account": "Other bank"}
    run = let(runtime, ada_s.post(f"/imports/{found}/again", form))
    assert run.state == "succeeded"
    assert len(intakes(runtime)) == 1, "the new preview takes the old one's place"
    what = lines(runtime, run)[0].what
    assert what
    assert (what["on"], what["payee"], what["note"], what["purse"]) == ("2026-01-02", "Thing", "Shop", "Other bank")
    again = intakes(runtime)[0].id
    wrong = ada_s.post(f"/imports/{again}/again", {"role": ["", "", "", ""]})
    assert wrong.status_code == 422
    assert "date is missing" in wrong.text
    assert ada_s.get(f"/imports/{again}").status_code == 200, "and the preview is still there"


def test_lines_are_filtered_and_paged(runtime: Runtime, ada_s: Browser) -> None:
    text = "Date,Payee,Amount\n" + "".join(f"2026-01-{at % 28 + 1:02d},Shop {at},-1\n" for at in range(60))
    found = previewed(runtime, ada_s, text + "2026-02-31,Nowhere,-1\n")
    page = ada_s.get(f"/imports/{found}").text
    assert "More lines" in page
    assert "Shop 49" in page
    assert "Shop 50" not in page
    assert "Shop 50" in ada_s.get(f"/imports/{found}?after=51").text
    page = ada_s.get(f"/imports/{found}?state=wrong").text
    assert "is no day of the calendar" in page
    assert "2026-02-31" in page, "what stands in the file is shown"
    assert "Shop 7<" not in page
    assert ada_s.get(f"/imports/{found}?state=nonsense&after=x").status_code == 200


def test_html_in_a_file_stays_text_on_the_page(runtime: Runtime, ada_s: Browser) -> None:
    text = "Date,Payee,Amount\n2026-01-01,<script>alert(1)</script>,-1\n2026-01-02,=cmd|calc,-2\n"
    page = ada_s.get(f"/imports/{previewed(runtime, ada_s, text)}").text
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "=cmd|calc" in page


def test_a_double_click_is_one_run_and_a_step_that_failed_can_be_tried_again(runtime: Runtime, ada_s: Browser) -> None:
    found = previewed(runtime, ada_s)
    first = run_id(ada_s.post(f"/imports/{found}/apply"))
    assert run_id(ada_s.post(f"/imports/{found}/apply")) == first
    assert "being imported" in ada_s.get(f"/imports/{found}").text
    assert ada_s.post(f"/imports/{found}/discard", follow_redirects=True).text.count("being imported") >= 1
    change(runtime, first, state="failed", error="The disk was full.")
    page = ada_s.get(f"/imports/{found}").text
    assert "The disk was full." in page
    assert "Import 3 lines" in page
    second = ada_s.post(f"/imports/{found}/apply")
    assert run_id(second) != first
    assert let(runtime, second).state == "succeeded"
    assert "imported already" in ada_s.post(f"/imports/{found}/apply", follow_redirects=True).text


def test_the_same_file_again_says_so_and_offers_nothing_to_import(runtime: Runtime, ada_s: Browser) -> None:
    let(runtime, ada_s.post(f"/imports/{previewed(runtime, ada_s)}/apply"))
    found = previewed(runtime, ada_s)
    page = ada_s.get(f"/imports/{found}").text
    assert "The very same file was imported before" in page
    assert "This line was imported before." in page
    assert "Import 0 lines" not in page
    answer = ada_s.post(f"/imports/{found}/apply", follow_redirects=True)
    assert "There is no new line in this import" in answer.text


def test_a_file_that_is_gone_cannot_be_read_again(runtime: Runtime, ada_s: Browser) -> None:
    found = previewed(runtime, ada_s)
    with runtime.database.write(EVERYONE) as session:
        session.execute(update(Intake).where(Intake.id == found).values(run_id=None))
    assert "The file is not kept any more" in ada_s.get(f"/imports/{found}").text
    assert ada_s.post(f"/imports/{found}/again", {"dates": "dmy"}).status_code == 422


def test_viewers_look_and_change_nothing(app: Flask, runtime: Runtime, ada: Person, ada_s: Browser) -> None:
    found = previewed(runtime, ada_s)
    viewer = browser_of(app, runtime, member_of(runtime, ada, "vera", "viewer"))
    page = viewer.get(f"/imports/{found}")
    assert page.status_code == 200
    assert "Import 3 lines" not in page.text
    assert hand_over(viewer, BANK).status_code == 403
    for deed in ("apply", "undo", "discard", "again"):
        assert viewer.post(f"/imports/{found}/{deed}").status_code == 403


def test_another_workspace_s_import_is_not_found(app: Flask, runtime: Runtime, ada: Person, ada_s: Browser) -> None:
    found = previewed(runtime, ada_s)
    eve = new_person(runtime, "eve")
    browser, headers = browser_of(app, runtime, eve), token_of(runtime, eve)
    assert found not in browser.get("/imports").text
    for path in (f"/imports/{found}", f"/imports/{found}/undo"):
        assert browser.get(path).status_code == 404
    for deed in ("apply", "undo", "discard"):
        assert browser.post(f"/imports/{found}/{deed}").status_code == 404
    assert browser.post(f"/imports/{found}/again", {"dates": "dmy"}).status_code == 404
    client = app.test_client()
    for path in ("", "/lines"):
        assert client.get(f"/api/v1/imports/{found}{path}", headers=headers).status_code == 404
    for deed in ("apply", "undo"):
        assert client.post(f"/api/v1/imports/{found}/{deed}", headers=headers).status_code == 404
    assert client.delete(f"/api/v1/imports/{found}", headers=headers).status_code == 404
    assert len(intakes(runtime)) == 1


def test_the_api_imports_and_takes_back(app: Flask, runtime: Runtime, ada: Person) -> None:
    client, headers = app.test_client(), token_of(runtime, ada)
    form = {"files": [(io.BytesIO(BANK.encode()), "bank.csv")], "subject": "expenses", "account": "Bank"}
    run = json.loads(client.post("/api/v1/jobs/importing/runs", data=form, headers=headers).data)["id"]
    execute(runtime, run, WORKER)
    result: Any = the_run(runtime, run).result
    url = f"/api/v1/imports/{result['intake']}"
    listed = json.loads(client.get("/api/v1/imports", headers=headers).data)
    assert [each["url"] for each in listed["imports"]] == [url]
    shown = json.loads(client.get(url, headers=headers).data)
    assert (shown["state"], shown["counts"]["new"]) == ("previewed", 3)
    assert [each["role"] for each in shown["columns"]] == ["date", "payee", "note", "amount"]
    found = json.loads(client.get(f"{url}/lines?state=new&after=2", headers=headers).data)["lines"]
    assert [line["number"] for line in found] == [3, 4]
    assert found[0]["what"]["amount"] == "-3.2"
    assert client.get(f"{url}/lines?state=nonsense", headers=headers).status_code == 422
    answer = client.post(f"{url}/apply", headers={**headers, "Idempotency-Key": "once"})
    assert answer.status_code == 202
    execute(runtime, json.loads(answer.data)["id"], WORKER)
    assert len(entries(runtime)) == 3
    assert client.post(f"{url}/apply", headers=headers).status_code == 409
    assert client.delete(url, headers=headers).status_code == 409
    assert client.post(f"{url}/undo", json={"also": "x"}, headers=headers).status_code == 422
    answer = client.post(f"{url}/undo", json={"also": True}, headers=headers)
    execute(runtime, json.loads(answer.data)["id"], WORKER)
    assert entries(runtime) == []
    assert client.delete(url, headers=headers).status_code == 204
    reader = token_of(runtime, ada, scope="read")
    assert client.post(f"{url}/apply", headers=reader).status_code == 403


def test_a_link_fills_in_what_the_file_holds(ada_s: Browser) -> None:
    page = ada_s.get("/imports?subject=products").text
    assert '<option value="products" selected>' in page
