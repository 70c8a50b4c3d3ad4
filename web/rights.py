"""A person's right to what is theirs: a copy of it, and its end. Asked here, done by the jobs `export` and `erase`.

A deletion closes all doors at once, in the request: sign-ins, tokens, memberships, invitations. The job does the rest.
"""

from dataclasses import dataclass, field
from typing import Any

import flask
from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from models.account import Account, Link, Token
from models.artifact import Artifact, Upload
from models.run import END_STATES, Run
from models.schedule import Schedule
from models.workspace import SYSTEM, Invitation, Membership
from tasks import discover
from tasks.discard import discard
from tasks.handover import HandedOver
from tasks.mailing import homes
from web import identity, people, throttle
from web.current import current_workspace, everyone, me, own, require_role, runtime
from web.security import password_fits
from web.workspaces import look_at
from workers.enqueue import submit

bp = Blueprint("rights", __name__)
EXPORT, ERASE = "export", "erase"
NOT_THE_NAME = "This is not the workspace’s name. Type it as it stands above."
NOT_THE_PASSWORD = "This is not your password."  # noqa: S105
NEEDS_AN_HEIR = "Say who owns this workspace after you, or delete it first, on its own page."
LAST_ADMINISTRATOR = (
    "You are the only administrator, and somebody has to run the system: make somebody else one first, under "
    "Administration. To end all of this Nightshift, stop it and delete its data folder."
)


@dataclass
class Farewell:
    """What becomes of a person's workspaces: those that go along, those that stay, and those that need an owner."""

    goes: list[tuple[str, str]] = field(default_factory=list)
    stays: list[str] = field(default_factory=list)
    needs: list[tuple[str, str, list[tuple[str, str]]]] = field(default_factory=list)


@bp.post("/account/export")
@own
def export_account() -> ResponseReturnValue:
    with everyone() as session:
        home = homes.home(session, me().id)
    if home is None:
        flash("The copy is kept in a workspace, and you are in none: make one, then ask again.", "warning")
        return redirect(url_for("workspaces.show"))
    return _export("account", current_workspace() if me().role == "owner" and current_workspace() != SYSTEM else home)


@bp.post("/workspace/export")
@require_role("owner")
def export_workspace() -> ResponseReturnValue:
    return abort(403) if current_workspace() == SYSTEM else _export("workspace", current_workspace())


@bp.get("/account/delete")
@own
def delete_account() -> ResponseReturnValue:
    return _account_page()


@bp.post("/account/delete")
@own
def erase_account() -> ResponseReturnValue:
    errors = _password_errors()
    if errors:
        return _account_page(errors), 422
    with everyone(write=True) as session:
        errors = _leave(session)
    if errors:
        return _account_page(errors), 422
    flask.session.clear()
    flash(f"Your account is closed, and all that is yours is being deleted. {_backups()}", "success")
    return redirect(url_for("signin.sign_in"))


@bp.get("/workspace/delete")
@require_role("owner")
def delete_workspace() -> ResponseReturnValue:
    return _workspace_page()


@bp.post("/workspace/delete")
@require_role("owner")
def erase_workspace() -> ResponseReturnValue:
    if current_workspace() == SYSTEM:
        abort(403)
    errors = _password_errors()
    if " ".join(request.form.get("name", "").split()) != me().workspace_name:
        errors["name"] = NOT_THE_NAME
    if errors:
        return _workspace_page(errors), 422
    with everyone(write=True) as session:
        people.one_at_a_time(session, current_workspace())
        _close_workspace(session, current_workspace())
        _erase(session, "workspace deleted", [current_workspace()])
    flash(f"The workspace is closed, and all of it is being deleted. {_backups()}", "success")
    return redirect(url_for("home"))


def _export(what: str, workspace: str) -> ResponseReturnValue:
    """Start an export, unless one is on its way; an earlier copy makes room for the new one."""
    job = discover().get(EXPORT) or abort(404)
    mine = (Run.kind == EXPORT, Run.account_id == me().id, Run.workspace_id == workspace)
    with everyone(write=True) as session:
        people.one_at_a_time(session, workspace)
        earlier = session.execute(select(Run.id, Run.state, Run.params).where(*mine)).all()
        earlier = [row for row in earlier if row.params.get("what") == what]
        going = [row.id for row in earlier if row.state not in END_STATES]
        if not going:
            discard(session, runtime().storage, [row.id for row in earlier])
            handed = HandedOver(job.params.model_validate({"what": what}))
            run = submit(runtime(), session, job, handed, workspace, account_id=me().id)
            going = [run.id]
            people.audit(session, f"{what} export asked for", me().id, workspace, run=run.id)
        if workspace != current_workspace():
            look_at(session, workspace)
    return redirect(url_for("runs.show", run_id=going[0]), 303)


def _password_errors() -> dict[str, str]:
    throttle.count("password", me().id, throttle.BY_ACCOUNT)
    with everyone() as session:
        stored = session.get_one(Account, me().id).password_hash
    return {} if password_fits(stored, request.form.get("password", "")) else {"password": NOT_THE_PASSWORD}


def _farewell(session: Session, account_id: str) -> Farewell:
    found = Farewell()
    for place in identity.places(session, account_id):
        if place.id == SYSTEM:
            continue
        others = select(Account.id, Account.name, Membership.role).join(Membership.account)
        others = others.where(Membership.workspace_id == place.id, Account.id != account_id)
        rest = session.execute(others.order_by(Account.name, Account.id)).all()
        if not rest:
            found.goes.append((place.id, place.name))
        elif place.role == "owner" and all(row.role != "owner" for row in rest):
            found.needs.append((place.id, place.name, [(row.id, row.name) for row in rest]))
        else:
            found.stays.append(place.name)
    return found


def _last_administrator(session: Session) -> bool:
    count = select(func.count(Account.id)).where(Account.is_admin.is_(True), Account.id != me().id)
    return me().is_admin and not session.scalar(count)


def _leave(session: Session) -> dict[str, str]:
    """Close the account and hand on what others need; or say what is in the way, and change nothing."""
    for place in sorted({SYSTEM, *(row.id for row in identity.places(session, me().id))}):
        people.one_at_a_time(session, place)
    if _last_administrator(session):
        return {"": LAST_ADMINISTRATOR}
    found = _farewell(session, me().id)
    heirs = {place: request.form.get(f"heir-{place}", "") for place, _, _ in found.needs}
    members = {place: [account_id for account_id, _ in rest] for place, _, rest in found.needs}
    if errors := {f"heir-{place}": NEEDS_AN_HEIR for place, heir in heirs.items() if heir not in members[place]}:
        return errors
    for place, heir in heirs.items():
        here = (Membership.workspace_id == place, Membership.account_id == heir)
        session.execute(update(Membership).where(*here).values(role="owner"))
        people.audit(session, "role changed", me().id, place, whose=heir, now="owner")
    for place, _ in found.goes:
        _close_workspace(session, place)
    _close_account(session, me().id)
    _erase(session, "account deleted", [place for place, _ in found.goes], me().id)
    return {}


def _close_workspace(session: Session, place: str) -> None:
    for table in (Membership, Token, Invitation):
        session.execute(delete(table).where(table.workspace_id == place))
    session.execute(update(Schedule).where(Schedule.workspace_id == place).values(enabled=False, next_due=None))


def _close_account(session: Session, account_id: str) -> None:
    identity.stop_all(session, account_id)
    for table in (Membership, Token, Link):
        session.execute(delete(table).where(table.account_id == account_id))
    closed = {"password_hash": None, "is_admin": False, "mail_results": False}
    session.execute(update(Account).where(Account.id == account_id).values(**closed))


def _erase(session: Session, what: str, places: list[str], account_id: str = "") -> None:
    job = discover().get(ERASE) or abort(404)
    wanted = {"workspaces": " ".join(places), "account": account_id, "backup_days": runtime().settings.backup_days}
    run = submit(runtime(), session, job, HandedOver(job.params.model_validate(wanted)), SYSTEM)
    people.audit(session, what, me().id, places[0] if len(places) == 1 else None, run=run.id, workspaces=places)


def _backups() -> str:
    days = runtime().settings.backup_days
    return f"Backups of this Nightshift forget it within {days} days." if days else "No backups are kept."


def _account_page(errors: dict[str, str] | None = None) -> str:
    with everyone() as session:
        found = _farewell(session, me().id)
        blocked = LAST_ADMINISTRATOR if _last_administrator(session) else ""
    return render_template("account/delete.html", found=found, blocked=blocked, backups=_backups(), errors=errors or {})


def _workspace_page(errors: dict[str, str] | None = None) -> str:
    if current_workspace() == SYSTEM:
        abort(403)
    tables: dict[str, Any] = {
        "runs": Run, "schedules": Schedule, "uploads": Upload, "artifacts": Artifact, "members": Membership,
    }  # fmt: skip
    with everyone() as session:
        counts = {
            name: session.scalar(select(func.count()).where(table.workspace_id == current_workspace()))
            for name, table in tables.items()
        }
    return render_template("workspace/delete.html", counts=counts, backups=_backups(), errors=errors or {})
