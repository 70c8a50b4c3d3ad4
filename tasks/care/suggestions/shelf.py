"""Indexes that were loaded, once for each process: by their key, the least used dropped first when they are many."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import BinaryIO

from tasks.care.suggestions.index import Index, load

MOST_BYTES = 256 * 1024 * 1024  # of all together; the last one asked for is kept whatever its size


class Shelf:
    """Thread-safe.

    Args:
        fetch: opens the bytes under a key, as `Storage.open`.
    """

    def __init__(self, fetch: Callable[[str], BinaryIO], most_bytes: int = MOST_BYTES) -> None:
        self._fetch, self._most = fetch, most_bytes
        self._held: OrderedDict[tuple[str, bool], Index] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: str, articles_alone: bool = False) -> Index:
        """The index under a key; `articles_alone`: without anything of tickets.

        Raises:
            FileNotFoundError: it is gone: a newer one has taken its place.
            Unreadable: as of `load`.
        """
        with self._lock:  # also while it loads: two of one would take twice the memory
            found = self._held.get((key, articles_alone))
            if found is None:
                with self._fetch(key) as stream:
                    found = load(stream, articles_alone)
            self._held[key, articles_alone] = found
            self._held.move_to_end((key, articles_alone))
            while len(self._held) > 1 and sum(each.size for each in self._held.values()) > self._most:
                self._held.popitem(last=False)
            return found
