"""The reports' tables as they stand in files: numbers stay numbers, times are hours, shares from 0 to 1."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from tasks.care import report_words as words
from tasks.tables import Cell

if TYPE_CHECKING:
    from tasks.care.figures import Report
    from tasks.care.report_sums import Part, Times

DIMENSIONS = {"team": "Team", "agent": "Agent", "topic": "Topic", "priority": "Priority", "source": "Source"}
NAMES = ("time", *DIMENSIONS, "age", "hours", "words", "reopened")
Rows = Iterable[Sequence[Cell]]
_TIMES = (
    "First answers", "First answer, median hours", "First answer, 90 % within hours", "First answer in time",
    "Solutions timed", "Solution, median hours", "Solution, 90 % within hours", "Solution in time",
)  # fmt: skip
_RATED = (*words.SCORES, "Share good")


def table(report: "Report", name: str) -> tuple[Sequence[str], Rows]:
    """A head and its rows.

    Raises:
        KeyError: there is no such table.
    """
    if name in DIMENSIONS:
        head = (DIMENSIONS[name], "Opened", "Solved", "Reopened", "Open now", "Overdue now", *_TIMES, *_RATED)
        return head, (
            (one.name or words.NOBODY[name], *_counts(one.part), one.part.overdue, *_rest(one.part))
            for one in report.by[name]
        )
    return {"time": _time, "age": _age, "hours": _hours, "words": _words, "reopened": _reopened}[name](report)


def _time(report: "Report") -> tuple[Sequence[str], Rows]:
    span = report.asked.span
    head = (words.part_of(span), "Opened", "Solved", "Reopened", "Open at its end", *_TIMES, *_RATED)
    rows = ((day, *_counts(part), *_rest(part)) for day, part in zip(span.starts, report.parts, strict=True))
    return head, rows


def _age(report: "Report") -> tuple[Sequence[str], Rows]:
    rows: list[list[Cell]] = [[words.STATUSES[status], *ages] for status, ages in report.ages.items() if any(ages)]
    return ("Status", *words.AGES), rows


def _hours(report: "Report") -> tuple[Sequence[str], Rows]:
    rows: list[list[Cell]] = [[hour, *(day[at] for day in report.busiest)] for at, hour in enumerate(words.HOURS)]
    return ("Hour", *words.WEEKDAYS), rows


def _words(report: "Report") -> tuple[Sequence[str], Rows]:
    rows = ((one.number, one.subject, words.SCORES[one.score - 1], one.words) for one in report.words)
    return ("Ticket", "Subject", "Rating", "Words"), rows


def _reopened(report: "Report") -> tuple[Sequence[str], Rows]:
    return ("Ticket", "Subject", "Times reopened"), report.reopened


def _counts(part: "Part") -> tuple[int, int, int, int]:
    return part.opened, part.solved, part.reopened, part.backlog


def _rest(part: "Part") -> Iterator[Cell]:
    for times in (part.first, part.solve):
        yield from _times(times)
    yield from part.scores
    yield _share(part.good)


def _times(times: "Times") -> tuple[Cell, ...]:
    return times.count, words.hours(times.median), words.hours(times.p90), _share(times.share)


def _share(share: float | None) -> float | None:
    return None if share is None else round(share, 4)
