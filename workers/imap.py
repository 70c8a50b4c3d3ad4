"""A mailbox on an IMAP server, through the guard of what goes out: checked addresses, checked TLS, bounded time.

The `imapclient` library speaks; the connection is ours. What a server sends is counted: one that is hostile ends by
bytes, by the time of each answer, or by the time of all of it.
"""

import imaplib
import logging
import socket
import ssl
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import imapclient
from imapclient.exceptions import IMAPClientError, LoginError

from tasks.care.boxes import FRESH, FROM_THE_START, Door, Found, Lying, Trouble
from workers.outgoing import Network, Refused, Watch

CONNECT_SECONDS, READ_SECONDS, ALL_SECONDS = 5.0, 20.0, 180.0
MOST_BYTES = 150_000_000  # of everything that a server sends in one look
MOST_UIDS = 200_000
logging.getLogger("imapclient").setLevel(logging.CRITICAL)  # it would log what is said, and mails
BROKEN = (OSError, imaplib.IMAP4.error, IMAPClientError, ValueError, LookupError, TypeError, AttributeError)
REFUSED_US = (
    "The mail server does not let us in: check the user and the password. Many providers want one made for programs "
    "(an app password), and IMAP turned on."
)
CERTIFICATE = "The mail server’s certificate is not valid for {}: check the name of the server."
NO_FOLDER = "There is no folder “{}” in this mailbox: check its name."
NOT_REACHED = "The mail server was not reached ({}): check its name and port."
NO_SENSE = "The mail server gave an answer that makes no sense ({})."
SLOW = "The mail server took too long."


class _Connection(imaplib.IMAP4):
    """The library's, on a socket that the guard made."""

    def __init__(self, host: str, port: int, watch: Watch, context: ssl.SSLContext | None) -> None:
        self._watch, self._context, self._left = watch, context, MOST_BYTES
        super().__init__(host, port)

    def _create_socket(self, timeout: float | None = None) -> socket.socket:
        made = self._watch.connect(self.host, self.port, CONNECT_SECONDS, None)
        if self._context is None:
            return made
        try:
            return self._context.wrap_socket(made, server_hostname=self.host)
        except OSError:
            made.close()
            raise

    def read(self, size: int) -> bytes:
        self._count(size)  # before it is read: a server may announce what no memory holds
        return super().read(size)

    def readline(self) -> bytes:
        line = super().readline()
        self._count(len(line))
        return line

    def _count(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise self.abort("too much")


class _Client(imapclient.IMAPClient):  # type: ignore[misc]
    """The library's, with our connection."""

    def __init__(self, door: Door, watch: Watch, context: ssl.SSLContext) -> None:
        self._door, self._watch, self._checked = door, watch, context
        timeout = imapclient.SocketTimeout(connect=CONNECT_SECONDS, read=READ_SECONDS)
        super().__init__(door.host, door.port, ssl=door.security == "tls", ssl_context=context, timeout=timeout)

    def _create_IMAP4(self) -> _Connection:  # noqa: N802
        context = self._checked if self._door.security == "tls" else None
        return _Connection(self._door.host, self._door.port, self._watch, context)


class ImapBox:
    """One signed-in connection, on one folder."""

    def __init__(
        self, door: Door, password: str, allowed: tuple[Network, ...], ca: str = "", seconds: float = ALL_SECONDS
    ) -> None:
        self._door = door
        self._client: Any = None
        self._state: Any = {}
        self._watch = Watch(allowed)
        self._timer = threading.Timer(seconds, self._watch.hang_up)
        self._timer.daemon = True
        self._timer.start()
        try:
            self._enter(door, password, ca)
        except BaseException:
            self.close()
            raise

    def _enter(self, door: Door, password: str, ca: str) -> None:
        context = ssl.create_default_context()
        if ca:
            context.load_verify_locations(ca)
        try:
            self._client = _Client(door, self._watch, context)
            if door.security != "tls":  # there is no way without
                self._client.starttls(context)
            self._client.login(door.user, password)
        except BROKEN as error:
            raise self._meaning(error) from None  # their words may hold ours
        try:
            self._state = self._client.select_folder(door.folder)
        except IMAPClientError as error:
            if isinstance(error, imaplib.IMAP4.abort):
                raise self._meaning(error) from None
            raise Trouble(NO_FOLDER.format(door.folder)) from None
        except BROKEN as error:
            raise self._meaning(error) from None

    def look(self, most: int) -> Found:
        try:
            return self._look(most)
        except BROKEN as error:
            raise self._meaning(error) from None

    def _look(self, most: int) -> Found:
        validity = int(self._state.get(b"UIDVALIDITY", 1))
        if self._door.uid_validity == FRESH:
            return Found([], validity, self._highest())
        if self._door.uid_validity in (validity, FROM_THE_START):
            after = self._door.last_uid
            listed = self._client.search(["UID", f"{after + 1}:*"])  # always names the last one
        else:  # the server began to count anew: what was read is known by its fingerprint
            day = datetime.fromtimestamp(self._door.since / 1000, UTC).date() - timedelta(days=2)
            after, listed = 0, self._client.search(["SINCE", day])
        uids = sorted(uid for uid in listed[:MOST_UIDS] if uid > after)
        last = uids[:most][-1] if uids else max(after, self._highest() if after == 0 else after)
        some = [*self._again(validity, after), *uids[:most]]
        sizes = self._client.fetch(some, ["RFC822.SIZE"]) if some else {}
        mails = [Lying(uid, "", int(sizes[uid].get(b"RFC822.SIZE", 0))) for uid in some if uid in sizes]
        return Found(mails, validity, last, more=len(uids) > most)

    def _again(self, validity: int, until: int) -> list[int]:
        """The numbers of mails that were passed and are to be tried again."""
        pairs = [key.partition(".") for key in self._door.again]
        return sorted(int(uid) for known, _, uid in pairs if known == str(validity) and 0 < int(uid) <= until)

    def _highest(self) -> int:
        """The number before that of the next mail."""
        following = self._state.get(b"UIDNEXT")
        if following:
            return int(following) - 1
        return max(self._client.search(["ALL"]), default=0)

    def fetch(self, mail: Lying, most: int) -> bytes | None:
        try:
            found = self._client.fetch([mail.uid], [f"BODY.PEEK[]<0.{most}>"]).get(mail.uid)
        except BROKEN as error:
            raise self._meaning(error) from None
        if found is None:
            return None
        data = next((value for key, value in found.items() if key.startswith(b"BODY[]")), None)
        return data[:most] if isinstance(data, bytes) else b""

    def done(self, mail: Lying) -> None:
        """A folder that may only be read stays as it is."""
        with suppress(*BROKEN):
            self._client.add_flags([mail.uid], [b"\\Seen"], silent=True)

    def aside(self, mail: Lying) -> None:
        """Flagged, and not seen: so it stands out in everybody's mail program."""
        with suppress(*BROKEN):
            self._client.add_flags([mail.uid], [b"\\Flagged"], silent=True)

    def close(self) -> None:
        self._timer.cancel()
        client, self._client = self._client, None
        if client is not None:
            with suppress(*BROKEN):
                if not self._watch.late:
                    client.logout()
            with suppress(*BROKEN):
                client.shutdown()
        self._watch.close()

    def _meaning(self, error: Exception) -> Trouble:
        if isinstance(error, Refused):
            return Trouble(self._watch.refused or SLOW)
        if self._watch.late or isinstance(error, TimeoutError):
            return Trouble(SLOW)
        if isinstance(error, LoginError):
            return Trouble(REFUSED_US)
        if isinstance(error, ssl.SSLCertVerificationError):
            return Trouble(CERTIFICATE.format(self._door.host))
        if isinstance(error, OSError):
            return Trouble(NOT_REACHED.format(type(error).__name__))
        return Trouble(NO_SENSE.format(type(error).__name__))
