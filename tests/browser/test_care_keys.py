"""What the scripts of customer care do in Chromium: an agent's keys and drafts, a customer's chat."""

# ruff: noqa: F811  # fixtures are arguments by their names

import re

import pytest
from playwright.sync_api import expect

from tests.browser import missing
from tests.browser.test_runs import Front, front  # noqa: F401  # a fixture
from tests.care_people import ticket_of
from tests.care_texts import a_shop, learn
from tests.conftest import Person
from workers.runtime import Runtime

pytestmark = [pytest.mark.browser, pytest.mark.sqlite, missing]
DRAFT = "Object.keys(localStorage).some((name) => name.startsWith('care-draft:'))"


def test_an_agent_works_by_keys_and_a_draft_outlives_its_page(front: Front, runtime: Runtime, ada: Person) -> None:
    for subject in ("It smokes", "It flickers"):
        ticket_of(runtime, ada, subject=subject)
    page = front.page()
    page.goto("/care?view=all")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.get_by_text("1 ticked")).to_be_visible()
    expect(page.get_by_role("link", name="#2 It flickers")).to_be_focused()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="#1 It smokes")).to_be_visible()
    page.keyboard.press("r")
    page.keyboard.type("Jot it down: unplug it.")  # j, u and x are letters here
    page.reload()
    expect(page.locator("#text")).to_have_value("Jot it down: unplug it.")
    page.keyboard.press("i")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".care-said.care-note")).to_contain_text("Jot it down: unplug it.")
    expect(page.locator("#text")).to_have_value("")
    assert not page.evaluate(DRAFT)
    page.keyboard.press("u")
    expect(page.get_by_role("heading", name="Tickets", exact=True)).to_be_visible()
    page.keyboard.press("?")
    page.get_by_label("Use these keys in this browser").uncheck()
    page.get_by_role("button", name="Close", exact=True).last.click()
    page.keyboard.press("n")
    page.keyboard.press("j")
    expect(page.locator(".care-at")).to_have_count(0)
    assert re.search(r"/care(\?|$)", page.url)


def test_a_customer_is_answered_in_the_chat_or_takes_what_they_asked_to_a_person(
    front: Front, runtime: Runtime, ada: Person
) -> None:
    learn(runtime, a_shop(runtime, ada).place)
    front.cookie = "nobody"
    page = front.page()
    page.goto("/desk/shop/new")
    question = page.get_by_label("Your question")
    question.fill("How do I return something?")
    question.press("Enter")
    log = page.get_by_role("log", name="Answers")
    expect(log).to_contain_text("From the article How to return something")
    expect(question).to_be_focused()
    question.fill("Do you mend violins?")
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(log).to_contain_text("Press “Write to a person”")
    page.get_by_role("button", name="Write to a person").click()
    expect(page.get_by_label("Tell us more")).to_have_value(re.compile("Do you mend violins?"))
    expect(page.get_by_label("What is it about?")).to_have_value("Do you mend violins?")
    expect(page.locator("input[name=chat]")).to_have_value(re.compile("."))
