"""The pages of teams, topics, policies and absences: made, changed and deleted, and what open tickets get of it."""

import html
import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from models.desk import Absence, Policy, Team, TeamMember, Topic
from models.session import EVERYONE
from models.ticket import Customer, Ticket
from tests.conftest import Person
from tests.front import browser_of, member_of
from tests.web_fixtures import Browser
from workers.runtime import Runtime

WHEN = 1_780_300_800_000  # a Monday, eight in the morning, UTC
TEAM = {
    "name": "Help", "assigns": "rotate", "time_zone": "UTC", "monday": "9-12, 13-17", "tuesday": "",
    "holidays": "DE-BE", "closed": "2026-12-24\n31.12.2026",
}  # fmt: skip
POLICY = {"name": "All", "priority": "any", "topic": "", "first_hours": "4", "solve_hours": "24", "solve_minutes": "30"}


def text_of(browser: Browser, path: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", browser.get(path).text)).split())


def one(runtime: Runtime, table: type[Any], **known: str) -> Any:
    with runtime.database.read(EVERYONE) as session:
        return session.scalars(select(table).filter_by(**known)).one()


def made(browser: Browser, path: str, form: dict[str, Any]) -> str:
    answer = browser.post(path, form)
    assert answer.status_code == 303, answer.text
    return str(answer.location)


def open_ticket(runtime: Runtime, person: Person) -> None:
    with runtime.database.write(person.workspace_id) as session:
        session.add(Customer(id="customer", email="customer@example.org"))
        session.flush()
        session.add(Ticket(number=1, subject="A lamp", customer_id="customer", source="web", clock_at=WHEN))


def test_an_empty_page_makes_a_team_to_begin_with_in_one_click(ada_s: Browser, runtime: Runtime, ada: Person) -> None:
    assert "Begin with one team" in text_of(ada_s, "/care/teams")
    where = made(ada_s, "/care/teams/start", {})
    page = text_of(ada_s, where)
    assert page.count("09:00–12:30, 13:00–17:00") == 5
    member = one(runtime, TeamMember)
    assert (member.account_id, member.lead, member.takes) == (ada.account_id, True, True)
    made(ada_s, "/care/teams/start", {})
    assert one(runtime, Team).name == "Help desk"


def test_a_team_is_made_with_hours_holidays_and_closed_days_and_shown_as_a_week(
    ada_s: Browser, runtime: Runtime
) -> None:
    where = made(ada_s, "/care/teams/new", TEAM)
    team = one(runtime, Team)
    assert team.hours == {"week": [[[540, 720], [780, 1020]], [], [], [], [], [], []]}
    assert (team.holidays, team.closed, team.assigns) == ("DE-BE", ["2026-12-24", "2026-12-31"], "rotate")
    page = ada_s.get(where).text
    assert 'aria-label="Monday: 09:00–12:00, 13:00–17:00"' in page
    assert "New Year" in page or "Easter" in page or "Labor Day" in page or "Christmas" in page
    form = ada_s.get(f"/care/teams/{team.id}/edit").text
    assert 'value="09:00–12:00, 13:00–17:00"' in form
    assert "2026-12-31</textarea>" in form
    assert "Monday 09:00–12:00, 13:00–17:00" in text_of(ada_s, "/care/teams")


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"name": ""}, "Fill this in."),
        ({"monday": "nine"}, "“nine” could not be read"),
        ({"monday": ""}, "Write the hours of at least one day"),
        ({"time_zone": "Mars/Olympus"}, "Choose a time zone from the list."),
        ({"holidays": "DE-XX"}, "Choose a country, such as DE"),
        ({"closed": "Christmas"}, "is no day"),
        ({"assigns": "dice"}, "Choose one of these."),
    ],
)
def test_what_is_wrong_with_a_team_stands_beside_its_field(ada_s: Browser, fields: dict[str, str], why: str) -> None:
    answer = ada_s.post("/care/teams/new", TEAM | fields)
    assert answer.status_code == 422
    assert why in html.unescape(answer.text)
    assert "2026-12-24" in answer.text or "closed" in fields


def test_two_teams_cannot_have_one_name(ada_s: Browser) -> None:
    made(ada_s, "/care/teams/new", TEAM)
    assert ada_s.post("/care/teams/new", TEAM | {"name": "HELP"}).status_code == 422


def test_without_a_script_monday_is_copied_and_the_week_is_shown_and_nothing_is_saved(
    ada_s: Browser, runtime: Runtime
) -> None:
    answer = ada_s.post("/care/teams/new", TEAM | {"do": "working days"})
    assert answer.status_code == 200
    assert answer.text.count('value="9-12, 13-17"') == 5
    shown = ada_s.post("/care/teams/new", TEAM | {"do": "look", "friday": "22-26"}).text
    assert "There is no time of day “26”" in html.unescape(shown)
    drawn = ada_s.get("/care/teams/week?monday=22-6&time_zone=UTC").text
    assert drawn.count('class="week-work"') == 2
    with runtime.database.read(EVERYONE) as session:
        assert not session.scalars(select(Team)).all()


def test_members_come_lead_take_and_leave(app: Flask, ada_s: Browser, runtime: Runtime, ada: Person) -> None:
    agent = member_of(runtime, ada, "bob", "agent")
    where = made(ada_s, "/care/teams/new", TEAM)
    made(ada_s, f"{where}/members", {"account": agent.account_id})
    made(ada_s, f"{where}/members/{agent.account_id}", {"lead": "yes"})
    member = one(runtime, TeamMember)
    assert (member.lead, member.takes) == (True, False)
    made(ada_s, f"{where}/members/{agent.account_id}/leave", {})
    assert "Nobody is in it yet" in text_of(ada_s, where)
    for nobody in (member_of(runtime, ada, "viewer", "viewer"), member_of(runtime, ada, "carol", "customer")):
        assert ada_s.post(f"{where}/members", {"account": nobody.account_id}).status_code == 422
    assert browser_of(app, runtime, agent).post(f"{where}/members", {"account": agent.account_id}).status_code == 403


def test_more_tickets_than_few_are_left_to_the_job(
    ada_s: Browser, runtime: Runtime, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.care_reckoned.FEW", 0)
    open_ticket(runtime, ada)
    answer = ada_s.post("/care/policies/new", POLICY, follow_redirects=True)
    assert "being reckoned anew; that takes a few seconds" in answer.text
    assert one(runtime, Ticket).first_due_at is None


def test_topics_are_added_changed_archived_and_deleted_with_their_policies(ada_s: Browser, runtime: Runtime) -> None:
    made(ada_s, "/care/teams/new", TEAM)
    made(ada_s, "/care/topics", {"name": "Returns", "team": one(runtime, Team).id})
    topic = one(runtime, Topic)
    assert ada_s.post("/care/topics", {"name": "returns"}).status_code == 422
    assert ada_s.post("/care/topics", {"name": "Orders", "team": "nowhere"}).status_code == 422
    made(ada_s, f"/care/topics/{topic.id}", {"name": "Returns and repairs", "team": ""})
    assert ada_s.post(f"/care/topics/{topic.id}", {"name": ""}).status_code == 422
    made(ada_s, f"/care/topics/{topic.id}/archive", {})
    changed = one(runtime, Topic)
    assert (changed.name, changed.team_id, changed.archived) == ("Returns and repairs", None, True)
    made(ada_s, "/care/policies/new", POLICY | {"topic": topic.id})
    assert "policies for this topic alone go with it" in text_of(ada_s, f"/care/topics/{topic.id}/delete")
    made(ada_s, f"/care/topics/{topic.id}/delete", {})
    with runtime.database.read(EVERYONE) as session:
        assert not session.scalars(select(Policy)).all()


def test_four_policies_to_begin_with_and_what_a_ticket_of_now_would_get(ada_s: Browser, runtime: Runtime) -> None:
    assert "Begin with four" in text_of(ada_s, "/care/policies")
    made(ada_s, "/care/policies/start", {})
    made(ada_s, "/care/policies/start", {})
    page = text_of(ada_s, "/care/policies?priority=1")
    assert "The policy Urgent :" in page
    assert re.search(r"First answer due (today|tomorrow) at \d\d:\d\d, after 1 hour of work", page)
    assert "every hour counts" in page
    assert "No policy fits every ticket." in page
    made(ada_s, "/care/policies/new", POLICY)
    page = text_of(ada_s, "/care/policies")
    assert "No policy fits every ticket." not in page
    assert "24 hours 30 minutes" in page
    last = one(runtime, Policy, name="All")
    for _ in range(4):
        made(ada_s, f"/care/policies/{last.id}/move", {"to": "up"})
    assert one(runtime, Policy, name="All").position == 0
    assert text_of(ada_s, "/care/policies").count("“All” above fits first") == 4
    made(ada_s, f"/care/policies/{last.id}/move", {"to": "down"})
    assert one(runtime, Policy, name="All").position == 1


def test_one_for_a_priority_comes_before_the_one_that_fits_everything(ada_s: Browser, runtime: Runtime) -> None:
    made(ada_s, "/care/policies/new", POLICY)
    made(ada_s, "/care/policies/new", POLICY | {"name": "Urgent", "priority": "1"})
    made(ada_s, "/care/topics", {"name": "Returns"})
    topic = one(runtime, Topic).id
    made(ada_s, "/care/policies/new", POLICY | {"name": "Urgent returns", "priority": "1", "topic": topic})
    made(ada_s, "/care/policies/new", POLICY | {"name": "Returns", "topic": topic})
    with runtime.database.read(EVERYONE) as session:
        names = session.scalars(select(Policy.name).order_by(Policy.position)).all()
    assert names == ["Urgent returns", "Urgent", "Returns", "All"]
    assert "No ticket gets it" not in text_of(ada_s, "/care/policies")


def test_a_policy_without_hours_of_anybody_says_so(ada_s: Browser, runtime: Runtime, ada: Person) -> None:
    made(ada_s, "/care/policies/new", POLICY | {"solve_hours": "", "solve_minutes": ""})
    with runtime.database.write(ada.workspace_id) as session:
        session.add(Team(name="Nobody", time_zone="UTC", hours={"week": [[]] * 7}))
    page = text_of(ada_s, "/care/policies")
    assert "This team never works, so this never comes." in page
    assert "Solution no deadline" in page


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"name": ""}, "Fill this in."),
        ({"first_hours": "0"}, "Nothing can be done in no time"),
        ({"first_hours": "four"}, "Write a whole number of hours"),
        ({"solve_minutes": "99"}, "Write a whole number of hours"),
        ({"solve_hours": "99999"}, "Write a whole number of hours"),
        ({"solve_hours": "2"}, "before the first answer"),
        ({"topic": "nowhere"}, "Choose one of these."),
        ({"priority": "7"}, "Choose one of these."),
    ],
)
def test_what_is_wrong_with_a_policy_stands_beside_its_field(ada_s: Browser, fields: dict[str, str], why: str) -> None:
    answer = ada_s.post("/care/policies/new", POLICY | fields)
    assert answer.status_code == 422
    assert why in html.unescape(answer.text)


def test_a_policy_is_changed_and_deleted(ada_s: Browser, runtime: Runtime) -> None:
    made(ada_s, "/care/policies/new", POLICY)
    policy = one(runtime, Policy)
    assert (policy.first_minutes, policy.solve_minutes) == (240, 1470)
    assert 'value="30"' in ada_s.get(f"/care/policies/{policy.id}").text
    made(ada_s, f"/care/policies/{policy.id}", POLICY | {"first_hours": "", "around": "yes", "priority": "2"})
    changed = one(runtime, Policy)
    assert (changed.first_minutes, changed.around_the_clock, changed.priority) == (None, True, 2)
    assert ada_s.post(f"/care/policies/{policy.id}", POLICY | {"name": ""}).status_code == 422
    assert ada_s.get(f"/care/policies/{policy.id}/delete").status_code == 200
    made(ada_s, f"/care/policies/{policy.id}/delete", {})
    assert ada_s.get(f"/care/policies/{policy.id}").status_code == 404


def day(ahead: int) -> str:
    return (datetime.now(UTC).date() + timedelta(days=ahead)).isoformat()


def test_agents_write_their_own_absences_and_leads_everybody_s(
    app: Flask, ada_s: Browser, runtime: Runtime, ada: Person
) -> None:
    agent, lead = member_of(runtime, ada, "bob", "agent"), member_of(runtime, ada, "lea", "lead")
    bobs, leas = browser_of(app, runtime, agent), browser_of(app, runtime, lead)
    made(bobs, "/care/absences", {"first": day(5), "last": day(9)})
    found = one(runtime, Absence)
    assert (found.account_id, found.last - found.first) == (agent.account_id, timedelta(days=4))
    assert bobs.post("/care/absences", {"first": day(20), "account": ada.account_id}).status_code == 422
    made(leas, "/care/absences", {"first": day(2), "account": ada.account_id})
    theirs = one(runtime, Absence, account_id=ada.account_id)
    assert bobs.post(f"/care/absences/{theirs.id}/delete").status_code == 403
    made(bobs, f"/care/absences/{found.id}/delete", {})
    made(leas, f"/care/absences/{theirs.id}/delete", {})
    assert "Nobody is away" in text_of(bobs, "/care/absences")


@pytest.mark.parametrize(
    ("first", "last", "why"),
    [
        (day(5), day(3), "before the first"),
        (day(-9), day(-3), "These days are over."),
        (day(5), day(2000), "more than two years"),
        ("soon", "", "is no day"),
        (day(9), day(12), "has some of these days already"),
        ("", "", "Fill this in."),
    ],
)
def test_what_is_wrong_with_an_absence_stands_beside_its_field(ada_s: Browser, first: str, last: str, why: str) -> None:
    made(ada_s, "/care/absences", {"first": day(8), "last": day(10)})
    answer = ada_s.post("/care/absences", {"first": first, "last": last})
    assert answer.status_code == 422
    assert why in html.unescape(answer.text)


def test_agents_and_viewers_look_and_change_nothing_and_customers_do_not_look(
    app: Flask, ada_s: Browser, runtime: Runtime, ada: Person
) -> None:
    where = made(ada_s, "/care/teams/new", TEAM)
    made(ada_s, "/care/policies/new", POLICY)
    made(ada_s, "/care/topics", {"name": "Returns"})
    policy, topic = one(runtime, Policy), one(runtime, Topic)
    pages = ("/care/teams", where, "/care/topics", "/care/policies", "/care/absences")
    changes = (
        "/care/teams/start", "/care/teams/new", f"{where}/edit", f"{where}/delete", "/care/topics",
        f"/care/topics/{topic.id}", "/care/policies/start", f"/care/policies/{policy.id}/move",
    )  # fmt: skip
    for role, looks in (("agent", 200), ("viewer", 200), ("member", 200), ("customer", 403)):
        browser = browser_of(app, runtime, member_of(runtime, ada, f"a-{role}", role))
        assert {browser.get(page).status_code for page in pages} == {looks}
        assert {browser.post(path, TEAM).status_code for path in changes} == {403}
    assert one(runtime, Team).closed == [date(2026, 12, 24).isoformat(), "2026-12-31"]
