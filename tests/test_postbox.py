"""Mail that becomes tickets: what is said in which, who may say it, and what is left out."""

from email.message import EmailMessage
from pathlib import Path

import pytest

from models.account import Account
from models.base import new_id
from models.session import EVERYONE
from models.ticket import Customer, Ticket, TicketCopy, TicketFile, TicketLink, TicketMessage
from models.workspace import Membership
from tests.conftest import Person
from tests.postboxes import DESK, EVE, Postbox, letter, postbox
from workers.runtime import Runtime

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c6360606000000004000127"
    "0a0d0a0000000049454e44ae426082"
)


@pytest.fixture
def box(runtime: Runtime, ada: Person, tmp_path: Path) -> Postbox:
    made = postbox(runtime, ada, tmp_path)
    made.inlet()
    return made


def to_token(box: Postbox, ticket: str, version: int = 2) -> str:
    return f"desk+{box.token(ticket, version)}@shop.example"


def texts(box: Postbox, ticket: str) -> list[tuple[str, str]]:
    return [(each.kind, each.text) for each in box.desk.rows(TicketMessage, ticket_id=ticket)]


def test_a_mail_opens_a_ticket_with_its_sender_as_the_customer_who_is_told(box: Postbox) -> None:
    (row,) = box.take(letter())
    assert (row.outcome, row.sender, row.subject) == ("opened", EVE, "The printer burns")
    ticket = box.desk.ticket(row.ticket_id)
    assert (ticket.subject, ticket.source, ticket.status) == ("The printer burns", "mail", "new")
    assert texts(box, ticket.id) == [("question", "It smokes.")]
    (customer,) = box.desk.rows(Customer)
    assert (customer.email, customer.name) == (EVE, "Eve")
    (mail,) = box.mails()
    assert (mail.ticket_id, mail.automatic, mail.subject) == (ticket.id, True, "[#1] The printer burns")


def test_the_same_mail_twice_or_by_two_ways_is_one_ticket(box: Postbox) -> None:
    box.take(letter())
    assert box.take(b"Received: from elsewhere\r\n" + letter()) == []
    assert len(box.desk.rows(Ticket)) == 1


def test_an_answer_to_the_token_lands_in_the_ticket_and_reopens_it(box: Postbox) -> None:
    (first,) = box.take(letter())
    box.desk.now = first.at + 1
    box.desk.answers(first.ticket_id, "Use water.", status="solved")
    answer = "It burns again!\r\n\r\nOn Mon, 1 Jun 2026, Shop wrote:\r\n> Use water.\r\n"
    (row,) = box.take(letter(answer, To=to_token(box, first.ticket_id), Message_ID="<2@x>"))
    assert (row.outcome, row.ticket_id, row.reason) == ("added", first.ticket_id, "By the token of our mail.")
    said = box.desk.rows(TicketMessage, ticket_id=first.ticket_id)[-1]
    assert (said.text, said.quoted) == ("It burns again!", "On Mon, 1 Jun 2026, Shop wrote:\n> Use water.")
    assert box.desk.ticket(first.ticket_id).status == "reopened"


@pytest.mark.parametrize(
    "headers",
    [
        {"References": "<ticket.0@x> <{token}.0123456789abcdef0123456789ab@x>"},
        {"In_Reply_To": "<{token}.0123456789abcdef0123456789ab@x>"},
        {"Delivered_To": "desk+{token}@shop.example"},
        {"Cc": "Desk <DESK+{token}@SHOP.example>"},
    ],
)
def test_the_token_is_found_wherever_mail_programs_leave_it(box: Postbox, headers: dict[str, str]) -> None:
    (first,) = box.take(letter())
    token = box.token(first.ticket_id)
    given = {name: value.format(token=token) for name, value in headers.items()}
    (row,) = box.take(letter(Message_ID="<2@x>", **given))
    assert (row.outcome, row.ticket_id) == ("added", first.ticket_id)


def test_the_token_in_a_line_of_the_text_is_enough(box: Postbox) -> None:
    (first,) = box.take(letter())
    text = f"Yes.\r\n\r\n> Please keep this line when you answer: [{box.token(first.ticket_id)}]\r\n"
    (row,) = box.take(letter(text, Message_ID="<2@x>"))
    assert (row.outcome, row.ticket_id) == ("added", first.ticket_id)


def test_a_strangers_mail_with_a_token_is_a_ticket_of_its_own_with_a_note(box: Postbox) -> None:
    (first,) = box.take(letter())
    stranger = letter(From="mallory@else.example", To=to_token(box, first.ticket_id), Message_ID="<2@x>")
    (row,) = box.take(stranger)
    assert (row.outcome, row.ticket_id != first.ticket_id) == ("opened", True)
    assert len(texts(box, first.ticket_id)) == 1
    assert [kind for kind, _ in texts(box, row.ticket_id)] == ["question", "note"]
    assert len(box.desk.rows(TicketLink)) == 1
    assert box.desk.rows(Customer)[-1].email == "mallory@else.example"


def test_a_forged_in_reply_to_of_somebody_elses_ticket_opens_a_new_one(box: Postbox) -> None:
    (first,) = box.take(letter())
    forged = letter(From="mallory@else.example", In_Reply_To="<1@mail.example>", Message_ID="<2@x>")
    (row,) = box.take(forged)
    assert (row.outcome, row.ticket_id != first.ticket_id) == ("opened", True)
    assert box.desk.rows(TicketLink) == []


def test_in_reply_to_is_a_hint_for_who_takes_part(box: Postbox) -> None:
    (first,) = box.take(letter())
    (row,) = box.take(letter("One more thing.\r\n", In_Reply_To="<1@mail.example>", Message_ID="<2@x>"))
    assert (row.outcome, row.ticket_id) == ("added", first.ticket_id)
    assert "hint" in row.reason
    assert box.desk.rows(TicketMessage)[-1].remarks


def test_a_token_that_was_ended_or_made_up_or_of_another_desk_is_none(box: Postbox, grace: Person) -> None:
    (first,) = box.take(letter())
    ended = letter(From="mallory@else.example", To=to_token(box, first.ticket_id, 3), Message_ID="<2@x>")
    made_up = letter(From="mallory@else.example", To=f"desk+{'a' * 40}@shop.example", Message_ID="<3@x>")
    other = letter(From="mallory@else.example", To=to_token(box, new_id()), Message_ID="<4@x>")
    for row in box.take(ended, made_up, other):
        assert (row.outcome, row.ticket_id != first.ticket_id) == ("opened", True)
    assert box.desk.rows(TicketLink) == []


def test_a_copy_takes_part_and_an_agents_mail_is_a_note_that_says_so(box: Postbox) -> None:
    (first,) = box.take(letter(Cc="zoe@customer.example, DESK@shop.example"))
    assert [copy.email for copy in box.desk.rows(TicketCopy)] == ["zoe@customer.example"]
    with box.runtime.database.write(EVERYONE) as session:
        agent = Account(id=new_id(), email="bob@desk.example", name="Bob", confirmed_at=1)
        session.add(agent)
        session.flush()
        session.add(Membership(workspace_id=box.desk.place, account_id=agent.id, role="agent"))
    reply = to_token(box, first.ticket_id)
    zoe = letter("I saw it, too.\r\n", From="zoe@customer.example", To=reply, Message_ID="<2@x>")
    bob = letter("Use water.\r\n", From="bob@desk.example", To=reply, Message_ID="<3@x>")
    assert [row.outcome for row in box.take(zoe, bob)] == ["added", "added"]
    said = texts(box, first.ticket_id)
    assert said[1] == ("question", "I saw it, too.")
    assert said[2][0] == "note"
    assert "proves nobody" in said[2][1]
    assert box.desk.ticket(first.ticket_id).answered_at is None


@pytest.mark.parametrize(
    ("headers", "outcome"),
    [
        ({"Auto_Submitted": "auto-replied"}, "left out"),
        ({"Subject": "Automatische Antwort: weg"}, "opened"),
        ({"Subject": "Automatische Antwort: weg", "Precedence": "bulk"}, "left out"),
        ({"X_Autoreply": "yes"}, "left out"),
        ({"Return_Path": "<>"}, "left out"),
        ({"Precedence": "bulk"}, "opened"),
        ({"List_Id": "<news.example>"}, "opened"),
        ({"Auto_Submitted": "auto-generated"}, "opened"),
        ({"X_Loop": DESK}, "left out"),
        ({"From": DESK}, "left out"),
        ({"From": "Nightshift <night@shop.example>"}, "left out"),
        ({"From": ""}, "refused"),
        ({"From": "nobody at all"}, "refused"),
    ],
)
def test_what_a_machine_wrote_is_never_answered(box: Postbox, headers: dict[str, str], outcome: str) -> None:
    (row,) = box.take(letter(**headers))
    assert row.outcome == outcome
    assert bool(row.reason)
    assert box.mails() == []


def test_an_out_of_office_in_a_ticket_is_kept_and_opens_nothing_again(box: Postbox) -> None:
    (first,) = box.take(letter())
    box.desk.now = first.at + 1
    box.desk.answers(first.ticket_id, "Use water.", status="solved")
    before = len(box.mails())
    away = letter(
        "I am away.\r\n", To=to_token(box, first.ticket_id), Auto_Submitted="auto-replied", Message_ID="<2@x>"
    )
    (row,) = box.take(away)
    assert (row.outcome, row.ticket_id) == ("added", first.ticket_id)
    assert box.desk.ticket(first.ticket_id).status == "solved"
    assert box.desk.rows(TicketMessage)[-1].automatic
    assert len(box.mails()) == before


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"List_Id": "<all.customer.example>"}, "open"),
        ({"X_Auto_Response_Suppress": "All"}, "open"),
        ({"Subject": "Automatic reply: Re: [#1] The printer burns"}, "waiting"),
    ],
)
def test_an_answer_through_a_group_wakes_whoever_waits_for_it(
    box: Postbox, headers: dict[str, str], status: str
) -> None:
    (first,) = box.take(letter())
    box.desk.now = first.at + 1
    box.desk.answers(first.ticket_id, "Which one?", status="waiting")
    box.take(letter("The red one.\r\n", To=to_token(box, first.ticket_id), Message_ID="<2@x>", **headers))
    assert box.desk.ticket(first.ticket_id).status == status


def test_two_programs_that_answer_each_other_fall_silent(box: Postbox) -> None:
    """One that hides what it is, and begins a new thread with each answer."""
    sent = answered = 0
    for _ in range(30):
        rows = box.mails()
        if answered and len(rows) == sent:
            break
        sent = len(rows)
        answered += 1
        box.take(letter("Thank you for your mail!\r\n", Message_ID=f"<auto{answered}@x>", Subject="Thanks"))
    assert answered < 12
    assert len(box.mails()) <= 6


def test_forty_files_a_program_and_a_picture_of_20_mb_leave_the_mail_and_ten_files(box: Postbox) -> None:
    mail = EmailMessage()
    for name, value in {"From": EVE, "To": DESK, "Subject": "Pictures", "Message-ID": "<p@x>"}.items():
        mail[name] = value
    mail.set_content("Look at these.")
    mail.add_attachment(b"MZ" + bytes(100), maintype="image", subtype="png", filename="holiday.png")
    mail.add_attachment(PNG + bytes(20_000_000), maintype="image", subtype="png", filename="large.png")
    for number in range(38):
        mail.add_attachment(f"{number}".encode(), maintype="text", subtype="plain", filename=f"{number}.txt")
    (row,) = box.take(mail.as_bytes())
    assert row.outcome == "opened"
    assert len(box.desk.rows(TicketFile)) == 10
    (said,) = box.desk.rows(TicketMessage)
    assert said.text == "Look at these."
    assert len(said.remarks) <= 12
    assert any("holiday.png" in each and "program" in each for each in said.remarks)
    assert any("large.png" in each and "10 MB" in each for each in said.remarks)


def test_a_mail_larger_than_is_read_is_heard_by_its_beginning(box: Postbox) -> None:
    box.drop(letter("Hello.\r\n" + ("x" * 70 + "\r\n") * 600_000))
    assert box.look() == "succeeded"
    (said,) = box.desk.rows(TicketMessage)
    assert said.text.startswith("Hello.")
    assert any("43 MB" in each for each in said.remarks)


def test_a_mail_without_a_body_or_a_subject_is_a_ticket_that_says_so(box: Postbox) -> None:
    (row,) = box.take(letter("", Subject=""))
    assert box.desk.ticket(row.ticket_id).subject == "(no subject)"
    (said,) = box.desk.rows(TicketMessage)
    assert (said.text, said.remarks) == ("", ["This mail holds no words."])


def test_a_customers_mail_to_a_merged_ticket_goes_on_in_the_other_one(box: Postbox) -> None:
    from tasks.care import tickets

    one, other = (row.ticket_id or "" for row in box.take(letter(), letter(Message_ID="<2@x>", Subject="Again")))
    with box.desk.writing() as session:
        tickets.merge(session, session.get_one(Ticket, one), session.get_one(Ticket, other), box.desk.by(), 10**13)
    (row,) = box.take(letter(To=to_token(box, one), Message_ID="<3@x>"))
    assert (row.outcome, row.ticket_id) == ("added", other)
