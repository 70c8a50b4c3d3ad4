"""Full text of tickets, on every database: words, phrases, beginnings, numbers, and whatever somebody types."""

from collections.abc import Callable

import pytest
from sqlalchemy import select

from models import ticket_search
from models.base import new_id
from models.session import EVERYONE, Database
from models.ticket import Customer, Ticket, TicketWords
from tests.conftest import Person
from tests.servers import DATABASES
from workers.runtime import Runtime

pytestmark = pytest.mark.parametrize("settings", ["sqlite", *sorted(DATABASES)], indirect=True)
TEXTS = {
    1: "Der Drucker im Büro druckt nicht, Straße 12, déjà-vu",
    2: "Printer on fire, call INC0000045 back at anna@example.org",
    3: "The printer works again; printing in colour is out of paper",
    4: "Rechnung 4711 über 2,50 Euro ist falsch",
    7: "プリンターが動かない 印刷できません",
    42: "to be or not to be",
}
Search = Callable[..., list[int]]


@pytest.fixture
def search(runtime: Runtime, ada: Person, grace: Person) -> Search:
    """Searches Ada's tickets; Grace has the same ones."""
    for person in (ada, grace):
        fill(runtime.database, person.workspace_id, TEXTS)

    def search(given: str, workspace: str = "", newest: bool = False) -> list[int]:
        with runtime.database.read(workspace or ada.workspace_id) as session:
            found = ticket_search.matching(session, given, newest=newest)
            return list(session.scalars(select(Ticket.number).where(found).order_by(Ticket.number)))

    return search


def fill(database: Database, workspace: str, texts: dict[int, str]) -> None:
    with database.write(workspace) as session:
        customer = Customer(id=new_id(), workspace_id=workspace, email="a@example.org")
        session.add(customer)
        for number, text in texts.items():
            ticket = Ticket(
                id=new_id(), workspace_id=workspace, number=number, subject=text[:200], customer_id=customer.id,
                source="web",
            )  # fmt: skip
            session.add(ticket)
            session.flush()
            ticket_search.index(session, ticket.id, workspace, text)


def test_words_accents_case_beginnings_phrases_and_numbers(search: Search) -> None:
    found = {
        "drucker": [1], "BURO": [1], "büro": [1], "strasse": [1], "STRASSE 12": [1], "deja": [1], "déjà-vu": [1],
        "printer": [2, 3], "Printer fire": [2], "fire printer": [2], "prin": [2, 3], "printi": [3], "pri fire": [],
        '"printer works"': [3], '"works printer"': [], '"printer wor"': [], "“printer works”": [3],
        "anna@example.org": [2], "anna@exam": [2], "inc0000045": [2], "4711": [4], "2,50": [4], "#4711": [],
        "42": [42], "#42": [42], " # 42 ": [42], "印刷": [7], "動か": [7], "刷印": [], "to be": [42], "be": [42],
        '"not to be"': [42], '"be not"': [], "is": [3], "absent": [], "printer absent": [], '"printer works': [3],
    }  # fmt: skip
    assert {given: search(given) for given in found} == found
    assert {given: search(given, newest=True) for given in found} == found


@pytest.mark.parametrize("newest", [False, True])
def test_whatever_somebody_types_is_no_error(search: Search, newest: bool) -> None:
    hostile = [
        "", " ", "?!", '"', '""', "'", "';--", "%", "_", "\\", "*", "NEAR(a b)", "words : printer", "a AND", "OR",
        "NOT", "+printer -fire", "printer*", "(printer", "printer)", "@@", ":*", "<->", "a & b | !c", "~", "^",
        "\x00", "\ud800",
        "x" * 100_000, "printer " * 10_000, "🔥", "\u0301", "\u202e", "{words workspace}: printer", "1e5", "0x1f", "#",
        "#99999999999999999999", "99999999999999999999", "²", "½", "ﷺ", "%s", ":x", "--", "/*", "\n", "^printer",
    ]  # fmt: skip
    found = {given: search(given, newest=newest) for given in hostile}
    assert not [given for given in ("", "?!", "%", "_", "*", '""', "🔥", "#") if found[given]]
    assert found["printer*"] == found["printer)"] == found["'printer"[1:] + "*"] == [2, 3]


def test_nobody_elses_tickets_are_found(search: Search, ada: Person, grace: Person) -> None:
    assert search("printer") == search("printer", grace.workspace_id) == [2, 3]
    assert search("printer", EVERYONE) == [2, 2, 3, 3]
    assert search(grace.workspace_id) == search(f"w{grace.workspace_id}") == []


def test_words_that_very_many_have_are_found_all_the_same(search: Search, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ticket_search, "MANY", 1)
    assert search("printer") == search('"printer"') == search("prin") == [2, 3]
    assert search("printer fire") == [2]
    assert 3 in search("printer", newest=True)


def test_what_changes_is_found_as_it_is_now(search: Search, runtime: Runtime, ada: Person) -> None:
    with runtime.database.write(ada.workspace_id) as session:
        ids = {number: session.scalars(select(Ticket.id).where(Ticket.number == number)).one() for number in (2, 3, 4)}
        ticket_search.index(session, ids[2], ada.workspace_id, "Toner is empty")
        ticket_search.forget(session, ids[4])
        session.delete(session.get_one(Ticket, ids[3]))
    assert (search("printer"), search("toner"), search("rechnung")) == ([], [2], [])
    with runtime.database.read(ada.workspace_id) as session:
        assert len(session.scalars(select(TicketWords.ticket_id)).all()) == len(TEXTS) - 2


def test_a_huge_ticket_is_searched_by_its_beginning(search: Search, runtime: Runtime, ada: Person) -> None:
    huge = "beginning " + " ".join(f"w{number}" for number in range(60_000)) + " " + "ﷺ" * 50_000
    fill_one = {99: huge}
    with runtime.database.write(ada.workspace_id) as session:
        session.query(Customer).delete()
    fill(runtime.database, ada.workspace_id, fill_one)
    assert search("beginning") == [99]
