"""The job that reckons open tickets' deadlines anew: woken by hours and policies, in portions, for its workspace."""

from sqlalchemy import select

from models.desk import Policy, Team
from models.run import Run
from models.session import EVERYONE
from models.ticket import Customer, Ticket
from models.workspace import SYSTEM
from tasks import discover
from tasks.care import clocks
from tasks.context import Context
from tasks.deadlines.job import Reckoned, headline, run
from tasks.job import NoParams
from tests.conftest import Person
from workers.runtime import Runtime

HOUR = 3_600_000
WHEN = 1_780_300_800_000  # a Monday, eight in the morning, UTC


def reckon(runtime: Runtime, workspace: str) -> Reckoned:
    with Context(runtime.database, runtime.storage, workspace) as ctx:
        return run(NoParams(), ctx)


def desk(runtime: Runtime, person: Person, tickets: int) -> None:
    with runtime.database.write(person.workspace_id) as session:
        session.add(Team(id="team", name="Help", time_zone="UTC"))
        session.add(Customer(id="customer", email="customer@example.org"))
        session.add(Policy(name="All", solve_minutes=60))
        session.flush()
        session.add_all(
            Ticket(number=each, subject="A lamp", customer_id="customer", source="web", clock_at=WHEN)
            for each in range(tickets)
        )


def test_a_changed_policy_wakes_it_and_every_open_ticket_is_due_by_it(runtime: Runtime, ada: Person) -> None:
    desk(runtime, ada, 3)
    with runtime.database.read(EVERYONE) as session:
        assert "deadlines" in session.scalars(select(Run.kind)).all()
    assert reckon(runtime, ada.workspace_id) == Reckoned(seen=3, moved=3)
    with runtime.database.read(EVERYONE) as session:
        assert set(session.scalars(select(Ticket.solve_due_at))) == {WHEN + HOUR}
    assert reckon(runtime, ada.workspace_id) == Reckoned(seen=3, moved=0)


def test_it_goes_through_all_of_them_in_portions(runtime: Runtime, ada: Person) -> None:
    desk(runtime, ada, 5)
    after: str | None = ""
    seen = []
    while after is not None:
        with runtime.database.write(ada.workspace_id) as session:
            found = clocks.portion(session, ada.workspace_id, WHEN, after=after, size=2)
        seen.append((found.seen, found.moved))
        after = found.after
    assert seen == [(2, 2), (2, 2), (1, 1)]


def test_other_workspaces_and_the_system_s_own_are_left_alone(runtime: Runtime, ada: Person, grace: Person) -> None:
    desk(runtime, ada, 1)
    assert reckon(runtime, grace.workspace_id).seen == 0
    assert reckon(runtime, SYSTEM).seen == 0


def test_it_says_what_it_did() -> None:
    assert [headline(Reckoned(seen=5, moved=each)) for each in (0, 1, 2)] == [
        "no deadline moved", "1 deadline moved", "2 deadlines moved",
    ]  # fmt: skip
    assert discover()["deadlines"].watches == (Team, Policy)
