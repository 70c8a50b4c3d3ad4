"""The job that writes what an import's preview showed, or takes it back: all of it in one transaction, or nothing.

Meter readings and tickets, which may be very many, are written in parts; see `tasks.metering.bringing` and
`tasks.care.imported`.
"""

from functools import partial
from typing import Literal

from pydantic import Field
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from models.artifact import Upload
from models.base import clock, db_now
from models.intake import APPLIED, APPLYING, NEW, PREVIEWED, UNDOING, UNDONE, WRONG, Intake, IntakeLine
from models.ledger import Category, Entry, Payee, Purse
from models.meter import Meter
from models.session import after_commit
from models.statements import changed
from models.stock import Movement, Product, Purchase, Supplier
from models.ticket import Ticket
from models.workspace import Workspace
from tasks.care import import_keys
from tasks.context import Context
from tasks.days import today
from tasks.errors import JobError
from tasks.imports import import_goods, import_money
from tasks.job import Job, Params, Result
from tasks.metering import looking
from tasks.storage import drop

GONE = "This import is not there any more; read the file again."
NOT_NOW = "This import is {}, so it cannot be done. Look at its page."
READINGS = "readings"  # the subject of meter files
TABLES = (Entry, Purse, Payee, Category, Product, Movement, Purchase, Supplier)


class Step(Params):
    """Which import, and what to do with it."""

    intake: str = Field(title="Import", max_length=28)
    action: Literal["apply", "undo"] = Field("apply", title="What")
    also: bool = Field(False, title="Also what was changed since")


class Stepped(Result):
    """What was written, or taken back."""

    intake: str = Field(title="Import")
    action: str = Field(title="What was done")
    count: int = Field(title="Written, or deleted")
    known: int = Field(title="Imported by another file meanwhile")
    kept: int = Field(title="Left because somebody changed it since")


def run(params: Step, ctx: Context) -> Stepped:
    """No progress is told while it writes: nobody sees a part of it, and SQLite has one writer."""
    with ctx.read() as session:
        intake = session.scalars(select(Intake).where(Intake.id == params.intake)).first()
        mine = (IntakeLine.intake_id == params.intake, IntakeLine.state == NEW)
        count = session.scalar(select(func.count()).select_from(IntakeLine).where(*mine)) or 0
    if intake is None:
        raise JobError(GONE)
    if intake.subject == READINGS:
        return _readings(ctx, intake, params.action)
    if intake.subject == import_keys.SUBJECT:
        return _tickets(ctx, intake, params.action)
    ctx.progress(0.1, f"Writing {count:,} lines" if params.action == "apply" else "Taking it back")
    done = _apply(ctx, params.intake) if params.action == "apply" else _undo(ctx, params.intake, params.also)
    for table in TABLES:
        ctx.touch(table, ctx.workspace)
    return done


def _readings(ctx: Context, intake: Intake, action: str) -> Stepped:
    """Meter readings are written, or taken back, before the import says so: doing either again changes nothing."""
    from tasks.metering import bringing  # numpy: only in the worker

    if intake.state not in ((PREVIEWED, APPLYING) if action == "apply" else (APPLIED, UNDOING)):
        raise JobError(NOT_NOW.format(intake.state))
    found = bringing.apply(ctx, intake) if action == "apply" else bringing.undo(ctx, intake)
    session = ctx.session
    if action == "apply":
        row = _taken(session, intake.id, (PREVIEWED, APPLYING), APPLIED)
        row.applied_at = clock(session)
        _forget_file(ctx, session, row)
    else:
        row = _taken(session, intake.id, (APPLIED, UNDOING), UNDONE)
        row.undone_at = clock(session)
    row.counts = {**(row.counts or {}), **found}
    looking.stale(session, sorted(set(row.counts.get("meters", {}).values())))  # what was seen is of other readings
    ctx.touch(Meter, ctx.workspace)  # so that they are looked at as soon as this is written
    count = found["written"] if action == "apply" else found["deleted"]
    return Stepped(intake=intake.id, action=action, count=count, known=0, kept=found.get("kept", 0))


def _tickets(ctx: Context, intake: Intake, action: str) -> Stepped:
    """Tickets are written, or taken back, in portions too; what was done of it is not done again."""
    from tasks.care import import_undo, imported  # what they need reckons with numpy

    if intake.state not in ((PREVIEWED, APPLYING) if action == "apply" else (APPLIED, UNDOING)):
        raise JobError(NOT_NOW.format(intake.state))
    found = imported.apply(ctx, intake) if action == "apply" else import_undo.undo(ctx, intake)
    session = ctx.session
    if action == "apply":
        row = _taken(session, intake.id, (PREVIEWED, APPLYING), APPLIED)
        row.applied_at = clock(session)
        _forget_lines(session, intake.id)
        _forget_file(ctx, session, row)
    else:
        row = _taken(session, intake.id, (APPLIED, UNDOING), UNDONE)
        row.undone_at = clock(session)
    row.counts = {**(row.counts or {}), **found}
    ctx.touch(Ticket, ctx.workspace)
    count = found["written"] if action == "apply" else found["deleted"]
    return Stepped(intake=intake.id, action=action, count=count, known=found.get("known", 0), kept=found.get("kept", 0))


def _taken(session: Session, intake_id: str, before: tuple[str, ...], state: str) -> Intake:
    """The import, in its new state; whoever else wants it waits here, and then finds that it is too late."""
    step = update(Intake).where(Intake.id == intake_id, Intake.state.in_(before)).values(state=state)
    took = changed(session, step.execution_options(synchronize_session=False))
    intake = session.scalars(select(Intake).where(Intake.id == intake_id)).first()
    if intake is None:
        raise JobError(GONE)
    if not took:
        raise JobError(NOT_NOW.format(intake.state))
    return intake


def _apply(ctx: Context, intake_id: str) -> Stepped:
    session = ctx.session
    intake = _taken(session, intake_id, (PREVIEWED, APPLYING), APPLIED)
    place = session.get_one(Workspace, ctx.workspace)
    moment = clock(session)
    if intake.subject == "expenses":
        found = import_money.Writer(session, intake, moment, ctx.account_id).write()
    else:
        currency = (intake.layout or {}).get("currency") or place.currency
        day = today(place.time_zone, moment)
        found = import_goods.Writer(session, intake, moment, ctx.account_id, day, currency).write()
    intake.applied_at = moment
    intake.counts = {**(intake.counts or {}), **found}
    _forget_lines(session, intake_id)
    _forget_file(ctx, session, intake)
    return Stepped(intake=intake_id, action="apply", count=found["written"], known=found["known"], kept=0)


def _forget_lines(session: Session, intake_id: str) -> None:
    """Only what was wrong is still of use."""
    others = delete(IntakeLine).where(IntakeLine.intake_id == intake_id, IntakeLine.state != WRONG)
    session.execute(others.execution_options(synchronize_session=False))


def _forget_file(ctx: Context, session: Session, intake: Intake) -> None:
    """What the file said is in the tables now; a bank's file is nothing to leave lying about."""
    mine = (Upload.run_id == intake.run_id, Upload.deleted_at.is_(None))
    keys = session.scalars(select(Upload.key).where(*mine)).all() if intake.run_id else []
    session.execute(
        update(Upload).where(*mine).values(deleted_at=db_now()).execution_options(synchronize_session=False)
    )
    after_commit(session, partial(drop, ctx.storage, keys))


def _undo(ctx: Context, intake_id: str, also: bool) -> Stepped:
    session = ctx.session
    intake = _taken(session, intake_id, (APPLIED, UNDOING), UNDONE)
    take_back = import_money.undo if intake.subject == "expenses" else import_goods.undo
    found = take_back(session, intake, also=also)
    intake.undone_at = clock(session)
    intake.counts = {**(intake.counts or {}), "deleted": found["deleted"], "kept": found["kept"]}
    return Stepped(intake=intake_id, action="undo", count=found["deleted"], known=0, kept=found["kept"])


def headline(done: Stepped) -> str:
    return f"{done.count:,} {'written' if done.action == 'apply' else 'taken back'}"


JOB = Job(
    kind="intake",
    title="Write an import",
    summary="Writes what the preview of an import showed, or takes an import back.",
    params=Step,
    result=Stepped,
    run=run,
    time_limit=900,
    audience="machinery",
    headline=headline,
)
