"""Schedules in Chromium: made from a job's form, its next times live, fired by beat's tick; phone; no JavaScript."""

# ruff: noqa: F811  # fixtures are arguments by their names

import pytest
from flask import Flask
from playwright.sync_api import expect
from sqlalchemy import select, update

from models.schedule import Schedule
from models.session import EVERYONE
from tests.browser import missing
from tests.browser.test_runs import Front, front  # noqa: F401  # a fixture
from tests.conftest import Person
from tests.front import WORKER, browser_of
from tests.test_schedules_pages import make
from workers.execute import execute
from workers.runtime import Runtime
from workers.schedules import due_runs

pytestmark = [pytest.mark.browser, pytest.mark.sqlite, missing, pytest.mark.usefixtures("probe")]


def come_due(front: Front) -> list[str]:
    """A beat's round in which every schedule that is on is due."""
    with front.runtime.database.write(EVERYONE) as session:
        session.execute(update(Schedule).where(Schedule.enabled.is_(True)).values(next_due=1_700_000_000_000))
    return due_runs(front.runtime)


def test_a_schedule_made_from_a_job_s_form_fires_and_its_run_appears(front: Front) -> None:
    page = front.page()
    page.goto("/jobs/probe")
    page.get_by_label("Name").first.fill("Ada")
    page.get_by_role("button", name="Run this on a schedule").click()
    expect(page.get_by_label("Name").first).to_have_value("Ada")
    page.get_by_label("How often").select_option("minutes")
    expect(page.get_by_label("At this time", exact=True)).to_be_hidden()
    page.get_by_label("Minutes from one to the next").fill("1")
    expect(page.locator("#next li")).to_have_count(5)
    expect(page.locator("#next")).to_contain_text("Every minute")
    page.get_by_role("button", name="Put it on the schedule").dblclick()
    expect(page.get_by_role("heading", name="Count words")).to_be_visible()
    expect(page.get_by_text("It has not come yet.")).to_be_visible()
    (run,) = come_due(front)
    assert execute(front.runtime, run, WORKER) == "succeeded"
    page.reload()
    page.locator(".slots a").first.click()
    page.wait_for_url(f"**/runs/{run}")
    expect(page.locator("#found")).to_be_visible()
    page.goto("/schedules")
    expect(page.locator("li.schedule")).to_have_count(1)
    expect(page.locator("li.schedule")).to_contain_text("Done")


def test_it_is_paused_resumed_edited_run_now_and_deleted(
    front: Front, app: Flask, runtime: Runtime, ada: Person
) -> None:
    found = make(browser_of(app, runtime, ada))
    page = front.page()
    page.on("dialog", lambda asked: asked.accept())
    page.goto(f"/schedules/{found}")
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_text("Paused")).to_be_visible()
    with front.runtime.database.read(EVERYONE) as session:
        assert session.scalars(select(Schedule.next_due)).all() == [None]
    page.get_by_role("button", name="Resume").click()
    expect(page.locator(".next li")).to_have_count(5)
    page.get_by_role("link", name="Edit").click()
    page.get_by_label("How often").select_option("weekly")
    page.get_by_label("Sunday").check()
    expect(page.locator("#next")).to_contain_text("Sunday")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Sunday at 07:30")).to_be_visible()
    page.get_by_role("button", name="Run now").click()
    front.run_of(page)
    page.goto(f"/schedules/{found}")
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("Nothing runs by itself")).to_be_visible()
    assert front.count() == 1


def test_without_javascript_the_next_times_are_shown_and_it_is_saved(front: Front) -> None:
    page = front.page(java_script_enabled=False)
    page.goto("/schedules/new/probe")
    page.get_by_label("Name").first.fill("Ada")
    page.get_by_label("How often").select_option("cron")
    page.get_by_label("Crontab line").fill("0 0 31 2 *")
    page.get_by_role("button", name="Show the next times").click()
    expect(page.locator("#next")).to_contain_text("This never comes")
    page.get_by_label("Crontab line").fill("0 7 * * 1-5")
    page.get_by_role("button", name="Show the next times").click()
    expect(page.locator("#next li")).to_have_count(5)
    page.get_by_role("button", name="Put it on the schedule").click()
    expect(page.get_by_text("At 07:00 on Monday through Friday").first).to_be_visible()


def test_a_mistake_takes_the_focus_and_leads_to_its_field(front: Front) -> None:
    page = front.page()
    page.goto("/schedules/new/probe")
    page.get_by_label("How often").select_option("cron")
    page.get_by_label("Crontab line").fill("whenever")
    page.get_by_role("button", name="Put it on the schedule").click()
    expect(page.get_by_role("alert").first).to_be_focused()
    page.get_by_role("link", name="When").click()
    assert page.evaluate("document.activeElement.id") == "when-cron"
    expect(page.get_by_label("Crontab line")).to_have_attribute("aria-invalid", "true")


def test_every_page_of_schedules_fits_a_phone(front: Front, app: Flask, runtime: Runtime, ada: Person) -> None:
    found = make(browser_of(app, runtime, ada), when_title="a" * 60, note="b" * 300)
    execute(runtime, come_due(front)[0], WORKER)
    page = front.page(viewport={"width": 360, "height": 740})
    for path in ("/schedules", f"/schedules/{found}", f"/schedules/{found}/edit", "/schedules/new/probe"):
        page.goto(path)
        too_wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert too_wide <= 0, f"{path} is {too_wide} pixels too wide"
