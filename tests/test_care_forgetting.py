"""What becomes of a customer who closes their account or asks to be erased, and of tickets whose agent leaves."""

import zipfile

from flask import Flask
from sqlalchemy import select

from models import ticket_search
from models.base import clock
from models.delivery import Delivery
from models.desk import TeamMember
from models.session import EVERYONE
from models.ticket import Customer, Received, Ticket, TicketCopy, TicketEvent, TicketFile, TicketMessage
from tasks.care import tickets
from tasks.care.by import By
from tests.care_people import customer_s, picture, say, the_ticket, ticket_of
from tests.care_rows import with_care
from tests.conftest import Person
from tests.front import browser_of, member_of
from tests.rights import SURE, erased, export, lines, mentions, who
from tests.web_fixtures import Browser, Invite, rows
from workers.runtime import Runtime


def asked_by_zoe(zoe: Browser) -> None:
    form = {"subject": "The lamp flickers", "text": "It began on Monday.", "files": (picture(), "lamp.png")}
    assert zoe.post("/care/my/new", form).status_code == 303


def test_a_customer_s_export_holds_their_tickets_and_nothing_of_how_the_desk_works_at_them(
    admin: Browser, invite: Invite, runtime: Runtime
) -> None:
    ada = who(runtime.database, "Ada")
    zoe = invite("zoe", "customer")
    asked_by_zoe(zoe)
    mine = rows(runtime.database, Ticket)[0].id
    say(runtime, ada, mine, "note", "They are difficult.")
    say(runtime, ada, mine, "answer", "Try another bulb.")
    ticket_of(runtime, ada, "xavier@example.org", subject="Xavier's")
    archive: zipfile.ZipFile
    _, archive = export(zoe, runtime, "/account/export")
    assert [row["subject"] for row in lines(archive, "you/ticket.jsonl")] == ["The lamp flickers"]
    said = [row["text"] for row in lines(archive, "you/ticket_message.jsonl")]
    assert said == ["It began on Monday.", "Try another bulb."]
    assert lines(archive, "you/customer.jsonl")[0]["email"] == "zoe@example.org"
    assert any(name.endswith("files/ticket 1/lamp.png") for name in archive.namelist())
    everything = b"".join(archive.read(name) for name in archive.namelist()).decode("latin-1")
    for mark in ("difficult", "Xavier", "assignee", "policy_id"):
        assert mark not in everything, mark
    archive.close()


def test_a_customer_s_export_holds_their_own_words_in_tickets_of_others(
    admin: Browser, invite: Invite, runtime: Runtime
) -> None:
    ada = who(runtime.database, "Ada")
    zoe = invite("zoe", "customer")
    asked_by_zoe(zoe)
    mine = rows(runtime.database, Ticket)[0].id
    say(runtime, ada, mine, "answer", "Try another bulb.")
    xaviers = ticket_of(runtime, ada, "xavier@example.org", text="Xavier's lamp.")
    with runtime.database.write(ada.workspace_id) as session:
        one, into = (session.get_one(Ticket, each) for each in (mine, xaviers))
        tickets.merge(session, one, into, By("agent", ada.account_id), clock(session), confirmed=True)
    _, archive = export(zoe, runtime, "/account/export")
    assert [row["text"] for row in lines(archive, "you/ticket_message.jsonl")] == ["It began on Monday."]
    assert any(name.endswith("lamp.png") for name in archive.namelist())
    assert not any(b"Xavier" in archive.read(name) for name in archive.namelist())
    archive.close()


def test_whoever_closes_their_account_stays_as_a_customer_without_a_name_and_what_they_wrote_stays(
    admin: Browser, invite: Invite, runtime: Runtime
) -> None:
    ada = who(runtime.database, "Ada")
    zoe = invite("zoe", "customer")
    asked_by_zoe(zoe)
    ticket_of(runtime, ada, "xavier@example.org", name="Xavier", copies=["zoe@example.org"])
    with runtime.database.write(EVERYONE) as session:
        about = {"workspace_id": ada.workspace_id, "fingerprint": "f", "outcome": "opened", "subject": "Lamp"}
        session.add(Received(sender="zoe@example.org", **about))
        for event in session.scalars(select(TicketEvent)).all()[:1]:
            event.after = "zoe@example.org"
    assert zoe.post("/account/delete", SURE).status_code == 302
    assert erased(runtime).state == "succeeded"
    assert mentions(runtime, "zoe@example.org") <= {"audit_entry", "run"}
    assert not rows(runtime.database, TicketCopy)
    assert "It began on Monday." in {each.text for each in rows(runtime.database, TicketMessage)}
    customer = next(each for each in rows(runtime.database, Customer) if each.email.endswith("@invalid"))
    assert (customer.name, customer.account_id) == ("", None)
    with runtime.database.read(ada.workspace_id) as session:
        assert session.scalars(select(Ticket.id).where(ticket_search.matching(session, "lamp"))).all()
        assert not session.scalars(select(Ticket.id).where(ticket_search.matching(session, "zoe"))).all()


def test_a_lead_erases_a_customer_with_all_that_there_is_of_them(app: Flask, runtime: Runtime, ada: Person) -> None:
    asked_by_zoe(customer_s(app, runtime, ada))
    kept = ticket_of(runtime, ada, "xavier@example.org", name="Xavier", copies=["zoe@example.org"])
    lead = browser_of(app, runtime, member_of(runtime, ada, "leo", "lead"))
    path, form = "/care/settings/forget", {"forget_email": "Zoe@Example.org"}
    assert "Tick the box" in lead.post(path, form).text
    assert "No customer" in lead.post(path, {"forget_email": "nobody@example.org", "sure": "yes"}).text
    assert lead.post(path, {"forget_email": "no", "sure": "yes"}).status_code == 422
    assert len(rows(runtime.database, Ticket)) == 2
    assert lead.post(path, {**form, "sure": "yes"}).status_code == 303
    assert [each.id for each in rows(runtime.database, Ticket)] == [kept]
    assert (rows(runtime.database, TicketFile), list(runtime.storage.listed())) == ([], [])
    assert {each.to for each in rows(runtime.database, Delivery)} == {"xavier@example.org"}
    assert mentions(runtime, "zoe@example.org") <= {"account"}, "their account is their own to delete"
    agent = browser_of(app, runtime, member_of(runtime, ada, "eve", "agent"))
    assert agent.post(path, {**form, "sure": "yes"}).status_code == 403


def test_a_lead_erases_nobody_of_another_workspace(app: Flask, runtime: Runtime, ada: Person, grace: Person) -> None:
    ticket_of(runtime, grace)
    answer = browser_of(app, runtime, ada).post(
        "/care/settings/forget", {"forget_email": "zoe@example.org", "sure": "yes"}
    )
    assert answer.status_code == 422
    assert len(rows(runtime.database, Ticket)) == 1


def test_whoever_answers_no_longer_leaves_their_teams_and_their_tickets_wait_for_others(
    app: Flask, runtime: Runtime, ada: Person
) -> None:
    agent = member_of(runtime, ada, "eve", "agent")
    with runtime.database.write(ada.workspace_id) as session:
        with_care(session, runtime.storage, agent, "words", "sealed")
    mine = {each.id for each in rows(runtime.database, Ticket) if each.assignee_id == agent.account_id}
    assert len(mine) == 2
    owner = browser_of(app, runtime, ada)
    path = f"/workspace/members/{agent.account_id}"
    owner.post(f"{path}/role", {"role": "lead"})
    assert rows(runtime.database, TeamMember)
    owner.post(f"{path}/role", {"role": "viewer"})
    assert not rows(runtime.database, TeamMember)
    assert {the_ticket(runtime, each).assignee_id for each in mine} == {None}
    assert owner.post(f"{path}/remove").status_code == 302


def test_a_customer_s_mailbox_leads_to_their_ticket_without_a_secret_in_its_links(
    app: Flask, runtime: Runtime, ada: Person
) -> None:
    zoe = customer_s(app, runtime, ada)
    asked_by_zoe(zoe)
    (mail,) = rows(runtime.database, Delivery)
    for path in (f"/mailbox/{mail.id}", f"/mailbox/{mail.id}/html"):
        page = zoe.get(path).text
        assert "{ticket}" not in page
        assert "/ticket/" not in page
    assert "/care/my/1" in page
