"""What the tests of backups share: a Nightshift with a row in every table, saved and restored by the real commands."""

import io
from datetime import date
from pathlib import Path

from alembic import command
from sqlalchemy import func, select, update

from deploy.backup import rows
from deploy.backup.contents import Manifest, Sum, Total
from deploy.backup.restoring import restore
from deploy.backup.saving import save
from deploy.backup.snapshot import patient, snapshot
from deploy.settings import Settings
from models import migrate
from models.account import Account, SignIn, Throttle
from models.base import Base, new_id
from models.delivery import MailEvent
from models.ledger import Budget
from models.meter import Outlook, Place
from models.run import Dependency, Permit, Pulse, Queue, Rate, Run, Tally
from models.session import EVERYONE
from models.tally import COUNTED
from models.ticket import Ticket
from tests.conftest import Person, new_person
from tests.rights import furnish
from workers.runtime import Runtime

EVERY_LETTER = "Größe, 東京, 🔑, a tab\t, two\nlines, 'quotes' \"and\" \\ backslashes, trailing space "
LONG_AGO = 1_000_000_000_000
PORTABLE = Base.metadata.tables.keys() - {"sign_in", "link", "pulse", "place"}  # ended, and see `furnished`


def place(folder: Path, url: str = "") -> Settings:
    """Settings of a Nightshift of its own."""
    return Settings.model_validate({"var": folder, "database_url": url, "broker_url": "redis://127.0.0.1:1/0"})


def furnished(settings: Settings, fresh: Path) -> Person:
    """A Nightshift on SQLite with a row in every table; whose it is."""
    settings.var.mkdir(parents=True)
    (settings.var / "nightshift.db").write_bytes(fresh.read_bytes())
    command.stamp(migrate.config(settings.database), "head")
    runtime = Runtime.from_settings(settings)
    ada = new_person(runtime, "ada")
    run_ids = furnish(runtime, ada, "ada@example.org")
    with runtime.database.write(EVERYONE) as session:
        session.add_all(_machinery(ada, run_ids))
        first, second = session.scalars(select(Ticket).order_by(Ticket.id)).all()[:2]
        first.merged_into_id = second.id  # a row that points at one that comes after it
        session.get_one(Account, ada.account_id).name = EVERY_LETTER
        home = session.scalars(select(Place)).one()
        home.trouble = "one\0and two\0"  # PostgreSQL cannot hold it
        session.scalars(select(Outlook)).one().week_kwh = 0.1 + 0.2  # all 17 digits count
        session.scalars(select(Budget)).one().since = date(1999, 12, 31)
        session.scalars(select(Run).limit(1)).one().created_at = 2**53 + 1
    with runtime.database.begin() as connection:  # what goes in again waits for no message
        connection.execute(update(Run).values(published_at=None))
    runtime.database.close()
    return ada


def _machinery(ada: Person, run_ids: list[str]) -> list[Base]:
    return [
        Throttle(key="sign-in:someone", since=LONG_AGO, count=3),
        Throttle(key="SIGN-IN:someone", since=LONG_AGO, count=4),  # of another case: another one
        SignIn(secret_hash=new_id(), account_id=ada.account_id, expires_at=2 * LONG_AGO),
        Dependency(run_id=run_ids[0], needs_id=run_ids[1]),
        Queue(name="mail", paused_at=LONG_AGO),
        Rate(scope="queue:mail", next_at=LONG_AGO),
        Permit(scope="queue:mail", number=1, run_id=run_ids[0]),
        Pulse(name=COUNTED, at=LONG_AGO),
        Pulse(name="beat", at=LONG_AGO, detail={"by": EVERY_LETTER}),
        Tally(name="runs_ended", labels="job=ecg", value=0.1 + 0.2),
        MailEvent(id=new_id(), at=LONG_AGO),
    ]


def saved(settings: Settings) -> tuple[bytes, Manifest]:
    sink = io.BytesIO()
    manifest = save(settings, sink)
    return sink.getvalue(), manifest


def restored(settings: Settings, archive: bytes) -> list[str]:
    """Restore, and what was said."""
    said: list[str] = []
    settings.var.mkdir(parents=True, exist_ok=True)
    restore(settings, io.BytesIO(archive), said.append)
    return said


def sums(settings: Settings) -> dict[str, Total]:
    """Of every table as it stands now."""
    database, found = patient(settings.database), {}
    with snapshot(database) as connection:
        for head in rows.heads():
            summed = Sum()
            for line in rows.lines(connection, head):
                summed.add(line)
            found[head.name] = summed.total()
    database.close()
    return found


def count(settings: Settings, table: type[Base]) -> int:
    database = patient(settings.database)
    with database.look() as connection:
        number = connection.scalar(select(func.count()).select_from(table)) or 0
    database.close()
    return number


def contents(settings: Settings) -> dict[str, bytes]:
    """Every file of the storage."""
    return {path.name: path.read_bytes() for path in (settings.var / "files").glob("??/*")}


class Source:
    """A Nightshift that is saved once for all tests of this file."""

    def __init__(self, settings: Settings, ada: Person) -> None:
        self.settings, self.ada = settings, ada
        self.archive, self.manifest = saved(settings)


def the_same(one: Manifest, other: Manifest) -> None:
    different = [name for name in PORTABLE if one.tables[name] != other.tables[name]]
    assert not different
    assert (one.files, one.bytes) == (other.files, other.bytes)
