"""Victoria in Chromium: two years imported, tomorrow foretold, a planted fault found, and told in one digest.

With SHOTS=/some/folder a picture of each page is kept there.
"""

# ruff: noqa: F811  # fixtures are arguments by their names

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from models.delivery import Delivery
from models.meter import Meter, Outlook
from models.session import EVERYONE
from tests.browser import missing
from tests.browser.test_runs import Front, front  # noqa: F401  # a fixture
from tests.browser.test_stock import work
from tests.conftest import Person
from tests.news import due, tell
from workers.runtime import Runtime

SHARED = Path(os.environ.get("NIGHTSHIFT_SHARED", Path(__file__).parents[3] / "shared")) / "data" / "energy"
pytestmark = [
    pytest.mark.browser, pytest.mark.slow, missing, pytest.mark.timeout(240),
    pytest.mark.skipif(not SHARED.is_dir(), reason="needs Victoria in shared/data/energy beside the project"),
]  # fmt: skip
FIRST, LAST = "2012-12-31T13", "2014-12-29T13"  # local midnights of Melbourne
FAULT = "2014-12-30T16"  # three in the morning of New Year's Eve


def files(folder: Path) -> tuple[Path, Path]:
    """Victoria's 2013 and 2014 up to two days before their end; and those two days, with an hour of three times as
    much."""
    lines = (SHARED / "vic_electricity" / "vic_electricity.csv").read_text().splitlines()
    first, second = folder / "victoria.csv", folder / "more.csv"
    first.write_text("\n".join([lines[0], *(line for line in lines[1:] if FIRST <= line < LAST)]) + "\n")
    second.write_text("\n".join([lines[0], *(_planted(line) for line in lines[1:] if line >= LAST)]) + "\n")
    return first, second


def _planted(line: str) -> str:
    time, demand, rest = line.split(",", 2)
    return f"{time},{3 * float(demand)},{rest}" if time.startswith(FAULT) else line


def shoot(page: Page, name: str) -> None:
    if folder := os.environ.get("SHOTS"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.wait_for_timeout(1000)  # drawings
        page.screenshot(path=str(Path(folder) / f"victoria-{name}.png"), full_page=True)


def bring(front: Front, page: Page, file: Path, meter: str = "") -> None:
    """A file through the pages: handed over, looked at, brought in; and then what that wakes."""
    page.goto("/energy/import")
    page.set_input_files("#files", str(file))
    if meter:
        page.locator("#meter").select_option(meter)
    page.locator("details.more summary").click()
    page.locator("[name=unit]").select_option("MWh")
    page.locator("[name=zone]").fill("Australia/Melbourne")
    page.get_by_role("button", name="Look into the file").click()
    run = front.run_of(page)
    work(front.runtime)
    page.goto(f"/runs/{run}")
    page.get_by_role("link", name="Look at what was found").click()
    page.get_by_role("button", name=re.compile(r"Bring in [\d,]+ readings")).click()
    page.wait_for_url("**/runs/*")
    work(front.runtime)
    expect(page.locator("#status")).to_contain_text("Done")  # the page follows, and no reload of it comes later


def the_meter(runtime: Runtime) -> str:
    with runtime.database.read(EVERYONE) as session:
        return session.scalars(select(Meter.id)).one()


def test_victoria_from_its_file_to_a_forecast_and_a_planted_fault_to_a_digest(
    front: Front, ada: Person, tmp_path: Path
) -> None:
    first, second = files(tmp_path)
    runtime, page = front.runtime, front.page(viewport={"width": 1280, "height": 900})
    bring(front, page, first)
    meter = the_meter(runtime)
    _foretold(page, meter)
    _asked_for(front, page, meter)
    bring(front, page, second, meter)
    _told(page, runtime, ada, meter)


def _foretold(page: Page, meter: str) -> None:
    """The import woke a look: fan, validation and model choice stand on the meter's page."""
    page.goto(f"/energy/meters/{meter}")
    found = page.locator("#content")
    expect(found).to_contain_text("in the next 48 hours")
    expect(found).to_contain_text("Which model, and why")
    expect(found).to_contain_text("seasonal naive")
    expect(page.locator("#look-load svg .scatterlayer").first).to_be_visible()
    expect(page.locator("#look-load .legend")).to_contain_text("95 of 100 times in here")
    expect(page.locator("#look-scatter")).to_contain_text("that explains")
    shoot(page, "meter")


def _asked_for(front: Front, page: Page, meter: str) -> None:
    """Look now: a run whose page shows the same, with its files, and leads back."""
    page.get_by_role("button", name="Look now").first.click()
    run = front.run_of(page)
    work(front.runtime)
    page.goto(f"/runs/{run}")
    expect(page.locator("#content")).to_contain_text("48 hours foretold")
    expect(page.get_by_role("link", name="Forecast as a table")).to_be_visible()
    shoot(page, "run")
    page.get_by_role("link", name="To the meter's page").click()
    page.wait_for_url(f"**/energy/meters/{meter}")


def _told(page: Page, runtime: Runtime, ada: Person, meter: str) -> None:
    """The hour that was planted is an anomaly on the page, an alert, and a line of one digest."""
    page.goto(f"/energy/meters/{meter}")
    expect(page.locator("#content")).to_contain_text("Spike, 2014-12-31 03:00")
    shoot(page, "planted")
    with runtime.database.read(EVERYONE) as session:
        outlook = session.get_one(Outlook, meter)
        assert (outlook.state, outlook.night) == ("made", "2015-01-01")
    due(runtime, ada)
    assert tell(runtime)["digests"] == 1
    with runtime.database.read(EVERYONE) as session:
        (mail,) = session.scalars(select(Delivery).where(Delivery.stop == "digest")).all()
    assert "31 December 2014" in mail.text
    assert "expected" in mail.text
    page.goto(f"/mailbox/{mail.id}")
    expect(page.frame_locator("iframe").locator("body")).to_contain_text("31 December 2014")
    shoot(page, "digest")
