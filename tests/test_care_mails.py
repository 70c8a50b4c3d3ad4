"""What the desk sees of the mails about a ticket: all of them, in their words, and never a customer's own link."""

import html

from sqlalchemy import select, update

from models.base import clock
from models.delivery import Delivery
from models.session import EVERYONE
from tests.care_people import ticket_of
from tests.conftest import Person
from tests.web_fixtures import Browser
from workers.runtime import Runtime


def changed(runtime: Runtime, **values: object) -> None:
    with runtime.database.write(EVERYONE) as session:
        session.execute(update(Delivery).values(**values))


def test_the_desk_reads_what_a_customer_was_told_but_gets_no_link_of_theirs(
    runtime: Runtime, ada: Person, ada_s: Browser
) -> None:
    ticket_of(runtime, ada, subject="Lamp", email="zoe@example.org")
    changed(runtime, ticket_id=None)  # the confirmation
    assert "Nobody was written to" in ada_s.get("/care/1/mails").text
    ada_s.post("/care/1/answer", {"kind": "answer", "text": "Which <b>bulb</b> is it?", "status": "waiting"})
    assert "/care/1/mails" in ada_s.get("/care/1").text
    page = html.unescape(ada_s.get("/care/1/mails").text)
    told = ("To zoe@example.org", "[#1]", "Which <b>bulb</b> is it?", "[their link to this ticket]", "waits to be sent")
    for words in told:
        assert words in page, words
    with runtime.database.read(EVERYONE) as session:
        assert all("{ticket}" in text for text in session.scalars(select(Delivery.text)))
    assert "{ticket}" not in page
    assert "<b>bulb" not in ada_s.get("/care/1/mails").text


def test_what_became_of_a_mail_is_said_and_why(runtime: Runtime, ada: Person, ada_s: Browser) -> None:
    ticket_of(runtime, ada, subject="Lamp", email="zoe@example.org")
    ada_s.post("/care/1/answer", {"kind": "answer", "text": "Which bulb is it?"})
    changed(runtime, state="failed", reason="Nobody of this name is here (550).")
    page = ada_s.get("/care/1/mails").text
    assert "not sent" in page
    assert "Nobody of this name is here (550)." in page
    changed(runtime, state="sent", fate="bounced", reason="")
    assert "came back" in ada_s.get("/care/1/mails").text
    changed(runtime, fate="")
    page = ada_s.get("/care/1/mails").text
    assert "kept here" in page
    assert "NIGHTSHIFT_MAIL" in page
    with runtime.database.read(EVERYONE) as session:
        soon = clock(session) + 60_000
    changed(runtime, state="queued", due_at=soon)
    assert "held back until" in ada_s.get("/care/1/mails").text
