"""Files of a restore: written beside the storage's own folder, and moved into it when every row is there; a bucket is
filled by bucket_files.py."""

import contextlib
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from deploy.backup.contents import KEY
from deploy.backup.errors import BackupError, Damaged
from tasks.storage import FolderStorage

STAGE = ".restoring"  # within the folder: it may be a mount of its own


class Files(Protocol):
    """Where files stand, as a restore fills it."""

    @property
    def where(self) -> str:
        """What it is called for people."""

    def taken(self) -> bool:
        """Whether files are there already."""

    def wants(self, size: int) -> None:
        """
        Raises:
            BackupError: there is no room for so many bytes.
        """

    def put(self, key: str, chunks: Iterator[bytes]) -> None:
        """One file, which nobody sees before all are there."""

    def link(self, key: str, as_key: str) -> None:
        """The same bytes as those under another key, which came before."""

    def move_in(self) -> None:
        """All of them came: they stand where they belong from now on."""

    def take_back(self) -> None:
        """The rows did not come: neither do their files."""

    def clear(self) -> None:
        """What an attempt left that was ended in the middle."""

    def remove_all(self) -> None:
        """What was there before."""


class FolderFiles:
    """The folder of the storage."""

    def __init__(self, root: Path) -> None:
        self.root, self._stage = root, root / STAGE
        self._moved: list[Path] = []

    @property
    def where(self) -> str:
        return str(self.root)

    def taken(self) -> bool:
        return next(iter(FolderStorage(self.root).listed()), None) is not None

    def wants(self, size: int) -> None:
        room = FolderStorage(self.root).room()
        if room and room[0] < size:
            raise BackupError(
                f"The files take {size // 1_000_000 + 1} MB, and {self.root} has {room[0] // 1_000_000} MB free. "
                "Make room, or name another folder by NIGHTSHIFT_VAR, and try again."
            )

    def put(self, key: str, chunks: Iterator[bytes]) -> None:
        path = self._staged(key)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with open(path, "xb", opener=_private) as file:
            for chunk in chunks:
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())

    def link(self, key: str, as_key: str) -> None:
        path, source = self._staged(key), self._staged(as_key)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            os.link(source, path)
        except FileNotFoundError:
            raise Damaged(f"the file {as_key} is not there") from None
        except OSError:  # on this file system each file has one name
            shutil.copyfile(source, path)

    def move_in(self) -> None:
        """Give all of them their places, folder by folder."""
        for folder in sorted(self._stage.glob("??")) if self._stage.is_dir() else ():
            place = self.root / folder.name
            with contextlib.suppress(OSError):
                place.rmdir()  # an empty one of earlier files
            folder.rename(place)
            self._moved.append(place)
        self.clear()

    def take_back(self) -> None:
        for place in self._moved:
            shutil.rmtree(place, ignore_errors=True)
        self.clear()

    def clear(self) -> None:
        shutil.rmtree(self._stage, ignore_errors=True)

    def remove_all(self) -> None:
        storage = FolderStorage(self.root)
        for key, _ in storage.listed():
            storage.delete(key)

    def _staged(self, key: str) -> Path:
        return self._stage / key[:2] / proper(key)


def proper(key: str) -> str:
    """
    Raises:
        Damaged: it is no key.
    """
    if not re.fullmatch(KEY, key):
        raise Damaged("a file has a strange key")
    return key


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
