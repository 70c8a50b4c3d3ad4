"""The numbers of the desk's reports out of columns of tickets. Knows no database; moments are epoch milliseconds.

Medians and the ninth decile are exact: of the values themselves, between two of them as spreadsheets' MEDIAN and
PERCENTILE reckon (linear, Hyndman and Fan's type 7).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from tasks.care.report_asked import Span, offsets

Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int32]
Marks = npt.NDArray[np.bool_]
HOUR, DAY = 3_600_000, 86_400_000
AGES = (1, 3, 7, 30, 90)  # days: where one class of age ends and the next begins
GOOD = 3  # the best score of three


@dataclass(frozen=True, slots=True)
class Columns:
    """Tickets, one value each; -1 where there is none.

    Attributes:
        created, answered, solved, first_due, solve_due: moments; `solved` only of tickets that are solved now.
        first_taken, solve_taken: working time in milliseconds.
        first_in_time, solve_in_time: 1, 0, or -1 without a deadline.
        runs: whether its clock runs now; open: whether it is neither solved nor closed.
        status: codes into `names["status"]`; so are `by`'s: team, agent, topic, priority, source.
    """

    created: Ints
    answered: Ints
    solved: Ints
    first_due: Ints
    solve_due: Ints
    first_taken: Ints
    solve_taken: Ints
    first_in_time: Codes
    solve_in_time: Codes
    runs: Marks
    open: Marks
    status: Codes
    by: dict[str, Codes]
    names: dict[str, list[Any]]


@dataclass(frozen=True, slots=True)
class Votes:
    """Ratings: score 1 to 3, when, and codes as those of the tickets."""

    score: Codes
    at: Ints
    by: dict[str, Codes]


@dataclass(frozen=True, slots=True)
class Times:
    """How long something took, in milliseconds of working time, and how much of it was in time.

    `judged` counts those that had a deadline: done in time or late, and those that are overdue and still not done.
    """

    count: int = 0
    median: int | None = None
    p90: int | None = None
    in_time: int = 0
    judged: int = 0

    @property
    def share(self) -> float | None:
        """In time of all that had a deadline, from 0 to 1."""
        return self.in_time / self.judged if self.judged else None


@dataclass(frozen=True, slots=True)
class Part:
    """A group of tickets or a part of the span. `backlog`: open at its end; of a group: open now."""

    opened: int
    solved: int
    reopened: int
    backlog: int
    overdue: int
    first: Times
    solve: Times
    scores: tuple[int, int, int]

    @property
    def rated(self) -> int:
        return sum(self.scores)

    @property
    def good(self) -> float | None:
        """Good ones of all ratings, from 0 to 1."""
        return self.scores[GOOD - 1] / self.rated if self.rated else None


@dataclass(frozen=True, slots=True)
class Done:
    """Which tickets were answered for the first time, and which solved, in a span: places, the quickest first."""

    first: Ints
    solve: Ints


def done(tickets: Columns, span: Span) -> Done:
    """Sorted once, since every kind of group wants them sorted."""

    def quickest(at: Ints, taken: Ints) -> Ints:
        found = np.flatnonzero(within(at, span) & (taken >= 0))
        return found[np.argsort(taken[found], kind="stable")]

    return Done(quickest(tickets.answered, tickets.first_taken), quickest(tickets.solved, tickets.solve_taken))


def within(at: Ints, span: Span) -> Marks:
    return (at >= span.start) & (at < span.end)


def overdue(tickets: Columns, now: int) -> Marks:
    """Those whose clock runs although a deadline is over."""
    unanswered = (tickets.answered < 0) & (tickets.first_due >= 0) & (tickets.first_due < now)
    unsolved = (tickets.solve_due >= 0) & (tickets.solve_due < now)
    return tickets.runs & (unanswered | unsolved)


def over_time(tickets: Columns, ready: Done, votes: Votes, reopened: Ints, span: Span, now: int) -> list[Part]:
    """Each part of the span; ones that lie in the future have nothing in them and the backlog of now."""
    edges, many = np.asarray(span.edges), len(span.starts)

    def place(at: Ints) -> Codes:
        return (np.searchsorted(edges, at, side="right") - 1).astype(np.int32)

    opened, solved = (_counts(place(at[within(at, span)]), many) for at in (tickets.created, tickets.solved))
    first, solve = _both(tickets, ready, span, now, place(tickets.answered), place(tickets.first_due),
                         place(tickets.solved), place(tickets.solve_due), many)  # fmt: skip
    scores = _scores(votes, place(votes.at), many, within(votes.at, span))
    again = _counts(place(reopened[within(reopened, span)]), many)
    left = backlog(tickets, edges[1:])
    return [
        Part(opened[i], solved[i], again[i], left[i], 0, first[i], solve[i], scores[i]) for i in range(many)
    ]  # fmt: skip


def groups(tickets: Columns, ready: Done, votes: Votes, again: Codes, by: str, span: Span, now: int) -> list[Part]:
    """One for each name of that kind; `again`: how often tickets of each were reopened in the span."""
    codes, many = tickets.by[by], len(tickets.names[by])
    counted = [
        _counts(codes[marks], many)
        for marks in (
            within(tickets.created, span), within(tickets.solved, span), tickets.open, overdue(tickets, now),
        )
    ]  # fmt: skip
    first, solve = _both(tickets, ready, span, now, codes, codes, codes, codes, many)
    scores = _scores(votes, votes.by[by], many, within(votes.at, span))
    reopened = _counts(again, many)
    return [
        Part(counted[0][i], counted[1][i], reopened[i], counted[2][i], counted[3][i], first[i], solve[i], scores[i])
        for i in range(many)
    ]


def _both(
    tickets: Columns, ready: Done, span: Span, now: int,
    answered_in: Codes, first_due_in: Codes, solved_in: Codes, solve_due_in: Codes, many: int,
) -> tuple[list[Times], list[Times]]:  # fmt: skip
    """Times of answers and of solutions; each by the group in which it was done, or should have been."""
    late = _missed(tickets.first_due, span, now) & tickets.runs & (tickets.answered < 0)
    judged = _judged(tickets.first_in_time, answered_in, within(tickets.answered, span), first_due_in[late], many)
    first = times(tickets.first_taken[ready.first], answered_in[ready.first], *judged)
    late = _missed(tickets.solve_due, span, now) & tickets.runs
    judged = _judged(tickets.solve_in_time, solved_in, within(tickets.solved, span), solve_due_in[late], many)
    return first, times(tickets.solve_taken[ready.solve], solved_in[ready.solve], *judged)


def _judged(in_time: Codes, of: Codes, marks: Marks, late: Codes, many: int) -> tuple[list[int], list[int]]:
    """Of each group: how many were in time, and how many had a deadline; `late` are the groups of the overdue."""
    had = [a + b for a, b in zip(_counts(of[marks & (in_time >= 0)], many), _counts(late, many), strict=True)]
    return _counts(of[marks & (in_time == 1)], many), had


def _missed(due: Ints, span: Span, now: int) -> Marks:
    return within(due, span) & (due < now)


def times(taken: Ints, of: Codes, in_time: list[int], judged: list[int]) -> list[Times]:
    """The spread of each group.

    Args:
        taken: milliseconds, in rising order; `of`: their groups.
        in_time, judged: of each group, see `Times`; there are as many groups as of these.
    """
    small = of.astype(np.uint16) if len(judged) < 65_536 else of  # sorted by its digits, which is quick
    order = np.argsort(small, kind="stable")
    values, bounds = taken[order], np.searchsorted(of[order], np.arange(len(judged) + 1))
    return [
        _spread(values[bounds[i] : bounds[i + 1]], timely, had)
        for i, (timely, had) in enumerate(zip(in_time, judged, strict=True))
    ]


def _spread(some: Ints, timely: int, judged: int) -> Times:
    if not len(some):
        return Times(in_time=timely, judged=judged)
    median, p90 = (round(float(each)) for each in np.percentile(some, (50, 90)))
    return Times(len(some), median, p90, timely, judged)


def backlog(tickets: Columns, moments: npt.NDArray[np.int64]) -> list[int]:
    """How many were open at each moment: made by then, and not solved for good by then.

    A ticket that was solved, reopened and solved again was open until its last solution.
    """
    made = np.sort(tickets.created)
    done = np.sort(tickets.solved[tickets.solved >= 0])
    known = tickets.open | (tickets.solved >= 0)  # a closed one without a known moment was never open to us
    lost = np.sort(tickets.created[~known])
    count = [np.searchsorted(each, moments, side="left") for each in (made, done, lost)]
    return [int(each) for each in count[0] - count[1] - count[2]]


def by_age(tickets: Columns, now: int) -> npt.NDArray[np.int64]:
    """How many are open, by status (rows, as named) and age (columns: between `AGES`, in days)."""
    age = (now - tickets.created[tickets.open]) // DAY
    kind = np.searchsorted(np.asarray(AGES), age, side="right")
    found = np.zeros((len(tickets.names["status"]), len(AGES) + 1), dtype=np.int64)
    np.add.at(found, (tickets.status[tickets.open], kind), 1)
    return found


def busiest(tickets: Columns, span: Span) -> npt.NDArray[np.int64]:
    """How many tickets were opened by weekday (7 rows from Monday) and hour (24), on the clock of the span's zone."""
    at = tickets.created[within(tickets.created, span)]
    since, added = offsets(span.zone, span.start, span.end)
    local = at + np.asarray(added)[np.searchsorted(np.asarray(since), at, side="right") - 1]
    weekday = (local // DAY + 3) % 7  # 1 January 1970 was a Thursday
    return np.bincount(weekday * 24 + local // HOUR % 24, minlength=168).reshape(7, 24)


def total(tickets: Columns, ready: Done, votes: Votes, reopened: int, span: Span, now: int) -> Part:
    """All of it as one group."""
    alone = {"all": np.zeros(len(tickets.created), np.int32)}
    together = renamed(tickets, alone, {"all": ["all"]})
    of_votes = Votes(votes.score, votes.at, {"all": np.zeros(len(votes.at), np.int32)})
    return groups(together, ready, of_votes, np.zeros(reopened, np.int32), "all", span, now)[0]


def renamed(tickets: Columns, by: dict[str, Codes], names: dict[str, list[Any]]) -> Columns:
    """The same tickets in other groups."""
    return replace(tickets, by=by, names=names)


def _scores(votes: Votes, group: Codes, many: int, marks: Marks) -> list[tuple[int, int, int]]:
    counted = [_counts(group[marks & (votes.score == score)], many) for score in (1, 2, 3)]
    return [(bad, middling, good) for bad, middling, good in zip(*counted, strict=True)]


def _counts(codes: Codes, many: int) -> list[int]:
    return [int(each) for each in np.bincount(codes, minlength=many)[:many]]


def joined(parts: Sequence[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    return np.concatenate(parts) if parts else np.empty(0, np.int64)
