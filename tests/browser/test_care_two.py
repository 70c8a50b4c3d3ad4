"""Two agents at one ticket, each in a Chromium of their own: who is there, what came, and who was faster."""

# ruff: noqa: F811  # fixtures are arguments by their names

import re

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from models.ticket import Presence, TicketMessage
from tests.browser import missing
from tests.browser.care_story import shoot
from tests.browser.test_runs import Front, front  # noqa: F401  # a fixture
from tests.care_people import ticket_of
from tests.conftest import Person
from tests.front import browser_of, member_of
from tests.web_fixtures import rows
from workers.runtime import Runtime

pytestmark = [pytest.mark.browser, pytest.mark.sqlite, missing]


def nudged(page: Page) -> Page:
    """It asks at once what is new, as when its tab comes to the front; else every four to ten seconds."""
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    return page


def answers(runtime: Runtime) -> list[str]:
    return [each.text for each in rows(runtime.database, TicketMessage) if each.kind == "answer"]


def test_of_two_agents_at_one_ticket_each_sees_the_other_and_the_slower_one_loses_no_words_and_sends_nothing_twice(
    app: Flask, front: Front, runtime: Runtime, ada: Person
) -> None:
    ticket_of(runtime, ada)
    adas = front.page()
    cookie = browser_of(app, runtime, member_of(runtime, ada, "eve", "agent")).client.get_cookie("nightshift")
    assert cookie
    front.cookie = cookie.value
    eves = front.page()
    for page in (adas, eves):
        page.goto("/care/1")
    here = adas.locator("#presence")
    expect(nudged(adas).locator("#presence")).to_contain_text("Eve is looking at this")
    eves.locator("#text").press_sequentially("Try another bulb.")
    with eves.expect_response(lambda met: met.request.method == "POST" and met.url.endswith("/presence")):
        nudged(eves)
    expect(eves.locator("#presence")).to_contain_text("Ada is looking at this")
    nudged(adas)
    expect(here).to_contain_text("Eve is writing an answer")
    adas.locator("#text").fill("Switch it on.")
    eves.get_by_role("button", name=re.compile("^Send the answer")).click()
    expect(eves.locator("#said")).to_contain_text("Try another bulb.")
    nudged(adas)
    expect(adas.locator("#news")).to_contain_text("Something came to this ticket")
    expect(adas.locator("#said")).to_contain_text("Try another bulb.")
    expect(adas.locator("#text")).to_have_value("Switch it on.")
    shoot(adas, "two-news")
    adas.get_by_role("button", name=re.compile("^Send the answer")).click()
    expect(adas.locator("#came")).to_contain_text("Eve: answered the customer")
    expect(adas.locator("#text")).to_have_value("Switch it on.")
    shoot(adas, "two-faster")
    assert answers(runtime) == ["Try another bulb."]
    adas.get_by_role("button", name=re.compile("^Send the answer")).click()
    expect(adas.locator("#said")).to_contain_text("Switch it on.")
    assert answers(runtime) == ["Try another bulb.", "Switch it on."]
    nudged(eves)
    expect(eves.locator("#said")).to_contain_text("Switch it on.")
    eves.get_by_role("link", name="I have read it").click()
    eves.locator("#text").fill("And the cable.")
    eves.get_by_role("button", name=re.compile("^Send the answer")).click()
    expect(eves.locator("#said")).to_contain_text("And the cable.")
    nudged(adas)
    expect(here).to_contain_text("Eve is looking at this")  # who sends something is here still
    eves.goto("/care")
    for _ in range(50):  # her page's last word comes by a beacon
        if len(rows(runtime.database, Presence)) == 1:
            break
        adas.wait_for_timeout(100)
    nudged(adas)
    expect(here).not_to_contain_text("Eve")
