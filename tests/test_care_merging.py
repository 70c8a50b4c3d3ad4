"""Two tickets become one: what moves, who is told, and that no customer reads another's words."""

from typing import Any

import pytest

from models.ticket import Ticket, TicketCopy, TicketFile, TicketLink, TicketMessage, TicketTag, TicketWords
from tasks.care import tickets
from tasks.care.attachments import Stored
from tasks.care.tickets import OtherCustomer, Refused
from tests.care_desk import HOUR, ZOE, HelpDesk, desk
from tests.conftest import Person
from workers.runtime import Runtime

KIM = "kim@customer.example"


@pytest.fixture
def help_desk(runtime: Runtime, ada: Person) -> HelpDesk:
    return desk(runtime, ada)


def merge(help_desk: HelpDesk, one: str, into: str, **more: Any) -> str:
    with help_desk.writing() as session:
        first, second = (session.get_one(Ticket, each) for each in (one, into))
        return tickets.merge(session, first, second, help_desk.by(), help_desk.now, **more).id


def tag(help_desk: HelpDesk, ticket: str, *names: str) -> None:
    with help_desk.writing() as session:
        for name in names:
            tickets.tag(session, session.get_one(Ticket, ticket), name, help_desk.by(), help_desk.now)


def test_all_of_one_moves_into_the_other_and_the_customer_is_told_once(help_desk: HelpDesk) -> None:
    into = help_desk.opened(copies=["a@a.example"])
    photo = Stored("photo.png", "image/png", 1, "0" * 64, "key")
    one = help_desk.opened("It burns!", text="Flames.", copies=["a@a.example", "b@a.example"], files=[photo])
    third = help_desk.opened("Third")
    tag(help_desk, into, "fire")
    tag(help_desk, one, "fire", "paper")
    with help_desk.writing() as session:
        first, second = (session.get_one(Ticket, each) for each in (one, third))
        tickets.link(session, first, second, help_desk.by(), help_desk.now)
    help_desk.now += HOUR
    mails = len(help_desk.mails())
    assert merge(help_desk, one, into, keep=["b@a.example"]) == into
    assert [each.text for each in help_desk.rows(TicketMessage, ticket_id=into)] == ["It smokes.", "Flames."]
    assert [each.ticket_id for each in help_desk.rows(TicketFile)] == [into]
    assert {each.name for each in help_desk.rows(TicketTag, ticket_id=into)} == {"fire", "paper"}
    assert {each.email for each in help_desk.rows(TicketCopy, ticket_id=into)} == {"a@a.example", "b@a.example"}
    (link,) = help_desk.rows(TicketLink)
    assert {link.one_id, link.other_id} == {into, third}
    gone = help_desk.ticket(one)
    assert (gone.status, gone.merged_into_id, gone.next_mark_at, gone.clock_at) == ("closed", into, None, None)
    assert (gone.solved_at, gone.solve_taken) == (None, None)
    assert ("merged", "#2", "#1") in help_desk.history(one)
    assert help_desk.history(into)[-1] == ("merged", "#2", "#1")
    assert ("copy", "", "b@a.example") in help_desk.history(into)
    assert help_desk.titles()[mails:] == ["#2 goes on as #1"]
    assert help_desk.mails()[-1].ticket_id == into  # whoever answers it answers there
    (words,) = help_desk.rows(TicketWords, ticket_id=into)
    assert "flames" in words.words


def test_an_answer_to_the_old_one_lands_in_the_new_one_and_nobody_answers_there(help_desk: HelpDesk) -> None:
    into, one = help_desk.opened(), help_desk.opened()
    merge(help_desk, one, into)
    help_desk.changes(into, status="waiting")
    assert help_desk.asks(one, "The red one.").ticket_id == into
    assert help_desk.ticket(into).status == "open"
    with pytest.raises(Refused, match="goes on as #1"):
        help_desk.answers(one)
    with pytest.raises(Refused, match="merged"):
        help_desk.changes(one, status="reopened")


def test_of_two_customers_it_is_refused_until_confirmed_and_then_neither_reads_the_other(help_desk: HelpDesk) -> None:
    into = help_desk.opened()
    one = help_desk.opened("Mine too", KIM, text="My secret.", name="Kim", copies=["kims@customer.example"])
    help_desk.answers(one, "We know.")
    with pytest.raises(OtherCustomer, match="different customers"):
        merge(help_desk, one, into)
    assert help_desk.ticket(one).merged_into_id is None
    merge(help_desk, one, into, confirmed=True)
    kinds = {each.text: each.kind for each in help_desk.rows(TicketMessage, ticket_id=into)}
    assert kinds == {"It smokes.": "question", "My secret.": "note", "We know.": "note"}
    assert (
        "Of the customer of #2: it was the question." in help_desk.rows(TicketMessage, text="My secret.")[0].remarks[0]
    )
    assert help_desk.rows(TicketCopy, ticket_id=into) == []
    assert help_desk.titles(KIM)[2:] == ["Your ticket #2 is seen to together with another one"]
    assert (help_desk.mails(KIM)[-1].ticket_id, len(help_desk.mails())) == (one, 1)
    assert "#1" not in help_desk.mails(KIM)[-1].text
    help_desk.answers(into, "It is out.")
    assert len(help_desk.mails(KIM)) == 3
    later = help_desk.ticket(
        _said_by(help_desk, one, KIM, "And mine?"),
    )
    assert (later.number, later.merged_into_id) == (3, None)
    assert len(help_desk.rows(TicketMessage, ticket_id=into)) == 4


def _said_by(help_desk: HelpDesk, ticket: str, email: str, text: str) -> str:
    """Where a word of this customer lands."""
    from models.ticket import Customer
    from tasks.care.tickets import By

    who = By("customer", customer_id=help_desk.rows(Customer, email=email)[0].id)
    with help_desk.writing() as session:
        row = session.get_one(Ticket, ticket)
        return tickets.say(session, row, "question", text, who, help_desk.now).ticket_id


def test_chains_of_merges_lead_to_the_end_and_circles_are_refused(help_desk: HelpDesk) -> None:
    one, two, three = (help_desk.opened() for _ in range(3))
    merge(help_desk, one, two)
    assert merge(help_desk, two, three) == three
    assert help_desk.ticket(one).merged_into_id == three
    assert help_desk.asks(one).ticket_id == three
    for pair in ((one, three), (three, one), (three, three)):
        with pytest.raises(Refused):
            merge(help_desk, *pair)
    four = help_desk.opened()
    assert merge(help_desk, four, one) == three


def test_a_merged_ticket_is_late_for_nobody(help_desk: HelpDesk) -> None:
    help_desk.policy(first=10, solve=10)
    into, one = help_desk.opened(), help_desk.opened()
    help_desk.now += HOUR
    merge(help_desk, one, into)
    found = help_desk.ticket(one)
    assert (found.first_in_time, found.solve_in_time, found.first_due_at, found.solve_due_at) == (None,) * 4


@pytest.mark.parametrize("forged_first", [True, False])
def test_whom_a_forged_mail_named_reads_nothing_of_the_ticket_that_it_is_merged_with(
    help_desk: HelpDesk, forged_first: bool
) -> None:
    real = help_desk.opened(text="My secret order 4711.", copies=["both@a.example"])
    forged = help_desk.opened(copies=["mallory@evil.example", "both@a.example"], source="mail")
    pair = (forged, real) if forged_first else (real, forged)
    into = merge(help_desk, *pair)
    (left,) = help_desk.rows(TicketCopy)
    assert (left.ticket_id, left.email, left.reads) == (into, "both@a.example", False)
    help_desk.answers(into, "It is on its way.")
    assert not help_desk.mails("mallory@evil.example")
    assert "{ticket}" not in help_desk.mails("both@a.example")[-1].text


def test_whom_an_agent_keeps_goes_on_with_what_they_might_read_before(help_desk: HelpDesk) -> None:
    into = help_desk.opened(copies=["into@a.example", "gone@a.example"])
    one = help_desk.opened(copies=["one@a.example"], source="mail")
    merge(help_desk, one, into, keep=["one@a.example", "into@a.example", "made@up.example"])
    assert {each.email: each.reads for each in help_desk.rows(TicketCopy, ticket_id=into)} == {
        "into@a.example": True,
        "one@a.example": False,
    }
    assert ("copy", "gone@a.example", "") in help_desk.history(into)


@pytest.mark.parametrize(("done", "others"), [("closed", False), ("solved", True)])
def test_an_open_ticket_is_not_lost_in_one_that_is_over(help_desk: HelpDesk, done: str, others: bool) -> None:
    help_desk.policy()
    over = help_desk.opened()
    help_desk.answers(over, "Done.", status=done)
    burns = help_desk.opened(email=KIM if others else ZOE, text="It burns again.")
    merge(help_desk, burns, over, confirmed=others)
    found = help_desk.ticket(over)
    assert (found.status, found.reopened, found.clock_at is not None) == ("reopened", 1, True)
    assert found.next_mark_at is not None
    closed = help_desk.opened()
    help_desk.answers(closed, "Done.", status="closed")
    merge(help_desk, closed, help_desk.opened())
    assert help_desk.ticket(closed).status == "closed"
