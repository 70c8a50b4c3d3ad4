"""What recurs is entered on its day, once, in every workspace by its own calendar; missed days are made up for."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select, update

from models.ledger import Entry, Purse, Recurring
from models.run import Run
from models.session import EVERYONE
from models.workspace import SYSTEM, Workspace
from tasks import discover
from tasks.context import Context
from tasks.days import today
from tasks.job import NoParams
from tasks.recurring.job import Entered, headline, run
from tests.conftest import Person, new_person
from tests.purse_rows import entries, entry_of, purse_of, recurring_of
from workers.runtime import Runtime


def enter(runtime: Runtime, workspace: str = SYSTEM) -> Entered:
    with Context(runtime.database, runtime.storage, workspace) as ctx:
        found = run(NoParams(), ctx)
        ctx.commit()
    return Entered.model_validate(found)


def set_zone(runtime: Runtime, person: Person, zone: str) -> None:
    with runtime.database.write(EVERYONE) as session:
        session.execute(update(Workspace).where(Workspace.id == person.workspace_id).values(time_zone=zone))


def day_in(zone: str) -> date:
    return today(zone, int(datetime.now(UTC).timestamp() * 1000))


def next_of(runtime: Runtime, found: str) -> date | None:
    with runtime.database.read(EVERYONE) as session:
        return session.scalars(select(Recurring.next_on).where(Recurring.id == found)).one()


def test_days_missed_in_an_outage_are_made_up_for_and_entered_once(runtime: Runtime, ada: Person) -> None:
    purse, first = purse_of(runtime, ada), date(2023, 10, 31)
    rent = recurring_of(runtime, ada, purse, first, last_on=date(2024, 4, 15), note="flat")
    assert enter(runtime).entered == 6
    days = [str(row.on) for row in entries(runtime, ada)]
    expected = ["2023-10-31", "2023-11-30", "2023-12-31", "2024-01-31", "2024-02-29", "2024-03-31"]
    assert days == expected
    assert {(row.amount, row.currency, row.note) for row in entries(runtime, ada)} == {(Decimal(-700), "EUR", "flat")}
    assert next_of(runtime, rent) is None
    assert (enter(runtime).entered, len(entries(runtime, ada))) == (0, 6)


def test_a_day_that_is_there_already_is_not_entered_again(runtime: Runtime, ada: Person) -> None:
    purse, first = purse_of(runtime, ada), date(2024, 1, 1)
    rent = recurring_of(runtime, ada, purse, first, last_on=date(2024, 3, 1))
    entry_of(runtime, ada, purse, "-650", date(2024, 2, 1), recurring_id=rent)
    assert enter(runtime).entered == 2
    assert [(str(row.on), row.amount) for row in entries(runtime, ada)] == [
        ("2024-01-01", Decimal(-700)), ("2024-02-01", Decimal(-650)), ("2024-03-01", Decimal(-700)),
    ]  # fmt: skip


def test_each_workspace_has_its_own_today(runtime: Runtime, ada: Person, grace: Person) -> None:
    """East of the date line it is tomorrow: what is due there now is not due in the west."""
    set_zone(runtime, ada, "Pacific/Kiritimati")
    set_zone(runtime, grace, "Pacific/Pago_Pago")  # 25 hours behind
    ahead = day_in("Pacific/Kiritimati")
    for person in (ada, grace):
        recurring_of(runtime, person, purse_of(runtime, person), ahead, every="year")
    enter(runtime)
    assert [row.on for row in entries(runtime, ada)] == [ahead]
    assert entries(runtime, grace) == []


def test_what_is_paused_over_or_in_a_closed_account_waits(runtime: Runtime, ada: Person) -> None:
    closed, purse = purse_of(runtime, ada, "Old"), purse_of(runtime, ada)
    with runtime.database.write(ada.workspace_id) as session:
        session.execute(update(Purse).where(Purse.id == closed).values(closed_at=1))
    waits = recurring_of(runtime, ada, closed)
    recurring_of(runtime, ada, purse, paused=True)
    recurring_of(runtime, ada, purse, day_in("UTC") + timedelta(days=3))
    found = enter(runtime)
    assert (found.entered, found.waiting, entries(runtime, ada)) == (0, 1, [])
    assert next_of(runtime, waits) is not None


def test_in_its_own_workspace_the_run_tells_what_it_entered_and_leaves_others_alone(
    runtime: Runtime, ada: Person, grace: Person
) -> None:
    last = date(2026, 3, 14)
    for person in (ada, grace):
        recurring_of(runtime, person, purse_of(runtime, person), last_on=last)
    found = enter(runtime, ada.workspace_id)
    assert [(line.name, line.on, line.amount) for line in found.lines] == [("Rent", last, Decimal(-700))]
    assert headline(found) == "1 entry"
    assert entries(runtime, grace) == []
    assert enter(runtime).lines == []  # the machinery's own run names nobody's rent


def test_many_workspaces_are_entered_a_few_at_a_time(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.recurring.job.TOGETHER", 2)
    for number in range(5):
        person = new_person(runtime, f"person{number}")
        recurring_of(runtime, person, purse_of(runtime, person), last_on=date(2026, 3, 14))
    assert enter(runtime).entered == 5
    with runtime.database.read(EVERYONE) as session:
        assert len(session.scalars(select(Entry.workspace_id).distinct()).all()) == 5


def test_a_new_recurring_one_wakes_the_job_and_its_entries_wake_the_budgets(runtime: Runtime, ada: Person) -> None:
    recurring_of(runtime, ada, purse_of(runtime, ada))

    def kinds() -> list[Any]:
        with runtime.database.read(EVERYONE) as session:
            return sorted(session.scalars(select(Run.kind)))

    assert "recurring" in kinds()
    with runtime.database.write(EVERYONE) as session:
        for row in session.scalars(select(Run)):
            session.delete(row)
    enter(runtime)
    assert "recurring" not in kinds()  # its own step does not wake it again
    if "budget" in discover():
        assert "budget" in kinds()
