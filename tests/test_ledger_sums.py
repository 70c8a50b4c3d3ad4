"""What entries come to: every sum says the same of splits, transfers, refunds and several currencies."""

from datetime import date
from decimal import Decimal
from random import Random

from models.ledger import Purse
from tasks.books import ledger, ledger_search, ledger_sums, transfers
from tasks.books.ledger import Part, Payment
from tasks.books.ledger_search import Filters
from tasks.books.ledger_sums import Flow
from tests.conftest import Person
from tests.purse_rows import category_of, entry_of, purse_of
from workers.runtime import Runtime

SINCE, UNTIL = date(2026, 1, 1), date(2026, 3, 31)
MONTHS = [date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)]


def test_a_refund_makes_its_category_cheaper_and_what_has_none_is_told_by_its_sign(
    runtime: Runtime, ada: Person
) -> None:
    bank, food, pay = purse_of(runtime, ada), category_of(runtime, ada), category_of(runtime, ada, "Income")
    for amount, category in (("-50", food), ("8.50", food), ("2000", pay), ("-3", pay), ("-7", None), ("4", None)):
        entry_of(runtime, ada, bank, amount, date(2026, 2, 3), category_id=category)
    with runtime.database.read(ada.workspace_id) as session:
        cells = ledger_sums.cells(session, SINCE, UNTIL)
    assert ledger_sums.by_category(cells, "EUR") == {
        food: Flow(spent=Decimal("41.5")), pay: Flow(earned=Decimal(1997)), None: Flow(Decimal(7), Decimal(4)),
    }  # fmt: skip
    assert ledger_sums.flow(cells, "EUR") == Flow(Decimal("48.5"), Decimal(2001))
    assert ledger_sums.flow(cells, "USD") == Flow()


def test_split_parts_count_once_and_transfers_are_no_spending(runtime: Runtime, ada: Person) -> None:
    bank, dollars = purse_of(runtime, ada, opening="100"), purse_of(runtime, ada, "Dollars", "USD")
    food, home = category_of(runtime, ada), category_of(runtime, ada, "Home")
    with runtime.database.write(ada.workspace_id) as session:
        parts = (Part(Decimal(-30), food), Part(Decimal("-12.5"), home), Part(Decimal("2.5"), food, "voucher"))
        ledger.add(session, Payment(bank, date(2026, 1, 31), parts, "Market"), ada.account_id)
        moved = transfers.Transfer(bank, dollars, date(2026, 2, 1), Decimal(20), Decimal(22))
        transfers.transfer(session, moved, ada.account_id)
    with runtime.database.read(ada.workspace_id) as session:
        cells = ledger_sums.cells(session, SINCE, UNTIL)
        payees = ledger_sums.by_payee(session, SINCE, UNTIL, "EUR", 5)
        purses = [ledger.find(session, Purse, each) for each in (bank, dollars)]
        known = [purse for purse in purses if purse]
        held = ledger_sums.balances(session, known, UNTIL)
        before = ledger_sums.balances(session, known, date(2026, 1, 31))
        ends = ledger_sums.month_ends(session, known[:1], MONTHS)
        found = ledger_search.total(session, Filters(kind="out"))
    months = ledger_sums.by_month(cells, "EUR", MONTHS)
    assert [flow.spent for flow in months.values()] == [Decimal(40), 0, 0]
    assert {key: flow.spent for key, flow in ledger_sums.by_category(cells, "EUR").items()} == {
        food: Decimal("27.5"), home: Decimal("12.5"),
    }  # fmt: skip
    assert [(payee and payee.name, amount) for payee, amount in payees] == [("Market", Decimal(40))]
    assert held == {bank: Decimal(40), dollars: Decimal(22)}
    assert before == {bank: Decimal(60), dollars: Decimal(0)}
    assert list(ends.values()) == [Decimal(60), Decimal(40), Decimal(40)]
    assert (found.count, found.sums) == (2, {"EUR": Decimal("-42.5")})


def test_all_sums_of_many_entries_agree_to_the_cent(runtime: Runtime, ada: Person) -> None:
    chance = Random(7)
    purses = [purse_of(runtime, ada, f"P{number}", opening="10.01") for number in range(3)]
    kinds: list[str | None] = [category_of(runtime, ada, f"C{number}") for number in range(4)]
    with runtime.database.write(ada.workspace_id) as session:
        for _ in range(150):
            on = date.fromordinal(SINCE.toordinal() + chance.randrange(90))
            if chance.random() < 0.2:
                source, target = chance.sample(purses, 2)
                moved = transfers.Transfer(source, target, on, Decimal(chance.randrange(1, 9999)) / 100)
                transfers.transfer(session, moved, None)
                continue
            some = [
                Part(Decimal(chance.choice((-1, 1)) * chance.randrange(1, 9999)) / 100, chance.choice([*kinds, None]))
                for _ in range(chance.choice((1, 1, 1, 3)))
            ]
            ledger.add(session, Payment(chance.choice(purses), on, tuple(some)), None)
    with runtime.database.read(ada.workspace_id) as session:
        cells = ledger_sums.cells(session, SINCE, UNTIL)
        all_of_them = ledger_search.total(session, Filters())
        rows = [purse for each in purses if (purse := ledger.find(session, Purse, each))]
        held = ledger_sums.balances(session, rows, UNTIL)
        ends = ledger_sums.month_ends(session, rows, MONTHS)
        lines = list(ledger_search.everything(lambda: runtime.database.read(ada.workspace_id), Filters()))
    left = ledger_sums.flow(cells, "EUR").left
    assert left == all_of_them.sums["EUR"] == sum(line.amount for line in lines)
    assert sum(flow.left for flow in ledger_sums.by_month(cells, "EUR", MONTHS).values()) == left
    assert sum(flow.left for flow in ledger_sums.by_category(cells, "EUR").values()) == left
    assert sum(held.values()) == ends[MONTHS[-1]] == left + Decimal("30.03")


def test_months_are_those_of_the_calendar() -> None:
    assert ledger_sums.months(date(2026, 3, 31), 3) == MONTHS
    assert ledger_sums.months(date(2024, 2, 29), 14)[0] == date(2023, 1, 1)
