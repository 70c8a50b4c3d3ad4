"""Asking an index: the answers that fit a question best, the topic and priority of tickets like it, and how sure.

How sure is measured, not felt: `check` takes some of the desk's own solved tickets out, one at a time, asks for each,
and finds from which score on four in five (LIKELY) or every other one (PERHAPS) of the first answers was right.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tasks.care.suggestions.index import Bounds, Index, Texts
from tasks.care.suggestions.postings import Floats
from tasks.care.suggestions.said import ARTICLE, LIKELY, PERHAPS, TICKET, UNSURE, Guess, Hit
from tasks.care.suggestions.words import pieces, words

PIECES = 0.5  # of a score; the rest is the words'
NEAREST = 25  # tickets that are looked at for an answer, a topic and a priority
SAMPLED, LEAST = 300, 60  # tickets of a check, and how many there must be
OFTEN, EVERY_OTHER = 0.8, 0.5
NEVER = 2.0
# From which score on a passage answers a customer; by `make bench-tickets`, as no desk has marked ones.
ARTICLE_LIKELY, ARTICLE_PERHAPS = 0.4, 0.2


@dataclass(frozen=True)
class Suggested:
    """What an agent is shown beside a ticket; topics and priorities, the likeliest first."""

    hits: tuple[Hit, ...]
    topics: tuple[Guess, ...]
    priorities: tuple[Guess, ...]


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
    hits = _answers(index, found, best, most)
    hits = sorted([*hits, *articles(index, question)], key=lambda hit: (hit.sure == UNSURE, -hit.score))[:most]
    bounds = index.bounds
    topics = _votes(index.topic_of[best], found[best], bounds.topic_likely, bounds.topic_perhaps)
    priorities = _votes(index.priority_of[best], found[best], bounds.priority_likely, bounds.priority_perhaps)
    named = tuple(replace(guess, value=index.topics[int(guess.value)]) for guess in topics)
    return Suggested(tuple(hits), named, tuple(priorities))


def articles(index: Index, question: str, most: int = 3) -> list[Hit]:
    """The best passage of each of the articles that fit best."""
    found = scores(index.told, question)
    hits: dict[str, Hit] = {}
    for place in nearest(found):
        score, article = float(found[place]), index.article_ids[place].decode()
        sure = _sure(score, ARTICLE_LIKELY, ARTICLE_PERHAPS)
        hits.setdefault(article, Hit(ARTICLE, article, int(index.numbers[place]), score, sure))
        if len(hits) == most:
            break
    return list(hits.values())


def nearest(found: Floats) -> NDArray[np.intp]:
    """The places of the best, the best first; of equal ones the earlier, which is the newer ticket."""
    some = np.argpartition(found, -NEAREST)[-NEAREST:] if len(found) > 4 * NEAREST else np.arange(len(found))
    some = some[found[some] > 0]
    return some[np.lexsort((some, -found[some]))][:NEAREST]


def _answers(index: Index, found: Floats, best: NDArray[np.intp], most: int) -> list[Hit]:
    """Tickets answered with the same words are one; those that several near tickets got come first."""
    together: dict[int, list[int]] = {}
    for place in best:
        same = int(index.answered[place]) or -int(place) - 1
        together.setdefault(same, []).append(int(place))
    weighed = sorted(together.values(), key=lambda group: -_weight(found, group))
    bounds = index.bounds
    hits = []
    for group in weighed[:most]:
        score = float(found[group[0]])
        sure = _sure(score, bounds.likely, bounds.perhaps)
        hits.append(Hit(TICKET, index.ids[group[0]].decode(), 0, score, sure, len(group) - 1))
    return hits


def _weight(found: Floats, group: Sequence[int]) -> float:
    """The cubes of the scores: many that are far do not outweigh one that is near."""
    return float((found[list(group)].astype(np.float64) ** 3).sum())


def _votes(values: NDArray[np.generic], weights: Floats, likely: float, perhaps: float, most: int = 3) -> list[Guess]:
    """Each near ticket votes by the square of its score; those without a value (below 0) do not."""
    cast = np.asarray(weights, np.float64) ** 2
    held = np.asarray(values, np.int64)
    kept = held >= 0
    total = cast[kept].sum()
    if not total:
        return []
    shares = {int(value): float(cast[held == value].sum() / total) for value in np.unique(held[kept])}
    ranked = sorted(shares.items(), key=lambda pair: (-pair[1], pair[0]))[:most]
    return [Guess(str(value), share, _sure(share, likely, perhaps)) for value, share in ranked]


def _sure(score: float, likely: float, perhaps: float) -> str:
    return LIKELY if score >= likely else PERHAPS if score >= perhaps else UNSURE


def check(index: Index, questions: Sequence[str]) -> Bounds:
    """Ask for some of the index's own tickets, each as if it were not there.

    Args:
        questions: of its tickets, in their order.

    Returns:
        bounds of this desk; the usual ones for what cannot be measured on fewer than LEAST tickets.
    """
    if len(questions) < LEAST:
        return index.bounds
    chosen = np.random.default_rng(0).permutation(len(questions))[:SAMPLED]
    answers, topics, priorities = [], [], []
    for place in chosen:
        found = scores(index.asked, questions[place])
        found[place] = 0
        best = nearest(found)
        for hit in _answers(index, found, best, 1):
            at = int(np.flatnonzero(index.ids == hit.id.encode())[0])
            answers.append((hit.score, bool(index.answered[at] == index.answered[place] != 0)))
        topics += _vote(index.topic_of, found, best, int(place))
        priorities += _vote(index.priority_of, found, best, int(place))
    return _bounds(index.bounds, len(chosen), answers, topics, priorities)


def _vote(values: NDArray[np.generic], found: Floats, best: NDArray[np.intp], place: int) -> list[tuple[float, bool]]:
    own = int(np.asarray(values, np.int64)[place])
    return [(each.share, int(each.value) == own) for each in _votes(values[best], found[best], 1, 1, 1) if own >= 0]


Seen = list[tuple[float, bool]]


def _bounds(usual: Bounds, checked: int, answers: Seen, topics: Seen, priorities: Seen) -> Bounds:
    """Desks whose answers are all written anew have none to compare: their bounds stay the usual ones."""
    told = any(right for _, right in answers)
    likely, perhaps, right = measured(answers) if told else (usual.likely, usual.perhaps, 0.0)
    topic, priority = measured(topics), measured(priorities)
    return Bounds(likely, perhaps, topic[0], topic[1], priority[0], priority[1], checked, right, topic[2], priority[2])


def measured(seen: Seen) -> tuple[float, float, float]:
    """From which score on OFTEN and EVERY_OTHER were right, and which share was above the first.

    A bound has at least 20 cases above it; NEVER where no such bound is.
    """
    ranked = sorted(seen, reverse=True)
    shares = np.cumsum([right for _, right in ranked]) / np.arange(1, len(ranked) + 1)
    often, other = (_last(shares, least) for least in (OFTEN, EVERY_OTHER))
    bounds = [ranked[place][0] if place >= 0 else NEVER for place in (often, other)]
    return bounds[0], bounds[1], float(shares[often]) if often >= 0 else 0.0


def _last(shares: NDArray[np.float64], least: float) -> int:
    good = np.flatnonzero(shares[19:] >= least)
    return int(good[-1]) + 19 if len(good) else -1
