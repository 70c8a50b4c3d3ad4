"""What the pages and the API do to imports: find, list, page through their lines, start their steps, read them anew."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from flask import abort
from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.orm import Session

from models.artifact import Upload
from models.base import db_now
from models.intake import APPLIED, APPLYING, NEW, PREVIEWED, READING, UNDOING, Intake, IntakeLine
from models.ledger import Entry, Purse
from models.run import SUCCEEDED, Run
from models.session import after_commit
from models.statements import changed
from tasks import discover
from tasks.care import import_keys
from tasks.handover import HandedOver, Refused
from tasks.imports.import_money import changed_since
from tasks.storage import drop
from web import submission
from web.current import current_workspace, may_lead, me, reading, runtime, writing
from web.schedule_book import with_files
from workers import enqueue

READ, STEP = "importing", "intake"
OF_LEADS = import_keys.SUBJECT  # whoever else may import, the desk's past is for its leads
LISTED, SHOWN = 25, 50
NOT_NOW = "This import is {} already. Load the page again and look at it."
NOTHING_NEW = "There is no new line in this import, so there is nothing to write."
FILE_GONE = "The file is not kept any more. Choose it again on the page of imports."
STATES = {
    READING: "being read", PREVIEWED: "not yet imported", APPLYING: "being imported", APPLIED: "imported",
    UNDOING: "being taken back", "undone": "taken back",
}  # fmt: skip
BEFORE = {"apply": (PREVIEWED, APPLYING), "undo": (APPLIED, UNDOING)}
DURING = {"apply": APPLYING, "undo": UNDOING}


@dataclass
class Shown:
    """An import as its page shows it.

    Attributes:
        state: what it is now; after a step that failed, what it was before.
        run: the run of its last step, while that goes on or when it failed.
        earlier: when the very same file was imported before.
    """

    intake: Intake
    state: str
    run: Run | None = None
    earlier: int | None = None
    file_kept: bool = False

    @property
    def going_on(self) -> bool:
        return self.run is not None and not self.run.ended

    def count(self, state: str) -> int:
        return int((self.intake.counts or {}).get(state, 0))


def find(session: Session, intake_id: str) -> Intake:
    """One of the workspace's imports whose lines were all read; 404 for others."""
    found = session.scalars(select(Intake).where(Intake.id == intake_id, Intake.state != READING)).first()
    return found or abort(404)


def _to_change(session: Session, intake_id: str) -> Intake:
    """One of them for who may decide on it; 403 for others, by whichever page or route they come."""
    intake = find(session, intake_id)
    return intake if intake.subject != OF_LEADS or may_lead() else abort(403)


def shown(session: Session, intake_id: str) -> Shown:
    intake = find(session, intake_id)
    kept = select(Upload.id).where(Upload.run_id == intake.run_id, Upload.deleted_at.is_(None))
    same = select(func.max(Intake.applied_at)).where(Intake.sha256 == intake.sha256, Intake.subject == intake.subject)
    same = same.where(Intake.state == APPLIED, Intake.id != intake.id)
    state, run = _stands(session, intake)
    file_kept = intake.run_id is not None and session.scalar(kept.limit(1)) is not None
    return Shown(intake, state, run, session.scalar(same), file_kept)


def _stands(session: Session, intake: Intake) -> tuple[str, Run | None]:
    """While a step goes on its run is shown; one that failed leaves the import as it was before."""
    if intake.state not in (APPLYING, UNDOING):
        return intake.state, None
    run = session.scalars(select(Run).where(Run.id == (intake.counts or {}).get("run", ""))).first()
    if run is not None and (not run.ended or run.state == SUCCEEDED):
        return intake.state, run
    return (PREVIEWED if intake.state == APPLYING else APPLIED), run


def listed(session: Session, page: int, *which: ColumnElement[bool]) -> tuple[list[Intake], int]:
    """The newest first; and how many pages there are."""
    mine = select(Intake).where(Intake.state != READING, *which)
    count = session.scalar(select(func.count()).select_from(mine.subquery())) or 0
    rows = session.scalars(mine.order_by(Intake.id.desc()).limit(LISTED).offset((page - 1) * LISTED)).all()
    return list(rows), max(1, -(-count // LISTED))


def lines(session: Session, intake_id: str, state: str, after: int = 0, many: int = SHOWN) -> list[IntakeLine]:
    """Lines from a number on, so that the last page of a hundred thousand comes as quickly as the first."""
    asked = select(IntakeLine).where(IntakeLine.intake_id == intake_id, IntakeLine.number > after)
    if state:
        asked = asked.where(IntakeLine.state == state)
    return list(session.scalars(asked.order_by(IntakeLine.number).limit(many)))


def accounts(session: Session) -> list[str]:
    return list(session.scalars(select(Purse.name).where(Purse.closed_at.is_(None)).order_by(Purse.name)))


def start(intake_id: str, action: str, also: bool, key: str | None) -> Run:
    """Let its lines be written, or taken back. Asked twice, it is one run.

    Raises:
        Refused: it cannot be done now.
    """
    job = discover().get(STEP) or abort(404)
    with writing() as session:
        intake = _to_change(session, intake_id)
        state, run = _stands(session, intake)
        if run is not None and not run.ended:
            return run
        if state not in BEFORE[action] or (action == "apply" and not (intake.counts or {}).get(NEW)):
            raise Refused({"": NOTHING_NEW if state == PREVIEWED else NOT_NOW.format(STATES[state])}, 409)
        params = job.params.model_validate({"intake": intake_id, "action": action, "also": also})
        run = enqueue.submit(
            runtime(), session, job, HandedOver(params), current_workspace(), account_id=me().id, key=key
        )
        step = update(Intake).where(Intake.id == intake_id, Intake.state == intake.state)
        values = {"state": DURING[action], "counts": {**(intake.counts or {}), "run": run.id}}
        if not changed(session, step.values(values).execution_options(synchronize_session=False)):
            raise Refused({"": NOT_NOW.format("being changed")}, 409)
    return run


def discard(intake_id: str) -> None:
    """A preview goes with its lines; nothing was written of it.

    Raises:
        Refused: it was imported.
    """
    with writing() as session:
        intake = _to_change(session, intake_id)
        state, _run = _stands(session, intake)
        if state == APPLIED or intake.state in (APPLYING, UNDOING):
            raise Refused({"": NOT_NOW.format(STATES[intake.state])}, 409)
        if state == PREVIEWED and intake.run_id:
            _forget_file(session, intake.run_id)
        session.execute(delete(Intake).where(Intake.id == intake_id))


def _forget_file(session: Session, run_id: str) -> None:
    """What is not to be imported is nothing to keep, either."""
    mine = (Upload.run_id == run_id, Upload.deleted_at.is_(None))
    keys = session.scalars(select(Upload.key).where(*mine)).all()
    gone = update(Upload).where(*mine).values(deleted_at=db_now())
    session.execute(gone.execution_options(synchronize_session=False))
    after_commit(session, partial(drop, runtime().storage, keys))


def again(intake_id: str, values: Mapping[str, Any], key: str | None, kind: str = READ) -> Run:
    """Read the same file anew with other choices; the new preview takes the old one's place.

    Args:
        intake_id, values, key: the import, what was chosen, the form's key.
        kind: of the job that reads.

    Raises:
        Refused: a choice is wrong, or the file is gone.
    """
    job = submission.find_job(kind)
    with reading() as session:
        intake = _to_change(session, intake_id)
        run = session.scalars(select(Run).where(Run.id == intake.run_id)).first() if intake.run_id else None
        if run is None or _stands(session, intake)[0] != PREVIEWED:
            raise Refused({"": FILE_GONE})
        uploads = session.scalars(select(Upload).where(Upload.run_id == run.id, Upload.deleted_at.is_(None))).all()
        if not uploads:
            raise Refused({"": FILE_GONE})
    asked = {name: value for name, value in run.params.items() if name != "files"} | dict(values)
    with with_files(job, {}, uploads) as files:
        made = submission.take(job, asked, files, key)
    with writing() as session:
        session.execute(delete(Intake).where(Intake.id == intake_id, Intake.state == PREVIEWED))
    return made


def to_undo(session: Session, intake: Intake) -> tuple[int, int]:
    """How many entries of it are still there, and how many of them were changed since."""
    there = session.scalar(select(func.count()).select_from(Entry).where(Entry.intake_id == intake.id)) or 0
    return there, len(changed_since(session, intake.id))
