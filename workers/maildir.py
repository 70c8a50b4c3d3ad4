"""A maildir: a folder that a mail server on this machine drops mails into, one file each (new → cur)."""

import os
import stat
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from tasks.care.boxes import Found, Lying, Trouble

NOT_SET = (
    "No folder of maildirs is set up here: whoever runs this Nightshift names one with NIGHTSHIFT_MAILDIRS, and makes "
    "a maildir in it that is called like this workspace’s id."
)
NOT_THERE = "There is no maildir for this workspace: make the folder {}/new in the one that NIGHTSHIFT_MAILDIRS names."
UNREADABLE = "The maildir cannot be read ({}): let the user that runs the workers read and write it."

SEEN, ASIDE = ":2,S", ":2,F"


class Maildir:
    """The folder of one workspace. Links are not followed, and what is no plain file is left alone."""

    def __init__(self, root: str, workspace_id: str, again: Sequence[str] = ()) -> None:
        if not root:
            raise Trouble(NOT_SET)
        self._again = again
        self._folder = Path(root) / workspace_id
        if not (self._folder / "new").is_dir() or self._folder.is_symlink():
            raise Trouble(NOT_THERE.format(workspace_id))

    def look(self, most: int) -> Found:
        try:
            self._take_back()
            with os.scandir(self._folder / "new") as entries:
                names = sorted(each.name for each in entries if not each.name.startswith("."))
            mails = [Lying(0, name, size) for name in names[: most + 1] if (size := self._size(name)) is not None]
        except OSError as error:
            raise Trouble(UNREADABLE.format(error.strerror)) from error
        return Found(mails[:most], more=len(names) > most)

    def _size(self, name: str) -> int | None:
        found = os.stat(self._folder / "new" / name, follow_symlinks=False)
        return found.st_size if stat.S_ISREG(found.st_mode) else None

    def fetch(self, mail: Lying, most: int) -> bytes | None:
        try:
            file = os.open(self._folder / "new" / mail.name, os.O_RDONLY | os.O_NOFOLLOW)
            with os.fdopen(file, "rb") as stream:
                return stream.read(most)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Trouble(UNREADABLE.format(error.strerror)) from error

    def _take_back(self) -> None:
        """What was put aside, and is to be tried again."""
        for base in self._again:
            if "/" not in base:
                with suppress(FileNotFoundError):
                    (self._folder / "cur" / f"{base}{ASIDE}").replace(self._folder / "new" / base)

    def done(self, mail: Lying) -> None:
        """Seen, as mail programs know it; one that somebody took away meanwhile is no trouble."""
        self._move(mail, SEEN)

    def aside(self, mail: Lying) -> None:
        """Flagged, and not seen."""
        self._move(mail, ASIDE)

    def _move(self, mail: Lying, flags: str) -> None:
        try:
            (self._folder / "cur").mkdir(exist_ok=True)
            base = mail.name.partition(":")[0]
            (self._folder / "new" / mail.name).replace(self._folder / "cur" / f"{base}{flags}")
        except FileNotFoundError:
            pass
        except OSError as error:
            raise Trouble(UNREADABLE.format(error.strerror)) from error

    def close(self) -> None:
        """Nothing is open."""
