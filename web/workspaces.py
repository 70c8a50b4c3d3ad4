"""Workspaces: their members and roles, making one, moving between them."""

from typing import Literal

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.orm import Session

from models.account import Account, SignIn, Token
from models.base import clock, db_now
from models.run import Run
from models.statements import changed
from models.workspace import ROLES, SYSTEM, Invitation, Membership, Workspace
from tasks.care import leaving
from tasks.care.by import By
from web import identity, people
from web.current import current_workspace, everyone, may, me, own, reading, require_role, runtime
from web.inputs import Form, Name, read_form, time_zones
from web.money import offered
from web.signin import local_path

bp = Blueprint("workspaces", __name__, url_prefix="/workspace")
OWNS_ENOUGH = "You own {most} workspaces already. Leave one that somebody else can own, or ask the administrator."
ROLE_WORDS = {
    "member": "hands work over",
    "viewer": "looks",
    "agent": "answers customers, sees nothing else",
    "lead": "runs the help desk, sees nothing else",
    "customer": "asks, sees their own tickets alone",
    "owner": "runs the workspace",
}
LAST_OWNER = "A workspace needs an owner: make somebody else one first."


class Named(Form):
    name: Name


class Role(Form):
    role: Literal["owner", "member", "viewer", "lead", "agent", "customer"]


@bp.get("")
@own
def show() -> ResponseReturnValue:
    return page()


@bp.post("/switch")
@own
def switch() -> ResponseReturnValue:
    """Look at another workspace of one's own. It leads to the first page unless the form names another."""
    wanted = request.form.get("workspace", "")
    with everyone(write=True) as session:
        if wanted not in {place.id for place in identity.places(session, me().id)}:
            abort(404)
        look_at(session, wanted)
    return redirect(local_path(request.form.get("next", "")))


@bp.post("/new")
@own
def make() -> ResponseReturnValue:
    form, errors = read_form(Named)
    if form is None:
        return page({"new_name": errors["name"]}), 422
    with everyone() as session:  # each has quotas of its own: with any number of them, nobody would have any
        owned = sum(place.role == "owner" and place.id != SYSTEM for place in identity.places(session, me().id))
    if owned >= (most := runtime().settings.own_workspaces):
        return page({"new_name": OWNS_ENOUGH.format(most=most)}), 429
    with everyone(write=True) as session:
        made = people.create_workspace(session, form.name, me().id)
        people.audit(session, "workspace made", me().id, made.id)
        look_at(session, made.id)
    flash("Your new workspace. Invite whoever works in it with you.", "success")
    return redirect(url_for("workspaces.show"))


@bp.post("/rename")
@require_role("owner")
def rename() -> ResponseReturnValue:
    form, errors = read_form(Named)
    if form is None:
        return page(errors), 422
    with everyone(write=True) as session:
        session.execute(update(Workspace).where(Workspace.id == current_workspace()).values(name=form.name))
        people.audit(session, "workspace renamed", me().id, current_workspace())
    flash("Saved.", "success")
    return redirect(url_for("workspaces.show"))


@bp.post("/members/<account_id>/role")
@require_role("owner")
def change_role(account_id: str) -> ResponseReturnValue:
    form, _ = read_form(Role)
    if form is None:
        abort(400)
    with everyone(write=True) as session:
        member = session.get(Membership, (current_workspace(), account_id)) or abort(404)
        if form.role != "owner" and _last_owner(session, member):
            flash(LAST_OWNER, "warning")
            return redirect(url_for("workspaces.show"))
        people.audit(
            session, "role changed", me().id, current_workspace(), whose=account_id, was=member.role, now=form.role
        )
        member.role = form.role
        if not leaving.answers(form.role):
            _leave_desk(session, account_id)
        if form.role != "owner":
            _close_doors(session, account_id)
    flash("Saved.", "success")
    return redirect(url_for("workspaces.show"))


@bp.post("/members/<account_id>/remove")
@require_role("owner")
def remove(account_id: str) -> ResponseReturnValue:
    return _end_membership(account_id, "member removed", "They are no longer a member.")


@bp.post("/leave")
@own
def leave() -> ResponseReturnValue:
    return _end_membership(me().id, "left", "You left the workspace.")


def look_at(session: Session, workspace_id: str) -> None:
    """Make this the workspace that this browser looks at."""
    session.execute(update(SignIn).where(SignIn.id == me().sign_in_id).values(workspace_id=workspace_id))


def elsewhere(run_id: str) -> identity.Place | None:
    """The workspace of the person's own that has this run; links in mails name no workspace."""
    with everyone() as session:
        where = session.scalar(select(Run.workspace_id).where(Run.id == run_id))
        return next((place for place in identity.places(session, me().id) if place.id == where), None)


def page(errors: dict[str, str] | None = None, **more: object) -> str:
    """Members, open invitations, and invitations to other workspaces that wait for the person."""
    with everyone() as session:
        members = select(Membership.role, Account.id, Account.name, Account.email).join(Membership.account)
        members = members.where(Membership.workspace_id == current_workspace()).order_by(Account.name, Account.id)
        if not may("viewer"):  # of the desk, or a customer: who else works here is not theirs to know
            members = members.where(Account.id == me().id)
        waiting = select(Invitation.id, Invitation.role, Workspace.name).join(Invitation.workspace)
        people_here = session.execute(members).all()
        waiting_for_me = session.execute(waiting.where(Invitation.email == me().email, *still_open())).all()
    with reading() as session:
        invitations = session.scalars(select(Invitation).where(*still_open()).order_by(Invitation.id)).all()
        place = session.scalars(select(Workspace).where(Workspace.id == current_workspace())).one_or_none()
    return render_template(
        "workspace/show.html",
        members=people_here,
        invitations=invitations,
        waiting=waiting_for_me,
        roles=ROLES,
        role_words=ROLE_WORDS,
        place=place,
        zones=time_zones(),
        currencies=offered(),
        machinery=current_workspace() == SYSTEM,
        errors=errors or {},
        **more,
    )


def still_open() -> tuple[ColumnElement[bool], ...]:
    """Conditions of an invitation that works."""
    return (Invitation.accepted_at.is_(None), Invitation.expires_at > db_now())


def _end_membership(account_id: str, what: str, words: str) -> ResponseReturnValue:
    with everyone(write=True) as session:
        member = session.get(Membership, (current_workspace(), account_id)) or abort(404)
        if _last_owner(session, member):
            flash(LAST_OWNER, "warning")
            return redirect(url_for("workspaces.show"))
        here = (Membership.workspace_id == current_workspace(), Membership.account_id == account_id)
        if changed(session, delete(Membership).where(*here)):
            # A token for a workspace is worth nothing without the membership; nobody should find it alive on return.
            tokens = delete(Token).where(Token.account_id == account_id, Token.workspace_id == current_workspace())
            session.execute(tokens)
            _close_doors(session, account_id)
            _leave_desk(session, account_id)
            people.audit(session, what, me().id, current_workspace(), whose=account_id)
    flash(words, "success")
    return redirect(url_for("home" if account_id == me().id else "workspaces.show"))


def _close_doors(session: Session, account_id: str) -> None:
    """Invitations go with the right to invite: their links may lie with the one who made them."""
    mine = (Invitation.workspace_id == current_workspace(), Invitation.invited_by == account_id)
    session.execute(delete(Invitation).where(*mine, Invitation.accepted_at.is_(None)))


def _leave_desk(session: Session, account_id: str) -> None:
    """Their tickets wait for others: whoever sees nothing of them answers none."""
    leaving.leave(session, current_workspace(), account_id, By("agent", me().id), clock(session))


def _last_owner(session: Session, member: Membership) -> bool:
    people.one_at_a_time(session, member.workspace_id)
    session.refresh(member)
    owners = select(func.count()).where(Membership.workspace_id == member.workspace_id, Membership.role == "owner")
    return member.role == "owner" and session.scalar(owners) == 1
