"""Accounts, categories, payees and what recurs, on their pages; who may change them; what the first page says."""

import re
from datetime import date
from typing import Any, cast

import pytest
from flask import Flask
from sqlalchemy import select

from models.ledger import Category, Entry, Payee, Purse, Recurring
from tests.conftest import Person
from tests.front import browser_of, member_of
from tests.purse_rows import a_household, all_of, category_of, entries, entry_of, payee_of, purse_of, recurring_of
from tests.test_expenses_pages import form
from tests.web_fixtures import Browser
from workers.runtime import Runtime


@pytest.fixture
def purse(runtime: Runtime, ada: Person) -> str:
    return purse_of(runtime, ada)


def coming(runtime: Runtime) -> list[Any]:
    return [(row.next_on, row.amount) for row in cast(list[Recurring], all_of(runtime, Recurring))]


def test_accounts_are_added_edited_closed_and_deleted(ada_s: Browser, runtime: Runtime, ada: Person) -> None:
    new = {"name": "Giro", "kind": "bank", "currency": "chf", "opening": "-1'250.50", "number": "CH00 1"}
    place = ada_s.post("/expenses/accounts/new", new).location
    assert "-CHF" in ada_s.get(place).text
    for field, text, words in (
        ("name", "", "Fill this in"), ("name", "Giro", "of this name already"), ("currency", "ABC", "“ABC”"),
        ("opening", "1e9", "exponent"), ("kind", "sock", "Choose one"), ("opening", "0.001", "CHF has 2 decimals"),
    ):  # fmt: skip
        answer = ada_s.post("/expenses/accounts/new", {**new, "name": "Other", field: text})
        assert (answer.status_code, words in answer.text) == (422, True), (field, text)
    purse = place.rpartition("/")[2]
    entry_of(runtime, ada, purse, "-5")
    assert "Its entries are in CHF" in ada_s.post(f"{place}/edit", {**new, "currency": "EUR"}).text
    assert ada_s.post(f"{place}/edit", {**new, "name": "Main"}).status_code == 303
    ada_s.post(f"{place}/close")
    assert "is closed" in ada_s.post("/expenses/entries/new", form(purse)).text
    assert "one entry goes" in ada_s.get(f"{place}/delete").text
    ada_s.post(f"{place}/delete")
    assert (all_of(runtime, Purse), entries(runtime, ada)) == ([], [])


def test_payees_and_categories_are_renamed_and_merged(
    ada_s: Browser, runtime: Runtime, ada: Person, purse: str
) -> None:
    food, meals = category_of(runtime, ada), category_of(runtime, ada, "Meals")
    one, other = payee_of(runtime, ada, "Shop"), payee_of(runtime, ada, "SHOP No. 2")
    entry_of(runtime, ada, purse, "-1", category_id=food, payee_id=one)
    assert ada_s.post(f"/expenses/payees/{one}", {"name": "shop no. 2"}).status_code == 422
    assert ada_s.post(f"/expenses/payees/{one}/merge", {"into": "nobody"}).status_code == 422
    assert ada_s.post(f"/expenses/payees/{one}/merge", {"into": "Shop"}).status_code == 422
    assert ada_s.post(f"/expenses/payees/{one}/merge", {"into": "shop no. 2"}).status_code == 303
    assert ada_s.post(f"/expenses/categories/{food}/rename", {"name": "MEALS"}).status_code == 422
    assert ada_s.post(f"/expenses/categories/{food}/merge", {"into": food}).status_code == 422
    assert ada_s.post(f"/expenses/categories/{food}/merge", {"into": meals}).status_code == 303
    assert ada_s.post("/expenses/categories", {"name": "meals"}).status_code == 422
    (entry,) = entries(runtime, ada)
    assert (entry.payee_id, entry.category_id) == (other, meals)
    ada_s.post(f"/expenses/categories/{meals}/hide")
    assert ">Meals</option>" not in ada_s.get("/expenses/entries/new").text


def test_what_recurs_is_made_paused_skipped_changed_and_deleted(
    ada_s: Browser, runtime: Runtime, ada: Person, purse: str
) -> None:
    new = {"kind": "out", "name": "Rent", "amount": "700", "every": "month", "steps": "1", "purse": purse,
           "first_on": "2099-01-31", "last_on": ""}  # fmt: skip
    for field, text, words in (
        ("name", "", "Fill this in"), ("amount", "0", "above zero"), ("steps", "0", "from 1 to 60"),
        ("steps", "x", "from 1"), ("every", "day", "Choose one"), ("first_on", "31/02", "with its year"),
        ("last_on", "2098-01-01", "before the first"), ("purse", "", "Choose one"), ("category", "x", "categories"),
    ):  # fmt: skip
        answer = ada_s.post("/expenses/recurring/new", {**new, field: text})
        assert (answer.status_code, words in answer.text) == (422, True), (field, answer.text[-3000:])
    past = ada_s.post("/expenses/recurring/new", {**new, "first_on": "2000-01-01", "last_on": "2001-01-01"})
    assert "never come again" in past.text
    place = ada_s.post("/expenses/recurring/new", new).location
    page = ada_s.get(place).text
    assert "28 Feb 2099" in page
    assert "31 Mar 2099" in page
    ada_s.post(f"{place}/skip", {"day": "2099-01-31"})
    ada_s.post(f"{place}/skip", {"day": "2099-01-31"})  # the page was old
    assert coming(runtime) == [(date(2099, 2, 28), -700)]
    ada_s.post(f"{place}/edit", {**new, "amount": "720"})
    assert coming(runtime) == [(date(2099, 2, 28), -720)]
    ada_s.post(f"{place}/pause")
    assert "None while it is paused" in ada_s.get(place).text
    ada_s.post(f"{place}/delete")
    assert all_of(runtime, Recurring) == []


def test_nobody_changes_another_workspace_s_money(app: Flask, runtime: Runtime, ada: Person, grace: Person) -> None:
    """Every route of money with Ada's ids, and Ada's account and category in the form."""
    hers, stranger = purse_of(runtime, grace, "Mine"), browser_of(app, runtime, grace)
    ids = a_household(runtime, ada, "hers-alone")
    before = [repr(vars(row) | {"_sa_instance_state": 0}) for row in _rows(runtime, ada)]
    sent = form(ids["purse_id"], category=ids["category_id"], to_category=ids["category_id"], into=ids["category_id"])
    sent |= {"ids": [ids["entry_id"]], "name": "x", "from": hers, "to": ids["purse_id"], "every": "month"}
    sent |= {"steps": "1", "first_on": "2099-01-01", "currency": "EUR", "opening": "0", "day": "2099-01-01"}
    walked = 0
    for action in ("categorise", "pair", "delete"):
        for path in _paths(app, ids):
            answer = stranger.post(path, {**sent, "action": action, "key": "form:k"})
            assert answer.status_code in (200, 303, 404, 422), (path, answer.status_code)
            assert "hers-alone" not in answer.text
            walked += 1
    assert walked > 45
    assert [repr(vars(row) | {"_sa_instance_state": 0}) for row in _rows(runtime, ada)] == before
    assert not any("hers-alone" in stranger.get(path).text for path in ("/expenses", "/expenses/entries?q=alone"))
    found = stranger.get(f"/expenses/entries?purse={ids['purse_id']}&payee={ids['payee_id']}")
    assert "hers-alone" not in found.text


def _rows(runtime: Runtime, person: Person) -> list[Any]:
    with runtime.database.read(person.workspace_id) as session:
        return [row for table in (Category, Entry, Payee, Purse, Recurring) for row in session.scalars(select(table))]


def _paths(app: Flask, ids: dict[str, str]) -> list[str]:
    mine = ("expenses", "entries", "entry_editor", "purses", "labels", "recurring")
    rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint.partition(".")[0] in mine]
    return [re.sub("<([^>]+)>", lambda m: ids[m[1]], rule.rule) for rule in rules if "POST" in (rule.methods or ())]


def test_viewers_look_and_change_nothing(app: Flask, runtime: Runtime, ada: Person, purse: str) -> None:
    viewer = browser_of(app, runtime, member_of(runtime, ada, "vera", "viewer"))
    entry, thing = entry_of(runtime, ada, purse, "-1"), recurring_of(runtime, ada, purse)
    payee, category = payee_of(runtime, ada), category_of(runtime, ada)
    ids = {"entry_id": entry, "purse_id": purse, "payee_id": payee, "category_id": category, "recurring_id": thing}
    walked = 0
    for path in _paths(app, ids):
        assert viewer.post(path, form(purse, ids=[entry])).status_code == 403, path
        walked += 1
    assert walked > 15
    assert len(entries(runtime, ada)) == 1


def test_the_first_page_says_what_to_do(ada_s: Browser, runtime: Runtime, ada: Person) -> None:
    empty = ada_s.get("/expenses").text
    assert "Add an account" in empty
    assert "/imports" in empty
    ada_s.post("/expenses/sample")
    full = ada_s.get("/expenses").text
    assert "1 entry has no category" in full
    assert "sample is for an empty workspace" in ada_s.post("/expenses/sample", follow_redirects=True).text
    assert len([row for row in entries(runtime, ada) if row.recurring_id]) > 10
