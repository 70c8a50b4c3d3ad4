"""Hours that change rewrite no past: what was worked until then counts by the hours that held."""

import pytest
from flask import Flask
from sqlalchemy import update

from models.base import clock as database_clock
from models.desk import Policy, Team
from models.session import EVERYONE
from models.ticket import Ticket
from tasks.care import clock, settling
from tests.care_desk import DAY, HOUR, WEEK, HelpDesk, at, desk
from tests.conftest import Person
from tests.front import browser_of
from tests.web_fixtures import Browser
from workers.runtime import Runtime

MONDAY = 4 * DAY + 8 * HOUR  # eight in the morning, UTC
FORM = {"name": "Help", "assigns": "nobody", "time_zone": "Europe/Berlin"}


@pytest.fixture
def help_desk(runtime: Runtime, ada: Person) -> HelpDesk:
    """A desk whose clock stands at five hours ago."""
    made = desk(runtime, ada)
    with made.writing() as session:
        made.now = database_clock(session) - 5 * HOUR
    return made


@pytest.fixture
def browser(app: Flask, runtime: Runtime, ada: Person) -> Browser:
    return browser_of(app, runtime, ada)


def spent(here: HelpDesk, ticket: str) -> int:
    """Whole hours that a ticket has used by now, as its clock says after hours changed."""
    with here.writing() as session:
        row = session.get_one(Ticket, ticket)
        clock.settle(session, row, database_clock(session))
        return row.spent // HOUR


def test_changed_hours_move_open_tickets_and_the_page_says_so(help_desk: HelpDesk, browser: Browser) -> None:
    help_desk.now = monday = MONDAY + (help_desk.now // (7 * DAY) + 2) * 7 * DAY  # which comes: nothing is worked yet
    help_desk.policy(first=240)
    ticket = help_desk.opened()
    team = {**FORM, "time_zone": "UTC", "monday": "9-12, 13-17"}
    assert browser.post("/care/teams/new", team | {"around": "yes"}).status_code == 303
    where = f"/care/teams/{help_desk.rows(Team)[0].id}"
    answer = browser.post(f"{where}/edit", team, follow_redirects=True)
    assert "One open ticket was reckoned anew." in answer.text
    assert help_desk.ticket(ticket).first_due_at == monday + 6 * HOUR  # from nine, and lunch
    assert "reckoned anew" not in browser.post(f"{where}/edit", team, follow_redirects=True).text
    browser.post(f"{where}/delete")
    assert help_desk.ticket(ticket).first_due_at == monday + 4 * HOUR


def test_a_team_whose_hours_are_changed_on_its_page_keeps_what_it_worked(help_desk: HelpDesk, browser: Browser) -> None:
    team = help_desk.team(hours=None)
    help_desk.policy(first=240, solve=600)
    mine, nobodys = help_desk.opened(topic_id=help_desk.topic("Printers", team)), help_desk.opened()
    due = help_desk.ticket(mine).first_due_at
    closed = at(1) - 10 * DAY  # hours on a day that was, so that none of them can have passed since
    day = "monday" if (help_desk.now - closed) // DAY % 7 in (2, 3) else "thursday"
    page = browser.post(f"/care/teams/{team}/edit", {**FORM, day: "03:00-03:01"})
    assert page.status_code == 303
    assert [spent(help_desk, each) for each in (mine, nobodys)] == [5, 5]
    assert help_desk.ticket(mine).first_due_at == due  # which was over an hour ago, and stays so
    assert (help_desk.ticket(mine).solve_due_at or 0) > help_desk.now + 10 * HOUR


def test_a_team_and_a_policy_that_go_take_no_hours_along(help_desk: HelpDesk, browser: Browser) -> None:
    team = help_desk.team(hours={"week": [[]] * 7})
    help_desk.policy(solve=6000, around_the_clock=True)
    ticket = help_desk.opened(topic_id=help_desk.topic("Printers", team))
    browser.post(f"/care/policies/{help_desk.rows(Policy)[0].id}/delete")
    assert spent(help_desk, ticket) == 5
    browser.post(f"/care/teams/{team}/delete")  # which never worked; without it every hour counts, from now on
    assert spent(help_desk, ticket) == 5
    assert help_desk.rows(Team) == []


def test_settling_moves_no_deadline_and_stays_in_its_workspace_and_team(
    runtime: Runtime, ada: Person, grace: Person
) -> None:
    both = desk(runtime, ada), desk(runtime, grace)
    for here in both:
        here.policy()
        here.opened(topic_id=here.topic("Printers", here.team()))
        here.opened(topic_id=here.topic("Paper", here.team("Shop", hours=None)))
        here.answers(here.opened("Ink"), status="waiting")
    mine, other = both
    before = {each.id: each for here in both for each in here.rows(Ticket)}
    with mine.writing() as session:
        done = settling.portion(session, mine.place, at(1, 13, 30), mine.rows(Team, name="Help")[0].id, size=1)
        assert (done.seen, done.moved, bool(done.after)) == (1, 1, True)
        assert settling.portion(session, mine.place, at(1, 13, 30), after=done.after or "").moved == 1
    now = {each.id: each for here in both for each in here.rows(Ticket)}
    worked = {now[each].subject + now[each].topic_id: now[each].spent for each in now if now[each].topic_id}
    assert sorted(worked.values()) == [0, 0, 3 * HOUR + HOUR // 2, 4 * HOUR + HOUR // 2]
    with mine.writing() as session:
        assert clock.recompute(session, mine.place, at(1, 13, 30)) == 0
    assert [now[each].solve_due_at for each in now] == [before[each].solve_due_at for each in now]
    assert not any(each.spent for each in other.rows(Ticket))


def test_who_changes_a_ticket_at_that_moment_is_left_alone_and_settled_after_it(help_desk: HelpDesk) -> None:
    help_desk.team(hours={"week": WEEK})
    ids = [help_desk.opened() for _ in range(2)]
    meanwhile = iter(ids)

    def write():  # type: ignore[no-untyped-def]
        for each in meanwhile:
            with help_desk.runtime.database.write(EVERYONE) as session:
                session.execute(update(Ticket).where(Ticket.id == each).values(version=9))
        return help_desk.writing()

    assert settling.before_change(write, help_desk.place) == 2
    assert settling.before_change(write, help_desk.place) == 2
