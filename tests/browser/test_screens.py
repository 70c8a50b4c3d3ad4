"""Every page that a signed-in owner can reach, wide and narrow, by day and by night; nothing to complain of on any.

`SHOTS=/some/folder make test ARGS=tests/browser/test_screens.py` keeps a picture of each.
"""

# ruff: noqa: F811  # fixtures are arguments by their names

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, ViewportSize

from models import vitals
from tasks.alerting import wishes
from tasks.mailing.stops import PATH, Stop, Stops
from tests.browser import missing
from tests.browser.sample_rows import furnish
from tests.browser.screens import Screen, complaints, is_page, screens
from tests.browser.test_runs import Front, front  # noqa: F401  # a fixture
from tests.conftest import Person
from tests.front import browser_of
from tests.web_fixtures import Browser as Web
from workers.beat import pulse
from workers.runtime import Runtime

pytestmark = [pytest.mark.browser, pytest.mark.sqlite, pytest.mark.slow, missing, pytest.mark.timeout(400)]

PHONE, DESK = ViewportSize(width=390, height=844), ViewportSize(width=1280, height=900)
Look = tuple[str, Literal["light", "dark"], ViewportSize]
LOOKS: list[Look] = [("phone", "light", PHONE), ("desk", "dark", DESK)]
# For the pictures; the checks need two.
ALL_LOOKS: list[Look] = [*LOOKS, ("phone", "dark", PHONE), ("desk", "light", DESK)]


def look_at(front: Front, found: list[Screen], folder: Path | None) -> dict[str, list[str]]:
    """What each page has to be complained of: loaded once, then seen in another light and at another width."""
    wrong: dict[str, list[str]] = {}
    page = front.page(viewport=PHONE, color_scheme="light", reduced_motion="reduce")
    for screen in found:
        pulse(front.runtime, vitals.BEAT)  # or each page says that runs may start late
        page.set_viewport_size(PHONE)
        page.emulate_media(color_scheme="light")
        page.goto(screen.path)
        page.wait_for_load_state("load")
        for device, scheme, viewport in ALL_LOOKS if folder else LOOKS:
            _see(page, scheme, viewport)
            if said := complaints(page):
                wrong[f"{screen.path} ({device}, {scheme})"] = said
            if folder:
                page.screenshot(path=folder / f"{screen.name}-{device}-{scheme}.png", full_page=True)
    page.context.close()
    return wrong


def _see(page: Page, scheme: Literal["light", "dark"], viewport: ViewportSize) -> None:
    """As by the button for light and dark, and by another window."""
    page.set_viewport_size(viewport)
    page.emulate_media(color_scheme=scheme)
    page.evaluate(f"document.documentElement.dataset.bsTheme = '{scheme}'")


def shots() -> Path | None:
    folder = os.environ.get("SHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
    return Path(folder) if folder else None


def told(wrong: dict[str, list[str]]) -> str:
    return "\n".join(f"{where}: {what}" for where, said in wrong.items() for what in said)


def test_every_page_is_named_labelled_readable_and_fits_a_phone(
    front: Front, app: Flask, runtime: Runtime, ada: Person
) -> None:
    furnish(runtime, ada, datetime.now(UTC).date())
    found = screens(app, runtime, browser_of(app, runtime, ada), ada.workspace_id)
    assert len(found) > 10
    wrong = look_at(front, found, shots())
    assert not wrong, told(wrong)


def test_pages_without_a_row_say_what_to_do_first_and_are_as_sound(
    front: Front, app: Flask, runtime: Runtime, ada: Person
) -> None:
    found = screens(app, runtime, browser_of(app, runtime, ada), ada.workspace_id)
    folder = shots()
    wrong = look_at(front, found, folder / "empty" if folder else None)
    assert not wrong, told(wrong)


def test_pages_for_whoever_is_not_signed_in_are_as_sound(
    front: Front, app: Flask, runtime: Runtime, ada: Person
) -> None:
    stops = Stops(runtime.settings.secret("secret_key"))
    ends = PATH + stops.token(Stop(ada.account_id, wishes.DIGEST, 1))
    found = [Screen("/sign-in", "sign-in"), Screen("/forgot", "forgot"), Screen(ends, "unsubscribe")]
    found += [Screen(f"{PATH}nothing", "unsubscribe-over"), Screen("/nowhere", "not-found")]
    assert [one.name for one in found[:3] if not is_page(Web(app), one.path)] == []
    front.cookie = ""
    wrong = look_at(front, found, shots())
    assert not wrong, told(wrong)


BAD = """<!doctype html><html lang="en"><title>Bad</title><body><main><h1>One</h1><h1>Two</h1><h3>Deep</h3>
<input name="nameless"><img src="/static/logo.svg"><button></button><p id="a">a</p><p id="a">b</p>
<table><tr><th>No scope</th></tr></table><p style="color: #bbb; background: #fff">Faint</p>
<label for="nowhere">Lost</label><div style="width: 2000px">Wide</div></main></body></html>"""
SAID = [
    "2 h1, not 1", "h1 is followed by", "no label", "no alt", "no name", "two of id a", "no scope", "contrast",
    "leads nowhere", "pixels wider",
]  # fmt: skip


def test_the_audit_sees_what_it_is_there_for(chromium: Browser) -> None:
    page = chromium.new_page(viewport=PHONE)
    page.set_content(BAD)
    found = complaints(page)
    page.close()
    assert [said for said in SAID if not any(said in one for one in found)] == []
