"""What the tests of the front share: the probe job in the registry, people signed in, forms as they are posted."""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, update
from werkzeug.test import TestResponse

import tasks
from models.account import SignIn, Token
from models.base import new_id
from models.run import Run
from models.session import EVERYONE
from models.workspace import Membership
from tasks.job import Job
from tests.conftest import Person, new_person
from tests.web_fixtures import Browser
from web.security import digest
from workers.runtime import Runtime

HERE = Path(__file__).parent
FAR = 4_102_444_800_000  # the year 2100
WORKER = "test:0/0"


@contextmanager
def probe_job(monkeypatch: pytest.MonkeyPatch) -> Iterator[Job]:
    """The registry reads tests/ instead of tasks/: its one job is the probe."""
    monkeypatch.setattr(tasks, "HERE", HERE)
    monkeypatch.setattr(tasks, "__path__", [*tasks.__path__, str(HERE)])
    tasks.discover.cache_clear()
    yield tasks.discover()["probe"]
    tasks.discover.cache_clear()


def browser_of(app: Flask, runtime: Runtime, person: Person) -> Browser:
    """A browser in which this person is signed in."""
    secret = new_id()
    with runtime.database.write(EVERYONE) as session:
        session.add(
            SignIn(
                secret_hash=digest(secret),
                account_id=person.account_id,
                workspace_id=person.workspace_id,
                expires_at=FAR,
            )
        )
    browser = Browser(app)
    with browser.client.session_transaction() as cookie:
        cookie["_user_id"] = secret
    return browser


def member_of(runtime: Runtime, host: Person, name: str, role: str) -> Person:
    """Somebody else in a person's workspace."""
    guest = new_person(runtime, name)
    with runtime.database.write(EVERYONE) as session:
        session.add(Membership(workspace_id=host.workspace_id, account_id=guest.account_id, role=role))
    return Person(guest.account_id, host.workspace_id)


def token_of(runtime: Runtime, person: Person, scope: str = "write", expires: int = FAR) -> dict[str, str]:
    """The header of a program that acts for this person."""
    secret = f"nightshift_{new_id()}"
    with runtime.database.write(EVERYONE) as session:
        session.add(
            Token(
                name="a program",
                secret_hash=digest(secret),
                account_id=person.account_id,
                workspace_id=person.workspace_id,
                scope=scope,
                expires_at=expires,
            )
        )
    return {"Authorization": f"Bearer {secret}"}


def text_file(text: str = "one two", name: str = "words.txt") -> tuple[io.BytesIO, str]:
    return io.BytesIO(text.encode()), name


def hand_over(browser: Browser, **fields: Any) -> TestResponse:
    """Post the probe's form; `files` is a list of (stream, name)."""
    return browser.post("/jobs/probe", {"name": "Ada", **fields}, content_type="multipart/form-data")


def run_id(answer: TestResponse) -> str:
    """The run that a posted form led to."""
    assert answer.status_code == 303, answer.text
    found = re.fullmatch(r"/runs/([0-9a-f]{28})", answer.location)
    assert found, answer.location
    return found[1]


def change(runtime: Runtime, found: str, **values: object) -> None:
    with runtime.database.write(EVERYONE) as session:
        session.execute(update(Run).where(Run.id == found).values(**values))


def the_run(runtime: Runtime, found: str) -> Run:
    with runtime.database.read(EVERYONE) as session:
        return session.scalars(select(Run).where(Run.id == found)).one()


def count(runtime: Runtime) -> int:
    with runtime.database.read(EVERYONE) as session:
        return session.scalar(select(func.count()).select_from(Run)) or 0
