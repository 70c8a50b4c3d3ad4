"""What tests of mailboxes share: a desk with one, mails as people write them, and the job's runs."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import select, update

from models.delivery import Delivery
from models.desk import Inlet
from models.run import Run
from models.session import EVERYONE
from models.ticket import Received
from models.workspace import SYSTEM
from tasks import discover
from tasks.handover import HandedOver
from tests.care_desk import HelpDesk, desk
from tests.conftest import Person
from tests.imap_server import PASSWORD, Dovecot
from workers.boxes import Doors
from workers.enqueue import submit
from workers.execute import execute
from workers.mail import Post
from workers.runtime import Runtime

WORKER = "test:0/0"
DESK, EVE = "desk@shop.example", "eve@customer.example"


def letter(text: str = "It smokes.\r\n", **headers: str) -> bytes:
    """A mail as people's programs write it; headers' names with _ for -."""
    given = {
        "From": f"Eve <{EVE}>", "To": DESK, "Subject": "The printer burns", "Message-ID": "<1@mail.example>",
        "Date": "Mon, 1 Jun 2026 09:00:00 +0200", **{name.replace("_", "-"): value for name, value in headers.items()},
    }  # fmt: skip
    lines = "".join(f"{name}: {value}\r\n" for name, value in given.items() if value)
    return f"{lines}\r\n{text}".encode()


@dataclass
class Postbox:
    """A desk with a mailbox, and the clock's minute that a test lets pass."""

    runtime: Runtime
    desk: HelpDesk
    folder: Path
    count: int = field(default=0)

    def inlet(self, **more: Any) -> str:
        given = {"kind": "maildir", "address": DESK, **more}
        made = Inlet(**given)
        self.desk.add(made)
        return made.id

    def imap(self, server: Dovecot, user: str, **more: Any) -> str:
        """One on a server; read from its start."""
        sealed = Doors(self.runtime.settings).seal(more.pop("password", PASSWORD))
        where = {"host": "127.0.0.1", "port": server.port, "user": user, "sealed_password": sealed, "uid_validity": -1}
        return self.inlet(kind="imap", **{**where, **more})

    def drop(self, *mails: bytes) -> None:
        """Into the maildir."""
        new = self.folder / self.desk.place / "new"
        new.mkdir(parents=True, exist_ok=True)
        for mail in mails:
            self.count += 1
            (new / f"{self.count:06}.test").write_bytes(mail)

    def lying(self) -> list[str]:
        return sorted(each.name for each in (self.folder / self.desk.place / "new").iterdir())

    def look(self) -> str | None:
        """A minute later the job looks; the state of its run."""
        with self.runtime.database.write(EVERYONE) as session:
            session.execute(update(Inlet).values(checked_at=None))
            handed = HandedOver(discover()["postbox"].params())
            run_id = submit(self.runtime, session, discover()["postbox"], handed, SYSTEM).id
        state = execute(self.runtime, run_id, WORKER)
        while state == "blocked":
            with self.runtime.database.read(EVERYONE) as session:
                children = session.scalars(select(Run.id).where(Run.parent_id == run_id, Run.state == "queued")).all()
            for each in children:
                execute(self.runtime, each, WORKER)
            state = execute(self.runtime, run_id, WORKER)
        return state

    def take(self, *mails: bytes) -> list[Any]:
        """Drop them and look; what became of the last ones."""
        before = {row.id for row in self.received()}
        self.drop(*mails)
        assert self.look() == "succeeded"
        assert self.lying() == []
        return [row for row in self.received() if row.id not in before]

    def received(self) -> list[Received]:
        return self.desk.rows(Received)

    def mails(self, to: str = EVE) -> list[Delivery]:
        return self.desk.rows(Delivery, to=to)

    def token(self, ticket: str, version: int = 2) -> str:
        return Post(self.runtime.settings).tokens.reply(ticket, version)


def postbox(runtime: Runtime, person: Person, tmp_path: Path) -> Postbox:
    settings = {"maildirs": str(tmp_path / "mail"), "outgoing_networks": "127.0.0.0/8"}
    settings["mail_from"] = "Nightshift <night@shop.example>"
    object.__setattr__(runtime, "settings", runtime.settings.model_copy(update=settings))
    made = Postbox(runtime, desk(runtime, person), tmp_path / "mail")
    (made.folder / made.desk.place / "new").mkdir(parents=True)
    return made
