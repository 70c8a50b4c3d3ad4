"""The agents' pages: a queue, one ticket for two agents at once, who else is there, many at once, merging."""

import io
import re
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from models.session import EVERYONE
from models.ticket import Presence, Ticket, TicketFile, TicketMessage
from tests.care_people import ticket_of, words_on
from tests.conftest import Person
from tests.front import browser_of, member_of
from tests.web_fixtures import Browser, rows
from workers.runtime import Runtime


@pytest.fixture
def grace_s(app: Flask, runtime: Runtime, ada: Person) -> Browser:
    """An agent of Ada's desk."""
    return browser_of(app, runtime, member_of(runtime, ada, "grace", "agent"))


def version(page: str) -> str:
    found = re.search(r'id="answer".*?name="version" value="(\d+)"', page, re.S)
    assert found
    return found[1]


def answer(browser: Browser, number: int, seen: str, text: str = "Turn it on.", **more: Any) -> Any:
    return browser.post(f"/care/{number}/answer", {"kind": "answer", "text": text, "version": seen, **more})


def messages(runtime: Runtime) -> list[tuple[str, str]]:
    return [(each.kind, each.text) for each in rows(runtime.database, TicketMessage)]


def test_an_empty_desk_says_what_to_do_first_and_a_viewer_is_offered_nothing_to_do(
    app: Flask, runtime: Runtime, ada: Person, ada_s: Browser
) -> None:
    assert "Raise the first ticket" in ada_s.get("/care").text
    viewer = browser_of(app, runtime, member_of(runtime, ada, "vic", "viewer"))
    assert "Raise the first ticket" not in viewer.get("/care").text
    ticket_of(runtime, ada)
    page = viewer.get("/care/1").text
    assert "It began on Monday." in page
    assert 'action="/care/1/' not in page
    for path in ("/care/1/answer", "/care/1/change", "/care/1/tag", "/care/1/merge", "/care/many", "/care/new"):
        assert viewer.post(path, {"kind": "answer", "text": "x", "numbers": "1", "action": "close"}).status_code == 403
    assert rows(runtime.database, Presence) == []


def test_the_queue_shows_what_waits_for_whom_and_a_search_goes_through_all(
    runtime: Runtime, ada: Person, ada_s: Browser
) -> None:
    ticket_of(runtime, ada, subject="<b>Lamp</b>")
    ticket_of(runtime, ada, subject="Fan", text="It squeaks.", email="yan@example.org", name="Yan")
    assert "Nothing waits for you." in ada_s.get("/care").text
    ada_s.post("/care/1/change", {"assignee_id": "me"})
    mine = ada_s.get("/care").text
    assert "&lt;b&gt;Lamp&lt;/b&gt;" in mine
    assert "Fan" not in mine
    assert "No deadline" in mine
    assert 'href="/care/2"' in ada_s.get("/care?q=squeaks").text
    assert "No ticket fits." in ada_s.get("/care?view=all&tag=none").text
    assert "Choose one of" in ada_s.get("/care?status=lost").text


def test_two_agents_answer_at_once_and_the_second_sees_it_with_their_own_words_kept(
    runtime: Runtime, ada: Person, ada_s: Browser, grace_s: Browser
) -> None:
    ticket_of(runtime, ada)
    seen = version(ada_s.get("/care/1").text)
    assert version(grace_s.get("/care/1").text) == seen
    assert answer(grace_s, 1, seen, status="waiting").status_code == 303
    late = answer(ada_s, 1, seen, text="Is it <plugged> in?")
    assert late.status_code == 409
    said = words_on(late.text)
    assert "Somebody was faster" in said
    assert "Grace : answered the customer" in said
    assert "Is it &lt;plugged&gt; in?</textarea>" in late.text
    assert messages(runtime)[1:] == [("answer", "Turn it on.")]
    assert answer(ada_s, 1, version(late.text), text="Is it plugged in?").status_code == 303
    assert [kind for kind, _ in messages(runtime)] == ["question", "answer", "answer"]


def test_a_form_that_is_sent_twice_says_it_once(runtime: Runtime, ada: Person, ada_s: Browser) -> None:
    ticket_of(runtime, ada)
    seen = version(ada_s.get("/care/1").text)
    first, second = answer(ada_s, 1, seen), answer(ada_s, 1, seen)
    assert (first.status_code, second.status_code) == (303, 303)
    assert first.location == second.location
    assert len(messages(runtime)) == 2


def test_a_note_is_kept_for_the_team_and_what_cannot_be_said_stands_beside_its_field(
    runtime: Runtime, ada: Person, ada_s: Browser
) -> None:
    ticket_of(runtime, ada)
    seen = version(ada_s.get("/care/1").text)
    assert answer(ada_s, 1, seen, kind="note", text="He is nice.").status_code == 303
    assert "Internal note, for the team alone" in ada_s.get("/care/1").text
    seen = version(ada_s.get("/care/1").text)
    for more in ({"text": " "}, {"kind": "shout"}, {"status": "lost"}, {"status": "reopened"}):
        assert answer(ada_s, 1, seen, **more).status_code == 422, more
    long = answer(ada_s, 1, seen, text="x" * 200_001)
    assert (long.status_code, "Write at most 200,000 characters" in long.text) == (422, True)
    bad = answer(ada_s, 1, seen, files=(io.BytesIO(b"MZ\x90\0"), "setup.exe"))
    assert (bad.status_code, "setup.exe" in bad.text) == (422, True)
    assert len(messages(runtime)) == 2
    assert list(runtime.storage.listed()) == []


def test_a_file_of_an_answer_goes_out_to_save_and_to_nobody_else(
    app: Flask, runtime: Runtime, ada: Person, grace: Person, ada_s: Browser
) -> None:
    ticket_of(runtime, ada)
    seen = version(ada_s.get("/care/1").text)
    assert answer(ada_s, 1, seen, files=(io.BytesIO(b"one two"), "words.txt")).status_code == 303
    [file] = rows(runtime.database, TicketFile)
    sent = ada_s.get(f"/care/1/files/{file.id}")
    assert (sent.data, sent.headers["Cache-Control"]) == (b"one two", "no-store")
    assert "attachment" in sent.headers["Content-Disposition"]
    stranger = browser_of(app, runtime, grace)
    ticket_of(runtime, grace)
    assert stranger.get(f"/care/1/files/{file.id}").status_code == 404


def test_agents_see_each_other_and_hear_nothing_while_nothing_changes(
    runtime: Runtime, ada: Person, ada_s: Browser, grace_s: Browser
) -> None:
    ticket_of(runtime, ada)
    grace_s.get("/care/1")
    first = ada_s.get("/care/1/presence")
    assert "Grace is looking at this" in first.text
    same = ada_s.get("/care/1/presence", headers={"If-None-Match": first.headers["ETag"]})
    assert (same.status_code, same.data) == (304, b"")
    assert grace_s.post("/care/1/presence").status_code == 200
    written = ada_s.get("/care/1/presence", headers={"If-None-Match": first.headers["ETag"]})
    assert "Grace is writing an answer" in written.text
    assert "Grace is writing an answer" in ada_s.get("/care?view=all").text
    grace_s.post("/care/1/presence", {"gone": "1"})
    assert "Grace" not in ada_s.get("/care/1/presence").text


def test_somebody_who_was_here_long_ago_is_not_told_of(
    runtime: Runtime, ada: Person, ada_s: Browser, grace_s: Browser
) -> None:
    ticket_of(runtime, ada)
    grace_s.get("/care/1")
    with runtime.database.write(EVERYONE) as session:
        session.execute(update(Presence).values(seen_at=Presence.seen_at - 60_000))
    assert "Grace" not in ada_s.get("/care/1/presence").text


def test_many_tickets_are_changed_each_by_itself_and_the_filters_stay(
    runtime: Runtime, ada: Person, ada_s: Browser
) -> None:
    for _ in range(3):
        ticket_of(runtime, ada)
    ada_s.post("/care/3/change", {"status": "closed"})
    form = {"numbers": ["1", "2", "3", "99", "x"], "action": "status", "status": "hold", "back-view": "all"}
    done = ada_s.post("/care/many", form)
    assert done.location == "/care?view=all"
    said = words_on(ada_s.get(done.location).text)
    assert "2 tickets were changed." in said
    assert "#3: A ticket that is closed cannot become on hold" in said
    assert "#99: There is no such ticket." in said
    for action, value in (("assign", "me"), ("tag", "Lamp"), ("close", "")):
        assert ada_s.post("/care/many", {"numbers": ["1", "2"], "action": action, action: value}).status_code == 303
    assert "Choose at least one ticket" in ada_s.get(ada_s.post("/care/many", {"action": "close"}).location).text
    assert ada_s.post("/care/many", {"numbers": "1", "action": "burn"}).status_code == 400
    found = rows(runtime.database, Ticket)
    assert [(each.status, each.assignee_id) for each in found[:2]] == [("closed", ada.account_id)] * 2
    assert 'href="/care/2"' in ada_s.get("/care?view=all&tag=lamp").text


def test_fields_that_two_change_at_once_are_told_of_and_others_are_kept_both(
    runtime: Runtime, ada: Person, ada_s: Browser, grace_s: Browser
) -> None:
    ticket_of(runtime, ada)
    seen = version(ada_s.get("/care/1").text)
    was = {"version": seen, "was-priority": "normal", "was-status": "new"}
    assert grace_s.post("/care/1/change", was | {"priority": "high", "status": "new"}).status_code == 303
    assert ada_s.post("/care/1/change", was | {"priority": "normal", "status": "hold"}).status_code == 303
    assert ada_s.post("/care/1/change", was | {"priority": "low", "status": "new"}).status_code == 409
    [ticket] = rows(runtime.database, Ticket)
    assert (ticket.priority, ticket.status) == (2, "hold")


def test_tags_links_and_copies_come_and_go_and_wrong_ones_are_told_of(
    runtime: Runtime, ada: Person, ada_s: Browser
) -> None:
    ticket_of(runtime, ada)
    ticket_of(runtime, ada, subject="The other one")
    for path, form in (("tag", {"tag": "Lamp"}), ("link", {"link": "#2"}), ("copy", {"copy": "boss@example.org"})):
        assert ada_s.post(f"/care/1/{path}", form).status_code == 303
    page = words_on(ada_s.get("/care/1").text)
    assert [each for each in ("lamp", "#2 The other one", "boss@example.org") if each not in page] == []
    for path, form in (
        ("tag", {"tag": "x" * 41}),
        ("link", {"link": "#9"}),
        ("link", {"link": "1"}),
        ("copy", {"copy": "x"}),
    ):
        assert ada_s.post(f"/care/1/{path}", form).status_code == 422, form
    for path, off in (("tag", "lamp"), ("link", "2"), ("copy", "boss@example.org")):
        assert ada_s.post(f"/care/1/{path}", {"off": off}).status_code == 303
    page = ada_s.get("/care/1").text
    assert "No other" not in page
    assert "#2 The other one" not in page.partition("Linked tickets")[2]


def test_merging_shows_both_and_asks_once_more_where_the_customers_differ(
    runtime: Runtime, ada: Person, ada_s: Browser
) -> None:
    ticket_of(runtime, ada, subject="One")
    ticket_of(runtime, ada, subject="Two", email="yan@example.org", name="Yan")
    ticket_of(runtime, ada, subject="Three")
    offered = words_on(ada_s.get("/care/1/merge").text)
    assert "#3 Three" in offered
    assert "#2 Two" not in offered
    assert "#2 Two" in words_on(ada_s.get("/care/1/merge?q=two").text)
    assert ada_s.get("/care/1/merge/into?into=77").status_code == 422
    both = words_on(ada_s.get("/care/1/merge/into?into=%232").text)
    assert "Moves and is closed #1 One" in both
    assert "of different customers" in both
    assert ada_s.post("/care/1/merge", {"into": "2"}).status_code == 409
    assert ada_s.post("/care/1/merge", {"into": "1"}).status_code == 422
    assert ada_s.post("/care/1/merge", {"into": "2", "apart": "yes"}).location == "/care/2"
    assert "goes on as" in ada_s.get("/care/1").text
    assert ada_s.post("/care/3/merge", {"into": "1"}).status_code == 409


def test_a_call_becomes_a_ticket_once_and_what_is_wrong_stands_beside_its_field(
    runtime: Runtime, ada: Person, ada_s: Browser
) -> None:
    form = {"email": "yan@example.org", "name": "Yan", "subject": "Fan", "text": "It squeaks.", "priority": "high"}
    made = [ada_s.post("/care/new", form | {"key": "form:0123456789"}).location for _ in range(2)]
    assert made == ["/care/1", "/care/1"]
    assert ada_s.post("/care/new", form | {"key": "form:0123456789", "text": "Other."}).status_code == 409
    wrong = ada_s.post("/care/new", form | {"email": "yan", "subject": "", "priority": "huge"})
    assert wrong.status_code == 422
    assert 'value="yan"' in wrong.text
    with runtime.database.read(ada.workspace_id) as session:
        [ticket] = session.scalars(select(Ticket)).all()
    assert (ticket.source, ticket.priority, ticket.subject) == ("phone", 2, "Fan")


def test_who_takes_part_in_one_ticket_alone_is_named_before_a_merge_and_goes_on_by_a_tick(
    runtime: Runtime, ada: Person, ada_s: Browser
) -> None:
    ticket_of(runtime, ada, copies=["mallory@evil.example", "yan@example.org"], source="mail")
    ticket_of(runtime, ada)
    page = ada_s.get("/care/1/merge/into?into=2").text
    assert "mallory@evil.example, until now in #1 alone" in page
    assert re.findall(r'name="keep" value="([^"]+)">', page) == ["mallory@evil.example", "yan@example.org"]
    ada_s.post("/care/1/merge", {"into": "2", "keep": "yan@example.org"})
    shown = words_on(ada_s.get("/care/2").text)
    assert "yan@example.org takes part" in shown
    assert "mallory" not in shown


@pytest.mark.parametrize("number", [2**31, 2**63, 10**30])
def test_a_number_that_no_ticket_can_have_is_not_there(ada_s: Browser, number: int) -> None:
    for path in ("/care/{}", "/care/{}/suggestions", "/care/{}/merge", "/care/{}/presence", "/api/v1/tickets/{}",
                 "/care/articles/new?ticket={}", "/care/my/{}"):  # fmt: skip
        assert ada_s.get(path.format(number)).status_code in (401, 404, 405), path
    for path in ("/care/reports?team={}", "/care?page={}", "/care?after={}-x"):
        assert ada_s.get(path.format(number)).status_code < 500, path
