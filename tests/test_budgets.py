"""The scan of the budgets on a real database: what it warns of, what it resolves, and that nothing is told twice."""

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import select

from models.alert import PENDING, Alert, Move, Notice
from models.ledger import Budget, Entry
from models.session import EVERYONE
from models.workspace import SYSTEM, Workspace
from tasks import discover
from tasks.alerting import alerts
from tasks.books import budget_scan, budgets
from tasks.books.budget_bounds import Calendar
from tasks.books.budget_sums import Scope
from tasks.budget.job import Stretch
from tasks.context import Context
from tests.conftest import Person, at_once, new_person
from tests.ledger_rows import Household, household, noon
from workers.runtime import Runtime

DAY = date(2026, 11, 6)  # before a third of the month is gone: no forecast yet


@pytest.fixture
def home(runtime: Runtime, ada: Person) -> Household:
    return household(runtime, ada)


def told(home: Household) -> list[str]:
    """The steps there were that warn or end, in order, each of which has one notice for the only member."""
    with home.runtime.database.read(EVERYONE) as session:
        moves = session.scalars(select(Move).order_by(Move.at, Move.id)).all()
        notices = [each.move_id for each in session.scalars(select(Notice))]
    assert sorted(notices) == sorted(move.id for move in moves)
    return [f"{move.what} {move.level}" for move in moves if move.what != "noted"]


def state(home: Household, today: date = DAY) -> budgets.BudgetState:
    with home.runtime.database.read(home.person.workspace_id) as session:
        return budgets.states(session, home.person.workspace_id, today)[0]


def open_alerts(home: Household) -> list[Alert]:
    with home.runtime.database.read(EVERYONE) as session:
        return list(session.scalars(select(Alert).where(Alert.state != "resolved")))


def test_crossing_80_then_100_by_an_edit_and_falling_by_a_delete_is_two_warnings_and_one_resolution(
    home: Household,
) -> None:
    home.budget(300)
    home.entry(-100, DAY)
    large = home.entry(-80, DAY)
    home.scan(DAY)
    assert [alert.state for alert in open_alerts(home)] == [PENDING]
    assert told(home) == []
    home.change(Entry, large, amount=Decimal(-150))
    home.scan(DAY)
    assert told(home) == ["opened 80"]
    home.change(Entry, large, amount=Decimal(-210))
    home.scan(DAY)
    assert told(home) == ["opened 80", "levelled 100"]
    home.remove(Entry, large)
    home.scan(DAY)
    assert told(home) == ["opened 80", "levelled 100", "resolved 100"]
    assert home.scan(DAY) == alerts.Count()
    assert told(home) == ["opened 80", "levelled 100", "resolved 100"]


def test_a_second_scan_finds_nothing_new(home: Household) -> None:
    home.budget(100)
    home.budget(100, "Rent")
    home.entry(-90, DAY)
    home.entry(-60, DAY, "Rent")
    assert (home.scan(DAY).opened, home.scan(DAY)) == (1, alerts.Count())
    assert len(open_alerts(home)) == 2


def test_what_is_half_used_is_noted_once_and_stays_on_the_page(home: Household) -> None:
    home.budget(100)
    home.entry(-60, DAY)
    for count in (1, 0, 0):
        assert home.scan(DAY).noted == count
        assert [alert.state for alert in open_alerts(home)] == [PENDING]


def test_a_value_that_swings_about_its_limit_rings_once(home: Household) -> None:
    home.budget(100)
    home.entry(-76, DAY)
    home.scan(DAY)
    for amount in (-5, -3, -5, -1):  # 81, 79, 81, 77 of 100
        extra = home.entry(amount, DAY)
        home.scan(DAY)
        home.remove(Entry, extra)
    home.scan(DAY)  # 76: still not below 75
    assert told(home) == ["opened 80"]
    home.entry(2, DAY)
    home.scan(DAY)
    assert told(home) == ["opened 80", "resolved 80"]


def test_a_changed_limit_begins_the_next_episode(home: Household) -> None:
    budget = home.budget(100)
    home.entry(-85, DAY)
    home.scan(DAY)
    home.change(Budget, budget, limit=Decimal(104), revision=2)
    home.scan(DAY)
    (alert,) = open_alerts(home)
    assert (alert.episode, alert.cause, alert.level) == (2, "2", 80)
    assert told(home) == ["opened 80", "opened 80"]
    home.change(Budget, budget, limit=Decimal(500), revision=3)
    assert home.scan(DAY).resolved == 1
    assert open_alerts(home) == []


def test_a_new_period_arms_again_without_a_word(home: Household) -> None:
    home.budget(100)
    home.entry(-120, date(2026, 11, 30))
    home.scan(date(2026, 11, 30))
    assert home.scan(date(2026, 12, 1)) == alerts.Count()
    assert open_alerts(home) == []
    home.entry(-100, date(2026, 12, 2))
    home.scan(date(2026, 12, 2))
    assert told(home) == ["opened 100", "opened 100"]


def test_an_archived_budget_takes_its_alert_along_without_a_word(home: Household) -> None:
    budget = home.budget(100)
    home.entry(-120, DAY)
    home.scan(DAY)
    home.change(Budget, budget, archived_at=1)
    assert home.scan(DAY) == alerts.Count()
    assert (open_alerts(home), told(home)) == ([], ["opened 100"])


def test_what_comes_by_itself_is_forecast_as_it_is_and_rent_is_not_thirty_rents(home: Household) -> None:
    day = date(2026, 11, 11)
    home.budget(1000, "Home")
    rent = home.recurring(-600, date(2026, 11, 1), date(2026, 12, 1), "Home")
    home.entry(-600, date(2026, 11, 1), "Home", recurring_id=rent)
    seen = state(home, day).standing
    assert (seen.level, seen.forecast and seen.forecast.end) == (50, Decimal(600))
    home.recurring(-150, date(2026, 11, 13), date(2026, 11, 13), "Home", every="week")
    seen = state(home, day).standing
    assert (seen.level, seen.forecast and seen.forecast.end) == (70, Decimal(1050))  # 13, 20 and 27 November
    home.scan(day)
    assert told(home) == ["opened 70"]
    assert "will likely be overspent: 60 % used, 19 days left" in open_alerts(home)[0].title


def test_refunds_give_back_and_transfers_and_other_currencies_do_not_count(home: Household) -> None:
    home.budget(100)
    home.entry(-60, DAY)
    home.entry(10, DAY)
    home.entry(-40, DAY, transfer_id="moved")
    home.entry(-40, DAY, currency="USD")
    home.entry(-40, date(2026, 10, 31))
    home.entry(-40, date(2026, 12, 1))
    home.entry(-40, DAY, "Rent")
    assert state(home).standing.spent == 50


def test_a_salary_pays_for_nothing_in_a_budget_of_all_together(home: Household) -> None:
    home.budget(1000, None)
    home.entry(3000, DAY, "Salary")
    home.entry(700, DAY, None)
    home.entry(-200, DAY, None)
    home.entry(-90, DAY)
    home.entry(20, DAY)
    home.entry(-30, DAY, "Rent")
    assert state(home).standing.spent == 300


def test_a_limit_of_zero_is_over_with_the_first_spending_and_says_so(home: Household) -> None:
    home.budget(0)
    assert home.scan(DAY) == alerts.Count()
    entry = home.entry("-0.01", DAY)
    home.scan(DAY)
    (alert,) = open_alerts(home)
    assert (alert.level, "its limit is zero" in alert.text) == (100, True)
    home.remove(Entry, entry)
    assert home.scan(DAY).resolved == 1


@pytest.mark.parametrize("category", ["Groceries", None])
def test_what_rolls_over_is_all_that_was_left_or_overspent(home: Household, category: str | None) -> None:
    home.budget(100, category, rollover=True, since=date(2026, 8, 1))
    home.entry(-40, date(2026, 8, 31))
    home.entry(-130, date(2026, 9, 1))
    home.entry(-120, date(2026, 10, 5))
    home.entry(-999, date(2026, 7, 31))
    seen = state(home).standing
    assert (seen.carried, seen.limit, seen.spent) == (Decimal(10), Decimal(110), Decimal(0))
    home.entry(-88, DAY)
    home.scan(DAY)
    assert told(home) == ["opened 80"]


def test_what_rolled_over_is_kept_when_the_limit_changes(home: Household) -> None:
    home.budget(200, rollover=True, since=date(2026, 1, 1), rolls_from=date(2026, 10, 1), brought=Decimal(-30))
    home.entry(-150, date(2026, 10, 5))
    home.entry(-999, date(2026, 3, 5))
    assert state(home).standing.carried == 20  # 30 overspent until October, 50 left of it


def test_a_budget_counts_from_its_first_day_on(home: Household) -> None:
    home.budget(100, since=date(2026, 11, 4))
    home.entry(-70, date(2026, 11, 3))
    home.entry(-20, date(2026, 11, 4))
    assert state(home).standing.spent == 20


def test_each_workspace_has_the_day_of_its_own_zone(runtime: Runtime, home: Household, grace: Person) -> None:
    east = household(runtime, grace)
    with runtime.database.write(EVERYONE) as session:
        session.get_one(Workspace, grace.workspace_id).time_zone = "Pacific/Kiritimati"
    for each in (home, east):
        each.budget(100)
        each.entry(-90, date(2026, 11, 30))
        each.entry(-100, date(2026, 12, 1))
    home.scan(date(2026, 11, 30))  # noon in London is two in the morning of the next day there
    titles = {alert.workspace_id: alert.period for alert in open_alerts(home)}
    assert titles == {home.person.workspace_id: "2026-11-01", grace.workspace_id: "2026-12-01"}


def test_two_scans_at_once_tell_once(home: Household) -> None:
    for number in range(5):
        home.budget(100, f"Category {number}")
        home.entry(-90, DAY, f"Category {number}")
    at_once(lambda: home.scan(DAY), lambda: home.scan(DAY))
    assert told(home) == ["opened 80"] * 5


def test_all_workspaces_are_in_exactly_one_stretch(runtime: Runtime, home: Household) -> None:
    for number in range(6):
        own = household(runtime, new_person(runtime, f"person{number}"))
        for kind in ("Groceries", "Rent")[: number % 3]:
            own.budget(100, kind)
            own.entry(-90, DAY, kind)
    with runtime.database.read(EVERYONE) as session:
        every = {row.id for row in session.scalars(select(Workspace))}
        parts = list(budget_scan.stretches(session, 2))
        inside = [one for part in parts for one in every if part.first <= one <= part.last]
        seen = [one.subject for part in parts for one in budgets.sights(session, Calendar(noon(DAY)), part)]
    assert sorted(inside) == sorted(every)
    assert len(parts) > 2
    assert len(seen) == len(set(seen)) == 6


def test_the_job_looks_at_its_own_workspace_and_in_the_system_s_at_all(
    runtime: Runtime, home: Household, grace: Person
) -> None:
    other = household(runtime, grace)
    for each in (home, other):
        each.budget(100)
    job = discover()["budget"]
    with Context(runtime.database, runtime.storage, home.person.workspace_id) as ctx:
        assert job.run(Stretch(), ctx).model_dump()["budgets"] == 1
    with Context(runtime.database, runtime.storage, SYSTEM) as ctx:
        assert job.run(Stretch(), ctx).model_dump()["budgets"] == 2
    with runtime.database.read(EVERYONE) as session:
        assert budget_scan.look(session, Calendar(noon(DAY)), Scope())[0] == 2
