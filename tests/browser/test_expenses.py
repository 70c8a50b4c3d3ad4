"""The expense tracker in Chromium: from nothing to a split payment and a drill-down, on a phone, without JavaScript."""

# ruff: noqa: F811  # fixtures are arguments by their names

import pytest
from playwright.sync_api import expect

from models.ledger import Payee
from tests.browser import missing
from tests.browser.test_runs import Front, front  # noqa: F401  # a fixture
from tests.conftest import Person
from tests.purse_rows import category_of, entries, entry_of, payee_of, purse_of

pytestmark = [pytest.mark.browser, pytest.mark.sqlite, missing, pytest.mark.usefixtures("probe")]
PAGES = ("", "/charts", "/entries", "/entries/new", "/transfers/new", "/accounts", "/accounts/new", "/categories",
         "/payees", "/recurring", "/recurring/new")  # fmt: skip


@pytest.mark.parametrize("script", [True, False])
def test_from_nothing_to_a_split_payment(front: Front, ada: Person, script: bool) -> None:
    category_of(front.runtime, ada)
    page = front.page(java_script_enabled=script)
    page.goto("/expenses")
    page.get_by_role("link", name="Add an account").click()
    page.get_by_label("Name").fill("Giro")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("link", name="New entry").click()
    page.get_by_label("Amount").fill("£1.234,50")
    page.get_by_label("Payee").fill("Market")
    page.get_by_role("button", name="Split it into parts").click()
    page.get_by_label("Amount 1").fill("1234")
    page.get_by_label("Category 1").select_option(label="Groceries")
    page.get_by_label("Amount 2").fill("0,40")
    page.get_by_role("button", name="Save", exact=True).last.click()
    expect(page.get_by_role("alert")).to_contain_text("0.1 is missing")
    page.get_by_label("Amount 2").fill("0,50")
    page.get_by_role("button", name="Save", exact=True).last.click()
    expect(page.get_by_text("Written down.")).to_be_visible()
    expect(page.locator(".entry")).to_have_count(2)
    assert sum(row.amount for row in entries(front.runtime, ada)) * 2 == -2469


def test_a_bar_leads_to_its_entries_and_a_payee_proposes_a_category(front: Front, ada: Person) -> None:
    purse, food = purse_of(front.runtime, ada), category_of(front.runtime, ada)
    with front.runtime.database.write(ada.workspace_id) as session:
        session.add(Payee(name="Baker", category_id=food))
    page = front.page()
    page.goto("/expenses/entries/new")
    page.get_by_label("Amount").fill("9.99")
    page.get_by_label("Payee").fill("Baker")
    page.get_by_label("Payee").blur()
    expect(page.get_by_label("Category")).to_have_value(food)
    page.get_by_role("button", name="Save", exact=True).last.click()
    assert [row.purse_id for row in entries(front.runtime, ada)] == [purse]
    page.goto("/expenses/charts")
    page.locator("#categories .point path").first.click(force=True)
    page.wait_for_url("**/expenses/entries?*")
    expect(page.locator(".entry")).to_have_count(1)


def test_many_are_chosen_and_deleted_after_a_question(front: Front, ada: Person) -> None:
    purse = purse_of(front.runtime, ada)
    for number in range(4):
        entry_of(front.runtime, ada, purse, f"-{number + 1}")
    page = front.page()
    page.goto("/expenses/entries")
    page.get_by_label("All on this page").check()
    expect(page.locator("[data-count]")).to_have_text("4 chosen")
    page.get_by_label("Choose").nth(0).uncheck()
    page.get_by_role("button", name="Delete …").click()
    page.get_by_role("button", name="Delete them").click()
    expect(page.get_by_text("3 entries were deleted.")).to_be_visible()
    assert len(entries(front.runtime, ada)) == 1


def test_every_page_of_money_fits_a_phone(front: Front, ada: Person) -> None:
    long = "Donaudampfschifffahrtsgesellschaft" * 2
    purse = purse_of(front.runtime, ada, long)
    payee, category = payee_of(front.runtime, ada, long), category_of(front.runtime, ada, long)
    entry_of(front.runtime, ada, purse, "-123456789.01", payee_id=payee, category_id=category, note=long * 4)
    page = front.page(viewport={"width": 360, "height": 740})
    for path in (*PAGES, f"/accounts/{purse}", f"/accounts/{purse}/delete", f"/payees/{payee}"):
        page.goto(f"/expenses{path}")
        too_wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert too_wide <= 0, f"{path} is {too_wide} pixels too wide"
