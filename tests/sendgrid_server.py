"""A server that checks each request as SendGrid's API v3 documents `POST /v3/mail/send`, and answers as it does.

Written from its public reference: required fields, their types and limits, the order of contents, headers that it
keeps for itself, its errors (400, 401, 413, 415, 429) and its 202 with `X-Message-Id`.
"""

import base64
import binascii
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.listening import Silent, listening, of_handler

MOST_BYTES = 30 * 1024 * 1024
TOP = {
    "personalizations", "from", "reply_to", "reply_to_list", "subject", "content", "attachments", "template_id",
    "headers", "categories", "custom_args", "send_at", "batch_id", "asm", "ip_pool_name", "mail_settings",
    "tracking_settings",
}  # fmt: skip
PERSONAL = {
    "to", "cc", "bcc", "from", "subject", "headers", "substitutions", "dynamic_template_data", "custom_args", "send_at",
}  # fmt: skip
RESERVED = {
    "x-sg-id", "x-sg-eid", "received", "dkim-signature", "content-type", "content-transfer-encoding", "to", "from",
    "subject", "reply-to", "cc", "bcc",
}  # fmt: skip
ADDRESS = re.compile(r"[^@\s<>,]+@[^@\s<>,]+")
Wrong = dict[str, Any]


def wrong(message: str, field: str) -> Wrong:
    return {"message": message, "field": field, "help": None}


def _address(value: Any, field: str) -> Iterator[Wrong]:
    if not isinstance(value, dict) or not isinstance(value.get("email"), str) or not ADDRESS.fullmatch(value["email"]):
        yield wrong("Does not contain a valid address.", field)
    elif not set(value) <= {"email", "name"} or not isinstance(value.get("name", ""), str):
        yield wrong("Invalid type.", field)


def _personal(body: dict[str, Any]) -> Iterator[Wrong]:
    listed = body.get("personalizations")
    if not isinstance(listed, list) or not 1 <= len(listed) <= 1000:
        yield wrong(
            "The personalizations field is required and must have at least one personalization.", "personalizations"
        )
        return
    for number, each in enumerate(listed):
        where = f"personalizations.{number}"
        if not set(each) <= PERSONAL:
            yield wrong("Additional property is not allowed.", where)
        if not isinstance(each.get("to"), list) or not each["to"]:
            yield wrong("The to array is required for all personalization objects.", f"{where}.to")
        seen = [to["email"].lower() for part in ("to", "cc", "bcc") for to in each.get(part, ()) if "email" in to]
        if len(seen) != len(set(seen)):
            yield wrong(
                "Each email address in the personalization block should be unique between to, cc, and bcc.", where
            )
        for to in each.get("to", ()):
            yield from _address(to, f"{where}.to")


def _contents(body: dict[str, Any]) -> Iterator[Wrong]:
    listed = body.get("content")
    if not isinstance(listed, list) or not listed:
        yield wrong("Unless a valid template_id is provided, the content parameter is required.", "content")
        return
    for number, each in enumerate(listed):
        if set(each) != {"type", "value"} or not isinstance(each["value"], str) or not each["value"]:
            yield wrong(
                "The content value must be a string at least one character in length.", f"content.{number}.value"
            )
    kinds = [each.get("type") for each in listed]
    if "text/plain" in kinds[1:] or ("text/html" in kinds and kinds.index("text/html") > 1):
        yield wrong("If present, text/plain and text/html may only be provided once, in that order, first.", "content")


def _attachments(body: dict[str, Any]) -> Iterator[Wrong]:
    for number, each in enumerate(body.get("attachments", ())):
        where = f"attachments.{number}"
        if not set(each) <= {"content", "type", "filename", "disposition", "content_id"}:
            yield wrong("Additional property is not allowed.", where)
        try:
            base64.b64decode(each["content"], validate=True)
        except (KeyError, TypeError, binascii.Error):
            yield wrong("The attachment content must be base64 encoded.", f"{where}.content")
        if not each.get("filename"):
            yield wrong("The filename is required.", f"{where}.filename")
        if each.get("disposition", "attachment") not in ("inline", "attachment"):
            yield wrong("The disposition must be inline or attachment.", f"{where}.disposition")
        if each.get("disposition") == "inline" and not each.get("content_id"):
            yield wrong("An inline attachment needs a content_id.", f"{where}.content_id")


def _others(body: dict[str, Any]) -> Iterator[Wrong]:
    if not set(body) <= TOP:
        yield wrong("Additional property is not allowed.", ", ".join(set(body) - TOP))
    yield from _address(body.get("from"), "from")
    if "reply_to" in body:
        yield from _address(body["reply_to"], "reply_to")
    if not isinstance(body.get("subject"), str) or not body["subject"]:
        yield wrong("The subject is required.", "subject")
    for name, value in body.get("headers", {}).items():
        if name.lower() in RESERVED or not name.isascii() or not isinstance(value, str) or not value.isprintable():
            yield wrong("The header is reserved or has an invalid value.", f"headers.{name}")
    categories = body.get("categories", [])
    if len(categories) > 10 or len(set(categories)) != len(categories) or any(len(each) > 255 for each in categories):
        yield wrong("The categories must be unique, at most ten, of at most 255 characters.", "categories")
    custom = body.get("custom_args", {})
    if not all(isinstance(each, str) for each in custom.values()) or len(json.dumps(custom)) > 10_000:
        yield wrong("The custom_args must be strings, of at most 10,000 bytes.", "custom_args")


def complaints(body: Any) -> list[Wrong]:
    """What the API would say against a request's body."""
    if not isinstance(body, dict):
        return [wrong("Bad Request", "")]
    return [each for check in (_others, _personal, _contents, _attachments) for each in check(body)]


class Handler(Silent):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        told: Any = self.server
        size = int(self.headers.get("Content-Length", 0))
        raw = self.rfile.read(size)
        told.requests += 1
        if told.answer:
            self._say(*told.answer)
        elif self.path != "/v3/mail/send":
            self._say(404, {"errors": [wrong("Not Found", "")]})
        elif self.headers.get("Authorization") != f"Bearer {told.key}":
            self._say(401, {"errors": [wrong("The provided authorization grant is invalid, expired, or revoked", "")]})
        elif self.headers.get("Content-Type") != "application/json":
            self._say(415, {"errors": [wrong("Content-Type should be application/json.", "")]})
        elif size > MOST_BYTES:
            self._say(413, {"errors": [wrong("The total size of your email exceeds 30MB.", "")]})
        else:
            self._judge(told, raw)

    def _judge(self, told: Any, raw: bytes) -> None:
        try:
            body = json.loads(raw)
        except ValueError:
            self._say(400, {"errors": [wrong("Bad Request", "")]})
            return
        if found := complaints(body):
            told.refused.append(found)
            self._say(400, {"errors": found})
            return
        told.mails.append(body)
        self._say(202, None, {"X-Message-Id": f"id-{len(told.mails)}"})

    def _say(self, code: int, body: Any = None, headers: dict[str, str] | None = None) -> None:
        if code == 0:  # falls silent
            self.connection.close()
            return
        raw = json.dumps(body).encode() if body is not None else b""
        self.send_response(code)
        for name, value in {**(headers or {}), "Content-Length": str(len(raw))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(raw)


@contextmanager
def serving(key: str) -> Iterator[Any]:
    """The server, with `mails` that it took, `refused` ones, and `answer` to say something else to all."""
    made: Any = of_handler(Handler)
    made.key, made.mails, made.refused, made.answer, made.requests = key, [], [], None, 0
    with listening(made):
        yield made
