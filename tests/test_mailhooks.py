"""SendGrid's events: believed when signed over time and bytes, once each; and what becomes of mails and addresses."""

import base64
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from models.alert import Wish
from models.base import new_id
from models.delivery import Bounced, Delivery, MailEvent
from models.session import EVERYONE
from tests.conftest import Person
from tests.web_fixtures import Browser
from web import create_app
from workers.runtime import Runtime

PRIVATE = ec.generate_private_key(ec.SECP256R1())
PUBLIC = PRIVATE.public_key().public_bytes(
    serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
)  # fmt: skip
KEY = base64.b64encode(PUBLIC).decode()  # as SendGrid shows it
SIGNATURE, TIMESTAMP = "X-Twilio-Email-Event-Webhook-Signature", "X-Twilio-Email-Event-Webhook-Timestamp"
Tell = Callable[..., TestResponse]


@pytest.fixture
def hooked(runtime: Runtime) -> Flask:
    made = create_app(runtime.settings.model_copy(update={"sendgrid_webhook_key": _secret(KEY)}))
    made.testing = True
    return made


def _secret(text: str) -> Any:
    from pydantic import SecretStr

    return SecretStr(text)


def signed(body: bytes, at: float | None = None, key: Any = PRIVATE) -> dict[str, str]:
    stamp = str(int(at or time.time()))
    signature = key.sign(stamp.encode() + body, ec.ECDSA(hashes.SHA256()))
    return {SIGNATURE: base64.b64encode(signature).decode(), TIMESTAMP: stamp}


@pytest.fixture
def tell(hooked: Flask) -> Tell:
    def post(*events: Any, **headers: str) -> TestResponse:
        body = json.dumps(list(events), separators=(",", ":")).encode() + b"\r\n"  # as theirs end
        return hooked.test_client().post("/hooks/sendgrid", data=body, headers=signed(body) | headers)

    return post


def event(mail: str, what: str, at: int = 1_700_000_000, **more: Any) -> dict[str, Any]:
    about = {"email": "ada@example.org", "timestamp": at, "event": what, "delivery": mail, "sg_event_id": new_id()}
    return about | more


@pytest.fixture
def mail(runtime: Runtime, ada: Person) -> str:
    row = Delivery(
        id=new_id(), workspace_id=ada.workspace_id, account_id=ada.account_id, to="Ada@example.org", subject="S",
        text="T", state="sent", stop="at once:stock",
    )  # fmt: skip
    with runtime.database.write(EVERYONE) as session:
        session.add(row)
        session.add(Wish(account_id=ada.account_id, areas={"stock": "at once"}))
    return row.id


def the(runtime: Runtime, mail: str) -> Delivery:
    with runtime.database.read(EVERYONE) as session:
        return session.get_one(Delivery, mail)


def count(runtime: Runtime, table: Any) -> int:
    with runtime.database.read(EVERYONE) as session:
        return len(session.scalars(select(table)).all())


def test_without_a_key_the_hook_is_not_there(app: Flask, ada: Person) -> None:
    assert app.test_client().post("/hooks/sendgrid", data=b"[]", headers=signed(b"[]")).status_code == 404


def test_only_what_the_provider_signed_lately_is_read(hooked: Flask, runtime: Runtime, mail: str) -> None:
    body = json.dumps([event(mail, "bounce", reason="550")]).encode()
    other = ec.generate_private_key(ec.SECP256R1())
    good = signed(body)
    wrong: list[tuple[bytes, dict[str, str]]] = [
        (body, {}),
        (body + b" ", good),
        (body, signed(body, key=other)),
        (body, signed(body, time.time() - 3600)),
        (body, signed(body, time.time() + 3600)),
        (body, good | {TIMESTAMP: str(int(good[TIMESTAMP]) - 1)}),
        (body, good | {TIMESTAMP: "soon"}),
        (body, good | {TIMESTAMP: "٤٢"}),
        (body, good | {SIGNATURE: "not base64!"}),
        (b"\xff\xfe", signed(b"\xff\xfe")),
    ]
    for data, headers in wrong:
        assert hooked.test_client().post("/hooks/sendgrid", data=data, headers=headers).status_code == 403, headers
    assert (the(runtime, mail).fate, count(runtime, MailEvent), count(runtime, Bounced)) == ("", 0, 0)
    assert hooked.test_client().post("/hooks/sendgrid", data=body, headers=good).status_code == 204
    assert the(runtime, mail).fate == "bounced"


def test_what_is_no_list_of_events_or_too_much_is_refused(hooked: Flask, tell: Tell, ada: Person) -> None:
    for body in (b"{", b"{}", b"[1]", b"[" * 100_000):
        answer = hooked.test_client().post("/hooks/sendgrid", data=body, headers=signed(body))
        assert answer.status_code == 400, body[:10]
    large = json.dumps([{"x": "y" * 1_000_000}]).encode()
    assert hooked.test_client().post("/hooks/sendgrid", data=large, headers=signed(large)).status_code == 413


@pytest.mark.parametrize(
    ("told", "fate", "stopped"),
    [
        ({"what": "delivered"}, "delivered", False),
        ({"what": "deferred", "response": "450 later"}, "deferred", False),
        ({"what": "bounce", "type": "bounce", "reason": "550 5.1.1 No such user"}, "bounced", True),
        ({"what": "bounce", "type": "blocked", "reason": "550 on a list"}, "blocked", False),
        ({"what": "dropped", "reason": "Bounced Address"}, "dropped", True),
        ({"what": "dropped", "reason": "Unsubscribed Address"}, "dropped", False),
        ({"what": "spamreport"}, "spam", True),
        ({"what": "unsubscribe"}, "unsubscribed", False),
        ({"what": "group_unsubscribe", "asm_group_id": 1}, "unsubscribed", False),
        ({"what": "open"}, "", False),
        ({"what": "processed"}, "", False),
    ],
)
def test_each_event_says_what_became_of_its_mail(
    runtime: Runtime, tell: Tell, mail: str, told: dict[str, Any], fate: str, stopped: bool
) -> None:
    assert tell(event(mail, **told)).status_code == 204
    row = the(runtime, mail)
    assert (row.fate, row.state) == (fate, "sent")
    assert count(runtime, Bounced) == stopped
    if "reason" in told:
        assert row.reason == told["reason"]
    with runtime.database.read(EVERYONE) as session:
        areas = session.scalars(select(Wish.areas)).one()
    assert areas == {"stock": "gathered" if fate == "unsubscribed" else "at once"}


def test_an_event_counts_once_and_a_late_one_does_not_undo_what_came_after(
    runtime: Runtime, tell: Tell, mail: str
) -> None:
    first = event(mail, "delivered", 1_700_000_100)
    for _ in range(2):
        assert tell(first, first).status_code == 204
    assert count(runtime, MailEvent) == 1
    tell(event(mail, "deferred", 1_700_000_050), event(new_id(), "bounce"), event("", "bounce"), {"event": "bounce"})
    row = the(runtime, mail)
    assert (row.fate, row.fate_at) == ("delivered", 1_700_000_100_000)
    assert count(runtime, Bounced) == 0, "mails that others sent with the same key are not ours"
    tell(event(mail, "spamreport", 1_700_000_200), event(mail, "delivered", 1_700_000_150))
    assert the(runtime, mail).fate == "spam"


def test_words_of_a_provider_are_one_plain_line(runtime: Runtime, tell: Tell, mail: str) -> None:
    tell(event(mail, "bounce", reason="550 <script>\r\nBcc: x\0 " + "y" * 900, timestamp="soon"))
    assert the(runtime, mail).reason.startswith("550 <script> Bcc: x yyy")
    assert len(the(runtime, mail).reason) <= 300


def test_a_person_sees_that_mail_comes_back_and_can_say_that_it_works_again(
    runtime: Runtime, tell: Tell, mail: str, ada: Person, ada_s: Browser
) -> None:
    assert "No mail reaches you" not in ada_s.get("/account").text
    tell(event(mail, "bounce", reason="550 5.1.1 No such user"))
    page = ada_s.get("/account").text
    assert "No mail reaches you" in page
    assert "550 5.1.1 No such user" in page
    assert "came back" in ada_s.get(f"/mailbox/{mail}").text
    ada_s.post("/account/address/works")
    assert "No mail reaches you" not in ada_s.get("/account").text
    assert count(runtime, Bounced) == 0
