"""What the pages and the API tell about runs: questions to the database, narrowed to the workspace, and plain words."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from flask import abort, url_for
from pydantic import ValidationError
from sqlalchemy import ColumnElement, false, or_, select
from sqlalchemy.orm import Session, joinedload

from models.artifact import Artifact, Upload
from models.run import BLOCKED, QUEUED, RUNNING, Queue, Run, RunEvent
from models.session import EVERYONE
from tasks import discover
from tasks.job import Job, Result
from web import estimate, family, forms, timeline
from web.current import me, reading, runtime
from web.family import Family, Parts
from web.timeline import Line

PAGE = 25
LONGEST_ID = 28
STATE_WORDS = {
    "blocked": "Waits for another run",
    "queued": "Waiting",
    "running": "Running",
    "succeeded": "Done",
    "failed": "Failed",
    "cancelled": "Cancelled",
}


def state_words(run: Run) -> str:
    """A run's state for people."""
    if run.state == RUNNING and run.cancel_at:
        return "Cancelling"
    return "Waits for its parts" if run.state == BLOCKED and run.children else STATE_WORDS[run.state]


@dataclass
class Live:
    """What changes while a run goes on."""

    run: Run
    words: str
    left: str
    attempts: list[tuple[int, list[Line]]]
    needs: list[Run] = field(default_factory=list)
    parts: Parts | None = None

    @property
    def stops_by(self) -> int | None:
        """When a running attempt that never listens is stopped, in epoch milliseconds."""
        job = discover().get(self.run.kind)
        return self.run.started_at + job.time_limit * 1000 if job and self.run.started_at else None

    @property
    def share(self) -> float:
        """How much is done; of a run that was split, how much of all its parts."""
        return self.parts.share if self.parts and self.run.state == BLOCKED else self.run.progress

    @property
    def etag(self) -> str:
        """Changes with anything that the live part shows."""
        run, events = self.run, sum(len(listed) for _, listed in self.attempts)
        shown = [
            run.state,
            run.attempt,
            run.progress,
            run.message,
            run.cancel_at,
            run.error,
            run.due_at,
            events,
            self.left,
        ]
        shown += [(each.id, each.state) for each in self.needs]
        if self.parts:
            shown += [self.parts.counts, self.parts.share, self.parts.page]
            shown += [(part.id, part.state, part.progress, part.message) for part in self.parts.listed]
        return hashlib.sha256(repr(shown).encode()).hexdigest()[:20]


@dataclass
class Shown:
    """A run's whole page."""

    live: Live
    job: Job | None
    result: Result | None
    artifacts: dict[str, Artifact]
    uploads: list[Upload]
    asked: list[tuple[str, str]]
    family: Family


def open_to_me() -> ColumnElement[bool]:
    """Runs of private jobs are for whoever asked alone, in a browser: a token belongs to one workspace."""
    private = [kind for kind, job in discover().items() if job.private]
    return or_(Run.kind.not_in(private), Run.account_id == me().id if me().sign_in_id else false())


def find(session: Session, run_id: str) -> Run:
    """A run of this session's workspace; 404 for every other id."""
    query = select(Run).where(Run.id == run_id, open_to_me()).options(joinedload(Run.account))
    return (session.scalar(query) if _likely(run_id) else None) or abort(404)


def _likely(run_id: str) -> bool:
    """What cannot be an id is not even asked for: no database compares with a NUL, or with half a sign."""
    return run_id.isalnum() and len(run_id) <= LONGEST_ID


def some(ids: Sequence[str]) -> list[Run]:
    """Those of these runs that the workspace has, newest first."""
    with reading() as session:
        return some_in(session, ids)


def some_in(session: Session, ids: Sequence[str]) -> list[Run]:
    """The same, in a session."""
    likely = [each for each in ids if _likely(each)]
    return list(session.scalars(select(Run).where(Run.id.in_(likely), open_to_me()).order_by(Run.id.desc())))


def live_of(run_id: str, page: int = 1) -> Live:
    """The part of a run that is polled; of its parts, one page."""
    with reading() as session:
        return live_in(session, run_id, page)


def live_in(session: Session, run_id: str, page: int = 1) -> Live:
    run = find(session, run_id)
    events = session.scalars(select(RunEvent).where(RunEvent.run_id == run_id).order_by(RunEvent.at, RunEvent.id)).all()
    return Live(
        run=run,
        words=state_words(run),
        left=estimate.remaining(session, run),
        attempts=timeline.attempts(run, events),
        needs=family.needs(session, run_id) if run.state == BLOCKED else [],
        parts=family.parts(session, run, page),
    )


def whole(run_id: str, page: int = 1) -> Shown:
    """All that a run's page shows."""
    with reading() as session:
        live = live_in(session, run_id, page)
        run, artifacts = live.run, artifacts_of(session, run_id)
        return Shown(
            live=live,
            job=(job := discover().get(run.kind)),
            result=_result(job, run),
            artifacts={each.name: each for each in artifacts},
            uploads=uploads_of(session, run_id),
            asked=forms.words(job, run.params) if job else [],
            family=family.family(session, run),
        )


def artifacts_of(session: Session, run_id: str) -> list[Artifact]:
    """What a run left: documents and tables first, then pictures, which its page shows already."""
    found = session.scalars(select(Artifact).where(Artifact.run_id == run_id))
    return sorted(found, key=lambda each: (each.media_type.startswith("image/"), each.title))


def uploads_of(session: Session, run_id: str) -> list[Upload]:
    return list(session.scalars(select(Upload).where(Upload.run_id == run_id).order_by(Upload.id)))


def artifact_url(shown: Shown, name: str) -> str:
    """Where a result page finds one of its artifacts: pictures to look at, all else to download."""
    artifact = shown.artifacts[name]
    endpoint = "artifacts.picture" if artifact.media_type == "image/png" else "artifacts.download"
    return url_for(endpoint, run_id=artifact.run_id, artifact_id=artifact.id)


def listed(*, state: str = "", kind: str = "", text: str = "", after: str = "") -> tuple[list[Run], str]:
    """The workspace's runs, newest first: one page, and the id after which the next begins ("" at the end).

    Args:
        state, kind: only these; an unknown one finds nothing.
        text: a part of the summary or the headline, or the beginning of the id.
    """
    query = select(Run).where(Run.listed.is_(True)).options(joinedload(Run.account))
    if state:
        query = query.where(Run.state == state)
    if kind:
        query = query.where(Run.kind == kind)
    if text:
        parts = (Run.summary.icontains(text, autoescape=True), Run.headline.icontains(text, autoescape=True))
        query = query.where(or_(*parts, Run.id.startswith(text, autoescape=True)))
    if after:
        query = query.where(Run.id < after)
    with reading() as session:
        found = list(session.scalars(query.order_by(Run.id.desc()).limit(PAGE + 1)))
    more = len(found) > PAGE
    return found[:PAGE], found[PAGE - 1].id if more else ""


def any_runs() -> bool:
    """Whether the workspace has runs at all."""
    with reading() as session:
        return session.scalar(select(Run.id).where(Run.listed.is_(True)).limit(1)) is not None


def held_up(runs: Sequence[Run]) -> set[str]:
    """The queues that an administrator has paused, where one of these runs waits."""
    if not (names := {run.queue for run in runs if run.state == QUEUED}):
        return set()
    with runtime().database.read(EVERYONE) as session:
        return set(session.scalars(select(Queue.name).where(Queue.name.in_(names), Queue.paused_at.is_not(None))))


def _result(job: Job | None, run: Run) -> Result | None:
    """The result as its job's class; None when there is none, or when it is of an older form of the job."""
    if job is None or run.result is None:
        return None
    try:
        return job.result.model_validate(run.result)
    except ValidationError:
        return None
