"""What an assistant says: plain dataclasses, and the port to one that answers elsewhere. Loads no numpy."""

from dataclasses import dataclass, field
from typing import Protocol

LIKELY, PERHAPS, UNSURE = "likely", "perhaps", "unsure"
TICKET, ARTICLE = "ticket", "article"
OWN, WATSON = "own", "watson"
NAMES = {OWN: "the help articles", WATSON: "IBM Watson Assistant"}


@dataclass(frozen=True, slots=True)
class Hit:
    """Something that fits a question.

    Attributes:
        kind: TICKET or ARTICLE.
        id: whose.
        passage: of an article: which of its passages, from 0.
        score: 0..1; how much alike they are.
        sure: LIKELY, PERHAPS or UNSURE.
        others: how many more solved tickets were answered with the same words.
    """

    kind: str
    id: str
    passage: int
    score: float
    sure: str
    others: int = 0


@dataclass(frozen=True, slots=True)
class Guess:
    """A topic's id or a priority, with the share of the most alike tickets that have it."""

    value: str
    share: float
    sure: str


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer with where it is from: the number of a ticket or the title of an article."""

    text: str
    source: str
    score: float
    kind: str = ARTICLE
    id: str = ""
    sure: str = UNSURE
    others: int = 0


@dataclass(frozen=True, slots=True)
class Reply:
    """What a customer is told.

    Attributes:
        by: who answered: a key of NAMES.
        texts: paragraphs, plain.
        answers: of articles, with their sources.
        options: what they may ask next, as buttons.
        person: whether a person should see to it.
        session: of a conversation that goes on elsewhere.
    """

    by: str
    texts: tuple[str, ...] = ()
    answers: tuple[Answer, ...] = ()
    options: tuple[str, ...] = field(default=())
    person: bool = False
    session: str = ""


class Trouble(Exception):
    """An assistant elsewhere did not answer, in one sentence without what was asked and without its key."""


class Elsewhere(Protocol):
    """An assistant that is somebody else's service."""

    name: str  # a key of NAMES

    def ask(self, text: str, who: str, session: str = "") -> Reply:
        """One question.

        Args:
            text: what the customer wrote.
            who: tells people apart without saying who they are.
            session: of an earlier Reply, when the conversation goes on.

        Raises:
            Trouble: there is no answer; ask the own assistant.
        """
