"""Where a restore goes: nothing may be there, nobody may be at work there, and its key must become the archive's."""

import os
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, column, func, inspect, select, table

from deploy.backup.errors import BackupError
from deploy.backup.files import Files
from deploy.backup.snapshot import revision
from deploy.settings import Settings
from models import migrate
from models.session import Database

OURS = "alembic_version"
SIGN_EVERY = 11.0  # seconds within which beat gives a sign of life for certain
SIGNS_MS = 40_000
OTHERS = (
    "The database holds tables that no Nightshift finished ({name}): another program's, or half made. "
    "Give Nightshift an empty database of its own."
)
NEWER = "A newer Nightshift wrote this {what} (revision {revision}). Use that release for it."
ALIVE = "Nightshift still runs on this database: its beat gives signs of life. Stop it everywhere, and try again."
FULL = (
    "There is something already: {what}. A backup is restored where nothing is: name an empty database by "
    "NIGHTSHIFT_DATABASE_URL, and an empty folder by NIGHTSHIFT_VAR or bucket by NIGHTSHIFT_FILES_URL; or say "
    "--replace (to make: REPLACE=yes), which saves what is there first, and then puts the backup in its place."
)
ANOTHER_KEY = (
    "NIGHTSHIFT_SECRET_KEY is set to another key than the one that the backup's rows are sealed with. Set it to what "
    "`python -m deploy.backup key FILE` prints, or unset it, and try again."
)


@dataclass(frozen=True)
class Found:
    """What stands in the target.

    Attributes:
        revision: of its schema; empty without one.
        rows: whether people have something there. What the machinery writes by itself does not count.
        pulse: when beat gave its last sign of life, in the database's own milliseconds.
    """

    revision: str
    rows: bool
    pulse: int


def look(database: Database) -> Found:
    """
    Raises:
        BackupError: another program's tables are there, or a newer Nightshift's.
    """
    with database.look() as connection:
        have, names = revision(connection), set(inspect(connection).get_table_names())
        if not have and names - {OURS}:
            raise BackupError(OTHERS.format(name=min(names - {OURS})))
        if have and not migrate.knows(have):
            raise BackupError(NEWER.format(what="database", revision=have))
        if not have:
            return Found("", False, 0)
        return Found(have, _people(connection), _pulse(connection))


def _people(connection: Connection) -> bool:
    """Without an account there is nothing but what beat writes by itself: schedules, canaries, counters."""
    return bool(connection.scalar(select(func.count()).select_from(table("account"))))


def _pulse(connection: Connection) -> int:
    pulses = table("pulse", column("name"), column("at"))
    return int(connection.scalar(select(pulses.c.at).where(pulses.c.name == "beat")) or 0)


def nobody_at_work(database: Database, found: Found, wait: Callable[[float], None] = time.sleep) -> None:
    """
    Raises:
        BackupError: beat is alive, and with it workers and the front most likely.
    """
    if found.pulse and time.time() * 1000 - found.pulse < SIGNS_MS:
        wait(SIGN_EVERY)
        if look(database).pulse != found.pulse:
            raise BackupError(ALIVE)


def nothing_there(found: Found, files: Files) -> None:
    """
    Raises:
        BackupError: rows or files are there.
    """
    what = [
        *(["accounts in the database"] if found.rows else []),
        *([f"files in {files.where}"] if files.taken() else []),
    ]
    if what:
        raise BackupError(FULL.format(what=" and ".join(what)))


def make_schema(url: str, have: str, want: str) -> None:
    """Tables of that revision with nothing in them, whatever was there."""
    if have:
        migrate.downgrade(url, "base")
    migrate.upgrade(url, want)


class LeftKey:
    """Somebody else's to put in its place."""

    def may_become(self, secret: str) -> None:
        pass

    def become(self, secret: str) -> None:
        pass


class Key(LeftKey):
    """Where this system's key stands."""

    def __init__(self, settings: Settings) -> None:
        self._given = settings.secret_key.get_secret_value()
        folder = os.environ.get("NIGHTSHIFT_SECRETS")
        self._kept = Path(folder, "nightshift_secret_key") if folder else settings.var / "secrets" / "secret_key"

    def may_become(self, secret: str) -> None:
        """
        Raises:
            BackupError: it is set in the environment, or in a file that cannot be written.
        """
        if secret in (self._given, self._now()):
            return
        set_outside = self._given and self._given != self._now()
        if set_outside or not os.access(_there(self._kept.parent), os.W_OK):
            raise BackupError(ANOTHER_KEY)

    def become(self, secret: str) -> None:
        """Replaced at once, and never half written."""
        if secret in (self._given, self._now()):
            return
        self._kept.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        part = self._kept.with_name(f"{self._kept.name}.{secrets.token_hex(4)}")
        with open(part, "x", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            file.write(secret)
            file.flush()
            os.fsync(file.fileno())
        part.replace(self._kept)

    def _now(self) -> str:
        with suppress(OSError):
            return self._kept.read_text().strip()
        return ""


def _there(folder: Path) -> Path:
    """The folder, or the nearest above it that is there."""
    return folder if folder.exists() else _there(folder.parent)
