"""What an index is made of. Loads no numpy: the pages that lead to it do not need it."""

from dataclasses import dataclass

MOST_TICKETS, MOST_PASSAGES = 50_000, 20_000


@dataclass(frozen=True, slots=True)
class Solved:
    """A ticket that was solved: what was asked (subject and text), what was answered at last, where it belonged."""

    id: str
    question: str
    answer: str
    topic: str
    priority: int


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a published article, with its title."""

    article: str
    number: int
    title: str
    text: str
