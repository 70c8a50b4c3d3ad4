"""/ticket/…: a ticket without an account, by the link that was mailed; and how it was."""

import re
import time

import pytest
from flask import Flask
from sqlalchemy import select, update

from models.delivery import Delivery
from models.desk import Desk
from models.session import EVERYONE
from models.ticket import Customer, Rating, Ticket, TicketFile, TicketMessage
from tasks.care import tokens
from tasks.care.tokens import FOLLOW, RATE
from tests.care_people import link, picture, say, send, the_ticket, ticket_of, words_on
from tests.conftest import Person, new_person
from tests.front import browser_of, member_of
from tests.web_fixtures import Browser, rows
from workers.runtime import Runtime


@pytest.fixture
def ticket(runtime: Runtime, ada: Person) -> str:
    return ticket_of(runtime, ada)


def test_the_page_shows_where_it_stands_and_what_was_said_but_no_notes(
    browser: Browser, runtime: Runtime, ada: Person, ticket: str
) -> None:
    say(runtime, ada, ticket, "note", "They are difficult.")
    say(runtime, ada, ticket, "answer", "Try another bulb.\nSee https://example.org/bulbs.", "waiting")
    answer = browser.get(f"/ticket/{link(runtime, ticket)}")
    page = words_on(answer.text)
    assert "We asked you something and wait for your answer." in page
    assert "Until then our clock stands still." in page
    assert "It began on Monday." in page
    assert "They are difficult." not in page
    assert 'href="https://example.org/bulbs" rel="noopener noreferrer nofollow ugc"' in answer.text
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "noindex" in answer.headers["X-Robots-Tag"]


def test_a_get_changes_nothing(browser: Browser, runtime: Runtime, ada: Person, ticket: str) -> None:
    say(runtime, ada, ticket, "answer", "It is the bulb.", "solved")
    before = [repr(vars(the_ticket(runtime, ticket))["version"]), len(rows(runtime.database, TicketMessage))]
    browser.get(f"/ticket/{link(runtime, ticket)}")
    browser.get(f"/ticket/{link(runtime, ticket, RATE)}/rating?score=3")
    assert [repr(the_ticket(runtime, ticket).version), len(rows(runtime.database, TicketMessage))] == before
    assert not rows(runtime.database, Rating)


def test_an_answer_with_a_file_lands_in_the_ticket_and_opens_it_again(
    browser: Browser, runtime: Runtime, ada: Person, ticket: str
) -> None:
    say(runtime, ada, ticket, "answer", "It is the bulb.", "solved")
    path = f"/ticket/{link(runtime, ticket)}"
    answer = send(
        browser, path, {"text": "It is not <b>.", "files": (picture(kind="JPEG"), "lamp.jpg"), "key": "form:0123456789"}
    )
    assert answer.status_code == 303, answer.text
    assert the_ticket(runtime, ticket).status == "reopened"
    assert rows(runtime.database, Customer)[0].reached_at, "whoever came by our mail was reached by it"
    page = browser.get(path).text
    assert "It is not &lt;b&gt;." in page
    (file,) = rows(runtime.database, TicketFile)
    back = browser.get(f"{path}/files/{file.id}")
    assert back.headers["Content-Disposition"] == "attachment; filename=lamp.jpg"
    assert back.headers["X-Content-Type-Options"] == "nosniff"
    assert back.headers["Referrer-Policy"] == "no-referrer"
    assert b"taken at home" not in back.data


def test_what_was_closed_too_long_ago_promises_no_reopening_and_an_answer_begins_another_ticket(
    browser: Browser, runtime: Runtime, ada: Person, ticket: str
) -> None:
    say(runtime, ada, ticket, "answer", "It is the bulb.", "closed")
    path = f"/ticket/{link(runtime, ticket)}"
    assert "Open it again" in browser.get(path).text
    with runtime.database.write(EVERYONE) as session:
        session.execute(update(Ticket).values(closed_at=Ticket.closed_at - 8 * 86_400_000))
    page = browser.get(path).text
    assert "a new ticket begins that is linked to this one" in page
    assert "again until" not in page
    assert "Open it again" not in page
    assert send(browser, path, {"text": "It flickers."}).status_code == 303
    assert "your words began a new one" in browser.get(path).text
    assert len(rows(runtime.database, Ticket)) == 2


def test_a_form_that_is_sent_twice_counts_once(browser: Browser, runtime: Runtime, ticket: str) -> None:
    path = f"/ticket/{link(runtime, ticket)}"
    for _ in range(2):
        assert send(browser, path, {"text": "More.", "key": "form:0123456789"}).status_code == 303
    assert len(rows(runtime.database, TicketMessage)) == 2


def test_an_empty_answer_and_forty_files_are_told_beside_their_fields(
    browser: Browser, runtime: Runtime, ticket: str
) -> None:
    path = f"/ticket/{link(runtime, ticket)}"
    empty = send(browser, path, {"text": " \n "})
    assert (empty.status_code, "Write an answer, or choose a file." in empty.text) == (422, True)
    many = send(browser, path, {"text": "See.", "files": [(picture(), f"{n}.png") for n in range(40)]})
    assert many.status_code == 422
    assert "at most 10 files" in many.text
    assert "See." in many.text
    assert not rows(runtime.database, TicketFile)
    assert not list(runtime.storage.listed())


def test_the_customer_says_that_it_is_solved(browser: Browser, runtime: Runtime, ticket: str) -> None:
    path = f"/ticket/{link(runtime, ticket)}"
    assert send(browser, f"{path}/solved", {}, page=path).status_code == 303
    assert the_ticket(runtime, ticket).status == "solved"
    assert "/solved" not in browser.get(path).text


def test_somebody_who_takes_part_answers_but_neither_closes_nor_rates(
    browser: Browser, runtime: Runtime, ada: Person
) -> None:
    ticket = ticket_of(runtime, ada, copies=["yan@example.org"])
    with runtime.database.read(ada.workspace_id) as session:
        yan = session.scalars(select(Customer.id).where(Customer.email == "yan@example.org")).one()
    path = f"/ticket/{link(runtime, ticket, customer_id=yan)}"
    assert send(browser, path, {"text": "Mine flickers as well."}).status_code == 303
    assert send(browser, f"{path}/solved", {}, page=path).status_code == 403
    assert browser.get(f"/ticket/{link(runtime, ticket, RATE, customer_id=yan)}/rating").status_code == 410
    page = browser.get(path).text
    assert "You" in page
    assert "Zoe" in page


def test_a_link_of_another_ticket_purpose_person_or_version_opens_nothing(
    browser: Browser, runtime: Runtime, ada: Person, ticket: str
) -> None:
    other = ticket_of(runtime, ada, "xavier@example.org")
    stranger = the_ticket(runtime, other).customer_id
    good = link(runtime, ticket)
    for wrong in (
        link(runtime, ticket, RATE), link(runtime, ticket, customer_id=stranger), link(runtime, ticket, version=99),
        link(runtime, ticket, version=1), good[:-2], good + "x", "x", "." * 400, "a" * 2000,
    ):  # fmt: skip
        answer = browser.get(f"/ticket/{wrong}")
        assert answer.status_code == 410, wrong
        assert "Mail me a new link" in answer.text
        assert "lamp" not in answer.text
        assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert browser.get(f"/ticket/{link(runtime, ticket, FOLLOW)}/rating").status_code == 410


def test_a_file_of_another_ticket_or_of_a_note_is_not_there(
    browser: Browser, runtime: Runtime, ada: Person, ticket: str
) -> None:
    other = ticket_of(runtime, ada, "xavier@example.org")
    path = f"/ticket/{link(runtime, other)}"
    send(browser, path, {"text": "Here.", "files": (picture(), "a.png")})
    (file,) = rows(runtime.database, TicketFile)
    assert browser.get(f"{path}/files/{file.id}").status_code == 200
    assert browser.get(f"/ticket/{link(runtime, ticket)}/files/{file.id}").status_code == 404
    with runtime.database.write(EVERYONE) as session:
        session.execute(update(TicketMessage).where(TicketMessage.id == file.message_id).values(kind="note"))
    assert browser.get(f"{path}/files/{file.id}").status_code == 404


def test_an_agent_ends_the_links_of_a_ticket_and_a_lead_those_of_the_desk(
    app: Flask, browser: Browser, runtime: Runtime, ada: Person, ticket: str
) -> None:
    other = ticket_of(runtime, ada, "xavier@example.org")
    old, kept = link(runtime, ticket), link(runtime, other)
    agent = browser_of(app, runtime, member_of(runtime, ada, "eve", "agent"))
    assert "/care/1/end-links" in agent.get("/care/1").text
    assert agent.post("/care/1/end-links").status_code == 303
    assert "Links in mails ended" in agent.get("/care/1").text
    assert (browser.get(f"/ticket/{old}").status_code, browser.get(f"/ticket/{kept}").status_code) == (410, 200)
    assert browser.get(f"/ticket/{link(runtime, ticket)}").status_code == 200
    assert agent.post("/care/settings/end-links").status_code == 403
    lead = browser_of(app, runtime, member_of(runtime, ada, "leo", "lead"))
    assert lead.post("/care/settings/end-links").status_code == 303
    assert browser.get(f"/ticket/{kept}").status_code == 410
    assert agent.post("/care/77/end-links").status_code == 404


def test_whoever_has_an_old_link_can_have_a_new_one_mailed_to_its_owner_alone(
    browser: Browser, runtime: Runtime, ada: Person, ticket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, before = link(runtime, ticket), len(rows(runtime.database, Delivery))
    monkeypatch.setattr(tokens, "LIFETIME", -1)
    said = set()
    for token in (old, "made-up", old[:-3]):
        answer = send(browser, f"/ticket/{token}/again", {}, page=f"/ticket/{token}")
        said.add(words_on(re.sub("<nav.*?</nav>", "", answer.text.replace(token, ""), flags=re.S)))
        assert answer.status_code == 200
    assert len(said) == 1, "the same answer, whatever it was"
    mails = rows(runtime.database, Delivery)
    (mail,) = mails[before:]
    assert (mail.to, mail.automatic, "{ticket}" in mail.text) == ("zoe@example.org", True, True)
    for _ in range(3):
        last = send(browser, f"/ticket/{old}/again", {}, page=f"/ticket/{old}")
    assert last.status_code == 429


def test_a_link_does_not_renew_itself_by_the_links_of_its_pages(
    browser: Browser, runtime: Runtime, ada: Person, ticket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, now = link(runtime, ticket), time.time()
    say(runtime, ada, ticket, "answer", "It is the bulb.", "closed")
    monkeypatch.setattr("itsdangerous.timed.time.time", lambda: now + 89 * 86_400)
    (rate,) = re.findall(r'href="(/ticket/[^"]+/rating)"', browser.get(f"/ticket/{old}").text)
    back = re.findall(r'href="(/ticket/[^"/]+)"', browser.get(rate).text)[0]
    assert browser.get(back).status_code == 200
    monkeypatch.setattr("itsdangerous.timed.time.time", lambda: now + 91 * 86_400)
    assert [browser.get(path).status_code for path in (f"/ticket/{old}", rate, back)] == [410] * 3


def test_whom_only_a_mail_named_gets_answers_but_no_page_until_an_agent_says_so(
    app: Flask, browser: Browser, runtime: Runtime, ada: Person
) -> None:
    ticket = ticket_of(runtime, ada, copies=["yan@example.org"], source="mail")
    with runtime.database.read(ada.workspace_id) as session:
        yan = session.scalars(select(Customer.id).where(Customer.email == "yan@example.org")).one()
    token = link(runtime, ticket, customer_id=yan)
    say(runtime, ada, ticket, "answer", "Try another bulb.")
    (mail,) = [each for each in rows(runtime.database, Delivery) if each.to == "yan@example.org"]
    assert ("Try another bulb." in mail.text, "{ticket}" in mail.text + mail.html) == (True, False)
    assert browser.get(f"/ticket/{token}").status_code == 410
    send(browser, f"/ticket/{token}/again", {}, page=f"/ticket/{token}")
    assert len([each for each in rows(runtime.database, Delivery) if each.to == "yan@example.org"]) == 1
    agent = browser_of(app, runtime, member_of(runtime, ada, "eve", "agent"))
    assert "Let yan@example.org read all of it" in agent.get("/care/1").text
    agent.post("/care/1/copy", {"copy": "yan@example.org"})
    assert "yan@example.org may read all of it" in agent.get("/care/1").text
    assert browser.get(f"/ticket/{token}").status_code == 200
    say(runtime, ada, ticket, "answer", "And?")
    assert "{ticket}" in [each for each in rows(runtime.database, Delivery) if each.to == "yan@example.org"][-1].text


def test_how_it_was_is_one_click_and_one_button_and_can_be_changed(
    browser: Browser, runtime: Runtime, ada: Person, ticket: str
) -> None:
    path = f"/ticket/{link(runtime, ticket, RATE)}/rating"
    assert "It is open again" in browser.get(path).text
    say(runtime, ada, ticket, "answer", "It is the bulb.", "closed")
    assert re.search(r'value="3" checked', browser.get(f"{path}?score=3").text)
    assert "checked" not in browser.get(f"{path}?score=77").text
    wrong = send(browser, path, {"score": "9"})
    assert (wrong.status_code, "Choose one of the three." in wrong.text) == (422, True)
    assert "Thank you" in send(browser, path, {"score": "3", "words": "Quick."}).text
    assert "Thank you" in send(browser, path, {"score": "1", "words": "It broke\0 again." + "x" * 2000}).text
    (kept,) = rows(runtime.database, Rating)
    assert (kept.score, kept.words[:15], len(kept.words)) == (1, "It broke again.", 1000)


def test_a_rating_of_what_was_opened_again_is_not_taken(
    browser: Browser, runtime: Runtime, ada: Person, ticket: str
) -> None:
    say(runtime, ada, ticket, "answer", "It is the bulb.", "closed")
    path = f"/ticket/{link(runtime, ticket, RATE)}/rating"
    browser.get(path)
    say(runtime, ada, ticket, "note", "Not yet.", "reopened")
    assert send(browser, path, {"score": "3"}, page="/sign-in").status_code == 422
    assert not rows(runtime.database, Rating)


def test_a_ticket_that_was_merged_leads_on_to_the_other_one_of_the_same_customer_alone(
    browser: Browser, runtime: Runtime, ada: Person, ticket: str
) -> None:
    mine, strangers = ticket_of(runtime, ada), ticket_of(runtime, ada, "xavier@example.org")
    for into, leads in ((mine, True), (strangers, False)):
        with runtime.database.write(EVERYONE) as session:
            session.execute(update(Ticket).where(Ticket.id == ticket).values(merged_into_id=into))
        page = browser.get(f"/ticket/{link(runtime, ticket)}").text
        assert "This goes on together with #" in page
        assert ("Open #" in page) == leads


def test_a_link_holds_while_the_desk_has_no_row_yet_and_in_its_own_workspace_alone(
    browser: Browser, runtime: Runtime, ada: Person, ticket: str
) -> None:
    eve = new_person(runtime, "eve")
    theirs = ticket_of(runtime, eve, "zoe@example.org")
    assert browser.get(f"/ticket/{link(runtime, theirs)}").status_code == 200
    crossed = link(runtime, theirs, customer_id=the_ticket(runtime, ticket).customer_id)
    assert browser.get(f"/ticket/{crossed}").status_code == 410
    with runtime.database.write(EVERYONE) as session:
        session.execute(update(Desk).where(Desk.workspace_id == eve.workspace_id).values(links_version=5))
    assert browser.get(f"/ticket/{link(runtime, ticket)}").status_code == 200
