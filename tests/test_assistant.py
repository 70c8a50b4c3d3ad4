"""The assistant from job to page: what it learns, what agents are shown, and that customers get articles alone."""

import re

import pytest
from flask import Flask
from sqlalchemy import delete, select, update

from models.base import clock
from models.run import Run
from models.session import EVERYONE
from models.ticket import NEW, Rating, Ticket, TicketMessage
from models.workspace import SYSTEM
from tasks import discover
from tasks.assistant.job import AssistantParams, headline
from tasks.care import answering
from tasks.care.suggestions.index import Bounds
from tasks.errors import FannedOut
from tests.care_texts import ANSWER, SECRET, DeskRows, a_shop, learn, the_desk, words_of
from tests.conftest import Person, new_person
from tests.front import browser_of, member_of
from tests.web_fixtures import Browser
from workers.runtime import Runtime


@pytest.fixture
def desk(runtime: Runtime, ada: Person) -> DeskRows:
    return a_shop(runtime, ada)


def test_an_index_is_made_named_by_the_desk_and_the_old_one_goes(runtime: Runtime, desk: DeskRows) -> None:
    first = learn(runtime, desk.place)
    assert (first.desks, first.tickets, first.passages) == (1, 1, 1)
    before = the_desk(runtime, desk.place).index_key
    learn(runtime, desk.place)
    after = the_desk(runtime, desk.place).index_key
    assert after != before
    with pytest.raises(FileNotFoundError):
        runtime.storage.open(before)
    runtime.storage.open(after).close()
    assert headline(first) == "1 solved tickets, 1 passages of articles"


def test_of_two_that_finish_at_once_one_file_stays(runtime: Runtime, desk: DeskRows) -> None:
    learn(runtime, desk.place)
    with runtime.database.write(desk.place) as session:
        assert not answering.swap(session, desk.place, "an older one", "mine", 1)
    assert the_desk(runtime, desk.place).index_key != "mine"


def test_the_system_s_run_fans_out_to_desks_that_are_behind(runtime: Runtime, desk: DeskRows, grace: Person) -> None:
    DeskRows(runtime, grace, slug="empty")
    with pytest.raises(FannedOut) as split:
        learn(runtime, SYSTEM)
    assert split.value.params == [{"place": desk.place}]
    told = learn(runtime, SYSTEM, AssistantParams(place=desk.place))
    assert (told.desks, told.tickets, told.passages) == (1, 0, 0)  # of others' workspaces it says no more
    assert learn(runtime, SYSTEM).desks == 0


def test_few_newly_solved_tickets_wait_for_the_night_and_many_do_not(runtime: Runtime, desk: DeskRows) -> None:
    learn(runtime, desk.place)
    desk.ticket("One more", "It hums.", "Turn it round.")
    with runtime.database.read(EVERYONE) as session:
        now = clock(session)
        assert answering.due(session, now) == []
        assert [each.why for each in answering.due(session, now + answering.DAY_MS + 1)] == ["a night has passed"]
    with runtime.database.write(desk.place) as session:
        many = [
            Ticket(
                number=100 + n,
                subject="x",
                customer_id=desk.customer,
                status="closed",
                source="web",
                workspace_id=desk.place,
            )
            for n in range(answering.MANY)
        ]
        session.add_all(many)
    with runtime.database.read(EVERYONE) as session:
        assert [each.workspace_id for each in answering.due(session, now)] == [desk.place]


def test_a_changed_article_wakes_the_job_at_once(runtime: Runtime, desk: DeskRows) -> None:
    desk.article("Opening hours", "From nine to five.")
    with runtime.database.read(EVERYONE) as session:
        assert session.scalars(select(Run.workspace_id).where(Run.kind == "assistant")).all() == [desk.place]


def test_notes_machines_open_tickets_and_answers_that_were_found_bad_teach_nothing(
    runtime: Runtime, desk: DeskRows
) -> None:
    bad, _ = desk.ticket("A lamp", "It is dark.", "Bad luck.")
    robot, _ = desk.ticket("A chair", "It squeaks.", "I am out of office.")
    with runtime.database.write(desk.place) as session:
        session.add(Rating(ticket_id=bad, score=1))
        session.execute(update(TicketMessage).where(TicketMessage.ticket_id == robot).values(automatic=True))
    with runtime.database.read(desk.place) as session:
        solved = list(answering.solved(session))
    assert [one.answer for one in solved] == [ANSWER]
    assert f"{SECRET}notes" not in str(solved)


def test_the_answer_that_solved_it_is_the_last_that_says_something() -> None:
    long = "Open the lid at the back, take the battery out, wait for a minute and put it in again; then it works."
    assert answering.the_answer(["Which one is it?", f"Dear Bob,\n\n{long}\n\nBest\nAnn", "Glad to hear!"]) == long
    assert answering.the_answer(["Hello,", ""]) == ""


def test_an_agent_sees_answers_with_their_sources_and_takes_over_topic_and_priority(
    app: Flask, runtime: Runtime, ada: Person, desk: DeskRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    sure = Bounds(topic_likely=0.8, topic_perhaps=0.5, priority_likely=0.8, priority_perhaps=0.5)  # as of a large desk
    monkeypatch.setattr("tasks.care.suggestions.checking.check", lambda *given: sure)
    learn(runtime, desk.place)
    agent = browser_of(app, runtime, member_of(runtime, ada, "tom", "agent"))
    number = desk.ticket("No start", "My router does not start.", "", status=NEW)[1]
    page = agent.get(f"/care/{number}/suggestions").text
    assert "#1 The router is dead" in words_of(page)
    assert "paper clip" in page
    assert "Topic: Repairs" in words_of(page)
    assert "Priority: High" in words_of(page)
    part = agent.get(f"/care/{number}/suggestions?part=1").text
    assert "data-insert" in part
    assert "<html" not in part
    topic = re.search(r'name="topic" value="([^"]+)"', page)
    assert topic
    assert agent.post(f"/care/{number}/suggested", {"topic": topic[1]}).status_code == 303
    assert agent.post(f"/care/{number}/suggested", {"priority": "2"}).status_code == 303
    with runtime.database.read(desk.place) as session:
        ticket = session.scalars(select(Ticket).where(Ticket.number == number)).one()
    assert (ticket.topic_id, ticket.priority) == (topic[1], 2)
    for wrong in ({"priority": "9"}, {"priority": "x"}, {}):
        assert agent.post(f"/care/{number}/suggested", wrong).status_code == 400
    assert agent.post(f"/care/{number}/suggested", {"topic": "0" * 28}).status_code == 404


def test_before_anything_was_learned_the_page_says_so(ada_s: Browser, desk: DeskRows) -> None:
    assert "has not learned from this desk yet" in ada_s.get("/care/2/suggestions").text
    assert ada_s.get("/care/99/suggestions").status_code == 404


def test_a_ticket_deleted_or_reopened_since_is_not_told(ada_s: Browser, runtime: Runtime, desk: DeskRows) -> None:
    learn(runtime, desk.place)
    with runtime.database.write(desk.place) as session:
        session.execute(delete(Ticket).where(Ticket.number == 1))
    assert "paper clip" not in ada_s.get("/care/2/suggestions").text


def test_an_index_that_is_broken_or_gone_is_as_none(ada_s: Browser, runtime: Runtime, desk: DeskRows) -> None:
    learn(runtime, desk.place)
    key = the_desk(runtime, desk.place).index_key
    path = next(runtime.settings.var.glob(f"files/*/{key}"))
    path.write_bytes(b"\x80\x04broken")
    assert "has not learned" in ada_s.get("/care/2/suggestions").text
    with runtime.database.read(EVERYONE) as session:
        assert [each.workspace_id for each in answering.due(session, clock(session))] == [desk.place], "made anew soon"
    learn(runtime, desk.place)
    key = the_desk(runtime, desk.place).index_key
    next(runtime.settings.var.glob(f"files/*/{key}")).unlink()
    assert "has not learned" in ada_s.get("/care/2/suggestions").text
    learn(runtime, desk.place)
    assert "paper clip" in ada_s.get("/care/2/suggestions").text


def test_a_viewer_looks_at_suggestions_and_a_customer_does_not(
    app: Flask, runtime: Runtime, ada: Person, desk: DeskRows
) -> None:
    learn(runtime, desk.place)
    viewer = browser_of(app, runtime, member_of(runtime, ada, "vera", "viewer"))
    assert viewer.get("/care/2/suggestions").status_code == 200
    assert viewer.post("/care/2/suggested", {"priority": "1"}).status_code == 403
    customer = browser_of(app, runtime, member_of(runtime, ada, "eve", "customer"))
    assert customer.get("/care/2/suggestions").status_code == 403


def test_another_workspace_s_index_is_not_asked(app: Flask, runtime: Runtime, desk: DeskRows, grace: Person) -> None:
    learn(runtime, desk.place)
    other = DeskRows(runtime, grace, slug="other")
    number = other.ticket("The router is dead", "My router does not start.", "", status=NEW)[1]
    learn(runtime, other.place)
    page = browser_of(app, runtime, grace).get(f"/care/{number}/suggestions").text
    assert "paper clip" not in page


def test_the_job_is_known_and_answers_on_the_command_line(runtime: Runtime) -> None:
    job = discover()["assistant"]
    assert job.schedule
    person = new_person(runtime, "nobody")
    assert learn(runtime, person.workspace_id).desks == 0  # a workspace without a desk
