"""A month of expenses imported through the web from two differently shaped bank files; then edits; who is told what."""

import io
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from sqlalchemy import select

from models.alert import FIRING, Alert, Move, Notice
from models.ledger import Category, Entry
from models.run import QUEUED, Run
from models.session import EVERYONE
from tests.conftest import Person
from tests.front import WORKER, run_id
from tests.ledger_rows import household
from tests.test_budget_pages import make
from tests.web_fixtures import Browser
from workers.execute import execute
from workers.runtime import Runtime


def waiting(runtime: Runtime, kind: str) -> list[str]:
    with runtime.database.read(EVERYONE) as session:
        return list(session.scalars(select(Run.id).where(Run.kind == kind, Run.state == QUEUED)))


def scanned(runtime: Runtime) -> int:
    """What a worker does with the scans that wait → how many there were."""
    found = waiting(runtime, "budget")
    for run in found:
        assert execute(runtime, run, WORKER) == "succeeded"
    return len(found)


def imported(browser: Browser, runtime: Runtime, name: str, text: str, account: str) -> None:
    """Handed over, looked at, and written, as a person does."""
    form = {"files": (io.BytesIO(text.encode()), name), "subject": "expenses", "account": account, "currency": "EUR"}
    answer = browser.post("/imports", form, content_type="multipart/form-data")
    assert execute(runtime, run_id(answer), WORKER) == "succeeded"
    found = re.findall(r'href="(/imports/[0-9a-f]{28})"', browser.get("/imports").text)[0]
    assert execute(runtime, run_id(browser.post(f"{found}/apply")), WORKER) == "succeeded"


def bank_file(days: list[date]) -> str:
    """Semicolons, decimal commas, days as in Germany."""
    rows = [f"{day:%d.%m.%Y};Markt;Groceries;-{2 + number},50" for number, day in enumerate(days)]
    return "Datum;Empfänger;Kategorie;Betrag\n" + "\n".join(rows)


def quicken_file(days: list[date]) -> str:
    rows = [f"D{day:%Y-%m-%d}\nT-{3 + number}.00\nPBakery\nLGroceries\n^\n" for number, day in enumerate(days)]
    return "!Type:Bank\n" + "".join(rows)


def told(runtime: Runtime, person: Person) -> list[str]:
    """What the person is to be told, in order."""
    with runtime.database.read(EVERYONE) as session:
        mine = select(Move).join(Notice, Notice.move_id == Move.id).where(Notice.account_id == person.account_id)
        return [move.what for move in session.scalars(mine.order_by(Move.at, Move.id))]


def edit(browser: Browser, entry: str, purse: str, category: str, amount: str, on: date) -> None:
    form = {"purse": purse, "category": category, "amount": amount, "on": on.isoformat(), "kind": "out"}
    answer = browser.post(f"/expenses/entries/{entry}/edit", form)
    assert answer.status_code == 303, answer.text


def test_two_bank_files_an_edit_past_80_one_past_100_and_a_delete_are_two_warnings_and_one_resolution(
    ada_s: Browser, runtime: Runtime, ada: Person
) -> None:
    home = household(runtime, ada)
    groceries = home.category("Groceries")
    today = datetime.now(UTC).date()
    days = [max(today - timedelta(back), today.replace(day=1)) for back in range(8)]
    budget = make(ada_s, category=groceries, limit="200")
    scanned(runtime)
    imported(ada_s, runtime, "umsatz.csv", bank_file(days), "Bank")  # 2.50 to 9.50: 48
    imported(ada_s, runtime, "card.qif", quicken_file(days[:4]), "Card")  # 3 to 6: 18
    assert scanned(runtime) == 1, "two imports of many lines are one scan"
    with runtime.database.read(EVERYONE) as session:
        entries = session.scalars(select(Entry).order_by(Entry.amount)).all()
        assert sum(entry.amount for entry in entries) == Decimal(-66)
        assert session.scalars(select(Category.name)).all() == ["Groceries"]
    assert told(runtime, ada) == []

    largest = entries[0]
    for amount, steps in (("110.00", ["opened"]), ("149.50", ["opened", "levelled"])):
        edit(ada_s, largest.id, largest.purse_id, groceries, amount, largest.on)
        assert scanned(runtime) == 1
        assert told(runtime, ada) == steps
    assert "used up" in ada_s.get(f"/expenses/budgets/{budget}").text
    ada_s.post("/expenses/entries/delete", {"ids": [largest.id], "sure": "yes"})
    assert scanned(runtime) == 1
    assert told(runtime, ada) == ["opened", "levelled", "resolved"]
    with runtime.database.read(EVERYONE) as session:
        assert session.scalars(select(Alert).where(Alert.state == FIRING)).all() == []
    imported_again = bank_file(days)
    imported(ada_s, runtime, "umsatz.csv", imported_again, "Bank")
    scanned(runtime)
    assert told(runtime, ada) == ["opened", "levelled", "resolved"]
