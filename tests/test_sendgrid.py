"""SendGrid, by its own library, against a server that checks each request as its API documents it."""

import base64
import io
import logging
import time
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import select, update

from deploy.settings import Settings
from models.base import clock, new_id
from models.delivery import Picture
from models.run import Run
from models.session import EVERYONE
from tests import sendgrid_server
from tests.conftest import Person, free_port
from tests.test_mail import ME, deliveries, mail_run, write
from workers.execute import execute
from workers.runtime import Runtime

KEY = "SG.a-key-that-no-log-may-hold"


@pytest.fixture
def grid(runtime: Runtime) -> Iterator[Any]:
    with sendgrid_server.serving(KEY) as server:
        lead_to(runtime, server.server_port)
        yield server


def lead_to(runtime: Runtime, port: int, key: str = KEY) -> None:
    chosen: dict[str, Any] = {"mail": "sendgrid", "sendgrid_key": SecretStr(key)}
    chosen |= {"sendgrid_host": f"http://127.0.0.1:{port}", "mail_from": "Nightshift <night@example.org>"}
    object.__setattr__(runtime, "settings", runtime.settings.model_copy(update=chosen))


def go(runtime: Runtime, person: Person) -> str | None:
    return execute(runtime, mail_run(runtime, person.workspace_id), ME)


def test_a_mail_with_all_there_is_passes_every_check(runtime: Runtime, ada: Person, grid: Any) -> None:
    key, size = runtime.storage.put(io.BytesIO(b"PNG"))
    mail = new_id()
    html = '<img src="cid:spending" alt="x"><a href="{unsubscribe}">stop</a>'
    write(runtime, ada, id=mail, account_id=ada.account_id, html=html, stop="digest", subject="Two\r\nlines: ü")
    with runtime.database.write(ada.workspace_id) as session:
        session.add(Picture(delivery_id=mail, name="spending", alt="x", size=size, key=key))
    assert go(runtime, ada) == "succeeded"
    assert grid.refused == []
    (told,) = grid.mails
    assert told["personalizations"] == [{"to": [{"email": "a@example.org"}]}]
    assert told["from"] == told["reply_to"] == {"email": "night@example.org", "name": "Nightshift"}
    assert told["subject"] == "Two lines: ü"
    assert [each["type"] for each in told["content"]] == ["text/plain", "text/html"]
    assert told["custom_args"] == {"delivery": mail}
    (picture,) = told["attachments"]
    assert base64.b64decode(picture["content"]) == b"PNG"
    assert (picture["disposition"], picture["type"]) == ("inline", "image/png")
    assert f'"cid:{picture["content_id"]}"' in told["content"][1]["value"]
    headers = told["headers"]
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert headers["List-Unsubscribe"].strip("<>") in told["content"][0]["value"]
    assert headers["Message-ID"] == f"<{mail}@example.org>"
    assert told["tracking_settings"]["click_tracking"]["enable"] is False
    assert deliveries(runtime)[0].state == "sent"


def test_plain_mails_and_mails_of_nothing_pass(runtime: Runtime, ada: Person, grid: Any) -> None:
    for more in ({"text": ""}, {"subject": ""}, {"html": "<p>x</p>"}, {"to": "ada@bücher.example"}):
        write(runtime, ada, **more)
    assert go(runtime, ada) == "succeeded"
    assert (len(grid.mails), grid.refused) == (4, [])


@pytest.mark.parametrize("code", [401, 403])
def test_a_wrong_key_keeps_all_mails_and_says_what_to_put_right(
    runtime: Runtime, ada: Person, grid: Any, code: int
) -> None:
    if code == 403:
        grid.answer = (403, {"errors": [{"message": "The from address does not match a verified Sender Identity"}]})
    else:
        lead_to(runtime, grid.server_port, "SG.wrong")
    for _ in range(2):
        write(runtime, ada)
    assert go(runtime, ada) == "queued"
    assert [(row.state, row.tries) for row in deliveries(runtime)] == [("queued", 0)] * 2
    assert grid.requests == 1, "the others would fare alike"
    assert "NIGHTSHIFT_SENDGRID_KEY" in deliveries(runtime)[0].reason


@pytest.mark.parametrize("code", [400, 413])
def test_a_mail_that_is_refused_says_why_in_its_words(runtime: Runtime, ada: Person, grid: Any, code: int) -> None:
    grid.answer = (code, {"errors": [{"message": "Too\r\nlarge <b>", "field": None}, {"message": "and wrong"}]})
    write(runtime, ada)
    assert go(runtime, ada) == "succeeded"
    row = deliveries(runtime)[0]
    assert (row.state, row.reason) == ("failed", f"SendGrid refused this mail: {code} Too large <b>; and wrong")
    grid.answer = (code, ["not", "as", "documented"])
    write(runtime, ada)
    go(runtime, ada)
    assert deliveries(runtime)[1].state == "failed"


@pytest.mark.parametrize("header", ["Retry-After", "X-RateLimit-Reset"])
def test_too_many_mails_wait_for_as_long_as_it_says(runtime: Runtime, ada: Person, grid: Any, header: str) -> None:
    seconds = 900
    when = str(seconds if header == "Retry-After" else int(time.time()) + seconds)
    grid.answer = (429, {"errors": [{"message": "too many requests"}]}, {header: when})
    for _ in range(3):
        write(runtime, ada)
    assert go(runtime, ada) == "queued"
    assert (grid.requests, deliveries(runtime)[0].tries) == (1, 0)
    with runtime.database.read(EVERYONE) as session:
        due = session.scalars(select(Run.due_at).where(Run.kind == "mail", Run.tries > 0)).one()
        assert seconds - 60 < (due - clock(session)) / 1000 < seconds * 2


@pytest.mark.parametrize("answer", [(500,), (503, {"errors": []}), (0,)])
def test_when_it_is_in_trouble_the_mail_is_tried_again(runtime: Runtime, ada: Person, grid: Any, answer: Any) -> None:
    grid.answer = answer
    write(runtime, ada)
    assert go(runtime, ada) == "queued"
    assert (deliveries(runtime)[0].state, deliveries(runtime)[0].tries) == ("queued", 1)
    grid.answer = None
    with runtime.database.write(EVERYONE) as session:
        session.execute(update(Run).values(due_at=0))
    assert go(runtime, ada) == "succeeded"
    assert (deliveries(runtime)[0].state, len(grid.mails)) == ("sent", 1)


def test_while_it_cannot_be_reached_no_mail_loses_a_try(runtime: Runtime, ada: Person, grid: Any) -> None:
    lead_to(runtime, free_port())
    write(runtime, ada)
    assert go(runtime, ada) == "queued"
    assert (deliveries(runtime)[0].state, deliveries(runtime)[0].tries) == ("queued", 0)


def test_its_key_stands_in_no_log_no_reason_and_no_error(
    runtime: Runtime, ada: Person, grid: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for answer in (None, (401, None), (400, {"errors": [{"message": "no"}]}), (500, None), (0,)):
        grid.answer = answer
        write(runtime, ada)
        go(runtime, ada)
        with runtime.database.write(EVERYONE) as session:
            session.execute(update(Run).values(due_at=0))
    with runtime.database.read(EVERYONE) as session:
        runs = [repr(row.__dict__) for row in session.scalars(select(Run))]
    told = [caplog.text, *runs, *(row.reason for row in deliveries(runtime)), repr(runtime.settings)]
    assert not [text for text in told if KEY in text]


def test_the_checking_server_refuses_what_the_api_refuses() -> None:
    good: dict[str, Any] = {
        "personalizations": [{"to": [{"email": "a@example.org"}]}],
        "from": {"email": "b@example.org"},
        "subject": "S",
        "content": [{"type": "text/plain", "value": "x"}, {"type": "text/html", "value": "y"}],
    }
    assert sendgrid_server.complaints(good) == []
    wrong: list[dict[str, Any]] = [
        {"personalizations": []}, {"from": {}}, {"subject": ""}, {"content": []}, {"content": good["content"][::-1]},
        {"content": [{"type": "text/plain", "value": ""}]}, {"more": 1}, {"headers": {"Subject": "x"}},
        {"attachments": [{"content": "%", "filename": "a"}]}, {"custom_args": {"a": 1}}, {"categories": ["a"] * 2},
        {"attachments": [{"content": "aa==", "filename": "a", "disposition": "inline"}]},
    ]  # fmt: skip
    for each in wrong:
        assert sendgrid_server.complaints(good | each), each


def test_settings_name_what_is_missing() -> None:
    with pytest.raises(ValueError, match="NIGHTSHIFT_SENDGRID_KEY"):
        Settings.model_validate({"mail": "sendgrid"})
    for wrong in ({"outgoing_networks": "10.0.0.1/8"}, {"smtp_ca": "/nowhere.pem"}, {"mail_from": "nobody"}):
        with pytest.raises(ValueError, match=r"(?i)value.error"):
            Settings.model_validate(wrong)
