"""How sure an index may be: measured on the desk's own tickets, asked as if they were not there and in other words.

A desk's next question is rarely in the words of the last one. So, of the tickets that are asked:
- the words that stand also in the nearest ticket with the same answer are taken out, four in five of them by chance:
  what made it easy to find is gone, as when somebody says it in words of their own. For topics and priorities, of
  which many tickets have the same, all words of the three nearest that have it;
- every fourth is a new matter: all tickets with its answer are taken out, and whatever is answered is wrong.
On made questions in phrasings that no ticket had this promised what came out (`make bench-tickets`); asking for tickets
in their own words promised 89 % where 62 % came out.

A bound is where OFTEN (LIKELY) or EVERY_OTHER (PERHAPS) of those above it were right, by the lower end of Wilson's
interval (E. B. Wilson, “Probable Inference”, 1927), so that few cases promise little.

Topics and priorities are asked of older tickets alone. They are never suggested unless what would have been suggested
was right more often than the most common one of the desk, by more than chance (a sign test, one in twenty).
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from tasks.care.suggestions import asking
from tasks.care.suggestions.index import NEVER, Bounds, Index

SAMPLED, LEAST = 600, 60  # tickets of a check, and how many there must be
TAKEN_OUT = 0.8  # of the words that the nearest ticket with the same answer shares
ALIKE = 3  # tickets of the same topic or priority whose words are taken out
NEW_MATTER = 4  # every so manieth is one
OFTEN, EVERY_OTHER = 0.8, 0.5
CASES = 20  # above a bound, at least
ONE_IN_TEN, ONE_IN_TWENTY = 1.2816, 1.6449  # by chance, as many standard deviations

Seen = list[tuple[float, bool]]  # how sure, and whether it was right


@dataclass(frozen=True, slots=True)
class Told:
    """A guess of a topic or priority: the share that agreed, whether it was right, and whether the usual one was."""

    share: float
    right: bool
    usual: bool


def check(index: Index, questions: Sequence[str]) -> Bounds:
    """Ask for some of the index's own tickets.

    Args:
        questions: of its tickets, in their order (the newest first).

    Returns:
        bounds of this desk; the index's own on fewer than LEAST tickets.
    """
    if len(questions) < LEAST:
        return index.bounds
    chance = random.Random(0)  # noqa: S311  # the same check of the same tickets
    chosen = np.random.default_rng(0).permutation(len(questions))[:SAMPLED]
    answers = [_answer(index, questions, int(place), n % NEW_MATTER == 0, chance) for n, place in enumerate(chosen)]
    likely, perhaps, right = measured([each for each in answers if each is not None])
    topics, priorities = (_guesses(index, questions, values) for values in (index.topic_of, index.priority_of))
    topic, priority = beating(topics), beating(priorities)
    return Bounds(
        likely, perhaps, topic[0], topic[1], priority[0], priority[1], len(chosen), right, topic[2], priority[2]
    )


def _answer(
    index: Index, questions: Sequence[str], place: int, new_matter: bool, chance: random.Random
) -> tuple[float, bool] | None:
    """How sure the first answer was, and whether it was the ticket's own; None where nothing was found."""
    alike = index.answered == index.answered[place] if index.answered[place] else np.zeros(len(index.ids), bool)
    found = asking.scores(index.asked, questions[place])
    found[place] = 0
    near = np.where(alike, found, 0)
    if not new_matter and near.any():
        shared = set(questions[int(near.argmax())].casefold().split())
        found = asking.scores(index.asked, said_anew(questions[place], shared, chance))
    found[alike if new_matter else place] = 0
    found[place] = 0
    made = asking.groups(index, found, asking.nearest(found))
    return (made[0].agreed, not new_matter and bool(alike[made[0].places[0]])) if made else None


def said_anew(question: str, shared: set[str], chance: random.Random | None = None) -> str:
    """Without the words that others share; with `chance`, without most of them."""

    def stays(word: str) -> bool:
        return word.casefold() not in shared or (chance is not None and chance.random() >= TAKEN_OUT)

    return " ".join(word for word in question.split() if stays(word))


def _guesses(index: Index, questions: Sequence[str], values: NDArray[np.generic]) -> list[Told]:
    """Of the newer half of those that have a value, each asked in other words of the tickets before it."""
    held = np.asarray(values, np.int64)
    having = np.flatnonzero(held >= 0)
    if len(having) < LEAST:
        return []
    newer = having[: len(having) // 2]
    usual = int(np.bincount(held[having[len(newer) :]]).argmax())
    made = []
    for n, place in enumerate(np.random.default_rng(1).permutation(newer)[:SAMPLED]):
        own = int(held[place])
        there = np.arange(len(held)) > place
        if n % NEW_MATTER == 0 and index.answered[place]:
            there &= index.answered != index.answered[place]
        found = asking.scores(index.asked, questions[place]) * there
        near = np.where(held == own, found, 0)
        if near.any():
            shared = {word for like in np.argsort(-near)[:ALIKE] for word in questions[like].casefold().split()}
            found = asking.scores(index.asked, said_anew(questions[place], shared)) * there
        best = asking.nearest(found)
        made += [
            Told(g.share, int(g.value) == own, usual == own) for g in asking.votes(held[best], found[best], 1, 1, 1)
        ]
    return made


def measured(seen: Seen, apart: bool = False) -> tuple[float, float, float]:
    """From which point on OFTEN and EVERY_OTHER were right, and which share of the first at least.

    NEVER where no such point is.

    Args:
        apart: whether those above the first count for the second.
    """
    ranked = sorted(seen, reverse=True)
    first, share = _down_to(ranked, OFTEN)
    start = first if apart else 0
    other = start + _down_to(ranked[start:], EVERY_OTHER)[0]
    likely = ranked[first - 1][0] if first else NEVER
    return likely, ranked[other - 1][0] if other else NEVER, share


def _down_to(ranked: Seen, least: float) -> tuple[int, float]:
    """How many of the first are so often right, and how often at least; of equal points all are among them or none."""
    right = np.cumsum([each for _, each in ranked], dtype=np.int64)
    for count in range(len(ranked), CASES - 1, -1):
        alone = count == len(ranked) or ranked[count][0] < ranked[count - 1][0]
        if alone and (share := at_least(int(right[count - 1]), count)) >= least:
            return count, share
    return 0, 0.0


def at_least(right: int, count: int) -> float:
    """The lower end of Wilson's interval: nine times in ten the true share is above it."""
    share, z = right / count, ONE_IN_TEN
    middle = share + z * z / (2 * count)
    width = z * sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return (middle - width) / (1 + z * z / count)


def beating(told: Sequence[Told]) -> tuple[float, float, float]:
    """As `measured`, and NEVER for what does not beat the most common one."""
    likely, perhaps, right = measured([(each.share, each.right) for each in told], apart=True)
    shown = [each for each in told if each.share >= perhaps]
    won = sum(each.right and not each.usual for each in shown)
    lost = sum(each.usual and not each.right for each in shown)
    if won - lost <= ONE_IN_TWENTY * sqrt(won + lost):
        return NEVER, NEVER, 0.0
    return likely, perhaps, right
