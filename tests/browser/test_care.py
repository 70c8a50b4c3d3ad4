"""Customer care in Chromium, with a mail server, a maildir and a clock that the test moves: from a customer's question
on the public page to their rating, with the mails that everybody gets on the way; and none besides.

With SHOTS=/some/folder a picture of each page and of the mails is kept there.
"""

# ruff: noqa: F811  # fixtures are arguments by their names

import re
from email.message import EmailMessage
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Page, expect
from sqlalchemy import select

from models.ticket import Rating
from tests.browser import missing
from tests.browser.care_story import ZOE, Story, browser_for, link, part, people, shoot, show_mail, story  # noqa: F401
from tests.browser.test_runs import front  # noqa: F401  # a fixture
from tests.conftest import Person
from tests.test_smtp import box, serve  # noqa: F401  # fixtures

pytestmark = [pytest.mark.browser, pytest.mark.sqlite, pytest.mark.slow, missing, pytest.mark.timeout(120)]
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
WIDE: dict[str, Any] = {"viewport": {"width": 1280, "height": 900}}
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}}


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
    assert story.news() == [("zoe", "Our answer to #1")]  # and none that he has taken it a moment before
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
    told = [("bob", "#1 The lamp flickers: its customer answered"), ("zoe", "Your ticket is open again")]
    assert story.news() == told
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
    """Bob's mailbox: her answer, the three marks, and nothing else."""
    page.goto("/mailbox")
    found = page.get_by_role("link", name=re.compile("#1 The lamp flickers"))
    expect(found).to_have_count(4)
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
