"""Writing an archive: all rows of one moment, then the files that they name. The system goes on working."""

import gzip
import hashlib
import io
import json
import os
import re
import sqlite3
import time
import tomllib
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import BinaryIO

from sqlalchemy import Connection

from deploy.backup import rows
from deploy.backup.archive import COPIED, Writer
from deploy.backup.contents import KEY, MOST_NAMED, Head, Manifest, Sum, TableHead, Total
from deploy.backup.errors import BackupError, plainly
from deploy.backup.snapshot import patient, revision, snapshot
from deploy.settings import ROOT, Settings
from models import migrate
from models.belongings import KEYS, LEFT_OUT
from tasks.storage import Storage
from workers import storage as storages

CHUNK = 1 << 20  # bytes of lines that become one member
MOST_LINE = 1 << 26  # bytes of one row
LEVEL = 4  # of gzip: 6 takes twice as long for a twentieth less
INDEXED = 1000  # files that one member of the index tells of
JOURNAL = re.compile(rf'"journal":"({KEY})"')  # of an import of readings that goes on: named inside `intake.counts`
OLDER = (
    "The database is of another release of Nightshift than this one ({have} and not {want}). Save it with the release "
    "that wrote it, or let this one bring it up to date first: `make run`, or the service `migrate`."
)


class Keys:
    """The files that rows name, each once; in a temporary file, as millions of them are no set in memory."""

    def __init__(self, kept: sqlite3.Connection) -> None:
        self._kept = kept
        kept.execute("CREATE TABLE named (key TEXT PRIMARY KEY) WITHOUT ROWID")

    def add(self, keys: Iterable[str]) -> None:
        self._kept.executemany("INSERT OR IGNORE INTO named VALUES (?)", ((key,) for key in keys))

    def __iter__(self) -> Iterator[str]:
        return (row[0] for row in self._kept.execute("SELECT key FROM named ORDER BY key"))


@dataclass
class Saving:
    """What is written while the archive grows."""

    writer: Writer
    storage: Storage
    keys: Keys
    start: "hashlib._Hash" = field(default_factory=hashlib.sha256)
    totals: dict[str, Total] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)
    gone_count: int = 0
    bytes: int = 0


def save(settings: Settings, sink: BinaryIO) -> Manifest:
    """Write everything to a stream.

    Raises:
        BackupError: a sentence; what was written until then is no archive.
    """
    storage, database = storages.made(settings), patient(settings.database)
    with closing(sqlite3.connect("")) as kept:
        saving = Saving(Writer(sink), storage, Keys(kept))
        try:
            with plainly("reading the database and writing the backup"), snapshot(database) as connection:
                found = head(connection)
                _start(saving, "nightshift.json", found.model_dump_json(indent=1))
                _start(saving, "secrets/secret_key", settings.secret("secret_key"))
                for number, table in enumerate(found.tables, 1):
                    with plainly("reading the database and writing the backup", table.name):
                        saving.totals[table.name] = _table(saving, connection, number, table)
        finally:
            database.close()
        with plainly("copying the files"):
            return _finish(saving)


def head(connection: Connection) -> Head:
    """What this database is.

    Raises:
        BackupError: it has not this code's tables.
    """
    have, want = revision(connection), migrate.head()
    if not have:
        raise BackupError("There is nothing to save: the database has no tables of Nightshift yet.")
    if have != want:
        raise BackupError(OLDER.format(have=have, want=want))
    return Head(
        program="nightshift", format=1, version=version(), revision=have, database=connection.dialect.name,
        made_at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), tables=rows.heads(),
    )  # fmt: skip


def version() -> str:
    return str(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"])


def _start(saving: Saving, name: str, text: str) -> None:
    saving.start.update(text.encode())
    _text(saving.writer, name, text)


def _text(writer: Writer, name: str, text: str) -> None:
    data = text.encode()
    writer.member(name, len(data), [data])


def _table(saving: Saving, connection: Connection, number: int, table: TableHead) -> Total:
    """All rows of a table, as members of about a megabyte before compression."""
    summed = Sum()

    def counted() -> Iterator[bytes]:
        for line in _noting_keys(saving.keys, table, rows.lines(connection, table)):
            if len(line) > MOST_LINE:
                raise BackupError(f"A row of the table {table.name} is larger than {MOST_LINE >> 20} MB: shorten it.")
            summed.add(line)
            yield line

    _zipped(saving.writer, f"tables/{number:03}-{table.name}", counted())
    return summed.total()


def _zipped(writer: Writer, folder: str, lines: Iterable[bytes]) -> None:
    rest, number = iter(lines), 0
    while first := next(rest, b""):
        packed, size, number = io.BytesIO(), 0, number + 1
        with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=LEVEL, mtime=0) as file:
            line = first
            while line:
                size += file.write(line)
                line = next(rest, b"") if size < CHUNK else b""
        writer.member(f"{folder}/{number:05}.jsonl.gz", packed.tell(), [packed.getvalue()])


def _noting_keys(keys: Keys, table: TableHead, lines: Iterator[bytes]) -> Iterator[bytes]:
    """The keys of files that rows name are written down on the way; an upload that is forgotten names none."""
    names = list(table.columns)
    places = [names.index(name) for name in KEYS if name in names and table.name not in LEFT_OUT]
    forgotten = names.index("deleted_at") if places and "deleted_at" in names else None
    for line in lines:
        if places:
            values = json.loads(line)
            if forgotten is None or values[forgotten] is None:
                keys.add(values[place] for place in places if values[place])
        elif table.name == "intake":
            keys.add(JOURNAL.findall(line.decode().replace('\\"', '"')))
        yield line


def _finish(saving: Saving) -> Manifest:
    files = _files(saving)
    manifest = Manifest(
        start=saving.start.hexdigest(),
        tables=saving.totals,
        files=files,
        bytes=saving.bytes,
        gone=saving.gone_count,
        gone_keys=saving.gone,
    )
    _text(saving.writer, "manifest.json", manifest.model_dump_json(indent=1))
    saving.writer.end()
    return manifest


def _files(saving: Saving) -> Total:
    """The bytes under the keys. Nobody changes them, so that it does not matter when they are copied."""
    summed, index, number = Sum(), list[bytes](), 0
    names: dict[tuple[int, int], str] = {}  # of files with several names, as copies for each run of a schedule are
    for key in saving.keys:
        line = _file(saving, key, names)
        if line:
            summed.add(line)
            index.append(line)
        if len(index) == INDEXED:
            number = _index(saving.writer, index, number)
    _index(saving.writer, index, number)
    return summed.total()


def _index(writer: Writer, index: list[bytes], number: int) -> int:
    if index:
        packed = gzip.compress(b"".join(index), LEVEL, mtime=0)
        writer.member(f"files-index/{number + 1:05}.jsonl.gz", len(packed), [packed])
        index.clear()
    return number + 1


def _file(saving: Saving, key: str, names: dict[tuple[int, int], str]) -> bytes:
    """One file and its line of the index; nothing when it was deleted since the rows were read."""
    try:
        source = saving.storage.open(key)
    except FileNotFoundError:
        saving.gone_count += 1
        saving.gone += [key] if len(saving.gone) < MOST_NAMED else []
        return b""
    with source:
        same = _same(source, key, names)
        if same:
            return _line(key=key, same=same)
        size, digest = source.seek(0, os.SEEK_END), hashlib.sha256()
        source.seek(0)
        saving.writer.member(f"files/{key}", size, _hashed(source, digest))
        saving.bytes += size
        return _line(key=key, size=size, sha256=digest.hexdigest())


def _same(source: BinaryIO, key: str, names: dict[tuple[int, int], str]) -> str:
    """The key that this file is saved under already; a bucket's objects have one name each."""
    try:
        about = os.fstat(source.fileno())
    except io.UnsupportedOperation:
        return ""
    same = names.get((about.st_dev, about.st_ino), "")
    if not same and about.st_nlink > 1:
        names[(about.st_dev, about.st_ino)] = key
    return same


def _hashed(source: BinaryIO, digest: "hashlib._Hash") -> Iterator[bytes]:
    while chunk := source.read(COPIED):
        digest.update(chunk)
        yield chunk


def _line(**what: object) -> bytes:
    return json.dumps(what, separators=(",", ":")).encode() + b"\n"
