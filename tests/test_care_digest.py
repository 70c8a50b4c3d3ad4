"""What customer care adds to digests: an agent's own tickets, the leads' week, and nothing for others."""

from datetime import UTC, date, datetime, timedelta

import pytest

from models.base import clock, new_id
from models.desk import Desk as House
from models.desk import Team, TeamMember
from tasks import discover
from tasks.care import digest_part
from tasks.care.report_asked import midnight
from tasks.sections import Reader, Section
from tests.conftest import Person, new_person
from tests.front import member_of
from tests.news import due, mails, tell, wish
from tests.test_care_figures import HOUR, Desk
from workers.runtime import Runtime

DAY = 24 * HOUR


def section(runtime: Runtime, person: Person, since: int, pictures: bool = False) -> Section | None:
    made = discover()["tickets"].section
    assert made
    reader = Reader(person.account_id, "Ada", "UTC", amounts=False, pictures=pictures, since=since)
    with runtime.database.read(person.workspace_id) as session:
        return made(session, person.workspace_id, reader)


@pytest.fixture
def now(runtime: Runtime, ada: Person) -> int:
    with runtime.database.read(ada.workspace_id) as session:
        return clock(session)


@pytest.fixture
def desk(runtime: Runtime, ada: Person, now: int) -> Desk:
    """Last week's tickets, and three of an agent's own."""
    made = Desk(runtime, ada)
    today = datetime.fromtimestamp(now / 1000, UTC).date()
    monday = midnight(today - timedelta(today.weekday() + 7), "UTC")
    made.ticket(monday + HOUR, "solved", answered_at=monday + 2 * HOUR, first_taken=HOUR, first_in_time=True,
                solved_at=monday + DAY, solve_taken=5 * HOUR, solve_in_time=False)  # fmt: skip
    made.ticket(monday - 10 * DAY, "hold")
    return made


def of_agent(desk: Desk, agent: Person, now: int) -> None:
    mine, later = {"assignee_id": agent.account_id}, now + 9 * DAY
    desk.add(House(workspace_id=desk.person.workspace_id, name="The shop"))
    desk.ticket(now - HOUR, "new", **mine, subject="No answer yet", first_due_at=now - HOUR // 2, solve_due_at=later)
    desk.ticket(now - 9 * DAY, "open", **mine, subject="Forgotten", answered_at=now - 9 * DAY, solve_due_at=later)
    desk.ticket(now - HOUR, "waiting", **mine, first_due_at=now - HOUR)  # its clock stands
    desk.ticket(now - HOUR, "closed", **mine, first_due_at=now - HOUR)


def test_an_agent_reads_of_their_own_tickets_the_most_pressing_first(
    runtime: Runtime, desk: Desk, ada: Person, now: int
) -> None:
    agent = member_of(runtime, ada, "linus", "agent")
    of_agent(desk, agent, now)
    found = section(runtime, agent, since=now)
    assert found
    assert found.link == "/care"
    assert found.lines[0] == "You have 3 open tickets: 1 overdue, 1 not touched for days."
    assert found.lines[1].startswith("#3 No answer yet: was due ")
    assert found.lines[2:] == ["#4 Forgotten: nobody has touched it for days"]
    assert found.figures == []


def test_a_lead_reads_once_a_week_how_the_desk_did(runtime: Runtime, desk: Desk, ada: Person, now: int) -> None:
    lead = member_of(runtime, ada, "linus", "lead")
    found = section(runtime, lead, since=now - 8 * DAY, pictures=True)
    assert found
    assert found.link == "/care/reports?period=7"
    assert found.lines[0].endswith(": 1 opened, 1 solved, 0 reopened.")
    assert found.lines[1:] == [
        "First answers: half within 1 h, nine of ten within 1 h; 100 % in time.",
        "Solutions: half within 5 h, nine of ten within 5 h; 0 % in time.",
        "1 ticket open now, 1 for more than a week.",
    ]
    (figure,) = found.figures
    assert figure.png.startswith(b"\x89PNG")
    assert len(figure.png) < 200_000
    assert figure.alt.startswith("Tickets opened, solved, and open at the week's end: week from ")
    assert figure.alt.endswith(" 1, 1, 1.")
    assert section(runtime, lead, since=now) is None  # told in this week


def test_several_teams_are_told_apart(runtime: Runtime, desk: Desk, ada: Person, now: int) -> None:
    today = datetime.fromtimestamp(now / 1000, UTC).date()
    at = midnight(today - timedelta(today.weekday() + 7), "UTC") + HOUR
    for name in ("Shop", "Billing"):
        team = Team(id=new_id(), workspace_id=ada.workspace_id, name=name, time_zone="UTC")
        desk.add(team)
        desk.ticket(at, "open", team_id=team.id)
    found = section(runtime, ada, since=0)
    assert found
    assert "Billing: 1 opened, 0 solved, 1 open." in found.lines
    assert "No team: 1 opened, 1 solved, 1 open, 100 % of first answers in time." in found.lines


def test_the_owner_reads_the_week_only_where_nobody_leads_the_desk(
    runtime: Runtime, desk: Desk, ada: Person, now: int
) -> None:
    assert section(runtime, ada, since=0)
    lead = member_of(runtime, ada, "linus", "member")
    team = Team(id=new_id(), workspace_id=ada.workspace_id, name="Shop", time_zone="UTC")
    desk.add(team)
    desk.add(TeamMember(workspace_id=ada.workspace_id, team_id=team.id, account_id=lead.account_id, lead=True))
    assert section(runtime, lead, since=0)
    assert section(runtime, ada, since=0) is None


@pytest.mark.parametrize("role", ["viewer", "customer", "member", "agent"])
def test_who_has_no_part_in_the_desk_reads_nothing_of_it(runtime: Runtime, desk: Desk, ada: Person, role: str) -> None:
    assert section(runtime, member_of(runtime, ada, "somebody", role), since=0) is None


def test_a_week_is_told_with_the_first_digest_after_it() -> None:
    monday, sunday = (midnight(date(2026, 6, day), "UTC") + HOUR for day in (8, 14))
    week = digest_part.last_week("UTC", monday, since=monday - HOUR - 1)
    assert week
    assert (week.first, week.last) == (date(2026, 6, 1), date(2026, 6, 7))
    assert digest_part.last_week("UTC", sunday, since=monday) is None
    assert digest_part.last_week("UTC", sunday, since=0)


def test_the_desks_week_is_a_mail_by_itself_once_a_week_and_an_empty_week_is_none(
    runtime: Runtime, desk: Desk, ada: Person, now: int
) -> None:
    idle = new_person(runtime, "idle")
    Desk(runtime, idle).ticket(now - 60 * DAY, "hold")  # which lies there, and is no news
    for person in (ada, idle):
        wish(runtime, person, last_slot=now - 7 * DAY, pictures=False)
        due(runtime, person)
    assert tell(runtime) == {"digests": 1, "at_once": 0, "silent": 1}
    (mail,) = mails(runtime)
    assert (mail.account_id, mail.subject) == (ada.account_id, "Your desk's week: 1 opened, 1 solved")
    assert "The desk from " in mail.text
    due(runtime, ada, ago=0)
    assert tell(runtime)["digests"] == 0  # told in this week


def test_who_does_not_lead_the_desk_gets_no_mail_for_its_week(
    runtime: Runtime, desk: Desk, ada: Person, now: int
) -> None:
    people = [member_of(runtime, ada, role, role) for role in ("lead", "agent", "viewer")]
    wish(runtime, people[0], areas={"care": "never"}, last_slot=now - 7 * DAY)
    for person in (ada, *people):
        due(runtime, person)
    assert tell(runtime) == {"digests": 0, "at_once": 0, "silent": 4}
