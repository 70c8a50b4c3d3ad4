"""An IBM Watson Assistant on this machine: IAM's tokens, sessions and messages in the shapes that IBM documents.

https://cloud.ibm.com/apidocs/assistant-v2 (create_session, message) and https://cloud.ibm.com/apidocs/iam-identity-token-api
(POST /identity/token). What it answers to a text stands in `answers`.
"""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt

from deploy.settings import Settings
from tests.listening import Silent, listening, of_handler

KEY, ASSISTANT, ENVIRONMENT = "a-watson-key-that-no-page-may-hold", "11111111-aaaa", "22222222-bbbb"
SIGNED_WITH = "a secret of the test's own token service"


def text(words: str) -> dict[str, Any]:
    return {"response_type": "text", "text": words}


@dataclass
class Service:
    """What it answers with, and what it was asked.

    Attributes:
        answers: `output.generic` by the text of a question.
        statuses: of the next messages; after them all is well.
        slow: seconds before each answer to a message; hung up as soon as `stopped` is set.
        body: instead of the right answer, as it stands.
        endless: sent instead again and again, `pause` seconds apart, until whoever asked hangs up.
        sessions: that go on; one that is not here has ended.
    """

    answers: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    statuses: list[int] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    slow: float = 0.0
    body: bytes | None = None
    endless: bytes = b""
    pause: float = 0.0
    token_status: int = 200
    sessions: set[str] = field(default_factory=set)
    asked: list[dict[str, Any]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    def token(self, form: dict[str, list[str]]) -> tuple[int, dict[str, Any]]:
        if self.token_status != 200 or form.get("apikey") != [KEY]:
            status = self.token_status if self.token_status != 200 else 400
            return status, {"errorCode": "BXNIM0415E", "errorMessage": "Provided API key could not be found."}
        now = int(time.time())
        token = jwt.encode({"iat": now, "exp": now + 3600}, SIGNED_WITH, algorithm="HS256")
        return 200, {
            "access_token": token,
            "refresh_token": "not_supported",
            "token_type": "Bearer",
            "expires_in": 3600,
        }

    def answer(self, path: str, given: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        start = f"/v2/assistants/{ASSISTANT}/environments/{ENVIRONMENT}/sessions"
        if path == start:
            self.sessions.add(session := f"session-{len(self.paths)}")
            return 201, {"session_id": session}
        session = path.removeprefix(f"{start}/").removesuffix("/message")
        if session not in self.sessions:
            return 404, {"error": "Invalid Session", "code": 404}
        self.asked.append(given)
        if self.statuses and (status := self.statuses.pop(0)) != 200:
            return status, {"error": f"no answer to {given['input']['text']}", "code": status}
        generic = self.answers.get(given["input"]["text"], [])
        output = {"generic": generic, "intents": [], "entities": []}
        return 200, {"output": output, "user_id": given.get("user_id"), "session_id": session}


class _Handler(Silent):
    service: Service

    def do_POST(self) -> None:
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers["Content-Length"] or 0)).decode()
        self.service.paths.append(self.path)
        if parts.path == "/identity/token":
            self._send(*self.service.token(parse_qs(body)))
        elif not self.headers.get("Authorization", "").startswith("Bearer ey"):
            self._send(401, {"error": "Unauthorized", "code": 401})
        else:
            self.service.stopped.wait(self.service.slow if parts.path.endswith("/message") else 0)
            self._send(*self.service.answer(parts.path, json.loads(body or "{}")))

    def _stream(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        try:
            self.end_headers()
            while not self.service.stopped.wait(self.service.pause):
                self.wfile.write(self.service.endless)
        except OSError:
            return

    def _send(self, status: int, told: dict[str, Any]) -> None:
        if self.service.endless and "output" in told:
            return self._stream()
        body = self.service.body if self.service.body is not None and status == 200 and "output" in told else None
        sent = body if body is not None else json.dumps(told).encode()
        self.send_response(status)
        headers = {"Content-Type": "application/json", "Content-Length": str(len(sent)), **self.service.headers}
        for name, value in headers.items():
            self.send_header(name, value)
        try:
            self.end_headers()
            self.wfile.write(sent)
        except OSError:  # whoever asked has hung up
            return


def watson_settings(service: Service, **more: Any) -> Settings:
    """In which this one is the configured one."""
    chosen = {
        "watson_url": service.url, "watson_iam_url": service.url, "watson_key": KEY, "watson_assistant": ASSISTANT,
        "watson_environment": ENVIRONMENT, "watson_seconds": 10, **more,
    }  # fmt: skip
    return Settings.model_validate(chosen)


@contextmanager
def watson_server() -> Iterator[Service]:
    """One that listens until the block ends."""
    service = Service()
    with listening(of_handler(type("Handler", (_Handler,), {"service": service}))) as server:
        service.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield service
        finally:
            service.stopped.set()
