"""The numbers of the desk's reports, against what a person reckons with a pencil."""

from dataclasses import replace
from datetime import UTC, date, datetime
from statistics import median
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from models.account import Account
from models.base import new_id
from models.desk import Team, Topic
from models.session import EVERYONE
from models.ticket import (
    CLOSED,
    HOLD,
    NEW,
    OPEN,
    REOPENED,
    SOLVED,
    WAITING,
    Customer,
    Rating,
    Ticket,
    TicketEvent,
)  # fmt: skip
from tasks.care import figures, report_sums
from tasks.care.figures import Report
from tasks.care.report_asked import DAY, MONTH, NONE, WEEK, Asked, Span, midnight, offsets, span
from tests.conftest import Person
from workers.runtime import Runtime

HOUR = 3_600_000
FIRST, LAST = date(2026, 3, 2), date(2026, 3, 15)  # two weeks from a Monday
NOW = midnight(date(2026, 3, 16), "UTC")


def at(day: int, hour: int = 0, zone: str = "UTC") -> int:
    return round(datetime(2026, 3, day, hour, tzinfo=ZoneInfo(zone)).timestamp() * 1000)


class Desk:
    """Rows as they would stand after a life of their own, written straight."""

    def __init__(self, runtime: Runtime, person: Person) -> None:
        self.runtime, self.person, self.number = runtime, person, 0
        self.customer = Customer(id=new_id(), workspace_id=person.workspace_id, email="customer@example.org")
        with runtime.database.write(person.workspace_id) as session:
            session.add(self.customer)

    def ticket(self, made: int, status: str = NEW, **more: object) -> str:
        self.number += 1
        moments = [value for name, value in more.items() if name in ("answered_at", "solved_at", "closed_at")]
        row = {"changed_at": max([made, *moments]), "source": "web", "subject": f"Question {self.number}"} | more  # type: ignore[type-var]
        ticket_id = new_id()
        with self.runtime.database.write(self.person.workspace_id) as session:
            session.add(
                Ticket(
                    id=ticket_id,
                    workspace_id=self.person.workspace_id,
                    number=self.number,
                    status=status,
                    customer_id=self.customer.id,
                    created_at=made,
                    **row,
                )
            )
        return ticket_id

    def add(self, *rows: object) -> None:
        with self.runtime.database.write(self.person.workspace_id) as session:
            session.add_all(rows)

    def rate(self, ticket_id: str, score: int, when: int, words: str = "") -> None:
        self.add(Rating(workspace_id=self.person.workspace_id, ticket_id=ticket_id, score=score, at=when, words=words))

    def report(self, now: int = NOW, **asked: object) -> Report:
        wanted = Asked(span(FIRST, LAST, "UTC", WEEK), **asked)  # type: ignore[arg-type]
        with self.runtime.database.read(self.person.workspace_id) as session:
            return figures.report(session, wanted, now)


@pytest.fixture
def desk(runtime: Runtime, ada: Person) -> Desk:
    return Desk(runtime, ada)


def test_what_was_opened_and_solved_falls_into_its_week_and_what_is_open_is_counted_on(desk: Desk) -> None:
    desk.ticket(at(2), CLOSED, solved_at=at(3), closed_at=at(10))
    desk.ticket(at(8, 23), SOLVED, solved_at=at(9))
    desk.ticket(at(15, 23), OPEN)
    desk.ticket(at(1) - 40 * 24 * HOUR, WAITING)  # long before, and still there
    desk.ticket(at(1) - 40 * 24 * HOUR, SOLVED, solved_at=at(12))  # long before, solved within
    desk.ticket(at(1) - 40 * 24 * HOUR, CLOSED, solved_at=at(1) - 39 * 24 * HOUR)  # all of it long before
    found = desk.report()
    assert [(part.opened, part.solved, part.backlog) for part in found.parts] == [(2, 1, 3), (1, 2, 2)]
    assert (found.whole.opened, found.whole.solved, found.whole.backlog) == (3, 3, 2)


def test_medians_and_ninth_deciles_are_those_of_the_values_themselves(desk: Desk) -> None:
    hours = [1, 2, 3, 5, 8, 13, 21, 34, 55, 89]
    for each in hours:
        desk.ticket(at(3), SOLVED, answered_at=at(4), first_taken=each * HOUR, solved_at=at(5), solve_taken=each * HOUR,
                    first_in_time=each < 10, solve_in_time=each < 50)  # fmt: skip
    whole = desk.report().whole
    assert whole.first.median == whole.solve.median == round(median(hours) * HOUR)
    assert whole.first.p90 == round((55 + 0.1 * 34) * HOUR)  # nine tenths of the way from the first to the tenth
    assert (whole.first.in_time, whole.first.judged, whole.solve.share) == (5, 10, 0.8)


def test_who_is_overdue_and_still_waits_spoils_the_share_in_time(desk: Desk) -> None:
    desk.ticket(at(3), SOLVED, answered_at=at(3, 1), first_taken=HOUR, first_in_time=True, solved_at=at(4))
    desk.ticket(at(3), NEW, first_due_at=at(4), solve_due_at=at(20))  # unanswered, late
    desk.ticket(at(3), NEW, first_due_at=at(20))  # unanswered, in time as yet
    desk.ticket(at(3), WAITING, first_due_at=at(4))  # its clock stands
    desk.ticket(at(3), OPEN, answered_at=at(3, 2), first_taken=2 * HOUR, solve_due_at=at(10))  # its answer had none
    whole = desk.report().whole
    assert (whole.first.count, whole.first.in_time, whole.first.judged) == (2, 1, 2)
    assert (whole.solve.in_time, whole.solve.judged) == (0, 1)
    assert whole.overdue == 2
    parts = desk.report(now=at(9)).parts  # before the second one was due
    assert [part.solve.judged for part in parts] == [0, 0]


def test_groups_have_names_and_filters_keep_to_them(desk: Desk, runtime: Runtime, ada: Person) -> None:
    place = ada.workspace_id
    first, second = (Team(id=new_id(), workspace_id=place, name=name, time_zone="UTC") for name in ("Shop", "Billing"))
    topic = Topic(id=new_id(), workspace_id=place, name="Returns")
    desk.add(first, second, topic)
    desk.ticket(at(3), team_id=first.id, topic_id=topic.id, priority=1, assignee_id=ada.account_id)
    again = desk.ticket(at(3), REOPENED, team_id=second.id, source="mail", reopened=2, changed_at=at(9))
    desk.ticket(at(3), merged_into_id=again)  # counts nowhere
    desk.ticket(at(4), priority=4)
    events = [TicketEvent(workspace_id=place, ticket_id=again, what="status", after=REOPENED, at=at(d)) for d in (4, 9)]
    desk.add(*events)
    found = desk.report()
    assert [(one.name, one.part.opened) for one in found.by["team"]] == [("Billing", 1), ("Shop", 1), ("", 1)]
    assert [(one.name, one.part.opened) for one in found.by["agent"]] == [("Ada", 1), ("", 2)]
    assert [one.name for one in found.by["priority"]] == ["Urgent", "Normal", "Low"]
    assert [(one.name, one.part.reopened) for one in found.by["source"]] == [("Mail", 2), ("Web", 0)]
    assert [part.reopened for part in found.parts] == [1, 1]
    assert found.reopened == [(2, "Question 2", 2)]
    assert desk.report(team=first.id).whole.opened == 1
    assert desk.report(team=NONE).whole.opened == 1
    assert desk.report(agent=ada.account_id, priority=4).whole.opened == 0
    assert desk.report(source="mail").by["team"][0].name == "Billing"


def test_the_backlog_has_an_age_and_a_status(desk: Desk) -> None:
    for days, status in ((0, NEW), (2, OPEN), (2, WAITING), (5, HOLD), (8, REOPENED), (60, OPEN), (200, OPEN)):
        desk.ticket(NOW - days * 24 * HOUR - HOUR, status)
    ages = desk.report().ages
    assert ages[OPEN] == [0, 1, 0, 0, 1, 1]
    assert [ages[each].index(1) for each in (NEW, WAITING, HOLD, REOPENED)] == [0, 1, 2, 3]


def test_satisfaction_is_the_share_of_good_ones_with_how_many_answered(desk: Desk) -> None:
    done = [desk.ticket(at(3), CLOSED, solved_at=at(4), closed_at=at(11), changed_at=at(4)) for _ in range(4)]
    desk.rate(done[0], 3, at(5), "Thank you")
    desk.rate(done[1], 3, at(12))
    desk.rate(done[2], 1, at(12, 3), "Too late")
    earlier = desk.ticket(at(1) - 90 * 24 * HOUR, CLOSED, solved_at=at(1) - 80 * 24 * HOUR)
    desk.rate(earlier, 2, at(1) - 70 * 24 * HOUR, "Long ago")
    found = desk.report()
    assert found.whole.scores == (1, 0, 2)
    assert found.whole.good == pytest.approx(2 / 3)
    assert (found.closed, found.answered) == (4, 3)
    assert [part.scores for part in found.parts] == [(0, 0, 1), (1, 0, 1)]
    assert [(one.words, one.score) for one in found.words] == [("Too late", 1), ("Thank you", 3)]


def test_an_empty_desk_has_numbers_as_well(desk: Desk, runtime: Runtime, grace: Person) -> None:
    Desk(runtime, grace).ticket(at(3))  # somebody else's
    found = desk.report()
    assert (found.whole.opened, found.whole.first.median, found.whole.good) == (0, None, None)
    assert all(rows == [] for rows in found.by.values())
    assert np.sum(found.busiest) == 0


def test_busy_hours_are_those_on_the_wall_through_the_change_of_clocks(desk: Desk) -> None:
    zone, days = "Europe/Berlin", Asked(span(date(2026, 3, 1), date(2026, 3, 31), "Europe/Berlin"))
    for day in (28, 29, 30):  # a Saturday, the Sunday whose second hour is missing, a Monday
        desk.ticket(at(day, 9, zone))
    desk.ticket(at(29, 1, zone))
    desk.ticket(at(29, 3, zone))
    with desk.runtime.database.read(desk.person.workspace_id) as session:
        found = figures.report(session, days, at(31)).busiest
    assert {(day, hour) for day in range(7) for hour in range(24) if found[day][hour]} == {
        (5, 9), (6, 9), (0, 9), (6, 1), (6, 3),
    }  # fmt: skip


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"])
def test_offsets_of_a_zone_are_right_on_both_sides_of_each_change(zone: str) -> None:
    start, end = midnight(date(2025, 1, 1), zone), midnight(date(2027, 1, 1), zone)
    since, added = offsets(zone, start, end)
    for moment, offset in zip(since, added, strict=True):
        for near, expected in ((moment, offset), (moment - 1, None)):
            local = datetime.fromtimestamp(near / 1000, UTC).astimezone(ZoneInfo(zone)).utcoffset()
            assert local is not None
            told = round(local.total_seconds() * 1000)
            assert told == expected if expected is not None else moment == start or told != offset
    assert len(since) == (1 if zone == "Asia/Kolkata" else 5)


def test_parts_follow_the_calendar_and_there_are_never_too_many() -> None:
    weeks = span(date(2026, 1, 1), date(2026, 1, 20), "UTC", WEEK)
    assert weeks.starts == [date(2026, 1, 1), date(2026, 1, 5), date(2026, 1, 12), date(2026, 1, 19)]
    assert span(date(2026, 1, 31), date(2026, 3, 1), "UTC", MONTH).starts == [
        date(2026, 1, 31), date(2026, 2, 1), date(2026, 3, 1),
    ]  # fmt: skip
    assert span(FIRST, LAST, "UTC").step == DAY
    assert span(date(2020, 1, 1), date(2026, 1, 1), "UTC", DAY).step == MONTH
    day = Span(date(2026, 3, 29), date(2026, 3, 29), "Europe/Berlin", DAY)
    assert day.end - day.start == 23 * HOUR
    for wrong in ((LAST, FIRST), (date(1990, 1, 1), LAST)):
        with pytest.raises(ValueError, match=r"day|years"):
            span(*wrong, "UTC")


def test_the_backlog_at_any_moment_is_what_a_walk_through_all_tickets_counts() -> None:
    chance = np.random.default_rng(5)
    made = chance.integers(0, 1000, 300)
    solved = np.where(chance.random(300) < 0.7, made + chance.integers(1, 200, 300), -1)
    none = np.full(300, -1)
    codes = np.zeros(300, np.int32)
    tickets = report_sums.Columns(
        made, none, solved, none, none, none, none, codes, codes, solved < 0, solved < 0, codes, {}, {}
    )
    moments = np.arange(0, 1300, 7)
    walked = [sum(m < t and not 0 <= s < t for m, s in zip(made, solved, strict=True)) for t in moments]
    assert report_sums.backlog(tickets, moments) == walked
    lost = replace(tickets, open=np.zeros(300, np.bool_))  # closed, and nobody knows when
    assert report_sums.backlog(lost, np.array([10_000])) == [0]


def test_an_erased_agent_is_nobody(desk: Desk, runtime: Runtime) -> None:
    gone = Account(id=new_id(), email="gone@example.org", name="Gone")
    with runtime.database.write(EVERYONE) as session:
        session.add(gone)
    desk.ticket(at(3), assignee_id=gone.id)
    with runtime.database.write(EVERYONE) as session:
        session.delete(session.merge(gone))
    assert [(one.key, one.name) for one in desk.report().by["agent"]] == [(NONE, "")]
