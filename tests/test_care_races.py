"""Two workers at once, on each database: no number, turn, customer or answer is given twice, and nothing is lost."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager

import pytest
from sqlalchemy.orm import Session

from models.alert import Alert
from models.engine import again
from models.session import EVERYONE
from models.ticket import Customer, Ticket, TicketEvent, TicketMessage
from tasks.care import closing, marks, neglect
from tasks.care.apart import Apart
from tasks.care.tickets import By, Stale
from tests.care_desk import DAY, HOUR, HelpDesk, desk
from tests.conftest import Person
from workers.runtime import Runtime

THREADS = 4


@pytest.fixture
def help_desk(runtime: Runtime, ada: Person) -> HelpDesk:
    return desk(runtime, ada)


def each(count: int, call: Callable[[int], object]) -> list[object]:
    """Call it so often, in some threads at once; what each call gave."""
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(call, range(count)))


@pytest.mark.parametrize("way", ["rotate", "least"])
def test_tickets_that_come_at_once_have_numbers_of_their_own_and_go_round_evenly(help_desk: HelpDesk, way: str) -> None:
    team = help_desk.team(assigns=way, hours=None)
    people = [help_desk.person(name, team=team) for name in ("bob", "eve", "kim")]
    topic = help_desk.topic("Printers", team)
    opened = again(lambda number: help_desk.opened(email=f"c{number % 3}@a.example", topic_id=topic))
    each(12, opened)
    found = help_desk.rows(Ticket)
    assert sorted(one.number for one in found) == list(range(1, 13))
    assert Counter(one.assignee_id for one in found) == dict.fromkeys(people, 4)
    assert len(help_desk.rows(Customer)) == 3


def test_of_agents_who_answer_at_once_one_is_first_and_the_others_are_told(help_desk: HelpDesk) -> None:
    ticket = help_desk.opened()

    @again
    def answers(number: int) -> str:
        try:
            help_desk.answers(ticket, f"I am number {number}.", expected=1)
        except Stale as stale:
            return f"{[one.what for one in stale.since].count('answer')} before"
        return "first"

    assert Counter(each(THREADS, answers)) == {"first": 1, "1 before": THREADS - 1}
    assert len(help_desk.rows(TicketMessage, kind="answer")) == 1
    assert len(help_desk.mails()) == 2  # received, and the one answer


def test_what_is_said_at_once_without_a_version_is_all_kept(help_desk: HelpDesk) -> None:
    ticket = help_desk.opened()
    each(8, again(lambda number: help_desk.asks(ticket, f"{number}")))
    assert help_desk.ticket(ticket).version == 9
    assert sorted(one.version for one in help_desk.rows(TicketMessage)) == list(range(1, 10))


def test_scans_at_once_tell_each_mark_and_close_each_ticket_once(runtime: Runtime, help_desk: HelpDesk) -> None:
    help_desk.policy(first=60, solve=None, around_the_clock=True)
    late, done = help_desk.opened(), help_desk.opened()
    help_desk.changes(late, assignee_id=help_desk.owner)
    help_desk.changes(done, status="solved")
    nobodys = help_desk.opened()
    help_desk.changes(nobodys, priority=1)
    help_desk.now += 8 * DAY

    def read() -> AbstractContextManager[Session]:
        return runtime.database.read(EVERYONE)

    def write() -> AbstractContextManager[Session]:
        return runtime.database.write(EVERYONE)

    each(THREADS, lambda _number: marks.scan(read, write, help_desk.now, Apart()))
    each(THREADS, lambda _number: closing.scan(read, write, help_desk.now, Apart()))
    each(THREADS, lambda _number: neglect.scan(read, write, help_desk.now, Apart()))
    assert Counter((one.rule, one.subject, one.level, one.episode) for one in help_desk.rows(Alert)) == {
        ("first answer", late, 3, 1): 1,
        ("first answer", nobodys, 3, 1): 1,
        ("unanswered", "desk", 1, 1): 1,
        ("forgotten", help_desk.owner, 1, 1): 1,
    }
    assert len(help_desk.rows(TicketEvent, what="mark")) == 2
    assert help_desk.ticket(done).status == "closed"
    assert help_desk.titles().count("Your ticket is closed") == 1


def test_a_scan_and_a_customer_at_once_leave_nothing_half_done(runtime: Runtime, help_desk: HelpDesk) -> None:
    help_desk.policy(first=60, solve=60, around_the_clock=True)
    ids = [help_desk.opened() for _ in range(4)]
    help_desk.now += HOUR

    def deed(number: int) -> None:
        if number % 2:
            help_desk.answers(ids[number // 2], status="solved", by=By("agent", help_desk.owner))
        else:
            with runtime.database.write(EVERYONE) as session:
                marks.tell(session, ids, help_desk.now)

    each(8, again(deed))
    assert {help_desk.ticket(one).status for one in ids} == {"solved"}
    assert all(help_desk.ticket(one).next_mark_at is None for one in ids)
