"""What a mail is made of: its words, its files, and what could not be read.

The old policy of the `email` package reads the structure: the new one parses each structured header by a grammar that
takes seconds for one made to hurt, and raises on some. Values are cut first and decoded here.
"""

import binascii
import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import Message

from tasks.care.mail import winmail
from tasks.care.mail.headers import ODD, decoded, words

MOST_FILES, DEEPEST, LONGEST_PART = 100, 20, 2_000_000
SMALL_PICTURE = 2_000  # bytes of an inline picture that is a logo or counts who reads
# Encodings that Python knows as text and no mail has; some take a time that grows with the square.
_NO_CHARSETS = {"punycode", "idna", "unicode-escape", "raw-unicode-escape", "undefined", "mbcs", "oem", "utf-7"}
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]+")
_SIGNATURES = {"application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature"}
_LOCKED = {"multipart/encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime"}
_TNEF = {"application/ms-tnef", "application/vnd.ms-tnef"}
ENCRYPTED = "This mail is encrypted, and there is no key for it here; ask for it without."
DAMAGED = "“{}” came damaged: part of it may be missing."
BODY_DAMAGED = "The text of this mail came damaged: part of it may be missing."
CHARSET = "The text of this mail is not written in the alphabet that it names; some letters may be wrong."
TOO_DEEP = "This mail is packed too deep; what lies deeper was left out."
TOO_MANY = "This mail has more than 100 files; the rest was left out."
SMALL_ONES = "Small pictures inside this mail, as logos, were left out."


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file as it came: name and kind are what the sender says, and hostile."""

    name: str
    media_type: str
    data: bytes


@dataclass(slots=True)
class Parts:
    """What a walk found. `blocks` are the pieces of the text in their order: ("plain" or "html", text)."""

    blocks: list[tuple[str, str]] = field(default_factory=list)
    files: list[Attachment] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    reports: list[Message] = field(default_factory=list)  # message/delivery-status and the mail that they are about
    kinds: set[str] = field(default_factory=set)

    def remark(self, text: str) -> None:
        if text not in self.remarks:
            self.remarks.append(text)


def unpack(message: Message) -> Parts:
    """Walk through a mail, no deeper than 20 levels; mails inside it are kept as files."""
    found = Parts()
    _walk(message, found, 0)
    return found


def _walk(part: Message, found: Parts, depth: int) -> None:
    kind = part.get_content_type()
    found.kinds.add(kind)
    if depth > DEEPEST:
        found.remark(TOO_DEEP)
    elif kind in _LOCKED and part.get_param("smime-type") != "signed-data":
        found.remark(ENCRYPTED)
    elif kind in ("message/delivery-status", "text/rfc822-headers", "message/disposition-notification"):
        found.reports.append(part)
    elif kind == "message/rfc822":
        _mail_inside(part, found)
    elif kind == "multipart/alternative" and part.is_multipart():
        _alternative(part, found, depth)
    elif part.is_multipart():
        for child in _children(part):
            _walk(child, found, depth + 1)
    else:
        _leaf(part, kind, found)


def _children(part: Message) -> list[Message]:
    payload = part.get_payload()
    return [each for each in payload if isinstance(each, Message)] if isinstance(payload, list) else []


def _alternative(part: Message, found: Parts, depth: int) -> None:
    """The plain text if it says anything, else the HTML; files of all of them."""
    tries = []
    for child in _children(part):
        one = Parts()
        _walk(child, one, depth + 1)
        tries.append(one)
        found.files += one.files
        found.reports += one.reports
        found.kinds |= one.kinds
        for text in one.remarks:
            found.remark(text)
    told = [one.blocks for one in tries if any(text.strip() for _, text in one.blocks)]
    plain = next((blocks for blocks in told if all(kind == "plain" for kind, _ in blocks)), None)
    found.blocks += plain or (told[-1] if told else [])


def _leaf(part: Message, kind: str, found: Parts) -> None:
    name = filename(part)
    disposition = str(part.get("Content-Disposition", ""))[:40].strip().lower()
    attached = disposition.startswith("attachment") or (name != "" and kind not in ("text/plain", "text/html"))
    if kind in _SIGNATURES:
        return
    if (kind in ("text/plain", "text/html") and not attached) or kind.startswith("multipart/"):
        found.blocks.append(("html" if kind == "text/html" else "plain", _text(part, found)))
        return
    data, whole = content(part)
    if kind in _TNEF or name.lower() == "winmail.dat":
        _winmail(data, found)
        return
    if kind.startswith("image/") and part.get("Content-ID") and len(data) < SMALL_PICTURE:
        found.remark(SMALL_ONES)
        return
    _keep(Attachment(name or _named(kind), kind, data), found, whole=whole)


def _keep(file: Attachment, found: Parts, *, whole: bool = True) -> None:
    if len(found.files) >= MOST_FILES:
        found.remark(TOO_MANY)
        return
    found.files.append(file)
    if not whole:
        found.remark(DAMAGED.format(file.name[:80]))


def _mail_inside(part: Message, found: Parts) -> None:
    """A mail that was sent along is a file, as it is: what it holds is nobody's words to us."""
    found.reports.append(part)  # a bounce is about it
    inner = _children(part)
    if not inner:
        return
    try:
        data = inner[0].as_bytes()
    except (*ODD, RecursionError):
        found.remark(TOO_DEEP)
        return
    title = words(decoded(inner[0].get("Subject", "")), 60) or "mail"
    _keep(Attachment(f"{title}.eml", "message/rfc822", data), found)


def _winmail(data: bytes, found: Parts) -> None:
    unwrapped = winmail.unwrap(data)
    if unwrapped is None:
        found.remark(winmail.UNREADABLE)
        return
    if unwrapped.text.strip() and not any(text.strip() for _, text in found.blocks):
        found.blocks.append((unwrapped.kind, unwrapped.text[:LONGEST_PART]))
    for name, content_ in unwrapped.files:
        _keep(Attachment(name, "application/octet-stream", content_), found)
    found.remark(winmail.UNWRAPPED)


def filename(part: Message) -> str:
    """The name that a part gives itself, in whichever of four ways; "" without."""
    try:
        given = part.get_filename("")
    except ODD:
        return "file"
    return words(decoded(given), 200)


def _named(kind: str) -> str:
    return {"text/calendar": "invitation.ics", "text/html": "page.html", "text/plain": "text.txt"}.get(kind, "file")


def content(part: Message) -> tuple[bytes, bool]:
    """The bytes of a part, and whether they came whole."""
    coding = str(part.get("Content-Transfer-Encoding", ""))[:40].strip().lower()
    if coding in ("x-uuencode", "uuencode", "uue", "x-uue"):
        return _decoded_by_library(part)
    del part["Content-Transfer-Encoding"]  # so that the library gives its bytes as they came
    raw, _ = _decoded_by_library(part)
    if coding == "base64":
        return _base64(raw)
    if coding == "quoted-printable":
        return binascii.a2b_qp(raw), True
    return raw, coding in ("", "7bit", "8bit", "binary")


def _base64(raw: bytes) -> tuple[bytes, bool]:
    """As much of it as there is: line ends and signs that are none of base64 are left out, a broken end is cut."""
    squeezed = b"".join(raw.split())
    kept = _NOT_BASE64.sub(b"", squeezed)
    strange = len(squeezed) - len(kept) - (len(squeezed) - len(squeezed.rstrip(b"=")))
    if over := len(kept) % 4:
        whole = (over != 1) and squeezed.endswith(b"=" * (4 - over))
        kept = kept[:-1] if over == 1 else kept
        kept += b"=" * (-len(kept) % 4)
    else:
        whole = True
    return binascii.a2b_base64(kept), whole and strange == 0


def _decoded_by_library(part: Message) -> tuple[bytes, bool]:
    try:
        found = part.get_payload(decode=True)
    except ODD:
        return b"", False
    return (found, True) if isinstance(found, bytes) else (b"", False)


def _text(part: Message, found: Parts) -> str:
    data, whole = content(part)
    if not whole:
        found.remark(BODY_DAMAGED)
    text, right = told(data[:LONGEST_PART], _charset(part))
    if not right:
        found.remark(CHARSET)
    return text


def _charset(part: Message) -> str:
    try:
        return str(part.get_content_charset("") or "")
    except ODD:
        return ""


def told(data: bytes, charset: str) -> tuple[str, bool]:
    """Bytes as text, and whether the charset that they name was right. One that is unknown is guessed."""
    for name in _tried(charset):
        try:
            return data.decode(name), name == charset or not charset or charset in ("ascii", "us-ascii")
        except (LookupError, ValueError):
            continue
    return data.decode("cp1252", "replace"), False


def _tried(charset: str) -> Iterator[str]:
    try:
        known = bool(charset) and codecs.lookup(charset).name not in _NO_CHARSETS
    except (LookupError, ValueError):
        known = False
    if known:
        # What names itself Latin-1 is nearly always Windows' own, which has quotation marks in its gaps.
        yield "cp1252" if codecs.lookup(charset).name == "iso8859-1" else charset
    if charset:
        yield charset if known else "utf-8"
    yield "utf-8"
