"""Mailboxes that are read, as the job knows them; the workers' side speaks to servers and folders."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy.orm import Session

from tasks.care.tokens import Tokens

FRESH = 0  # an inlet's uid_validity before its first look: what lies there already is left alone …
FROM_THE_START = -1  # … or read, too


class Trouble(Exception):
    """A mailbox cannot be read now. Its message is a whole sentence for whoever set it up, without any secret."""


@dataclass(frozen=True, slots=True)
class Door:
    """How to get to a mailbox, and how far it was read.

    Attributes:
        uid_validity, last_uid: of the last look (RFC 3501, 2.3.1.1).
        since: when it was read the last time, or else set up; epoch milliseconds.
        again: keys of mails to hand out once more, though they were passed already (`Lying.key`).
    """

    kind: str
    workspace_id: str
    host: str = ""
    port: int = 993
    security: str = "tls"
    user: str = ""
    sealed_password: str = ""
    folder: str = "INBOX"
    uid_validity: int = FRESH
    last_uid: int = 0
    since: int = 0
    again: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Lying:
    """A mail that lies there unread. `uid` is 0 in a maildir, where `name` is its file's."""

    uid: int
    name: str
    size: int

    def key(self, validity: int) -> str:
        """What it is known by, as long as it lies where it does: numbers hold for one `uid_validity` alone."""
        return f"{validity}.{self.uid}" if self.uid else self.name.partition(":")[0]


@dataclass(frozen=True, slots=True)
class Found:
    """What a look found: oldest first, and the numbers to go on from."""

    mails: Sequence[Lying]
    uid_validity: int = 0
    last_uid: int = 0
    more: bool = False


class Box(Protocol):
    """An open mailbox. All of it raises Trouble."""

    def look(self, most: int) -> Found:
        """What came since the last look."""

    def fetch(self, mail: Lying, most: int) -> bytes | None:
        """Its first `most` bytes; None if it is not there any more."""

    def done(self, mail: Lying) -> None:
        """Mark it as read: what it says is kept by now."""

    def aside(self, mail: Lying) -> None:
        """Mark it for a person to look at: it could not be read."""

    def close(self) -> None:
        """Hang up."""


class Boxes(Protocol):
    """Opens them."""

    @property
    def tokens(self) -> Tokens:
        """Reads reply tokens."""

    @property
    def own(self) -> str:
        """The address that our mail is sent from, lower case."""

    def room(self, session: Session, workspace_id: str) -> int:
        """How many bytes of files from mail a workspace still takes."""

    def open(self, door: Door) -> Box:
        """Connect and sign in.

        Raises:
            Trouble: that does not work.
        """
