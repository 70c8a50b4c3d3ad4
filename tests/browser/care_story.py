"""What the test of customer care in Chromium goes by: its people, browsers, mails, and a clock that it moves."""

# ruff: noqa: F811  # fixtures are arguments by their names

import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from playwright.sync_api import BrowserContext, Page
from sqlalchemy import select

from models.alert import AT_ONCE
from models.desk import Desk, Inlet, Policy, Team, TeamMember, Topic
from models.run import QUEUED, Run
from models.session import EVERYONE
from models.ticket import Ticket
from models.workspace import SYSTEM
from tasks import discover
from tasks.context import Context
from tasks.handover import HandedOver
from tests.browser.test_runs import Front, front  # noqa: F401  # a fixture
from tests.conftest import Person
from tests.front import WORKER, browser_of, member_of
from tests.news import wish
from tests.test_smtp import Box, box, serve  # noqa: F401  # fixtures
from workers.enqueue import submit
from workers.execute import execute
from workers.runtime import Runtime

ZOE, DESK = "zoe@customer.example", "desk@shop.example"


@dataclass
class Clock:
    """The machinery's clock: as far ahead of the real one as the test says."""

    ahead: int = 0

    def now(self) -> int:
        return time.time_ns() // 1_000_000 + self.ahead


@dataclass
class Story:
    """A shop with an agent and a lead, its mail, and its clock."""

    front: Front
    runtime: Runtime
    place: str
    clock: Clock
    box: Box
    maildir: Path
    seen: int = 0

    def work(self) -> None:
        """What workers do, until nothing waits."""
        for _ in range(40):
            with self.runtime.database.read(EVERYONE) as session:
                waiting = session.scalars(select(Run.id).where(Run.state == QUEUED).order_by(Run.id)).all()
            if not [each for each in waiting if execute(self.runtime, each, WORKER) is not None]:
                return
        raise AssertionError("it never comes to an end")

    def scan(self, kind: str = "tickets") -> None:
        """Beat's minute: the job in the system's workspace, and what it leads to."""
        job = discover()[kind]
        with self.runtime.database.write(EVERYONE) as session:
            submit(self.runtime, session, job, HandedOver(job.params()), SYSTEM)
        self.work()

    def news(self) -> list[tuple[str, str]]:
        """The mails that left since this was asked last: to whom, and what they say first.

        Those to the customer all have the ticket's subject, so that mail programs show them as one conversation.
        """
        self.work()
        new = list(zip(self.box.to, self.box.mails, strict=True))[self.seen :]
        self.seen += len(new)
        for to, mail in new:
            assert to != ZOE or mail["Subject"] == "[#1] The lamp flickers"
        return [
            (to.partition("@")[0], part(mail, "plain").split("\n\n")[1] if to == ZOE else str(mail["Subject"]))
            for to, mail in sorted(new, key=lambda each: each[0])
        ]

    def last(self, to: str = ZOE) -> EmailMessage:
        return [mail for address, mail in zip(self.box.to, self.box.mails, strict=True) if address == to][-1]

    def ticket(self) -> Ticket:
        with self.runtime.database.read(self.place) as session:
            return session.scalars(select(Ticket)).one()


@pytest.fixture
def story(
    app: Flask,
    front: Front, runtime: Runtime, ada: Person, box: Box, serve: Callable[..., None], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Story:  # fmt: skip
    clock = Clock()
    monkeypatch.setattr(Context, "now", lambda _self: clock.now())
    serve()
    more = {"maildirs": str(tmp_path / "mail"), "mail_from": "Nightshift <night@shop.example>"}
    settings = runtime.settings.model_copy(update=more)
    for each in (runtime, app.extensions["nightshift"]):
        object.__setattr__(each, "settings", settings)
    new = tmp_path / "mail" / ada.workspace_id / "new"
    new.mkdir(parents=True)
    return Story(front, runtime, ada.workspace_id, clock, box, new)


@pytest.fixture
def people(story: Story, app: Flask, runtime: Runtime, ada: Person) -> dict[str, Person]:
    """Bob answers, Eve leads; both are told at once. Two hours to answer, eight to solve, around the clock."""
    bob, eve = member_of(runtime, ada, "bob", "agent"), member_of(runtime, ada, "eve", "lead")
    for person in (bob, eve):
        wish(runtime, person, areas={"care": AT_ONCE})
    with runtime.database.write(ada.workspace_id) as session:
        team = Team(name="Workshop", time_zone="Europe/Berlin")
        session.add_all([team, Desk(workspace_id=ada.workspace_id, name="The lamp shop", slug="lamps", public=True)])
        session.flush()
        session.add(TeamMember(team_id=team.id, account_id=bob.account_id))
        session.add(TeamMember(team_id=team.id, account_id=eve.account_id, lead=True, takes=False))
        topic = Topic(name="Repairs", team_id=team.id)
        session.add_all([topic, Inlet(kind="maildir", address=DESK)])
        session.add(Policy(name="All", first_minutes=120, solve_minutes=480))
    story.work()
    return {"bob": bob, "eve": eve}


def browser_for(story: Story, app: Flask, person: Person | None, **options: Any) -> Page:
    """A browser of somebody's own: signed in, or a customer's who is nobody here."""
    context: BrowserContext = story.front.chromium.new_context(base_url=story.front.url, **options)
    context.set_default_timeout(10_000)
    if person is not None:
        cookie = browser_of(app, story.runtime, person).client.get_cookie("nightshift")
        assert cookie
        context.add_cookies([{"name": "nightshift", "value": cookie.value, "url": story.front.url}])
    page = context.new_page()
    page.on("pageerror", lambda error: story.front.complaints.append(str(error)))
    return page


def shoot(page: Page, name: str) -> None:
    if folder := os.environ.get("SHOTS"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=str(Path(folder) / f"care-{name}.png"), full_page=True)


def part(mail: EmailMessage, kind: str) -> str:
    body = mail.get_body((kind,))
    assert body
    return str(body.get_content()).replace("\r\n", "\n")


def link(mail: EmailMessage, like: str) -> str:
    """The path of a link in a mail."""
    (found,) = {each for each in re.findall(r"https?://[^\s<>\")]+", part(mail, "plain")) if re.search(like, each)}
    parts = urlsplit(found)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def show_mail(page: Page, mail: EmailMessage, name: str) -> None:
    """How a mail looks that its reader opens."""
    if os.environ.get("SHOTS"):
        page.goto("about:blank")
        page.set_content(part(mail, "html"))
        shoot(page, f"mail-{name}")
