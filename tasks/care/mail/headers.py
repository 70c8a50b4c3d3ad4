"""The lines at the head of a mail: cut to a length before anything looks at them, then decoded."""

import re
import struct
import unicodedata
import zlib
from binascii import Error as BinasciiError
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message
from email.utils import parseaddr

from email_validator import EmailNotValidError, validate_email

# What the `email` package lets out when a mail has not the shape that it expects.
ODD = (ArithmeticError, AssertionError, AttributeError, BinasciiError, LookupError, MessageError, TypeError, ValueError)
# What a library lets out that is not up to a mail: all that the language itself raises, but what ends a program.
BROKEN = (*ODD, BufferError, EOFError, ImportError, MemoryError, NameError, OSError, RuntimeError, StopIteration,
          SyntaxError, SystemError, struct.error, zlib.error)  # fmt: skip
LONGEST, LONGEST_LIST = 2_000, 30_000  # signs of one header; of one that lists addresses or ids
MOST_IDS, MOST_ADDRESSES = 100, 100
_FOLD = re.compile(r"\r?\n[ \t]*")
_ID = re.compile(r"<([^<>\s\x00-\x20\x7f]{1,250})>")
_ADDRESS = re.compile(r"[^\s<>,;:\"()\[\]@]{1,64}@[a-z0-9.\-]{1,253}")


def raw(message: Message, name: str, most: int = LONGEST) -> str:
    """The first header of this name, unfolded, its bytes beyond ASCII as UTF-8 or else Windows-1252; "" without."""
    return _one(next((value for key, value in message.raw_items() if key.lower() == name), ""), most)


def every(message: Message, *names: str) -> list[str]:
    """All headers of these names (lower case), up to 50."""
    found = [value for key, value in message.raw_items() if key.lower() in names]
    return [_one(value, LONGEST_LIST) for value in found[:50]]


def _one(value: object, most: int) -> str:
    data = str(value)[:most].encode("utf-8", "surrogateescape")
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = data.decode("cp1252", "replace")
    return _FOLD.sub(" ", text).strip()


def decoded(value: object) -> str:
    """With its encoded words (RFC 2047) in the clear; as it stands where they are broken."""
    text = _one(value, LONGEST)
    if "=?" not in text:
        return text
    try:
        return str(make_header(decode_header(text)))
    except ODD:
        return text


def words(text: str, most: int) -> str:
    """One line of what can be shown and stored."""
    plain = "".join(
        " " if unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp") else sign for sign in text[: most * 4]
    )
    return " ".join(plain.split())[:most]


def sender(message: Message) -> tuple[str, str]:
    """The address of From, lower case, and its name; "" for one that no mail could reach."""
    given = raw(message, "from")
    try:
        name, address = parseaddr(given)
    except (*ODD, RecursionError):  # of brackets in brackets
        return "", ""
    return plain_address(address), words(decoded(name), 120)


def plain_address(text: str) -> str:
    """An address as it is kept, lower case; "" if it is none."""
    try:
        found = validate_email(text.strip(), check_deliverability=False, globally_deliverable=False)
    except (EmailNotValidError, *ODD):
        return ""
    address = found.normalized.lower()
    return address if len(address) <= 254 else ""


def addresses(values: list[str]) -> tuple[str, ...]:
    """Whatever looks like an address in some headers, lower case, in their order."""
    found = [each for value in values for each in _ADDRESS.findall(value.lower())[:MOST_ADDRESSES]]
    return tuple(dict.fromkeys(found))[:MOST_ADDRESSES]


def ids(values: list[str]) -> tuple[str, ...]:
    """The Message-IDs in some headers, without their brackets; the last ones of very many."""
    found = [each for value in values for each in _ID.findall(value)]
    return tuple(dict.fromkeys(found))[-MOST_IDS:]
