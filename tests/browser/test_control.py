"""Control in Chromium: a running job is cancelled, a failed one retried, many chosen, a queue paused and resumed."""

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import update
from werkzeug.serving import make_server

from models.account import Account
from models.run import Run
from models.session import EVERYONE
from tasks.context import Context
from tasks.job import Job
from tests.browser import missing
from tests.conftest import Person
from tests.front import WORKER, browser_of, change, hand_over, run_id, the_run
from tests.listening import listening
from tests.probe.job import ProbeParams, ProbeResult
from workers.execute import execute
from workers.runtime import Runtime

pytestmark = [pytest.mark.browser, missing, pytest.mark.usefixtures("probe")]
STEPS = 1200  # of 0.05 s: longer than any test waits
Open = Callable[..., Page]


@pytest.fixture
def open_page(app: Flask, runtime: Runtime, ada: Person, chromium: Browser) -> Iterator[Open]:
    """Pages of Ada, who runs the system, on a real server; what they complain of fails the test."""
    with runtime.database.write(EVERYONE) as session:
        session.execute(update(Account).where(Account.id == ada.account_id).values(is_admin=True))
    with listening(make_server("127.0.0.1", 0, app, threaded=True)) as server:
        url = f"http://127.0.0.1:{server.server_port}"
        cookie = browser_of(app, runtime, ada).client.get_cookie("nightshift")
        assert cookie
        complaints: list[str] = []

        def made(**options: object) -> Page:
            context = chromium.new_context(base_url=url, **options)
            context.add_cookies([{"name": "nightshift", "value": cookie.value, "url": url}])
            context.set_default_timeout(20_000)
            page = context.new_page()
            page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
            page.on("pageerror", lambda error: complaints.append(str(error)))
            return page

        yield made
        for context in chromium.contexts:
            context.close()
    assert [said for said in complaints if "status of 4" not in said] == []


def shoot(page: Page, title: str) -> None:
    if folder := os.environ.get("TOUR"):
        page.screenshot(path=str(Path(folder) / f"control-{title}.png"), full_page=True)


def handed(app: Flask, runtime: Runtime, ada: Person, count: int = 1, **fields: object) -> list[str]:
    browser = browser_of(app, runtime, ada)
    return [run_id(hand_over(browser, **fields)) for _ in range(count)]


def slow(probe: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    """The probe takes a minute in small steps, unless somebody cancels it."""

    def work(params: ProbeParams, ctx: Context) -> ProbeResult:
        waiting = threading.Event()
        for step in range(STEPS):
            ctx.progress(step / STEPS, f"Step {step}")
            waiting.wait(0.05)
        return ProbeResult(words=0, name=params.name)

    registry = {"probe": Job(**{**probe.__dict__, "run": work})}
    monkeypatch.setattr("workers.execute.discover", lambda: registry)


def test_a_running_job_is_cancelled(
    open_page: Open, app: Flask, runtime: Runtime, ada: Person, probe: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow(probe, monkeypatch)
    (found,) = handed(app, runtime, ada)
    left: list[str | None] = []
    worker = threading.Thread(target=lambda: left.append(execute(runtime, found, WORKER)))
    worker.start()
    page = open_page()
    page.goto(f"/runs/{found}")
    expect(page.locator("#status")).to_contain_text("Step ")
    shoot(page, "running")
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#status")).to_contain_text("Cancelled", timeout=20_000)
    worker.join(30)
    assert left == ["cancelled"]
    expect(page.locator("#timeline")).to_contain_text("Somebody asked to cancel it")
    shoot(page, "cancelled")


def test_a_failed_run_is_retried(open_page: Open, app: Flask, runtime: Runtime, ada: Person) -> None:
    (found,) = handed(app, runtime, ada, name="fail")
    execute(runtime, found, WORKER)
    page = open_page()
    page.goto(f"/runs/{found}")
    shoot(page, "failed")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#status")).to_contain_text("Waiting")
    with runtime.database.write(EVERYONE) as session:
        session.execute(update(Run).where(Run.id == found).values(params={"name": "Ada"}))
    assert execute(runtime, found, WORKER) == "succeeded"
    expect(page.locator("#found")).to_have_text("0 words for Ada")  # the page found out by itself
    shoot(page, "retried")


def test_a_queue_is_paused_and_resumed(open_page: Open, app: Flask, runtime: Runtime, ada: Person) -> None:
    (found,) = handed(app, runtime, ada)
    page = open_page()
    page.goto("/admin")
    page.get_by_role("link", name="Open the queues").click()
    default = page.locator("section", has=page.get_by_role("heading", name="default"))
    default.get_by_role("button", name="Pause").click()
    expect(default).to_contain_text("paused by Ada, since")
    shoot(page, "queues")
    page.goto("/runs")
    expect(page.locator("#runs")).to_contain_text("its queue is paused")
    assert execute(runtime, found, WORKER) is None
    page.goto("/admin/queues")
    default.get_by_role("button", name="Resume").click()
    expect(default).not_to_contain_text("paused")
    assert execute(runtime, found, WORKER) == "succeeded"


def test_many_are_chosen_by_mouse_and_keyboard_and_deleted(
    open_page: Open, app: Flask, runtime: Runtime, ada: Person
) -> None:
    found = handed(app, runtime, ada, 5)
    for each in found[:4]:
        execute(runtime, each, WORKER)
    page = open_page()
    page.goto("/runs")
    boxes = page.locator("[name=ids]")
    boxes.nth(1).check()
    boxes.nth(3).click(modifiers=["Shift"])
    expect(page.locator("[data-count]")).to_have_text("3 chosen")
    page.get_by_label("All on this page").check()
    expect(page.locator("[data-count]")).to_have_text("5 chosen")
    boxes.nth(4).focus()
    page.keyboard.press("Space")
    expect(page.locator("[data-count]")).to_have_text("4 chosen")
    shoot(page, "chosen")
    page.get_by_role("button", name="Delete …").click()
    expect(page.get_by_role("heading", name="Delete these 3 runs?")).to_be_visible()
    shoot(page, "delete")
    page.get_by_role("button", name="Delete for good").click()
    expect(page.get_by_text("3 runs were deleted.")).to_be_visible()
    assert boxes.count() == 2


def test_choices_outlive_the_list_s_own_refresh(open_page: Open, app: Flask, runtime: Runtime, ada: Person) -> None:
    first, _second = handed(app, runtime, ada, 2)
    page = open_page()
    page.goto("/runs")
    page.locator(f"[name=ids][value='{first}']").check()
    page.locator("h1").click()  # the focus leaves the list, or it would not be refreshed
    page.evaluate("document.activeElement.blur()")
    change(runtime, first, summary="changed meanwhile")
    expect(page.locator("#runs")).to_contain_text("changed meanwhile")
    expect(page.locator(f"[name=ids][value='{first}']")).to_be_checked()
    expect(page.locator("[data-count]")).to_have_text("1 chosen")


def test_without_javascript_many_are_chosen_and_deleted(
    open_page: Open, app: Flask, runtime: Runtime, ada: Person
) -> None:
    for each in handed(app, runtime, ada, 3):
        execute(runtime, each, WORKER)
    page = open_page(java_script_enabled=False)
    page.goto("/runs")
    page.get_by_role("link", name="Choose all on this page").click()
    page.get_by_role("button", name="Delete …").click()
    page.get_by_role("button", name="Delete for good").click()
    expect(page.get_by_text("3 runs were deleted.")).to_be_visible()


def test_every_page_of_control_fits_a_phone(open_page: Open, app: Flask, runtime: Runtime, ada: Person) -> None:
    parent, failed, running, waiting = handed(app, runtime, ada, 4, name="A" * 60, note="b" * 300)
    change(runtime, parent, state="blocked", children=3, attempt=1)
    change(
        runtime, failed, state="failed", error="The sheet is too dark to read. Take another picture.", parent_id=parent
    )
    change(runtime, running, state="running", progress=0.4, message="Counting", started_at=1, parent_id=parent)
    change(runtime, waiting, parent_id=parent, due_at=the_run(runtime, waiting).due_at + 90_000, tries=1)
    (after,) = handed(app, runtime, ada, name="A" * 60, after=parent)
    page = open_page(viewport={"width": 360, "height": 740})
    paths = {
        "runs": "/runs?choose=all", "parent": f"/runs/{parent}", "follower": f"/runs/{after}",
        "waiting": f"/runs/{waiting}", "queues": "/admin/queues", "admin": "/admin",
        "next": f"/jobs?after={parent}", "form": f"/jobs/probe?after={parent}",
    }  # fmt: skip
    for name, path in paths.items():
        page.goto(path)
        too_wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        shoot(page, f"{name}-phone")
        assert too_wide <= 0, f"{path} is {too_wide} pixels too wide"
    assert the_run(runtime, parent).state == "blocked"
