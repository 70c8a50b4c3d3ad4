"""Invitations: a door into one workspace for one address, open for a week, for one person."""

from typing import Literal

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from models.base import db_now, new_id
from models.delivery import Delivery
from models.statements import changed
from models.workspace import SYSTEM, Invitation
from web import identity, people, throttle
from web.current import current_workspace, everyone, me, own, person, public, require_role, runtime, writing
from web.identity import DAY_MS
from web.inputs import Email, Form, NewPerson, read_form, time_zones
from web.security import digest, hash_password, new_secret, secret_page
from web.workspaces import look_at, page, still_open

bp = Blueprint("invitations", __name__)
DAYS = 7
TEXT = (
    "{name} invites you to work together at Nightshift, in the workspace “{workspace}”.\n\n{how}\n\n"
    "This holds for 7 days."
)
BY_LINK = "Open this page to join:\n\n{link}"
BY_HAND = (
    "They will give you a link. If you have an account already, the invitation waits on your page "
    "“Workspace and members”."
)


class Invite(Form):
    email: Email
    role: Literal["owner", "member", "viewer", "lead", "agent", "customer"]


@bp.post("/workspace/invitations")
@require_role("owner")
def invite() -> ResponseReturnValue:
    """Invite somebody. The same happens for an address with an account as for one without."""
    if current_workspace() == SYSTEM:
        abort(403)
    throttle.count("invite", me().id, throttle.BY_ADDRESS)
    form, errors = read_form(Invite)
    if form is None:
        return page(errors), 422
    secret = new_secret()
    _invite(form, secret)
    if runtime().settings.mail == "mailbox":
        link = runtime().origin + url_for("invitations.accept", secret=secret)
        return page(new_link=link, invited=form.email)
    flash("The invitation is on its way.", "success")
    return redirect(url_for("workspaces.show"))


@bp.post("/workspace/invitations/<invitation_id>/revoke")
@require_role("owner")
def revoke(invitation_id: str) -> ResponseReturnValue:
    with writing() as session:
        if not changed(session, delete(Invitation).where(Invitation.id == invitation_id)):
            abort(404)
        people.audit(session, "invitation revoked", me().id, current_workspace(), invitation=invitation_id)
    flash("The invitation is worthless now.", "success")
    return redirect(url_for("workspaces.show"))


@bp.post("/workspace/invitations/<invitation_id>/join")
@own
def join(invitation_id: str) -> ResponseReturnValue:
    """For somebody with an account: join with the button on the workspace page, without the link."""
    with everyone(write=True) as session:
        mine = select(Invitation).where(Invitation.id == invitation_id, Invitation.email == me().email, *still_open())
        invitation = session.scalar(mine) or abort(404)
        _join(session, invitation, me().id)
        look_at(session, invitation.workspace_id)
    flash("You are in. This is your new workspace.", "success")
    return redirect(url_for("home"))


@bp.route("/invitation/<secret>", methods=["GET", "POST"])
@public
@secret_page
def accept(secret: str) -> ResponseReturnValue:
    with everyone() as session:
        invitation = _open(session, secret)
        workspace, known = invitation.workspace.name, people.find(session, invitation.email) is not None
    asking, errors = person(), {}
    if request.method == "POST":
        if asking and asking.email == invitation.email:
            return join(invitation.id)
        if asking or known:
            abort(403)
        errors = _make_guest(secret, invitation.email)
        if not errors:
            flash("Welcome. This workspace is shared; you have one of your own, too.", "success")
            return redirect(url_for("home"))
    mine = asking is not None and asking.email == invitation.email
    return render_template(
        "workspace/invitation.html",
        invitation=invitation,
        workspace=workspace,
        known=known,
        mine=mine,
        errors=errors,
        zones=time_zones(),
    ), 422 if errors else 200


def _invite(form: Invite, secret: str) -> None:
    """Write the invitation and its mail; an older one to the same address makes room."""
    by_link = runtime().settings.mail != "mailbox"
    text = TEXT.format(name=me().name, workspace=me().workspace_name, how=BY_LINK if by_link else BY_HAND)
    with everyone(write=True) as session:
        here = (Invitation.workspace_id == current_workspace(), Invitation.email == form.email)
        session.execute(delete(Invitation).where(*here, Invitation.accepted_at.is_(None)))
        account = people.find(session, form.email)
        expires = session.scalar(select(db_now() + DAYS * DAY_MS))
        row = Invitation(id=new_id(), email=form.email, role=form.role, secret_hash=digest(secret), expires_at=expires)
        row.workspace_id, row.invited_by = current_workspace(), me().id
        subject = f"{me().name[:80]} invites you to Nightshift"
        mail = Delivery(to=form.email, subject=subject, text=text, html=people.page(subject, text))
        mail.workspace_id, mail.account_id = current_workspace(), account.id if account else None
        # The mail's secret is made when it is sent and takes the place of this one, which nobody has seen.
        mail.link = "invitation" if by_link else None
        session.add_all([row, mail])
        people.audit(session, "invited", me().id, current_workspace(), invitation=row.id, role=form.role)


def _make_guest(secret: str, email: str) -> dict[str, str]:
    """An account for somebody who came with the link, a workspace of their own, and the membership."""
    form, errors = read_form(NewPerson, email=email)
    if form is None:
        return errors
    hashed = hash_password(form.password)
    with everyone(write=True) as session:
        invitation = _open(session, secret)
        account = people.create_account(
            session, name=form.name, email=email, password_hash=hashed, time_zone=form.time_zone, confirmed=True
        )
        _join(session, invitation, account.id)
        identity.start(session, account.id, invitation.workspace_id)
    return {}


def _join(session: Session, invitation: Invitation, account_id: str) -> None:
    spent = update(Invitation).where(Invitation.id == invitation.id, *still_open()).values(accepted_at=db_now())
    if not changed(session, spent):
        abort(410)
    people.join(session, account_id, invitation.workspace_id, invitation.role)
    people.audit(session, "invitation accepted", account_id, invitation.workspace_id, invitation=invitation.id)


def _open(session: Session, secret: str) -> Invitation:
    query = select(Invitation).where(Invitation.secret_hash == digest(secret), *still_open())
    return session.scalar(query) or abort(410)
