"""Importing a bank's file: previewed, written once, known again, taken back."""

import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, select, update

import tasks
from models.artifact import Upload
from models.base import new_id
from models.intake import READING, Intake, IntakeLine
from models.ledger import Category, Entry, Payee, Purse
from models.run import Run
from models.session import EVERYONE
from models.workspace import SYSTEM
from tasks.handover import HandedOver
from tests.conftest import Person
from tests.front import WORKER, the_run
from tests.import_files import (
    BANK,
    counts,
    entries,
    intake_of,
    intakes,
    lines,
    read,
    step,
    table_sizes,
)  # fmt: skip
from tests.test_import_formats import FIREFLY, QIF
from workers.enqueue import submit
from workers.execute import execute
from workers.runtime import Runtime


def test_nothing_is_written_before_somebody_says_so_and_then_all_of_it(
    runtime: Runtime, ada: Person, tmp_path: Path
) -> None:
    found = read(runtime, ada, BANK, tmp_path)
    assert counts(found) == (3, 0, 0, 0)
    assert table_sizes(runtime) == {}
    done = step(runtime, ada, found)
    assert done.result
    assert done.result["count"] == 3
    assert table_sizes(runtime) == {"entry": 3, "purse": 1, "payee": 2}
    assert lines(runtime, found) == []
    upload = runtime.storage.listed()
    assert list(upload) == [], "the bank's file is deleted once it is imported"


def test_the_same_file_again_does_nothing_and_equal_rows_are_counted(
    runtime: Runtime, ada: Person, tmp_path: Path
) -> None:
    step(runtime, ada, read(runtime, ada, BANK, tmp_path))
    assert counts(read(runtime, ada, BANK, tmp_path)) == (0, 3, 0, 0)
    overlapping = BANK.partition("\n")[0] + "\n" + "2026-01-02,Bakery,Coffee,-3.20\n" * 3 + "2026-01-03,Market,,-9.99\n"
    found = read(runtime, ada, overlapping, tmp_path)
    assert [line.state for line in lines(runtime, found)] == ["duplicate", "duplicate", "new", "new"]
    step(runtime, ada, found)
    assert table_sizes(runtime)["entry"] == 5


def test_a_file_of_another_shape_with_the_same_words_is_known_again(
    runtime: Runtime, ada: Person, tmp_path: Path
) -> None:
    step(runtime, ada, read(runtime, ada, BANK, tmp_path))
    other = "Amount;Text;Merchant;Day\n-800,00;Rent;Landlord;01.01.2026\n-3,20;Coffee;Bakery;02.01.2026\n"
    assert counts(read(runtime, ada, other, tmp_path)) == (0, 2, 0, 0)


def test_two_previews_of_one_file_are_not_both_written(runtime: Runtime, ada: Person, tmp_path: Path) -> None:
    first, second = read(runtime, ada, BANK, tmp_path), read(runtime, ada, BANK, tmp_path)
    step(runtime, ada, first)
    done = step(runtime, ada, second)
    assert done.result
    assert (done.result["count"], done.result["known"]) == (0, 3)
    assert table_sizes(runtime)["entry"] == 3
    again = step(runtime, ada, first)
    assert again.state == "failed"
    assert again.error
    assert "applied" in again.error


def test_undo_deletes_exactly_what_was_written(runtime: Runtime, ada: Person, tmp_path: Path) -> None:
    step(runtime, ada, read(runtime, ada, BANK, tmp_path))
    later = read(
        runtime, ada, "Date,Payee,Category,Amount\n2026-02-01,Bakery,Food,-1\n2026-02-02,Zoo,Fun,-2\n", tmp_path
    )
    step(runtime, ada, later)
    assert table_sizes(runtime) == {"entry": 5, "purse": 1, "payee": 3, "category": 2}
    with runtime.database.write(EVERYONE) as session:  # somebody uses what the import made
        fun = session.scalars(select(Category).where(Category.name == "Fun")).one()
        session.execute(update(Payee).where(Payee.name == "Bakery").values(category_id=fun.id))
    step(runtime, ada, later, "undo")
    assert table_sizes(runtime) == {"entry": 3, "purse": 1, "payee": 2, "category": 1}
    assert counts(read(runtime, ada, BANK, tmp_path)) == (0, 3, 0, 0)


def test_what_was_changed_since_stays_unless_it_is_to_go(runtime: Runtime, ada: Person, tmp_path: Path) -> None:
    found = read(runtime, ada, BANK, tmp_path)
    step(runtime, ada, found)
    with runtime.database.write(EVERYONE) as session:
        session.execute(update(Entry).where(Entry.note == "Rent").values(note="Rent and heating"))
    done = step(runtime, ada, found, "undo")
    assert done.result
    assert (done.result["count"], done.result["kept"]) == (2, 1)
    assert [note for note, _amount in entries(runtime)] == ["Rent and heating"]
    other = read(runtime, ada, BANK, tmp_path)
    assert counts(other) == (2, 1, 0, 0), "what stayed is known again"
    step(runtime, ada, other)
    with runtime.database.write(EVERYONE) as session:
        session.execute(update(Entry).values(note="Everything else"))
    step(runtime, ada, other, "undo", also=True)
    assert len(entries(runtime)) == 1


def test_a_payee_s_category_is_proposed_and_a_category_by_hand_is_no_change(
    runtime: Runtime, ada: Person, tmp_path: Path
) -> None:
    found = read(runtime, ada, BANK, tmp_path)
    step(runtime, ada, found)
    food = new_id()
    with runtime.database.write(ada.workspace_id) as session:
        session.add(Category(id=food, name="Food"))
        session.flush()
        session.execute(update(Payee).where(Payee.name == "Bakery").values(category_id=food))
        session.execute(update(Entry).values(category_id=food))
    more = read(runtime, ada, "Date,Payee,Amount\n2026-03-01,Bakery,-4\n", tmp_path)
    what = lines(runtime, more)[0].what
    assert what
    assert (what["category"], what["proposed"]) == ("Food", True)
    done = step(runtime, ada, found, "undo")
    assert done.result
    assert done.result["kept"] == 0


def test_lines_of_another_currency_than_their_account_are_wrong(runtime: Runtime, ada: Person, tmp_path: Path) -> None:
    with runtime.database.write(ada.workspace_id) as session:
        session.add(Purse(name="Dollars", currency="USD", number="US 12 34"))
    text = "Date,IBAN,Payee,Currency,Amount\n2026-01-01,US1234,Shop,USD,-1\n2026-01-02,US1234,Shop,EUR,-2\n"
    found = read(runtime, ada, text, tmp_path, account="")
    assert [line.reason for line in lines(runtime, found)] == [
        "", "This line is in EUR, and the account “Dollars” is in USD.",
    ]  # fmt: skip


def test_a_file_that_names_no_account_needs_one(runtime: Runtime, ada: Person, tmp_path: Path) -> None:
    failed = read(runtime, ada, BANK, tmp_path, account="")
    assert failed.error == "Say which account this file is of: choose one, or give a new one's name."
    assert intakes(runtime) == []
    step(runtime, ada, read(runtime, ada, BANK, tmp_path))
    assert counts(read(runtime, ada, BANK, tmp_path, account="")) == (0, 3, 0, 0), "the only account is taken"


def test_splits_and_transfers_become_what_they_are(runtime: Runtime, ada: Person, tmp_path: Path) -> None:
    step(runtime, ada, read(runtime, ada, QIF, tmp_path, account=""))
    step(runtime, ada, read(runtime, ada, FIREFLY, tmp_path, account=""))
    with runtime.database.read(EVERYONE) as session:
        rows = session.execute(
            select(Entry.split_id, Entry.transfer_id, Entry.amount, Purse.name).join(Purse, Purse.id == Entry.purse_id)
        ).all()
    splits: dict[str, int] = {}
    transfers: dict[str, list[Any]] = {}
    for row in rows:
        if row.split_id:
            splits[row.split_id] = splits.get(row.split_id, 0) + 1
        if row.transfer_id:
            transfers.setdefault(row.transfer_id, []).append((row.name, int(row.amount)))
    assert sorted(splits.values()) == [2, 2]
    assert sorted(sorted(each) for each in transfers.values()) == [
        [("Checking", -50), ("Dollars", 55)], [("Household", -300), ("Savings", 300)],
    ]  # fmt: skip


def test_a_file_that_breaks_at_its_end_leaves_nothing(runtime: Runtime, ada: Person, tmp_path: Path) -> None:
    big = "Date,Payee,Note,Amount\n" + "2026-01-01,P,N,-1\n" * 60_000  # too large to be read through at the form
    big = big.replace("P,N", "P" * 20 + "," + "N" * 20)
    failed = read(runtime, ada, big + '2026-01-02,"open,,-1\n' + "2026-01-02,P,,-1\n" * 200, tmp_path)
    assert (
        failed.error
        == "The quotation mark that opens in line 60002 is never closed; close it in the file, or export it again."
    )
    assert intakes(runtime) == []
    with runtime.database.read(EVERYONE) as session:
        assert session.scalars(select(IntakeLine).limit(1)).first() is None


def test_a_second_attempt_begins_clean(runtime: Runtime, ada: Person, tmp_path: Path) -> None:
    """A worker was lost in the middle of reading: what it had written of the preview goes before the next reads on."""
    with runtime.database.write(ada.workspace_id) as session:
        session.add(Run(id=new_id(), kind="importing", queue="default", params={}, state="queued"))
    found = read(runtime, ada, BANK, tmp_path)
    with runtime.database.write(ada.workspace_id) as session:
        half = Intake(run_id=found.id, subject="expenses", name="x", sha256="0" * 64, state=READING)
        session.add(half)
        session.flush()
        session.add(IntakeLine(intake_id=half.id, number=2, state="new", what={}))
        session.execute(
            update(Run).where(Run.id == found.id).values(state="queued", attempt=1, lease_until=None, finished_at=None)
        )
    assert execute(runtime, found.id, WORKER) == "succeeded"
    assert [each.state for each in intakes(runtime)] == ["previewed", "previewed"]
    assert len(lines(runtime, the_run(runtime, found.id))) == 3


def test_another_workspace_s_lines_accounts_and_imports_are_not_seen(
    runtime: Runtime, ada: Person, grace: Person, tmp_path: Path
) -> None:
    mine = read(runtime, ada, BANK, tmp_path)
    step(runtime, ada, mine)
    theirs = read(runtime, grace, BANK, tmp_path)
    assert counts(theirs) == (3, 0, 0, 0)
    failed = step(runtime, grace, intake_of(mine), "undo")
    assert failed.error == "This import is not there any more; read the file again."
    step(runtime, grace, theirs)
    step(runtime, grace, theirs, "undo")
    assert table_sizes(runtime) == {"entry": 3, "purse": 1, "payee": 2}


def table_of(many: int) -> str:
    days = (f"2026-{at % 12 + 1:02d}-{at % 28 + 1:02d}" for at in range(many))
    return "Date,Payee,Note,Amount\n" + "".join(
        f"{day},Payee {at % 300},Number {at},-{at % 90 + 1}.00\n" for at, day in enumerate(days)
    )


@pytest.mark.sqlite
def test_memory_is_flat_and_statements_are_few_however_many_lines(
    runtime: Runtime, ada: Person, tmp_path: Path
) -> None:
    asked: list[str] = []
    event.listen(runtime.database.engine, "before_cursor_execute", lambda *told: asked.append(told[2]))
    peaks, statements = [], []
    for many in (1_000, 4_000):
        asked.clear()
        tracemalloc.start()
        found = read(runtime, ada, table_of(many), tmp_path, account=f"Bank {many}")
        done = step(runtime, ada, found)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        statements.append(len(asked))
        assert done.result
        assert done.result["count"] == many
    assert statements[1] - statements[0] < 3 * 20, "at most twenty for each thousand lines"
    assert peaks[1] - peaks[0] < 3_000_000, peaks


def test_upkeep_forgets_previews_wrong_lines_and_their_files_in_time(
    runtime: Runtime, ada: Person, tmp_path: Path
) -> None:
    forgotten = read(runtime, ada, BANK, tmp_path)
    imported = read(runtime, ada, BANK + "2026-02-31,Nobody,,-1\n", tmp_path)
    step(runtime, ada, imported)
    fresh = read(runtime, ada, BANK, tmp_path)
    month = 31 * 86_400_000
    with runtime.database.write(EVERYONE) as session:
        session.add(Intake(workspace_id=ada.workspace_id, subject="expenses", name="x", sha256="", state=READING))
        session.flush()
        mine = update(Intake).where(Intake.id != intake_of(fresh))
        session.execute(mine.values(created_at=Intake.created_at - month, applied_at=Intake.applied_at - month))
    handed = HandedOver(tasks.discover()["upkeep"].params())
    with runtime.database.write(SYSTEM) as session:
        upkeep = submit(runtime, session, tasks.discover()["upkeep"], handed, SYSTEM).id
    assert execute(runtime, upkeep, WORKER) == "succeeded", the_run(runtime, upkeep).error
    assert {each.id for each in intakes(runtime)} == {intake_of(imported), intake_of(fresh)}
    assert lines(runtime, imported) == []
    assert len(lines(runtime, fresh)) == 3
    with runtime.database.read(EVERYONE) as session:
        kept = session.scalars(select(Upload.run_id).where(Upload.deleted_at.is_(None))).all()
    assert kept == [fresh.id]
    assert forgotten.id not in kept


def test_a_column_taken_for_accounts_makes_no_thousands_of_them(runtime: Runtime, ada: Person, tmp_path: Path) -> None:
    text = "Date,Account,Amount\n" + "".join(f"2026-01-01,Name {at},-1\n" for at in range(300))
    failed = read(runtime, ada, text, tmp_path, account="")
    assert failed.error
    assert failed.error.startswith("This file would make more than 200 accounts.")
    assert intakes(runtime) == []
