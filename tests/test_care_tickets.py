"""What is written to a ticket: opened, said, changed; by whom, and what follows from it."""

from typing import Any

import pytest

from models.desk import Desk
from models.session import EVERYONE
from models.ticket import Customer, Ticket, TicketFile, TicketMessage
from tasks.care import tickets
from tasks.care.attachments import Stored
from tasks.care.moves import MOVES, problem
from tasks.care.tickets import By, Refused, Stale
from tests.care_desk import CUSTOMER, DAY, HOUR, HelpDesk, desk
from tests.conftest import Person
from workers.runtime import Runtime


@pytest.fixture
def help_desk(runtime: Runtime, ada: Person) -> HelpDesk:
    return desk(runtime, ada)


def test_a_new_ticket_has_a_number_its_customer_its_topics_team_and_a_first_message(help_desk: HelpDesk) -> None:
    team = help_desk.team()
    one = help_desk.ticket(help_desk.opened(topic_id=help_desk.topic("Printers", team), priority=2))
    other = help_desk.ticket(help_desk.opened("Paper", "  ZOE@Customer.example "))
    assert (one.number, other.number) == (1, 2)
    assert (one.status, one.priority, one.team_id, one.source, one.version) == ("new", 2, team, "web", 1)
    assert one.customer_id == other.customer_id
    (message,) = help_desk.rows(TicketMessage, ticket_id=one.id)
    assert (message.kind, message.text, message.customer_id) == ("question", "It smokes.", one.customer_id)
    assert help_desk.history(one.id) == [("opened", "", "web")]


def test_every_workspace_counts_its_tickets_from_one(runtime: Runtime, ada: Person, grace: Person) -> None:
    found = [here.ticket(here.opened()).number for here in (desk(runtime, ada), desk(runtime, grace)) for _ in (1, 2)]
    assert found == [1, 2, 1, 2]


@pytest.mark.parametrize(
    "email", ["", "zoe", "a b@example.org", "zoe@", "x@y\nBcc: all@example.org", "z" * 300 + "@a.b"]
)
def test_what_is_no_address_opens_nothing(help_desk: HelpDesk, email: str) -> None:
    with pytest.raises(Refused, match="mail address"):
        help_desk.opened(email=email)
    assert not help_desk.rows(Ticket)
    assert not help_desk.rows(Customer)


def test_texts_are_kept_plain_and_an_empty_subject_has_a_name(help_desk: HelpDesk) -> None:
    ticket = help_desk.opened("\r\n \x00\u202e ", text="One\r\nTwo\rThree\x00\x1b[31m\n")
    assert help_desk.ticket(ticket).subject == "No subject"
    assert help_desk.rows(TicketMessage)[0].text == "One\nTwo\nThree[31m"


def test_a_message_of_megabytes_is_cut_and_says_so(help_desk: HelpDesk) -> None:
    help_desk.opened(text="x" * 300_000)
    (message,) = help_desk.rows(TicketMessage)
    assert len(message.text) == 200_000
    assert "left out" in message.remarks[0]


def test_files_come_with_their_message_and_a_mail_without_words_is_one_too(help_desk: HelpDesk) -> None:
    stored = Stored("photo.png", "image/png", 10, "0" * 64, "key")
    ticket = help_desk.opened(text="", files=[stored])
    (file,) = help_desk.rows(TicketFile)
    assert (file.ticket_id, file.name) == (ticket, "photo.png")
    with pytest.raises(Refused, match="Write what"):
        help_desk.answers(ticket, "  \n ")


def test_the_first_answer_opens_a_ticket_and_stops_its_first_clock(help_desk: HelpDesk) -> None:
    help_desk.policy(first=60, around_the_clock=True)
    ticket = help_desk.opened()
    help_desk.now += HOUR // 2
    help_desk.answers(ticket)
    found = help_desk.ticket(ticket)
    assert (found.status, found.answered_at, found.first_taken, found.first_in_time) == (
        "open", help_desk.now, HOUR // 2, True,
    )  # fmt: skip
    assert (found.told_at, found.version) == (help_desk.now, 2)


def test_a_note_is_no_answer(help_desk: HelpDesk) -> None:
    ticket = help_desk.opened()
    help_desk.notes(ticket)
    assert (help_desk.ticket(ticket).status, help_desk.ticket(ticket).answered_at) == ("new", None)
    assert len(help_desk.mails()) == 1  # that it was received


@pytest.mark.parametrize(
    ("before", "after"),
    [("new", "new"), ("open", "open"), ("waiting", "open"), ("hold", "open"), ("solved", "reopened"),
     ("closed", "reopened"), ("reopened", "reopened")],
)  # fmt: skip
def test_a_word_of_the_customer_moves_the_ticket(help_desk: HelpDesk, before: str, after: str) -> None:
    ticket = help_desk.opened()
    if before == "reopened":
        help_desk.changes(ticket, status="solved")
    help_desk.changes(ticket, status=before)
    help_desk.asks(ticket)
    found = help_desk.ticket(ticket)
    assert (found.status, found.heard_at) == (after, help_desk.now)
    assert found.reopened == (1 if after == "reopened" else 0)
    assert (found.solved_at, found.closed_at) == (None, None)


@pytest.mark.parametrize("before", ["waiting", "hold", "solved", "closed"])
def test_an_automatic_message_opens_nothing_again(help_desk: HelpDesk, before: str) -> None:
    ticket = help_desk.opened()
    help_desk.changes(ticket, status=before)
    mails, heard = len(help_desk.mails()), help_desk.ticket(ticket).heard_at
    help_desk.now += 90 * DAY
    message = help_desk.asks(ticket, "I am away.", automatic=True)
    found = help_desk.ticket(ticket)
    assert (message.ticket_id, message.automatic) == (ticket, True)
    assert (found.status, found.heard_at) == (before, heard)
    assert len(help_desk.mails()) == mails


def test_the_clock_stands_still_while_the_customer_is_waited_for(help_desk: HelpDesk) -> None:
    help_desk.policy(first=None, solve=600, around_the_clock=True)
    ticket = help_desk.opened()
    help_desk.now += HOUR
    help_desk.answers(ticket, "Which one?", status="waiting")
    found = help_desk.ticket(ticket)
    assert (found.clock_at, found.spent, found.next_mark_at) == (None, HOUR, None)
    help_desk.now += 30 * HOUR
    help_desk.asks(ticket, "The red one.")
    found = help_desk.ticket(ticket)
    assert (found.status, found.clock_at, found.solve_due_at) == ("open", help_desk.now, help_desk.now + 9 * HOUR)


def test_a_word_long_after_closing_opens_a_new_ticket_that_is_linked(help_desk: HelpDesk) -> None:
    ticket = help_desk.opened(priority=1)
    help_desk.changes(ticket, status="closed")
    help_desk.now += 7 * DAY
    assert help_desk.asks(ticket).ticket_id == ticket  # within the week
    help_desk.changes(ticket, status="closed")
    help_desk.now += 7 * DAY + 1
    message = help_desk.asks(ticket, "It burns again.")
    new = help_desk.ticket(message.ticket_id)
    assert (new.number, new.status, new.subject, new.priority) == (2, "new", "The printer burns", 1)
    assert help_desk.ticket(ticket).status == "closed"
    assert ("linked", "", "#2") in help_desk.history(ticket)
    assert ("linked", "", "#1") in help_desk.history(new.id)


def test_who_saw_an_older_version_is_told_what_came_and_writes_nothing(help_desk: HelpDesk) -> None:
    ticket = help_desk.opened()
    help_desk.answers(ticket, "Mine.", expected=1)
    help_desk.asks(ticket, "Thanks!")
    help_desk.changes(ticket, priority=1)
    with pytest.raises(Stale) as caught:
        help_desk.answers(ticket, "Also mine.", expected=1)
    assert [each.what for each in caught.value.since] == ["status", "answer", "question", "priority"]
    assert caught.value.since[0].account_id == help_desk.owner
    assert caught.value.ticket.version == 4
    assert len(help_desk.rows(TicketMessage)) == 3
    assert help_desk.ticket(ticket).version == 4
    help_desk.answers(ticket, "Now.", expected=4)


def test_nothing_that_is_different_is_nothing_that_is_written(help_desk: HelpDesk) -> None:
    ticket = help_desk.opened()
    assert help_desk.changes(ticket, priority=3, status="new", assignee_id=None, expected=1) == []
    assert help_desk.ticket(ticket).version == 1
    with pytest.raises(Stale):
        help_desk.changes(ticket, priority=3, expected=7)


def test_who_takes_a_new_ticket_opens_it_and_who_is_given_it_does_not(help_desk: HelpDesk) -> None:
    bob = help_desk.person("bob")
    one, other = help_desk.opened(), help_desk.opened()
    help_desk.changes(one, assignee_id=help_desk.owner)
    help_desk.changes(other, assignee_id=bob)
    assert [help_desk.ticket(each).status for each in (one, other)] == ["open", "new"]
    assert help_desk.history(other)[1:] == [("assignee", "", bob)]


def test_each_change_is_a_line_of_history(help_desk: HelpDesk) -> None:
    team, topic = help_desk.team("Hardware"), help_desk.topic("Printers")
    ticket = help_desk.opened()
    made = help_desk.changes(ticket, subject="It burnt", priority=1, topic_id=topic, team_id=team, status="hold")
    found = help_desk.history(ticket)[1:]
    assert found == [
        ("priority", "normal", "urgent"), ("topic", "", "Printers"), ("team", "", "Hardware"),
        ("subject", "The printer burns", "It burnt"), ("status", "new", "hold"),
    ]  # fmt: skip
    assert [(each.what, each.before, each.after) for each in made] == found
    assert {each.account_id for each in made} == {help_desk.owner}
    assert help_desk.ticket(ticket).version == 2


def test_another_topic_brings_its_team_and_takes_the_other_teams_agent_away(help_desk: HelpDesk) -> None:
    old, new = help_desk.team("Old"), help_desk.team("New", assigns="rotate")
    help_desk.person("bob", team=old)
    eve = help_desk.person("eve", team=new)
    ticket = help_desk.opened(topic_id=help_desk.topic("Paper", old))
    help_desk.changes(ticket, assignee_id=help_desk.owner)
    help_desk.changes(ticket, topic_id=help_desk.topic("Printers", new))
    found = help_desk.ticket(ticket)
    assert (found.team_id, found.assignee_id) == (new, eve)
    assert help_desk.history(ticket)[-2:] == [("assignee", help_desk.owner, ""), ("assignee", "", eve)]


def test_a_higher_priority_is_due_sooner(help_desk: HelpDesk) -> None:
    help_desk.policy(first=600, around_the_clock=True, position=2)
    help_desk.policy(first=60, around_the_clock=True, priority=1)
    ticket = help_desk.opened()
    begun = help_desk.now
    help_desk.now += HOUR // 2
    help_desk.changes(ticket, priority=1)
    found = help_desk.ticket(ticket)
    assert (found.first_minutes, found.first_due_at) == (60, begun + HOUR)


@pytest.mark.parametrize(
    ("wanted", "field"),
    [({"priority": 9}, "priority"), ({"topic_id": "no"}, "topic_id"), ({"team_id": "no"}, "team_id"),
     ({"assignee_id": "no"}, "assignee_id"), ({"status": "gone"}, "status"), ({"status": "reopened"}, "status")],
)  # fmt: skip
def test_what_cannot_be_is_refused_in_a_sentence_beside_its_field(
    help_desk: HelpDesk, wanted: dict[str, Any], field: str
) -> None:
    ticket = help_desk.opened()
    with pytest.raises(Refused) as caught:
        help_desk.changes(ticket, **wanted)
    assert caught.value.field == field
    assert str(caught.value).endswith(".")
    assert help_desk.ticket(ticket).version == 1


@pytest.mark.parametrize("role", ["viewer", "customer"])
def test_only_who_answers_here_is_given_a_ticket(
    runtime: Runtime, help_desk: HelpDesk, grace: Person, role: str
) -> None:
    ticket, looks = help_desk.opened(), help_desk.person("looks", role)
    for other in (looks, grace.account_id):
        with pytest.raises(Refused, match="answers tickets"):
            help_desk.changes(ticket, assignee_id=other)


def test_a_customer_may_say_that_it_is_solved_and_nothing_else(help_desk: HelpDesk) -> None:
    ticket = help_desk.opened()
    for wanted in ({"priority": 1}, {"assignee_id": help_desk.owner}, {"status": "closed"}):
        with pytest.raises(Refused):
            help_desk.changes(ticket, CUSTOMER, **wanted)
    help_desk.changes(ticket, CUSTOMER, status="solved")
    assert help_desk.ticket(ticket).status == "solved"
    with pytest.raises(Refused):
        help_desk.answers(ticket, by=CUSTOMER)


def test_no_status_is_left_without_a_way_and_none_becomes_new_again() -> None:
    for status, can in MOVES["agent"].items():
        assert can
        assert "new" not in can
        assert status not in can
    assert problem("agent", "closed", "open") == ("A ticket that is closed cannot become open; it can become reopened.")


def test_the_desk_is_made_with_its_first_ticket_and_has_the_workspaces_name(help_desk: HelpDesk) -> None:
    help_desk.opened()
    (found,) = help_desk.rows(Desk)
    assert (found.name, found.next_number) == ("Ada's workspace", 2)


def test_a_ticket_that_was_deleted_says_so(help_desk: HelpDesk) -> None:
    ticket = help_desk.opened()
    with help_desk.writing() as session:
        row = session.get_one(Ticket, ticket)
        with help_desk.runtime.database.read(EVERYONE):
            session.connection().exec_driver_sql(f"DELETE FROM ticket WHERE id = '{ticket}'")
        with pytest.raises(Refused, match="not there any more"):
            tickets.say(session, row, "note", "Hello", By("agent"), help_desk.now)
