"""Which texts hold a term, and how much it weighs there: TF-IDF as scikit-learn reckons it, and BM25 beside it.

Kept by term, so that a question touches its own terms alone. scikit-learn's TfidfVectorizer(sublinear_tf=True) gives
the same weights (a test compares them); it is not loaded here, for it takes seconds and 130 MB in each web process.
BM25: Robertson and Zaragoza, “The Probabilistic Relevance Framework: BM25 and Beyond”, 2009.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

K1, B = 1.2, 0.75
COMMON = 0.4  # a term in more of the texts than this tells none apart
MOST_ROWS = 250_000  # that one question looks at: bounds its time, whatever it asks
FEW = 1000  # up to so many texts every term counts

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]


@dataclass(frozen=True)
class Postings:
    """A sparse matrix of terms by texts.

    Attributes:
        terms: uint32, rising: fingerprints.
        starts: int64, one more than terms: where the rows of each begin.
        rows: int32: texts, rising within a term.
        weights: float32, of a term in a text.
        rarity: float32, of each term: its inverse document frequency.
        count: how many texts there are.
        unseen: rarity of a term that no text holds.
        length: whether a question is brought to length 1 (TF-IDF) or not (BM25).
    """

    terms: NDArray[np.uint32]
    starts: NDArray[np.int64]
    rows: Ints
    weights: Floats
    rarity: Floats
    count: int
    unseen: float
    length: bool = True

    def scores(self, asked: dict[int, int]) -> Floats:
        """How well each text fits a question, by its terms and how often each comes.

        Returns:
            float32 of `count`: cosines 0..1, or BM25's sums.
        """
        found = np.zeros(self.count, np.float32)
        if not asked or not len(self.terms):
            return found
        terms = np.fromiter(asked, np.uint32, len(asked))
        often = np.fromiter(asked.values(), np.float32, len(asked))
        at = np.minimum(np.searchsorted(self.terms, terms), len(self.terms) - 1)
        known = self.terms[at] == terms
        rarity = np.where(known, self.rarity[at], np.float32(self.unseen))
        weight = rarity * (1 + np.log(often)) if self.length else rarity
        total = float(np.linalg.norm(weight)) if self.length else 1.0
        for place, each in self._heaviest(at[known], weight[known] / (total or 1.0)):
            piece = slice(self.starts[place], self.starts[place + 1])
            found[self.rows[piece]] += each * self.weights[piece]
        return found

    def _heaviest(self, places: NDArray[np.intp], weights: Floats) -> list[tuple[int, np.float32]]:
        """The terms that tell most, as many as may be looked at: what is left out is common, and tells little."""
        order = np.argsort(-weights, kind="stable")
        looked_at = np.cumsum((self.starts[places + 1] - self.starts[places])[order])
        some = order[: max(1, int(np.searchsorted(looked_at, MOST_ROWS, side="right")))]
        return list(zip(places[some].tolist(), weights[some], strict=True))

    def arrays(self, name: str) -> dict[str, NDArray[Any]]:
        """What `read` reads again."""
        kept: dict[str, NDArray[Any]] = {
            "terms": self.terms, "starts": self.starts, "rows": self.rows, "weights": self.weights,
            "rarity": self.rarity, "rest": np.array([self.count, self.unseen, float(self.length)]),
        }  # fmt: skip
        return {f"{name}.{part}": array for part, array in kept.items()}

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(array.nbytes for array in (self.terms, self.starts, self.rows, self.weights, self.rarity))


def read(arrays: dict[str, NDArray[Any]], name: str) -> Postings:
    """What `arrays` wrote.

    Raises:
        ValueError, KeyError: it was not written by that.
    """
    terms, starts, rows, weights, rarity, rest = (
        arrays[f"{name}.{part}"] for part in ("terms", "starts", "rows", "weights", "rarity", "rest")
    )
    count, unseen, length = (float(each) for each in rest)
    wanted = (np.uint32, np.int64, np.int32, np.float32, np.float32)
    if any(array.dtype != kind for array, kind in zip((terms, starts, rows, weights, rarity), wanted, strict=True)):
        raise ValueError("arrays of other kinds")
    fits = len(starts) == len(terms) + 1 == len(rarity) + 1 and len(rows) == len(weights) == int(starts[-1])
    inside = not len(rows) or (int(rows.min()) >= 0 and int(rows.max()) < count)
    if not fits or not inside or starts[0] != 0 or (np.diff(starts) < 0).any() or (np.diff(terms) == 0).any():
        raise ValueError("arrays that do not fit together")
    if not (np.isfinite(weights).all() and np.isfinite(rarity).all() and np.isfinite(unseen)):
        raise ValueError("weights that are none")
    return Postings(terms, starts, rows, weights, rarity, int(count), unseen, bool(length))


def build(texts: Sequence[dict[int, int]], bm25: bool = False) -> Postings:
    """Weigh the terms of these texts, each given by how often a term comes in it."""
    lengths = np.fromiter((len(each) for each in texts), np.int64, len(texts))
    all_terms = np.fromiter((term for each in texts for term in each), np.uint32, int(lengths.sum()))
    often = np.fromiter((n for each in texts for n in each.values()), np.float32, len(all_terms))
    rows = np.repeat(np.arange(len(texts), dtype=np.int32), lengths)
    order = np.argsort(all_terms, kind="stable")
    all_terms, often, rows = all_terms[order], often[order], rows[order]
    terms, first = np.unique(all_terms, return_index=True)
    starts = np.append(first, len(all_terms)).astype(np.int64)
    held = np.diff(starts)
    count = max(len(texts), 1)
    rarity = (np.log1p((count - held + 0.5) / (held + 0.5)) if bm25 else _rarity(count, held)).astype(np.float32)
    weigh = _bm25 if bm25 else _tfidf
    weights = weigh(often, rows, np.repeat(rarity, held), len(texts))
    unseen = float(np.log1p((count + 0.5) / 0.5)) if bm25 else float(_rarity(count, np.zeros(1))[0])
    whole = Postings(terms, starts, rows, weights, rarity, len(texts), unseen, not bm25)
    return _without_common(whole) if len(texts) > FEW else whole


def _rarity(count: int, held: NDArray[Any]) -> NDArray[np.float64]:
    """scikit-learn's smooth inverse document frequency."""
    return np.asarray(np.log((1 + count) / (1 + held.astype(np.float64))) + 1)


def _tfidf(often: Floats, rows: Ints, rarity: Floats, count: int) -> Floats:
    """(1 + ln tf) · idf, each text brought to length 1."""
    weights = (1 + np.log(often)) * rarity if len(often) else often
    squares = np.bincount(rows, weights.astype(np.float64) ** 2, minlength=count)
    return np.asarray(weights / np.sqrt(np.maximum(squares, 1e-12))[rows], np.float32)


def _bm25(often: Floats, rows: Ints, rarity: Floats, count: int) -> Floats:
    sizes = np.bincount(rows, often, minlength=count)
    stretch = 1 - B + B * sizes / (sizes.mean() or 1.0)
    return np.asarray(often * (K1 + 1) / (often + K1 * stretch[rows]), np.float32)


def _without_common(whole: Postings) -> Postings:
    """The same without the rows of terms that nearly every text holds; they stay known."""
    held = np.diff(whole.starts)
    keep = np.repeat(held <= COMMON * whole.count, held)
    left = np.where(held <= COMMON * whole.count, held, 0)
    starts = np.concatenate([[0], np.cumsum(left)]).astype(np.int64)
    return Postings(
        whole.terms, starts, whole.rows[keep], whole.weights[keep], whole.rarity, whole.count, whole.unseen,
        whole.length,
    )  # fmt: skip
