"""The sample desk: made with one click, marked, written to nobody, and gone as a whole with another."""

from collections import Counter
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import func, select

from models.base import Base
from models.delivery import Delivery
from models.desk import Article, Desk, Policy, Team, Topic
from models.session import EVERYONE
from models.ticket import ANSWER, STATUSES, Rating, Ticket, TicketEvent, TicketMessage, TicketTag
from tasks.care import desks, sample, tickets
from tasks.care.by import CUSTOMER, By, Refused
from tests.conftest import Person
from tests.front import browser_of, member_of
from tests.stock_front import text_of
from tests.web_fixtures import Browser
from workers.runtime import Runtime

NOW = round(datetime(2026, 6, 10, 14, 0, tzinfo=ZoneInfo("UTC")).timestamp() * 1000)  # a Wednesday


def fill(runtime: Runtime, person: Person, now: int = NOW) -> int:
    with runtime.database.write(person.workspace_id) as session:
        return sample.fill(session, person.workspace_id, person.account_id, now)


def counts(runtime: Runtime) -> Counter[str]:
    with runtime.database.read(EVERYONE) as session:
        tables = (table for table in Base.metadata.sorted_tables if not table.name.startswith(("run", "desk")))
        found = {table.name: session.scalar(select(func.count()).select_from(table)) or 0 for table in tables}
    return Counter({name: many for name, many in found.items() if many})


def test_twenty_tickets_in_all_states_lived_through_the_last_weeks(runtime: Runtime, ada: Person) -> None:
    assert fill(runtime, ada) == 20
    with runtime.database.read(ada.workspace_id) as session:
        found = session.scalars(select(Ticket).order_by(Ticket.number)).all()
        assert {ticket.status for ticket in found} == set(STATUSES)
        assert [ticket.number for ticket in found] == list(range(1, 21))
        made = [ticket.created_at for ticket in found]
        assert made == sorted(made)
        assert max(ticket.changed_at for ticket in found) <= NOW
        for table in (TicketMessage, TicketEvent, Rating):
            assert (session.scalar(select(func.max(table.at))) or 0) <= NOW
        answered = [ticket for ticket in found if ticket.answered_at]
        assert len(answered) >= 15
        assert {ticket.first_in_time for ticket in answered} == {True, False}
        assert session.scalar(select(func.count()).select_from(Rating)) == 7
        assert session.scalar(select(func.count()).select_from(Article)) == 6


def test_it_is_marked_and_nobody_is_written_to(runtime: Runtime, ada: Person) -> None:
    fill(runtime, ada)
    with runtime.database.read(ada.workspace_id) as session:
        assert session.scalar(select(func.count()).select_from(TicketTag).where(TicketTag.name == "sample")) == 20
        for table in (Team, Topic, Policy):
            assert all("(sample)" in name for name in session.scalars(select(table.name)))
        assert session.scalar(select(func.count()).select_from(Delivery)) == 0
        assert session.scalar(select(func.count()).select_from(Desk).where(Desk.public)) == 0


def test_strangers_read_none_of_its_articles_unasked(runtime: Runtime, ada: Person, ada_s: Browser) -> None:
    with runtime.database.write(ada.workspace_id) as session:
        desks.of(session, ada.workspace_id).public = True
    fill(runtime, ada)
    with runtime.database.write(ada.workspace_id) as session:
        assert set(session.scalars(select(Article.published))) == {False}
        desks.of(session, ada.workspace_id).public = False
    form = {"name": "The shop", "slug": "the-shop", "public": "on", "close_days": "7", "forgotten_days": "3"}
    assert ada_s.post("/care/settings", form).status_code == 303
    assert "Delete the sample before" in ada_s.get("/care/settings").text


def test_all_of_it_goes_and_what_others_wrote_stays(runtime: Runtime, ada: Person) -> None:
    before = counts(runtime)
    fill(runtime, ada)
    with runtime.database.write(ada.workspace_id) as session:
        topic = session.scalars(select(Topic.id).limit(1)).one()
        real = tickets.open_ticket(
            session, tickets.New("Real", "A question", "real@example.org", topic_id=topic), By(CUSTOMER), NOW
        )
        ticket = session.scalars(select(Ticket).where(Ticket.status == "new").limit(1)).one()
        tickets.say(session, ticket, ANSWER, "An answer of mine", By("agent", account_id=ada.account_id), NOW)
    with runtime.database.write(ada.workspace_id) as session:
        assert sample.remove(session, ada.workspace_id, NOW) == 20
    with runtime.database.write(ada.workspace_id) as session:
        left = session.scalars(select(Ticket)).one()
        assert (left.id, left.topic_id, left.team_id, left.policy_id, left.first_due_at) == (real.id, *[None] * 4)
        assert not sample.present(session)
        session.delete(left)
    after = counts(runtime)
    for name in ("customer", "delivery"):  # those of the ticket that was real
        assert after.pop(name) == 1
    after.pop("audit_entry", None)
    assert {name: many for name, many in after.items() if name not in before} == {}


def test_it_is_for_an_empty_desk(runtime: Runtime, ada: Person, grace: Person) -> None:
    fill(runtime, ada)
    with pytest.raises(Refused, match="empty desk"):
        fill(runtime, ada)
    with runtime.database.write(grace.workspace_id) as session:
        session.add(Topic(workspace_id=grace.workspace_id, name="Returns (sample)"))
    with pytest.raises(Refused, match=r"Returns \(sample\)"):
        fill(runtime, grace)
    with runtime.database.read(grace.workspace_id) as session:
        assert session.scalar(select(func.count()).select_from(Ticket)) == 0


@pytest.mark.parametrize("day", [8, 9, 13, 14])  # a Monday, a Tuesday, and a weekend
@pytest.mark.parametrize("hour", [0, 8, 23])
def test_on_whatever_day_and_hour_it_is_made_nothing_lies_ahead(
    runtime: Runtime, ada: Person, day: int, hour: int
) -> None:
    now = round(datetime(2026, 6, day, hour, tzinfo=ZoneInfo("UTC")).timestamp() * 1000)
    for story in sample.stories():
        begun = sample._begins(story, "UTC", now)
        lived = [
            begun + step.after * sample.HOUR for step in story.steps if step.what in ("question", "answer", "close")
        ]
        assert [at for at in (begun, *lived) if at > now] == []


def test_one_click_makes_it_and_one_click_deletes_it(runtime: Runtime, ada_s: Browser) -> None:
    assert ada_s.post("/care/sample").location == "/care"
    said = text_of(ada_s.get("/care?view=all"))
    assert "Nobody was written to." in said
    assert "This desk has a sample in it" in said
    assert "20 tickets opened" in text_of(ada_s.get("/care/reports"))
    assert "for an empty desk" in text_of(ada_s.post("/care/sample", follow_redirects=True))
    assert ada_s.post("/care/sample/delete").status_code == 303
    assert "The sample is gone, with its 20 tickets." in text_of(ada_s.get("/care"))


@pytest.mark.parametrize("role", ["viewer", "member", "agent", "customer"])
def test_only_who_leads_the_desk_makes_or_deletes_it(app: Flask, runtime: Runtime, ada: Person, role: str) -> None:
    browser = browser_of(app, runtime, member_of(runtime, ada, "somebody", role))
    for address in ("/care/sample", "/care/sample/delete"):
        assert browser.post(address).status_code == 403
