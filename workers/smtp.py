"""A mail server, by SMTP with STARTTLS or TLS: one connection for many mails, or a new one when it wants that."""

import contextlib
import re
import smtplib
import ssl
from collections.abc import Callable
from functools import cached_property, partial

from deploy.settings import Settings
from tasks.errors import Away, JobError, NoSuchAddress, TryLater
from tasks.mailing.outgoing import Outgoing
from workers.compose import Sender, compose, recipient

TIMEOUT = 30
MAILS_A_CONNECTION = 100  # many servers count, and some hang up after so many
SHUTTING_DOWN = 421
_NO_SUCH = re.compile(rb"5\.1\.(1|2|3|6|10)\b")  # RFC 3463: the address itself is wrong, not the mail
_DOTS = re.compile(rb"(?m)^\.")
TROUBLE = (OSError, smtplib.SMTPException)


class _Before(Exception):
    """The connection ended before the server had anything of this mail: it may go through another one."""


class SmtpMailer:
    """Hands mails to a server."""

    def __init__(self, settings: Settings, sender: Sender) -> None:
        self._settings = settings
        self._sender = sender
        self._server: smtplib.SMTP | None = None
        self._sent = 0  # through this connection
        self._prepared: tuple[str, str, bytes] = ("", "", b"")  # of the next mail: its id, address and bytes

    def prepare(self, mail: Outgoing) -> None:
        with contextlib.suppress(JobError):  # `send` says it again
            to = recipient(mail.to)
            self._prepared = (mail.id, to, compose(mail, to, self._sender))

    def send(self, mail: Outgoing, meanwhile: Callable[[], None] = lambda: None) -> None:
        """Hand a mail to the server.

        Raises:
            Away: no server answers, or it does not let us in.
            TryLater: it says "later" (4xx), or falls silent over this mail.
            JobError: the server refuses this mail for good (5xx), or its address is none.
        """
        found, to, message = self._prepared
        if found != mail.id:
            to = recipient(mail.to)
            message = compose(mail, to, self._sender)
        if self._server and self._sent >= MAILS_A_CONNECTION:
            self.close()
        try:
            self._hand_over(to, message, meanwhile)
        except _Before:
            self._dropped()
            self._anew(to, message, meanwhile)

    def _anew(self, to: str, message: bytes, meanwhile: Callable[[], None]) -> None:
        try:
            self._hand_over(to, message, meanwhile)
        except _Before as error:
            self._dropped()
            raise TryLater("The mail server hung up before it took this mail.") from error

    def close(self) -> None:
        """Say goodbye, if the server still listens."""
        if self._server:
            with contextlib.suppress(*TROUBLE):
                self._server.quit()
        self._dropped()

    def _dropped(self) -> None:
        if self._server:
            self._server.close()
        self._server, self._sent = None, 0

    def _hand_over(self, to: str, message: bytes, meanwhile: Callable[[], None]) -> None:
        used = self._server is not None
        server = self._server = self._server or self._reached()
        self._announce(server, to, used=used)
        try:
            code, said = server.docmd("data")
            if code == 354:
                server.send(_ended(message))
                meanwhile()
                code, said = server.getreply()
        except TROUBLE as error:
            self._dropped()
            raise TryLater(f"The mail server did not answer ({type(error).__name__}).") from error
        self._sent += 1
        if code != 250:
            self._after(server, code)
            raise _refusal(code, said)

    def _announce(self, server: smtplib.SMTP, to: str, *, used: bool) -> None:
        """From whom and to whom. On a connection that was used before, a server may want a new one: then it gets it."""
        options = _options(server, to)
        for number, tell in enumerate((partial(server.mail, self._sender.address, options), partial(server.rcpt, to))):
            try:
                code, said = tell()
            except TROUBLE as error:
                if used:
                    raise _Before from error
                self._dropped()
                raise TryLater(f"The mail server did not answer ({type(error).__name__}).") from error
            if code in (250, 251):
                continue
            if used and (code == SHUTTING_DOWN or (number == 0 and 400 <= code < 500)):
                raise _Before
            self._after(server, code)
            if number and code in (550, 551, 553) and _NO_SUCH.match(said):
                raise NoSuchAddress(str(_refusal(code, said)))
            raise _refusal(code, said)

    def _after(self, server: smtplib.SMTP, code: int) -> None:
        """After a refusal the server is ready for the next mail, or else it gets a new connection."""
        try:
            ready = code != SHUTTING_DOWN and server.rset()[0] == 250
        except TROUBLE:
            ready = False
        if not ready:
            self._dropped()

    def _reached(self) -> smtplib.SMTP:
        try:
            return self._connect()
        except ssl.SSLCertVerificationError as error:
            words = "its certificate is not trusted here: see NIGHTSHIFT_SMTP_CA and NIGHTSHIFT_SMTP_HOST"
            raise Away(f"The mail server was away ({words}).") from error
        except TROUBLE as error:
            code = getattr(error, "smtp_code", "")
            raise Away(f"The mail server was away ({f'{type(error).__name__} {code}'.strip()}).") from error

    @cached_property
    def _context(self) -> ssl.SSLContext:
        """Certificates are checked; SSL_CERT_FILE is OpenSSL's own way to say by which authorities."""
        made = ssl.create_default_context()
        if self._settings.smtp_ca:
            made.load_verify_locations(self._settings.smtp_ca)
        return made

    def _connect(self) -> smtplib.SMTP:
        chosen = self._settings
        where = (chosen.smtp_host, chosen.smtp_port)
        if chosen.smtp_security == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(*where, timeout=TIMEOUT, context=self._context)
        else:
            server = smtplib.SMTP(*where, timeout=TIMEOUT)
        try:
            if chosen.smtp_security == "starttls":
                server.starttls(context=self._context)
            if chosen.smtp_user:
                server.login(chosen.smtp_user, chosen.smtp_password.get_secret_value())
            server.ehlo_or_helo_if_needed()
        except TROUBLE:
            server.close()
            raise
        return server


def _ended(message: bytes) -> bytes:
    """As SMTP wants it: a dot at the beginning of a line is doubled, one alone is the end (RFC 5321, 4.5.2)."""
    return _DOTS.sub(b"..", message.removesuffix(b"\r\n")) + b"\r\n.\r\n"


def _options(server: smtplib.SMTP, to: str) -> list[str]:
    if to.isascii():
        return []
    if not server.has_extn("smtputf8"):
        raise JobError("This mail server takes no addresses with letters beyond ASCII before the “@”. Use another one.")
    return ["SMTPUTF8", "BODY=8BITMIME"]


def _refusal(code: int, words: bytes | str) -> TryLater | JobError:
    said = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    if 400 <= code < 500 or code < 0:
        return TryLater(f"The mail server said {code}: later.")
    return JobError(f"The mail server refused this mail: {code} {' '.join(said.split())[:120]}")
