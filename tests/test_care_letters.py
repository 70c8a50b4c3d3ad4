"""What customers get by mail about their tickets: one mail for each thing, with what happens next, and no loops."""

import pytest
from sqlalchemy import update

from models.base import clock
from models.delivery import Bounced, Delivery
from models.desk import Desk, Inlet
from models.session import EVERYONE
from models.ticket import Customer
from tasks.care import letter_words, silence
from tasks.care.letter_words import Now
from tasks.mailing import outbox
from tests.care_desk import CUSTOMER, HOUR, MINUTE, ZOE, HelpDesk, at, desk
from tests.conftest import Person
from workers.runtime import Runtime


@pytest.fixture
def help_desk(runtime: Runtime, ada: Person) -> HelpDesk:
    return desk(runtime, ada)


def settings(help_desk: HelpDesk, **values: object) -> None:
    with help_desk.runtime.database.write(EVERYONE) as session:
        for name, value in values.items():
            setattr(session.get_one(Desk, help_desk.place), name, value)


def test_a_new_ticket_is_confirmed_with_its_number_and_by_when_somebody_answers(help_desk: HelpDesk) -> None:
    help_desk.policy(first=60, solve=None)
    ticket = help_desk.opened(topic_id=help_desk.topic("Printers", help_desk.team()))
    (mail,) = help_desk.mails()
    assert (mail.subject, mail.ticket_id, mail.automatic, mail.message_id) == (
        "[#1] The printer burns", ticket, True, None,
    )  # fmt: skip
    assert mail.text.startswith("Hello Zoe,\n\nWe have your message\n\nIt is ticket #1: “The printer burns”.")
    assert "Somebody will answer you by Monday, 1 June, 10:00 (Europe/Berlin)." in mail.text
    assert "See your ticket:\n{ticket}" in mail.text
    assert 'href="{ticket}"' in mail.html
    assert "Ada's workspace" in mail.text
    assert "Nightshift" not in mail.text + mail.html
    assert "smokes" not in mail.text + mail.html  # whoever types a stranger's address sends them no words


def test_only_a_desk_that_reads_mail_asks_to_answer_it(help_desk: HelpDesk) -> None:
    ticket = help_desk.opened()
    assert "write it on your ticket’s page; answers to this mail are not read" in help_desk.mails()[-1].text
    help_desk.answers(ticket, "Which one?", status="waiting")
    mail = help_desk.mails()[-1]
    assert "answer on your ticket’s page, and we go on" in mail.text
    assert "in the subject" not in mail.text
    help_desk.add(Inlet(kind="maildir", address="help@desk.example"))
    help_desk.answers(ticket, "Which one of them?", status="waiting")
    mail = help_desk.mails()[-1]
    assert "answer this mail, and we go on" in mail.text
    assert "Keep the number in the subject when you answer." in mail.text


def test_without_a_policy_nothing_is_promised(help_desk: HelpDesk) -> None:
    help_desk.opened()
    assert "Somebody will answer you as soon as they can." in help_desk.mails()[0].text


def test_an_answer_that_also_solves_is_one_mail_with_its_words_as_they_were_written(help_desk: HelpDesk) -> None:
    ticket = help_desk.opened(copies=["bob@customer.example"])
    settings(help_desk, signature="Ada\nPrinters & Co")
    message = help_desk.answers(
        ticket, "Turn it off:\n  1. Pull <this>\n\n  2. {ticket} {rate}\n-- \nAda", status="solved"
    )
    mail = help_desk.mails()[-1]
    assert (len(help_desk.mails()), mail.automatic, mail.message_id) == (2, False, message.id)
    assert (
        "Turn it off:\n  1. Pull <this>\n\n  2. {\u2060ticket} {\u2060rate}\n--\nAda\n\nAda\nPrinters & Co" in mail.text
    )
    assert "Turn it off:<br>\n\u00a0\u00a01. Pull &lt;this&gt;<br>" in mail.html
    assert "answer on your ticket’s page within 7 days; after that your ticket is closed" in mail.text
    assert "How was it?" not in mail.text
    (copy,) = help_desk.mails("bob@customer.example")
    assert (copy.subject, copy.ticket_id, copy.message_id) == (mail.subject, ticket, message.id)
    assert "take part" in copy.text


@pytest.mark.parametrize(
    ("status", "title", "words"),
    [("open", "We are working on your ticket", "Somebody sees to it now."),
     ("waiting", "We wait for your answer", "What we asked\n=============\n\nWhich one?"),
     ("hold", "Your ticket is on hold", "We write to you when we go on."),
     ("solved", "Your ticket is solved", "within 7 days; after that"),
     ("closed", "Your ticket is closed", "{rate}?score=3")],
)  # fmt: skip
def test_each_change_of_the_status_is_one_mail_with_what_happens_next(
    help_desk: HelpDesk, status: str, title: str, words: str
) -> None:
    ticket = help_desk.opened()
    if status != "open":
        help_desk.answers(ticket, "Which one?")
    before = len(help_desk.mails())
    help_desk.changes(ticket, status=status, priority=1)
    (mail,) = help_desk.mails()[before:]
    assert help_desk.titles()[-1] == title
    assert words in mail.text
    assert mail.automatic


def test_a_closed_ticket_asks_how_it_was_once_and_only_where_the_desk_wants_it(help_desk: HelpDesk) -> None:
    one, other = help_desk.opened(copies=["bob@customer.example"]), help_desk.opened()
    help_desk.answers(one, "Done.", status="closed")
    assert "Good\n  {rate}?score=3" not in help_desk.mails("bob@customer.example")[-1].text
    assert 'href="{rate}?score=1"' in help_desk.mails()[-1].html
    settings(help_desk, asks=False)
    help_desk.changes(other, status="closed")
    assert "{rate}" not in help_desk.mails()[-1].text


def test_their_own_word_that_opens_it_again_is_confirmed_and_one_that_changes_nothing_is_not(
    help_desk: HelpDesk,
) -> None:
    ticket = help_desk.opened()
    help_desk.asks(ticket)
    assert len(help_desk.mails()) == 1
    help_desk.answers(ticket, status="waiting")
    help_desk.asks(ticket)
    help_desk.changes(ticket, status="solved")
    help_desk.sends()
    help_desk.asks(ticket)
    assert help_desk.titles()[2:] == ["We have your answer", "Your ticket is solved", "Your ticket is open again"]
    assert "You wrote to us, so we have opened it again." in help_desk.mails()[-1].text


def test_notes_tags_and_priorities_are_nobodys_business_but_ours(help_desk: HelpDesk) -> None:
    ticket = help_desk.opened()
    help_desk.notes(ticket, "This customer is difficult.")
    help_desk.changes(ticket, priority=1, assignee_id=help_desk.person("bob"))
    assert len(help_desk.mails()) == 1


def test_a_machine_that_answers_every_mail_gets_six_in_an_hour_and_people_are_always_told(help_desk: HelpDesk) -> None:
    tickets = [help_desk.opened(f"Re: {number}") for number in range(9)]
    assert len(help_desk.mails()) == silence.CAP == 6
    assert help_desk.history(tickets[-1])[-1] == ("mail", "", "not sent")
    help_desk.answers(tickets[-1])
    help_desk.changes(tickets[-1], status="solved")
    assert len(help_desk.mails()) == 8
    help_desk.now += HOUR
    help_desk.opened("Later")
    assert len(help_desk.mails()) == 9


def test_what_a_machine_wrote_is_answered_by_people_alone(help_desk: HelpDesk) -> None:
    ticket = help_desk.opened(automatic=True)
    for other in ("MAILER-DAEMON@example.org", "no-reply@example.org"):
        help_desk.opened(email=other)
    assert help_desk.rows(Delivery) == []
    help_desk.answers(ticket)
    assert help_desk.titles() == ["Our answer to #1"]


def test_no_mail_goes_where_it_came_back_from_nor_to_ourselves_nor_to_nowhere(help_desk: HelpDesk) -> None:
    help_desk.opened()
    help_desk.add(Bounced(address=ZOE, reason="550"), Inlet(kind="maildir", address="help@desk.example"))
    with help_desk.runtime.database.write(EVERYONE) as session:
        session.add(Customer(workspace_id=help_desk.place, email="x@invalid"))
    tickets = [help_desk.opened(email=email) for email in (ZOE, "help@desk.example", "x@invalid")]
    for ticket in tickets:
        help_desk.answers(ticket)
    assert len(help_desk.rows(Delivery)) == 1
    assert [help_desk.history(ticket)[-1][0] for ticket in tickets] == ["mail", "mail", "status"]


def test_a_ticket_that_an_agent_raised_for_a_customer_says_so(help_desk: HelpDesk) -> None:
    from tasks.care import tickets

    with help_desk.writing() as session:
        tickets.open_ticket(session, tickets.New("Paper", "None left.", ZOE), help_desk.by(), help_desk.now)
    assert "We have opened ticket #1 for you: “Paper”." in help_desk.mails()[0].text


def test_their_solution_is_taken_at_their_word(help_desk: HelpDesk) -> None:
    ticket = help_desk.opened()
    help_desk.changes(ticket, CUSTOMER, status="solved")
    assert "You have told us that it is solved." in help_desk.mails()[-1].text


def test_moments_are_words_on_the_clock_of_the_team() -> None:
    assert letter_words.moment(at(2, 14), "Europe/Berlin", at(1)) == "Tuesday, 2 June, 14:00 (Europe/Berlin)"
    assert letter_words.moment(at(2, 14), "Asia/Tokyo", at(1) - 200 * 24 * HOUR) == (
        "Tuesday, 2 June 2026, 21:00 (Asia/Tokyo)"
    )


@pytest.mark.parametrize(("days", "words"), [(0, "opens again"), (1, "within one day"), (30, "within 30 days")])
def test_how_long_there_is_to_answer_is_said_in_days(days: int, words: str) -> None:
    assert words in letter_words.moved(Now(1, "A", "solved", close_days=days)).next[0]


def test_who_takes_a_ticket_and_answers_a_moment_later_sends_one_mail(help_desk: HelpDesk) -> None:
    ticket = help_desk.opened()
    help_desk.changes(ticket, assignee_id=help_desk.owner)
    (held,) = help_desk.mails()[1:]
    assert (help_desk.titles()[-1], held.due_at) == ("We are working on your ticket", help_desk.now + 5 * MINUTE)
    help_desk.answers(ticket)
    assert help_desk.titles()[1:] == ["Our answer to #1"]
    assert help_desk.mails()[-1].due_at is None


def test_a_status_that_changed_again_is_told_as_it_is_now_and_one_that_is_as_before_not_at_all(
    help_desk: HelpDesk,
) -> None:
    ticket = help_desk.opened()
    help_desk.answers(ticket)
    help_desk.changes(ticket, status="hold")
    help_desk.changes(ticket, status="solved")
    assert help_desk.titles()[2:] == ["Your ticket is solved"]
    help_desk.asks(ticket)  # they never heard that it was solved
    assert len(help_desk.mails()) == 2
    help_desk.changes(ticket, status="solved")
    help_desk.sends()
    help_desk.answers(ticket)
    assert help_desk.titles()[2:] == ["Your ticket is solved", "Our answer to #1"]


def test_what_is_held_back_stays_until_its_time_and_then_wakes_the_mail_job(help_desk: HelpDesk) -> None:
    ticket = help_desk.opened()
    help_desk.answers(ticket)
    help_desk.sends()
    with help_desk.runtime.database.read(EVERYONE) as session:
        help_desk.now = clock(session)
    help_desk.changes(ticket, status="solved")

    def waiting() -> tuple[int, set[str]]:
        with help_desk.runtime.database.read(EVERYONE) as session:
            return len(outbox.portion(session, "", "", 9)), outbox.fell_due(session)

    assert waiting() == (0, set())
    with help_desk.writing() as session:
        session.execute(update(Delivery).where(Delivery.state == "queued").values(due_at=help_desk.now))
    assert waiting() == (1, {help_desk.place})


@pytest.mark.parametrize(
    ("name", "greeting"),
    [
        ("Zoë O’Neill-Smith", "Hello Zoë O’Neill-Smith,"), ("Dr. Anna M.", "Hello Dr. Anna M.,"),
        ("अंजलि", "Hello अंजलि,"),
        ("Win 1000 EUR", ""), ("Look at evil.example/x", ""), ("so cheap are our pills now", ""),
        ("A" * 41, ""), ("", ""),
    ],
)  # fmt: skip
def test_a_name_that_anybody_may_have_given_carries_no_message(help_desk: HelpDesk, name: str, greeting: str) -> None:
    help_desk.opened("Look at evil.example and https://evil.example/", name=name)
    (mail,) = help_desk.mails()
    assert mail.text.startswith(greeting or "We have your message")
    assert "evil.example" not in mail.text + mail.subject + mail.html
    assert "://evil" not in mail.text


def test_beyond_a_hundred_mails_of_unknown_senders_in_an_hour_their_tickets_open_in_silence(
    help_desk: HelpDesk,
) -> None:
    help_desk.opened()
    settings(help_desk, strangers=silence.MOST_STRANGERS - 1, strangers_at=help_desk.now - HOUR + 1)
    known, one, two = (
        help_desk.opened(email=f"{name}@else.example", source="mail") for name in ("known", "one", "two")
    )
    assert [help_desk.history(each)[-1] == ("mail", "", "not sent") for each in (known, one, two)] == [
        False,
        True,
        True,
    ]
    with help_desk.writing() as session:
        session.execute(update(Customer).where(Customer.email == "known@else.example").values(reached_at=1))
    assert help_desk.history(help_desk.opened(email="known@else.example", source="mail"))[-1][0] == "opened"
    help_desk.answers(two)
    assert len(help_desk.mails("two@else.example")) == 1
    help_desk.now += HOUR
    help_desk.opened(email="three@else.example", source="mail")
    assert len(help_desk.mails("three@else.example")) == 1
