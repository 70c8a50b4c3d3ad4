"""Two workspaces: whatever Eve asks for, she finds nothing of Ada's. Every route is walked, those of tomorrow too."""

import html
import json
import re
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from models.account import Account
from models.artifact import Artifact, Upload
from models.base import Base
from models.delivery import Delivery
from models.run import Run
from models.session import EVERYONE
from tests.adas_articles import article_of
from tests.adas_energy import energy_of
from tests.adas_imports import import_of
from tests.adas_mailboxes import mailbox_of
from tests.adas_readings import file_of
from tests.adas_stock import stock_of
from tests.adas_teams import teams_of
from tests.adas_tickets import ticket_of
from tests.channel_rows import channel_of
from tests.conftest import Person, new_person
from tests.front import WORKER, browser_of, hand_over, run_id, text_file, token_of
from tests.ledger_rows import budget_of
from tests.news import alert_of
from tests.purse_rows import a_household
from tests.web_fixtures import Browser
from workers.execute import execute
from workers.runtime import Runtime

pytestmark = pytest.mark.usefixtures("probe")

SECRET = "adas-secret-words"
# Pages that are the same for everybody: they take a name from the address that is nobody's.
FOR_ALL = ("static", "bootstrap.static", "runs.form", "schedules.new")
NOT_HERS = {302, 303, 403, 404, 405, 410}


@dataclass
class Theirs:
    """What Ada has, for Eve not to find."""

    ids: dict[str, str]
    marks: list[str]


@pytest.fixture
def eve(runtime: Runtime) -> Person:
    return new_person(runtime, "eve")


@pytest.fixture
def eve_s(app: Flask, runtime: Runtime, eve: Person) -> Browser:
    return browser_of(app, runtime, eve)


@pytest.fixture
def adas(app: Flask, runtime: Runtime, ada: Person) -> Theirs:
    """A run of Ada's with files, a result, artifacts and a mail; and one that waits."""
    browser = browser_of(app, runtime, ada)
    found = run_id(hand_over(browser, files=[text_file(name=f"{SECRET}.txt")], note=SECRET, key="form:adas"))
    waiting = run_id(hand_over(browser, note=SECRET))
    execute(runtime, found, WORKER)
    with runtime.database.read(EVERYONE) as session:
        artifact = session.scalars(select(Artifact.id).where(Artifact.name == "dot.png")).one()
        mail = session.scalars(select(Delivery.id)).one()
        upload = session.scalars(select(Upload.id)).one()
    ids = {
        "run_id": found, "waiting": waiting, "artifact_id": artifact, "mail_id": mail, "delivery_id": mail,
        "workspace_id": ada.workspace_id, "account_id": ada.account_id, "kind": "probe", "filename": "style.css",
    }  # fmt: skip
    marks = [SECRET, "ada@example.org", "Ada's workspace", upload, *list(ids.values())[:7]]
    stock = stock_of(runtime, ada, SECRET)
    energy = energy_of(runtime, ada, SECRET)
    ids |= alert_of(runtime, ada, SECRET)
    ids |= channel_of(runtime, ada, SECRET)
    money = a_household(runtime, ada, SECRET)
    ids |= budget_of(runtime, ada, SECRET)
    ids |= import_of(runtime, ada, SECRET)
    ids |= file_of(runtime, ada, SECRET)
    ids |= teams_of(runtime, ada, SECRET)
    ids |= mailbox_of(runtime, ada, SECRET)
    ids |= article_of(runtime, ada, SECRET)
    ids |= ticket_of(runtime, ada, SECRET)
    return Theirs(
        ids | stock | money | energy,
        [
            *marks,
            ids["alert_id"],
            ids["intake_id"],
            ids["file_id"],
            *[ids[name] for name in ("team_id", "absence_id", "policy_id", "topic_id", "inlet_id", "article_id")],
            *list(stock.values())[:6],
            *money.values(),
            *energy.values(),
        ],
    )


def path_of(rule: Rule, theirs: Theirs) -> str:
    """A rule's address with Ada's ids in it; an argument of a new kind gets her run's id."""

    def value(found: "re.Match[str]") -> str:
        return theirs.ids.get(found[1].rpartition(":")[2], "0" if found[1].startswith("int:") else theirs.ids["run_id"])

    return re.sub(r"<([^>]+)>", value, rule.rule)


def assert_nothing_of(theirs: Theirs, answer: TestResponse, path: str) -> None:
    asked_for = [part for part in re.split(r"[/?=&]", path) if part]
    text = html.unescape(answer.get_data().decode("utf-8", "replace"))
    for mark in theirs.marks:
        # An address may come back in a page (a form's action, a canonical link): that tells nothing new.
        assert mark in asked_for or mark not in text, f"{path} shows {mark}"


def test_no_page_shows_anything_of_another_workspace(app: Flask, adas: Theirs, eve_s: Browser) -> None:
    walked = 0
    for rule in app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or rule.endpoint in FOR_ALL or rule.endpoint.startswith("flower."):
            continue
        path = path_of(rule, adas)
        answer = eve_s.get(path)
        assert_nothing_of(adas, answer, path)
        if rule.arguments:
            allowed = NOT_HERS | {401} if rule.endpoint.startswith(("api.", "emoncms.")) else NOT_HERS
            assert answer.status_code in allowed, f"{path}: {answer.status_code}"
        walked += 1
    assert walked > 20


def test_no_route_of_the_api_shows_anything_of_another_workspace(
    app: Flask, adas: Theirs, runtime: Runtime, eve: Person
) -> None:
    token = token_of(runtime, eve)
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith("api.") and "GET" in (rule.methods or ()):
            path = path_of(rule, adas)
            answer = app.test_client().get(path, headers=token, buffered=True)
            assert_nothing_of(adas, answer, path)
            assert answer.status_code == (404 if rule.arguments else 200), path


def test_nothing_of_another_workspace_can_be_changed(
    app: Flask, adas: Theirs, runtime: Runtime, eve: Person, eve_s: Browser
) -> None:
    before = state(runtime)
    token = token_of(runtime, eve)
    for action in ("cancel", "retry", "again"):
        for found in (adas.ids["run_id"], adas.ids["waiting"]):
            assert eve_s.post(f"/runs/{found}/{action}").status_code == 404
            assert app.test_client().post(f"/api/v1/runs/{found}/{action}", headers=token).status_code in (404, 405)
    ids = [adas.ids["run_id"], adas.ids["waiting"]]
    for action in ("cancel", "retry", "again", "discard"):
        assert_nothing_of(adas, eve_s.post("/runs/actions", {"action": action, "ids": ids}), "/runs/actions")
        answer = app.test_client().post("/api/v1/runs/actions", json={"action": action, "ids": ids}, headers=token)
        assert answer.status_code == 200
        assert json.loads(answer.data)["done"] == []
    assert eve_s.post("/runs/discard", {"ids": ids}).status_code == 303
    for path in ("/jobs", "/jobs/probe"):
        assert eve_s.get(f"{path}?after={ids[0]}").status_code == 404
    assert hand_over(eve_s, after=ids[0]).status_code == 422
    assert state(runtime) == before


def state(runtime: Runtime) -> list[Any]:
    with runtime.database.read(EVERYONE) as session:
        return [tuple(row) for row in session.execute(select(Run.id, Run.state, Run.cancel_at).order_by(Run.id))]


def test_no_form_of_the_front_changes_anything_of_another_workspace(
    app: Flask, adas: Theirs, runtime: Runtime, ada: Person, eve: Person
) -> None:
    form = {"workspace": ada.workspace_id, "role": "owner", "name": "Mine now", "scope": "write", "days": "30"}
    form |= {"workspace_id": ada.workspace_id, "account_id": ada.account_id, "time_zone": "UTC", "again": "x"}
    before, walked = belongings(runtime, ada), 0
    for rule in app.url_map.iter_rules():
        if "POST" in (rule.methods or ()) and not rule.endpoint.startswith(("flower.", "api.")):
            path = path_of(rule, adas)
            answer = browser_of(app, runtime, eve).post(path, form)
            assert answer.status_code < 500, path
            assert belongings(runtime, ada) == before, path
            assert browser_of(app, runtime, eve).get(f"/runs/{adas.ids['run_id']}").status_code == 404, path
            walked += 1
    assert walked > 15


def belongings(runtime: Runtime, person: Person) -> dict[str, list[Any]]:
    """Every row of a person and of their workspace."""
    found: dict[str, list[Any]] = {}
    with runtime.database.read(EVERYONE) as session:
        for table in Base.metadata.sorted_tables:
            for column, owner in (("workspace_id", person.workspace_id), ("account_id", person.account_id)):
                if column in table.c:
                    rows = session.execute(select(table).where(table.c[column] == owner))
                    found[f"{table.name} by {column}"] = sorted(map(repr, rows))
        found["account"] = [
            repr(row) for row in session.execute(select(Account.__table__).where(Account.id == person.account_id))
        ]
    return found


def test_nothing_is_found_by_searching(
    app: Flask, adas: Theirs, runtime: Runtime, ada: Person, eve: Person, eve_s: Browser
) -> None:
    found, token = adas.ids["run_id"], token_of(runtime, eve)
    for query in (f"q={SECRET}", f"q={found}", "state=succeeded", "kind=probe", f"after={'f' * 28}"):
        assert found not in eve_s.get(f"/runs?{query}").text.replace(f'value="{found}"', "")
        answer = app.test_client().get(f"/api/v1/runs?{query}", headers=token)
        assert json.loads(answer.data)["runs"] == []
        if not query.startswith("after"):  # the same search finds it for Ada, so the test can fail
            assert found in browser_of(app, runtime, ada).get(f"/runs?{query}").text


def test_a_form_cannot_be_filled_from_another_workspace_s_run(adas: Theirs, eve_s: Browser) -> None:
    assert eve_s.get(f"/jobs/probe?again={adas.ids['run_id']}").status_code == 404


def test_an_idempotency_key_finds_no_run_of_another_workspace(
    app: Flask, adas: Theirs, runtime: Runtime, ada: Person, eve: Person, eve_s: Browser
) -> None:
    same = {"files": [text_file(name=f"{SECRET}.txt")], "note": SECRET, "key": "form:adas"}
    hers = run_id(hand_over(eve_s, **same))
    assert hers not in (adas.ids["run_id"], adas.ids["waiting"])
    ids = set()
    for person in (ada, eve):
        headers = {**token_of(runtime, person), "Idempotency-Key": "k"}
        answer = app.test_client().post("/api/v1/jobs/probe/runs", json={"name": "Same"}, headers=headers)
        ids.add(json.loads(answer.data)["id"])
    assert len(ids) == 2


def test_another_workspace_s_upload_cannot_be_named_as_one_s_own(
    app: Flask, adas: Theirs, runtime: Runtime, eve: Person
) -> None:
    with runtime.database.read(EVERYONE) as session:
        upload = session.scalars(select(Upload.id)).one()
    answer = app.test_client().post(
        "/api/v1/jobs/probe/runs", json={"name": "Eve", "files": [upload]}, headers=token_of(runtime, eve)
    )
    if answer.status_code == 202:  # then the id was not taken for a file
        assert json.loads(answer.data)["files"] == []
        found = json.loads(answer.data)["id"]
        assert execute(runtime, found, WORKER) == "succeeded"
        with runtime.database.read(EVERYONE) as session:
            assert session.scalars(select(Run.result).where(Run.id == found)).one() == {"words": 0, "name": "Eve"}


def test_a_mail_after_a_run_goes_to_the_run_s_own_person(adas: Theirs, runtime: Runtime, ada: Person) -> None:
    with runtime.database.read(EVERYONE) as session:
        # Letters of a ticket go to its customer, who needs no account; a run may have written them, too.
        mails = select(Delivery.account_id).where(Delivery.run_id.is_not(None), Delivery.ticket_id.is_(None))
        assert session.scalars(mails).all() == [ada.account_id]
