"""The pages of jobs and runs in Chromium: dropping files, two clicks, live progress, no JavaScript, small screens."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, expect
from sqlalchemy import func, select
from werkzeug.serving import make_server

from models import lifecycle
from models.run import Run
from models.session import EVERYONE
from tests.browser import missing
from tests.conftest import Person
from tests.front import WORKER, browser_of, hand_over, run_id
from tests.listening import listening
from workers.execute import execute
from workers.runtime import Runtime

pytestmark = [pytest.mark.browser, missing, pytest.mark.usefixtures("probe")]
DROP = """(zone) => {
  const transfer = new DataTransfer();
  transfer.items.add(new File(["dropped words"], "<b>dropped</b>.txt"));
  zone.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true }));
}"""


@dataclass
class Front:
    """A real server, and Ada's browsers on it; what they complain of is gathered."""

    chromium: Browser
    runtime: Runtime
    url: str
    cookie: str
    complaints: list[str] = field(default_factory=list)

    def open(self, **options: Any) -> BrowserContext:
        context = self.chromium.new_context(base_url=self.url, **options)
        context.add_cookies([{"name": "nightshift", "value": self.cookie, "url": self.url}])
        context.set_default_timeout(10_000)
        return context

    def page(self, **options: Any) -> Page:
        page = self.open(**options).new_page()
        page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        return page

    def run_of(self, page: Page) -> str:
        page.wait_for_url("**/runs/*")
        return str(page.url).rpartition("/")[2]

    def count(self) -> int:
        with self.runtime.database.read(EVERYONE) as session:
            return session.scalar(select(func.count()).select_from(Run)) or 0


@pytest.fixture
def front(app: Flask, runtime: Runtime, ada: Person, chromium: Browser) -> Iterator[Front]:
    with listening(make_server("127.0.0.1", 0, app, threaded=True)) as server:
        signed_in = browser_of(app, runtime, ada)
        cookie = signed_in.client.get_cookie("nightshift")
        assert cookie
        made = Front(chromium, runtime, f"http://127.0.0.1:{server.server_port}", cookie.value)
        yield made
        for context in chromium.contexts:
            context.close()
    assert [said for said in made.complaints if "status of 4" not in said] == []


def text(name: str, words: str = "one two") -> Any:
    return {"name": name, "mimeType": "text/plain", "buffer": words.encode()}


def test_files_are_listed_left_out_dropped_and_handed_over(front: Front) -> None:
    page = front.page()
    page.goto("/jobs/probe")
    page.set_input_files("#files", [text("first.txt"), text("second.txt")])
    chosen = page.locator("[data-chosen] .name")
    expect(chosen).to_have_text(["first.txt", "second.txt"])
    page.get_by_role("button", name="Leave out first.txt").click()
    page.locator("[data-drop]").evaluate(DROP)
    expect(chosen).to_have_text(["second.txt", "<b>dropped</b>.txt"])
    page.get_by_label("Name").fill("Ada")
    page.get_by_role("button", name="Count words").click()
    found = front.run_of(page)
    assert execute(front.runtime, found, WORKER) == "succeeded"
    expect(page.locator("#found")).to_have_text("4 words for Ada")


def test_a_double_click_gives_one_run(front: Front) -> None:
    page = front.page()
    page.goto("/jobs/probe")
    page.get_by_label("Name").fill("Ada")
    page.get_by_role("button", name="Count words").dblclick()
    front.run_of(page)
    assert front.count() == 1


def test_progress_comes_alive_without_a_reload_and_stops_at_the_end(front: Front) -> None:
    page = front.page()
    page.goto("/jobs")
    page.get_by_role("button", name="No text").click()
    found = front.run_of(page)
    expect(page.locator("#status")).to_contain_text("next in turn")
    page.evaluate("window.sameDocument = true")
    with front.runtime.database.write(EVERYONE) as session:
        lifecycle.claim(session, found, WORKER, 60_000)
        lifecycle.report(session, found, 1, 0.4, "Counting")
    expect(page.locator("#status")).to_contain_text("40 % · Counting")
    expect(page.locator("#announce")).to_have_text("Running")
    expect(page.locator("#timeline")).to_contain_text("A worker began")
    assert page.evaluate("window.sameDocument") is True
    asked: list[int] = []
    page.on("response", lambda answer: asked.append(answer.status) if answer.url.endswith("/live") else None)
    page.wait_for_event("response", lambda answer: answer.url.endswith("/live") and answer.status == 304)
    with front.runtime.database.write(EVERYONE) as session:
        assert lifecycle.finish(session, found, 1, "failed", error="It was too dark. Switch on the lamp.")
    expect(page.get_by_text("It was too dark. Switch on the lamp.")).to_be_visible()
    asked.clear()
    page.wait_for_timeout(1500)
    assert asked == []


def test_a_run_is_cancelled_with_one_click(front: Front) -> None:
    page = front.page()
    page.goto("/jobs")
    page.get_by_role("button", name="No text").click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#status")).to_contain_text("Cancelled")


def test_mistakes_take_the_focus_and_lead_to_their_fields(front: Front) -> None:
    page = front.page()
    page.goto("/jobs/probe")
    page.locator("summary").click()
    page.get_by_label("Rate").fill("0")
    page.get_by_role("button", name="Count words").click()
    expect(page.get_by_role("alert").first).to_be_focused()
    page.get_by_role("link", name="Rate").click()
    assert page.evaluate("document.activeElement.id") == "rate"
    expect(page.get_by_label("Rate")).to_have_attribute("aria-invalid", "true")


def test_files_that_are_too_large_are_told_of_before_they_travel(front: Front, tmp_path: Path) -> None:
    large = tmp_path / "large.txt"
    with large.open("wb") as file:
        file.truncate(200_000_000)
    page = front.page()
    page.goto("/jobs/probe")
    page.get_by_label("Name").fill("Ada")
    page.set_input_files("#files", large)
    page.get_by_role("button", name="Count words").click()
    expect(page.get_by_text("These files are too large")).to_be_visible()
    assert front.count() == 0


def test_without_javascript_all_of_it_works(front: Front) -> None:
    page = front.page(java_script_enabled=False)
    page.goto("/jobs/probe")
    page.get_by_label("Name").fill("Ada")
    page.set_input_files("#files", text("plain.txt"))
    page.get_by_role("button", name="Count words").click()
    found = front.run_of(page)
    assert execute(front.runtime, found, WORKER) == "succeeded"
    page.locator("#found").wait_for()  # the page reloads by itself


def test_every_page_fits_a_phone(front: Front, app: Flask, runtime: Runtime, ada: Person) -> None:
    signed_in = browser_of(app, runtime, ada)
    done, waiting = (run_id(hand_over(signed_in, name="A" * 60, note="b" * 300)) for _ in range(2))
    execute(runtime, done, WORKER)
    page = front.page(viewport={"width": 360, "height": 740})
    for path in ("/jobs", "/jobs/probe", "/runs", f"/runs/{done}", f"/runs/{waiting}", "/api"):
        page.goto(path)
        too_wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert too_wide <= 0, f"{path} is {too_wide} pixels too wide"


def test_the_form_is_handed_over_with_the_keyboard_alone(front: Front) -> None:
    page = front.page()
    page.goto("/jobs/probe")
    page.get_by_label("Name").focus()
    page.keyboard.type("Ada")
    page.keyboard.press("Enter")
    front.run_of(page)
    assert front.count() == 1
