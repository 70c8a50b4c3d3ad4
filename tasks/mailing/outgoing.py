"""What leaves: one mail, or a message through a channel, with all that it needs; and the port it leaves by."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from tasks.care.tokens import Tokens


@dataclass(frozen=True, slots=True)
class Inline:
    """A PNG inside a mail; its HTML names it as `cid:NAME` and says in words what it shows."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Enclosed:
    """A file that goes with a mail; it was checked when it came in."""

    name: str
    media_type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Thread:
    """Of a mail about a ticket: to which it belongs, in ways that mail programs and our own reading know.

    Attributes:
        brand: the desk's name; it stands before the sender's address.
        token: brings an answer back; it is a part of the Message-ID, too.
        reply_to, inlet: where answers go, and the mailbox that is; "" for none.
        automatic: a machine wrote it: other machines are told to keep silent.
        root: the same for all mails of the ticket. earlier: deliveries to the same address, oldest first, as they stand
            in Message-IDs: ID.MARK. mark: binds this one's Message-ID to whom it goes to.
        asked: the Message-ID of the mail that it answers; "".
    """

    brand: str
    token: str
    reply_to: str = ""
    inlet: str = ""
    automatic: bool = False
    root: str = ""
    earlier: tuple[str, ...] = ()
    asked: str = ""
    files: tuple[Enclosed, ...] = ()
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A delivery as it travels.

    Attributes:
        id: the delivery's; makes the Message-ID, so that a repeat can be recognised.
        to: one address, or the channel's name.
        text, html: with their links in place.
        stop, stop_url: what the mail's link ends, and that link; both empty when there is none.
        sealed_url: of the channel it goes through, still encrypted; "" for a mail.
        thread: of a mail about a ticket.
    """

    id: str
    to: str
    subject: str
    text: str
    html: str = ""
    pictures: tuple[Inline, ...] = ()
    stop: str = ""
    stop_url: str = ""
    sealed_url: str = ""
    thread: Thread | None = None


class Mailer(Protocol):
    """The way out. It may keep a connection from one mail to the next, until it is closed."""

    @property
    def tokens(self) -> Tokens:
        """Makes the links and reply tokens of mails about tickets."""

    def stop_url(self, account_id: str, stop: str, version: int) -> str:
        """The link that ends such mails for this person."""

    def prepare(self, mail: Outgoing) -> None:
        """Whatever can be done for a mail before its turn."""

    def send(self, mail: Outgoing, meanwhile: Callable[[], None]) -> None:
        """Hand it over to the next server; when this returns, that server has taken it.

        Args:
            meanwhile: called at most once, when there is nothing to do but to wait for the server's answer.

        Raises:
            Away: no mail can leave now, which is not this one's fault.
            TryLater: this one may leave later.
            JobError: this one was refused for good.
        """

    def close(self) -> None:
        """Hang up."""
