"""Customers and their accounts, who takes part beside them, and tags and links of their tickets."""

import pytest

from models.account import Account
from models.base import new_id
from models.session import EVERYONE
from models.ticket import Customer, Ticket, TicketCopy
from models.workspace import Membership
from tasks.care import copies, customers, tickets
from tasks.care.tickets import New, Refused
from tests.care_desk import CUSTOMER, ZOE, HelpDesk, desk
from tests.conftest import Person
from workers.runtime import Runtime


@pytest.fixture
def help_desk(runtime: Runtime, ada: Person) -> HelpDesk:
    return desk(runtime, ada)


def test_tags_are_lower_case_once_each_and_twenty_at_most(help_desk: HelpDesk) -> None:
    with help_desk.writing() as session:
        ticket = tickets.open_ticket(session, New("A", "B", ZOE), CUSTOMER, help_desk.now)
        assert tickets.tag(session, ticket, " #Re  Fund ", help_desk.by(), help_desk.now)
        assert not tickets.tag(session, ticket, "re fund", help_desk.by(), help_desk.now)
        for wrong in ("", " # ", "x" * 41, "a,b"):
            with pytest.raises(Refused):
                tickets.tag(session, ticket, wrong, help_desk.by(), help_desk.now)
        for number in range(19):
            tickets.tag(session, ticket, f"t{number}", help_desk.by(), help_desk.now)
        with pytest.raises(Refused, match="at most 20"):
            tickets.tag(session, ticket, "one more", help_desk.by(), help_desk.now)
        assert tickets.untag(session, ticket, "RE FUND", help_desk.by(), help_desk.now)
        assert not tickets.untag(session, ticket, "re fund", help_desk.by(), help_desk.now)


def test_tickets_are_linked_both_ways_and_once(help_desk: HelpDesk) -> None:
    ids = [help_desk.opened(), help_desk.opened()]
    with help_desk.writing() as session:
        one, other = (session.get_one(Ticket, each) for each in ids)
        by, now = help_desk.by(), help_desk.now
        assert tickets.link(session, one, other, by, now)
        assert not tickets.link(session, other, one, by, now)
        with pytest.raises(Refused):
            tickets.link(session, one, one, by, now)
        assert tickets.unlink(session, other, one, by, now)
        assert not tickets.unlink(session, one, other, by, now)


def test_others_who_take_part_are_ten_at_most_and_never_the_customer_twice(help_desk: HelpDesk) -> None:
    many = ["Bob@Customer.example", "bob@customer.example", ZOE, "nonsense", *(f"{n}@a.example" for n in range(20))]
    ticket = help_desk.opened(copies=many)
    found = help_desk.rows(TicketCopy, ticket_id=ticket)
    assert len(found) == 10
    assert "bob@customer.example" in {each.email for each in found}
    with help_desk.writing() as session:
        row, by, now = session.get_one(Ticket, ticket), help_desk.by(), help_desk.now
        with pytest.raises(Refused, match="At most 10"):
            tickets.add_copy(session, row, "one@more.example", by, now)
        assert tickets.drop_copy(session, row, "BOB@customer.example", by, now)
        assert tickets.add_copy(session, row, "one@more.example", by, now)
        assert not tickets.add_copy(session, row, ZOE, by, now)
        bob = customers.of(session, help_desk.place, "one@more.example")
        assert customers.takes_part(session, row, bob.id)
        assert "one@more.example" in copies.of(session, ticket)


def test_a_customers_account_is_the_one_with_their_confirmed_address(runtime: Runtime, help_desk: HelpDesk) -> None:
    with runtime.database.write(EVERYONE) as session:
        mine = Account(id=new_id(), email=ZOE, name="Zoe")
        session.add(mine)
        session.flush()
        session.add(Membership(workspace_id=help_desk.place, account_id=mine.id, role="customer"))
    first = help_desk.opened()
    assert help_desk.rows(Customer)[0].account_id is None  # anybody could have signed up with that address
    with runtime.database.write(EVERYONE) as session:
        session.get_one(Account, mine.id).confirmed_at = 1
    with help_desk.writing() as session:
        assert customers.adopt(session, help_desk.place, mine.id) == 1
    other = help_desk.opened(email="wrong@customer.example", account_id=mine.id)
    assert help_desk.ticket(other).customer_id == help_desk.ticket(first).customer_id


def test_members_who_write_by_mail_are_customers_without_their_account(help_desk: HelpDesk) -> None:
    help_desk.opened(email="ada@example.org")
    assert help_desk.rows(Customer)[0].account_id is None
