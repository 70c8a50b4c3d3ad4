"""The pages of budgets: made, shown, changed, archived and deleted; what is wrong stands beside its field."""

import html
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from models.ledger import Budget, Category
from models.session import EVERYONE
from tests.conftest import Person
from tests.front import browser_of, member_of
from tests.ledger_rows import Household, household
from tests.web_fixtures import Browser
from workers.runtime import Runtime

TODAY = datetime.now(UTC).date()
FORM = {"limit": "300", "currency": "EUR", "period": "month", "starts_month": "1", "category": ""}


@pytest.fixture
def home(runtime: Runtime, ada: Person) -> Household:
    return household(runtime, ada)


def make(browser: Browser, **fields: Any) -> str:
    answer = browser.post("/expenses/budgets/new", {**FORM, **fields})
    assert answer.status_code == 303, answer.text
    return str(answer.location.rpartition("/")[2])


def the_budget(runtime: Runtime) -> Budget:
    with runtime.database.read(EVERYONE) as session:
        return session.scalars(select(Budget)).one()


def words_of(browser: Browser, path: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", browser.get(path).text)).split())


def test_a_budget_made_with_the_form_is_listed_with_what_was_spent(ada_s: Browser, home: Household) -> None:
    assert "Make the first budget" in words_of(ada_s, "/expenses/budgets")
    found = make(ada_s, category=home.category("Groceries"))
    home.entry("-270.50", TODAY)
    home.entry(-5, TODAY, currency="USD")
    listed = words_of(ada_s, "/expenses/budgets")
    assert "Groceries nearly used up" in listed
    assert "€270.50 of €300.00 · 90 %" in listed
    page = words_of(ada_s, f"/expenses/budgets/{found}")
    assert "€29.50" in page
    assert "1 entry in USD is left out" in page
    assert "burn-down-figure" in ada_s.get(f"/expenses/budgets/{found}").text


@pytest.mark.parametrize(
    ("fields", "begins"),
    [
        ({"period": "week", "starts_week": "7"}, "Every week from Sunday on"),
        ({"period": "year", "starts_year": "4"}, "Every year from 1 April on"),
        ({"period": "payday", "starts_month": "25"}, "From pay day to pay day: day 25 on"),
        ({"period": "month", "starts_month": "31"}, "day 31, or the last one of a shorter month, on"),
    ],
)
def test_every_period_is_made_and_shown(ada_s: Browser, home: Household, fields: dict[str, str], begins: str) -> None:
    found = make(ada_s, **fields)
    assert begins in words_of(ada_s, f"/expenses/budgets/{found}")
    edit = ada_s.get(f"/expenses/budgets/{found}/edit").text
    assert re.search(rf'value="{list(fields.values())[1]}" selected', edit)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"limit": ""}, "Fill this in"),
        ({"limit": "-1"}, "zero or more"),
        ({"limit": "1e9"}, "exponent"),
        ({"limit": "NaN"}, "is no amount"),
        ({"limit": "1.0055"}, "EUR has 2 decimals at most"),
        ({"limit": "0.5", "currency": "JPY"}, "JPY has no decimals"),
        ({"currency": "QQQ"}, "There is no currency"),
        ({"period": "day"}, "Choose one of these"),
        ({"starts_month": "32"}, "from 1 to 31"),
        ({"period": "week", "starts_week": "8"}, "from 1 to 7"),
        ({"category": "0" * 28}, "There is no such category"),
        ({"since": "2026-02-31"}, "2026-02-31"),
        ({"name": "a" * 81}, "at most 80"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_kept(
    ada_s: Browser, runtime: Runtime, fields: dict[str, str], said: str
) -> None:
    answer = ada_s.post("/expenses/budgets/new", {**FORM, **fields})
    assert (answer.status_code, said in html.unescape(answer.text)) == (422, True)
    with runtime.database.read(EVERYONE) as session:
        assert session.scalars(select(Budget)).all() == []


def test_a_changed_limit_is_a_new_revision_and_a_changed_name_is_none(ada_s: Browser, runtime: Runtime) -> None:
    found = make(ada_s, name="Fun")
    ada_s.post(f"/expenses/budgets/{found}/edit", {**FORM, "name": "<b>Joy</b>"})
    assert the_budget(runtime).revision == 1
    assert "&lt;b&gt;Joy" in ada_s.get("/expenses/budgets").text
    ada_s.post(f"/expenses/budgets/{found}/edit", {**FORM, "limit": "1.234,50", "name": "Fun"})
    assert (the_budget(runtime).revision, the_budget(runtime).limit) == (2, Decimal("1234.50"))


def test_what_rolled_over_stays_when_the_limit_changes_and_goes_with_another_period(
    ada_s: Browser, runtime: Runtime, home: Household
) -> None:
    month = TODAY.replace(day=1)
    before = (month - timedelta(days=1)).replace(day=1)
    rolling = {"rollover": "yes", "since": before.isoformat()}
    found = make(ada_s, **rolling)
    home.entry(-280, before)
    assert "€20.00 from before" in words_of(ada_s, f"/expenses/budgets/{found}")
    ada_s.post(f"/expenses/budgets/{found}/edit", {**FORM, **rolling, "limit": "500"})
    assert "€500.00 and €20.00 from before" in words_of(ada_s, f"/expenses/budgets/{found}")
    ada_s.post(f"/expenses/budgets/{found}/edit", {**FORM, **rolling, "limit": "500", "period": "year"})
    assert "€500.00 and €0.00 from before" in words_of(ada_s, f"/expenses/budgets/{found}")


def test_earlier_periods_stand_in_a_table_with_a_salary_left_out(ada_s: Browser, home: Household) -> None:
    month = TODAY.replace(day=1)
    before = (month - timedelta(days=1)).replace(day=1)
    found = make(ada_s, since=before.isoformat())
    home.entry(-120, before)
    home.entry(2000, before, "Salary")
    page = words_of(ada_s, f"/expenses/budgets/{found}")
    assert f"{before:%B %Y} €120.00 40 % €180.00" in page


def test_an_archived_budget_is_listed_apart_and_comes_back(ada_s: Browser, runtime: Runtime) -> None:
    found = make(ada_s)
    ada_s.post(f"/expenses/budgets/{found}/archive")
    assert "Archived budgets (1)" in words_of(ada_s, "/expenses/budgets")
    assert "warns of nothing" in words_of(ada_s, f"/expenses/budgets/{found}")
    ada_s.post(f"/expenses/budgets/{found}/archive")
    assert the_budget(runtime).archived_at is None


def test_a_deleted_budget_is_gone(ada_s: Browser, home: Household) -> None:
    found = make(ada_s)
    assert "stay" in words_of(ada_s, f"/expenses/budgets/{found}/delete")
    ada_s.post(f"/expenses/budgets/{found}/delete")
    assert ada_s.get(f"/expenses/budgets/{found}").status_code == 404


def test_a_viewer_looks_and_changes_nothing(app: Flask, ada_s: Browser, runtime: Runtime, ada: Person) -> None:
    found = make(ada_s)
    viewer = browser_of(app, runtime, member_of(runtime, ada, "grace", "viewer"))
    assert viewer.get(f"/expenses/budgets/{found}").status_code == 200
    for path in ("new", f"{found}/edit", f"{found}/archive", f"{found}/delete"):
        assert viewer.post(f"/expenses/budgets/{path}", FORM).status_code == 403
    assert "New budget" not in viewer.get("/expenses/budgets").text


def test_another_workspace_s_category_is_not_taken(ada_s: Browser, runtime: Runtime, grace: Person) -> None:
    theirs = household(runtime, grace).category("Secret")
    answer = ada_s.post("/expenses/budgets/new", {**FORM, "category": theirs})
    assert answer.status_code == 422
    with runtime.database.read(EVERYONE) as session:
        assert session.scalars(select(Category.name)).all() == ["Secret"]


def test_a_limit_of_zero_and_a_budget_that_begins_later_are_shown(ada_s: Browser, home: Household) -> None:
    zero = make(ada_s, limit="0")
    later = make(ada_s, since=date(TODAY.year + 1, 1, 1).isoformat(), name="Later")
    home.entry(-1, TODAY)
    assert "any spending is over it" in words_of(ada_s, f"/expenses/budgets/{zero}")
    assert "€0.00" in words_of(ada_s, f"/expenses/budgets/{later}")


def test_somebody_sees_to_its_alert_from_the_budget_s_own_page(
    ada_s: Browser, runtime: Runtime, home: Household
) -> None:
    found = make(ada_s, category=home.category("Groceries"))
    home.entry(-290, TODAY)
    home.scan(TODAY)
    page = ada_s.get(f"/expenses/budgets/{found}").text
    assert "Groceries 96 % used" in page
    action = re.search(r'action="(/alerts/[0-9a-f]+/acknowledge)"', page)
    assert action is not None
    answer = ada_s.post(action[1], {"next": f"/expenses/budgets/{found}"})
    assert answer.location.endswith(f"/expenses/budgets/{found}")
    assert "Hand it back" in ada_s.get(f"/expenses/budgets/{found}").text
