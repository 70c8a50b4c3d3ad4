"""Flower behind our sign-in: a real Flower, on the embedded Valkey, watching a real Celery worker."""

import base64
import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import flask
import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import sync_playwright
from requests.auth import HTTPBasicAuth
from werkzeug.serving import make_server

from deploy.settings import Settings
from models.session import EVERYONE
from tests.flower_stack import Stack, flower_stack
from tests.listening import listening
from tests.make_run import until
from web import create_app, identity, people
from web.flower import CSP
from workers.runtime import Runtime

ORIGIN = "http://127.0.0.1:5001"
OURS = {"Origin": ORIGIN, "Sec-Fetch-Site": "same-origin"}
TABLE = {"draw": 1, "start": 0, "length": 10, "search[value]": "", "order[0][column]": 0, "order[0][dir]": "asc"}
TABLE["columns[0][data]"] = "name"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with flower_stack(tmp_path_factory.mktemp("flower")) as started:
        yield started


@pytest.fixture
def front_for(settings: Settings, runtime: Runtime) -> Iterator[Callable[[str, str], Flask]]:
    """Makes the whole front, told where Flower is and its password."""
    with ExitStack() as opened:

        def make(address: str, password: str) -> Flask:
            settings.secret("flower_password")
            (settings.var / "secrets" / "flower_password").write_text(password)
            app = create_app(settings.model_copy(update={"flower_url": address}))
            opened.callback(app.extensions["nightshift"].database.close)
            return app

        yield make


@pytest.fixture
def front(front_for: Callable[[str, str], Flask], stack: Stack) -> Flask:
    return front_for(stack.address, stack.password)


def sign_in(front: Flask, runtime: Runtime, name: str) -> FlaskClient:
    """A browser of somebody new; the one who is called administrator is one."""
    with runtime.database.write(EVERYONE) as session:
        account = people.create_account(
            session, name=name, email=f"{name}@example.org", password_hash="", time_zone="UTC", confirmed=True
        )
        if name == "administrator":
            people.make_admin(session, account)
        with front.test_request_context():
            identity.start(session, account.id)
            secret = flask.session["_user_id"]
    client = front.test_client()
    with client.session_transaction() as cookie:
        cookie["_user_id"] = secret
    return client


@pytest.fixture
def administrator(front: Flask, runtime: Runtime) -> FlaskClient:
    return sign_in(front, runtime, "administrator")


def test_nobody_in_particular_is_sent_to_the_sign_in_page(front: Flask, administrator: FlaskClient) -> None:
    answer = front.test_client().get("/flower/workers")
    assert answer.status_code == 302
    assert answer.location.startswith("/sign-in")


def test_another_person_learns_nothing_of_it(front: Flask, runtime: Runtime) -> None:
    client = sign_in(front, runtime, "somebody")
    assert client.get("/flower/").status_code == 404
    assert client.post("/flower/api/worker/shutdown/scans@here", headers=OURS).status_code == 404


def test_an_administrator_sees_workers_tasks_by_name_and_queue_lengths(
    stack: Stack, administrator: FlaskClient
) -> None:
    stack.shop.send_task("stock", ["run-1"], queue="scans")
    until(lambda: "scans@here" in administrator.get("/flower/workers").text)
    tasks = until(
        lambda: [
            each for each in administrator.get("/flower/api/tasks").get_json().values() if each["state"] == "SUCCESS"
        ]
    )
    assert [each["name"] for each in tasks] == ["stock"]
    table = administrator.post("/flower/tasks/datatable", data=TABLE, headers=OURS).get_json()
    assert [row["name"] for row in table["data"]] == ["stock"]
    added = administrator.post(
        "/flower/api/worker/queue/add-consumer/scans@here", data={"queue": "scans"}, headers=OURS
    )
    assert added.status_code == 200
    lengths = administrator.get("/flower/api/queues/length").get_json()["active_queues"]
    assert {"name": "scans", "messages": 0} in lengths
    assert "scans" in administrator.get("/flower/broker").text


def test_pages_styles_and_scripts_keep_to_the_content_policy(administrator: FlaskClient) -> None:
    page = administrator.get("/flower/")
    assert page.headers["Content-Security-Policy"] == CSP
    assert "unsafe-inline" not in CSP.split("script-src")[1].split(";")[0]
    for script in re.findall(r"<script(?: type=\"text/javascript\")?>(.*?)</script>", page.text, re.DOTALL):
        assert base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() in CSP
    linked = re.findall(r"(?:src|href)=\"(/flower/static/[^\"]+)\"", page.text)
    assert len(linked) > 5
    assert {administrator.get(each).status_code for each in linked} == {200}


def test_neither_cookies_nor_passwords_cross_the_border(administrator: FlaskClient) -> None:
    answer = administrator.get("/flower/", headers={"Authorization": "Basic bm9ib2R5Om5vYm9keQ=="})
    assert answer.status_code == 200  # the person's own Authorization did not reach Flower in place of ours
    assert not any("_xsrf" in each for each in answer.headers.getlist("Set-Cookie"))
    assert "WWW-Authenticate" not in answer.headers


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "http://elsewhere.example"},
        {"Origin": ORIGIN, "Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "null", "Sec-Fetch-Site": "same-origin"},
    ],
)
def test_what_changes_something_must_come_from_our_own_pages(
    administrator: FlaskClient, headers: dict[str, str]
) -> None:
    assert administrator.post("/flower/api/worker/pool/grow/scans@here", headers=headers).status_code == 403


def test_a_path_cannot_leave_flower(administrator: FlaskClient) -> None:
    assert administrator.get("/flower/%2e%2e/%2e%2e/metrics%3Fx=1").status_code == 404


def test_flower_alone_asks_for_its_password_everywhere(stack: Stack) -> None:
    for path in ("/", "/metrics", "/healthcheck", "/api/workers", "/api/tasks", "/workers?json=1"):
        assert requests.get(stack.address + path, timeout=5).status_code == 401, path
    good = requests.get(f"{stack.address}/metrics", auth=HTTPBasicAuth("nightshift", stack.password), timeout=5)
    assert good.status_code == 200


def test_the_password_stands_in_no_command_line(stack: Stack) -> None:
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes()
        except OSError:
            continue
        assert stack.password.encode() not in line
        assert b"a-password" not in line


@pytest.mark.parametrize("address", ["http://127.0.0.1:1/flower", ""])
def test_a_flower_that_is_down_is_said_in_plain_words(
    front_for: Callable[[str, str], Flask], runtime: Runtime, address: str
) -> None:
    answer = sign_in(front_for(address, "any"), runtime, "administrator").get("/flower/")
    assert answer.status_code == 502
    assert "Flower does not answer" in answer.text


def test_a_wrong_password_of_ours_is_not_asked_of_the_person(
    front_for: Callable[[str, str], Flask], runtime: Runtime, stack: Stack
) -> None:
    answer = sign_in(front_for(stack.address, "wrong"), runtime, "administrator").get("/flower/api/workers")
    assert answer.status_code == 502
    assert "WWW-Authenticate" not in answer.headers


@pytest.fixture
def chromium() -> str:
    if not (path := shutil.which("chromium")):
        (pytest.fail if "CI" in os.environ else pytest.skip)("there is no Chromium; apt install chromium")
    return str(path)


@pytest.mark.browser
def test_a_browser_shows_its_pages_without_a_violation_of_the_policy(
    front: Flask, administrator: FlaskClient, stack: Stack, chromium: str
) -> None:
    stack.shop.send_task("stock", ["run-2"], queue="scans")
    with administrator.session_transaction() as cookie:
        secret = cookie["_user_id"]
    said: list[str] = []
    with listening(make_server("127.0.0.1", 0, front, threaded=True)) as server, sync_playwright() as started:
        browser = started.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        context = browser.new_context(base_url=f"http://127.0.0.1:{server.port}")
        context.add_cookies([_cookie(front, secret, server.port)])
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto("/flower/")
        page.get_by_role("link", name="scans@here").wait_for()
        page.goto("/flower/tasks")
        page.get_by_role("cell", name="stock").first.wait_for()
        page.goto("/flower/broker")
        page.get_by_role("cell", name="scans").wait_for()
        page.goto("/flower/worker/scans@here")
        page.get_by_text("Worker options").or_(page.get_by_role("tab")).first.wait_for()
        browser.close()
    assert said == []


def _cookie(front: Flask, secret: str, port: int) -> dict[str, str]:
    serializer = front.session_interface.get_signing_serializer(front)  # type: ignore[attr-defined]
    value = serializer.dumps({"_user_id": secret})
    return {"name": front.config["SESSION_COOKIE_NAME"], "value": value, "url": f"http://127.0.0.1:{port}"}
