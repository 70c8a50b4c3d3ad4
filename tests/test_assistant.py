"""The assistant from job to page: what it learns, what agents are shown, and that customers get articles alone."""

import html
import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, select, update

from models.base import clock
from models.desk import Article, Desk
from models.run import Run
from models.session import EVERYONE
from models.ticket import NEW, Rating, Ticket, TicketMessage
from models.workspace import SYSTEM
from tasks import discover
from tasks.assistant.job import AssistantParams, AssistantResult, headline, run
from tasks.care import answering
from tasks.context import Context
from tasks.errors import FannedOut
from tests.care_texts import SECRET, DeskRows
from tests.conftest import Person, new_person
from tests.front import browser_of, member_of
from tests.watson_server import Service, text, watson_server, watson_settings
from tests.web_fixtures import Browser
from workers.runtime import Runtime
from workers.watson import Watson

RETURNS = "Put it into its box, stick the label on it and bring it to the post office within thirty days."
ANSWER = f"Press the reset button with a paper clip for ten seconds, as {SECRET} told us, then plug it in again."


@pytest.fixture
def desk(runtime: Runtime, ada: Person) -> DeskRows:
    """A shop with two articles, one of them a draft, and two tickets of one customer."""
    rows = DeskRows(runtime, ada)
    topic = rows.topic("Repairs")
    rows.article("How to return something", RETURNS)
    rows.article("Salaries of the team", "Nobody outside may know what we earn: salaries are secret.", published=False)
    rows.ticket("The router is dead", f"My router does not start, says {SECRET}.", ANSWER, topic, 2)
    rows.ticket("Router without light", "The router does not start any more.", "", topic, 2, status=NEW)
    return rows


def learn(runtime: Runtime, place: str, params: AssistantParams | None = None) -> AssistantResult:
    with Context(runtime.database, runtime.storage, place) as ctx:
        found = run(params or AssistantParams(), ctx)
        ctx.commit()
    return AssistantResult.model_validate(found)


def the_desk(runtime: Runtime, place: str) -> Desk:
    with runtime.database.read(place) as session:
        return session.scalars(select(Desk)).one()


def words_of(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def ask(browser: Browser, question: str, **more: Any) -> Any:
    browser.client.get("/desk/shop/ask")
    token = re.search(r'name="csrf_token" value="([^"]+)"', browser.get("/desk/shop/ask").text)
    assert token
    return browser.client.post("/desk/shop/ask", data={"csrf_token": token[1], "question": question, **more})


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
    app: Flask, runtime: Runtime, ada: Person, desk: DeskRows
) -> None:
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
    path.unlink()
    assert "has not learned" in ada_s.get("/care/2/suggestions").text


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


def test_anybody_is_answered_from_a_published_article_with_its_source(
    browser: Browser, runtime: Runtime, desk: DeskRows
) -> None:
    learn(runtime, desk.place)
    page = ask(browser, "How do I return something?")
    assert page.status_code == 200
    assert "stick the label on it" in page.text
    assert "From the article How to return something" in words_of(page.text)


def test_no_text_of_a_ticket_or_draft_reaches_a_customer(browser: Browser, runtime: Runtime, desk: DeskRows) -> None:
    learn(runtime, desk.place)
    with runtime.database.read(EVERYONE) as session:
        secrets = {"paper clip", "reset button", "salaries are secret", f"{SECRET}notes", "as zanzibar told"}
        asked = [*session.scalars(select(TicketMessage.text)), *session.scalars(select(Ticket.subject))]
        asked += [*session.scalars(select(Article.title)), *session.scalars(select(Article.body))]
    for question in [*asked, "router", SECRET, "reset", "salaries", "notes"]:
        told = words_of(ask(browser, question, part="1").text)
        assert not [secret for secret in secrets if secret in told.replace(" ".join(question.split()), "")]


def test_what_answers_customers_reads_no_table_of_tickets(
    browser: Browser, runtime: Runtime, desk: DeskRows, app: Flask
) -> None:
    from sqlalchemy import event

    learn(runtime, desk.place)
    seen: list[str] = []
    engine = app.extensions["nightshift"].database.engine
    event.listen(engine, "before_cursor_execute", lambda *given: seen.append(given[2].lower()))
    ask(browser, "How do I return something?")
    assert any("from article" in statement for statement in seen)
    assert not [statement for statement in seen if re.search(r"\b(from|join|into|update) \"?ticket", statement)]
    held = app.extensions["care_shelf"]._held
    assert [alone for _, alone in held] == [True]


def test_an_article_taken_back_is_told_no_more_though_the_index_is_older(
    browser: Browser, runtime: Runtime, desk: DeskRows
) -> None:
    learn(runtime, desk.place)
    with runtime.database.write(desk.place) as session:
        session.execute(update(Article).values(published=False))
    assert "stick the label" not in ask(browser, "How do I return something?").text


def test_what_is_not_known_is_handed_to_a_person_with_what_was_said(
    browser: Browser, runtime: Runtime, desk: DeskRows
) -> None:
    learn(runtime, desk.place)
    page = ask(browser, "Do you sell <b>kimonos</b>?")
    assert "I do not know this." in page.text
    assert "<b>kimonos" not in page.text
    assert 'value="Do you sell &lt;b&gt;kimonos&lt;/b&gt;?"' in page.text
    assert "stick the label" not in ask(browser, "Kimonos?", said="How do I return something?").text  # each by itself
    over = ask(browser, "In red?", said="Do you sell kimonos?", person="1")
    assert over.location == "/desk/shop/new"
    form = html.unescape(browser.get("/desk/shop/new").text)
    assert "Do you sell kimonos?\nIn red?" in form
    assert 'value="In red?"' in form
    assert "kimonos" not in browser.get("/desk/shop/new").text  # once


@pytest.mark.parametrize(
    ("question", "said"), [("", "Write what you want"), (" \0 ", "Write what"), ("x" * 1001, "at most 1000")]
)
def test_a_question_without_words_or_too_long_is_refused_beside_its_field(
    browser: Browser, desk: DeskRows, question: str, said: str
) -> None:
    answer = ask(browser, question)
    assert (answer.status_code, said in answer.text) == (422, True)


def test_questions_are_throttled(browser: Browser, desk: DeskRows, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.care_chat.BY_ADDRESS", 2)
    assert [ask(browser, "Hours?").status_code for _ in range(3)] == [200, 200, 429]


@pytest.mark.parametrize("values", [{"public": False}, {"answers": False}])
def test_a_desk_that_is_closed_or_does_not_answer_has_no_chat(
    browser: Browser, runtime: Runtime, desk: DeskRows, values: dict[str, bool]
) -> None:
    with runtime.database.write(desk.place) as session:
        session.execute(update(Desk).values(**values))
    assert browser.get("/desk/shop/ask").status_code == 404
    assert browser.get("/desk/nobody/ask").status_code == 404
    assert "data-chat" not in browser.get("/desk/shop/new").text


def test_the_chat_stands_on_the_pages_where_a_ticket_is_written(
    app: Flask, browser: Browser, runtime: Runtime, ada: Person, desk: DeskRows
) -> None:
    learn(runtime, desk.place)
    assert 'action="/desk/shop/ask"' in browser.get("/desk/shop/new").text
    customer = browser_of(app, runtime, member_of(runtime, ada, "eve", "customer"))
    page = customer.get("/care/my/new").text
    assert 'action="/care/my/ask"' in page
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token
    form = {"csrf_token": token[1], "question": "How do I return something?", "back": "/care/my/new"}
    assert "stick the label" in customer.client.post("/care/my/ask", data=form).text
    over = customer.client.post("/care/my/ask", data={**form, "person": "1", "back": "https://example.org/"})
    assert over.location == "/care/my/new"


def test_that_an_article_helped_is_counted_and_changes_nothing_else(
    browser: Browser, runtime: Runtime, desk: DeskRows
) -> None:
    with runtime.database.read(desk.place) as session:
        rows = {row.published: row for row in session.scalars(select(Article))}
    for row in rows.values():
        assert "glad" in ask(browser, "", helped=row.id).text
    with runtime.database.read(desk.place) as session:
        after = {row.published: (row.helped, row.changed_at) for row in session.scalars(select(Article))}
    assert after == {True: (1, rows[True].changed_at), False: (0, rows[False].changed_at)}


@pytest.fixture
def watson(app: Flask) -> Iterator[Service]:
    with watson_server() as service:
        service.answers["When?"] = [text("At nine. <script>x</script>")]
        asked = Watson(watson_settings(service))
        app.extensions["nightshift"].__dict__["elsewhere"] = asked
        yield service
        if asked._client is not None:
            asked._client.http_client.close()


def test_watson_answers_where_it_is_set_up_and_the_page_says_so(
    browser: Browser, watson: Service, desk: DeskRows
) -> None:
    assert "is sent to IBM Watson Assistant" in browser.get("/desk/shop/new").text
    page = ask(browser, "When?")
    assert "At nine. x" in words_of(page.text)
    assert "<script>x" not in page.text
    assert "Answered by IBM Watson Assistant." in page.text
    ask(browser, "When?")
    assert len(watson.sessions) == 1  # the conversation goes on
    assert len({each["user_id"] for each in watson.asked}) == 1


def test_when_watson_fails_the_articles_answer_and_say_so(
    browser: Browser, runtime: Runtime, watson: Service, desk: DeskRows
) -> None:
    learn(runtime, desk.place)
    watson.statuses = [500]
    page = words_of(ask(browser, "How do I return something?").text)
    assert "IBM Watson Assistant did not answer, so this is from the help articles." in page
    assert "stick the label" in page


def test_the_job_is_known_and_answers_on_the_command_line(runtime: Runtime) -> None:
    job = discover()["assistant"]
    assert job.schedule
    person = new_person(runtime, "nobody")
    assert learn(runtime, person.workspace_id).desks == 0  # a workspace without a desk
