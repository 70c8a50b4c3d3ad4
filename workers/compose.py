"""A mail as it travels. Nothing that a person wrote becomes a header of its own, and nothing in it is left to chance.

The parts are put together with the older half of the `email` package: its newer one parses every header that it is
given, which takes three times as long as sending the mail does.
"""

import binascii
import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime
from email.header import Header
from email.message import Message
from email.mime.image import MIMEImage
from email.mime.multipart import MIMEMultipart
from email.mime.nonmultipart import MIMENonMultipart
from email.policy import Compat32
from email.utils import format_datetime, formataddr, parseaddr
from typing import cast

from email_validator import EmailNotValidError, validate_email

from tasks.errors import JobError
from tasks.outgoing import Outgoing

LONGEST_SUBJECT = 200
NO_ADDRESS = "This is not an address that mail can reach. Correct it, then ask for the mail again."
TRAVELS = Compat32(linesep="\r\n", max_line_length=76)
_BREAKS = re.compile(r"\r\n|[\r\n]")
_NAMES = re.compile(r"[^A-Za-z0-9_-]")


@dataclass(frozen=True, slots=True)
class Sender:
    """Who writes, and the host that ids are made of."""

    name: str
    address: str
    site: str  # the host of our pages

    @classmethod
    def parsed(cls, text: str, origin: str) -> "Sender":
        name, address = parseaddr(text)
        return cls(name, address, origin.partition("://")[2].partition(":")[0].strip("[]") or "localhost")

    @property
    def domain(self) -> str:
        return self.address.partition("@")[2] or "localhost"


def recipient(to: str) -> str:
    """An address as servers take it, its domain in ASCII.

    Raises:
        JobError: it is none, or more than one, or holds what would be read as a header.
    """
    try:
        found = validate_email(to, check_deliverability=False, globally_deliverable=False)
    except EmailNotValidError as error:
        raise JobError(NO_ADDRESS) from error
    return found.ascii_email or f"{found.local_part}@{found.ascii_domain}"


def subject(text: str) -> str:
    """One line of what can be printed."""
    plain = "".join(" " if unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp") else sign for sign in text)
    return " ".join(plain.split())[:LONGEST_SUBJECT]


def headers(mail: Outgoing, sender: Sender) -> dict[str, str]:
    """What programs read: that a machine wrote this, and how to get no more of it (RFC 2919, 2369, 8058)."""
    found = {"Auto-Submitted": "auto-generated"}
    if mail.stop_url:
        kind = re.sub(r"[^a-z0-9]+", "-", mail.stop.lower()).strip("-")
        found["List-Id"] = f"<{kind[:60]}.{sender.site}>"
        found["List-Unsubscribe"] = f"<{mail.stop_url}>"
        found["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return found


def message_id(mail: Outgoing, sender: Sender) -> str:
    return f"<{mail.id}@{sender.domain}>"


def compose(mail: Outgoing, to: str, sender: Sender) -> bytes:
    """The bytes of a mail; its Message-ID is the delivery's id, so that a repeat can be recognised.

    Args:
        to: as `recipient` gave it.
    """
    message = _body(mail, sender)
    message["From"] = formataddr((sender.name, sender.address))
    message["To"] = f"<{to}>"
    message["Subject"] = _encoded(subject(mail.subject))
    message["Date"] = format_datetime(datetime.now(UTC))
    message["Message-ID"] = message_id(mail, sender)
    for name, value in headers(mail, sender).items():
        message[name] = value
    message["MIME-Version"] = "1.0"
    return message.as_bytes(policy=TRAVELS)


def _encoded(plain: str) -> str:
    """What looks like an encoded word is encoded itself: it is shown as it was written, and never decoded."""
    if plain.isascii() and "=?" not in plain:
        return plain
    return cast(str, Header(plain, "utf-8", header_name="Subject"))  # typing knows no headers but plain ones


def _body(mail: Outgoing, sender: Sender) -> Message:
    text = _text("plain", mail.text)
    if not mail.html:
        del text["MIME-Version"]
        return text
    both = MIMEMultipart("alternative")
    del both["MIME-Version"]
    both.attach(text)
    both.attach(_rich(mail, sender))
    return both


def _rich(mail: Outgoing, sender: Sender) -> Message:
    """The HTML, and around it the pictures that it shows."""
    html, shown = named(mail, sender)
    page = _text("html", html)
    if not shown:
        return page
    related = MIMEMultipart("related", type="text/html")
    related.attach(page)
    for (name, content_id), data in shown.items():
        image = MIMEImage(data, "png")
        image["Content-ID"] = f"<{content_id}>"
        image["Content-Disposition"] = f'inline; filename="{name}.png"'
        related.attach(image)
    return related


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


def _text(kind: str, text: str) -> Message:
    """A part in UTF-8 whose lines are short, whatever stands in them."""
    part = MIMENonMultipart("text", kind, charset="utf-8")
    lines = _BREAKS.sub("\n", text.replace("\0", "")).encode("utf-8", "replace")
    part["Content-Transfer-Encoding"] = "quoted-printable"
    part.set_payload(binascii.b2a_qp(lines, quotetabs=False, istext=True).decode("ascii"))
    return part
