"""Counts what is odd, line by line, and keeps the first lines of each kind."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from tasks.metering.files.found import FIRST


@dataclass(slots=True)
class Count:
    """How often, in which lines first, and what stood there."""

    count: int = 0
    lines: list[int] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    most: int = 0

    def add(self, lines: Iterable[int], count: int | None = None) -> None:
        given = list(lines)
        self.count += len(given) if count is None else count
        if len(self.lines) < FIRST:
            self.lines.extend(int(line) for line in given[: FIRST - len(self.lines)])

    def say(self, word: str) -> None:
        if len(self.words) < FIRST and word not in self.words:
            self.words.append(word[:60])


class Tally(dict[str, Count]):
    """A count for each kind; `tally["repeat"].add([7, 9])`."""

    def __missing__(self, kind: str) -> Count:
        return self.setdefault(kind, Count())

    def note(self, kind: str, lines: Iterable[int], *words: str) -> None:
        given = list(lines)
        if given:
            self[kind].add(given)
            for word in words:
                self[kind].say(word)
