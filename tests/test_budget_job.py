"""The budgets' job: its parts are gathered, its parameters are the machinery's own, and what it adds to a digest."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from models.run import Run
from models.session import EVERYONE
from models.workspace import SYSTEM
from tasks import discover
from tasks.books import budget_scan
from tasks.budget.job import Stretch
from tasks.context import Context
from tasks.handover import HandedOver
from tasks.sections import Reader
from tests.conftest import Person
from tests.front import WORKER
from tests.ledger_rows import Household, household
from workers.enqueue import submit
from workers.execute import execute
from workers.runtime import Runtime


@pytest.fixture
def home(runtime: Runtime, ada: Person) -> Household:
    return household(runtime, ada)


def test_many_budgets_are_looked_at_by_children_and_their_counts_gathered(
    runtime: Runtime, home: Household, grace: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(budget_scan, "BATCH", 1)
    today = datetime.now(UTC).date()
    for each in (home, household(runtime, grace)):
        each.budget(100, period="year")
        each.entry(-100, today)
    job = discover()["budget"]
    with runtime.database.write(SYSTEM) as session:
        parent = submit(runtime, session, job, HandedOver(job.params()), SYSTEM).id
    execute(runtime, parent, WORKER)
    with runtime.database.read(EVERYONE) as session:
        children = session.scalars(select(Run.id).where(Run.parent_id == parent)).all()
    assert len(children) >= 2
    for child in children:
        assert execute(runtime, child, WORKER) == "succeeded"
    assert execute(runtime, parent, WORKER) == "succeeded"
    with runtime.database.read(EVERYONE) as session:
        run = session.scalars(select(Run).where(Run.id == parent)).one()
    assert run.result == {"budgets": 2, "noted": 0, "opened": 2, "rose": 0, "resolved": 0, "left_out": 0}
    assert run.headline == "2 to look at"


def test_a_parameter_of_the_machinery_s_moves_nobody_s_scan_to_other_workspaces(
    runtime: Runtime, home: Household, grace: Person
) -> None:
    household(runtime, grace).budget(100)
    with Context(runtime.database, runtime.storage, home.person.workspace_id) as ctx:
        forged = Stretch(first="0", last="z")
        assert discover()["budget"].run(forged, ctx).model_dump()["budgets"] == 0


@pytest.mark.parametrize("amounts", [True, False])
def test_a_digest_s_pictures_say_in_words_what_is_to_be_seen(home: Household, amounts: bool) -> None:
    today = datetime.now(UTC).date()
    home.budget(100, period="year", name="Fun $5 and $6")
    home.budget(0, "Nothing")
    home.entry(-90, today)
    home.entry(-1, today, "Nothing")
    reader = Reader(home.person.account_id, "Ada", "UTC", amounts, True, 0)
    with home.runtime.database.read(home.person.workspace_id) as session:
        made = discover()["budget"].section
        assert made is not None
        found = made(session, home.person.workspace_id, reader)
    assert found is not None
    (figure,) = found.figures  # of a limit of zero there is nothing to draw
    assert figure.png.startswith(b"\x89PNG")
    assert figure.alt.startswith("Fun $5 and $6: 90 % of the limit is used on day")
    assert ("€90.00" in " ".join(found.lines)) == amounts
