"""A mail as it travels. Nothing that a person wrote becomes a header of its own, and nothing in it is left to chance.

Its parts are joined here by hand, from encoders of the standard library: the `email` package takes 0.5 to 1.5 ms for a
mail of 9 kB with HTML, more than a server needs to take it.
"""

import base64
import binascii
import re
import secrets
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime
from email.header import Header
from email.utils import format_datetime, formataddr, parseaddr
from urllib.parse import quote, urlsplit

from email_validator import EmailNotValidError, validate_email

from tasks.errors import JobError
from tasks.mailing.outgoing import Enclosed, Outgoing, Thread

LONGEST_SUBJECT = 200
ONE_WORD = 45  # bytes of an encoded word (RFC 2047)
NO_ADDRESS = "This is not an address that mail can reach. Correct it, then ask for the mail again."
# What needs no second look, as nearly all; RFC 5321 allows 64 signs before the “@”.
PLAIN = re.compile(
    r"[A-Za-z0-9_+-]+(\.[A-Za-z0-9_+-]+){0,9}@([A-Za-z0-9][A-Za-z0-9-]{0,61}\.)+[A-Za-z]{2,24}", re.ASCII
)
LONGEST_ADDRESS = 65
_BREAKS = re.compile(r"\r\n|[\r\n]")
_NAMES = re.compile(r"[^A-Za-z0-9_-]")
PLAIN_NAME = re.compile(r"[A-Za-z0-9_. ()-]{1,150}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Sender:
    """Who writes, and the host that ids are made of."""

    name: str
    address: str
    site: str  # the host of our pages
    header: str  # both as a header shows them

    @classmethod
    def parsed(cls, text: str, origin: str) -> "Sender":
        name, address = parseaddr(text)
        site = urlsplit(origin).hostname or "localhost"
        return cls(name, address, site, formataddr((name, address)))

    @property
    def domain(self) -> str:
        return self.address.partition("@")[2] or "localhost"


def recipient(to: str) -> str:
    """An address as servers take it, its domain in ASCII.

    Raises:
        JobError: it is none, or more than one, or holds what would be read as a header.
    """
    if PLAIN.fullmatch(to) and len(to) <= LONGEST_ADDRESS:
        return to
    try:
        found = validate_email(to, check_deliverability=False, globally_deliverable=False)
    except EmailNotValidError as error:
        raise JobError(NO_ADDRESS) from error
    return found.ascii_email or f"{found.local_part}@{found.ascii_domain}"


def subject(text: str) -> str:
    """One line of what can be printed."""
    if text.isprintable():
        return " ".join(text.split())[:LONGEST_SUBJECT]
    plain = "".join(" " if unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp") else sign for sign in text)
    return " ".join(plain.split())[:LONGEST_SUBJECT]


def headers(mail: Outgoing, sender: Sender) -> dict[str, str]:
    """What programs read: that a machine wrote this, and how to get no more of it (RFC 2919, 2369, 8058)."""
    if mail.thread:
        return _of_thread(mail.thread, sender)
    found = {"Auto-Submitted": "auto-generated"}
    if mail.stop_url:
        kind = re.sub(r"[^a-z0-9]+", "-", mail.stop.lower()).strip("-")
        found["List-Id"] = f"<{kind[:60]}.{sender.site}>"
        found["List-Unsubscribe"] = f"<{mail.stop_url}>"
        found["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return found


def _of_thread(thread: Thread, sender: Sender) -> dict[str, str]:
    """To which mails this one belongs (RFC 5322, 3.6.4), and, of an automatic one, that nothing is to answer it.

    RFC 3834 names the first header of those; the second is Exchange's, the third what old programs know.
    """
    ours = [f"<{thread.token}.{each}@{sender.domain}>" for each in thread.earlier]
    asked = [f"<{thread.asked}>"] if thread.asked.isascii() and re.fullmatch(r"[^\s<>]{1,250}", thread.asked) else []
    before = [f"<ticket.{thread.root}@{sender.domain}>", *ours, *asked]
    found = {"In-Reply-To": before[-1], "References": " ".join(before)}
    if thread.inlet:
        found["X-Loop"] = recipient(thread.inlet)
    if thread.automatic:
        found |= {"Auto-Submitted": "auto-replied", "X-Auto-Response-Suppress": "All", "Precedence": "bulk"}
    return found


def from_name(mail: Outgoing, sender: Sender) -> str:
    """The desk's name for a mail about a ticket. The address stays ours: servers refuse another's as forged."""
    return (subject(mail.thread.brand) if mail.thread else "") or sender.name


def message_id(mail: Outgoing, sender: Sender) -> str:
    if mail.thread is None:
        return f"<{mail.id}@{sender.domain}>"
    parts = (mail.thread.token, mail.id, mail.thread.mark)
    return f"<{'.'.join(filter(None, parts))}@{sender.domain}>"


def compose(mail: Outgoing, to: str, sender: Sender) -> bytes:
    """The bytes of a mail; its Message-ID is the delivery's id, so that a repeat can be recognised.

    Args:
        to: as `recipient` gave it.
    """
    # Each of ours is one line and never folded: not every reader of List-Unsubscribe puts a folded one together.
    first = {
        "From": formataddr((from_name(mail, sender), sender.address)) if mail.thread else sender.header,
        **({"Reply-To": recipient(mail.thread.reply_to)} if mail.thread and mail.thread.reply_to else {}),
        "To": to,
        "Subject": _encoded(subject(mail.subject)),
        "Date": format_datetime(datetime.now(UTC)),
        "Message-ID": message_id(mail, sender),
        **headers(mail, sender),
        "MIME-Version": "1.0",
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in first.items())
    return lines.encode() + _body(mail, sender)


def _encoded(plain: str) -> str:
    """What looks like an encoded word is encoded itself: it is shown as it was written, and never decoded."""
    if plain.isascii() and "=?" not in plain:
        return plain
    if len(word := plain.encode()) <= ONE_WORD:  # most are; Header would weigh each sign
        return f"=?utf-8?b?{base64.b64encode(word).decode()}?="
    return Header(plain, "utf-8", header_name="Subject", maxlinelen=75).encode(linesep="\r\n")


def _body(mail: Outgoing, sender: Sender) -> bytes:
    files = mail.thread.files if mail.thread else ()
    said = _words(mail, sender)
    return _together("mixed", said, *map(_file, files)) if files else said


def _file(file: Enclosed) -> bytes:
    """Its name as it is where that is plain, and else as RFC 2231 has it: a program that finds both may take either."""
    name = subject(file.name) or "file"
    named = f'filename="{name}"' if PLAIN_NAME.fullmatch(name) else f"filename*=utf-8''{quote(name[:100], safe='')}"
    head = (
        f"Content-Type: {file.media_type}\r\nContent-Transfer-Encoding: base64\r\n"
        f"Content-Disposition: attachment;\r\n {named}\r\n\r\n"
    )
    return head.encode() + base64.encodebytes(file.data).replace(b"\n", b"\r\n")


def _words(mail: Outgoing, sender: Sender) -> bytes:
    text = _text("plain", mail.text)
    if not mail.html:
        return text
    html, shown = named(mail, sender)
    rich = _text("html", html)
    if shown:
        pictures = (_picture(name, content_id, data) for (name, content_id), data in shown.items())
        rich = _together('related; type="text/html"', rich, *pictures)
    return _together("alternative", text, rich)


def _together(kind: str, *parts: bytes) -> bytes:
    """Parts between boundaries, which stand in none of them: quoted-printable and base64 have no “=_”."""
    mark = f"=_{secrets.token_hex(12)}".encode()
    head = b'Content-Type: multipart/%s; boundary="%s"\r\n\r\n' % (kind.encode(), mark)
    return head + b"".join(b"--%s\r\n%s\r\n" % (mark, part) for part in parts) + b"--%s--\r\n" % mark


def _text(kind: str, text: str) -> bytes:
    """A part in UTF-8 whose lines are short, whatever stands in them."""
    plain = _BREAKS.sub("\n", text.replace("\0", "")).encode("utf-8", "replace")
    head = f'Content-Type: text/{kind}; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n'
    return head.encode() + binascii.b2a_qp(plain, istext=True).replace(b"\n", b"\r\n")


def _picture(name: str, content_id: str, data: bytes) -> bytes:
    head = (
        f"Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\nContent-ID: <{content_id}>\r\n"
        f'Content-Disposition: inline; filename="{name}.png"\r\n\r\n'
    )
    return head.encode() + base64.encodebytes(data).replace(b"\n", b"\r\n")


def named(mail: Outgoing, sender: Sender) -> tuple[str, dict[tuple[str, str], bytes]]:
    """The HTML with ids that no other mail has (RFC 2392), and the pictures by (name, id): those that it shows."""
    html, shown = mail.html, {}
    for picture in mail.pictures:
        name = _NAMES.sub("-", picture.name)
        content_id = f"{name}.{mail.id}@{sender.domain}"
        there = re.compile(rf"""(["'(])cid:{re.escape(picture.name)}(["')])""")
        html, count = there.subn(rf"\1cid:{content_id}\2", html)
        if count:
            shown[name, content_id] = picture.data
    return html, shown
