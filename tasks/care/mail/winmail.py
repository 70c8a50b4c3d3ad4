"""Outlook's own wrapping of a mail (TNEF, winmail.dat), unwrapped by the `tnefparse` library."""

import logging
import warnings
from dataclasses import dataclass

from tasks.care.mail.headers import BROKEN

MOST = 30_000_000
UNREADABLE = (
    "This mail came in Outlook's own wrapping (winmail.dat), which could not be opened; ask for it as plain text or "
    "as HTML."
)
UNWRAPPED = "Files were unwrapped from Outlook's own wrapping (winmail.dat)."
logging.getLogger("tnefparse").disabled = True  # it logs names of files


@dataclass(frozen=True, slots=True)
class Unwrapped:
    """`kind` of the text is "plain" or "html"; files are (name, bytes)."""

    text: str
    kind: str
    files: list[tuple[str, bytes]]


def unwrap(data: bytes) -> Unwrapped | None:
    """What is inside; None when it cannot be read."""
    if len(data) > MOST or not data.startswith(b"\x78\x9f\x3e\x22"):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from tnefparse import TNEF

            found = TNEF(data, do_checksum=False)
            text, kind = _words(found.body, found.htmlbody)
            files = [(_name(each.long_filename()), bytes(each.data)) for each in found.attachments[:100]]
    except BROKEN:
        return None
    return Unwrapped(text, kind, files)


def _words(body: object, html: object) -> tuple[str, str]:
    plain = _told(body)
    return (plain, "plain") if plain.strip() else (_told(html), "html")


def _told(given: object) -> str:
    if isinstance(given, bytes):
        try:
            return given.decode()
        except UnicodeDecodeError:
            return given.decode("cp1252", "replace")
    return given if isinstance(given, str) else ""


def _name(given: object) -> str:
    return _told(given).strip("\0 ")[:200] or "file"
