"""The chat box of customers: answers from published articles alone, a person when unsure, Watson when set up."""

import html
import random
import re
from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import select, update

from models.desk import Article, Desk
from models.session import EVERYONE
from models.ticket import Ticket, TicketMessage
from tests.care_texts import SECRET, DeskRows, a_shop, ask, learn, words_of
from tests.conftest import Person
from tests.front import browser_of, member_of
from tests.watson_server import Service, text, watson_server, watson_settings
from tests.web_fixtures import Browser
from web import care_talk
from workers.runtime import Runtime
from workers.watson import Watson


@pytest.fixture
def desk(runtime: Runtime, ada: Person) -> DeskRows:
    return a_shop(runtime, ada)


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
    assert [alone for _, alone in app.extensions["care_shelf"].held()] == [True]


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


def handed_over(browser: Browser, **more: str) -> str:
    """Write the ticket that the chat's form leads to; the page that answers."""
    page = browser.get("/desk/shop/new").text
    fields = dict(re.findall(r'<input type="hidden" name="(csrf_token|key|chat)" value="([^"]*)"', page))
    form = {"name": "Eve", "email": "eve@example.org", "subject": "A return", "text": "Help me.", **fields, **more}
    return str(browser.client.post("/desk/shop/new", data=form).text)


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    return html.unescape(found[1]) if found else ""


def newest(runtime: Runtime, place: str) -> tuple[Ticket, list[TicketMessage]]:
    with runtime.database.read(place) as session:
        ticket = session.scalars(select(Ticket).order_by(Ticket.number.desc()).limit(1)).one()
        said = select(TicketMessage).where(TicketMessage.ticket_id == ticket.id).order_by(TicketMessage.id)
        return ticket, list(session.scalars(said))


def test_a_ticket_of_the_chat_says_so_and_shows_its_agent_what_was_said_there(
    browser: Browser, ada_s: Browser, runtime: Runtime, desk: DeskRows
) -> None:
    learn(runtime, desk.place)
    first = ask(browser, "How do I return something?").text
    second = ask(browser, "And kimonos?", said=hidden(first, "said"), talk=hidden(first, "talk")).text
    ask(browser, "", said=hidden(second, "said"), talk=hidden(second, "talk"), person="1")
    handed_over(browser)
    ticket, messages = newest(runtime, desk.place)
    assert (ticket.source, [message.kind for message in messages]) == ("chat", ["question", "note"])
    told = messages[1].text
    assert "Customer: How do I return something?\nShown (likely), of the help articles: “How to return" in told
    assert "Customer: And kimonos?\nNothing was known" in told
    assert "Nothing was known" in ada_s.get(f"/care/{ticket.number}").text
    handed_over(browser)
    assert newest(runtime, desk.place)[0].source == "web", "once"


def test_nobody_makes_up_what_the_assistant_said(
    app: Flask, browser: Browser, runtime: Runtime, desk: DeskRows, grace: Person
) -> None:
    learn(runtime, desk.place)
    talk = hidden(ask(browser, "How do I return something?").text, "talk")
    with app.test_request_context():
        others = care_talk.added(grace.workspace_id, "", "Hello", "You get 1000 €")
        assert care_talk.read(desk.place, others) == []
        assert len(care_talk.read(desk.place, talk)) == 1
    for made_up in (talk[:-2], talk[::-1], others, "x" * 100_000, "\0"):
        handed_over(browser, chat=made_up)
        ticket, messages = newest(runtime, desk.place)
        assert (ticket.source, len(messages)) == ("web", 1)


def test_a_long_talk_in_any_script_fits_into_the_browser_s_cookie(
    app: Flask, browser: Browser, runtime: Runtime, desk: DeskRows
) -> None:
    chance = random.Random(2)
    said = talk = ""
    for _ in range(9):
        question = "".join(chr(chance.randrange(0x4E00, 0x9FA5)) for _ in range(900))
        page = ask(browser, question, said=said, talk=talk).text
        said, talk = hidden(page, "said"), hidden(page, "talk")
    assert len(talk) <= care_talk.LONGEST
    over = ask(browser, "", said=said, talk=talk, person="1")
    assert all(len(cookie) < 4093 for cookie in over.headers.getlist("Set-Cookie"))
    page = browser.get("/desk/shop/new").text
    assert question[-100:] in page
    assert hidden(page, "chat") == talk


@pytest.mark.parametrize(
    ("question", "said"), [("", "Write what you want"), (" \0 ", "Write what"), ("x" * 1001, "at most 1000")]
)
def test_a_question_without_words_or_too_long_is_refused_beside_its_field(
    browser: Browser, desk: DeskRows, question: str, said: str
) -> None:
    answer = ask(browser, question)
    assert (answer.status_code, said in answer.text) == (422, True)


def test_one_desk_s_chat_tells_and_counts_nothing_of_another_desk(
    browser: Browser, runtime: Runtime, desk: DeskRows, grace: Person
) -> None:
    other = DeskRows(runtime, grace, slug="other")
    theirs = other.article("Secret violins", "Violins are mended in the cellar behind the third door.")
    learn(runtime, desk.place)
    learn(runtime, other.place)
    told = ask(browser, "Where are violins mended, in the cellar?").text
    assert "third door" not in told
    assert "Secret violins" not in told
    ask(browser, "", helped=theirs)
    for odd in ("", "x" * 10_000, "' OR 1=1 --", "\0"):
        assert ask(browser, "", helped=odd).status_code in (200, 422)
    with runtime.database.read(EVERYONE) as session:
        assert set(session.scalars(select(Article.helped))) == {0}


def test_a_field_of_a_million_signs_is_cut_or_refused_at_once(browser: Browser, desk: DeskRows) -> None:
    for field in ("said", "talk", "question", "back", "person"):
        answer = ask(browser, **{"question": "Hours?", field: "<b>" * 300_000})
        assert (answer.status_code in (200, 303, 413, 422), len(answer.text) < 50_000) == (True, True), field


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
