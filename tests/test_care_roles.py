"""Who may see what: every page and every route of the API as agent, lead, customer and viewer."""

import html

import pytest
from flask import Flask
from werkzeug.routing import Rule

from models.alert import Alert, Notice
from models.base import new_id
from models.session import EVERYONE
from models.workspace import ROLES, Membership, hears
from tests.conftest import Person
from tests.front import browser_of, member_of, token_of
from tests.news import over, rows, see
from tests.test_two_workspaces import SECRET, Theirs, adas, path_of  # noqa: F401  # adas is a fixture
from tests.web_fixtures import Browser, Invite
from web import gate
from workers.runtime import Runtime

NARROW = ("lead", "agent", "customer")
STATIC = ("static", "bootstrap.static")
CLOSED = {403, 404, 405}


def walked(app: Flask, method: str) -> list[Rule]:
    return [
        rule
        for rule in app.url_map.iter_rules()
        if method in (rule.methods or ()) and rule.endpoint not in STATIC and not rule.endpoint.startswith("flower.")
    ]


def is_care(rule: Rule) -> bool:
    return rule.rule.startswith(("/care", "/desk", "/ticket", "/api/v1/tickets", "/api/v1/care"))


@pytest.mark.usefixtures("probe")
@pytest.mark.parametrize("role", NARROW)
def test_a_role_of_the_desk_finds_nothing_of_the_house_on_any_page(
    app: Flask,
    adas: Theirs,  # noqa: F811
    runtime: Runtime,
    ada: Person,
    role: str,
) -> None:
    browser = browser_of(app, runtime, member_of(runtime, ada, "eve", role))
    closed = 0
    for rule in walked(app, "GET"):
        if rule.endpoint.startswith(("api.", "emoncms.")):
            continue
        path = path_of(rule, adas)
        answer = browser.get(path)
        view = app.view_functions[rule.endpoint]
        if not gate.lets_in(view, role):
            assert answer.status_code == 403, f"{path}: {answer.status_code} for {role}"
            closed += 1
        if not (is_care(rule) and role in ("lead", "agent")) and rule.endpoint != "my_tickets.new":  # it offers topics
            assert SECRET not in html.unescape(answer.text).replace(path, ""), f"{path} shows {role} what is not theirs"
            assert "ada@example.org" not in answer.text, path
    assert closed > 60


@pytest.mark.usefixtures("probe")
@pytest.mark.parametrize("role", NARROW)
def test_a_role_of_the_desk_changes_nothing_of_the_house_by_any_form(
    app: Flask,
    adas: Theirs,  # noqa: F811
    runtime: Runtime,
    ada: Person,
    role: str,
) -> None:
    browser = browser_of(app, runtime, member_of(runtime, ada, "eve", role))
    closed = 0
    token = browser.token()
    for rule in walked(app, "POST"):
        view = app.view_functions[rule.endpoint]
        if gate.lets_in(view, role) or rule.endpoint.startswith(("api.", "emoncms.")):
            continue
        answer = browser.client.post(path_of(rule, adas), data={"csrf_token": token})
        assert answer.status_code == 403, f"{rule.rule}: {answer.status_code} for {role}"
        closed += 1
    assert closed > 100


@pytest.mark.usefixtures("probe")
@pytest.mark.parametrize("role", NARROW)
def test_a_token_of_the_desk_s_people_opens_customer_care_and_its_alerts_alone(
    app: Flask,
    adas: Theirs,  # noqa: F811
    runtime: Runtime,
    ada: Person,
    role: str,
) -> None:
    headers = token_of(runtime, member_of(runtime, ada, "eve", role))
    client, closed = app.test_client(), 0
    for rule in app.url_map.iter_rules():
        if not rule.endpoint.startswith(("api.", "emoncms.")):
            continue
        mine = role != "customer" and (is_care(rule) or rule.rule.startswith("/api/v1/alerts"))
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            answer = client.open(path_of(rule, adas), method=method, headers=headers, json={}, buffered=True)
            assert mine or answer.status_code in (403, 429), f"{method} {rule.rule}: {answer.status_code} for {role}"
            assert SECRET not in answer.text or is_care(rule), rule.rule
            closed += not mine
    assert closed > 60


@pytest.mark.usefixtures("probe")
def test_a_viewer_changes_nothing_of_the_desk(
    app: Flask,
    adas: Theirs,  # noqa: F811
    runtime: Runtime,
    ada: Person,
) -> None:
    browser = browser_of(app, runtime, member_of(runtime, ada, "eve", "viewer"))
    token = browser.token()
    for rule in walked(app, "POST"):
        view = app.view_functions[rule.endpoint]
        own = getattr(view, "public", False) or "customer" in getattr(view, "open_to", ())
        if rule.rule.startswith("/care") and not own:
            answer = browser.client.post(path_of(rule, adas), data={"csrf_token": token})
            assert answer.status_code == 403, f"{rule.rule}: {answer.status_code}"


def test_who_is_told_of_what_follows_the_role() -> None:
    assert {role for role in ROLES if hears(role, "stock")} == {"owner", "member", "viewer"}
    assert {role for role in ROLES if hears(role, "care")} == {"owner", "member", "viewer", "lead", "agent"}
    assert not hears("", "care")


def test_alerts_of_the_house_reach_nobody_of_the_desk_and_those_of_care_no_customer(
    app: Flask, runtime: Runtime, ada: Person
) -> None:
    people = {role: member_of(runtime, ada, role, role) for role in NARROW}
    see(runtime, over(ada.workspace_id, 90, title="The rent is late"))
    see(runtime, over(ada.workspace_id, 90, subject="12", title="Ticket 12 is late"), area="care", rule="ticket")
    told = {(each.account_id, each.area) for each in rows(runtime, Notice)}
    assert told == {
        (ada.account_id, "expenses"), (ada.account_id, "care"),
        (people["lead"].account_id, "care"), (people["agent"].account_id, "care"),
    }  # fmt: skip
    ids = {alert.area: alert.id for alert in rows(runtime, Alert)}
    for role, person in people.items():
        browser = browser_of(app, runtime, person)
        page = browser.get("/alerts").text
        assert "The rent is late" not in page
        assert ("Ticket 12 is late" in page) == (role != "customer")
        assert browser.get(f"/alerts/{ids['expenses']}").status_code == 404
        assert browser.post(f"/alerts/{ids['expenses']}/acknowledge").status_code == 404
        assert browser.get(f"/alerts/{ids['care']}").status_code == (404 if role == "customer" else 200)
        assert ("nav-count" in page) == (role != "customer")
        preview = browser.get("/digest/html").text
        assert "The rent is late" not in preview
        assert ("Ticket 12 is late" in preview) == (role != "customer")


def test_news_that_waited_when_somebody_became_an_agent_are_told_no_more(
    app: Flask, runtime: Runtime, ada: Person
) -> None:
    guest = member_of(runtime, ada, "eve", "member")
    see(runtime, over(ada.workspace_id, 90, title="The rent is late"))
    with runtime.database.write(EVERYONE) as session:
        session.get_one(Membership, (ada.workspace_id, guest.account_id)).role = "agent"
    assert "The rent is late" not in browser_of(app, runtime, guest).get("/digest/html").text


def test_an_agent_acts_on_alerts_of_care_by_page_and_by_token(app: Flask, runtime: Runtime, ada: Person) -> None:
    agent = member_of(runtime, ada, "eve", "agent")
    see(runtime, over(ada.workspace_id, 90), over(ada.workspace_id, 90, subject="rent"), area="care", rule="ticket")
    one, other = (alert.id for alert in rows(runtime, Alert))
    assert browser_of(app, runtime, agent).post(f"/alerts/{one}/acknowledge").status_code == 303
    client = app.test_client()
    path = f"/api/v1/alerts/{other}/acknowledge"
    assert client.post(path, headers=token_of(runtime, agent, "read")).status_code == 403
    assert client.post(path, headers=token_of(runtime, agent)).status_code == 200


def test_the_members_page_tells_the_desk_s_people_of_nobody_else(app: Flask, runtime: Runtime, ada: Person) -> None:
    for role in NARROW:
        page = browser_of(app, runtime, member_of(runtime, ada, role, role)).get("/workspace").text
        assert "ada@example.org" not in page
        assert f"{role}@example.org" in page
        assert "/workspace/leave" in page


def test_whoever_is_invited_as_a_customer_begins_with_their_tickets_and_leaves_by_themselves(invite: Invite) -> None:
    customer: Browser = invite("grace", "customer")
    assert customer.get("/home").location in ("/care/my", "/account")
    assert customer.get("/stock").status_code == 403
    page = customer.get("/account").text
    assert "Tokens for the API" not in page
    assert 'href="/stock"' not in page
    assert customer.post("/account/tokens", {"name": "x", "scope": "read", "days": "3"}).status_code == 403
    assert customer.post("/workspace/leave").status_code == 302
    assert customer.get("/stock").status_code == 200, "in the workspace of their own"


def test_an_unknown_page_is_unknown_to_everybody(app: Flask, runtime: Runtime, ada: Person) -> None:
    browser = browser_of(app, runtime, member_of(runtime, ada, "eve", "agent"))
    assert browser.get(f"/no-such-page-{new_id()}").status_code == 404
