"""The archive: an ordinary tar, written and read as a stream, one member after the other, in constant memory.

    nightshift.json                     what it is: format, revision, tables with the kinds of their columns
    secrets/secret_key                  the key that rows are sealed with and links in mails are signed with
    tables/007-ticket/00001.jsonl.gz    rows, one JSON list each, about a megabyte before compression
    files/KEY                           the bytes under that key of the storage, as they are
    files-index/00001.jsonl.gz          after up to a thousand files: their keys, sizes, hashes
    manifest.json                       the last: counts and sums of all; without it the archive was cut off

Names and headers are read by ourselves from blocks of 512 bytes, so that nothing in them chooses a path or a size of
anything in memory; any tar program reads the same file.
"""

import io
import tarfile
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

from deploy.backup.errors import BackupError, Damaged

BLOCK = tarfile.BLOCKSIZE
COPIED = 1 << 18
NO_BACKUP = "This is no backup of Nightshift. Name a file that `make backup` wrote."


class Writer:
    """Writes members to a stream that need not be able to seek."""

    def __init__(self, sink: BinaryIO) -> None:
        self._sink = sink
        self.written = 0

    def member(self, name: str, size: int, chunks: Iterable[bytes]) -> None:
        """One member whose chunks are `size` bytes together.

        Raises:
            BackupError: they are not, as of a file that somebody changes.
        """
        info = tarfile.TarInfo(name)
        info.size, info.mode = size, 0o600
        self._write(info.tobuf(tarfile.GNU_FORMAT))
        left = size
        for chunk in chunks:
            left -= len(chunk)
            if left < 0:
                break
            self._write(chunk)
        if left:
            raise BackupError(f"{name} changed while it was saved. Find out who writes there, and save anew.")
        self._write(bytes(-size % BLOCK))

    def end(self) -> None:
        self._write(bytes(2 * BLOCK))

    def _write(self, data: bytes) -> None:
        self._sink.write(data)
        self.written += len(data)


class Member(io.RawIOBase):
    """One member while it is read."""

    def __init__(self, source: BinaryIO, name: str, size: int) -> None:
        self.name, self.size, self._left, self._source = name, size, size, source

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        with memoryview(buffer) as view:
            data = self._source.read(min(self._left, len(view)))
            if not data and self._left and len(view):
                raise Damaged(f"it ends in the middle of {self.name}")
            view[: len(data)] = data
        self._left -= len(data)
        return len(data)

    def whole(self, most: int) -> bytes:
        """All of it at once, when it is small."""
        if self.size > most:
            raise Damaged(f"{self.name} is larger than it can be")
        return self.readall() or b""

    def chunks(self) -> Iterator[bytes]:
        while chunk := self.read(COPIED):
            yield chunk


def members(source: BinaryIO) -> Iterator[Member]:
    """The members in order; what was not read of one is passed over.

    Raises:
        Damaged: a header is none, or the end is missing.
    """
    first = True
    while True:
        block = _exactly(source, BLOCK, first)
        if not any(block):
            return
        member = Member(source, *_header(block, first))
        first = False
        yield member
        for _ in member.chunks():
            pass
        _exactly(source, -member.size % BLOCK)


def _exactly(source: BinaryIO, size: int, first: bool = False) -> bytes:
    data = source.read(size) if size else b""
    while len(data) < size and (more := source.read(size - len(data))):  # a pipe gives what it has
        data += more
    if len(data) < size:
        raise BackupError(NO_BACKUP) if first else Damaged("it was cut off")
    return data


def _header(block: bytes, first: bool) -> tuple[str, int]:
    try:
        info = tarfile.TarInfo.frombuf(block, "utf-8", "strict")
    except (tarfile.HeaderError, ValueError):
        raise BackupError(NO_BACKUP) if first else Damaged("a member's header is unreadable") from None
    if not info.isreg() or info.size < 0:
        raise BackupError(NO_BACKUP) if first else Damaged("it holds a member that is no file")
    return info.name, info.size
