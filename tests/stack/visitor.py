"""Who comes to the front: a person with a browser's manners, and a program with a token."""

import re
import secrets
import time
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import requests

from tests.stack.compose import Trouble

TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
RUN = re.compile(r"/runs/([0-9a-f]{28})")
ENDED = ("succeeded", "failed", "cancelled")
SEEN = 30  # of the newest mails, when one is looked for
TIMEOUT = (5, 30)  # seconds: to connect, between two bytes
PASSWORD = "a lamp beside the window"


class Front:
    """Where the front is, the certificate that it must show (None: it speaks plain HTTP), where HTTP leads to it."""

    def __init__(self, url: str, certificate: Path | None, plain: str = "") -> None:
        self.url, self.certificate, self.plain = url, certificate, plain

    def session(self) -> requests.Session:
        """A new client that trusts this front's certificate alone."""
        made = requests.Session()
        made.trust_env = False  # neither a proxy nor an authority of this machine has a say
        made.verify = str(self.certificate) if self.certificate else True
        return made


class Person:
    """Somebody with a browser: follows redirects, keeps cookies, posts forms with their token."""

    def __init__(self, front: Front) -> None:
        self.front, self.session = front, front.session()

    def get(self, path: str, expect: int = 200) -> requests.Response:
        answer = self.session.get(self.front.url + path, timeout=TIMEOUT)
        return _expected(answer, expect)

    def post(self, path: str, form: dict[str, Any], page: str, **more: Any) -> requests.Response:
        """Sends a form that stands on `page`."""
        found = TOKEN.search(self.get(page).text)
        if not found:
            raise Trouble(f"{page} has no form")
        # As browsers do; HTTPS forms are refused without.
        headers = {"Origin": self.front.url, "Referer": self.front.url + page, "Sec-Fetch-Site": "same-origin"}
        answer = self.session.post(
            self.front.url + path, data={"csrf_token": found[1], **form}, headers=headers, timeout=TIMEOUT, **more
        )
        return _expected(answer, 200)

    def sign_in(self, email: str, password: str) -> None:
        self.post("/sign-in", {"email": email, "password": password}, "/sign-in")
        self.get("/account")

    def begin(self, code: str, email: str) -> None:
        """Becomes the first administrator."""
        form = {"code": code, "name": "Ada", "email": email, "password": PASSWORD, "time_zone": "Europe/London"}
        self.post("/welcome", form, "/welcome")
        self.get("/account")

    def sample(self, kind: str, number: int = 0) -> str:
        """Starts a sample of a job by its button; the run's id."""
        answer = self.post(f"/jobs/{kind}/samples/{number}", {}, f"/jobs/{kind}")
        found = RUN.search(answer.url)
        if not found:
            raise Trouble(f"The sample of {kind} led to {answer.url}")
        return found[1]

    def token(self, name: str) -> str:
        """A token for the API, made on the account's page."""
        form = {"name": name, "scope": "write", "days": "1"}
        page = self.post("/account/tokens", form, "/account").text
        found = re.search(r'value="(nightshift_[\w-]{20,})"', page)
        if not found:
            raise Trouble("The account's page shows no new token")
        return found[1]


class Program:
    """A program with a token."""

    def __init__(self, front: Front, token: str) -> None:
        self.front, self.session = front, front.session()
        self.session.headers["Authorization"] = f"Bearer {token}"

    def get(self, path: str, expect: int = 200) -> Any:
        return _expected(self.session.get(f"{self.front.url}/api/v1{path}", timeout=TIMEOUT), expect).json()

    def post(self, path: str, body: Any, expect: int = 202) -> Any:
        return _expected(self.session.post(f"{self.front.url}/api/v1{path}", json=body, timeout=TIMEOUT), expect).json()

    def start(self, kind: str, key: str, body: dict[str, Any] | None = None, file: Path | None = None) -> str:
        """Hands work over; the run's id. The same key gives the same run, so it may be said again after any trouble."""
        given: dict[str, Any] = {"json": body or {}}
        if file:
            given = {"data": body or {}, "files": {"files": (file.name, file.read_bytes())}}
        url, headers = f"{self.front.url}/api/v1/jobs/{kind}/runs", {"Idempotency-Key": key}
        answer = self.session.post(url, headers=headers, timeout=TIMEOUT, **given)
        return str(_expected(answer, 202).json()["id"])

    def state(self, run_id: str) -> str:
        return str(self.get(f"/runs/{run_id}")["state"])

    def succeeded(self, run_id: str, limit: float = 90) -> dict[str, Any]:
        """Waits for a run's end, which has to be a good one."""
        end = time.monotonic() + limit
        while (run := self.get(f"/runs/{run_id}"))["state"] not in ENDED:
            if time.monotonic() > end:
                raise Trouble(f"A run of {run['kind']} is {run['state']} after {limit:.0f} s")
            time.sleep(0.5)
        if run["state"] != "succeeded":
            raise Trouble(f"A run of {run['kind']} {run['state']}: {run['error']}")
        return dict(run)

    def content(self, url: str) -> bytes:
        """A file that a run left; its address as the API gives it."""
        answer = self.session.get(urljoin(self.front.url, url), timeout=TIMEOUT)
        return _expected(answer, 200).content


class Catcher:
    """The mails that were caught, by the mail catcher's own API."""

    def __init__(self, url: str) -> None:
        self.url = url

    def mails(self) -> list[dict[str, Any]]:
        """The newest ones, newest first."""
        answer = requests.get(f"{self.url}/api/v1/messages", params={"limit": 200}, timeout=TIMEOUT)
        return list(_expected(answer, 200).json()["messages"])

    def text(self, mail: dict[str, Any]) -> str:
        """A mail's plain text."""
        return str(
            _expected(requests.get(f"{self.url}/api/v1/message/{mail['ID']}", timeout=TIMEOUT), 200).json()["Text"]
        )

    def about(self, run_id: str, limit: float = 60) -> dict[str, Any]:
        """Waits for the mail that tells of a run, known by the link to it."""
        end = time.monotonic() + limit
        while True:
            for mail in self.mails()[:SEEN]:
                if f"/runs/{run_id}" in self.text(mail):
                    return mail
            if time.monotonic() > end:
                raise Trouble(f"No mail about run {run_id} came in {limit:.0f} s")
            time.sleep(0.5)


def key() -> str:
    """A new Idempotency-Key."""
    return secrets.token_hex(8)


def _expected(answer: requests.Response, code: int) -> requests.Response:
    if answer.status_code != code:
        where = f"{answer.request.method} {answer.request.path_url}"
        raise Trouble(f"{where} answered {answer.status_code} instead of {code}: {answer.text[:300]!r}")
    return answer
