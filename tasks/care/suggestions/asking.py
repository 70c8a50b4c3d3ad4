"""Asking an index: the answers that fit a question best, the topic and priority of tickets like it, and how sure.

How sure is by how much the nearest tickets agree, not by how near they are: a question in new words is near to many
that were answered otherwise, and they disagree. From where on that is LIKELY or PERHAPS, `checking` measures.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tasks.care.suggestions.index import Index, Texts
from tasks.care.suggestions.postings import Floats
from tasks.care.suggestions.said import ARTICLE, LIKELY, PERHAPS, TICKET, UNSURE, Guess, Hit
from tasks.care.suggestions.words import pieces, words

PIECES = 0.5  # of a score; the rest is the words'
NEAREST = 25  # tickets that are looked at for an answer, a topic and a priority
NEAR = 0.25  # a score below it is far: one ticket alone that shares a word agrees with nobody
# From which score on, and by what share above the next article, a passage answers a customer; by `make bench-tickets`,
# half of whose questions are of matters that no article is about, as no desk has marked ones.
ARTICLE_LIKELY, ARTICLE_PERHAPS, LEAD = 0.4, 0.2, 0.1
RANKS = {LIKELY: 0, PERHAPS: 1, UNSURE: 2}


@dataclass(frozen=True)
class Suggested:
    """What an agent is shown beside a ticket; topics and priorities, the likeliest first."""

    hits: tuple[Hit, ...]
    topics: tuple[Guess, ...]
    priorities: tuple[Guess, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Near tickets that were answered with the same words.

    Attributes:
        places: of theirs in the index, the nearest first.
        score: 0..1, of the nearest.
        agreed: 0..1: which share of all near ones they are, weighed by nearness; less when all are far.
    """

    places: tuple[int, ...]
    score: float
    agreed: float


def scores(texts: Texts, question: str) -> Floats:
    """How much each text is like a question, 0..1."""
    return (1 - PIECES) * texts.words.scores(words(question)) + PIECES * texts.pieces.scores(pieces(question))


def suggest(index: Index, question: str, without: str = "", most: int = 5) -> Suggested:
    """For an agent.

    Args:
        question: subject and text of a ticket.
        without: the id of that ticket, which may be in the index itself.
        most: how many answers.
    """
    found = scores(index.asked, question)
    if without:
        found[index.ids == without.encode()] = 0
    best = nearest(found)
    bounds = index.bounds
    # What is measured of answers is the first one's; the rest are less sure by being agreed on less.
    ranked = [(each.agreed, _hit(index, each)) for each in groups(index, found, best)[:most]]
    ranked += [(hit.score, hit) for hit in articles(index, question)]
    ranked.sort(key=lambda pair: (RANKS[pair[1].sure], -pair[0]))
    hits = tuple(hit for _, hit in ranked[:most])
    topics = votes(index.topic_of[best], found[best], bounds.topic_likely, bounds.topic_perhaps)
    priorities = votes(index.priority_of[best], found[best], bounds.priority_likely, bounds.priority_perhaps)
    named = tuple(replace(guess, value=index.topics[int(guess.value)]) for guess in topics)
    return Suggested(hits, named, tuple(priorities))


def articles(index: Index, question: str, most: int = 3) -> list[Hit]:
    """The best passage of each of the articles that fit best."""
    found = scores(index.told, question)
    best: dict[str, int] = {}
    for place in nearest(found):
        best.setdefault(index.article_ids[place].decode(), int(place))
        if len(best) == most:
            break
    told = [float(found[place]) for place in best.values()]
    lead = 1 - told[1] / told[0] if len(told) > 1 else 1.0
    return [
        Hit(ARTICLE, article, int(index.numbers[place]), score, _told(score, 0.0 if number else lead))
        for number, ((article, place), score) in enumerate(zip(best.items(), told, strict=True))
    ]


def _told(score: float, lead: float) -> str:
    """Of two articles that fit alike none is likely, and where both fit badly neither is told."""
    if lead < LEAD:
        return PERHAPS if score >= ARTICLE_LIKELY else UNSURE
    return sure(score, ARTICLE_LIKELY, ARTICLE_PERHAPS)


def nearest(found: Floats) -> NDArray[np.intp]:
    """The places of the best, the best first; of equal ones the earlier, which is the newer ticket."""
    some = np.argpartition(found, -NEAREST)[-NEAREST:] if len(found) > 4 * NEAREST else np.arange(len(found))
    some = some[found[some] > 0]
    return some[np.lexsort((some, -found[some]))][:NEAREST]


def groups(index: Index, found: Floats, best: NDArray[np.intp]) -> list[Group]:
    """Tickets answered with the same words are one; those that several near tickets got come first."""
    together: dict[int, list[int]] = {}
    for place in best:
        same = int(index.answered[place]) or -int(place) - 1
        together.setdefault(same, []).append(int(place))
    weighed = sorted(((_weight(found, group), group) for group in together.values()), key=lambda pair: -pair[0])
    total = sum(weight for weight, _ in weighed)
    made = []
    for weight, group in weighed:
        score = float(found[group[0]])
        made.append(Group(tuple(group), score, weight / total * min(1.0, score / NEAR)))
    return made


def _weight(found: Floats, group: Sequence[int]) -> float:
    """The cubes of the scores: many that are far do not outweigh one that is near."""
    return float((found[list(group)].astype(np.float64) ** 3).sum())


def _hit(index: Index, group: Group) -> Hit:
    first = index.ids[group.places[0]].decode()
    how = sure(group.agreed, index.bounds.likely, index.bounds.perhaps)
    return Hit(TICKET, first, 0, group.score, how, len(group.places) - 1)


def votes(values: NDArray[np.generic], weights: Floats, likely: float, perhaps: float, most: int = 3) -> list[Guess]:
    """Each near ticket votes by the square of its score; those without a value (below 0) do not."""
    cast = np.asarray(weights, np.float64) ** 2
    held = np.asarray(values, np.int64)
    kept = held >= 0
    total = cast[kept].sum()
    if not total:
        return []
    shares = {int(value): float(cast[held == value].sum() / total) for value in np.unique(held[kept])}
    ranked = sorted(shares.items(), key=lambda pair: (-pair[1], pair[0]))[:most]
    return [Guess(str(value), share, sure(share, likely, perhaps)) for value, share in ranked]


def sure(much: float, likely: float, perhaps: float) -> str:
    return LIKELY if much >= likely else PERHAPS if much >= perhaps else UNSURE
