"""A ticket from its opening to what is told of it, in hours that are strange: none, a holiday, a change of clocks."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from tests.care_desk import DAY, MINUTE, WEEK, HelpDesk, desk
from tests.conftest import Person
from tests.test_care_scan import scan
from workers.runtime import Runtime


def at(month: int, day: int, hour: int, minute: int = 0) -> int:
    """In 2026, by the clock of Berlin."""
    return round(datetime(2026, month, day, hour, minute, tzinfo=ZoneInfo("Europe/Berlin")).timestamp() * 1000)


@pytest.fixture
def help_desk(runtime: Runtime, ada: Person) -> HelpDesk:
    return desk(runtime, ada)


def levels(here: HelpDesk, account: str, *moments: int) -> list[int]:
    """How bad it was by what somebody was told until each of these moments; 0: nothing."""
    found = []
    for here.now in moments:
        scan(here)
        found.append(max((level for _, level, title in here.told(account) if "#" in title), default=0))
    return found


def test_a_deadline_in_a_holiday_comes_on_the_next_working_day_and_nobody_is_told_before(help_desk: HelpDesk) -> None:
    team = help_desk.team(hours={"week": WEEK}, holidays="DE", closed=["2026-12-24"])
    bob, topic = help_desk.person("bob", team=team), help_desk.topic("Printers", team)
    help_desk.policy(first=120, solve=None)
    help_desk.now = at(12, 23, 16, 30)  # a Wednesday; closed, Christmas, Boxing Day, a Sunday follow
    ticket = help_desk.opened(topic_id=topic)
    due = at(12, 28, 10, 30)
    assert help_desk.ticket(ticket).first_due_at == due
    told = levels(help_desk, bob, at(12, 24, 12), at(12, 25, 12), at(12, 27, 23), at(12, 28, 9, 29), at(12, 28, 9, 30),
                  at(12, 28, 10), due)  # fmt: skip
    assert told == [0, 0, 0, 0, 1, 2, 3]


@pytest.mark.parametrize(
    ("begun", "due"), [((3, 28, 22), (4, 4, 23)), ((10, 24, 22), (10, 25, 5))], ids=["an hour short", "an hour long"]
)
def test_a_night_on_which_clocks_change_is_as_long_as_it_is(
    help_desk: HelpDesk, begun: tuple[int, int, int], due: tuple[int, int, int]
) -> None:
    team = help_desk.team(hours={"week": [[]] * 5 + [[[1320, 1800]], []]})  # Saturday from 22 to 6
    bob, topic = help_desk.person("bob", team=team), help_desk.topic("Printers", team)
    help_desk.policy(first=480, solve=None)
    help_desk.now = at(*begun)
    ticket = help_desk.opened(topic_id=topic)
    assert help_desk.ticket(ticket).first_due_at == at(*due)
    assert levels(help_desk, bob, at(*due) - MINUTE, at(*due)) == [2, 3]


def test_a_policy_of_a_team_without_hours_is_never_due_and_its_tickets_are_listed_all_the_same(
    help_desk: HelpDesk,
) -> None:
    team = help_desk.team(hours={"week": [[]] * 7})
    bob, topic = help_desk.person("bob", team=team), help_desk.topic("Printers", team)
    help_desk.policy(first=60, solve=480)
    ticket = help_desk.opened(topic_id=topic)
    help_desk.changes(ticket, assignee_id=bob)
    assert (help_desk.ticket(ticket).first_due_at, help_desk.ticket(ticket).next_mark_at) == (None, None)
    assert levels(help_desk, bob, help_desk.now + 30 * DAY) == [0]
    help_desk.answers(ticket)
    assert help_desk.ticket(ticket).first_in_time  # no hour of work has passed
