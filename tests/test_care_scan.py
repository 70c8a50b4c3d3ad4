"""The scan of the tickets on a clock that tests move: each mark once, to the right people; neglect; closing."""

from datetime import date

import pytest

from models.desk import Absence, Desk
from models.session import EVERYONE
from models.ticket import Customer, Ticket, TicketEvent
from models.workspace import SYSTEM
from tasks.care import tickets
from tasks.context import Context
from tasks.job import NoParams
from tasks.tickets.job import Looked, headline, run
from tests.care_desk import DAY, HOUR, MINUTE, HelpDesk, at, desk
from tests.conftest import Person
from workers.runtime import Runtime


@pytest.fixture
def help_desk(runtime: Runtime, ada: Person) -> HelpDesk:
    return desk(runtime, ada)


@pytest.fixture
def staffed(help_desk: HelpDesk) -> tuple[HelpDesk, str, str, str]:
    """A team of Bob and its lead Eve, and their topic, with an hour to answer and eight to solve."""
    team = help_desk.team()
    bob, eve = help_desk.person("bob", team=team), help_desk.person("eve", "lead", team=team, lead=True)
    help_desk.policy(first=60, solve=480)
    return help_desk, help_desk.topic("Printers", team), bob, eve


class Moved(Context):
    """A context whose clock the test moves."""

    moment = 0

    def now(self) -> int:
        return self.moment


def scan(help_desk: HelpDesk, place: str = SYSTEM) -> Looked:
    ctx = Moved(help_desk.runtime.database, help_desk.runtime.storage, place)
    ctx.moment = help_desk.now
    with ctx:
        found = run(NoParams(), ctx)
        ctx.commit()
        return found


def walk(help_desk: HelpDesk, until: int, step: int = 5 * MINUTE) -> None:
    """Scan every few minutes until then."""
    while help_desk.now < until:
        help_desk.now += step
        scan(help_desk)


def test_a_clock_moved_through_all_marks_tells_each_once_and_the_lead_at_the_end(
    staffed: tuple[HelpDesk, str, str, str],
) -> None:
    here, topic, bob, eve = staffed
    ticket = here.opened(topic_id=topic)
    here.changes(ticket, assignee_id=bob)
    walk(here, at(1, 11))
    words = "#1 The printer burns: "
    assert here.told(bob) == [
        ("opened", 1, words + "50 % of the time for an answer is used"),
        ("levelled", 2, words + "75 % of the time for an answer is used"),
        ("levelled", 3, words + "the time for an answer is over"),
    ]
    assert here.told(eve) == [("levelled", 3, words + "the time for an answer is over")]
    assert here.told(here.owner) == []
    here.answers(ticket, by=here.by(bob))
    scan(here, here.place)
    assert here.told(bob)[3:] == here.told(eve)[1:] == [("resolved", 3, "#1 The printer burns is answered")]
    here.now = at(1, 13)
    walk(here, at(2, 12), HOUR // 2)
    rest = [("opened", 1), ("levelled", 2), ("levelled", 3)]
    assert [(what, level) for what, level, _ in here.told(bob)[4:]] == rest
    assert [(what, level) for what, level, _ in here.told(eve)[2:]] == rest[2:]
    marks = [(each.before, each.after) for each in here.rows(TicketEvent, what="mark")]
    assert marks == [(kind, percent) for kind in ("first", "solve") for percent in ("50", "75", "100")]
    here.changes(ticket, by=here.by(bob), status="solved")
    assert scan(here).resolved == 1
    assert {each.state for each in here.alerts()} == {"resolved"}
    assert here.titles() == ["We have your message", "Our answer to #1", "Your ticket is solved"]


def test_a_scan_that_comes_late_tells_the_highest_mark_alone(staffed: tuple[HelpDesk, str, str, str]) -> None:
    here, topic, bob, _ = staffed
    here.opened(topic_id=topic)
    here.now = at(1, 14)
    assert (scan(here).opened, scan(here).opened) == (3, 0)  # its answer, half of its solution, that it is nobody's
    assert [level for _, level, words in here.told(bob) if "answer" in words] == [3]


def test_nothing_is_told_at_night_on_hold_or_while_the_customer_is_waited_for(
    staffed: tuple[HelpDesk, str, str, str],
) -> None:
    here, topic, bob, _ = staffed
    here.now = at(1, 16, 50)
    ticket = here.opened(topic_id=topic)
    here.changes(ticket, assignee_id=bob)
    walk(here, at(2, 9, 5), HOUR // 4)
    assert here.told(bob) == []
    here.answers(ticket, status="waiting", by=here.by(bob))
    walk(here, at(5, 17), 4 * HOUR)
    assert here.told(bob) == []
    here.asks(ticket)
    here.changes(ticket, status="hold", by=here.by(bob))
    walk(here, at(8, 17), 4 * HOUR)
    assert here.told(bob) == []


def test_a_mark_that_was_told_is_not_told_again_after_waiting(staffed: tuple[HelpDesk, str, str, str]) -> None:
    here, topic, bob, _ = staffed
    ticket = here.opened(topic_id=topic)
    here.changes(ticket, assignee_id=bob)
    walk(here, at(1, 9, 35))
    here.changes(ticket, status="waiting")
    walk(here, at(1, 11), HOUR // 2)
    here.asks(ticket)
    walk(here, at(1, 11, 5))
    assert [level for _, level, _ in here.told(bob)] == [1]


def test_a_deadline_that_changed_is_told_of_again_the_same_day(staffed: tuple[HelpDesk, str, str, str]) -> None:
    here, topic, bob, _ = staffed
    here.policy(first=40, solve=None, priority=1, position=-1)
    here.policy(first=600, solve=None, priority=4, position=-1)
    ticket = here.opened(topic_id=topic)
    here.changes(ticket, assignee_id=bob)
    walk(here, at(1, 9, 35))
    here.changes(ticket, priority=1)
    walk(here, at(1, 9, 45))
    here.changes(ticket, priority=4)
    assert scan(here).resolved == 0  # it ends without a word: nobody met it
    assert [each.state for each in here.alerts()] == ["resolved", "resolved"]
    walk(here, at(1, 17), HOUR)
    assert [(what, level) for what, level, _ in here.told(bob)] == [("opened", 1), ("opened", 3), ("opened", 1)]
    assert sorted(each.episode for each in here.alerts()) == [1, 2, 3]


def test_a_ticket_that_is_solved_too_late_and_opened_again_is_over_again(help_desk: HelpDesk) -> None:
    help_desk.policy(first=None, solve=60, around_the_clock=True)
    ticket = help_desk.opened()
    help_desk.changes(ticket, assignee_id=help_desk.owner)
    walk(help_desk, help_desk.now + 2 * HOUR, HOUR)
    help_desk.changes(ticket, status="solved")
    scan(help_desk)
    help_desk.asks(ticket, "It is not.")
    walk(help_desk, help_desk.now + HOUR, HOUR // 2)
    told = [(what, level) for what, level, _ in help_desk.told(help_desk.owner)]
    assert told == [("opened", 3), ("resolved", 3), ("opened", 3)]


def test_a_ticket_of_nobody_is_told_to_its_team_and_one_of_somebody_away_too(
    staffed: tuple[HelpDesk, str, str, str],
) -> None:
    here, topic, bob, eve = staffed
    kim = here.person("kim")  # of no team
    here.opened(topic_id=topic)
    absent = here.opened("Paper", topic_id=topic)
    here.changes(absent, assignee_id=kim)
    here.add(Absence(account_id=kim, first=date(2026, 6, 1), last=date(2026, 6, 1)))
    walk(here, at(1, 9, 35))
    assert [words[:2] for _, _, words in here.told(bob)] == ["#1", "#2"]
    assert [words[:2] for _, _, words in here.told(eve)] == ["#1", "#2"]
    assert [words[:2] for _, _, words in here.told(kim)] == ["#2"]


def test_without_teams_and_agents_the_owner_is_told(help_desk: HelpDesk) -> None:
    help_desk.policy(first=60, solve=None)
    help_desk.opened()
    walk(help_desk, help_desk.now + HOUR // 2)
    assert len(help_desk.told(help_desk.owner)) == 1


def test_an_alert_ends_without_a_word_when_its_ticket_is_merged_or_gone(help_desk: HelpDesk) -> None:
    help_desk.policy(first=60, solve=None)
    ids = [help_desk.opened() for _ in range(3)]
    walk(help_desk, help_desk.now + HOUR // 2)
    with help_desk.writing() as session:
        one, into, gone = (session.get_one(Ticket, each) for each in ids)
        tickets.merge(session, one, into, help_desk.by(), help_desk.now)
        session.delete(gone)
    assert scan(help_desk).resolved == 0
    assert [each.state for each in help_desk.alerts()] == ["resolved", "firing", "resolved"]


def test_new_tickets_of_nobody_are_one_list_that_rings_for_new_ones_alone_and_by_day(
    staffed: tuple[HelpDesk, str, str, str],
) -> None:
    here, topic, bob, _ = staffed
    here.now = at(1, 20)
    first = here.opened(topic_id=topic)
    walk(here, at(2, 8, 50), HOUR)
    assert here.told(bob) == []

    def rung() -> list[str]:
        return [f"{what} {words}" for what, _, words in here.told(bob) if "#" not in words]

    walk(here, at(2, 9, 20))
    assert rung() == ["opened A new ticket is nobody's"]
    here.opened(topic_id=topic)
    here.opened(topic_id=topic)
    walk(here, at(2, 11, 30))
    assert rung()[1:] == ["opened 3 new tickets are nobody's"]
    here.changes(first, assignee_id=bob)
    scan(here, here.place)
    walk(here, at(2, 17), HOUR // 2)
    assert len(rung()) == 2
    (alert,) = here.alerts(rule="unanswered", state="firing")
    assert (alert.title, alert.episode) == ("2 new tickets are nobody's", 2)
    assert "The oldest: #2 The printer burns (since Tuesday, 2 June, 09:20 (Europe/Berlin))" in alert.text
    for each in here.rows(Ticket, status="new"):
        here.changes(each.id, assignee_id=bob)
    scan(here, here.place)
    assert rung()[2:] == ["resolved Every new ticket is somebody's now"]


def test_a_forgotten_ticket_is_told_to_its_agent_once_until_another_is_forgotten(help_desk: HelpDesk) -> None:
    bob = help_desk.person("bob")
    ids = [help_desk.opened() for _ in range(3)]
    for each in ids:
        help_desk.changes(each, assignee_id=bob, status="open")
        help_desk.now += DAY
    walk(help_desk, at(15), 6 * HOUR)
    told = [(what, words) for what, _, words in help_desk.told(bob)]
    assert told == [("opened", "A ticket lies untouched"), ("opened", "2 tickets lie untouched"),
                    ("opened", "3 tickets lie untouched")]  # fmt: skip
    assert help_desk.told(help_desk.owner) == []
    for each in ids:
        help_desk.notes(each)
    scan(help_desk, help_desk.place)
    assert [what for what, _, _ in help_desk.told(bob)][3:] == ["resolved"]


def test_what_was_solved_closes_after_the_desks_days_without_a_word_and_its_customer_is_told(
    help_desk: HelpDesk,
) -> None:
    one, other = help_desk.opened(), help_desk.opened("Paper", "kim@customer.example")
    for each in (one, other):
        help_desk.answers(each, status="solved")
    help_desk.now += 7 * DAY - MINUTE
    assert scan(help_desk).closed == 0
    help_desk.notes(other)
    help_desk.now += MINUTE
    assert headline(scan(help_desk)) == "1 closed"
    assert scan(help_desk) == Looked()
    assert (help_desk.ticket(one).status, help_desk.ticket(one).closed_at) == ("closed", help_desk.now)
    assert help_desk.ticket(other).status == "solved"
    assert help_desk.titles()[2:] == ["Your ticket is closed"]
    assert help_desk.history(one)[-1] == ("status", "solved", "closed")


def test_a_desk_without_days_closes_nothing(help_desk: HelpDesk) -> None:
    ticket = help_desk.opened()
    with help_desk.runtime.database.write(EVERYONE) as session:
        session.get_one(Desk, help_desk.place).close_days = 0
    help_desk.changes(ticket, status="solved")
    help_desk.now += 400 * DAY
    assert scan(help_desk).closed == 0
    assert "opens again" in help_desk.mails()[-1].text


def test_a_workspaces_own_scan_looks_at_its_own_tickets_alone(
    runtime: Runtime, help_desk: HelpDesk, grace: Person
) -> None:
    other = desk(runtime, grace)
    for here in (help_desk, other):
        here.policy(first=60, solve=None)
        here.opened()
        here.now += HOUR
    assert scan(help_desk, help_desk.place).opened == 1
    assert (len(help_desk.alerts()), len(other.alerts())) == (1, 0)
    assert scan(help_desk).opened == 3  # the other's answer is over; and both are nobody's


def test_imported_tickets_that_nobody_touched_close_in_silence(help_desk: HelpDesk) -> None:
    help_desk.opened()
    customer = help_desk.rows(Customer)[0].id
    old = {"customer_id": customer, "source": "import", "status": "solved", "changed_at": 1, "created_at": 1}
    help_desk.add(Ticket(number=900, subject="Old", solved_at=1, **old))
    assert scan(help_desk).closed == 1
    assert help_desk.titles() == ["We have your message"]
