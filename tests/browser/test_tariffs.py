"""A tariff's form in the browser: only its kind's part, the week drawn while it is typed, rows without a round trip."""

# ruff: noqa: F811  # fixtures are arguments by their names

import pytest

from tests.browser import missing
from tests.browser.test_runs import Front, front  # noqa: F401  # a fixture

pytestmark = [pytest.mark.browser, pytest.mark.sqlite, missing, pytest.mark.timeout(120)]


def test_holes_close_in_the_picture_while_a_tariff_is_typed(front: Front) -> None:
    page = front.page()
    page.goto("/energy/tariffs/new")
    assert not page.locator("#part-times").is_visible()
    page.select_option("#kind", "time of use")
    assert not page.locator("#part-flat").is_visible()
    page.fill("#name", "Home")
    page.fill("#period-0-name", "Peak")
    page.fill("#period-0-price", "0,34")
    page.select_option("#period-0-days", "mon,tue,wed,thu,fri")
    page.locator("#week").get_by_text("Saturday and Sunday have no price.").wait_for()
    page.get_by_role("button", name="More rows").first.click()
    page.fill("#period-3-name", "Low")
    page.fill("#period-3-price", "0.21")
    page.fill("#rest_name", "Low")
    page.fill("#period-3-start", "22:00")
    page.fill("#period-3-end", "07:00")
    page.locator("#week").get_by_text("Low: €0.21").wait_for()
    page.locator("#week .alert").wait_for(state="detached")
    page.get_by_role("button", name="Save").last.click()
    page.get_by_role("heading", name="Home").wait_for()
    assert page.get_by_text("Peak: €0.34").is_visible()
