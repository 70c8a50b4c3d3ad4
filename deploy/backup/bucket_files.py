"""A bucket as a restore fills it. Nobody names its keys before the rows are there, so that they are put where they
belong at once; an object of its own says meanwhile that this is half a restore, which the next one takes away."""

import io
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from deploy.backup.archive import COPIED
from deploy.backup.errors import Damaged
from deploy.backup.files import Files, FolderFiles, proper
from deploy.settings import Settings
from tasks.errors import FilesAway
from workers import storage as storages
from workers.bucket import BucketStorage

HALF = ".restoring"  # no key of a file has a dot


def files_of(settings: Settings) -> Files:
    """Where this Nightshift's files go."""
    if not settings.files_url:
        return FolderFiles(settings.var / "files")
    return BucketFiles(storages.bucket(settings), settings.files_url)


class BucketFiles:
    """The bucket of the storage."""

    def __init__(self, storage: BucketStorage, where: str) -> None:
        self._storage, self.where = storage, where
        self._begun = False

    def taken(self) -> bool:
        return not self._half() and next(iter(self._storage.listed()), None) is not None

    def wants(self, size: int) -> None:
        """There is always room."""

    def put(self, key: str, chunks: Iterator[bytes]) -> None:
        self._begin()
        self._storage.keep(proper(key), io.BufferedReader(_Chunks(chunks), COPIED))

    def link(self, key: str, as_key: str) -> None:
        try:
            self._storage.copy_as(proper(as_key), proper(key))
        except FileNotFoundError:
            raise Damaged(f"the file {as_key} is not there") from None

    def move_in(self) -> None:
        self._storage.delete(HALF)

    def take_back(self) -> None:
        with suppress(FilesAway):  # then the mark stays, and the next restore does it
            if self._begun:
                self.remove_all()

    def clear(self) -> None:
        if self._half():
            self.remove_all()

    def remove_all(self) -> None:
        for key, _ in self._storage.listed():
            self._storage.delete(key)
        self._storage.delete(HALF)

    def _begin(self) -> None:
        if not self._begun:
            self._storage.keep(HALF, io.BytesIO())
            self._begun = True

    def _half(self) -> bool:
        try:
            self._storage.open(HALF).close()
        except FileNotFoundError:
            return False
        return True


class _Chunks(io.RawIOBase):
    """Chunks as a stream."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks, self._rest = chunks, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        with memoryview(buffer) as view:
            self._rest = self._rest or next(self._chunks, b"")
            count = min(len(view), len(self._rest))
            view[:count], self._rest = self._rest[:count], self._rest[count:]
        return count
