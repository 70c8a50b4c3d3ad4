"""The index of a desk: made of texts, kept as arrays in one .npz that runs nothing, and read again."""

import json
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from tasks.care.suggestions import kept, postings
from tasks.care.suggestions.postings import Postings
from tasks.care.suggestions.texts import MOST_PASSAGES, MOST_TICKETS, Passage, Solved
from tasks.care.suggestions.words import likeness, pieces, words

FORM = 2  # of what is written; another one is made anew
NEVER = 2.0  # a bound that nothing reaches
ARTICLE_PARTS = ("meta", "article.")
KINDS = {"ids": "S28", "topic_of": np.int32, "priority_of": np.int8, "answered": np.uint32}


class Unreadable(Exception):
    """These bytes are no index of this form: it is to be made anew."""


@dataclass(frozen=True)
class Bounds:
    """From which agreement on something is LIKELY or PERHAPS right; `checking.check` measures it on the desk's tickets.

    Before there are enough of them no answer is likely, and no topic or priority is suggested.

    Attributes:
        checked: how many of its tickets that was measured on; 0: these are the usual bounds.
        right: which share of the answers above `likely` was right there at least; so for the rest.
    """

    likely: float = NEVER
    perhaps: float = 0.5
    topic_likely: float = NEVER
    topic_perhaps: float = NEVER
    priority_likely: float = NEVER
    priority_perhaps: float = NEVER
    checked: int = 0
    right: float = 0.0
    topic_right: float = 0.0
    priority_right: float = 0.0

    @classmethod
    def read(cls, told: Any) -> "Bounds":
        """Of a dictionary of numbers; ValueError, TypeError or KeyError for another one."""
        numbers = {each.name: float(told[each.name]) for each in fields(cls)}
        if len(told) != len(numbers) or not all(0 <= each <= 1e6 for each in numbers.values()):
            raise ValueError("bounds that are none")
        return cls(**{**numbers, "checked": int(numbers["checked"])})  # type: ignore[arg-type]


@dataclass(frozen=True)
class Texts:
    """Texts by their words and by pieces of these."""

    words: Postings
    pieces: Postings

    @classmethod
    def of(cls, texts: Iterable[str], bm25: bool = False) -> "Texts":
        kept = list(texts)
        return cls(
            postings.build([words(each) for each in kept], bm25), postings.build([pieces(each) for each in kept])
        )

    def arrays(self, name: str) -> dict[str, NDArray[Any]]:
        return self.words.arrays(f"{name}.words") | self.pieces.arrays(f"{name}.pieces")


@dataclass(frozen=True)
class Index:
    """What suggestions come from. All arrays of one kind are as long as one another.

    Attributes:
        asked: the questions of solved tickets; ids, topics (an index into `topics`, -1: none), priorities and the
            likeness of the answers are theirs.
        told: passages of articles; article_ids and numbers are theirs.
    """

    asked: Texts
    ids: NDArray[np.bytes_]
    topic_of: NDArray[np.int32]
    priority_of: NDArray[np.int8]
    answered: NDArray[np.uint32]
    topics: list[str]
    told: Texts
    article_ids: NDArray[np.bytes_]
    numbers: NDArray[np.int32]
    bounds: Bounds = field(default_factory=Bounds)
    made_at: int = 0

    @property
    def size(self) -> int:
        """About how many bytes it takes."""
        return sum(each.size for each in (self.asked.words, self.asked.pieces, self.told.words, self.told.pieces))


def build(tickets: Sequence[Solved], passages: Sequence[Passage], bounds: Bounds | None = None, now: int = 0) -> Index:
    """Make one. Of more than MOST_TICKETS or MOST_PASSAGES the first count: give the newest first."""
    solved, told = tickets[:MOST_TICKETS], passages[:MOST_PASSAGES]
    topics = sorted({each.topic for each in solved if each.topic})
    places = {topic: place for place, topic in enumerate(topics)}
    return Index(
        asked=Texts.of(each.question for each in solved),
        ids=np.array([each.id for each in solved], "S28"),
        topic_of=np.array([places.get(each.topic, -1) for each in solved], np.int32),
        priority_of=np.array([each.priority for each in solved], np.int8),
        answered=np.array([likeness(each.answer) for each in solved], np.uint32),
        topics=topics,
        told=Texts.of(f"{each.title}\n{each.title}\n{each.text}" for each in told),
        article_ids=np.array([each.article for each in told], "S28"),
        numbers=np.array([each.number for each in told], np.int32),
        bounds=bounds or Bounds(),
        made_at=now,
    )


def dump(index: Index) -> bytes:
    """As .npz: arrays of numbers and ids, and one of JSON."""
    meta = {"form": FORM, "topics": index.topics, "bounds": asdict(index.bounds), "made_at": index.made_at}
    arrays = {
        "meta": np.frombuffer(json.dumps(meta).encode(), np.uint8),
        "ticket.ids": index.ids, "ticket.topics": index.topic_of, "ticket.priorities": index.priority_of,
        "ticket.answers": index.answered, "article.ids": index.article_ids, "article.numbers": index.numbers,
    }  # fmt: skip
    arrays |= index.asked.arrays("ticket") | index.told.arrays("article")
    return kept.written(arrays)


def load(stream: IO[bytes], articles_alone: bool = False) -> Index:
    """Read what `dump` wrote. Nothing in it is run: arrays with objects are refused.

    Args:
        articles_alone: leave everything of tickets in the file: for what answers customers.

    Raises:
        Unreadable: it is none, too large, or was written in another form.
    """
    wanted = ARTICLE_PARTS if articles_alone else ("",)
    try:
        return _index(kept.arrays(stream, lambda name: name.startswith(wanted)), articles_alone)
    except _NO_INDEX as error:
        raise Unreadable(str(error)) from error


# What zipfile, numpy's reader of headers and JSON say to bytes that somebody made up.
_NO_INDEX = (
    ValueError, KeyError, TypeError, AttributeError, EOFError, IndexError, OverflowError, MemoryError, RecursionError,
    SyntaxError, tokenize.TokenError, struct.error, zlib.error, zipfile.BadZipFile, NotImplementedError, RuntimeError,
)  # fmt: skip


def _index(arrays: dict[str, NDArray[Any]], articles_alone: bool) -> Index:
    meta = json.loads(arrays["meta"].tobytes())
    if not isinstance(meta, dict) or meta.get("form") != FORM:
        raise Unreadable("another form")
    told = _texts(arrays, "article")
    ids, numbers = arrays["article.ids"], arrays["article.numbers"]
    _same_length(told, ids, numbers)
    if ids.dtype != KINDS["ids"] or numbers.dtype != np.int32:
        raise Unreadable("articles of another kind")
    common: dict[str, Any] = {
        "told": told, "article_ids": ids, "numbers": numbers,
        "bounds": Bounds.read(meta["bounds"]), "made_at": int(meta["made_at"]),
    }  # fmt: skip
    if articles_alone:
        return Index(**_no_tickets(), **common)
    own = {"ids": "ids", "topic_of": "topics", "priority_of": "priorities", "answered": "answers"}
    asked = _texts(arrays, "ticket")
    parts: dict[str, Any] = {name: arrays[f"ticket.{part}"] for name, part in own.items()}
    _same_length(asked, *parts.values())
    if any(parts[name].dtype != kind for name, kind in KINDS.items()):
        raise Unreadable("tickets of another kind")
    topics = [str(each) for each in meta["topics"]]
    if len(parts["topic_of"]) and int(parts["topic_of"].max()) >= len(topics):
        raise Unreadable("topics that are not there")
    return Index(asked=asked, topics=topics, **parts, **common)


def _no_tickets() -> dict[str, Any]:
    return {"asked": Texts.of([]), "topics": [], **{name: np.empty(0, kind) for name, kind in KINDS.items()}}


def _texts(arrays: dict[str, NDArray[Any]], name: str) -> Texts:
    return Texts(postings.read(arrays, f"{name}.words"), postings.read(arrays, f"{name}.pieces"))


def _same_length(texts: Texts, *arrays: NDArray[Any]) -> None:
    if any(len(array) != texts.words.count for array in arrays) or texts.words.count != texts.pieces.count:
        raise Unreadable("arrays of different lengths")


def rebound(index: Index, bounds: Bounds) -> Index:
    """The same with bounds that were measured on it."""
    return replace(index, bounds=bounds)
