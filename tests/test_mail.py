"""Deliveries: written down before they are sent, sent once, told truly."""

import hashlib
import io
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from sqlalchemy import select, update

from deploy.settings import Settings
from models.account import Account, Link
from models.base import db_now, new_id
from models.delivery import Delivery, Picture
from models.run import Run
from models.session import EVERYONE
from models.workspace import Invitation
from tests.buckets import nowhere
from tests.conftest import Person, at_once, free_port
from tests.jobs import Count, Counted, install, submitted
from workers.execute import execute
from workers.runtime import Runtime

ME = "test@here:1/2"


class Inbox:
    """What a real SMTP server on loopback was given; `answer` is what it says to DATA."""

    def __init__(self) -> None:
        self.mails: list[str] = []
        self.answer = "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.answer.startswith("250"):
            self.mails.append(envelope.content.decode())
        return self.answer


@pytest.fixture
def inbox(settings: Settings, runtime: Runtime) -> Iterator[Inbox]:
    box, port = Inbox(), free_port()
    server = Controller(box, hostname="127.0.0.1", port=port)
    server.start()
    smtp = {"mail": "smtp", "smtp_host": "127.0.0.1", "smtp_port": port, "smtp_security": "none"}
    object.__setattr__(runtime, "settings", settings.model_copy(update=smtp))
    yield box
    server.stop()


def mail_run(runtime: Runtime, workspace: str) -> str:
    with runtime.database.read(EVERYONE) as session:
        found = select(Run.id).where(Run.kind == "mail", Run.workspace_id == workspace, Run.state == "queued")
        return session.scalars(found).one()


def deliveries(runtime: Runtime) -> list[Delivery]:
    with runtime.database.read(EVERYONE) as session:
        return list(session.scalars(select(Delivery).order_by(Delivery.id)))


def write(runtime: Runtime, person: Person, **more: Any) -> None:
    with runtime.database.write(person.workspace_id) as session:
        session.add(Delivery(**{"to": "a@example.org", "subject": "News", "text": "Hello", **more}))


def test_a_run_s_end_is_mailed_to_whoever_asked_for_it(
    runtime: Runtime, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = install(monkeypatch, headline=lambda result: "all counted")
    execute(runtime, submitted(runtime, job, ada), ME)
    (row,) = deliveries(runtime)
    assert (row.subject, row.account_id, row.state) == ("Count: all counted", ada.account_id, "queued")
    assert f"{runtime.origin}/runs/{row.run_id}" in row.text
    assert execute(runtime, mail_run(runtime, ada.workspace_id), ME) == "succeeded"
    assert deliveries(runtime)[0].state == "sent"


def test_nobody_is_mailed_who_does_not_want_it(runtime: Runtime, ada: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    with runtime.database.write(EVERYONE) as session:
        session.execute(update(Account).values(mail_results=False))
    execute(runtime, submitted(runtime, install(monkeypatch), ada), ME)
    assert deliveries(runtime) == []


def test_a_cancelled_attempt_leaves_no_mail(runtime: Runtime, ada: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(params: Count, ctx: Any) -> Counted:
        with runtime.database.write(EVERYONE) as session:
            from models import lifecycle

            lifecycle.cancel(session, run_id)
        return Counted(total=1)

    run_id = submitted(runtime, install(monkeypatch, run), ada)
    assert execute(runtime, run_id, ME) == "cancelled"
    assert deliveries(runtime) == []


def test_a_server_gets_each_mail_once(runtime: Runtime, ada: Person, inbox: Inbox) -> None:
    write(runtime, ada)
    run_id = mail_run(runtime, ada.workspace_id)
    at_once(*[partial(execute, runtime, run_id, ME)] * 3)
    assert len(inbox.mails) == 1
    assert "Subject: News" in inbox.mails[0]
    assert f"Message-ID: <{deliveries(runtime)[0].id}@" in inbox.mails[0]


def test_later_is_tried_again_and_never_is_shown(runtime: Runtime, ada: Person, inbox: Inbox) -> None:
    write(runtime, ada)
    inbox.answer = "451 Busy"
    assert execute(runtime, mail_run(runtime, ada.workspace_id), ME) == "queued"
    assert (deliveries(runtime)[0].state, deliveries(runtime)[0].tries) == ("queued", 1)
    with runtime.database.write(EVERYONE) as session:
        session.execute(update(Run).values(due_at=0))
    inbox.answer = "554 No such person"
    assert execute(runtime, mail_run(runtime, ada.workspace_id), ME) == "succeeded"
    assert deliveries(runtime)[0].state == "failed"
    assert "554" in deliveries(runtime)[0].reason
    assert inbox.mails == []


def test_while_the_server_is_away_no_mail_loses_a_try_and_the_rest_is_not_tried(
    runtime: Runtime, ada: Person, inbox: Inbox
) -> None:
    nobody_there = runtime.settings.model_copy(update={"smtp_port": free_port()})
    object.__setattr__(runtime, "settings", nobody_there)
    for _ in range(2):
        write(runtime, ada)
    assert execute(runtime, mail_run(runtime, ada.workspace_id), ME) == "queued"
    first, second = deliveries(runtime)
    assert (first.state, first.tries, second.state, second.tries) == ("queued", 0, "queued", 0)
    assert "away" in first.reason
    assert second.attempted_at is None


def test_a_mail_whose_sender_died_is_unsure_and_not_sent_again(runtime: Runtime, ada: Person, inbox: Inbox) -> None:
    write(runtime, ada, state="sending", attempted_at=1)
    execute(runtime, mail_run(runtime, ada.workspace_id), ME)
    assert deliveries(runtime)[0].state == "unsure"
    assert inbox.mails == []


def test_a_single_use_link_is_made_when_the_mail_leaves_and_stands_in_no_row(
    runtime: Runtime, ada: Person, inbox: Inbox
) -> None:
    write(runtime, ada, account_id=ada.account_id, link="reset", text="Open {link} now")
    execute(runtime, mail_run(runtime, ada.workspace_id), ME)
    secret = inbox.mails[0].replace("=\r\n", "").split("/reset/")[1].split()[0]
    with runtime.database.read(EVERYONE) as session:
        link = session.scalars(select(Link)).one()
        soon = session.scalar(select(db_now())) or 0
    assert secret not in (link.secret_hash, deliveries(runtime)[0].text)
    assert 0 < link.expires_at - soon <= 30 * 60_000


def test_an_invitation_s_link_is_made_when_its_mail_leaves(runtime: Runtime, ada: Person, inbox: Inbox) -> None:
    with runtime.database.write(ada.workspace_id) as session:
        session.add(Invitation(email="a@example.org", role="member", secret_hash="nobody saw it", expires_at=2**60))
    write(runtime, ada, link="invitation", text="Open {link} now")
    execute(runtime, mail_run(runtime, ada.workspace_id), ME)
    secret = inbox.mails[0].replace("=\r\n", "").split("/invitation/")[1].split()[0]
    with runtime.database.read(EVERYONE) as session:
        assert session.scalars(select(Invitation.secret_hash)).one() == hashlib.sha256(secret.encode()).hexdigest()


def test_a_mail_whose_pictures_are_away_waits_without_a_try_and_the_others_go(runtime: Runtime, ada: Person) -> None:
    here, drawn = runtime.storage, new_id()
    key, size = here.put(io.BytesIO(b"PNG"))
    write(runtime, ada, id=drawn, html="<p>Look: <img src='cid:one'></p>")
    with runtime.database.write(ada.workspace_id) as session:
        session.add(Picture(delivery_id=drawn, name="one", alt="What went", size=size, key=key))
    write(runtime, ada, subject="Words alone")
    object.__setattr__(runtime, "storage", nowhere())
    assert execute(runtime, mail_run(runtime, ada.workspace_id), ME) == "queued"
    assert {row.subject: (row.state, row.tries) for row in deliveries(runtime)} == {
        "News": ("queued", 0),
        "Words alone": ("sent", 1),
    }
    object.__setattr__(runtime, "storage", here)
    with runtime.database.write(EVERYONE) as session:
        session.execute(update(Run).where(Run.kind == "mail").values(due_at=db_now()))
    assert execute(runtime, mail_run(runtime, ada.workspace_id), ME) == "succeeded"
    assert {row.state for row in deliveries(runtime)} == {"sent"}
