"""A mail's bytes as what it says: who wrote, what is new in it, its files, and whether a machine wrote it."""

import hashlib
import re
from dataclasses import dataclass, field
from email.errors import MessageError
from email.message import Message
from email.parser import BytesParser
from email.policy import compat32

from tasks.care.mail import headers, kinds, parts, quotes
from tasks.care.mail import words as html_words
from tasks.care.mail.headers import BROKEN, ODD, decoded, words
from tasks.care.mail.kinds import Bounce
from tasks.care.mail.parts import Attachment, Parts

LONGEST_TEXT, LONGEST_QUOTED = 100_000, 100_000  # signs that are kept
LONGEST_WORDS = 2_000_000  # signs of all its texts together that are looked at; of HTML, `words.LONGEST_HTML`
MOST_BOUNDARIES = 100
MOST_STEPS = 8_000_000  # boundaries times lines: what the parser of the standard library looks at
A_LITTLE = 200_000  # bytes of a mail that cannot be unpacked, shown as they are
NO_TEXT = "This mail holds no words."
CUT = "This mail is very long; its end was left out."
TOO_BIG = "This mail has {}, more than is read; only its beginning was, and its files may be missing."
NOT_UNPACKED = "This mail is packed in a way that would take too long to unpack; its beginning is shown as it came."
REPLY_TO = "Answers are wanted at another address: {}."
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff]")


@dataclass(frozen=True, slots=True)
class Mail:
    """What a mail says. Everything in it is what its sender wants it to be.

    Attributes:
        fingerprint: the same for the same mail, however often and to whichever mailbox it comes.
        message_id: without brackets; "" for one that has none.
        sender, name: of From; the address in lower case, "" if no mail could reach it.
        to: all addresses it was sent to, as far as it says.
        copies: those of To and Cc alone.
        references: ids of the mails that it answers, oldest first.
        text, quoted: what is new, and what it repeats of earlier mails, with the signature.
        remarks: what was left out, and why, in whole sentences.
        automatic: "" for a person's, or what kind of machine wrote it (`kinds`).
        loops: whose loop marks (X-Loop) it carries.
    """

    fingerprint: str
    message_id: str
    sender: str
    name: str
    to: tuple[str, ...]
    copies: tuple[str, ...]
    references: tuple[str, ...]
    subject: str
    text: str
    quoted: str = ""
    files: tuple[Attachment, ...] = ()
    remarks: tuple[str, ...] = ()
    automatic: str = ""
    bounce: Bounce | None = None
    loops: tuple[str, ...] = ()
    tokens_in: str = field(default="", repr=False)  # all of its words, cut, for a line with a token


def read(raw: bytes, size: int | None = None) -> Mail:
    """Read a mail. Never an exception, and in a time bounded by its size.

    Args:
        raw: its bytes, or its beginning.
        size: of all of it, if `raw` is only the beginning.
    """
    message, whole = _parsed(raw)
    found = Parts()
    if whole:
        try:
            found = parts.unpack(message)
        except BROKEN:
            whole, found = False, Parts()
    if not whole:
        found.remark(NOT_UNPACKED)
        found.blocks.append(("plain", _as_it_came(raw)))
    if size is not None and size > len(raw):
        found.remark(TOO_BIG.format(f"{size / 1_000_000:.0f} MB"))
    try:
        return _made(message, found, raw)
    except BROKEN:
        return head_alone(raw)


def head_alone(raw: bytes) -> Mail:
    """Who wrote and about what, with the mail's beginning as it came: nothing of it is unpacked or laid out."""
    text = _clean(_as_it_came(raw))
    try:
        message = BytesParser(policy=compat32).parsebytes(_head(raw), headersonly=True)
        return _made(message, Parts(remarks=[NOT_UNPACKED]), raw, (text, "", text))
    except BROKEN:  # not even that: it is known by its bytes alone
        fingerprint = hashlib.sha256(raw).hexdigest()
        return Mail(fingerprint, "", "", "", (), (), (), "", text[:LONGEST_TEXT], remarks=(NOT_UNPACKED,))


def _as_it_came(raw: bytes) -> str:
    return parts.told(_body(raw)[:A_LITTLE], "utf-8")[0]


def _parsed(raw: bytes) -> tuple[Message, bool]:
    """The mail with its parts, or only its headers, where to look for its parts would take too long."""
    boundaries = raw.lower().count(b"boundary")
    if boundaries <= MOST_BOUNDARIES and (boundaries + 1) * max(raw.count(b"\n"), raw.count(b"\r")) <= MOST_STEPS:
        try:
            return BytesParser(policy=compat32).parsebytes(raw), True
        except (*ODD, MessageError, RecursionError):
            pass
    try:
        return BytesParser(policy=compat32).parsebytes(_head(raw), headersonly=True), False
    except (*ODD, MessageError):
        return Message(), False


def _head(raw: bytes) -> bytes:
    return re.split(rb"\r?\n\r?\n", raw[:A_LITTLE], maxsplit=1)[0] + b"\r\n\r\n"


def _body(raw: bytes) -> bytes:
    found = re.split(rb"\r?\n\r?\n", raw[: 2 * A_LITTLE], maxsplit=1)
    return found[1] if len(found) == 2 else b""


def _made(message: Message, found: Parts, raw: bytes, said: tuple[str, str, str] | None = None) -> Mail:
    text, quoted, told = _words(found) if said is None else said
    sender, name = headers.sender(message)
    ids = headers.ids(headers.every(message, "message-id"))
    message_id = ids[0] if ids else ""
    automatic = kinds.automatic(message, found.kinds)
    back = kinds.bounce(found.reports, told) if automatic == kinds.BOUNCE else None
    return Mail(
        fingerprint=_fingerprint(message, message_id, sender, raw),
        message_id=message_id,
        sender=sender,
        name=name,
        to=headers.addresses(headers.every(message, "to", "cc", "delivered-to", "x-original-to", "envelope-to")),
        copies=headers.addresses(headers.every(message, "to", "cc")),
        references=headers.ids(headers.every(message, "references", "in-reply-to")),
        subject=words(decoded(headers.raw(message, "subject")), 200),
        text=text,
        quoted=quoted,
        files=tuple(found.files),
        remarks=tuple(_remarks(message, found, sender, text)),
        automatic=automatic,
        bounce=back,
        loops=tuple(each.lower() for each in headers.every(message, "x-loop")),
        tokens_in=told,
    )


def _words(found: Parts) -> tuple[str, str, str]:
    """What is new, what is repeated, and all of it."""
    told: list[str] = []
    repeated: list[str] = []
    left = {"plain": LONGEST_WORDS, "html": html_words.LONGEST_HTML}
    for kind, block in found.blocks[: parts.MOST_FILES]:
        most = left[kind]
        left[kind] -= min(len(block), most)
        text, rest, cut = html_words.to_text(block, most) if kind == "html" else (block[:most], "", len(block) > most)
        told.append(_clean(text))
        repeated += [_clean(rest)] if rest.strip() else []
        if cut:
            found.remark(CUT)
    everything = "\n\n".join(each.strip("\n") for each in told if each.strip())
    new, quoted = quotes.split(everything)
    quoted = "\n\n".join(each for each in (quoted, *repeated) if each.strip())
    if len(new) > LONGEST_TEXT:
        found.remark(CUT)
    whole = f"{everything[:LONGEST_TEXT]}\n{everything[-LONGEST_QUOTED:]}\n{quoted[-LONGEST_QUOTED:]}"
    return new[:LONGEST_TEXT], quoted[:LONGEST_QUOTED], whole


def _clean(text: str) -> str:
    """Lines that every database keeps and every page shows."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u00a0", " ")
    return _CONTROLS.sub("", text)


def _remarks(message: Message, found: Parts, sender: str, text: str) -> list[str]:
    remarks = list(found.remarks)
    if not text.strip():
        remarks.insert(0, NO_TEXT)
    wanted = headers.addresses(headers.every(message, "reply-to"))
    if wanted and sender not in wanted:
        remarks.append(REPLY_TO.format(wanted[0]))
    return remarks


def _fingerprint(message: Message, message_id: str, sender: str, raw: bytes) -> str:
    """Of Message-ID, sender and date; of a mail without an id, of its subject and body, too."""
    said = [message_id, sender or headers.raw(message, "from"), headers.raw(message, "date")]
    if not message_id:
        said += [headers.raw(message, "subject"), hashlib.sha256(_after_head(raw)).hexdigest()]
    return hashlib.sha256("\n".join(said).encode("utf-8", "replace")).hexdigest()


def _after_head(raw: bytes) -> bytes:
    """The body alone: each server on the way adds a line to the head."""
    starts = [at for mark in (b"\n\n", b"\r\n\r\n") if (at := raw.find(mark)) >= 0]
    return raw[min(starts) :] if starts else raw
