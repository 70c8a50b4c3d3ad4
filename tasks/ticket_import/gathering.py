"""All lines of a ticket together, wherever the file has them; in a scratch file, not in memory."""

import json
import sqlite3
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from tasks.ticket_import.reading import Seen

AT_ONCE = 2_000


class Gathered:
    """Lines that were put down, to be taken up ticket by ticket.

    Args:
        path: of a file that is not there yet; whoever made its folder removes it.
    """

    def __init__(self, path: Path) -> None:
        self._file = sqlite3.connect(path, isolation_level=None)
        self._file.execute("PRAGMA journal_mode=OFF")
        self._file.execute("PRAGMA synchronous=OFF")
        self._file.execute("CREATE TABLE seen (key TEXT, at INTEGER, line INTEGER, rest TEXT)")
        self._waiting: list[tuple[str, int, int, str]] = []
        self.lines = 0

    def __enter__(self) -> "Gathered":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, seen: Seen) -> None:
        rest = json.dumps((seen.moments, seen.values, seen.rest, seen.order), ensure_ascii=False)
        self._waiting.append((seen.key, seen.at, seen.line, rest))
        self.lines += 1
        if len(self._waiting) >= AT_ONCE:
            self._put_down()

    def _put_down(self) -> None:
        self._file.execute("BEGIN")
        self._file.executemany("INSERT INTO seen VALUES (?, ?, ?, ?)", self._waiting)
        self._file.execute("COMMIT")
        self._waiting.clear()

    def tickets(self, most: int) -> Iterator[list[Seen]]:
        """The lines of each ticket, at most so many and one, and the tickets as the file begins with them."""
        self._put_down()
        self._file.execute("CREATE INDEX seen_key ON seen (key, line)")
        first = "SELECT key, min(line) AS line FROM seen GROUP BY key"
        rows = f"SELECT s.key, s.at, s.line, s.rest, f.line FROM ({first}) f JOIN seen s ON s.key = f.key"  # noqa: S608
        ordered = self._file.execute(f"{rows} ORDER BY f.line, s.line")
        for _line, of_one in groupby(ordered, key=lambda row: row[4]):
            found: list[Seen] = []
            for key, at, line, rest, _first in of_one:
                if len(found) <= most:
                    found.append(Seen(line, key, at, *json.loads(rest)))
            yield found
