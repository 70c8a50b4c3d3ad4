"""The expense tracker's pages: what they show, what they write, and what they say to bad input."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from models.ledger import Payee
from tests.conftest import Person
from tests.purse_rows import DAY, all_of, category_of, entries, entry_of, payee_of, purse_of
from tests.web_fixtures import Browser
from workers.runtime import Runtime

PAGES = ("", "/charts", "/entries", "/accounts", "/accounts/new", "/categories", "/payees", "/recurring",
         "/recurring/new", "/entries/new", "/transfers/new")  # fmt: skip


def form(where: str, **more: Any) -> dict[str, Any]:
    return {"kind": "out", "purse": where, "amount": "12.50", "on": "2026-03-14", **more}


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


def test_an_entry_is_written_with_its_payee_and_category(
    ada_s: Browser, runtime: Runtime, ada: Person, purse: str
) -> None:
    food = category_of(runtime, ada)
    answer = ada_s.post(
        "/expenses/entries/new", form(purse, amount="1.234,56", payee="Baker", category=food, note="a cake")
    )
    assert answer.status_code == 303
    (entry,) = entries(runtime, ada)
    assert (entry.amount, entry.on, entry.currency, entry.note) == (Decimal("-1234.56"), DAY, "EUR", "a cake")
    assert (entry.category_id, entry.created_by) == (food, ada.account_id)
    ada_s.post("/expenses/entries/new", form(purse, kind="in", payee="baker"))
    assert len(all_of(runtime, Payee)) == 1
    page = ada_s.get("/expenses/entries").text
    assert "-€1,234.56" in page
    assert "+€12.50" in page.replace("+<span", "<span").replace('<span class="money">', "+") or "€12.50" in page


@pytest.mark.parametrize(
    ("field", "text", "words"),
    [
        ("amount", "1e9", "exponent"), ("amount", "NaN", "no amount"), ("amount", "(12.00)", "without a minus"),
        ("amount", "1,234", "can mean 1234 or 1.2340"), ("amount", "0", "above zero"), ("amount", "", "Fill this in"),
        ("amount", "0.125", "EUR has 2 decimals"), ("amount", "9" * 20, "thousand millions"),
        ("on", "31/02", "with its year"), ("on", "13/13/24", "four digits"), ("on", "31.02.2026", "no such day"),
        ("on", "1/2/26", "four digits"), ("on", "03/04/2026", "can mean"), ("on", "tomorrow", "is no day"),
        ("on", "0001-01-01", "Choose a year"), ("purse", "", "Choose one of these"), ("kind", "sideways", "Choose one"),
        ("purse", "nowhere", "your accounts"), ("category", "nothing", "your categories"),
        ("note", "x" * 501, "at most 500"), ("payee", "x" * 121, "at most 120"),
    ],
)  # fmt: skip
def test_each_bad_field_has_its_message_beside_it_and_nothing_is_written(
    ada_s: Browser, runtime: Runtime, ada: Person, purse: str, field: str, text: str, words: str
) -> None:
    answer = ada_s.post("/expenses/entries/new", form(purse, **{field: text}))
    assert answer.status_code == 422
    assert words in answer.text
    if field != "kind":
        assert f'id="{field}-error"' in answer.text
    assert entries(runtime, ada) == []


def test_html_in_a_note_stays_text(ada_s: Browser, runtime: Runtime, ada: Person, purse: str) -> None:
    evil = "<script>alert(1)</script>"
    ada_s.post("/expenses/entries/new", form(purse, payee=f"{evil} shop", note=evil))
    for path in ("", "/entries", "/charts", "/payees", f"/accounts/{purse}", "/entries/new"):
        assert evil not in ada_s.get(f"/expenses{path}").text
    assert entries(runtime, ada)[0].note == evil


def test_a_payment_is_split_and_its_parts_must_come_to_the_whole(
    ada_s: Browser, runtime: Runtime, ada: Person, purse: str
) -> None:
    food, home = category_of(runtime, ada), category_of(runtime, ada, "Home")
    parts = {"part-0-amount": "10", "part-0-category": food, "part-1-amount": "-2", "part-1-note": "voucher",
             "part-3-amount": "4.50", "part-3-category": home}  # fmt: skip
    answer = ada_s.post("/expenses/entries/new", form(purse, **parts, payee="Market"))
    assert answer.status_code == 303
    rows = entries(runtime, ada)
    assert sorted(row.amount for row in rows) == [-10, Decimal("-4.5"), 2]
    assert len({row.split_id for row in rows}) == 1
    refused = ada_s.post("/expenses/entries/new", form(purse, amount="20", **parts))
    assert refused.status_code == 422
    assert "The parts come to 12.5, the whole is 20: 7.5 is missing." in refused.text
    wrong = ada_s.post("/expenses/entries/new", form(purse, **parts | {"part-3-amount": "what"}))
    assert 'id="part-2-amount-error"' in wrong.text  # the empty line in between is gone
    assert len(entries(runtime, ada)) == 3


def test_a_split_payment_is_changed_as_a_whole_and_goes_as_a_whole(
    ada_s: Browser, runtime: Runtime, ada: Person, purse: str
) -> None:
    parts = {"part-0-amount": "10", "part-1-amount": "2.50"}
    ada_s.post("/expenses/entries/new", form(purse, **parts))
    _, second = entries(runtime, ada)
    page = ada_s.get(f"/expenses/entries/{second.id}/edit").text
    assert 'value="12.50"' in page
    assert 'value="2.50"' in page
    one = form(purse, amount="9", on="2026-03-20", **{"part-0-amount": "9"})
    assert ada_s.post(f"/expenses/entries/{second.id}/edit", one).status_code == 303
    (left,) = entries(runtime, ada)
    assert (left.amount, left.on, left.split_id) == (Decimal(-9), date(2026, 3, 20), None)
    ada_s.post(f"/expenses/entries/{left.id}/edit", form(purse, **parts))
    assert len(entries(runtime, ada)) == 2
    asked = ada_s.get(f"/expenses/entries/{left.id}/delete").text
    assert "Delete these 2 entries?" in asked
    ada_s.post("/expenses/entries/delete", {"ids": [left.id]})
    assert entries(runtime, ada) == []


def test_a_double_click_writes_one_entry(ada_s: Browser, runtime: Runtime, ada: Person, purse: str) -> None:
    same = form(purse, key="form:once")
    assert [ada_s.post("/expenses/entries/new", same).status_code for _ in range(2)] == [303, 303]
    assert ada_s.post("/expenses/entries/new", {**same, "amount": "13"}).status_code == 409
    assert len(entries(runtime, ada)) == 1


def test_a_transfer_is_two_entries_and_no_spending(ada_s: Browser, runtime: Runtime, ada: Person, purse: str) -> None:
    savings, dollars = purse_of(runtime, ada, "Savings"), purse_of(runtime, ada, "Dollars", "USD")
    moved = {"from": purse, "to": savings, "amount": "100", "received": "", "on": "2026-03-14"}
    assert ada_s.post("/expenses/transfers/new", moved).status_code == 303
    out, back = sorted(entries(runtime, ada), key=lambda row: row.amount)
    assert (out.purse_id, out.amount, back.purse_id, back.amount) == (purse, Decimal(-100), savings, Decimal(100))
    assert out.transfer_id == back.transfer_id
    for wrong, words in (
        ({"to": purse}, "two different"), ({"received": "99"}, "what arrives is what left"),
        ({"to": dollars}, "arrived, in USD"), ({"to": dollars, "received": "0"}, "above zero"),
        ({"amount": "-5"}, "without a minus"),
    ):  # fmt: skip
        answer = ada_s.post("/expenses/transfers/new", {**moved, **wrong})
        assert (answer.status_code, words in answer.text) == (422, True), wrong
    changed = {**moved, "to": dollars, "received": "110"}
    assert ada_s.post(f"/expenses/entries/{back.id}/edit", changed).status_code == 303
    out, back = sorted(entries(runtime, ada), key=lambda row: row.amount)
    assert (back.purse_id, back.amount, back.currency) == (dollars, Decimal(110), "USD")
    assert "nothing to draw yet" in ada_s.get("/expenses/charts").text
    ada_s.post("/expenses/entries/delete", {"ids": [out.id]})
    assert entries(runtime, ada) == []


def test_two_entries_are_made_one_transfer_only_when_they_fit(
    ada_s: Browser, runtime: Runtime, ada: Person, purse: str
) -> None:
    savings = purse_of(runtime, ada, "Savings")
    out, same, back, odd = (
        entry_of(runtime, ada, where, amount)
        for where, amount in ((purse, "-50"), (purse, "50"), (savings, "50"), (savings, "49"))
    )
    for ids in ([out], [out, same], [out, odd], [out, back, odd]):
        ada_s.post("/expenses/entries/many", {"action": "pair", "ids": ids})
        assert not any(row.transfer_id for row in entries(runtime, ada))
    ada_s.post("/expenses/entries/many", {"action": "pair", "ids": [out, back]})
    assert {row.id for row in entries(runtime, ada) if row.transfer_id} == {out, back}


def test_many_entries_get_a_category_and_transfers_none(
    ada_s: Browser, runtime: Runtime, ada: Person, purse: str
) -> None:
    food = category_of(runtime, ada)
    ids = [entry_of(runtime, ada, purse, "-1") for _ in range(3)] + [
        entry_of(runtime, ada, purse, "-1", transfer_id="t")
    ]
    ada_s.post("/expenses/entries/many", {"action": "categorise", "ids": ids, "to_category": food})
    assert [row.category_id for row in entries(runtime, ada)].count(food) == 3
    ada_s.post("/expenses/entries/many", {"action": "categorise", "ids": ids[:1], "to_category": "none"})
    assert [row.category_id for row in entries(runtime, ada)].count(food) == 2
    assert "tick the box" in ada_s.post("/expenses/entries/many", {"action": "pair"}, follow_redirects=True).text


def test_the_list_is_searched_paged_and_downloaded(ada_s: Browser, runtime: Runtime, ada: Person, purse: str) -> None:
    food, shop = category_of(runtime, ada), payee_of(runtime, ada, "100 % Tea_House")
    for number in range(1, 56):
        entry_of(runtime, ada, purse, f"-{number}", date(2026, 1, 1 + number % 28), note=f"note {number}!")
    entry_of(runtime, ada, purse, "-77.70", category_id=food, payee_id=shop, note="=cmd|'/c calc'!A1")

    def found(query: str) -> int:
        return ada_s.get(f"/expenses/entries?{query}").text.count('name="ids"')

    assert found("") == 50
    following = ada_s.get("/expenses/entries").text.partition('rel="next" href="')[2].partition('"')[0]
    assert ada_s.get(following.replace("&amp;", "&")).text.count('name="ids"') == 6
    assert (
        found("q=NOTE+7!") == found("q=tea_house") == found("q=100+%25") == found("q=grocer") == found("q=77,70") == 1
    )
    assert found("q=tea%25house") == 0  # % is itself, and no joker
    assert found(f"category={food}") == found(f"payee={shop}") == 1
    assert found("category=none&least=50&most=52") == 3
    assert found("since=2026-03-01&until=2026-03-31") == 1
    assert found("kind=in") == found("kind=transfer") == 0
    bad = ada_s.get("/expenses/entries?since=31/02&least=1e9")
    assert (bad.status_code, "with its year" in bad.text, "exponent" in bad.text) == (422, True, True)
    assert ada_s.get("/expenses/entries?after=nonsense").status_code == 404
    lines = ada_s.get(f"/expenses/entries/download?category={food}").data.decode("utf-8-sig").splitlines()
    assert len(lines) == 2
    assert lines[1] == "2026-03-14,Bank,100 % Tea_House,Groceries,-77.7,EUR,'=cmd|'/c calc'!A1,,"
