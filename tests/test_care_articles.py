"""Help articles: written, looked at, published, found, begun with a solved ticket; by whom, and what is refused."""

import html
import re

import pytest
from flask import Flask
from sqlalchemy import select, update

from models.desk import Article, Desk
from models.ticket import NEW
from tests.care_texts import DeskRows
from tests.conftest import Person
from tests.front import browser_of, member_of
from tests.web_fixtures import Browser
from workers.runtime import Runtime

FORM = {"title": "How to return something", "body": "Put it into its box.\n\n- label\n- post", "topic": ""}


def words_of(browser: Browser, path: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", browser.get(path).text)).split())


def made(browser: Browser, **fields: str) -> str:
    answer = browser.post("/care/articles/new", {**FORM, **fields})
    assert answer.status_code == 303, answer.text
    return str(answer.location.rpartition("/")[2])


def the_article(runtime: Runtime, person: Person) -> Article:
    with runtime.database.read(person.workspace_id) as session:
        return session.scalars(select(Article)).one()


def test_the_first_article_makes_the_desk_and_is_a_draft(ada_s: Browser, runtime: Runtime, ada: Person) -> None:
    assert "Write the first article" in words_of(ada_s, "/care/articles")
    found = made(ada_s)
    page = ada_s.get(f"/care/articles/{found}").text
    assert "<li>label</li>" in page
    assert "draft" in words_of(ada_s, "/care/articles")
    with runtime.database.read(ada.workspace_id) as session:
        assert session.scalars(select(Desk)).one().name
    assert the_article(runtime, ada).written_by == ada.account_id


def test_it_is_looked_at_before_it_is_kept(ada_s: Browser, runtime: Runtime, ada: Person) -> None:
    answer = ada_s.post("/care/articles/new", {**FORM, "preview": "1", "body": "See https://example.org/a.\n<b>x</b>"})
    assert answer.status_code == 200
    assert 'href="https://example.org/a"' in answer.text
    assert "&lt;b&gt;x" in answer.text
    assert "<b>x" not in answer.text
    with runtime.database.read(ada.workspace_id) as session:
        assert session.scalars(select(Article)).all() == []


def test_it_is_published_taken_back_changed_and_deleted(ada_s: Browser, runtime: Runtime, ada: Person) -> None:
    found = made(ada_s)
    before = the_article(runtime, ada).changed_at
    ada_s.post(f"/care/articles/{found}/publish", {"published": "yes"})
    assert the_article(runtime, ada).published
    ada_s.post(f"/care/articles/{found}/publish")
    assert not the_article(runtime, ada).published
    seen = re.search(r'name="seen" value="(\d+)"', ada_s.get(f"/care/articles/{found}/edit").text)
    assert seen
    answer = ada_s.post(f"/care/articles/{found}/edit", {**FORM, "title": "Returns", "seen": seen[1]})
    assert answer.status_code == 303
    after = the_article(runtime, ada)
    assert (after.title, after.changed_at > before) == ("Returns", True)
    assert "Take it back" not in ada_s.get(f"/care/articles/{found}").text
    assert "Delete" in words_of(ada_s, f"/care/articles/{found}/delete")
    ada_s.post(f"/care/articles/{found}/delete")
    assert ada_s.get(f"/care/articles/{found}").status_code == 404


def test_the_second_of_two_who_edit_sees_that_somebody_was_faster(
    ada_s: Browser, runtime: Runtime, ada: Person
) -> None:
    found = made(ada_s)
    seen = str(the_article(runtime, ada).changed_at)
    assert ada_s.post(f"/care/articles/{found}/edit", {**FORM, "body": "mine", "seen": seen}).status_code == 303
    late = ada_s.post(f"/care/articles/{found}/edit", {**FORM, "body": "too late", "seen": seen})
    assert late.status_code == 409
    assert "Somebody else changed this article" in late.text
    assert "too late" in late.text  # what was written is not lost
    assert the_article(runtime, ada).body == "mine"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"title": ""}, "Fill this in"),
        ({"title": "x" * 201}, "at most 200"),
        ({"body": " \n "}, "Fill this in"),
        ({"body": "x" * 20_001}, "at most 20,000"),
        ({"topic": "0" * 28}, "Choose one of these"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(ada_s: Browser, fields: dict[str, str], said: str) -> None:
    answer = ada_s.post("/care/articles/new", {**FORM, **fields})
    assert (answer.status_code, said in html.unescape(answer.text)) == (422, True)


def test_signs_that_are_no_text_are_left_out(ada_s: Browser, runtime: Runtime, ada: Person) -> None:
    made(ada_s, body="a\x00b\x1b\r\nc\u202e")
    assert the_article(runtime, ada).body == "ab\nc"


def test_the_list_is_narrowed_and_ordered_by_use(ada_s: Browser, runtime: Runtime, ada: Person) -> None:
    desk = DeskRows(runtime, ada)
    topic = desk.topic("Returns")
    first, second = desk.article("Alpha", "about parcels"), desk.article("Beta_1", "about invoices", published=False)
    with runtime.database.write(desk.place) as session:
        session.execute(update(Article).where(Article.id == second).values(views=9, topic_id=topic))
    listed = words_of(ada_s, "/care/articles")
    assert listed.index("Beta_1") < listed.index("Alpha")
    for query, shown in (
        ("q=PARCELS", {first}), ("q=about+invoices", {second}), ("q=%25", set()), ("q=a_1", {second}),
        ("state=draft", {second}), ("state=published", {first}), (f"topic={topic}", {second}),
        ("order=nonsense&state=x", {first, second}), ("page=9", set()), ("q=nothing", set()),
    ):  # fmt: skip
        found = set(re.findall(r'href="/care/articles/([0-9a-f]{28})"', ada_s.get(f"/care/articles?{query}").text))
        assert found == shown, query


def test_an_article_begins_with_what_solved_a_ticket_and_warns_of_names(
    ada_s: Browser, runtime: Runtime, ada: Person
) -> None:
    desk = DeskRows(runtime, ada)
    _, number = desk.ticket("No light", "Hello,\nthe lamp is dark.\nRegards\nEve", "Dear Eve,\n\nChange the bulb.")
    page = html.unescape(ada_s.get(f"/care/articles/new?ticket={number}").text)
    assert "the lamp is dark.\n\nChange the bulb." in page
    assert "Take out names" in page
    assert "zanzibar" not in page  # the team's note
    _, still_open = desk.ticket("Open", "It hums.", "", status=NEW)
    assert ada_s.get(f"/care/articles/new?ticket={still_open}").status_code == 404


def test_agents_write_viewers_look_and_customers_do_neither(
    app: Flask, ada_s: Browser, runtime: Runtime, ada: Person
) -> None:
    found = made(ada_s)
    agent = browser_of(app, runtime, member_of(runtime, ada, "tom", "agent"))
    assert made(agent, title="Another one")
    viewer = browser_of(app, runtime, member_of(runtime, ada, "vera", "viewer"))
    assert viewer.get(f"/care/articles/{found}").status_code == 200
    customer = browser_of(app, runtime, member_of(runtime, ada, "eve", "customer"))
    for path in ("new", f"{found}/edit", f"{found}/publish", f"{found}/delete"):
        assert viewer.post(f"/care/articles/{path}", FORM).status_code == 403
        assert customer.post(f"/care/articles/{path}", FORM).status_code == 403
    assert customer.get(f"/care/articles/{found}").status_code == 403
    assert "New article" not in viewer.get("/care/articles").text
