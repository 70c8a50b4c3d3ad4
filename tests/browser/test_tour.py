"""The whole tour, as README tells it, in Chromium against a real `make run`.

Screenshots of every page lie in the folder that TOUR names, when it names one.
"""

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from tests.browser import missing
from tests.make_run import Nightshift, until

PASSWORD = "a lamp beside the window"
pytestmark = [pytest.mark.browser, pytest.mark.slow, missing, pytest.mark.timeout(240)]


class Visitor:
    """One person's browser; every message on its console is a failure."""

    def __init__(self, browser: Browser, system: Nightshift, name: str, dark: bool = False) -> None:
        self.context = browser.new_context(
            base_url=system.url, color_scheme="dark" if dark else "light", viewport={"width": 1200, "height": 850}
        )
        self.page: Page = self.context.new_page()
        self.name, self.complaints, self.shots = name, list[str](), 0
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and "status of 40" not in message.text:
            self.complaints.append(message.text)

    def shoot(self, title: str) -> None:
        folder = os.environ.get("TOUR")
        if folder:
            self.shots += 1
            path = Path(folder) / f"{self.name}-{self.shots:02}-{title}.png"
            self.page.screenshot(path=str(path), full_page=True)


def test_the_tour(chromium: Browser, system: Nightshift) -> None:
    ada, grace = Visitor(chromium, system, "ada"), Visitor(chromium, system, "grace", dark=True)
    _first_administrator(ada, system)
    link = _invite(ada)
    _accept(grace, link)
    _read_a_sample(ada)
    _mail(ada)
    _flower(ada)
    _refused(grace)
    assert ada.complaints == []
    assert grace.complaints == []


def _first_administrator(ada: Visitor, system: Nightshift) -> None:
    code: str = until(lambda: re.search(r"with the code (\S+)", system.said()))[1]
    page = ada.page
    page.goto("/")
    ada.shoot("welcome")
    page.get_by_label("Code").fill(code)
    page.get_by_label("Your name").fill("Ada")
    page.get_by_label("E-mail").fill("ada@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Make the first account").click()
    page.goto("/jobs")
    expect(page.get_by_role("link", name="Read an ECG")).to_be_visible()
    ada.shoot("jobs")


def _invite(ada: Visitor) -> str:
    page = ada.page
    page.get_by_role("button", name="Ada", exact=True).click()
    page.get_by_role("link", name="Workspace and members").click()
    page.locator("#invite ~ form").get_by_label("E-mail").fill("grace@example.org")
    page.get_by_role("button", name="Invite").click()
    ada.shoot("invited")
    return str(page.get_by_label("Invitation link").input_value())


def _accept(grace: Visitor, link: str) -> None:
    page = grace.page
    page.goto(link)
    page.get_by_label("Your name").fill("Grace")
    page.get_by_label("Password").fill(PASSWORD)
    grace.shoot("invitation")
    page.locator("main form button").last.click()
    page.goto("/runs")
    grace.shoot("no-runs-yet")
    expect(page.locator("body")).to_contain_text("Grace")


def _read_a_sample(ada: Visitor) -> None:
    page = ada.page
    page.goto("/jobs/ecg")
    ada.shoot("form")
    page.locator("#samples button").nth(1).click()
    page.wait_for_url("**/runs/*")
    ada.shoot("running")
    expect(page.get_by_role("heading", name="Beats by class")).to_be_visible(timeout=60_000)
    expect(page.locator("body")).to_contain_text("Not a medical device")
    page.wait_for_load_state("networkidle")
    ada.shoot("reading")
    assert page.locator("figure img").first.evaluate("image => image.naturalWidth") > 300
    with page.expect_download() as download:
        page.get_by_role("link", name="The whole reading").click()
    assert Path(download.value.path()).read_bytes().startswith(b"%PDF-")
    page.set_viewport_size({"width": 390, "height": 844})
    ada.shoot("reading-on-a-phone")
    wide = page.evaluate("document.documentElement.scrollWidth > window.innerWidth + 1")
    assert not wide, "the page scrolls sideways on a phone"
    page.set_viewport_size({"width": 1200, "height": 850})
    page.goto("/runs")
    ada.shoot("runs")


def _mail(ada: Visitor) -> None:
    page = ada.page
    page.goto("/mailbox")
    until(lambda: page.reload() and page.get_by_text("your reading is ready").count(), 30)
    ada.shoot("mailbox")
    page.get_by_role("link", name=re.compile("your reading is ready")).first.click()
    expect(page.frame_locator("iframe").locator('a[href*="/runs/"]').first).to_be_visible()
    ada.shoot("mail")


def _flower(ada: Visitor) -> None:
    page = ada.page
    page.goto("/admin")
    ada.shoot("administration")
    page.goto("/flower/")
    expect(page.locator("body")).to_contain_text("ecg@", timeout=20_000)
    ada.shoot("flower")


def _refused(grace: Visitor) -> None:
    answer = grace.page.goto("/flower/")
    assert answer is not None
    assert answer.status in (403, 404)
    grace.shoot("flower-refused")
