"""Customer care in Chromium, with a mail server, a maildir and a clock that the test moves: from a customer's question
on the public page to their rating, with the mails that everybody gets on the way; and none besides.

With SHOTS=/some/folder a picture of each page and of the mails is kept there.
"""

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
from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import select

from models.account import Account
from models.alert import AT_ONCE
from models.desk import Desk, Inlet, Policy, Team, TeamMember, Topic
from models.run import QUEUED, Run
from models.session import EVERYONE
from models.ticket import Rating, Ticket
from models.workspace import SYSTEM
from tasks import discover
from tasks.context import Context
from tasks.handover import HandedOver
from tests.browser import missing
from tests.browser.test_runs import Front, front  # noqa: F401  # a fixture
from tests.conftest import Person
from tests.front import WORKER, browser_of, member_of
from tests.news import wish
from tests.test_smtp import Box, box, serve  # noqa: F401  # fixtures
from workers.enqueue import submit
from workers.execute import execute
from workers.runtime import Runtime

pytestmark = [pytest.mark.browser, pytest.mark.sqlite, pytest.mark.slow, missing, pytest.mark.timeout(120)]
ZOE, DESK = "zoe@customer.example", "desk@shop.example"
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
WIDE: dict[str, Any] = {"viewport": {"width": 1280, "height": 900}}
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}}


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


def test_a_ticket_from_its_question_to_its_rating_with_exactly_the_right_mails(
    story: Story, people: dict[str, Person], app: Flask
) -> None:
    zoe = browser_for(story, app, None, **PHONE)
    bob = browser_for(story, app, people["bob"], **WIDE)
    _asks(story, zoe)
    _answers(story, bob, "Please press the small button at its foot for ten seconds.", "Solved")
    _is_told(story, zoe)
    _writes_back(story)
    _runs_out_of_time(story)
    _reads(story, bob)
    _solves(story, bob)
    _closes_and_is_rated(story, zoe)
    _is_reported(story, app, people["eve"])


def _asks(story: Story, page: Page) -> None:
    """On the public page, without an account."""
    page.goto("/desk/lamps/new")
    page.get_by_label("Your name").fill("Zoe")
    page.get_by_label("Your e-mail").fill(ZOE)
    page.get_by_label("What is it about?").fill("The lamp flickers")
    page.get_by_label("Topic").select_option(label="Repairs")
    page.get_by_label("Tell us more").fill("Since yesterday it flickers.\nI have changed the bulb.")
    shoot(page, "ask")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_text(ZOE)).to_be_visible()
    shoot(page, "thanks")
    assert story.news() == [("zoe", "We have your message")]
    mail = story.last()
    assert mail["Auto-Submitted"] == "auto-replied"
    assert str(mail["Reply-To"]).startswith("desk+")
    ticket = story.ticket()
    assert (ticket.status, ticket.source, ticket.first_minutes, ticket.solve_minutes) == ("new", "web", 120, 480)


def _answers(story: Story, page: Page, text: str, status: str) -> None:
    """Bob finds it among those of nobody, takes it and answers."""
    page.goto("/care?view=nobody")
    shoot(page, "queue")
    page.get_by_role("link", name="The lamp flickers").first.click()
    page.get_by_role("button", name="Take it").click()
    page.locator("#answer [name=text]").fill(text)
    page.locator("#answer [name=status]").select_option(status.lower())
    shoot(page, "answering")
    page.get_by_role("button", name=re.compile("^Send the answer")).click()
    expect(page.get_by_text(text).first).to_be_visible()
    shoot(page, "answered")


def _is_told(story: Story, page: Page) -> None:
    """The answer, with what happens next; its link shows the ticket, without an account."""
    assert story.news() == [("zoe", "We are working on your ticket"), ("zoe", "Our answer to #1")]
    mail = story.last()
    said = part(mail, "plain")
    assert "Please press the small button" in said
    assert "solved" in said
    assert "Auto-Submitted" not in mail  # a person wrote it
    assert str(mail["In-Reply-To"] or mail["References"])
    page.goto(link(mail, "/ticket/"))
    expect(page.get_by_text("Please press the small button")).to_be_visible()
    expect(page.get_by_text("I have changed the bulb.")).to_be_visible()
    shoot(page, "follow")
    show_mail(page, mail, "answer")


def _writes_back(story: Story) -> None:
    """An hour later she answers that mail: it lands in the ticket, which is reopened, and its clock goes on."""
    story.clock.ahead = HOUR
    asked = story.last()
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = f"Zoe <{ZOE}>", str(asked["Reply-To"]), f"Re: {asked['Subject']}"
    mail["Message-ID"], mail["In-Reply-To"] = "<1@customer.example>", str(asked["Message-ID"])
    quoted = "".join(f"> {line}\n" for line in part(asked, "plain").splitlines())
    mail.set_content(f"It still flickers.\n\nOn Monday, The lamp shop wrote:\n{quoted}")
    (story.maildir / "1.customer").write_bytes(mail.as_bytes())
    story.scan("postbox")
    assert list(story.maildir.iterdir()) == []
    ticket = story.ticket()
    assert (ticket.status, ticket.reopened, ticket.solve_taken) == ("reopened", 1, None)
    assert story.news() == [("zoe", "Your ticket is open again")]
    again = story.last()
    assert again["Auto-Submitted"] == "auto-replied"


def _runs_out_of_time(story: Story) -> None:
    """Eight hours from then: told at 50, 75 and 100 %, each once; at the end the lead as well."""
    words = "#1 The lamp flickers: "
    steps = {
        3 * HOUR + 50 * MINUTE: [],
        4 * HOUR + 5 * MINUTE: [("bob", words + "50 % of the time for a solution is used")],
        5 * HOUR: [],
        6 * HOUR + 5 * MINUTE: [("bob", words + "75 % of the time for a solution is used")],
        7 * HOUR + 50 * MINUTE: [],
        8 * HOUR + 5 * MINUTE: [(who, words + "the time for a solution is over") for who in ("bob", "eve")],
        8 * HOUR + 6 * MINUTE: [],
    }
    for passed, mails in steps.items():
        story.clock.ahead = HOUR + passed
        for expected in (mails, []):  # the second look finds nothing new
            story.scan()
            assert story.news() == expected, f"{passed / HOUR:.2f} hours"
    assert (story.ticket().solve_mark, story.ticket().next_mark_at) == (100, None)


def _reads(story: Story, page: Page) -> None:
    """Bob's mailbox: the three marks and nothing else."""
    page.goto("/mailbox")
    found = page.get_by_role("link", name=re.compile("#1 The lamp flickers"))
    expect(found).to_have_count(3)
    shoot(page, "mailbox")
    found.first.click()
    expect(page.frame_locator("iframe").get_by_text("the time for a solution is over").first).to_be_visible()
    shoot(page, "mailbox-mark")
    page.goto("/alerts")
    expect(page.get_by_text("the time for a solution is over").first).to_be_visible()
    shoot(page, "alerts")


def _solves(story: Story, page: Page) -> None:
    """It is late, and solved: the warning ends, and both who were told of it hear so."""
    page.goto("/care/1")
    expect(page.get_by_text("It still flickers.").first).to_be_visible()
    shoot(page, "late")
    page.locator("#answer [name=text]").fill("Then its driver is broken; a new one is on its way.")
    page.locator("#answer [name=status]").select_option("solved")
    page.get_by_role("button", name=re.compile("^Send the answer")).click()
    expect(page.get_by_text("a new one is on its way").first).to_be_visible()
    assert story.news() == [
        ("bob", "Resolved: #1 The lamp flickers is solved"),
        ("eve", "Resolved: #1 The lamp flickers is solved"),
        ("zoe", "Our answer to #1"),
    ]


def _closes_and_is_rated(story: Story, page: Page) -> None:
    """A week without a word: closed, with one question in the mail, which one click answers."""
    story.clock.ahead += 7 * DAY + HOUR
    story.scan()
    assert story.news() == [("zoe", "Your ticket is closed")]
    mail = story.last()
    show_mail(page, mail, "closed")
    page.goto(link(mail, "score=3"))
    shoot(page, "rating")
    page.get_by_role("button", name=re.compile("Send|Good")).first.click()
    shoot(page, "rated")
    with story.runtime.database.read(story.place) as session:
        assert session.scalars(select(Rating.score)).all() == [3]
    assert story.ticket().status == "closed"
    story.scan()
    assert story.news() == []


def _is_reported(story: Story, app: Flask, eve: Person) -> None:
    """The lead's reports count all of it."""
    page = browser_for(story, app, eve, **WIDE)
    page.goto("/care/reports")
    expect(page.get_by_text("100 % of 1 rating are good.").first).to_be_visible()
    expect(page.locator("#volume .js-plotly-plot, #volume .plot-container").first).to_be_visible()
    shoot(page, "reports")
    with story.runtime.database.read(EVERYONE) as session:
        assert session.scalars(select(Account.email).order_by(Account.email)).all()
