"""What happened to a run, attempt by attempt: from its own columns, and from the events that were out of the usual.

A run that simply waits, starts and succeeds has no events: its row tells that. Older rows have such events too, and
then these are told and the columns are not.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from models.run import END_STATES, QUEUED, Run, RunEvent

STARTED = ("started", "started again")
WORDS = {
    "queued": "Handed over",
    "started": "A worker began",
    "started again": "A worker began again",
    "succeeded": "Done",
    "failed": "Failed",
    "cancelled": "Cancelled",
    "asked to cancel": "Somebody asked to cancel it",
    "tries again": "Did not work, and will be tried again",
    "lost": "Its worker was lost, and another will take it",
    "handed back": "Given back by its worker",
    "retried": "Put back by hand",
}
_RANK = {QUEUED: 0, "retried": 0, **dict.fromkeys(STARTED, 1), **dict.fromkeys(END_STATES, 3)}


@dataclass(frozen=True)
class Line:
    """One thing that happened."""

    at: int
    attempt: int
    what: str
    detail: str = ""


def attempts(run: Run, events: Iterable[RunEvent]) -> list[tuple[int, list[Line]]]:
    """The lines in order of time, by attempt; 0 is before the first one."""
    told = [Line(event.at, event.attempt, event.what, event.detail) for event in events]
    lines = sorted([*told, *_untold(run, told)], key=lambda line: (line.at, _RANK.get(line.what, 2)))
    return [(number, list(group)) for number, group in groupby(lines, key=lambda line: line.attempt)]


def _untold(run: Run, told: list[Line]) -> list[Line]:
    """What only the run's columns say. They know the last start and the end, whatever was before."""
    found = []
    if not any(line.what == QUEUED for line in told):
        found.append(Line(run.created_at, 0, QUEUED))
    started = any(line.what in STARTED and line.attempt == run.attempt for line in told)
    if run.started_at is not None and run.attempt and not started:
        found.append(Line(run.started_at, run.attempt, STARTED[run.attempt > 1], run.worker or ""))
    ended = any(line.what == run.state and line.attempt == run.attempt for line in told)
    if run.finished_at is not None and run.ended and not ended:
        found.append(Line(run.finished_at, run.attempt, run.state, run.error or run.headline))
    return found
