"""Pages of ticket imports: a lead hands a file over, looks through it, imports it and takes it back."""

import io
import re

from flask import Flask
from flask.testing import FlaskClient

from tests.conftest import Person
from tests.front import WORKER, browser_of, member_of, token_of
from tests.ticket_files import ZENDESK, tickets
from tests.web_fixtures import Browser
from workers.execute import execute
from workers.runtime import Runtime

PAGE = "/care/import"


def handed(browser: Browser, text: str, **values: str) -> str:
    """The page that a file leads to."""
    files = {"files": (io.BytesIO(text.encode()), "export.csv")}
    answer = browser.client.post(PAGE, data={"csrf_token": browser.token(), **values, **files})
    assert answer.status_code == 303, answer.text
    return str(answer.headers["Location"])


def done(runtime: Runtime, browser: Browser, place: str) -> str:
    """Let the step end, and follow its page to the import's."""
    assert "This page loads itself again" in browser.client.get(place).text
    execute(runtime, place.rpartition("/")[2], WORKER)
    answer = browser.client.get(place)
    assert answer.status_code == 303
    return str(answer.headers["Location"])


def posted(browser: Browser, place: str, **values: object) -> str:
    answer = browser.client.post(place, data={"csrf_token": browser.token(), **values})
    assert answer.status_code == 303, answer.text
    return str(answer.headers["Location"])


def test_a_lead_looks_through_a_file_imports_it_and_takes_it_back(app: Flask, runtime: Runtime, ada: Person) -> None:
    lead = browser_of(app, runtime, member_of(runtime, ada, "grace", "lead"))
    assert "No tickets were imported here yet" in lead.client.get(PAGE).text
    place = done(runtime, lead, handed(lead, ZENDESK))
    page = lead.client.get(place).text
    for words in ("Zendesk, not yet imported", "Import 2 tickets", "Satisfaction Score", "Kept in a note", "Good",
                  "Where is my parcel?", "It was deleted there.", "urgent 4, high 8"):  # fmt: skip
        assert words in page, words
    page = lead.client.get(f"{place}?state=skipped").text
    assert "It was deleted there." in page
    assert '<td data-title="Subject">' not in page
    assert done(runtime, lead, posted(lead, f"{place}/apply")) == place
    assert "2 tickets were written, and nobody got a mail" in lead.client.get(place).text
    assert len(tickets(runtime)) == 2
    assert "Undo this import?" in lead.client.get(f"{place}/undo").text
    done(runtime, lead, posted(lead, f"{place}/undo"))
    assert "2 were taken back" in lead.client.get(place).text
    assert tickets(runtime) == {}
    assert posted(lead, f"{place}/discard") == PAGE
    assert lead.client.get(place).status_code == 404


def test_columns_can_be_said_to_be_something_else_and_the_file_is_read_again(
    app: Flask, runtime: Runtime, ada: Person
) -> None:
    owner = browser_of(app, runtime, ada)
    odd = "Vorgang;Wann;Thema\n7;02.01.2025 10:00;Drucker\n"
    answer = owner.client.post(
        PAGE, data={"csrf_token": owner.token(), "files": (io.BytesIO(odd.encode()), "export.csv")}
    )
    assert answer.status_code == 422
    assert "tickets’ numbers" in answer.text
    place = done(runtime, owner, handed(owner, odd, columns="number|created|subject", zone="Europe/Berlin"))
    assert "Drucker" in owner.client.get(place).text
    roles = ["number", "created", "category"]
    again = done(runtime, owner, posted(owner, f"{place}/again", role=roles, zone="Europe/Berlin", dates="mdy"))
    assert "2025-02-01" in owner.client.get(again).text or re.search(r"1 Feb\w* 2025", owner.client.get(again).text)
    wrong = owner.client.post(f"{again}/again", data={"csrf_token": owner.token(), "role": roles, "allowed": "1 2"})
    assert wrong.status_code == 422
    assert "Write four numbers of hours" in wrong.text


def test_agents_viewers_and_other_workspaces_do_not_import(
    app: Flask, runtime: Runtime, ada: Person, grace: Person
) -> None:
    owner = browser_of(app, runtime, ada)
    place = done(runtime, owner, handed(owner, ZENDESK))
    for role, name in (("agent", "alan"), ("viewer", "vint"), ("customer", "carl")):
        client: FlaskClient = browser_of(app, runtime, member_of(runtime, ada, name, role)).client
        assert [client.get(path).status_code for path in (PAGE, place)] == [403, 403], role
    other = browser_of(app, runtime, grace)
    assert other.client.get(place).status_code == 404
    assert other.client.post(f"{place}/apply", data={"csrf_token": other.token()}).status_code == 404


def test_a_member_decides_on_no_ticket_import_by_the_pages_or_the_api_of_others(
    app: Flask, runtime: Runtime, ada: Person
) -> None:
    intake = done(runtime, browser_of(app, runtime, ada), handed(browser_of(app, runtime, ada), ZENDESK))[len(PAGE) :]
    person = member_of(runtime, ada, "mary", "member")
    member, header = browser_of(app, runtime, person), token_of(runtime, person)
    for step in ("again", "apply", "undo", "discard"):
        answer = member.client.post(f"/imports{intake}/{step}", data={"csrf_token": member.token()})
        assert answer.status_code == 404, step
    program = app.test_client()
    assert program.post(f"/api/v1/imports{intake}/apply", headers=header).status_code == 403
    assert program.post(f"/api/v1/imports{intake}/undo", headers=header).status_code == 403
    assert program.delete(f"/api/v1/imports{intake}", headers=header).status_code == 403
    lead = token_of(runtime, ada)
    assert program.post(f"/api/v1/imports{intake}/apply", headers=lead).status_code == 202
