"""Northwind in Chromium: imported, scanned, two products flagged and the others explained, one digest, and its end.

With SHOTS=/some/folder a picture of each page is kept there.
"""

# ruff: noqa: F811  # fixtures are arguments by their names

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from models.alert import FIRING, RESOLVED, Alert
from models.delivery import Delivery
from models.run import QUEUED, Run
from models.session import EVERYONE
from tests.browser import missing
from tests.browser.test_runs import Front, front  # noqa: F401  # a fixture
from tests.conftest import Person
from tests.front import WORKER
from tests.news import due, tell
from workers.execute import execute
from workers.runtime import Runtime

SHARED = Path(os.environ.get("NIGHTSHIFT_SHARED", Path(__file__).parents[3] / "shared")) / "data" / "retail"
pytestmark = [
    pytest.mark.browser, pytest.mark.sqlite, pytest.mark.slow, missing, pytest.mark.timeout(240),
    pytest.mark.skipif(not SHARED.is_dir(), reason="needs Northwind in shared/data/retail beside the project"),
]  # fmt: skip


def work(runtime: Runtime) -> None:
    """What workers do, until nothing waits."""
    for _ in range(40):
        with runtime.database.read(EVERYONE) as session:
            waiting = session.scalars(select(Run.id).where(Run.state == QUEUED).order_by(Run.id)).all()
        if not [each for each in waiting if execute(runtime, each, WORKER) is not None]:
            return
    raise AssertionError("it never comes to an end")


def shoot(page: Page, name: str) -> None:
    if folder := os.environ.get("SHOTS"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=str(Path(folder) / f"northwind-{name}.png"), full_page=True)


def bring(front: Front, page: Page, subject: str) -> None:
    """A file through the pages: handed over, looked at, imported."""
    page.goto(f"/imports?subject={subject}")
    page.set_input_files("#files", str(SHARED / f"northwind_{subject}.csv"))
    page.locator("[name=subject]").select_option(subject)
    page.get_by_role("button", name="Read the file").click()
    front.run_of(page)
    work(front.runtime)
    page.locator("#content a[href*='/imports/']").first.click()  # the page follows by itself
    page.wait_for_url(re.compile(r"/imports/[0-9a-f]+"))
    shoot(page, f"import-{subject}")
    page.get_by_role("button", name=re.compile(r"Import \d+ lines")).click()
    front.run_of(page)
    work(front.runtime)
    expect(page.locator("#status")).to_contain_text("Done")


def of_kind(runtime: Runtime, kind: str) -> str:
    with runtime.database.read(EVERYONE) as session:
        return session.scalars(select(Run.id).where(Run.kind == kind).order_by(Run.id.desc()).limit(1)).one()


def firing(runtime: Runtime) -> list[str]:
    with runtime.database.read(EVERYONE) as session:
        return list(session.scalars(select(Alert.title).where(Alert.state == FIRING).order_by(Alert.title)))


def test_northwind_from_its_files_to_one_digest_and_back_to_quiet(front: Front, ada: Person) -> None:
    runtime, page = front.runtime, front.page(viewport={"width": 1280, "height": 900})
    bring(front, page, "suppliers")
    bring(front, page, "products")
    titles = firing(runtime)
    assert [title.partition(":")[0] for title in titles] == ["Nord-Ost Matjeshering", "Outback Lager"]

    _explained(page, runtime)
    _one_digest(page, runtime, ada)
    _resolved(page, runtime)


def _explained(page: Page, runtime: Runtime) -> None:
    """The scan's own page says why the 22 and the 14 of simpler rules are not it."""
    page.goto(f"/runs/{of_kind(runtime, 'stock')}")
    found = page.locator("#content")
    expect(found).to_contain_text("2 of 77 products to be ordered")
    expect(found).to_contain_text(
        "On hand at or below the reorder level names 22: 2 to be ordered, 5 discontinued, 15 on their way."
    )
    expect(found).to_contain_text("10 or fewer on hand names 14: 1 to be ordered, 4 discontinued, 8 on their way")
    expect(found).to_contain_text("It misses 1 that is to be ordered.")
    shoot(page, "scan")
    page.get_by_role("link", name="Order what is short").click()
    expect(page.get_by_role("heading", name="To order")).to_be_visible()
    assert page.locator("[name=tick]").count() == 2
    shoot(page, "to-order")


def _one_digest(page: Page, runtime: Runtime, ada: Person) -> None:
    """In the mailbox, as HTML and as text; and no second mail, however often it is due."""
    due(runtime, ada)
    assert tell(runtime)["digests"] == 1
    for _ in range(2):
        due(runtime, ada)
        assert tell(runtime) == {"digests": 0, "at_once": 0, "silent": 1}
    with runtime.database.read(EVERYONE) as session:
        (mail,) = session.scalars(select(Delivery).where(Delivery.stop == "digest")).all()
    for words in ("Nord-Ost Matjeshering: 10 left, reorder at 15; order 20", "Outback Lager: 15 left and 10 on order"):
        assert words in mail.text
        assert words in mail.html
    page.goto(f"/mailbox/{mail.id}")
    body = page.frame_locator("iframe")
    expect(body.get_by_text("Nord-Ost Matjeshering").locator("visible=true").first).to_be_visible()
    shoot(page, "digest")


def _resolved(page: Page, runtime: Runtime) -> None:
    """A purchase is recorded on the product's page: its alert resolves, the other stays."""
    with runtime.database.read(EVERYONE) as session:
        alert = session.scalars(select(Alert).where(Alert.title.startswith("Nord-Ost"))).one()
    page.goto(f"{alert.link}?kind=purchase#record")
    page.get_by_label("Quantity").first.fill("20")
    page.get_by_role("button", name="Record", exact=True).click()
    expect(page.locator(".alert-success")).to_be_visible()
    work(runtime)
    assert [title.partition(":")[0] for title in firing(runtime)] == ["Outback Lager"]
    with runtime.database.read(EVERYONE) as session:
        after = session.scalars(select(Alert).where(Alert.id == alert.id)).one()
    assert (after.state, after.title) == (RESOLVED, "Nord-Ost Matjeshering: 30 on hand, enough again")
    page.goto("/alerts")
    shoot(page, "alerts")


# Chromium on Linux has no BarcodeDetector, and this machine no camera: these stand in for both.
PHONE = """
window.BarcodeDetector = class {
  static async getSupportedFormats() { return ["ean_13", "qr_code"]; }
  async detect(video) { return video.videoWidth ? [{ rawValue: "4006381333931" }] : []; }
};
navigator.mediaDevices.getUserMedia = async () => {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 64;
  const drawn = canvas.getContext("2d");
  setInterval(() => { drawn.fillStyle = `hsl(${Date.now() % 360} 50% 50%)`; drawn.fillRect(0, 0, 64, 64); }, 40);
  return canvas.captureStream(25);
};
"""


def test_where_the_browser_reads_barcodes_the_camera_leads_to_the_product(front: Front, ada: Person) -> None:
    page = front.page(viewport={"width": 390, "height": 844}, color_scheme="dark")
    page.add_init_script(PHONE)
    page.goto("/stock/scan")
    page.get_by_role("button", name="Scan with the camera").click()
    page.wait_for_url("**/stock/scan?code=4006381333931")
    expect(page.get_by_text("No product has this barcode or SKU.")).to_be_visible()
    shoot(page, "scan-dark")


def test_without_a_camera_the_page_says_what_to_do(front: Front, ada: Person) -> None:
    page = front.page()
    page.add_init_script(PHONE.partition("navigator.")[0])
    page.goto("/stock/scan")
    page.get_by_role("button", name="Scan with the camera").click()
    expect(page.get_by_role("status").filter(has_text="Type the code, or hand over a photo.")).to_be_visible()


def test_a_hand_scanner_s_enter_finds_the_product_and_no_camera_is_needed(front: Front, ada: Person) -> None:
    page = front.page(viewport={"width": 390, "height": 844})
    page.goto("/stock/scan")
    page.keyboard.type("4006381333931")
    page.keyboard.press("Enter")
    page.wait_for_url("**/stock/scan?code=4006381333931")
    expect(page.get_by_role("link", name="Make a product of it")).to_be_visible()
    shoot(page, "scan-unknown")
    page.get_by_role("link", name="Make a product of it").click()
    expect(page.locator("[name=barcode]")).to_have_value("4006381333931")
