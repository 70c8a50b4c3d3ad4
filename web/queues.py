"""For those who run the system: what waits in each queue, pausing it, and limits for queues and for people."""

from dataclasses import dataclass
from typing import Annotated, Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from pydantic import BeforeValidator, Field
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import limits
from models.account import Account
from models.base import clock, db_now
from models.limits import EVERY_PERSON, Bound
from models.run import END_STATES, QUEUED, RUNNING, Queue, Run
from web import people
from web.current import everyone, me, require_admin
from web.inputs import Form, read_form
from workers.queues import GROUPS, QUEUES

bp = Blueprint("queues", __name__, url_prefix="/admin/queues")
HOUR_MS = 3_600_000
MOST = 100_000
EMPTY = BeforeValidator(lambda text: text if str(text).strip() else None)


class Limits(Form):
    """What may run at once and start in a minute; empty is no limit."""

    running: Annotated[Annotated[int, Field(ge=0, le=MOST)] | None, EMPTY] = None
    per_minute: Annotated[Annotated[int, Field(ge=1, le=MOST)] | None, EMPTY] = None


class PersonsLimits(Limits):
    account: str


@dataclass
class Shown:
    """One queue, as the page tells of it. Times are epoch milliseconds."""

    name: str
    worker: str
    waiting: int
    running: int
    oldest_ms: int | None
    hourly: int
    paused_at: int | None
    paused_by: str | None
    bound: Bound


@bp.get("")
@require_admin
def index() -> ResponseReturnValue:
    return _page()


@bp.post("/<name>/pause")
@require_admin
def pause(name: str) -> ResponseReturnValue:
    """Nothing of this queue starts any more; what runs goes on to its end."""
    with everyone(write=True) as session:
        row = _row(session, name)
        if row.paused_at is None:
            row.paused_at, row.paused_by = clock(session), me().id
            people.audit(session, "queue paused", me().id, queue=name)
    flash(f"The queue “{name}” is paused. What runs goes on to its end; nothing else starts.", "success")
    return redirect(url_for("queues.index"), 303)


@bp.post("/<name>/resume")
@require_admin
def resume(name: str) -> ResponseReturnValue:
    with everyone(write=True) as session:
        row = _row(session, name)
        if row.paused_at is not None:
            row.paused_at = row.paused_by = None
            people.audit(session, "queue resumed", me().id, queue=name)
    flash(f"The queue “{name}” goes on.", "success")
    return redirect(url_for("queues.index"), 303)


@bp.post("/<name>/limits")
@require_admin
def limit_queue(name: str) -> ResponseReturnValue:
    known(name)
    form, errors = read_form(Limits)
    return _page({f"queue:{name}": errors}) if form is None else _set(f"queue:{name}", form, queue=name)


@bp.post("/people/limits")
@require_admin
def limit_person() -> ResponseReturnValue:
    """Of one account, or of everybody without limits of their own ("*")."""
    form, errors = read_form(PersonsLimits)
    if form is None:
        return _page({"everybody" if request.form.get("account") == "*" else "person": errors})
    with everyone() as session:
        if form.account != "*" and session.get(Account, form.account) is None:
            abort(404)
    return _set(f"person:{form.account}", form, whose=form.account)


def known(name: str) -> str:
    """A queue's name; 404 for what is none."""
    return name if name in QUEUES else abort(404)


def _row(session: Session, name: str) -> Queue:
    row = session.get(Queue, known(name))
    if row is None:
        row = Queue(name=name)
        session.add(row)
    return row


def _set(scope: str, form: Limits, **named: Any) -> ResponseReturnValue:
    with everyone(write=True) as session:
        limits.set_limit(session, scope, form.running, form.per_minute)
        people.audit(session, "limits set", me().id, running=form.running, per_minute=form.per_minute, **named)
    flash("Saved. What runs already goes on.", "success")
    return redirect(url_for("queues.index"), 303)


def _page(errors: dict[str, dict[str, str]] | None = None) -> ResponseReturnValue:
    with everyone() as session:
        bounds = limits.all_limits(session)
        names = {account.id: account.name for account in session.scalars(select(Account).order_by(Account.name))}
        shown = [_shown(session, name, group, bounds, names) for group, listed in GROUPS.items() for name in listed]
    persons = {scope.removeprefix("person:"): bound for scope, bound in bounds.items() if scope.startswith("person:")}
    page = render_template(
        "queues/index.html",
        queues=shown,
        everybody=bounds.get(EVERY_PERSON, Bound(None, None)),
        persons={account: bound for account, bound in persons.items() if account != "*"},
        names=names,
        errors=errors or {},
    )
    return page, 422 if errors else 200


def _shown(session: Session, name: str, group: str, bounds: limits.Limits, names: dict[str, str]) -> Shown:
    row = session.get(Queue, name) or Queue(name=name)
    here = (Run.queue == name, Run.state == QUEUED, Run.due_at <= db_now())
    waiting, oldest = session.execute(select(func.count(), db_now() - func.min(Run.due_at)).where(*here)).one()
    running = select(func.count()).where(Run.queue == name, Run.state == RUNNING)
    ended = select(func.count()).where(
        Run.state.in_(END_STATES), Run.finished_at > db_now() - HOUR_MS, Run.queue == name
    )  # fmt: skip
    return Shown(
        name=name,
        worker=group,
        waiting=waiting,
        running=session.scalar(running) or 0,
        oldest_ms=max(0, oldest) if waiting else None,
        hourly=session.scalar(ended) or 0,
        paused_at=row.paused_at,
        paused_by=names.get(row.paused_by or ""),
        bound=bounds.get(f"queue:{name}", Bound(None, None)),
    )
