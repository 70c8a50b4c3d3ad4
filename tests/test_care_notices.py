"""What agents are told of their tickets: one that was given to them, a word of its customer; never their own deeds."""

from datetime import date

import pytest
from flask import Flask
from sqlalchemy import select, update

from models.alert import Alert, Move, Notice
from models.base import db_now
from models.desk import Absence, TeamMember
from models.session import EVERYONE
from models.ticket import Ticket
from tasks.alerting import alert_expiry
from tasks.care import leaving, tickets
from tasks.care.by import CUSTOMER, By
from tests.care_desk import HelpDesk, desk
from tests.conftest import Person
from tests.front import browser_of, member_of
from tests.news import due, mails, tell, wish
from workers.runtime import Runtime

SUBJECT = "#1 The printer burns"
GIVEN, HEARD = f"{SUBJECT} was given to you", f"{SUBJECT}: its customer answered"


@pytest.fixture
def help_desk(runtime: Runtime, ada: Person) -> HelpDesk:
    return desk(runtime, ada)


def told(here: HelpDesk, *accounts: str, waits: bool = False) -> list[list[str]]:
    """What each of them is told; `waits`: only what was not told yet, and will be."""
    with here.runtime.database.read(EVERYONE) as session:
        asked = select(Move.title).join(Notice, Notice.move_id == Move.id).order_by(Move.id)
        asked = asked.where(Notice.told_at.is_(None)) if waits else asked
        return [list(session.scalars(asked.where(Notice.account_id == each))) for each in accounts]


def waiting(here: HelpDesk, account: str) -> list[str]:
    return told(here, account, waits=True)[0]


def test_who_is_given_a_ticket_is_told_and_who_takes_one_or_had_it_is_not(help_desk: HelpDesk) -> None:
    bob, kim = help_desk.person("bob"), help_desk.person("kim")
    help_desk.policy(first=60)
    ticket = help_desk.opened()
    help_desk.changes(ticket, by=help_desk.by(bob), assignee_id=bob)
    assert told(help_desk, bob, kim) == [[], []]
    help_desk.changes(ticket, by=help_desk.by(bob), assignee_id=kim)
    assert [waiting(help_desk, each) for each in (bob, kim)] == [[], [GIVEN]]
    help_desk.changes(ticket, assignee_id=bob)  # before anybody was told: it is Kim's no more
    assert [waiting(help_desk, each) for each in (bob, kim)] == [[GIVEN], []]
    text = help_desk.rows(Alert)[-1].text
    assert text == "An answer is due by Monday, 1 June, 08:00 (UTC). Answer its customer, or hand it on."
    help_desk.changes(ticket, by=help_desk.by(bob), priority=1)  # who works at it has seen it
    assert waiting(help_desk, bob) == []


def test_who_is_handed_a_new_ticket_in_turn_is_told_but_not_of_one_that_they_wrote_themselves(
    help_desk: HelpDesk,
) -> None:
    team = help_desk.team(assigns="rotate")
    bob = help_desk.person("bob", team=team)
    topic = help_desk.topic("Printers", team)
    help_desk.opened(topic_id=topic)
    with help_desk.writing() as session:
        new = tickets.New("Paper", "None left.", "zoe@customer.example", topic_id=topic)
        tickets.open_ticket(session, new, help_desk.by(bob), help_desk.now)
    assert told(help_desk, bob) == [[GIVEN]]


def test_a_word_of_the_customer_is_told_to_its_agent_and_once_whatever_follows(help_desk: HelpDesk) -> None:
    bob, kim = help_desk.person("bob"), help_desk.person("kim")
    ticket = help_desk.opened(text="My password is 4711.")
    help_desk.changes(ticket, by=help_desk.by(bob), assignee_id=bob)
    help_desk.asks(ticket, "It is 4711, as I said.")
    help_desk.asks(ticket, "Hello?")
    help_desk.asks(ticket, "I am away.", automatic=True)
    assert [waiting(help_desk, each) for each in (bob, kim)] == [[HEARD], []]
    assert not any("4711" in each.title + each.text for each in help_desk.rows(Alert))
    help_desk.notes(ticket)  # of somebody else: the customer still waits
    assert waiting(help_desk, bob) == [HEARD]
    help_desk.answers(ticket)
    assert waiting(help_desk, bob) == []
    help_desk.asks(ticket)
    help_desk.changes(ticket, status="solved")
    assert waiting(help_desk, bob) == []


def test_a_word_to_nobodys_ticket_is_its_teams_and_of_somebody_away_too_but_not_of_who_wrote_it_down(
    help_desk: HelpDesk,
) -> None:
    team = help_desk.team()
    bob, eve, kim = help_desk.person("bob", team=team), help_desk.person("eve", team=team), help_desk.person("kim")
    ticket = help_desk.opened(topic_id=help_desk.topic("Printers", team))
    with help_desk.writing() as session:  # a call that Eve took
        caller = By(CUSTOMER, account_id=eve)
        tickets.say(session, session.get_one(Ticket, ticket), "question", "By phone.", caller, help_desk.now)
    assert told(help_desk, bob, eve, kim) == [[HEARD], [], []]
    help_desk.changes(ticket, by=help_desk.by(kim), assignee_id=kim)
    help_desk.add(Absence(account_id=kim, first=date(2026, 6, 1), last=date(2026, 6, 1)))
    help_desk.asks(ticket)
    assert told(help_desk, bob, eve, kim) == [[HEARD] * 2, [HEARD], [HEARD]]


def test_it_comes_at_once_in_a_digest_or_never_as_each_wishes_and_leads_to_the_ticket(
    help_desk: HelpDesk, runtime: Runtime, ada: Person, app: Flask
) -> None:
    team = help_desk.team()
    topic = help_desk.topic("Printers", team)
    people = [member_of(runtime, ada, name, "agent") for name in ("hasty", "calm", "deaf")]
    for person, how in zip(people, ("at once", "gathered", "never"), strict=True):
        wish(runtime, person, areas={"care": how}, pictures=False)
        help_desk.add(TeamMember(team_id=team, account_id=person.account_id))
    ticket = help_desk.opened(topic_id=topic)
    help_desk.asks(ticket)
    assert tell(runtime, help_desk.place)["at_once"] == 1
    due(runtime, *people)
    assert tell(runtime)["digests"] == 1
    assert tell(runtime, help_desk.place)["at_once"] == 0
    first, second = ([*mails(runtime, each)] for each in people[:2])
    assert [each.subject for each in (*first, *second)] == [HEARD, HEARD]
    (alert,) = help_desk.rows(Alert)
    assert alert.link == "/care/1"
    assert f"/alerts/{alert.id}" in first[0].text  # which opens from each of their workspaces
    assert "What changed" in second[0].text
    assert mails(runtime, people[2]) == []
    page = browser_of(app, runtime, people[0])
    assert HEARD not in page.get("/alerts").text  # nothing is wrong
    assert "Open the ticket" in page.get(f"/alerts/{alert.id}").text


def test_news_of_a_ticket_are_kept_for_forty_days(help_desk: HelpDesk) -> None:
    help_desk.person("bob")
    help_desk.asks(help_desk.opened())
    for age, left in ((39, 1), (41, 0)):
        with help_desk.runtime.database.write(EVERYONE) as session:
            session.execute(update(Alert).values(opened_at=db_now() - age * 86_400_000))
            for statement in alert_expiry.expired():
                session.execute(statement)
        assert len(help_desk.rows(Alert)) == left


def test_who_leaves_the_desk_hears_nothing_more_and_a_merged_ticket_is_no_news(help_desk: HelpDesk) -> None:
    bob = help_desk.person("bob")
    one, other = help_desk.opened(), help_desk.opened()
    for each in (one, other):
        help_desk.changes(each, assignee_id=bob)
    with help_desk.writing() as session:
        first, into = (session.get_one(Ticket, each) for each in (one, other))
        tickets.merge(session, first, into, help_desk.by(), help_desk.now)
    assert waiting(help_desk, bob) == [GIVEN.replace("#1", "#2")]
    with help_desk.writing() as session:
        leaving.leave(session, help_desk.place, bob, help_desk.by(), help_desk.now)
    assert waiting(help_desk, bob) == []
