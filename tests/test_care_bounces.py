"""Mail that came back: believed by a mark that only that mail had, for one desk alone, and taken back by one word."""

from pathlib import Path

import pytest
from flask import Flask

from models.delivery import Bounced, Delivery
from models.session import EVERYONE
from models.ticket import Customer, Ticket, TicketMessage
from tasks.care import reaching
from tasks.mailing import outbox
from tests.care_desk import HelpDesk, desk
from tests.conftest import Person
from tests.front import browser_of
from tests.postboxes import EVE, Postbox, letter, postbox
from workers.mail import Post
from workers.runtime import Runtime


@pytest.fixture
def box(runtime: Runtime, ada: Person, tmp_path: Path) -> Postbox:
    made = postbox(runtime, ada, tmp_path)
    made.inlet()
    return made


def ours(box: Postbox, mail: Delivery, to: str = EVE) -> str:
    """The Message-ID that it left with."""
    return f"{box.token(mail.ticket_id or '')}.{mail.id}.{Post(box.runtime.settings).tokens.sent(mail.id, to)}"


def report(about: str, address: str = EVE, status: str = "5.1.1", action: str = "failed") -> bytes:
    return (
        "From: MAILER-DAEMON@mx.example\r\nReturn-Path: <>\r\nTo: nightshift@localhost\r\nSubject: Undelivered Mail\r\n"
        f"Message-ID: <b-{status}-{address}-{about[-4:]}@mx>\r\nContent-Type: multipart/report; "
        "report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\r\nSorry.\r\n--b\r\nContent-Type: "
        "message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n"
        f"Final-Recipient: rfc822; {address}\r\nAction: {action}\r\n"
        f"Status: {status}\r\nDiagnostic-Code: smtp; 550 {status} No such person\r\n\r\n--b\r\n"
        f"Content-Type: text/rfc822-headers\r\n\r\nMessage-ID: <{about}@localhost>\r\n\r\n--b--\r\n"
    ).encode()


def came_back(box: Postbox) -> tuple[str, Delivery]:
    """A ticket whose first mail came back."""
    (first,) = box.take(letter())
    (mail,) = box.mails()
    (row,) = box.take(report(ours(box, mail)))
    assert (row.outcome, row.ticket_id) == ("added", first.ticket_id)
    box.desk.now = row.at + 1
    return row.ticket_id, box.mails()[0]


def is_silent(help_desk: HelpDesk, ticket: str) -> bool:
    before = len(help_desk.mails(EVE))
    help_desk.answers(ticket, "Use water.")
    return len(help_desk.mails(EVE)) == before


def everywhere(runtime: Runtime) -> list[str]:
    with runtime.database.read(EVERYONE) as session:
        return [row.address for row in session.query(Bounced)]


def test_a_mail_that_came_back_is_noted_and_its_desk_alone_sends_no_more_there(box: Postbox, grace: Person) -> None:
    ticket, mail = came_back(box)
    note = box.desk.rows(TicketMessage, ticket_id=ticket)[-1]
    assert note.kind == "note"
    assert "5.1.1: 550 5.1.1 No such person" in note.text
    assert "Mail works again" in note.text
    assert mail.fate == "bounced"
    assert is_silent(box.desk, ticket)
    assert box.desk.history(ticket)[-1] == ("mail", "", "not sent")
    assert everywhere(box.runtime) == []
    theirs = desk(box.runtime, grace)
    assert not is_silent(theirs, theirs.opened(email=EVE))


def test_only_a_report_that_quotes_the_mark_of_that_very_mail_is_believed(box: Postbox) -> None:
    """An owner reads ids of deliveries in an export, and a copy of the ticket knows its token: neither is enough."""
    (first,) = box.take(letter(Cc="mallory@evil.example"))
    (mail,) = box.mails()
    token, mark = box.token(first.ticket_id), ours(box, mail).rpartition(".")[2]
    for about in (
        f"{token}.{mail.id}", f"{token}.{mail.id}.{'a' * 16}", f"{'a' * 40}.{mail.id}.{mark}",
        ours(box, mail, "mallory@evil.example"),
    ):  # fmt: skip
        (row,) = box.take(report(about))
        assert row.outcome == "left out"
    right = ours(box, mail)
    rows = box.take(
        report(right, address="victim@else.example"), report(right, status="5.2.2"),
        report(right, status="4.4.1", action="delayed"),
    )  # fmt: skip
    assert [row.outcome for row in rows] == ["left out", "added", "left out"]
    box.desk.now = first.at + 1
    assert not is_silent(box.desk, first.ticket_id)


def test_a_copy_who_saw_the_mark_in_an_answer_to_all_silences_nobody(box: Postbox) -> None:
    (first,) = box.take(letter(Cc="mallory@evil.example"))
    (mail,) = box.mails()
    with box.desk.writing() as session:
        session.get_one(Delivery, mail.id).sent_at = first.at
    answer = letter("Thanks.\r\n", In_Reply_To=f"<{ours(box, mail)}@shop.example>", Message_ID="<2@x>")
    _, row = box.take(answer, report(ours(box, mail)))
    assert "written since" in row.reason
    box.desk.now = row.at + 1
    assert not is_silent(box.desk, first.ticket_id)


def test_a_mail_by_token_of_the_address_itself_takes_it_back(box: Postbox) -> None:
    ticket, _ = came_back(box)
    box.take(letter("Hello?\r\n", Message_ID="<2@x>"))  # a From proves nothing
    assert is_silent(box.desk, ticket)
    box.take(letter("I am here.\r\n", To=f"desk+{box.token(ticket)}@shop.example", Message_ID="<3@x>"))
    assert not is_silent(box.desk, ticket)


def test_an_agent_sees_that_mail_came_back_and_says_that_it_works_again(app: Flask, box: Postbox, ada: Person) -> None:
    ticket, _ = came_back(box)
    browser = browser_of(app, box.runtime, ada)
    page = browser.get("/care/1").text
    assert "Mail to this address came back" in page
    assert "gets it by mail" not in page
    told = browser.post("/care/1/answer", {"kind": "answer", "text": "Use water."}, follow_redirects=True).text
    assert "gets your answer by mail" not in told
    assert browser.post("/care/1/reached", {"email": "nobody@else.example"}).status_code == 422
    browser.post("/care/1/reached", {"email": EVE})
    assert ("mail", "", "sent again") in box.desk.history(ticket)
    assert "came back, so" not in browser.get("/care/1").text
    assert not is_silent(box.desk, ticket)


def test_the_mail_servers_own_word_holds_for_all_desks_until_one_says_for_itself_that_mail_works(
    box: Postbox, grace: Person
) -> None:
    (first,) = box.take(letter())
    with box.runtime.database.write(EVERYONE) as session:
        outbox.came_back(session, EVE, "550 5.1.1")
        session.get_one(Bounced, EVE).at = first.at
    box.desk.now = first.at + 1
    theirs = desk(box.runtime, grace)
    other = theirs.opened(email=EVE)
    assert is_silent(box.desk, first.ticket_id)
    with box.desk.writing() as session:
        assert reaching.works_again(session, session.get_one(Ticket, first.ticket_id), EVE, box.desk.by(), box.desk.now)
    assert not is_silent(box.desk, first.ticket_id)
    assert is_silent(theirs, other)
    with box.runtime.database.read(box.desk.place) as session:
        waiting = outbox.load(session, [mail.id for mail in box.mails()])
    assert [each.bounced for each in waiting] == [False] * len(waiting)
    with box.runtime.database.write(EVERYONE) as session:
        outbox.came_back(session, EVE, "550 once more")  # refused again, later than the agent's word
        assert session.get_one(Bounced, EVE).at > box.desk.now
    assert is_silent(box.desk, first.ticket_id)
    assert box.desk.rows(Customer)[0].reached_at == first.at + 1
