"""/care/my and /desk/…: what customers meet with an account, and what everybody may see."""

import pytest
from flask import Flask
from sqlalchemy import select, update

from models.account import Account
from models.delivery import Delivery
from models.desk import Article, Desk, Topic
from models.session import EVERYONE
from models.ticket import Customer, Ticket, TicketFile, TicketMessage
from tests.care_people import PATH, customer_s, desk_row, open_desk, picture, say, send, the_ticket, ticket_of, words_on
from tests.conftest import Person, new_person
from tests.front import browser_of, member_of
from tests.web_fixtures import Browser, rows
from workers.runtime import Runtime

ASKED = {"subject": "The lamp flickers", "text": "It began\non Monday.", "key": "form:0123456789"}
SOMEBODY = {**ASKED, "name": "Zoe", "email": "Zoe@Example.org"}


def test_a_customer_raises_a_ticket_and_follows_it(app: Flask, runtime: Runtime, ada: Person) -> None:
    zoe = customer_s(app, runtime, ada)
    assert "You have asked" in zoe.get("/care/my").text
    answer = zoe.post("/care/my/new", {**ASKED, "files": (picture(), "lamp.png")})
    assert (answer.status_code, answer.location) == (303, "/care/my/1")
    page = zoe.get("/care/my/1").text
    assert "It began<br>\non Monday." in page
    assert "lamp.png" in page
    assert "Received" in page
    assert "The lamp flickers" in zoe.get("/care/my").text
    (file,) = rows(runtime.database, TicketFile)
    assert zoe.get(f"/care/my/1/files/{file.id}").status_code == 200
    assert zoe.post("/care/my/1/answer", {"text": "Still."}).status_code == 303
    assert zoe.post("/care/my/1/solved").status_code == 303
    assert zoe.post("/care/my/1/answer", {"text": "It is back."}).status_code == 303
    assert rows(runtime.database, Ticket)[0].status == "reopened"
    (customer,) = rows(runtime.database, Customer)
    assert (customer.email, customer.account_id is not None) == ("zoe@example.org", True)


def test_a_form_that_is_sent_twice_raises_one_ticket(app: Flask, runtime: Runtime, ada: Person) -> None:
    zoe = customer_s(app, runtime, ada)
    places = {zoe.post("/care/my/new", ASKED).location for _ in range(2)}
    assert (places, len(rows(runtime.database, Ticket))) == ({"/care/my/1"}, 1)


def test_what_is_wrong_stands_beside_its_field(app: Flask, runtime: Runtime, ada: Person) -> None:
    zoe = customer_s(app, runtime, ada)
    wrong = zoe.post("/care/my/new", {"subject": "\r\n ", "text": "x" * 20_001, "topic_id": "none"})
    assert wrong.status_code == 422
    assert "Say in a few words" in wrong.text
    assert "at most 20,000 characters" in wrong.text
    gone = zoe.post("/care/my/new", {**ASKED, "topic_id": "f" * 28})
    assert (gone.status_code, "not there any more" in gone.text) == (422, True)
    bad = zoe.post("/care/my/new", {**ASKED, "files": (picture(), "a.exe")})
    assert bad.status_code == 303, "a picture that is called a program is kept as the picture that it is"
    assert rows(runtime.database, TicketFile)[0].name == "a.png"


def test_a_customer_finds_no_ticket_but_their_own(app: Flask, runtime: Runtime, ada: Person) -> None:
    zoe = customer_s(app, runtime, ada)
    ticket_of(runtime, ada, "xavier@example.org", copies=["zoe@example.org"])
    eve = new_person(runtime, "eve")
    ticket_of(runtime, eve, "zoe@example.org", subject="At another shop")
    for number in (1, 2, 10**30):
        assert zoe.get(f"/care/my/{number}").status_code == 404
        assert zoe.post(f"/care/my/{number}/answer", {"text": "Hm."}).status_code == 404
        assert zoe.post(f"/care/my/{number}/solved").status_code == 404
    assert "lamp" not in zoe.get("/care/my").text
    assert "At another shop" not in zoe.get("/care/my").text


def test_tickets_that_came_by_mail_are_theirs_once_their_address_is_confirmed_and_not_before(
    app: Flask, runtime: Runtime, ada: Person
) -> None:
    ticket_of(runtime, ada)
    person = member_of(runtime, ada, "zoe", "customer")
    with runtime.database.write(EVERYONE) as session:
        session.execute(update(Account).where(Account.id == person.account_id).values(confirmed_at=None))
    zoe = browser_of(app, runtime, person)
    assert "lamp" not in zoe.get("/care/my").text
    answer = zoe.post("/care/my/new", ASKED)
    assert (answer.status_code, "Confirm your mail address first" in answer.text) == (422, True)
    with runtime.database.write(EVERYONE) as session:
        session.execute(update(Account).where(Account.id == person.account_id).values(confirmed_at=1))
    assert "lamp" in zoe.get("/care/my").text


def test_whoever_answers_tickets_is_led_to_the_desk_s_own_pages(app: Flask, runtime: Runtime, ada: Person) -> None:
    for role in ("agent", "lead", "viewer"):
        browser = browser_of(app, runtime, member_of(runtime, ada, role, role))
        assert browser.get("/care/my").location == "/care"
        assert browser.get("/care/my/new").status_code == 404


def test_no_internal_note_reaches_a_customer(app: Flask, runtime: Runtime, ada: Person) -> None:
    zoe = customer_s(app, runtime, ada)
    ticket = ticket_of(runtime, ada)
    say(runtime, ada, ticket, "note", "secret words of ours")
    say(runtime, ada, ticket, "answer", "Try another bulb.")
    page = words_on(zoe.get("/care/my").text + zoe.get("/care/my/1").text)
    assert "secret words" not in page
    assert "Try another bulb." in page


def test_a_long_conversation_is_paged(app: Flask, runtime: Runtime, ada: Person) -> None:
    zoe = customer_s(app, runtime, ada)
    ticket = ticket_of(runtime, ada)
    with runtime.database.write(ada.workspace_id) as session:
        about = {"ticket_id": ticket, "kind": "answer", "source": "web", "version": 1}
        session.add_all(
            TicketMessage(workspace_id=ada.workspace_id, text=f"Word {n}.", at=2_000_000_000_000 + n, **about)
            for n in range(60)
        )
    zoe.get("/care/my")
    newest, older = zoe.get("/care/my/1").text, zoe.get("/care/my/1?page=2").text
    assert ("Word 59." in newest, "Word 9." in newest, "11 earlier messages" in newest) == (True, False, True)
    assert ("Word 9." in older, "It began on Monday." in older, "Word 10." in older) == (True, True, False)
    assert zoe.get("/care/my/1?page=99999999999999").status_code == 200


def test_a_desk_that_is_not_open_to_everybody_is_not_there(browser: Browser, runtime: Runtime, ada: Person) -> None:
    open_desk(runtime, ada, public=False)
    browser.get("/sign-in")
    for path in (PATH, f"{PATH}/new", "/desk/none", f"{PATH}/help/{'f' * 28}"):
        assert browser.get(path).status_code == 404


def test_somebody_without_an_account_asks_and_is_answered_the_same_whoever_they_are(
    browser: Browser, runtime: Runtime, ada: Person
) -> None:
    open_desk(runtime, ada)
    ticket_of(runtime, ada, "known@example.org")
    said = []
    for email in ("known@example.org", "other@example.org"):
        answer = send(browser, f"{PATH}/new", {**SOMEBODY, "email": email, "key": f"form:{email}"})
        assert answer.status_code == 200
        said.append(words_on(answer.text).replace(email, ""))
    assert said[0] == said[1]
    assert {each.email for each in rows(runtime.database, Customer)} == {"known@example.org", "other@example.org"}
    assert [each.source for each in rows(runtime.database, Ticket)] == ["web"] * 3
    mail = rows(runtime.database, Delivery)[-1]
    assert (mail.to, "{ticket}" in mail.text) == ("other@example.org", True)


def test_a_program_that_fills_in_every_field_raises_nothing_and_is_told_nothing(
    browser: Browser, runtime: Runtime, ada: Person
) -> None:
    open_desk(runtime, ada)
    answer = send(browser, f"{PATH}/new", {**SOMEBODY, "leave_empty": "http://buy.example"})
    assert "We have your message" in answer.text
    assert not rows(runtime.database, Ticket)


def test_the_public_form_is_bounded_by_machine_and_by_address(browser: Browser, runtime: Runtime, ada: Person) -> None:
    open_desk(runtime, ada)
    codes = [send(browser, f"{PATH}/new", {**SOMEBODY, "key": f"form:012345678{n}"}).status_code for n in range(6)]
    assert codes == [200] * 5 + [429]
    codes = [send(browser, f"{PATH}/new", {"email": "no"}).status_code for _ in range(5)]
    assert codes[-1] == 429
    browser.client.environ_base["REMOTE_ADDR"] = "127.0.0.2"  # its owner, who writes from elsewhere, is not locked out
    assert send(browser, f"{PATH}/new", {**SOMEBODY, "key": "form:0123456790"}).status_code == 200


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "zoe@example.org\r\nBcc: all@example.org"), ("email", "a@b.c,d@e.f"), ("email", ""),
        ("name", ""), ("subject", ""), ("text", " \n"), ("name", "x" * 121),
    ],
)  # fmt: skip
def test_bad_input_of_the_public_form_is_told_beside_its_field(
    browser: Browser, runtime: Runtime, ada: Person, field: str, value: str
) -> None:
    open_desk(runtime, ada)
    answer = send(browser, f"{PATH}/new", {**SOMEBODY, field: value})
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    assert not rows(runtime.database, Ticket)


def test_a_name_or_a_subject_puts_no_line_into_a_mail_s_head(browser: Browser, runtime: Runtime, ada: Person) -> None:
    open_desk(runtime, ada)
    nasty = {"name": "Zoe\r\nBcc: all@example.org", "subject": "Hi\nX-Evil: yes {ticket} {link}"}
    assert send(browser, f"{PATH}/new", {**SOMEBODY, **nasty}).status_code == 200
    (customer,) = rows(runtime.database, Customer)
    assert customer.name == "Zoe Bcc: all@example.org"
    assert "\n" not in rows(runtime.database, Ticket)[0].subject
    mail = rows(runtime.database, Delivery)[-1]
    assert not set(mail.subject) & set("\r\n")
    assert "{link}" not in mail.text


def article(runtime: Runtime, owner: Person, title: str, body: str, published: bool = True) -> str:
    with runtime.database.write(owner.workspace_id) as session:
        row = Article(workspace_id=owner.workspace_id, title=title, body=body, published=published)
        session.add(row)
        session.flush()
        return row.id


def test_published_articles_are_found_and_read_and_drafts_are_not(
    browser: Browser, runtime: Runtime, ada: Person
) -> None:
    open_desk(runtime, ada)
    bulb = article(runtime, ada, "Change a bulb", "1. Switch off\n2. 100% <b>turn</b> left")
    draft = article(runtime, ada, "Our secret prices", "Half of it", published=False)
    browser.get("/sign-in")
    assert "Change a bulb" in browser.get(PATH).text
    assert "Change a bulb" in browser.get(f"{PATH}?q=TURN bulb").text
    assert "Change a bulb" in browser.get(f"{PATH}?q=100%25").text
    assert "Change a bulb" not in browser.get(f"{PATH}?q=_").text
    assert "No article has all of these words" in browser.get(f"{PATH}?q=secret").text
    page = browser.get(f"{PATH}/help/{bulb}").text
    assert "<ol><li>Switch off</li><li>100% &lt;b&gt;turn&lt;/b&gt; left</li></ol>" in page
    assert browser.get(f"{PATH}/help/{draft}").status_code == 404


def test_whether_an_article_helped_counts_once_for_each_browser(
    browser: Browser, runtime: Runtime, ada: Person
) -> None:
    open_desk(runtime, ada)
    path = f"{PATH}/help/{article(runtime, ada, 'Change a bulb', 'Turn left.')}"
    browser.get(path)
    browser.get(path)
    for choice in ("yes", "yes", "no"):
        assert send(browser, path, {"helped": choice}, page=f"{PATH}/new").status_code == 303
    assert send(browser, path, {"helped": "perhaps"}, page=f"{PATH}/new").status_code == 400
    (row,) = rows(runtime.database, Article)
    assert (row.views, row.helped, row.unhelpful) == (1, 1, 0)


def test_another_desk_s_article_is_not_shown_under_this_one_s_name(
    browser: Browser, runtime: Runtime, ada: Person
) -> None:
    eve = new_person(runtime, "eve")
    open_desk(runtime, ada)
    open_desk(runtime, eve, slug="eves-shop")
    theirs = article(runtime, eve, "Eve's prices", "Half.")
    browser.get("/sign-in")
    assert browser.get(f"/desk/eves-shop/help/{theirs}").status_code == 200
    assert browser.get(f"{PATH}/help/{theirs}").status_code == 404
    assert "Eve" not in browser.get(f"{PATH}?q=prices").text


SETTINGS = {
    "name": "The shop", "slug": "The-Shop", "public": "yes", "close_days": "3", "forgotten_days": "0",
    "signature": "Yours\r\nThe shop", "asks": "yes",
}  # fmt: skip


def test_a_lead_says_how_the_desk_works_and_others_do_not(app: Flask, runtime: Runtime, ada: Person) -> None:
    lead = browser_of(app, runtime, member_of(runtime, ada, "leo", "lead"))
    assert "Desk settings" in lead.get("/care/settings").text
    assert lead.post("/care/settings", SETTINGS).status_code == 303
    desk = desk_row(runtime, ada)
    kept = (desk.slug, desk.public, desk.close_days, desk.forgotten_days, desk.asks, desk.answers, desk.signature)
    assert kept == ("the-shop", True, 3, 0, True, False, "Yours\nThe shop")
    for role in ("agent", "member", "viewer"):
        browser = browser_of(app, runtime, member_of(runtime, ada, role, role))
        assert "disabled" in browser.get("/care/settings").text
        assert browser.post("/care/settings", SETTINGS).status_code == 403


@pytest.mark.parametrize(
    ("field", "value"),
    [("slug", "a b"), ("slug", "-a-"), ("slug", "ü"), ("slug", "taken"), ("close_days", "-1"), ("close_days", "many"),
     ("forgotten_days", "400"), ("name", ""), ("signature", "x" * 1001)],
)  # fmt: skip
def test_settings_that_cannot_be_stand_beside_their_field(
    app: Flask, runtime: Runtime, ada: Person, field: str, value: str
) -> None:
    open_desk(runtime, new_person(runtime, "eve"), slug="taken")
    owner = browser_of(app, runtime, ada)
    answer = owner.post("/care/settings", {**SETTINGS, field: value})
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    with runtime.database.read(ada.workspace_id) as session:
        assert session.scalar(select(Desk.slug)) != "the-shop"


def test_a_topic_that_is_over_is_not_offered(app: Flask, runtime: Runtime, ada: Person) -> None:
    with runtime.database.write(ada.workspace_id) as session:
        session.add(Topic(workspace_id=ada.workspace_id, name="Lamps"))
        session.add(Topic(workspace_id=ada.workspace_id, name="Candles", archived=True))
    page = customer_s(app, runtime, ada).get("/care/my/new").text
    assert ("Lamps" in page, "Candles" in page) == (True, False)


def test_the_workspace_s_full_storage_is_told_and_keeps_nothing(app: Flask, runtime: Runtime, ada: Person) -> None:
    zoe = customer_s(app, runtime, ada)
    object.__setattr__(app.extensions["nightshift"].settings, "storage_mb", 0)
    answer = zoe.post("/care/my/new", {**ASKED, "files": (picture(), "lamp.png")})
    assert (answer.status_code, "There is no room for files" in answer.text) == (422, True)
    assert not rows(runtime.database, Ticket)
    assert the_ticket(runtime, ticket_of(runtime, ada)).number == 1
