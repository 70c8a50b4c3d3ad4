"""Indexes that were loaded, for each process: by their key, the least used dropped first when memory is short.

What customers ask has a shelf of its own: it waits for no index of tickets, and none of these takes its place. One
desk's loading keeps nobody else waiting. An index stays for a while before another desk's may take its place: two
large ones that are asked in turn would else load at each question, and so does one of them only until then.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO
from weakref import WeakValueDictionary

from tasks.care.suggestions.index import Index, load

MOST_BYTES, MOST_OF_ARTICLES = 256 * 1024 * 1024, 64 * 1024 * 1024  # of all together
STAYS = 60.0  # seconds
AT_ONCE = 4  # that load at the same moment: each is in memory, whether it is kept or not


@dataclass(slots=True)
class _Held:
    index: Index
    since: float


class _One:
    """A lock that somebody waits at; gone when nobody does."""

    def __init__(self) -> None:
        self.lock = threading.Lock()


class Shelf:
    """Thread-safe.

    Args:
        fetch: opens the bytes under a key, as `Storage.open`.
        most_bytes, most_of_articles: of what is kept with tickets, and of articles alone.
        now: seconds of a clock that never goes back.
    """

    def __init__(
        self,
        fetch: Callable[[str], BinaryIO],
        most_bytes: int = MOST_BYTES,
        most_of_articles: int = MOST_OF_ARTICLES,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tickets = _Board(fetch, False, most_bytes, now)
        self._articles = _Board(fetch, True, most_of_articles, now)

    def get(self, key: str, articles_alone: bool = False) -> Index:
        """The index under a key; `articles_alone`: without anything of tickets.

        Raises:
            FileNotFoundError: it is gone: a newer one has taken its place.
            Unreadable: as of `load`.
        """
        return (self._articles if articles_alone else self._tickets).get(key)

    def held(self) -> list[tuple[str, bool]]:
        """What is kept: keys, and whether of articles alone."""
        return [(key, board is self._articles) for board in (self._tickets, self._articles) for key in board.held]


class _Board:
    """One of the two."""

    def __init__(
        self, fetch: Callable[[str], BinaryIO], articles_alone: bool, most: int, now: Callable[[], float]
    ) -> None:
        self._fetch, self._articles_alone, self._most, self._now = fetch, articles_alone, most, now
        self.held: OrderedDict[str, _Held] = OrderedDict()
        self._lock = threading.Lock()  # for a moment only, never while something loads
        self._ones: WeakValueDictionary[str, _One] = WeakValueDictionary()
        self._loading = threading.BoundedSemaphore(AT_ONCE)

    def get(self, key: str) -> Index:
        if (found := self._known(key)) is not None:
            return found
        one = self._one(key)  # held by a name: it is gone when nobody does
        with one.lock:  # two of one would take twice the memory
            if (found := self._known(key)) is not None:
                return found
            with self._loading, self._fetch(key) as stream:
                made = load(stream, self._articles_alone)
            self._keep(key, made)
            return made

    def _known(self, key: str) -> Index | None:
        with self._lock:
            if (found := self.held.get(key)) is None:
                return None
            self.held.move_to_end(key)
            return found.index

    def _one(self, key: str) -> _One:
        with self._lock:
            one = self._ones.get(key)
            if one is None:
                one = self._ones[key] = _One()
            return one

    def _keep(self, key: str, made: Index) -> None:
        """If there is room, or those that have been here for their time make it; else it was read for this once."""
        with self._lock:
            now = self._now()
            room = self._most - sum(each.index.size for each in self.held.values())
            leave = []
            for other, each in self.held.items():  # the least used first
                if room >= made.size:
                    break
                if now - each.since >= STAYS:
                    leave.append(other)
                    room += each.index.size
            if room >= made.size or len(leave) == len(self.held):  # one alone is kept whatever its size
                for other in leave:
                    del self.held[other]
                self.held[key] = _Held(made, now)
