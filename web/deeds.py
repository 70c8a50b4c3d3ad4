"""What people do to runs that are there, one or many at a time: each is done, or there is a sentence why not."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from flask import url_for
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.run import END_STATES, FAILED, RUNNING, Run
from tasks.discard import discard as delete
from tasks.handover import Refused
from web import people, quotas, run_view, submission
from web.current import current_workspace, me, reading, runtime, writing
from workers import enqueue
from workers.enqueue import KeyConflict

MOST = 100
DONE = {"retry": "put back", "again": "started again", "cancel": "cancelled", "discard": "deleted"}
NO_SUCH = "It is not in this workspace, or is gone."
NOT_YOURS = "You may not start this job."
NOT_FAILED = "Only what has failed can be tried again."
GOES_ON = "It goes on: cancel it first."
NEEDED = "It belongs to work that goes on: another run waits for it, or a part of it still runs."
ENDED = "It had ended already, or was asked to end before."
FILES_GONE = "Its files are not kept any more. Open it and choose “Run again” to hand them over once more."


@dataclass
class Outcome:
    """What became of it.

    Attributes:
        done: run ids, each with the run to look at (another one after "again").
        refused: run ids with a sentence each.
        asked: how many of those that were cancelled go on until their next step.
    """

    action: str
    done: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    asked: int = 0

    @property
    def words(self) -> str:
        """All of it in a few sentences: how many, and why not the rest."""
        said = [self._done(), self._asked()]
        for reason, count in Counter(self.refused.values()).items():
            said.append(f"{_runs(count)} left as {'it was' if count == 1 else 'they were'}: {reason}")
        return " ".join(each for each in said if each)

    def _done(self) -> str:
        ended = len(self.done) - self.asked
        return f"{_runs(ended)} {DONE[self.action]}." if ended or not (self.asked or self.refused) else ""

    def _asked(self) -> str:
        if not self.asked:
            return ""
        return f"{_runs(self.asked)} asked to end: {'it does' if self.asked == 1 else 'they do'} so at the next step."


def _runs(count: int) -> str:
    return "1 run was" if count == 1 else f"{count or 'No'} runs were"


def perform(action: str, ids: Sequence[str], key: str | None = None) -> Outcome:
    """Do one thing to each of these runs of the workspace.

    Args:
        action: one of DONE.
        key: makes "again" give the same new runs, however often it is sent.
    """
    outcome = Outcome(action)
    wanted = list(dict.fromkeys(ids))
    _DEEDS[action](outcome, wanted, key)
    return outcome


def discardable(ids: Sequence[str]) -> tuple[list[Run], int]:
    """The runs that would be deleted, and how many of those named would stay."""
    ended = [run for run in run_view.some(ids) if run.ended]
    return ended, len(set(ids)) - len(ended)


def _found(session: Session, ids: Sequence[str]) -> dict[str, Run]:
    return {run.id: run for run in run_view.some_in(session, ids)}


def _each(outcome: Outcome, session: Session, ids: Sequence[str], act: Callable[[Run], str]) -> None:
    found = _found(session, ids)
    for run_id in ids:
        if reason := act(found[run_id]) if run_id in found else NO_SUCH:
            outcome.refused[run_id] = reason
        else:
            outcome.done[run_id] = run_id


def put_back(session: Session, run: Run) -> bool:
    """A failed run waits again; False: it has not failed.

    Raises:
        Refused: too many runs of the workspace wait.
    """
    if run.state != FAILED:
        return False
    quotas.check_waiting(session)
    return enqueue.retry(session, run.id)


def _retry(outcome: Outcome, ids: Sequence[str], _key: str | None) -> None:
    with writing() as session:

        def act(run: Run) -> str:
            if run.kind not in submission.jobs():
                return NOT_YOURS
            try:
                return "" if put_back(session, run) else NOT_FAILED
            except Refused as error:
                return " ".join(error.errors.values())

        _each(outcome, session, ids, act)


def _cancel(outcome: Outcome, ids: Sequence[str], _key: str | None) -> None:
    with writing() as session:

        def act(run: Run) -> str:
            if not enqueue.cancel(session, run.id):
                return ENDED
            outcome.asked += run.state == RUNNING
            return ""

        _each(outcome, session, ids, act)


def _discard(outcome: Outcome, ids: Sequence[str], _key: str | None) -> None:
    with writing() as session:
        _each(outcome, session, ids, lambda run: "" if run.state in END_STATES else GOES_ON)
        delete(session, runtime().storage, list(outcome.done))
        for run_id in session.scalars(select(Run.id).where(Run.id.in_(list(outcome.done)))).all():
            del outcome.done[run_id]
            outcome.refused[run_id] = NEEDED
        if outcome.done:
            people.audit(session, "runs deleted", me().id, current_workspace(), runs=list(outcome.done))


def _again(outcome: Outcome, ids: Sequence[str], key: str | None) -> None:
    """Each in a transaction of its own: files are copied, and one that is refused does not undo the others."""
    with reading() as session:
        found = _found(session, ids)
    for run_id in ids:
        run = found.get(run_id)
        made = _repeated(run, f"{key}:{run_id}" if key else None) if run else NO_SUCH
        if isinstance(made, Run):
            outcome.done[run_id] = made.id
        else:
            outcome.refused[run_id] = made


def _repeated(run: Run, key: str | None) -> Run | str:
    job = submission.jobs().get(run.kind)
    if job is None:
        return NOT_YOURS
    try:
        return submission.repeat(run, job, key)
    except submission.FilesGone:
        return FILES_GONE
    except Refused as error:
        return " ".join(error.errors.values())
    except KeyConflict:
        return "This was sent before, with other values. Load the page again."


_DEEDS = {"retry": _retry, "again": _again, "cancel": _cancel, "discard": _discard}


def told(outcome: Outcome) -> dict[str, object]:
    """For the API."""
    return {
        "action": outcome.action,
        "done": [
            {"id": run_id, "url": url_for("api.show", run_id=seen) if outcome.action != "discard" else None}
            for run_id, seen in outcome.done.items()
        ],
        "refused": [{"id": run_id, "reason": reason} for run_id, reason in outcome.refused.items()],
    }
