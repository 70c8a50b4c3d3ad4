"""The job that deletes accounts and workspaces for good: runs are stopped, rows and files go, then the thing itself.

The page that asked (web/rights.py) has closed all doors before. Each portion's files go before its rows: an attempt
that is killed halfway leaves rows that still name what is to be deleted, and the next one finishes. Every hour it takes
up again what could not be finished at all.
"""

from collections.abc import Iterator, Sequence
from typing import Any, cast

from pydantic import Field
from sqlalchemy import ColumnElement, Table, and_, delete, func, or_, select, update

from models import lifecycle
from models.account import Account, SignIn
from models.belongings import keys, of_runs, owned, picture, workspace
from models.delivery import Bounced, Delivery
from models.run import CANCELLED, END_STATES, FAILED, Limit, Permit, Queue, Rate, Run
from models.statements import changed
from models.workspace import SYSTEM, Invitation
from tasks import discover
from tasks.care.forgetting import forget_customer
from tasks.context import Context
from tasks.errors import TryLater
from tasks.job import Job, Params, Result

AT_ONCE = 500
UNSEEN = {"synchronize_session": False}  # no object of the session stands for these rows
STILL_RUN = "Runs of it are about to end."
run_table = cast(Table, Run.__table__)
r = run_table.c


class Erasure(Params):
    """Whose data goes. Without anything it takes up what earlier runs left undone."""

    workspaces: str = Field("", title="Workspaces, by their ids")
    account: str = Field("", title="Account")
    backup_days: int = Field(0, title="Days that backups are kept")


class Erased(Result):
    """What went."""

    workspaces: int = Field(title="Workspaces")
    accounts: int = Field(title="Accounts")
    rows: int = Field(title="Rows of workspaces")
    files: int = Field(title="Files")
    backup_days: int = Field(title="Days until backups forget it")


def run(params: Erasure, ctx: Context) -> Erased:
    """Its own first, so that another's trouble does not hold it up."""
    found = Erased(workspaces=0, accounts=0, rows=0, files=0, backup_days=params.backup_days)
    for each in (params, *_left_undone(ctx)):
        _erase(ctx, each, found)
    return found


def _left_undone(ctx: Context) -> Iterator[Erasure]:
    mine = (r.kind == JOB.kind, r.state.in_((FAILED, CANCELLED)), r.id != ctx.run_id)
    with ctx.read_everything() as session:
        given = session.scalars(select(r.params).where(*mine).order_by(r.id)).all()
    yield from (Erasure.model_validate(each) for each in given)


def _erase(ctx: Context, params: Erasure, found: Erased) -> None:
    places = [place for place in params.workspaces.split() if place != SYSTEM]
    exports = and_(r.account_id == params.account, r.kind.in_([job.kind for job in discover().values() if job.private]))
    runs = or_(r.workspace_id.in_(places), exports)
    _stop(ctx, runs)
    for table in owned():
        if table is run_table:
            mine: ColumnElement[bool] = and_(runs, r.state.in_(END_STATES))
        elif table in of_runs():
            mine = or_(table.c.workspace_id.in_(places), table.c.run_id.in_(select(r.id).where(exports)))
        else:
            mine = table.c.workspace_id.in_(places)
        _empty(ctx, table, mine, found)
    found.workspaces += _drop_workspaces(ctx, places)
    if params.account:
        found.accounts += _drop_account(ctx, params.account, found)


def _stop(ctx: Context, runs: ColumnElement[bool]) -> None:
    """Cancel them all. What runs ends at its next step, and then another attempt of this goes on.

    Raises:
        TryLater: some still run.
    """
    going = and_(runs, r.state.not_in(END_STATES))
    while True:
        with ctx.read_everything() as session:
            ids = session.scalars(select(r.id).where(going, r.cancel_at.is_(None)).limit(AT_ONCE)).all()
        if not ids:
            break
        with ctx.write_everything() as session:
            for run_id in ids:
                lifecycle.cancel(session, run_id)
    with ctx.read_everything() as session:
        if session.scalar(select(r.id).where(going).limit(1)) is not None:
            raise TryLater(STILL_RUN)


def _empty(ctx: Context, table: Table, mine: ColumnElement[bool], found: Erased) -> None:
    """Delete these rows of a table, a portion at a time, each after its files."""
    key = list(table.primary_key.columns)
    named = keys(table)
    while True:
        with ctx.read_everything() as session:
            rows = session.execute(select(*key, *named).where(mine).limit(AT_ONCE)).all()
        if not rows:
            return
        for name in (name for row in rows for name in row[len(key) :] if name):
            ctx.storage.delete(name)
            found.files += 1
        with ctx.write_everything() as session:
            found.rows += changed(session, delete(table).where(_these(key, rows)))
        ctx.progress(0.5, f"{found.rows} rows and {found.files} files are gone")


def _these(key: list[Any], rows: Sequence[Any]) -> ColumnElement[bool]:
    """These rows by their key; one of several columns is spelled out, as every database understands it."""
    if len(key) == 1:
        return cast(ColumnElement[bool], key[0].in_([row[0] for row in rows]))
    return or_(*(and_(*(column == value for column, value in zip(key, row, strict=False))) for row in rows))


def _drop_workspaces(ctx: Context, places: list[str]) -> int:
    """What hangs on them beside that (memberships, tokens) goes with them: the tables say ON DELETE CASCADE."""
    with ctx.write_everything() as session:
        if session.scalar(select(r.id).where(r.workspace_id.in_(places)).limit(1)) is not None:
            raise TryLater("Something was handed in at the last moment.")
        looked = update(SignIn).where(SignIn.workspace_id.in_(places)).values(workspace_id=None)
        session.execute(looked, execution_options=UNSEEN)
        return changed(session, delete(workspace).where(workspace.c.id.in_(places)))


def _drop_account(ctx: Context, account_id: str, found: Erased) -> int:
    """The person, and what others' workspaces keep of them: mails to them, invitations, their name on runs.

    Runs and schedules in others' workspaces stay there without it, and so does what they wrote to others' help desks,
    whose correspondence it is (`tasks.care.forgetting`); the audit log keeps deeds by ids that name nobody.
    """
    scope = f"person:{account_id}"
    with ctx.read_everything() as session:
        email = session.scalar(select(Account.email).where(Account.id == account_id))
    if email is None:
        return 0
    mails = or_(Delivery.account_id == account_id, Delivery.to == email)
    _empty(ctx, picture, picture.c.delivery_id.in_(select(Delivery.id).where(mails)), found)
    forget_customer(ctx, account_id, email)
    with ctx.write_everything() as session:
        statements: tuple[Any, ...] = (
            delete(Delivery).where(mails),
            delete(Bounced).where(Bounced.address == email),
            delete(Invitation).where(func.lower(Invitation.email) == email),
            *(delete(table).where(table.scope == scope) for table in (Limit, Rate, Permit)),
            update(Queue).where(Queue.paused_by == account_id).values(paused_by=None),
            update(run_table).where(r.lane == account_id).values(lane=r.workspace_id),
            delete(Account).where(Account.id == account_id),
        )
        for statement in statements:
            session.execute(statement, execution_options=UNSEEN)
    return 1


JOB = Job(
    kind="erase",
    title="Delete for good",
    summary="Deletes accounts and workspaces whose owners asked for it: runs, rows, files, mails.",
    params=Erasure,
    result=Erased,
    run=run,
    queue="scans",
    schedule="35 * * * *",
    time_limit=1500,
    attempts=20,
    audience="machinery",
)
