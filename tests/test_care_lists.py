"""Lists of tickets: every view, order and filter shows just what it should, page by page, on each database."""

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import insert

from models.base import new_id
from models.desk import Team, TeamMember
from models.ticket import AT_WORK, DONE, STATUSES, STOPPED, Customer, Ticket, TicketTag
from tests.conftest import Person
from web import care_book, care_filter
from web.care_filter import Filter, read
from workers.runtime import Runtime

NOW = 1_780_000_000_000
HOUR = 3_600_000
COUNT = 100
SMALL = 20  # tickets on a page, so that there are many


@pytest.fixture
def made(runtime: Runtime, ada: Person, grace: Person) -> list[dict[str, Any]]:
    """Tickets of Ada's workspace, and a few of Grace's that no list of Ada's may show."""
    _tickets(runtime, grace, random.Random(2), 12)
    return _tickets(runtime, ada, random.Random(1), COUNT)


def _tickets(runtime: Runtime, person: Person, chance: random.Random, count: int) -> list[dict[str, Any]]:
    place = person.workspace_id
    teams, customers = [new_id(), new_id()], [new_id() for _ in range(5)]
    with runtime.database.write(place) as session:
        session.add_all(Team(id=each, name=each, time_zone="UTC") for each in teams)
        session.add_all(Customer(id=each, email=f"{each}@example.org") for each in customers)
        session.flush()
        session.add(TeamMember(team_id=teams[0], account_id=person.account_id))
        rows = [_row(chance, number, place, person.account_id, teams, customers) for number in range(1, count + 1)]
        tags = [
            {"ticket_id": row["id"], "workspace_id": place, "name": "vip"} for row in rows if row["number"] % 5 == 0
        ]
        session.execute(insert(Ticket), rows)
        session.execute(insert(TicketTag), tags)
    return [{**row, "tags": {"vip"} if row["number"] % 5 == 0 else set()} for row in rows]


def _row(
    chance: random.Random, number: int, place: str, me: str, teams: list[str], customers: list[str]
) -> dict[str, Any]:
    made = NOW - chance.randrange(40) * 6 * HOUR  # often the same moment
    return {
        "id": new_id(), "workspace_id": place, "number": number, "subject": "x",
        "customer_id": chance.choice(customers),
        "priority": chance.randint(1, 4), "status": chance.choice(STATUSES), "team_id": chance.choice([None, *teams]),
        "assignee_id": chance.choice([None, me]), "source": chance.choice(["web", "mail"]), "version": 1,
        "created_at": made, "changed_at": made + chance.randrange(3) * HOUR,
        "answered_at": chance.choice([None, made]), "first_due_at": chance.choice([None, NOW - HOUR, NOW + HOUR // 2]),
        "solve_due_at": chance.choice([None, NOW - 2 * HOUR, NOW + 30 * HOUR]), "spent": 0, "first_mark": 0,
        "solve_mark": 0, "reopened": 0, "links_version": 1, "foreign_key": "",
    }  # fmt: skip


def _due(row: dict[str, Any]) -> int | None:
    pending = [row["solve_due_at"], row["first_due_at"] if row["answered_at"] is None else None]
    return min((each for each in pending if each is not None), default=None)


def _fits(row: dict[str, Any], wanted: Filter) -> bool:
    """The same as the lists ask for, said for one ticket."""
    open_ones = (*AT_WORK, *STOPPED)
    of_view = {
        "mine": row["assignee_id"] == wanted.me and row["status"] in open_ones,
        "team": row["team_id"] in wanted.teams and row["status"] in open_ones,
        "nobody": row["assignee_id"] is None and row["status"] in open_ones, "waiting": row["status"] in STOPPED,
        "overdue": row["status"] in AT_WORK, "solved": row["status"] in DONE, "all": True,
    }  # fmt: skip
    due = _due(row)
    return all([
        of_view[wanted.view], wanted.status in ("", row["status"]), wanted.priority in (0, row["priority"]),
        wanted.source in ("", row["source"]), wanted.team in ("", row["team_id"]),
        wanted.assignee in ("", row["assignee_id"]) or (wanted.assignee == "nobody" and not row["assignee_id"]),
        not wanted.tag or wanted.tag in row["tags"], wanted.customer in ("", row["customer_id"]),
        wanted.order != "due" or (due is not None and row["status"] in AT_WORK),
        wanted.ahead is None or (due is not None and due <= NOW + wanted.ahead),
        wanted.due != "none" or (row["first_due_at"] is None and row["solve_due_at"] is None),
        wanted.since is None or row["created_at"] >= wanted.since,
        wanted.until is None or row["created_at"] < wanted.until,
    ])  # fmt: skip


ORDERS: dict[str, Callable[[dict[str, Any]], tuple[Any, ...]]] = {
    "changed": lambda row: (row["changed_at"], row["id"]), "oldest": lambda row: (-row["changed_at"], row["id"]),
    "made": lambda row: (row["created_at"], row["id"]), "due": lambda row: (-(_due(row) or 0), row["id"]),
    "priority": lambda row: (-row["priority"], row["changed_at"], row["id"]),
}  # fmt: skip


def _expected(made: list[dict[str, Any]], wanted: Filter) -> list[int]:
    fitting = [row for row in made if _fits(row, wanted)]
    if wanted.order in ("oldest", "due"):
        turned = sorted(fitting, key=lambda row: row["id"])
        return [row["number"] for row in sorted(turned, key=lambda row: ORDERS[wanted.order](row)[0], reverse=True)]
    return [row["number"] for row in sorted(fitting, key=ORDERS[wanted.order], reverse=True)]


def _shown(runtime: Runtime, person: Person, wanted: Filter) -> list[int]:
    found, mark = list[int](), ""
    with runtime.database.read(person.workspace_id) as session:
        for _ in range(COUNT):
            after = care_book.mark_of(mark, wanted.order)
            rows, mark = care_book.listed(session, wanted, after, NOW, SMALL)
            assert all(customer.id == ticket.customer_id for ticket, customer in rows)
            found += [ticket.number for ticket, _ in rows]
            if not mark:
                break
    return found


def _filter(runtime: Runtime, person: Person, **given: str) -> Filter:
    with runtime.database.read(person.workspace_id) as session:
        teams = care_book.my_teams(session, person.account_id)
    found, wrong = read({name.rstrip("_"): text for name, text in given.items()}, "UTC", person.account_id, teams)
    assert wrong == {}
    return found


def test_every_view_in_every_order_shows_what_it_should_page_by_page(
    runtime: Runtime, ada: Person, made: list[dict[str, Any]]
) -> None:
    for view in care_filter.VIEWS:
        for sort in care_filter.SORTS:
            wanted = _filter(runtime, ada, view=view, sort=sort)
            expected = _expected(made, wanted)
            assert _shown(runtime, ada, wanted) == expected, (view, sort)
            assert expected, (view, sort)


def _team(made: list[dict[str, Any]]) -> str:
    return next(str(row["team_id"]) for row in made if row["team_id"])


def test_filters_narrow_a_list_alone_and_together_whether_they_leave_few_or_many(
    runtime: Runtime, ada: Person, made: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[dict[str, str]] = [
        {"status": "open"}, {"priority": "urgent"}, {"priority": "low", "view": "mine"}, {"tag": "VIP"},
        {"customer": made[0]["customer_id"]}, {"source": "mail", "sort": "oldest"}, {"assignee": "nobody"},
        {"assignee": "me", "priority": "high", "sort": "priority"}, {"team": _team(made)},
        {"due": "hour"}, {"due": "day", "tag": "vip"}, {"due": "none"}, {"view": "overdue", "priority": "normal"},
        {"view": "team", "assignee": "nobody"}, {"from": "2026-05-24", "to": "2026-05-26"},
        {"tag": "vip", "view": "solved"},
        {"view": "waiting", "status": "hold", "sort": "priority"}, {"view": "solved", "status": "open"},
    ]  # fmt: skip
    wanted = [_filter(runtime, ada, **each) for each in asked]
    for few in (care_book.FEW, 3):  # those that are few are sorted by themselves, many are met on the way
        monkeypatch.setattr(care_book, "FEW", few)
        for each in wanted:
            assert _shown(runtime, ada, each) == _expected(made, each), (each.given, few)
    assert sum(bool(_expected(made, each)) for each in wanted) >= len(wanted) - 2


def test_counts_go_as_far_as_they_are_asked_to(runtime: Runtime, ada: Person, made: list[dict[str, Any]]) -> None:
    views = {view: _filter(runtime, ada, view=view) for view in care_filter.VIEWS}
    mine = views["team"]
    with runtime.database.read(ada.workspace_id) as session:
        expected = {view: len(_expected(made, each)) for view, each in views.items()}
        assert care_book.counted(session, views, mine.me, mine.teams, NOW, COUNT) == expected
        assert max(care_book.counted(session, views, mine.me, mine.teams, NOW, 5).values()) == 5
        assert care_book.counted(session, views, mine.me, (), NOW, COUNT) == {**expected, "team": 0}


@pytest.mark.sqlite
def test_a_mark_that_is_none_and_a_customer_that_is_not_there_break_nothing(runtime: Runtime, ada: Person) -> None:
    assert [
        care_book.mark_of(text, "changed") for text in ("", "1", "x-1", "1-2-3", "9" * 20 + "-a", "1-é", "²-a")
    ] == [None] * 7
    with runtime.database.read(ada.workspace_id) as session:
        assert care_book.listed(session, Filter(customer="nobody@example.org"), None, NOW) == ([], "")


@pytest.mark.sqlite
def test_what_cannot_be_read_of_an_address_is_said_beside_its_field() -> None:
    found, wrong = read({"view": "x", "status": "lost", "from": "31/31/2026", "q": "a\0b\ud800 ", "due": "hour"}, "UTC")
    assert sorted(wrong) == ["from", "status", "view"]
    assert (found.view, found.status, found.text, found.order) == ("all", "", "ab", "due")
    assert replace(found, text="").narrowed
