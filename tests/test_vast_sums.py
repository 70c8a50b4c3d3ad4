"""Amounts that add up to more than a database's whole numbers: their owner's pages answer, and so does all else."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.exc import DataError, OperationalError, StatementError

from models.alert import Alert, Wish
from models.base import Fixed, new_id, total
from models.delivery import Delivery
from models.engine import of_data
from models.ledger import Entry
from models.run import Run
from models.session import EVERYONE
from models.stock import Movement
from models.workspace import SYSTEM
from tasks import discover
from tasks.handover import HandedOver
from tests.conftest import Person
from tests.front import WORKER, browser_of, token_of
from tests.ledger_rows import Household, household
from tests.stock_rows import product, today
from workers.enqueue import submit
from workers.execute import execute
from workers.runtime import Runtime

VAST = Fixed.MOST  # two of them are more than 2**63 ten-thousandths


@pytest.fixture
def home(runtime: Runtime, ada: Person) -> Household:
    return household(runtime, ada)


def fill(home: Household, amount: Decimal = -VAST) -> None:
    """A budget, and what it was spent on today."""
    home.budget(100, period="year")
    for _ in range(3):
        home.entry(str(amount), datetime.now(UTC).date())


def scheduled(runtime: Runtime, kind: str) -> Run:
    job = discover()[kind]
    with runtime.database.write(SYSTEM) as session:
        run_id = submit(runtime, session, job, HandedOver(job.params()), SYSTEM, account_id=None).id
    execute(runtime, run_id, WORKER)
    with runtime.database.read(EVERYONE) as session:
        return session.scalars(select(Run).where(Run.id == run_id)).one()


def warned(runtime: Runtime, person: Person) -> int:
    with runtime.database.read(person.workspace_id) as session:
        return session.scalar(select(func.count()).select_from(Alert)) or 0


@pytest.mark.parametrize(
    "amounts",
    [[VAST, -VAST, VAST, Decimal("-0.0003")], [Decimal("-0.0001")] * 5, [Decimal("429496.7296"), Decimal(-7)]],
)
def test_a_sum_is_exact_while_it_is_a_whole_number_of_the_database(home: Household, amounts: list[Decimal]) -> None:
    for amount in amounts:
        home.entry(str(amount), date(2026, 11, 1))
    with home.runtime.database.read(home.person.workspace_id) as session:
        assert session.scalar(select(total(Entry.amount))) == sum(amounts)
        assert session.scalar(select(total(Entry.amount)).where(Entry.amount == Decimal("0.5"))) is None


def test_what_no_database_keeps_is_refused_before_it_is_asked(home: Household) -> None:
    with pytest.raises(StatementError, match="too large"):
        home.entry(str(Fixed.MOST + 1), date(2026, 11, 1))


def test_the_owner_s_pages_answer(app: Flask, home: Household) -> None:
    fill(home)
    client, header = browser_of(app, home.runtime, home.person), token_of(home.runtime, home.person)
    for page in ("", "/accounts", "/charts", "/entries", "/budgets", f"/accounts/{home.purse}"):
        assert client.get(f"/expenses{page}").status_code == 200, page
    assert client.get("/digest").status_code == 200
    for page in ("accounts", "budgets"):
        assert app.test_client().get(f"/api/v1/expenses/{page}", headers=header).status_code == 200, page


def test_everybody_is_warned_and_gets_a_digest(runtime: Runtime, home: Household, grace: Person) -> None:
    theirs = household(runtime, grace)
    fill(home)
    fill(theirs, Decimal(-90))
    run = scheduled(runtime, "budget")
    assert run.state == "succeeded", run.error
    assert run.result is not None
    assert (run.result["budgets"], run.result["left_out"]) == (2, 0)
    assert warned(runtime, grace) == warned(runtime, home.person) == 1
    with runtime.database.write(EVERYONE) as session:
        session.add_all(Wish(account_id=each.account_id, next_due=1) for each in (home.person, grace))
    assert scheduled(runtime, "digest").state == "succeeded"
    with runtime.database.read(EVERYONE) as session:
        assert len(session.scalars(select(Delivery)).all()) == 2


def test_a_workspace_that_cannot_be_reckoned_is_left_out_and_told(
    runtime: Runtime, home: Household, grace: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(home)
    fill(household(runtime, grace), Decimal(-90))
    monkeypatch.setattr("tasks.books.budget_sums.total", func.sum)  # a database whose sums have an end
    run = scheduled(runtime, "budget")
    assert run.state == "succeeded", run.error
    assert run.result is not None
    assert (run.result["budgets"], run.result["left_out"]) == (1, 1)
    assert "1 not reckoned" in run.headline
    assert (warned(runtime, grace), warned(runtime, home.person)) == (1, 0)


def test_a_part_of_a_digest_that_fails_for_all_together_is_made_for_each(
    runtime: Runtime, home: Household, grace: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = household(runtime, grace)
    fill(home)
    fill(theirs, Decimal(-90))
    monkeypatch.setattr("tasks.books.budget_sums.total", func.sum)
    with runtime.database.write(EVERYONE) as session:
        session.add_all(Wish(account_id=each.account_id, next_due=1, pictures=False) for each in (home.person, grace))
    assert scheduled(runtime, "budget").state == "succeeded"
    assert scheduled(runtime, "digest").state == "succeeded"
    with runtime.database.read(EVERYONE) as session:
        (letter,) = session.scalars(select(Delivery)).all()
    assert letter.account_id == grace.account_id
    assert "/expenses/budgets" in letter.text


@pytest.mark.parametrize("only", [True, False])
def test_the_stock_of_all_others_is_judged_too(
    runtime: Runtime, ada: Person, grace: Person, monkeypatch: pytest.MonkeyPatch, only: bool
) -> None:
    for person, amount in ((ada, VAST), (grace, Decimal(1))):
        with runtime.database.write(person.workspace_id) as session:
            made = product(session, "Chai", reorder_level=5)
            row = {"workspace_id": person.workspace_id, "product_id": made.id, "kind": "sale", "on": today()}
            session.add_all(Movement(id=new_id(), quantity=-amount, **row) for _ in range(3))
    if not only:
        monkeypatch.setattr("tasks.inventory.stock_figures.total", func.sum)
    run = scheduled(runtime, "stock")
    assert run.state == "succeeded", run.error
    assert run.result is not None
    assert (run.result["products"], run.result["left_out"]) == ((2, 0) if only else (1, 1))
    assert warned(runtime, grace) == 1


def test_more_than_can_be_kept_has_rolled_over(app: Flask, home: Household) -> None:
    since = date(1990, 1, 1)
    budget = home.budget(str(10**12), rollover=True, since=since, period="week")
    client = browser_of(app, home.runtime, home.person)
    fields = {"name": "Food", "category": home.category("Groceries"), "limit": "5", "currency": "EUR"}
    fields |= {"period": "week", "starts": "1", "rollover": "yes", "since": since.isoformat()}
    answer = client.post(f"/expenses/budgets/{budget}/edit", fields)
    assert answer.status_code == 422
    assert "too much to keep" in answer.text


def test_a_database_that_is_away_is_none_whose_rows_are_at_fault() -> None:
    for error in ("integer overflow", "(1690, 'BIGINT value is out of range')"):
        assert of_data(OperationalError("", {}, Exception(error)))
    assert of_data(DataError("", {}, Exception("bigint out of range")))
    assert not of_data(OperationalError("", {}, Exception("database is locked")))
