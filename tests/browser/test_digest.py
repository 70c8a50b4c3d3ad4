"""Alerts and digests in Chromium: seen to, muted, previewed, sent and read; phone, dark, without JavaScript."""

# ruff: noqa: F811  # fixtures are arguments by their names

import pytest
from playwright.sync_api import expect

from tests.browser import missing
from tests.browser.test_runs import Front, front  # noqa: F401  # a fixture
from tests.conftest import Person
from tests.news import over, see, tell
from tests.test_alerts_pages import words
from workers.runtime import Runtime

pytestmark = [pytest.mark.browser, pytest.mark.sqlite, missing]
PHONE = {"width": 320, "height": 700}


def test_an_alert_is_seen_to_and_muted_on_a_phone_in_the_dark(front: Front, runtime: Runtime, ada: Person) -> None:
    see(runtime, over(ada.workspace_id, title="Groceries 92 % used, " + "averyveryverylongword" * 8))
    page = front.page(viewport=PHONE, color_scheme="dark")
    page.goto("/alerts")
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    page.get_by_role("button", name="I see to it").click()
    expect(page.get_by_text("Noted: you see to it.")).to_be_visible()
    expect(page.get_by_text("Ada sees to it")).to_be_visible()
    page.get_by_label("Mute “Groceries").select_option("for a week")
    page.get_by_role("button", name="Mute", exact=True).click()
    expect(page.get_by_text("muted until")).to_be_visible()
    page.get_by_role("button", name="Unmute").click()
    page.get_by_role("button", name="Hand it back").click()
    expect(page.get_by_role("button", name="I see to it")).to_be_visible()


@pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without it"])
def test_the_next_digest_is_previewed_sent_and_read(
    front: Front, runtime: Runtime, ada: Person, javascript: bool
) -> None:
    see(runtime, over(ada.workspace_id), over(ada.workspace_id, 100, subject="fuel"))
    page = front.page(java_script_enabled=javascript)
    page.goto("/account/notifications")
    page.get_by_label("It comes").select_option("every week")
    page.get_by_label("Of a week: on").select_option("Friday")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Your next digest comes on Friday")).to_be_visible()
    page.get_by_role("link", name="See what it would say now").click()
    shown = page.frame_locator("iframe")
    expect(shown.get_by_role("heading", name="2 things need you")).to_be_visible()
    page.get_by_text("The same as plain text").click()
    expect(page.locator("details .mail-text")).to_contain_text("! Fuel 100 % used")
    page.get_by_role("button", name="Send it now").click()
    page.wait_for_url("**/mailbox")
    assert tell(runtime)["digests"] == 1
    page.reload()
    page.get_by_role("link", name="2 things need you: Fuel 100 % used; Food 80 % used").click()
    expect(page.frame_locator("iframe").get_by_role("link", name="Fuel 100 % used")).to_be_visible()
    page.goto("/digest")
    expect(page.get_by_role("heading", name="Nothing to say")).to_be_visible()
    assert "no mail would come" in words(page.content())


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_mail_itself_fits_a_phone_and_can_be_read(front: Front, runtime: Runtime, ada: Person, scheme: str) -> None:
    see(runtime, over(ada.workspace_id, title="Groceries" * 30, text="averyveryverylongword" * 10))
    page = front.page(viewport=PHONE, color_scheme=scheme)
    page.goto("/digest/html")
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    ink, paper = (
        page.locator(which).first.evaluate(f"each => getComputedStyle(each).{name}")
        for which, name in (("h1.ink", "color"), (".sheet", "backgroundColor"))
    )
    assert contrast(ink, paper) >= 7


def contrast(one: str, other: str) -> float:
    """WCAG's ratio of two colours as `rgb(1, 2, 3)`."""
    bright, dim = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(each) / 255 for each in colour.removeprefix("rgb(").rstrip(")").split(",")]
    red, green, blue = (each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
