"""Reading an archive into an empty Nightshift, of the same database or of any other: all of it, or nothing.

The archive is read to its end before anything is touched. Then rows go in within one transaction, are read again and
compared with the archive, and only when all are equal it commits. Full text is kept up by the databases themselves.
"""

import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import IO, Any, BinaryIO

from sqlalchemy import Connection, bindparam, column, insert, inspect, table, update
from sqlalchemy.exc import SQLAlchemyError

from deploy.backup import rows, target
from deploy.backup.bucket_files import files_of
from deploy.backup.contents import Head, Manifest, Sum, TableHead
from deploy.backup.errors import BackupError, Damaged, plainly
from deploy.backup.files import Files
from deploy.backup.fitting import Fit
from deploy.backup.reading import Reading, Receiver
from deploy.backup.snapshot import loading, patient
from deploy.settings import Settings
from models import migrate
from models.session import Database
from models.tally import COUNTED

Say = Callable[[str], None]
SaveFirst = Callable[[], object]
# Sessions and links may have been ended since the backup: a restore does not bring them back to life.
ENDED = ("sign_in", "link")


@dataclass
class Checked(Receiver):
    """What a pass through the whole archive found."""

    found: Head | None = None
    key: str = ""

    def head(self, head: Head) -> None:
        self.found = head

    def secret(self, secret: str) -> None:
        self.key = secret


def check(source: BinaryIO) -> tuple[Head, str, Manifest]:
    """Read an archive to its end.

    Raises:
        BackupError: it is none, or is damaged.
    """
    checked = Checked()
    manifest = Reading(source, checked).all()
    if checked.found is None or not checked.key:
        raise Damaged("the key of its rows is missing")
    return checked.found, checked.key, manifest


def restore(
    settings: Settings, source: BinaryIO, say: Say, save_first: SaveFirst | None = None, leave_key: bool = False
) -> Manifest:
    """Put an archive in place.

    Args:
        source: can seek; it is read twice.
        save_first: called when something is there, which it saves; without it that is refused.
        leave_key: whoever calls puts the key in its place, as where a container cannot write it.

    Raises:
        BackupError: a sentence; nothing is left of the attempt.
    """
    with plainly("reading the backup"):
        head, secret, manifest = check(source)
    if not migrate.knows(head.revision):
        raise BackupError(target.NEWER.format(what="backup", revision=head.revision))
    say(f"The backup of {head.made_at} is whole: {told(manifest)}.")
    database, files = patient(settings.database), files_of(settings)
    key = target.LeftKey() if leave_key else target.Key(settings)
    try:
        key.may_become(secret)
        with plainly("preparing the database"):
            files.wants(manifest.bytes)
            _make_room(settings, database, files, head, save_first)
        source.seek(0)
        with Undone(settings, files):
            changed = _load(database, files, source, head, lambda: key.become(secret))
    finally:
        database.close()
    for each in changed:
        say(each)
    say("Every row and file was read again and is as the backup says" + (", but for these." if changed else "."))
    with plainly("bringing the database up to date"):
        migrate.upgrade(settings.database)
    return manifest


def free(settings: Settings) -> None:
    """
    Raises:
        BackupError: something is where a backup would go.
    """
    database = patient(settings.database)
    try:
        with plainly("looking at the database"):
            target.nothing_there(target.look(database), files_of(settings))
    finally:
        database.close()


def told(manifest: Manifest) -> str:
    """What is in it, in words."""
    count = sum(total.count for total in manifest.tables.values())
    text = f"{count:,} rows, {manifest.files.count:,} files of {manifest.bytes / 1e6:,.1f} MB"
    return f"{text}; {manifest.gone:,} files were deleted while it was made" if manifest.gone else text


def _make_room(settings: Settings, database: Database, files: Files, head: Head, save_first: SaveFirst | None) -> None:
    """An empty schema of the archive's revision."""
    found = target.look(database)
    target.nobody_at_work(database, found)
    if save_first is None:
        target.nothing_there(found, files)
    elif found.rows or files.taken():
        save_first()
        files.remove_all()
    files.clear()
    database.close()
    target.make_schema(settings.database, found.revision, head.revision)


class Undone:
    """Takes back what a restore that failed wrote: its files, and the tables that it made."""

    def __init__(self, settings: Settings, files: Files) -> None:
        self._settings, self._files = settings, files

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self._files.take_back()
            with suppress(SQLAlchemyError):  # a database that is away; what is left of it is empty
                migrate.downgrade(self._settings.database, "base")


def _load(database: Database, files: Files, source: BinaryIO, head: Head, become: Callable[[], None]) -> list[str]:
    """Everything, or nothing; sentences of what could not stay as it was."""
    with plainly("writing to the database"), tempfile.TemporaryFile() as later, loading(database) as connection:
        loader = Loader(connection, files, head, later)
        Reading(source, loader).all()
        loader.point()
        for each in head.tables:
            _same(connection, each, loader.expected[each.name])
        _wake(connection, {each.name for each in head.tables})
        files.move_in()
        become()
    return loader.changed()


def _same(connection: Connection, head: TableHead, expected: Sum) -> None:
    """Read a table again, and compare."""
    found = Sum()
    with plainly("reading the rows again", head.name):
        for line in rows.lines(connection, head):
            found.add(line)
    if found.total() != expected.total():
        raise BackupError(
            f"The table {head.name} is not what was written: {found.count} rows of {expected.count}, or others. "
            "Nothing was kept. Is the database of another character set, or somebody at work in it?"
        )


def _wake(connection: Connection, names: set[str]) -> None:
    """No worker has these runs any more, and no broker their messages: the reconciler and the dispatcher take them."""
    if "run" in names:
        run = table("run", *map(column, ("state", "lease_until", "published_at")))
        connection.execute(update(run).where(run.c.state == "running").values(lease_until=0))
        connection.execute(update(run).where(run.c.state == "queued").values(published_at=None))
    if "pulse" in names:  # signs of life of a system that is gone would ring the alarms of this one
        pulse = table("pulse", column("name"))
        connection.execute(pulse.delete().where(pulse.c.name != COUNTED))
    for name in names & set(ENDED):
        connection.execute(table(name).delete())


@dataclass
class Loader(Receiver):
    """Writes what is read; remembers what a database must then hold, and which rows point at others of their table."""

    connection: Connection
    files: Files
    of: Head
    later: IO[bytes]
    expected: dict[str, Sum] = field(default_factory=dict)
    _fits: dict[str, Fit] = field(default_factory=dict)
    _selves: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for each in self.of.tables:
            self.expected[each.name] = Sum()
            self._fits[each.name] = Fit(self.connection, each)
            self._selves[each.name] = _pointing(self.connection, each)

    def rows(self, head: TableHead, lines: Iterator[bytes]) -> None:
        with plainly("writing to the database", head.name):
            while some := list(islice(lines, rows.AT_ONCE)):
                self._insert(head, some)

    def file(self, key: str, chunks: Iterator[bytes]) -> None:
        with plainly("writing the files"):
            self.files.put(key, chunks)

    def same(self, key: str, as_key: str) -> None:
        with plainly("writing the files"):
            self.files.link(key, as_key)

    def _insert(self, head: TableHead, some: list[bytes]) -> None:
        fit, selves = self._fits[head.name], self._selves[head.name]
        try:
            found = [rows.values(head, line) for line in some]
        except ValueError:  # its sum is right, so this is how it was made
            raise Damaged(f"a row of the table {head.name} is none") from None
        for row, line in zip(found, some, strict=True):
            self.expected[head.name].add(rows.rewritten(head, row) if fit.changed(row) else line)
            if any(row[name] is not None for name in selves):
                pointing = {"id": row["id"], **{name: row[name] for name in selves}}
                self.later.write(json.dumps([head.name, pointing]).encode() + b"\n")
                row.update(dict.fromkeys(selves))
        self.connection.execute(insert(rows.bare(head)), found)

    def changed(self) -> list[str]:
        return [sentence for fit in self._fits.values() for sentence in fit.told()]

    def point(self) -> None:
        """Rows that point at others of their own table do so once all are there."""
        self.later.seek(0)
        while some := list(islice(self.later, rows.AT_ONCE)):
            by_table: dict[str, list[dict[str, Any]]] = {}
            for name, pointing in map(json.loads, some):
                by_table.setdefault(name, []).append({f"_{key}": value for key, value in pointing.items()})
            for name, found in by_table.items():
                selves = self._selves[name]
                bare = table(name, *map(column, ("id", *selves)))
                values: dict[str, Any] = {each: bindparam(f"_{each}") for each in selves}
                self.connection.execute(update(bare).where(bare.c.id == bindparam("_id")).values(values), found)


def _pointing(connection: Connection, head: TableHead) -> list[str]:
    """The columns of a table that point at itself."""
    keys = inspect(connection).get_foreign_keys(head.name)
    return [name for key in keys if key["referred_table"] == head.name for name in key["constrained_columns"]]


def spooled(source: BinaryIO, folder: Path) -> BinaryIO:
    """A stream as a file that can be read twice; gone when it is closed."""
    with plainly(f"keeping the backup in {folder} while it is read"):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  # the caller closes it
        try:
            while chunk := source.read(1 << 20):
                file.write(chunk)
            file.seek(0)
        except BaseException:
            file.close()
            raise
        return file
