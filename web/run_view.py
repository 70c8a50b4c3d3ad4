"""What the pages and the API tell about runs: questions to the database, narrowed to the workspace, and plain words."""

import hashlib
from dataclasses import dataclass
from itertools import groupby

from flask import abort, url_for
from pydantic import ValidationError
from sqlalchemy import or_, select
from sqlalchemy.orm import Session, joinedload

from models.artifact import Artifact, Upload
from models.run import RUNNING, Run, RunEvent
from tasks import discover
from tasks.job import Job, Result
from web import estimate, forms
from web.current import reading

PAGE = 25
STATE_WORDS = {
    "blocked": "Waits for another run",
    "queued": "Waiting",
    "running": "Running",
    "succeeded": "Done",
    "failed": "Failed",
    "cancelled": "Cancelled",
}
EVENT_WORDS = {
    "queued": "Handed over",
    "started": "A worker began",
    "succeeded": "Done",
    "failed": "Failed",
    "cancelled": "Cancelled",
    "asked to cancel": "Somebody asked to cancel it",
    "tries again": "Will be tried again",
    "handed back": "Given back by its worker",
    "retried": "Put back by hand",
}


def state_words(run: Run) -> str:
    """A run's state for people."""
    return "Cancelling" if run.state == RUNNING and run.cancel_at else STATE_WORDS[run.state]


@dataclass
class Live:
    """What changes while a run goes on."""

    run: Run
    words: str
    left: str
    attempts: list[tuple[int, list[RunEvent]]]

    @property
    def etag(self) -> str:
        """Changes with anything that the live part shows."""
        run, events = self.run, sum(len(listed) for _, listed in self.attempts)
        shown = (run.state, run.attempt, run.progress, run.message, run.cancel_at, run.error, events, self.left)
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

    @property
    def files_gone(self) -> bool:
        return any(upload.deleted_at for upload in self.uploads)


def find(session: Session, run_id: str) -> Run:
    """A run of this session's workspace; 404 for every other id."""
    query = select(Run).where(Run.id == run_id).options(joinedload(Run.account))
    return session.scalar(query) or abort(404)


def live_of(run_id: str) -> Live:
    """The part of a run that is polled."""
    with reading() as session:
        return live_in(session, run_id)


def live_in(session: Session, run_id: str) -> Live:
    run = find(session, run_id)
    events = session.scalars(select(RunEvent).where(RunEvent.run_id == run_id).order_by(RunEvent.at, RunEvent.id)).all()
    attempts = [(number, list(group)) for number, group in groupby(events, key=lambda event: event.attempt)]
    return Live(run, state_words(run), estimate.remaining(session, run), attempts)


def whole(run_id: str) -> Shown:
    """All that a run's page shows."""
    with reading() as session:
        live = live_in(session, run_id)
        run, artifacts = live.run, artifacts_of(session, run_id)
        return Shown(
            live=live,
            job=(job := discover().get(run.kind)),
            result=_result(job, run),
            artifacts={each.name: each for each in artifacts},
            uploads=uploads_of(session, run_id),
            asked=forms.words(job, run.params) if job else [],
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


def _result(job: Job | None, run: Run) -> Result | None:
    """The result as its job's class; None when there is none, or when it is of an older form of the job."""
    if job is None or run.result is None:
        return None
    try:
        return job.result.model_validate(run.result)
    except ValidationError:
        return None
