"""Mail servers: TLS that is checked, one connection for many mails, large queues split and sent once."""

import email
import email.policy
import io
import ssl
import tracemalloc
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP
from sqlalchemy import insert, select, update

from models.base import new_id
from models.delivery import Bounced, Delivery, Picture
from models.run import Run
from models.session import EVERYONE, touch
from tasks.mail import job as mail_job
from tests import certificates
from tests.conftest import Person, free_port
from tests.test_mail import ME, deliveries, mail_run, write
from workers import smtp
from workers.execute import execute
from workers.runtime import Runtime

PNG = b"\x89PNG\r\n\x1a\n" + bytes(300)


class Box:
    """What a server took, and on how many connections; `refuse` answers a recipient or not."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.raw: list[bytes] = []
        self.to: list[str] = []
        self.connections = 0
        self.most = 10**9
        self.refuse: Callable[[str], str | None] = lambda address: None

    async def handle_EHLO(self, server: SMTP, session: Any, envelope: Any, name: str, answers: list[str]) -> list[str]:
        session.host_name, session.count = name, 0
        self.connections += 1
        return answers

    async def handle_RCPT(self, server: SMTP, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        if answer := self.refuse(address):
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_MAIL(self, server: SMTP, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        session.count += 1
        if session.count > self.most:
            return "421 4.7.0 Too many mails on this connection"
        envelope.mail_from, envelope.mail_options = address, options
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:
        self.raw.append(envelope.original_content)
        self.mails.append(email.message_from_bytes(envelope.original_content, policy=email.policy.default))
        self.to += envelope.rcpt_tos
        return "250 OK"


@pytest.fixture
def box() -> Box:
    return Box()


@pytest.fixture
def serve(runtime: Runtime, box: Box) -> Iterator[Callable[..., None]]:
    """`serve(starttls=…)`: a server on loopback, and settings that lead to it."""
    running: list[Controller] = []

    def begin(controller: type[Controller] = Controller, security: str = "none", **more: Any) -> None:
        chosen = {"mail": "smtp", "smtp_host": "127.0.0.1", "smtp_security": security, "smtp_ca": more.pop("ca", "")}
        running.append(controller(box, hostname="127.0.0.1", port=free_port(), **more))
        running[-1].start()
        changes = chosen | {"smtp_port": running[-1].port}
        object.__setattr__(runtime, "settings", runtime.settings.model_copy(update=changes))

    yield begin
    for each in running:
        each.stop()


def go(runtime: Runtime, person: Person) -> str | None:
    return execute(runtime, mail_run(runtime, person.workspace_id), ME)


def context(files: tuple[Path, Path]) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(*files)
    return made


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_the_server_s_certificate_is_checked_and_a_private_authority_can_be_trusted(
    runtime: Runtime, ada: Person, box: Box, serve: Callable[..., None], tmp_path: Path, security: str
) -> None:
    files = certificates.made(tmp_path)
    how = (
        {"ssl_context": context(files)}
        if security == "tls"
        else {"tls_context": context(files), "require_starttls": True}
    )
    write(runtime, ada)
    serve(security=security, **how)
    assert go(runtime, ada) == "queued"
    (row,) = deliveries(runtime)
    assert (row.state, row.tries) == ("queued", 0)
    if security == "tls":  # aiosmtpd's controller speaks TLS from the first byte only where asked
        assert "NIGHTSHIFT_SMTP_CA" in row.reason or "SSL" in row.reason
    with runtime.database.write(EVERYONE) as session:
        session.execute(update(Run).values(due_at=0))
    object.__setattr__(runtime, "settings", runtime.settings.model_copy(update={"smtp_ca": str(files[0])}))
    assert go(runtime, ada) == "succeeded"
    assert (deliveries(runtime)[0].state, len(box.mails)) == ("sent", 1)


def test_many_mails_go_through_one_connection_and_a_new_one_when_the_server_wants_that(
    runtime: Runtime, ada: Person, box: Box, serve: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    serve()
    box.refuse = lambda address: "550 5.7.1 Not from you" if address.startswith("n3@") else None
    for number in range(12):
        write(runtime, ada, to=f"n{number}@example.org")
    assert go(runtime, ada) == "succeeded"
    assert (len(box.mails), box.connections) == (11, 1), "one that is refused costs the others nothing"
    box.most = 5
    for number in range(12):
        write(runtime, ada, to=f"m{number}@example.org")
    assert go(runtime, ada) == "succeeded"
    assert [row.state for row in deliveries(runtime)].count("sent") == 23
    assert sorted(box.to) == sorted(set(box.to)), "nobody twice"
    assert box.connections == 1 + 3
    monkeypatch.setattr(smtp, "MAILS_A_CONNECTION", 2)
    for number in range(4):
        write(runtime, ada, to=f"k{number}@example.org")
    go(runtime, ada)
    assert box.connections == 1 + 3 + 2


def test_a_server_that_hangs_up_after_the_mail_is_asked_again_later(
    runtime: Runtime, ada: Person, box: Box, serve: Callable[..., None]
) -> None:
    async def hang_up(server: SMTP, session: Any, envelope: Any) -> str:
        assert server.transport
        server.transport.close()
        return "250 OK"

    box.handle_DATA = hang_up  # type: ignore[method-assign]
    serve()
    for _ in range(2):
        write(runtime, ada)
    assert go(runtime, ada) == "queued"
    assert [(row.state, row.tries) for row in deliveries(runtime)] == [("queued", 1)] * 2
    assert "did not answer" in deliveries(runtime)[0].reason


def test_an_address_that_is_not_there_gets_no_more_mail(
    runtime: Runtime, ada: Person, box: Box, serve: Callable[..., None]
) -> None:
    serve()
    box.refuse = lambda address: (
        "550 5.1.1 No such mailbox" if address.lower().startswith("gone") else "554 5.7.1 Not you"
    )
    for to in ("Gone@example.org", "other@example.org"):
        write(runtime, ada, to=to)
    go(runtime, ada)
    with runtime.database.read(EVERYONE) as session:
        (bounced,) = session.scalars(select(Bounced)).all()
    assert (bounced.address, "5.1.1" in bounced.reason) == ("gone@example.org", True)
    box.refuse = lambda address: None
    write(runtime, ada, to="gone@example.org")
    write(runtime, ada, to="fine@example.org")
    go(runtime, ada)
    assert box.to == ["fine@example.org"]
    last = deliveries(runtime)[-2]
    assert (last.state, "came back before" in last.reason) == ("failed", True)


def test_a_mail_has_text_and_html_its_pictures_and_the_one_click_link(
    runtime: Runtime, ada: Person, box: Box, serve: Callable[..., None]
) -> None:
    serve()
    key, size = runtime.storage.put(io.BytesIO(PNG))
    mail = new_id()
    html = '<p>Here: <img src="cid:spending" alt="What went"> <a href="{unsubscribe}">stop</a></p>'
    write(
        runtime, ada, id=mail, account_id=ada.account_id, html=html, stop="at once:stock", subject="Täglich: 3 € übrig"
    )
    with runtime.database.write(ada.workspace_id) as session:
        for name in ("spending", "unused"):
            session.add(Picture(delivery_id=mail, name=name, alt="What went", size=size, key=key))
    assert go(runtime, ada) == "succeeded"
    (found,), (raw,) = box.mails, box.raw
    assert found.defects == []
    assert found["Subject"] == "Täglich: 3 € übrig"
    assert found["Message-ID"] == f"<{mail}@localhost>"
    assert [part.get_content_type() for part in found.walk()] == [
        "multipart/alternative", "text/plain", "multipart/related", "text/html", "image/png",
    ]  # fmt: skip
    picture = list(found.walk())[-1]
    page = found.get_body(("html",))
    assert page
    shown = page.get_content()
    assert f"cid:{picture['Content-ID'].strip('<>')}" in shown
    assert (picture.get_content(), picture.get_content_disposition()) == (PNG, "inline")
    link = found["List-Unsubscribe"].strip("<>")
    assert link.startswith(f"{runtime.origin}/unsubscribe/")
    assert f"List-Unsubscribe: <{link}>\r\n".encode() in raw, "in one line"
    assert found["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert found["List-Id"] == "<at-once-stock.127.0.0.1>"
    text = found.get_body(("plain",))
    assert text
    assert link in text.get_content()
    assert f'href="{link}"' in shown


def test_a_mail_that_cannot_be_ended_has_no_such_link(
    runtime: Runtime, ada: Person, box: Box, serve: Callable[..., None]
) -> None:
    serve()
    write(runtime, ada, account_id=ada.account_id)
    go(runtime, ada)
    assert not {"List-Unsubscribe", "List-Id"} & set(box.mails[0].keys())


def test_lines_are_short_and_dots_and_bytes_arrive_as_they_were(
    runtime: Runtime, ada: Person, box: Box, serve: Callable[..., None]
) -> None:
    serve()
    text = ".\r\n..two\n.leading\r" + "x" * 5000 + "\nüml\0aut \ttab \n trailing \n\n.\n"
    write(runtime, ada, text=text, html=f"<pre>{text}</pre>" + "y" * 5000)
    go(runtime, ada)
    assert max(len(line) for line in box.raw[0].split(b"\r\n")) <= 76
    body = box.mails[0].get_body(("plain",))
    assert body
    said = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    assert body.get_content().replace("\r\n", "\n").rstrip("\n") == said.rstrip("\n")


def test_a_name_and_letters_of_an_address_stay_what_they_are(
    runtime: Runtime, ada: Person, box: Box, serve: Callable[..., None]
) -> None:
    serve(enable_SMTPUTF8=True)
    write(runtime, ada, to="jürgen@bücher.example")
    go(runtime, ada)
    assert box.to == ["jürgen@xn--bcher-kva.example"]
    serve(enable_SMTPUTF8=False)
    write(runtime, ada, to="jürgen@bücher.example")
    go(runtime, ada)
    assert "beyond ASCII" in deliveries(runtime)[-1].reason


def test_a_large_queue_is_split_sent_once_and_needs_no_more_memory(
    runtime: Runtime, ada: Person, box: Box, serve: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    serve()
    monkeypatch.setattr(mail_job, "PORTION", 40)
    box.handle_DATA = _forgetful(box)  # type: ignore[method-assign]
    words = {"text": "x" * 20_000, "html": "", "stop": "", "state": "queued", "tries": 0, "reason": "", "fate": ""}
    with runtime.database.write(ada.workspace_id) as session:
        rows = [
            {"id": new_id(), "workspace_id": ada.workspace_id, "to": f"n{n}@example.org", "subject": "N", **words}
            for n in range(500)
        ]
        session.execute(insert(Delivery), rows)
        touch(session, Delivery, ada.workspace_id)
    parent = mail_run(runtime, ada.workspace_id)
    assert execute(runtime, parent, ME) == "blocked"
    with runtime.database.read(EVERYONE) as session:
        children = session.scalars(select(Run.id).where(Run.parent_id == parent).order_by(Run.id)).all()
    assert len(children) == 12
    tracemalloc.start()
    for child in children:
        assert execute(runtime, child, ME) == "succeeded"
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8_000_000, "10 MB of mails"
    assert execute(runtime, parent, ME) == "succeeded"
    assert sorted(box.to) == sorted(str(row["to"]) for row in rows)
    assert {row.state for row in deliveries(runtime)} == {"sent"}


def _forgetful(box: Box) -> Any:
    async def take(server: SMTP, session: Any, envelope: Any) -> str:
        box.to += envelope.rcpt_tos
        return "250 OK"

    return take
