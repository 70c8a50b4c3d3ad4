"""The expense tracker's pages: what they show, what they write, and what they say to bad input."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask

from models.ledger import Payee, Purse, Recurring
from tests.conftest import Person
from tests.front import browser_of, member_of
from tests.purse_rows import DAY, all_of, category_of, entries, entry_of, payee_of, purse_of, recurring_of
from tests.web_fixtures import Browser
from workers.runtime import Runtime

PAGES = ("", "/charts", "/entries", "/accounts", "/accounts/new", "/categories", "/payees", "/recurring", "/recurring/new",
         "/entries/new", "/transfers/new")  # fmt: skip


def form(purse: str, **more: Any) -> dict[str, Any]:
    return {"kind": "out", "purse": purse, "amount": "12.50", "on": "2026-03-14", **more}


@pytest.fixture
def purse(runtime: Runtime, ada: Person) -> str:
    return purse_of(runtime, ada)


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_there_when_nothing_is(ada_s: Browser, path: str) -> None:
    assert ada_s.get(f"/expenses{path}").status_code == 200


@pytest.mark.parametrize("path", PAGES)
def test_every_page_shows_the_sample(ada_s: Browser, path: str) -> None:
    assert ada_s.post("/expenses/sample").status_code == 303
    assert ada_s.get(f"/expenses{path}").status_code == 200
