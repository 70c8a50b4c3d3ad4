"""How much mail of one sender, and how many files, a desk takes; and that what is too much is not lost."""

from email.message import EmailMessage
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import update

from models.ticket import Received, TicketFile, TicketMessage
from tasks.care import limits
from tests.conftest import Person
from tests.front import browser_of
from tests.postboxes import DESK, EVE, Postbox, letter, postbox
from workers import quotas
from workers.runtime import Runtime


@pytest.fixture
def box(runtime: Runtime, ada: Person, tmp_path: Path) -> Postbox:
    made = postbox(runtime, ada, tmp_path)
    made.inlet()
    return made


def test_a_flood_of_one_sender_waits_an_hour_and_another_one_is_still_heard(box: Postbox) -> None:
    rows = box.take(*[letter(Message_ID=f"<{number}@flood>") for number in range(13)])
    assert [row.outcome for row in rows] == ["opened"] * 10 + ["waits"] * 3
    assert "an hour later" in rows[-1].reason
    assert [row.outcome for row in box.take(letter(From="zoe@customer.example", Message_ID="<z@x>"))] == ["opened"]
    assert [row.outcome for row in box.take()] == []
    an_hour_later(box)
    assert [row.outcome for row in box.take()] == ["opened"] * 3
    assert sorted(each.name[-2:] for each in (box.folder / box.desk.place / "cur").iterdir()) == [",S"] * 14


def an_hour_later(box: Postbox) -> None:
    with box.desk.writing() as session:
        session.execute(update(Received).values(at=Received.at - 3_600_000))


def test_mails_in_a_customers_name_do_not_use_up_what_they_may_answer_by_token(box: Postbox) -> None:
    (first,) = box.take(letter())
    token = {"To": f"desk+{box.token(first.ticket_id)}@shop.example"}
    with box.desk.writing() as session:  # sixty more of somebody who knows the id of their mail
        for number in range(60):
            session.add(made_up(first, number, reason="By the mail that it answers, which is only a hint."))
    forged, real = box.take(
        letter(In_Reply_To="<1@mail.example>", Message_ID="<f@evil>"),
        letter("It is on fire NOW\r\n", **token, Message_ID="<real@x>"),
    )
    assert (forged.outcome, real.outcome, real.ticket_id) == ("waits", "added", first.ticket_id)
    with box.desk.writing() as session:
        for number in range(60, 120):
            session.add(made_up(first, number, reason="By the token of our mail."))
    (more,) = box.take(letter(**token, Message_ID="<more@x>"))
    assert more.outcome == "waits"


def made_up(first: Received, number: int, reason: str, outcome: str = "added") -> Received:
    return Received(
        workspace_id=first.workspace_id, inlet_id=first.inlet_id, fingerprint=str(number), sender=EVE, outcome=outcome,
        reason=reason, ticket_id=first.ticket_id, at=first.at,
    )  # fmt: skip


def test_of_a_flood_only_some_wait_and_a_lead_lets_the_others_in(
    app: Flask, box: Postbox, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MOST_WAITING", 1)
    monkeypatch.setattr(limits, "MOST_OPENED", 1)
    rows = box.take(*[letter(Message_ID=f"<{number}@flood>") for number in range(3)])
    assert [row.outcome for row in rows] == ["opened", "waits", "kept back"]
    browser = browser_of(app, box.runtime, ada)
    page = browser.get("/care/mailboxes").text
    assert "Mails that wait: 1" in page
    assert "Mails that were kept back: 1" in page
    assert "no room" not in page
    assert "Let it in now" in browser.get("/care/received?outcome=kept+back").text
    assert browser.post(f"/care/received/{rows[2].id}/again").location.endswith("outcome=kept+back")
    (row,) = box.take()
    assert (row.outcome, row.fingerprint) == ("opened", rows[2].fingerprint)
    monkeypatch.setattr(limits, "MOST_AGAIN", 0)
    an_hour_later(box)
    assert box.take() == []
    (kept,) = box.desk.rows(Received, outcome="kept back")
    assert (kept.id, "three days" in kept.reason) == (rows[1].id, True)
    browser.post("/care/received/seen")
    assert "kept back" not in browser.get("/care/mailboxes").text


def test_files_of_mail_take_a_half_of_the_workspaces_room_at_most_and_words_are_never_left_out(box: Postbox) -> None:
    settings = box.runtime.settings.model_copy(update={"storage_mb": 1})
    object.__setattr__(box.runtime, "settings", settings)
    rows = box.take(*[with_a_file(number) for number in range(3)])
    assert [row.outcome for row in rows] == ["opened"] * 3
    assert [len(box.desk.rows(TicketFile, ticket_id=row.ticket_id)) for row in rows] == [1, 0, 0]
    (said,) = box.desk.rows(TicketMessage, ticket_id=rows[2].ticket_id)
    assert (said.text, "no room" in said.remarks[0]) == ("hello", True)
    with box.runtime.database.read(box.desk.place) as session:
        assert quotas.room_for(session, settings, box.desk.place, 500_000), "the house's own files have their half"


def with_a_file(number: int) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = f"a{number}@else.example", DESK, "x"
    mail["Message-ID"] = f"<{number}@x>"
    mail.set_content("hello")
    mail.add_attachment("line\n" * 60_000 + str(number), filename="a.txt")
    return mail.as_bytes()
