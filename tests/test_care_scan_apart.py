"""What is broken at one desk stops the scan of no other, and the run says that something was."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update

from models.desk import Team
from models.session import EVERYONE
from models.ticket import Ticket
from models.workspace import SYSTEM
from tasks.context import Context
from tasks.errors import JobError
from tasks.job import NoParams
from tasks.tickets.job import Looked, run
from tests.care_desk import DAY, HelpDesk, at, desk
from tests.conftest import Person
from tests.front import browser_of
from workers.runtime import Runtime


class Moved(Context):
    moment = 0

    def now(self) -> int:
        return self.moment


def scan(here: HelpDesk, place: str = SYSTEM) -> Looked:
    ctx = Moved(here.runtime.database, here.runtime.storage, place)
    ctx.moment = here.now
    with ctx:
        return run(NoParams(), ctx)


@pytest.fixture
def two(runtime: Runtime, ada: Person, grace: Person) -> tuple[HelpDesk, HelpDesk]:
    """Two desks with a ticket that will run out of time, one that will be forgotten and one that will close."""
    both = desk(runtime, ada), desk(runtime, grace)
    for here in both:
        team = here.team()
        here.policy(first=60, solve=None)
        topic = here.topic("Printers", team)
        here.opened(topic_id=topic)
        here.answers(here.opened("Paper", topic_id=topic), status="solved")
        here.changes(here.opened("Ink", topic_id=topic), assignee_id=here.owner)
        here.now = at(1, 12) + 9 * DAY
    return both


def spoil(here: HelpDesk, **values: Any) -> None:
    with here.runtime.database.write(EVERYONE) as session:
        session.execute(update(Team).where(Team.workspace_id == here.place).values(**values))


def rules(here: HelpDesk) -> list[str]:
    return sorted(each.rule for each in here.alerts())


ALL = ["first answer", "first answer", "forgotten", "unanswered"]


def test_a_desk_whose_rows_cannot_be_read_stops_no_other_and_the_run_fails_at_its_end(
    two: tuple[HelpDesk, HelpDesk],
) -> None:
    broken, other = two
    spoil(broken, hours={"days": 5})
    with pytest.raises(JobError, match="One desk could not be watched"):
        scan(other)
    assert rules(other) == ALL
    assert rules(broken) == []
    assert {each.status for each in other.rows(Ticket)} == {"new", "open", "closed"}
    spoil(broken, hours=None)
    assert scan(other).marks == 2
    assert rules(broken) == ALL


def test_a_team_whose_time_zone_is_gone_works_by_utc_and_its_page_says_so(
    two: tuple[HelpDesk, HelpDesk], app: Flask, runtime: Runtime, ada: Person
) -> None:
    lost, other = two
    spoil(lost, time_zone="US/Pacific-New")
    scan(other)
    assert [rules(each) for each in two] == [ALL, ALL]
    browser = browser_of(app, runtime, ada)
    page = browser.get(f"/care/teams/{lost.rows(Team)[0].id}").text
    assert "Its time zone US/Pacific-New is not known here, so its hours are read on the clock of UTC." in page


def test_the_scan_of_the_broken_desk_alone_fails_too(two: tuple[HelpDesk, HelpDesk]) -> None:
    broken, _ = two
    spoil(broken, hours={"days": 5})
    with pytest.raises(JobError, match="One desk"):
        scan(broken, broken.place)
