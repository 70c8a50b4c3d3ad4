"""How many questions a page of customer care asks the database: as many for many tickets as for a few."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event

from tests.care_people import ticket_of
from tests.conftest import Person
from tests.web_fixtures import Browser
from workers.runtime import Runtime

LIST, TICKET = 9, 26  # what they ask now; who adds one asks whether it can go with another


@contextmanager
def counted(runtime: Runtime) -> Iterator[list[str]]:
    """The statements meanwhile, but for the beginnings and ends of transactions."""
    found: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not statement.startswith(("BEGIN", "SAVEPOINT", "RELEASE")):
            found.append(statement)

    event.listen(runtime.database.engine, "before_cursor_execute", note)
    yield found
    event.remove(runtime.database.engine, "before_cursor_execute", note)


@pytest.mark.sqlite
def test_a_list_asks_as_much_for_many_tickets_as_for_one_and_so_does_a_ticket_for_many_words(
    runtime: Runtime, ada: Person, ada_s: Browser
) -> None:
    asked: list[tuple[int, int]] = []
    for more in (1, 7):
        for at in range(more):
            ticket_of(runtime, ada, subject=f"Lamp {more} {at}", email=f"{more}-{at}@example.org")
            ada_s.post("/care/1/change", {"assignee_id": "me"})
            ada_s.post("/care/1/answer", {"kind": "note", "text": f"Seen {more} {at}."})
        ada_s.get("/care?view=all")  # what is known for some seconds is known now
        with counted(runtime) as of_list:
            assert ada_s.get("/care?view=all").text.count("data-row") == len(asked) * 7 + 1
        with counted(runtime) as of_ticket:
            assert "Seen 1 0." in ada_s.get("/care/1").text
        asked.append((len(of_list), len(of_ticket)))
    assert asked[0] == asked[1]
    assert asked[0][0] <= LIST, of_list
    assert asked[0][1] <= TICKET, of_ticket
