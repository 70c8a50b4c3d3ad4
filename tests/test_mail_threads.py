"""Mails about tickets as they leave: whose name, where answers go, links made at the last moment, files, silence."""

import email
import email.policy
import io
import re
from email.message import EmailMessage
from email.utils import parseaddr
from pathlib import Path
from typing import Any

import pytest

from models.delivery import Delivery
from models.desk import Desk
from models.ticket import Ticket
from tasks.care.attachments import Stored
from tasks.care.threads import About, File
from tasks.care.tokens import FOLLOW, RATE, Tokens
from tasks.mailing import ticket_mail
from tasks.mailing.outgoing import Enclosed, Outgoing, Thread
from tests.conftest import Person
from tests.postboxes import DESK, EVE, Postbox, letter, postbox
from tests.test_mail import Inbox, inbox, mail_run  # noqa: F401  # inbox is a fixture
from workers.compose import Sender, compose
from workers.execute import execute
from workers.runtime import Runtime
from workers.sendgrid_mail import request

US = Sender.parsed("Nightshift <night@shop.example>", "https://night.example.org")
THREAD = Thread(
    "Die Bäckerei", "a" * 40, f"desk+{'a' * 40}@shop.example", DESK, root="r", earlier=("1" * 28,), asked="q@x"
)
WORKER = "test:0/0"


def made(thread: Thread, **more: Any) -> EmailMessage:
    mail = Outgoing("0" * 28, EVE, "[#1] Help", "Hello", **{"html": "<p>Hello</p>", **more}, thread=thread)
    return email.message_from_bytes(compose(mail, EVE, US), policy=email.policy.default)


def with_(thread: Thread, **more: Any) -> Thread:
    names = ("brand", "token", "reply_to", "inlet", "automatic", "root", "earlier", "asked", "files")
    return Thread(**{**{name: getattr(thread, name) for name in names}, **more})


@pytest.fixture
def box(runtime: Runtime, ada: Person, tmp_path: Path, inbox: Inbox) -> Postbox:  # noqa: F811
    return postbox(runtime, ada, tmp_path)


def sent(box: Postbox, inbox: Inbox) -> list[EmailMessage]:  # noqa: F811
    """What leaves now."""
    inbox.mails.clear()
    assert execute(box.runtime, mail_run(box.runtime, box.desk.place), WORKER) == "succeeded"
    return [email.message_from_string(each, policy=email.policy.default) for each in inbox.mails]


def body(mail: EmailMessage, kind: str = "plain") -> str:
    part = mail.get_body((kind,))
    assert part is not None
    return str(part.get_content())


def test_a_mail_about_a_ticket_names_the_desk_and_says_where_it_belongs() -> None:
    found = made(THREAD)
    assert parseaddr(str(found["From"])) == ("Die Bäckerei", "night@shop.example")
    assert found["Reply-To"] == THREAD.reply_to
    assert found["Message-ID"] == f"<{'a' * 40}.{'0' * 28}@shop.example>"
    assert found["References"].split() == ["<ticket.r@shop.example>", f"<{'a' * 40}.{'1' * 28}@shop.example>", "<q@x>"]
    assert found["In-Reply-To"] == "<q@x>"
    assert "Auto-Submitted" not in found


def test_an_automatic_one_tells_other_machines_to_keep_silent() -> None:
    found = made(with_(THREAD, automatic=True))
    told = {name: found[name] for name in ("Auto-Submitted", "X-Auto-Response-Suppress", "Precedence", "X-Loop")}
    assert told == {
        "Auto-Submitted": "auto-replied", "X-Auto-Response-Suppress": "All", "Precedence": "bulk", "X-Loop": DESK,
    }  # fmt: skip


@pytest.mark.parametrize("asked", ["x>\r\nBcc: all@example.org", "a b", "", "ü@x", "x" * 300])
def test_a_strange_id_of_theirs_never_becomes_a_header(asked: str) -> None:
    found = made(with_(THREAD, asked=asked, brand='A\r\nBcc: all@example.org "quoted", <x@y>'))
    assert "Bcc" not in found
    assert found["In-Reply-To"] == f"<{'a' * 40}.{'1' * 28}@shop.example>"
    assert parseaddr(str(found["From"]))[1] == "night@shop.example"


def test_files_go_along_under_their_names() -> None:
    files = (Enclosed('Plä"n\r\n.txt', "text/plain", b"the plan"), Enclosed("日本.png", "image/png", bytes(200)))
    found = made(with_(THREAD, files=files))
    names = [(part.get_filename(), part.get_payload(decode=True)) for part in found.iter_attachments()]
    assert [name for name, _ in names] == ['Plä"n .txt', "日本.png"]
    assert names[0][1] == b"the plan"
    assert "Hello" in body(found, "html")


def test_sendgrid_is_told_the_same() -> None:
    thread = with_(THREAD, automatic=True, files=(Enclosed("a.txt", "text/plain", b"x"),))
    told = request(Outgoing("0" * 28, EVE, "S", "T", thread=thread), US)
    assert told["from"] == {"email": "night@shop.example", "name": "Die Bäckerei"}
    assert told["reply_to"] == {"email": THREAD.reply_to}
    assert told["headers"]["Auto-Submitted"] == "auto-replied"
    assert told["headers"]["References"].startswith("<ticket.r@")
    assert [(file["filename"], file["disposition"]) for file in told["attachments"]] == [("a.txt", "attachment")]


def test_answers_go_to_a_plus_address_or_by_a_line_where_there_is_none() -> None:
    about = About("0" * 28, "c", 2, "Shop", DESK, True, "r", (), "", ())
    token = Tokens("secret").reply(about.ticket_id, 2)
    assert ticket_mail.reply_to(about, token) == f"desk+{token}@shop.example"
    assert ticket_mail.feet(about, token) == []
    for inlet, plus in ((DESK, False), (f"{'a' * 30}@shop.example", True)):
        other = About("0" * 28, "c", 2, "Shop", inlet, plus, "r", (), "", ())
        assert ticket_mail.reply_to(other, token) == inlet
        assert f"[{token}]" in ticket_mail.feet(other, token)[0]
    nowhere = About("0" * 28, "c", 2, "Shop", "", True, "r", (), "", ())
    assert (ticket_mail.reply_to(nowhere, token), ticket_mail.feet(nowhere, token)) == ("", [ticket_mail.NOT_READ])


def test_files_too_large_for_a_mail_are_named_with_the_page() -> None:
    files = tuple(File(name, "text/plain", size, "k") for name, size in (("a", 4_000_000), ("b", 5_000_000), ("c", 9)))
    about = About("0" * 28, "c", 2, "Shop", DESK, True, "r", (), "", files)
    assert ticket_mail.feet(about, "t") == ["Too large for a mail, so on the page of the ticket: b (5.0 MB)."]
    text, html = ticket_mail.below("T", "<body>H</body>", ["<&>"])
    assert text == "T\n\n<&>\n"
    assert html.endswith("&lt;&amp;&gt;</p></body>")


def test_links_are_made_when_the_mail_leaves_and_stand_in_no_row(box: Postbox, inbox: Inbox) -> None:  # noqa: F811
    box.inlet()
    (row,) = box.take(letter())
    (mail,) = sent(box, inbox)
    (delivery,) = box.mails()
    assert "{ticket}" in delivery.text
    tokens = Tokens(box.runtime.settings.secret("secret_key"))
    link = re.search(rf"{box.runtime.origin}/ticket/([^\s/]+)", body(mail))
    assert link
    read = tokens.read_link(link[1], FOLLOW)
    assert read
    assert (read.ticket_id, read.customer_id) == (row.ticket_id, box.desk.ticket(row.ticket_id).customer_id)
    assert tokens.read_reply(str(mail["Reply-To"])) == (row.ticket_id, 2)
    assert mail["In-Reply-To"] == "<1@mail.example>"
    assert link[1] not in delivery.text + delivery.html


def test_the_whole_way_out_and_back_in_by_every_one_of_its_marks(box: Postbox, inbox: Inbox) -> None:  # noqa: F811
    """What leaves is answered as a mail program does, with one mark left at a time; each answer finds its ticket."""
    inlet = box.inlet()
    (row,) = box.take(letter())
    (mail,) = sent(box, inbox)
    with box.desk.writing() as session:
        from models.desk import Inlet

        session.get_one(Inlet, inlet).plus = False
    box.desk.now = row.at + 1
    box.desk.answers(row.ticket_id, "Use water.")
    (plain,) = sent(box, inbox)
    assert plain["Reply-To"] == DESK
    line = next(each for each in body(plain).splitlines() if "keep this line" in each)
    answers = [
        letter("One.\r\n", To=str(mail["Reply-To"]), Message_ID="<a@x>"),
        letter("Two.\r\n", In_Reply_To=str(mail["Message-ID"]), Message_ID="<b@x>"),
        letter("Three.\r\n", References=str(plain["Message-ID"]), Message_ID="<c@x>"),
        letter(f"Four.\r\n\r\n> {line}\r\n", Message_ID="<d@x>"),
    ]
    found = box.take(*answers)
    assert [(each.outcome, each.ticket_id) for each in found] == [("added", row.ticket_id)] * 4


def test_an_answer_takes_its_files_along_and_threads_with_what_was_sent(box: Postbox, inbox: Inbox) -> None:  # noqa: F811
    box.inlet()
    (row,) = box.take(letter())
    (first,) = sent(box, inbox)
    key, size = box.runtime.storage.put(io.BytesIO(b"the plan"))
    box.desk.now = row.at + 1
    box.desk.answers(row.ticket_id, "See this.", files=[Stored("plan.txt", "text/plain", size, "0" * 64, key)])
    (answer,) = sent(box, inbox)
    assert [part.get_filename() for part in answer.iter_attachments()] == ["plan.txt"]
    assert str(first["Message-ID"]) in str(answer["References"])
    assert "Auto-Submitted" not in answer
    assert str(first["Auto-Submitted"]) == "auto-replied"


def test_links_that_were_ended_are_not_mailed_and_a_ticket_that_is_gone_sends_no_link(
    box: Postbox,
    inbox: Inbox,  # noqa: F811
) -> None:
    ticket = box.desk.opened(email=EVE)
    with box.desk.writing() as session:
        session.get_one(Desk, box.desk.place).links_version = 5
    (mail,) = sent(box, inbox)
    link = re.search(r"/ticket/([^\s/]+)", body(mail))
    assert link
    read = Tokens(box.runtime.settings.secret("secret_key")).read_link(link[1], FOLLOW)
    assert read
    assert read.version == 6
    assert ticket_mail.NOT_READ in body(mail)
    with box.desk.writing() as session:
        session.add(Delivery(to=EVE, subject="S", text="Look: {ticket} {rate}", ticket_id="0" * 28))
    (other,) = sent(box, inbox)
    assert f"Look: {box.runtime.origin} {box.runtime.origin}" in body(other)
    assert box.desk.rows(Ticket)[0].id == ticket


def test_whoever_only_takes_part_is_not_asked_how_it_was() -> None:
    tokens = Tokens("secret")
    about = About("0" * 28, "", 2, "Shop", DESK, True, "r", (), "", ())
    found = ticket_mail.links(about, tokens, "https://night.example.org")
    assert found.rate == found.ticket
    mine = ticket_mail.links(
        About("0" * 28, "c", 2, "", "", True, "r", (), "", ()), tokens, "https://night.example.org"
    )
    assert tokens.read_link(mine.rate.split("/")[4], RATE)
    assert mine.into("{rate}?score=3").endswith("/rating?score=3")
