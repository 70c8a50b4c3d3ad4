"""Texts as fingerprints: words, pairs of words and pieces of words, which find “pasword” by “password”.

A term is kept as the CRC-32 of its letters: an index names no words, and needs no vocabulary of strings. In 300,000
terms about ten share a fingerprint with another, which no ranking notices.
"""

import itertools
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from zlib import crc32

LONGEST = 1500  # characters of a text that count: what somebody wants stands at the beginning
PIECE = 4
MOST_TERMS = 160  # of one text in each index: bounds its memory
_WORD = re.compile(r"\w+", re.UNICODE)
_NUMBER = re.compile(r"\d{5,}")
# Words that say what nobody asks for. Few: that a word is common, the index itself finds out.
_EMPTY = frozenset(
    re.findall(
        r"\w+",
        "a an and are as at be been but by can could do does for from had has have hello hi how i if in is it its me "
        "my of on or please so thank thanks that the their them then there they this to us was we were what when which "
        "will with would you your",
    )
)
_GREETING = re.compile(
    r"(?i)^\s*(?:dear|hello|hi|hey|good (?:morning|afternoon|evening)|greetings)\b[^\n]{0,60}[,!.:]?\s*$"
)
_PARTING = re.compile(
    r"(?i)^\s*(?:(?:kind|best|warm|many)\s+(?:regards|wishes|thanks)|regards|sincerely|yours\b.{0,20}|cheers"
    r"|best|thank you|thanks|-- ?)[,.!]?\s*$"
)


def plain(text: str) -> str:
    """In small letters without accents, bounded; long numbers, which are of one order or customer, are one word."""
    bare = unicodedata.normalize("NFKD", text[:LONGEST].casefold())
    kept = "".join(sign for sign in bare if not unicodedata.combining(sign))
    return _NUMBER.sub("00000", kept)


def words(text: str) -> Counter[int]:
    """Words and pairs of neighbours, by fingerprint; those that say nothing are left out."""
    found = [each for each in _WORD.findall(plain(text)) if each not in _EMPTY]
    pairs = (f"{one} {two}" for one, two in itertools.pairwise(found))
    return _counted([*found, *pairs])


def pieces(text: str) -> Counter[int]:
    """Runs of four letters within a word and its two edges."""
    return _counted(_pieces(text))


def _pieces(text: str) -> Iterator[str]:
    for word in _WORD.findall(plain(text)):
        if word not in _EMPTY:
            edged = f" {word} "
            yield from (edged[at : at + PIECE] for at in range(max(1, len(edged) - PIECE + 1)))


def _counted(terms: "Iterator[str] | list[str]") -> Counter[int]:
    found = Counter(crc32(term.encode("utf-8", "replace")) for term in terms)
    return found if len(found) <= MOST_TERMS else Counter(dict(found.most_common(MOST_TERMS)))


def spoken(text: str) -> str:
    """An answer without the greeting that names somebody and without the parting words and the name under them."""
    lines = text.strip().splitlines()
    while lines and (not lines[0].strip() or _GREETING.match(lines[0])):
        lines.pop(0)
    for number in range(len(lines) - 1, max(-1, len(lines) - 9), -1):
        if number and _PARTING.match(lines[number]):
            lines = lines[:number]
            break
    return "\n".join(lines).strip()


def likeness(text: str) -> int:
    """A fingerprint that answers share which differ in greeting, numbers, spaces and signs alone; 0: of no words."""
    bare = re.sub(r"\d+", "0", plain(spoken(text)))
    found = _WORD.findall(bare)
    return crc32(" ".join(found).encode("utf-8", "replace")) if found else 0


def passages(title: str, body: str, longest: int = 700) -> list[str]:
    """An article in passages of whole paragraphs, none much longer than `longest`; one at least, if there are words."""
    made: list[str] = []
    for paragraph in re.split(r"\n\s*\n", body.strip()):
        for part in _cut(paragraph.strip(), longest):
            if made and len(made[-1]) + len(part) < longest:
                made[-1] = f"{made[-1]}\n\n{part}"
            else:
                made.append(part)
    return [each for each in made if each] or ([title] if title.strip() else [])


def _cut(paragraph: str, longest: int) -> Iterator[str]:
    """By lines, and those by sentences or, where there are none, by length."""
    held = ""
    for piece in re.split(r"(?<=\n)|(?<=[.!?] )", paragraph):
        while len(piece) > longest:
            yield from filter(None, (held.strip(), piece[:longest]))
            held, piece = "", piece[longest:]
        if len(held) + len(piece) > longest:
            yield held.strip()
            held = ""
        held += piece
    yield held.strip()
