"""How a line of a file is known again when it comes a second time, in the same file or in one that overlaps.

A line's key is made of its content; its count says how many equal lines stood before it in the file. So two equal
lines of one file are two, the same two in a later file are these two, and a third one there is new.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import islice
from typing import TypeVar

T = TypeVar("T")
LENGTH = 52  # of the hash; a minus and the count follow, and all of it fits into 64


def key_of_entry(on: str, amount: Decimal, payee: str, note: str) -> str:
    """What a bank's line is known by: its day, its amount and its words, whichever column each word stood in."""
    words = sorted(set(re.findall(r"\w+", f"{payee} {note}".casefold())))
    return _short(f"{on}|{amount.normalize():f}|{' '.join(words)}")


def key_of_movement(product: str, kind: str, on: str, quantity: str, note: str) -> str:
    """What a movement is known by."""
    return _short(f"{product}|{kind}|{on}|{Decimal(quantity).normalize():f}|{note.casefold()}")


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:40]


def stem(owner: str, key: str) -> str:
    """The part that equal lines share.

    Args:
        owner: the account or the product that the line is of.
        key: of its content.
    """
    return hashlib.sha256(f"{owner}|{key}".encode()).hexdigest()[:LENGTH]


def fingerprint(owner: str, key: str, count: int) -> str:
    return f"{stem(owner, key)}-{count}"


class Counts:
    """How many equal lines came before. Of each line eight bytes are kept: a hundred thousand take few megabytes."""

    def __init__(self) -> None:
        self._seen: Counter[int] = Counter()

    def next(self, owner: str, key: str) -> int:
        """Which of its equals this one is, from 1."""
        short = int(stem(owner, key)[:16], 16)
        self._seen[short] += 1
        return self._seen[short]


def batched(some: Iterable[T], size: int) -> Iterator[list[T]]:
    """Lists of at most `size`."""
    rest = iter(some)
    while batch := list(islice(rest, size)):
        yield batch
