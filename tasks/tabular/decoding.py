"""From bytes to lines of text: the encoding is told from the whole file, and every line is bounded."""

import codecs
from collections.abc import Iterator
from pathlib import Path

from tasks.errors import JobError

LONGEST_LINE = 50_000  # signs; a line of a table has some hundreds
CHUNK = 1 << 16
MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
ENCODINGS = {
    "utf-8-sig": "UTF-8",
    "utf-16": "UTF-16",
    "cp1252": "Windows, Western Europe (Latin-1)",
    "cp1250": "Windows, Central Europe",
    "cp1251": "Windows, Cyrillic",
    "cp1253": "Windows, Greek",
    "cp1254": "Windows, Turkish",
    "cp850": "DOS",
    "shift_jis": "Japanese",
    "gb18030": "Chinese",
}
FOREIGN = ("cp1251", "koi8_r", "cp1253", "cp1255", "cp1256", "shift_jis", "gb18030", "big5", "euc_kr")
EMPTY = "This file is empty; choose the one that holds your lines."
NULS = "This file holds NUL bytes, so it is no text; export it again as CSV, or in another format that is read here."
TOO_LONG = "Line {} has more than {} signs, so this is no table of lines; export it again, a line for each row."
NOT_SO = "This file is not written in {}; choose another encoding, or let it be found."


def encoding_of(path: Path) -> str:
    """The file's encoding: by its mark, UTF-8 when all of it is, UTF-16 by its zeros, else a guess of its eight bits.

    Raises:
        JobError: there is nothing in it, or it is no text.
    """
    with path.open("rb") as file:
        head = file.read(CHUNK)
    if not head.strip():
        raise JobError(EMPTY)
    for mark, name in MARKS:
        if head.startswith(mark):
            return name
    if b"\0" in head:
        return _wide(head)
    return "utf-8-sig" if _is_utf8(path) else _guessed(head)


def _wide(head: bytes) -> str:
    """UTF-16 without a mark: Latin letters have a zero in every second byte."""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    half = len(head) // 2
    if odd > 0.6 * half and even < 0.1 * half:
        return "utf-16-le"
    if even > 0.6 * half and odd < 0.1 * half:
        return "utf-16-be"
    raise JobError(NULS)


def _is_utf8(path: Path) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _guessed(head: bytes) -> str:
    """Western text has few letters beyond ASCII; only where they are many is another alphabet looked for."""
    from charset_normalizer import from_bytes

    high = sum(byte > 127 for byte in head)
    letters = sum(65 <= byte <= 122 for byte in head)
    if high > 0.3 * letters:
        best = from_bytes(head[:8192], cp_isolation=list(FOREIGN)).best()
        if best is not None:
            return best.encoding
    return "cp1252"


def lines(path: Path, encoding: str) -> Iterator[str]:
    """The file's lines with their ends, one at a time.

    Raises:
        JobError: a line is far too long, there is a NUL in one, or the encoding is another one.
    """
    eight_bits = not encoding.startswith("utf")
    with path.open(encoding=encoding, newline="", errors="replace" if eight_bits else "strict") as file:
        number = 0
        try:
            while line := file.readline(LONGEST_LINE + 1):
                number += 1
                if len(line) > LONGEST_LINE:
                    raise JobError(TOO_LONG.format(number, f"{LONGEST_LINE:,}"))
                if "\0" in line:
                    raise JobError(NULS)
                yield line
        except UnicodeError as error:
            raise JobError(NOT_SO.format(ENCODINGS.get(encoding, encoding))) from error
