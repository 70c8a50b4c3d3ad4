"""Where files stand: the port, and the folder that is its embedded form; workers/bucket.py has the other, a bucket."""

import errno
import os
import secrets
import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Protocol

from tasks.errors import FilesAway

CHUNK = 1 << 20
NO_SECOND_NAME = (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK)  # on this file system, or no more of them
TEMPORARY = "nightshift-files-"  # begins the names of private folders, of which upkeep sweeps the abandoned


class Storage(Protocol):
    """Bytes under random keys. Where a bucket does not answer, each of these raises FilesAway."""

    def put(self, source: BinaryIO) -> tuple[str, int]:
        """Keep a stream; returns its key and size. Nothing half-written is ever seen under a key."""

    def copy(self, key: str) -> str:
        """The same bytes under one more key, each deleted by itself. FileNotFoundError when they are gone."""

    def open(self, key: str) -> BinaryIO:
        """The bytes under a key. FileNotFoundError when they are gone."""

    def fetch(self, key: str, target: Path) -> None:
        """A copy of the bytes as a file."""

    def delete(self, key: str) -> None:
        """Drop a key; one that is gone already is no error."""

    def room(self) -> tuple[int, int] | None:
        """Bytes (free, in all) of where the files stand; None where there is no such limit."""

    def listed(self) -> Iterable[tuple[str, float]]:
        """Every key with the epoch seconds of its writing, for the sweep of what no row names."""


def drop(storage: Storage, keys: Iterable[str]) -> None:
    """Delete what no row names. What cannot be reached now is swept on another day, and nobody waits for it."""
    with suppress(FilesAway):
        for key in keys:
            storage.delete(key)


def answers(storage: Storage) -> bool:
    """Whether files can be kept and read now: it is asked for one that was never there."""
    try:
        storage.open("0" * 40).close()
    except FileNotFoundError:
        return True
    except (FilesAway, OSError):
        return False
    return True


class FolderStorage:
    """Storage in a folder of this machine."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def put(self, source: BinaryIO) -> tuple[str, int]:
        key = secrets.token_hex(20)
        path = self._path(key)
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.parent.mkdir(exist_ok=True, mode=0o700)
        part = path.with_suffix(".part")
        try:
            with part.open("xb") as file:
                shutil.copyfileobj(source, file, CHUNK)
                file.flush()
                os.fsync(file.fileno())
                size = file.tell()
            part.rename(path)
        finally:  # whatever broke it off: a full disk, somebody who cancelled
            part.unlink(missing_ok=True)
        return key, size

    def copy(self, key: str) -> str:
        """A second name, at no cost: a schedule's files are copied while others wait for the database."""
        source, new = self._path(key), secrets.token_hex(20)
        os.utime(source)  # or the sweep of old files that no row names takes the new name before its row is there
        self._path(new).parent.mkdir(exist_ok=True, mode=0o700)
        try:
            os.link(source, self._path(new))
        except OSError as error:
            if error.errno not in NO_SECOND_NAME:
                raise
            with source.open("rb") as stream:
                return self.put(stream)[0]
        return new

    def open(self, key: str) -> BinaryIO:
        return self._path(key).open("rb")

    def fetch(self, key: str, target: Path) -> None:
        shutil.copyfile(self._path(key), target)

    def delete(self, key: str) -> None:
        self._path(key).unlink(missing_ok=True)

    def room(self) -> tuple[int, int] | None:
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        usage = shutil.disk_usage(self.root)
        return usage.free, usage.total

    def listed(self) -> Iterable[tuple[str, float]]:
        for path in self.root.glob("??/*"):
            yield path.name, path.stat().st_mtime

    def _path(self, key: str) -> Path:
        return self.root / key[:2] / key
