"""Reading an archive once, from its beginning to its end: every sum is checked on the way.

What is read is handed to a `Receiver`: one that does nothing checks the archive, one that writes restores it. So no
row is written of an archive that was not read to its end before, and none that is not what was checked.
"""

import gzip
import hashlib
import json
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from deploy.backup.archive import NO_BACKUP, Member, members
from deploy.backup.contents import (
    KEY,
    MOST_HEAD,
    MOST_MANIFEST,
    Head,
    Manifest,
    Sum,
    TableHead,
    read_head,
    read_manifest,
)
from deploy.backup.errors import BackupError, Damaged
from deploy.backup.saving import CHUNK, INDEXED, MOST_LINE

ROWS = re.compile(r"tables/(\d{3})-([a-z0-9_]+)/\d{5,9}\.jsonl\.gz")
FILE = re.compile(rf"files/({KEY})")
INDEX = re.compile(r"files-index/\d{5,9}\.jsonl\.gz")
MOST_SECRET = 4096
_BROKEN = (gzip.BadGzipFile, zlib.error, EOFError)


class Receiver:
    """Takes what is read, and must read all that it is given; this one lets it go."""

    def head(self, head: Head) -> None:
        """The first of all."""

    def secret(self, secret: str) -> None:
        """The key that rows are sealed with."""

    def rows(self, table: TableHead, lines: Iterator[bytes]) -> None:
        for _ in lines:
            pass

    def file(self, key: str, chunks: Iterator[bytes]) -> None:
        for _ in chunks:
            pass

    def same(self, key: str, as_key: str) -> None:
        """A file that has the bytes of one that came before."""


class Reading:
    """One pass through an archive."""

    def __init__(self, source: BinaryIO, receiver: Receiver) -> None:
        self._source, self._receiver = source, receiver
        self._sums: dict[str, Sum] = {}
        self._files, self._bytes = Sum(), 0
        self._pending: dict[str, tuple[int, str]] = {}  # files that the index did not tell of yet
        self._head: Head | None = None
        self._table = 0
        self._start = hashlib.sha256()

    def all(self) -> Manifest:
        """Read everything.

        Raises:
            Damaged: something is not as it was written.
            BackupError: it is no backup, or of a newer form.
        """
        manifest = None
        for member in members(self._source):
            if manifest is not None:
                raise Damaged("something follows its end")
            manifest = self._member(member)
        if manifest is None:
            raise Damaged("it was cut off before its end") if self._head else BackupError(NO_BACKUP)
        self._compare(manifest)
        return manifest

    def _member(self, member: Member) -> Manifest | None:
        if self._head is None:
            if member.name != "nightshift.json" or member.size > MOST_HEAD:
                raise BackupError(NO_BACKUP)
            self._head = read_head(self._beginning(member, MOST_HEAD))
            self._receiver.head(self._head)
        elif member.name == "manifest.json":
            return read_manifest(member.whole(MOST_MANIFEST))
        elif member.name == "secrets/secret_key":
            self._receiver.secret(self._beginning(member, MOST_SECRET).decode("ascii", "replace"))
        elif found := ROWS.fullmatch(member.name):
            self._rows(self._head, int(found[1]), found[2], member)
        elif found := FILE.fullmatch(member.name):
            self._file(found[1], member)
        elif INDEX.fullmatch(member.name):
            self._index(member)
        else:
            raise Damaged("it holds a member of a strange name")
        return None

    def _beginning(self, member: Member, most: int) -> bytes:
        data = member.whole(most)
        self._start.update(data)
        return data

    def _rows(self, head: Head, number: int, name: str, member: Member) -> None:
        if not self._table <= number <= len(head.tables) or number == 0 or head.tables[number - 1].name != name:
            raise Damaged(f"the table {name} stands where it does not belong")
        self._table = number
        lines = _summed(unpacked(member), self._sums.setdefault(name, Sum()))
        self._receiver.rows(head.tables[number - 1], lines)

    def _file(self, key: str, member: Member) -> None:
        if key in self._pending or len(self._pending) >= INDEXED:
            raise Damaged(f"the file {key} stands where it does not belong")
        digest = hashlib.sha256()

        def hashed() -> Iterator[bytes]:
            for chunk in member.chunks():
                digest.update(chunk)
                yield chunk

        self._receiver.file(key, hashed())
        self._pending[key] = (member.size, digest.hexdigest())
        self._bytes += member.size

    def _index(self, member: Member) -> None:
        for line in _summed(unpacked(member), self._files):
            try:
                told = json.loads(line)
                if "same" in told:
                    self._linked(str(told["key"]), str(told["same"]))
                elif self._pending.pop(told["key"], None) != (told["size"], told["sha256"]):
                    raise Damaged(f"the file {told['key']} is not what it was")
            except (ValueError, KeyError, TypeError):
                raise Damaged("the index of its files is unreadable") from None
        if self._pending:
            raise Damaged(f"its index does not know the file {next(iter(self._pending))}")

    def _linked(self, key: str, as_key: str) -> None:
        if not re.fullmatch(KEY, key) or not re.fullmatch(KEY, as_key):
            raise Damaged("a file has a strange key")
        self._receiver.same(key, as_key)

    def _compare(self, manifest: Manifest) -> None:
        names = [table.name for table in self._head.tables] if self._head else []
        if manifest.start != self._start.hexdigest():
            raise Damaged("its head is not what it was")
        if set(manifest.tables) != set(names):
            raise Damaged("its manifest is of other tables")
        for name in names:
            if self._sums.get(name, Sum()).total() != manifest.tables[name]:
                raise Damaged(f"rows of the table {name} are missing or changed")
        if self._pending or (self._files.total(), self._bytes) != (manifest.files, manifest.bytes):
            raise Damaged("files are missing")


def unpacked(member: Member) -> Iterator[bytes]:
    """The lines of a zipped member, no more than a member can hold."""
    left = CHUNK + MOST_LINE
    with _whole(member.name), gzip.GzipFile(fileobj=member, mode="rb") as file:
        while line := file.readline(MOST_LINE + 1):
            left -= len(line)
            if left < 0 or not line.endswith(b"\n"):
                raise Damaged(f"{member.name} is larger than it can be")
            yield line


@contextmanager
def _whole(name: str) -> Iterator[None]:
    try:
        yield
    except _BROKEN:
        raise Damaged(f"{name} is unreadable") from None


def _summed(lines: Iterator[bytes], into: Sum) -> Iterator[bytes]:
    for line in lines:
        into.add(line)
        yield line
