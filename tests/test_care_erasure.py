"""A customer is erased from a desk: whatever table names them, in their own tickets and in others'."""

import io
from pathlib import Path

import pytest
from sqlalchemy import select

from models import ticket_search
from models.alert import Alert
from models.base import clock
from models.delivery import Delivery
from models.desk import Desk
from models.intake import Intake, IntakeLine
from models.ticket import Customer, Presence, Received, Ticket, TicketFile, TicketMessage, TicketWords
from tasks.care import copies, erasing, forgetting, links, ratings, tickets
from tasks.care.attachments import Stored
from tasks.care.by import ITSELF, By
from tests.care_desk import DAY, HOUR, HelpDesk, desk
from tests.conftest import Person
from tests.rights import files, mentions
from tests.test_care_merging import merge
from tests.test_care_scan import scan
from tests.ticket_files import ZENDESK, read
from workers.runtime import Runtime

ZED, KIM = "zed@secret.example", "kim@customer.example"
MARKS = ("secret.example", "Secret.example", "Zed", "4711")


@pytest.fixture
def help_desk(runtime: Runtime, ada: Person) -> HelpDesk:
    return desk(runtime, ada)


def a_file(runtime: Runtime, name: str = "order 4711.txt") -> Stored:
    key, size = runtime.storage.put(io.BytesIO(b"what they sent"))
    return Stored(name, "text/plain", size, "0" * 64, key)


def zeds(help_desk: HelpDesk, subject: str = "Order 4711", **more: object) -> str:
    return help_desk.opened(subject, ZED, name="Zed", text="I am Zed.", **more)


def erase(help_desk: HelpDesk, email: str = ZED) -> int:
    with help_desk.writing() as session:
        gone = forgetting.forget(session, email)
    assert gone is not None
    for key in gone.keys:
        help_desk.runtime.storage.delete(key)
    return gone.tickets


def found(help_desk: HelpDesk, text: str) -> list[str]:
    with help_desk.runtime.database.read(help_desk.place) as session:
        return list(session.scalars(select(Ticket.id).where(ticket_search.matching(session, text))))


def spoken_in(help_desk: HelpDesk, ticket: str, text: str, file: Stored) -> None:
    """Zed's word in another one's ticket."""
    zed = help_desk.rows(Customer, email=ZED)[0].id
    with help_desk.writing() as session:
        row = session.get_one(Ticket, ticket)
        tickets.say(session, row, "question", text, By("customer", customer_id=zed), help_desk.now, files=[file])


def test_nothing_of_a_customer_stays_in_their_own_tickets_and_what_hangs_on_them(
    runtime: Runtime, help_desk: HelpDesk
) -> None:
    help_desk.policy(first=60, solve=60, around_the_clock=True)
    mine = zeds(help_desk, files=[a_file(runtime)], copies=["yan@customer.example"])
    long = zeds(help_desk, f"4711 {'and so on ' * 15}")
    with help_desk.writing() as session:
        row = session.get_one(Ticket, mine)
        tickets.tag(session, row, "4711", help_desk.by(), help_desk.now)
        tickets.link(session, row, session.get_one(Ticket, long), help_desk.by(), help_desk.now)
        links.end_of_ticket(session, row, help_desk.by(), help_desk.now)
        session.add(Presence(ticket_id=mine, account_id=help_desk.owner, writes=True))
        mail = {"fingerprint": "f", "outcome": "added", "subject": "Re: 4711", "ticket_id": mine}
        session.add(Received(sender="yan@customer.example", data={"message_id": "<4711@x>"}, **mail))
    help_desk.now += 2 * HOUR
    scan(help_desk)
    assert any("4711" in each.title for each in help_desk.rows(Alert))
    for number in (1, 2):
        digest = "\n".join(f"#{number} {each}" for each in (help_desk.ticket((mine, long)[number - 1]).subject, "Mine"))
        help_desk.add(Delivery(to="bob@desk.example", subject="1 new", text=digest, html=digest, stop="digest"))
    help_desk.answers(mine, "Dear Zed, done.", status="closed")
    with help_desk.writing() as session:
        ratings.rate(session, session.get_one(Ticket, mine), 3, "Zed thanks.", help_desk.now)
    assert erase(help_desk) == 2
    assert mentions(runtime, *MARKS) == set()
    assert files(runtime) == 0
    assert [each.text for each in help_desk.rows(Delivery)] == ["#1\n#1 Mine", "#2\n#2 Mine"]
    assert help_desk.rows(Ticket) == []
    assert found(help_desk, "4711") == []


def test_nothing_of_a_customer_stays_in_others_tickets_and_what_those_said_stays(
    runtime: Runtime, help_desk: HelpDesk
) -> None:
    help_desk.policy(first=None, solve=None)
    kept = help_desk.opened("Printer", KIM, name="Kim", copies=[ZED])
    help_desk.answers(kept, "To both.")
    spoken_in(help_desk, kept, "Zed says 4711.", a_file(runtime))
    with help_desk.writing() as session:
        row = session.get_one(Ticket, kept)
        said = f"Mail to {ZED.title()} came back."
        tickets.say(session, row, "note", said, ITSELF, help_desk.now, source="mail", automatic=True)
        copies.drop_copy(session, row, ZED, help_desk.by(), help_desk.now)
        copies.add_copy(session, row, ZED, help_desk.by(), help_desk.now)
    one = zeds(help_desk, files=[a_file(runtime)])
    help_desk.answers(one, "Dear Zed, your order is 4711.")
    help_desk.notes(one, "Zed is difficult.")
    help_desk.notes(kept, "Kim is not.")
    merge(help_desk, one, kept, confirmed=True)
    assert found(help_desk, "zed") == [kept] or set(found(help_desk, "zed")) == {kept, one}
    erase(help_desk)
    assert mentions(runtime, *MARKS) == set()
    assert files(runtime) == 0
    texts = [each.text for each in help_desk.rows(TicketMessage, ticket_id=kept)]
    assert texts == ["It smokes.", "To both.", f"Mail to {erasing.SOMEBODY} came back.", "Kim is not."]
    assert found(help_desk, "zed") == []
    assert found(help_desk, "printer") == [kept]
    assert {each.to for each in help_desk.rows(Delivery)} == {KIM}


def test_what_came_into_their_ticket_from_anothers_goes_back_there(runtime: Runtime, help_desk: HelpDesk) -> None:
    kims = help_desk.opened("Printer", KIM, name="Kim", text="Mine.", files=[a_file(runtime, "mine.txt")])
    merge(help_desk, kims, zeds(help_desk), confirmed=True)
    assert help_desk.rows(TicketMessage, ticket_id=kims) == []
    erase(help_desk)
    assert [each.text for each in help_desk.rows(TicketMessage, ticket_id=kims)] == ["Mine."]
    assert [each.ticket_id for each in help_desk.rows(TicketFile)] == [kims]
    assert (found(help_desk, "mine"), files(runtime)) == ([kims], 1)
    assert mentions(runtime, *MARKS) == set()


def test_lists_of_the_neglected_name_what_was_erased_no_more(runtime: Runtime, help_desk: HelpDesk) -> None:
    team = help_desk.team(hours=None)
    help_desk.person("bob", team=team)
    topic = help_desk.topic("Printers", team)
    zeds(help_desk, topic_id=topic)
    help_desk.opened(email=KIM, topic_id=topic)
    help_desk.now += 4 * DAY
    scan(help_desk)
    assert any("4711" in each.text for each in help_desk.rows(Alert))
    erase(help_desk)
    assert mentions(runtime, *MARKS) == set()
    assert all("The printer burns" in each.text for each in help_desk.rows(Alert))


def test_lines_and_files_of_imports_that_name_them_go_and_the_assistant_learns_anew(
    runtime: Runtime, help_desk: HelpDesk, ada: Person, tmp_path: Path
) -> None:
    zeds(help_desk)
    read(
        runtime, ada, ZENDESK.replace("Caller 8", "Zed").replace("caller8@example.org", "Zed@Secret.example"), tmp_path
    )
    with help_desk.writing() as session:
        session.get_one(Desk, help_desk.place).indexed_at = clock(session)
    assert (len(help_desk.rows(IntakeLine)), files(runtime)) == (3, 1)
    erase(help_desk)
    assert mentions(runtime, *MARKS) == set()
    assert (len(help_desk.rows(IntakeLine)), len(help_desk.rows(Intake)), files(runtime)) == (2, 1, 0)
    assert help_desk.rows(Desk)[0].indexed_at == 0


def test_a_copys_address_goes_out_of_the_search_and_two_customers_alike_are_two(help_desk: HelpDesk) -> None:
    ticket = help_desk.opened(email=KIM, copies=[ZED, "x" + ZED])
    erase(help_desk)
    (words,) = help_desk.rows(TicketWords, ticket_id=ticket)
    assert "x" + ZED.partition("@")[0] in words.words
    assert " zed " not in words.words
    assert {each.email for each in help_desk.rows(Customer)} == {KIM, "x" + ZED}
