"""What somebody may send that no form sends: numbers, depths and signs beyond all use, and silence."""

import socket
import struct
from types import SimpleNamespace

import pytest
from flask import Flask

from deploy import front
from tests.conftest import Person
from tests.front import browser_of, token_of
from tests.web_fixtures import Browser
from workers.runtime import Runtime

RUNS = "/api/v1/jobs/ecg/runs"


@pytest.mark.parametrize("path", ["/mailbox", "/admin/audit"])
@pytest.mark.parametrize("page", ["9" * 25, "-" + "9" * 25, "9" * 3000])
def test_a_page_number_beyond_all_bounds_is_an_empty_page(admin: Browser, path: str, page: str) -> None:
    assert admin.get(f"{path}?page={page}").status_code == 200


@pytest.mark.parametrize("path", ["/runs?q=%00", "/runs/%00", "/sign-in?next=/%00", "/api/v1/runs?q=a%00"])
def test_a_nul_in_an_address_is_refused(admin: Browser, path: str) -> None:
    assert admin.get(path).status_code == 400


def test_a_nul_in_a_form_is_left_out(browser: Browser, admin: Browser) -> None:
    assert browser.sign_in("ada@example.org\0").status_code == 302
    assert browser.signed_in()


@pytest.mark.parametrize(
    ("sent", "status", "told"),
    [
        ("[" * 100_000, 422, "no JSON object"),
        ('{"lead":' + "[" * 5000 + "]" * 5000 + "}", 422, "errors"),  # Python 3.13 reads it, and then it is no text
        ('{"lead": "' + "x" * 1_000_000 + '"}', 413, "too large"),
        ('{"lead": "a\\u0000b"}', 422, "no text"),
        ('{"lead": "\\ud800"}', 422, "no JSON object"),
    ],
)
def test_json_beyond_all_bounds_is_a_sentence(
    app: Flask, runtime: Runtime, ada: Person, sent: str, status: int, told: str
) -> None:
    headers = {**token_of(runtime, ada), "Content-Type": "application/json"}
    answer = app.test_client().post(RUNS, data=sent, headers=headers)
    assert answer.status_code == status
    assert told in answer.text


@pytest.mark.parametrize("path", ["expenses/entries", "expenses/budgets", "movements"])
def test_half_a_sign_is_no_text_anywhere(app: Flask, runtime: Runtime, ada: Person, path: str) -> None:
    headers = {**token_of(runtime, ada), "Content-Type": "application/json"}
    body = '{"account": "\\ud800", "category": "\\ud800", "sku": "\\ud800"}'
    assert app.test_client().post(f"/api/v1/{path}", data=body, headers=headers).status_code in (400, 422)


@pytest.mark.parametrize("settings", ["sqlite", "postgresql"], indirect=True)
def test_an_id_that_no_database_can_compare_is_refused(app: Flask, runtime: Runtime, ada: Person) -> None:
    browser = browser_of(app, runtime, ada)
    odd = {"purse": "\0", "category": "\0", "amount": "1", "on": "2026-11-21", "way": "out"}
    assert browser.post("/expenses/entries/new", odd).status_code in (400, 404, 422)
    assert browser.post("/expenses/entries/many", {"ids": "\0", "to_category": "\0"}).status_code in (
        303,
        400,
        404,
        422,
    )


def test_a_client_that_falls_silent_gives_its_thread_back() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        front.when_ready(SimpleNamespace(LISTENERS=[SimpleNamespace(sock=listener)]))
        with socket.create_connection(listener.getsockname()), listener.accept()[0] as connection:
            connection.setblocking(True)
            for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
                seconds, _ = struct.unpack("ll", connection.getsockopt(socket.SOL_SOCKET, option, 16))
                assert seconds == front.SILENCE
