"""Pictures of the front through nginx, in Chromium where there is one: what a person really sees there."""

from collections.abc import Mapping
from pathlib import Path

from tests.browser import CHROMIUM
from tests.stack import KEPT
from tests.stack.visitor import Front, Person

PAGES = {"today": "/home", "jobs": "/jobs", "runs": "/runs", "expenses": "/expenses", "energy": "/energy",
         "care": "/care", "stock": "/stock", "flower": "/flower/", "administration": "/admin"}  # fmt: skip
SETTLED_MS = 1500  # charts are drawn, and Flower has asked its workers


def take(front: Front, person: Person, pages: Mapping[str, str] | None = None) -> list[Path]:
    """One of each page, signed in as this person; none where Chromium is missing."""
    if not CHROMIUM.exists():
        return []
    from playwright.sync_api import sync_playwright

    folder = KEPT / "shots"
    folder.mkdir(parents=True, exist_ok=True)
    found = []
    with sync_playwright() as playwright:
        # That the certificate is the stack's own was checked by the tour; Chromium has no list of ours to trust.
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        context = chromium.new_context(ignore_https_errors=True, viewport={"width": 1280, "height": 850})
        context.add_cookies([
            {"name": each.name, "value": each.value or "", "url": front.url} for each in person.session.cookies
        ])  # fmt: skip
        page = context.new_page()
        for name, path in (pages or PAGES).items():
            page.goto(front.url + path)
            page.wait_for_timeout(SETTLED_MS)
            found.append(folder / f"{name}.png")
            page.screenshot(path=str(found[-1]))
        chromium.close()
    return found
