"""A ticket's clock: what counts as spent, when it is due, which marks come, and all of them after hours changed."""

import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from models.base import new_id
from models.desk import Policy, Team, Topic
from models.session import EVERYONE
from models.ticket import HIGH, NORMAL, OPEN, SOLVED, URGENT, WAITING, Customer, Ticket
from tasks.care import clock, clocks
from tasks.care.clock import Reached
from tests.conftest import Person
from workers.runtime import Runtime

HOUR, MINUTE = 3_600_000, 60_000
WEEK = [[[540, 720], [780, 1020]]] * 5 + [[], []]  # 9 to 12, 13 to 17


def at(day: int, hour: int = 0, minute: int = 0) -> int:
    """In June 2026, which begins with a Monday."""
    return round(datetime(2026, 6, day, hour, minute, tzinfo=ZoneInfo("Europe/Berlin")).timestamp() * 1000)


@pytest.fixture
def session(runtime: Runtime, ada: Person) -> Iterator[Session]:
    with runtime.database.write(ada.workspace_id) as session:
        desk(session)
        yield session


def desk(session: Session) -> None:
    """A workspace with a team, a customer and three policies."""
    session.add(Team(id="team", name="Help", time_zone="Europe/Berlin", hours={"week": WEEK}, created_at=1))
    session.add(Customer(id="customer", email="customer@example.org"))
    session.flush()
    session.add(Policy(id="urgent", name="Urgent", position=1, priority=URGENT, first_minutes=60, solve_minutes=240))
    session.add(Policy(id="night", name="High", position=2, priority=HIGH, first_minutes=60, around_the_clock=True))
    session.add(Policy(id="rest", name="All", position=9, first_minutes=240, solve_minutes=960))
    session.flush()


def ticket(session: Session, now: int, **more: Any) -> Ticket:
    known = {
        "number": 1,
        "subject": "A lamp",
        "customer_id": "customer",
        "source": "web",
        "team_id": "team",
        "priority": NORMAL,
    }
    made = Ticket(id=new_id(), created_at=now, changed_at=now, **(known | more))
    clock.run(session, made, now)
    clock.set_policy(session, made, now)
    session.add(made)
    session.flush()
    return made


def test_a_new_ticket_is_due_in_working_hours(session: Session) -> None:
    made = ticket(session, at(5, 16))
    assert (made.policy_id, made.first_due_at, made.solve_due_at) == ("rest", at(8, 12), at(10, 10))
    assert made.next_mark_at == at(8, 10)  # half of four hours


def test_the_clock_stands_while_the_customer_is_waited_for_and_goes_on_after(session: Session) -> None:
    made = ticket(session, at(1, 9))
    clock.stop(session, made, at(1, 11))
    assert (made.spent, made.clock_at, made.first_due_at, made.next_mark_at) == (2 * HOUR, None, None, None)
    clock.stop(session, made, at(2, 11))
    assert made.spent == 2 * HOUR
    clock.run(session, made, at(3, 10))
    assert (made.first_due_at, made.next_mark_at) == (at(3, 12), at(3, 10))
    clock.run(session, made, at(3, 11))
    assert made.clock_at == at(3, 10)


def test_the_first_answer_is_noted_with_what_it_took_and_its_deadline_stays_as_it_was(session: Session) -> None:
    made = ticket(session, at(1, 9))
    clock.answered(session, made, at(1, 11, 30))
    clock.answered(session, made, at(1, 16))
    assert (made.answered_at, made.first_taken, made.first_in_time) == (at(1, 11, 30), 2.5 * HOUR, True)
    assert (made.first_due_at, made.next_mark_at) == (at(1, 14), at(2, 10))  # half of 16 hours: 7 and 1
    late = ticket(session, at(1, 9), number=2)
    clock.answered(session, late, at(1, 14, 1))
    assert late.first_in_time is False


def test_solving_stops_it_and_opening_again_goes_on_from_what_was_spent(session: Session) -> None:
    made = ticket(session, at(1, 9))
    clock.answered(session, made, at(1, 10))
    clock.solved(session, made, at(1, 11))
    assert (made.solve_taken, made.solve_in_time, made.next_mark_at) == (2 * HOUR, True, None)
    was = made.solve_due_at
    assert was is not None
    clock.run(session, made, at(4, 9))
    assert (made.solve_taken, made.solve_in_time) == (None, None)
    assert made.solve_due_at == at(5, 17)  # fourteen hours are left
    clock.solved(session, made, at(8, 9, 1))
    assert (made.solve_taken, made.solve_in_time) == (16 * HOUR + MINUTE, False)


def test_one_solved_late_without_any_answer_was_late_there_too(session: Session) -> None:
    made, soon = ticket(session, at(1, 9)), ticket(session, at(1, 9), number=2)
    clock.solved(session, made, at(2, 9))
    clock.solved(session, soon, at(1, 10))
    assert (made.first_in_time, made.first_taken, soon.first_in_time) == (False, None, None)


def test_marks_come_one_after_the_other_and_each_once(session: Session) -> None:
    made = ticket(session, at(1, 9), priority=URGENT)
    seen = []
    for _ in range(20):
        moment = made.next_mark_at
        if moment is None:
            break
        assert clock.reached(session, made, moment - 1) == (made.first_mark, made.solve_mark)
        there = clock.reached(session, made, moment)
        clock.told(session, made, there, moment)
        seen.append(((moment - at(1, 9)) // MINUTE, *there))
    assert seen == [(30, 50, 0), (45, 75, 0), (60, 100, 0), (120, 100, 50), (180, 100, 75), (300, 100, 100)]


def test_a_higher_priority_reckons_from_what_was_spent(session: Session) -> None:
    made = ticket(session, at(1, 9))
    with clock.moving(session, made, at(1, 9, 40)):
        made.priority = URGENT
    assert (made.policy_id, made.spent) == ("urgent", 40 * MINUTE)
    assert (made.first_due_at, made.next_mark_at) == (at(1, 10), at(1, 9, 30))
    assert clock.reached(session, made, at(1, 9, 40)) == Reached(50, 0)


def test_a_deadline_that_moves_away_is_told_of_again_and_one_that_stays_reached_is_not(session: Session) -> None:
    made = ticket(session, at(1, 9), priority=URGENT)
    clock.told(session, made, Reached(100, 50), at(1, 11))
    with clock.moving(session, made, at(1, 11)):
        made.priority = NORMAL
    assert (made.first_mark, made.solve_mark) == (50, 0)  # two of four hours
    assert made.next_mark_at == at(1, 12)  # three of four
    with clock.moving(session, made, at(1, 11)):
        made.priority = URGENT
    assert clock.reached(session, made, at(1, 11)) == Reached(100, 50)
    clock.told(session, made, Reached(100, 50), at(1, 11))
    with clock.moving(session, made, at(1, 11, 5)):
        made.subject = "Two lamps"
    assert (made.first_mark, made.solve_mark) == (100, 50)


def test_what_was_spent_before_a_change_of_team_counts_by_the_hours_of_before(session: Session) -> None:
    session.add(Team(id="night", name="Night", time_zone="Europe/Berlin", created_at=2))
    session.flush()
    made = ticket(session, at(5, 16))
    with clock.moving(session, made, at(6, 12)):
        made.team_id = "night"
    assert made.spent == HOUR
    assert made.first_due_at == at(6, 15)
    with clock.moving(session, made, at(6, 13)):
        made.priority, made.team_id = HIGH, "team"
    assert (made.spent, made.policy_id) == (2 * HOUR, "night")
    clock.stop(session, made, at(6, 14))
    assert made.spent == 3 * HOUR  # around the clock, whatever the team's hours are


def test_without_a_policy_or_without_minutes_nothing_is_due(session: Session) -> None:
    session.execute(update(Policy).where(Policy.id == "rest").values(first_minutes=None, solve_minutes=None))
    session.expire_all()
    made = ticket(session, at(1, 9))
    assert (made.first_due_at, made.solve_due_at, made.next_mark_at) == (None, None, None)
    clock.answered(session, made, at(1, 10))
    assert (made.first_taken, made.first_in_time) == (HOUR, None)
    session.execute(update(Policy).where(Policy.id == "rest").values(priority=URGENT))
    session.expire_all()
    assert ticket(session, at(1, 9), number=2).policy_id is None


def test_hours_of_nobody_make_nothing_due_until_there_are_some(session: Session, ada: Person) -> None:
    session.execute(update(Team).values(hours={"week": [[]] * 7}))
    session.expire_all()
    made = ticket(session, at(1, 9))
    assert (made.first_due_at, made.next_mark_at) == (None, None)
    session.execute(update(Team).values(hours={"week": WEEK}))
    session.expire_all()
    assert clock.recompute(session, ada.workspace_id, at(1, 10)) == 1
    session.refresh(made)
    assert (made.first_due_at, made.next_mark_at) == (at(1, 14), at(1, 11))


def test_a_due_time_beyond_the_calendar_is_none_and_is_looked_for_again(session: Session) -> None:
    session.execute(update(Policy).where(Policy.id == "rest").values(first_minutes=40 * 365 * 24 * 60))
    session.expire_all()
    made = ticket(session, at(1, 9))
    assert (made.first_due_at, made.solve_due_at) == (None, at(3, 11))
    clock.told(session, made, Reached(0, 100), at(4, 9))
    assert made.next_mark_at is not None
    assert made.next_mark_at > at(1) + 7 * 365 * 24 * HOUR


def test_a_ticket_without_a_team_goes_by_the_first_team_s_hours(session: Session) -> None:
    assert ticket(session, at(6, 9), team_id=None).first_due_at == at(8, 14)
    session.execute(update(Team).values(hours=None))
    session.expire_all()
    assert ticket(session, at(6, 9), number=2, team_id=None).first_due_at == at(6, 13)


def test_the_clock_of_another_machine_that_is_behind_takes_nothing_back(session: Session) -> None:
    made = ticket(session, at(1, 10))
    clock.stop(session, made, at(1, 9))
    assert made.spent == 0


def test_changed_hours_move_the_deadlines_of_open_tickets_alone(session: Session, ada: Person) -> None:
    running, waiting, done = (ticket(session, at(1, 9), number=number) for number in (1, 2, 3))
    clock.stop(session, waiting, at(1, 11))
    clock.solved(session, done, at(1, 11))
    waiting.status, done.status, running.status = WAITING, SOLVED, OPEN
    clock.told(session, running, Reached(50, 0), at(1, 11))
    before = done.solve_due_at
    session.flush()
    session.execute(update(Team).values(hours={"week": [[[600, 660]]] * 7}))
    session.expire_all()
    assert clock.recompute(session, ada.workspace_id, at(1, 11)) == 1
    for each in (running, waiting, done):
        session.refresh(each)
    assert (running.first_due_at, running.first_mark, running.next_mark_at) == (at(4, 11), 0, at(2, 11))
    assert (waiting.spent, waiting.first_due_at, done.solve_due_at) == (2 * HOUR, None, before)
    assert clock.recompute(session, ada.workspace_id, at(1, 11)) == 0


def test_changed_policies_fit_open_tickets_anew_also_by_topic(session: Session, ada: Person) -> None:
    session.add(Topic(id="lamps", name="Lamps"))
    session.flush()
    made, other = ticket(session, at(1, 9), topic_id="lamps"), ticket(session, at(1, 9), number=2)
    session.add(Policy(id="lamps", name="Lamps", position=0, topic_id="lamps", first_minutes=30))
    session.flush()
    assert clock.recompute(session, ada.workspace_id, at(1, 9, 10), team_id="team") == 1
    session.refresh(made)
    assert (made.policy_id, made.first_due_at, made.solve_due_at) == ("lamps", at(1, 9, 30), None)
    assert other.policy_id == "rest"


def test_one_that_somebody_changed_meanwhile_is_left_as_they_left_it(session: Session, ada: Person) -> None:
    made = ticket(session, at(1, 9))
    row: Any = session.execute(select(*clocks.COLUMNS)).one()
    values = clocks.seen(row) | {f"new_{name}": getattr(row, name) for name in clocks.WRITTEN} | {"new_first_mark": 75}
    made.version += 1
    session.flush()
    session.execute(clocks.writing(ada.workspace_id), [values])
    session.refresh(made)
    assert made.first_mark == 0


def test_recomputing_stays_in_its_workspace(runtime: Runtime, ada: Person, grace: Person) -> None:
    with runtime.database.write(ada.workspace_id) as session:
        desk(session)
        ticket(session, at(1, 9))
        session.execute(update(Team).values(hours=None))
    with runtime.database.write(EVERYONE) as everyone:
        assert clock.recompute(everyone, grace.workspace_id, at(1, 9)) == 0
        assert clock.recompute(everyone, ada.workspace_id, at(1, 9)) == 1
        assert everyone.scalars(select(Ticket.first_due_at)).one() == at(1, 13)


def test_many_stand_as_each_alone_stands(session: Session) -> None:
    made = [
        ticket(
            session, at(1, 9, number), number=number, priority=number % 3 + 1, team_id="team" if number % 2 else None
        )
        for number in range(1, 12)
    ]
    now = at(1, 14, 30)
    for one, standing in zip(made, clocks.standings(session, made, now), strict=True):
        there = clock.reached(session, one, now)
        assert (standing.ticket_id, standing.first, standing.solve) == (one.id, *there)
        clock.told(session, one, there, now)
        assert standing.next_mark_at == one.next_mark_at


def test_ten_thousand_open_tickets_move_in_a_second_or_two(session: Session, ada: Person) -> None:
    rows = [
        {"id": f"{number:028}", "workspace_id": ada.workspace_id, "number": number, "subject": "A lamp",
         "customer_id": "customer", "source": "web", "team_id": "team", "clock_at": at(1, 9) + number * 1_000}
        for number in range(10_000)
    ]  # fmt: skip
    session.execute(insert(Ticket), rows)
    began = time.process_time()
    assert clock.recompute(session, ada.workspace_id, at(2, 9)) == 10_000
    assert time.process_time() - began < 10  # 0.5 s here
    assert (
        session.scalar(select(func.count()).where(Ticket.policy_id == "rest", Ticket.next_mark_at.is_not(None)))
        == 10_000
    )
