"""For those who run the system: its people, its machinery, its log of deeds. Nobody's content."""

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from models.account import Account
from models.delivery import Bounced
from models.workspace import SYSTEM, AuditEntry, Membership
from web import identity, people
from web.current import everyone, me, require_admin
from web.inputs import page_number

bp = Blueprint("admin", __name__, url_prefix="/admin")
PAGE = 50


@bp.get("")
@require_admin
def index() -> ResponseReturnValue:
    with everyone() as session:
        accounts = session.scalars(select(Account).order_by(Account.created_at, Account.id)).all()
        unreached = set(session.scalars(select(Bounced.address).join(Account, Account.email == Bounced.address)))
    return render_template("admin/index.html", accounts=accounts, unreached=unreached, system=SYSTEM)


@bp.post("/people/<account_id>/role")
@require_admin
def change_role(account_id: str) -> ResponseReturnValue:
    """Make somebody an administrator, or end that; the last one stays."""
    wanted = request.form.get("admin") == "yes"
    with everyone(write=True) as session:
        people.one_at_a_time(session, SYSTEM)
        account = session.get(Account, account_id) or abort(404)
        if not wanted and _administrators(session) < 2:
            flash("Somebody has to run the system: name another administrator first.", "warning")
            return redirect(url_for("admin.index"))
        if wanted:
            people.make_admin(session, account)
        else:
            account.is_admin = False
            session.execute(
                delete(Membership).where(Membership.workspace_id == SYSTEM, Membership.account_id == account.id)
            )
        people.audit(session, "made administrator" if wanted else "no longer administrator", me().id, whose=account.id)
    flash("Saved.", "success")
    return redirect(url_for("admin.index" if wanted or account_id != me().id else "home"))


@bp.post("/people/<account_id>/sign-out")
@require_admin
def sign_out(account_id: str) -> ResponseReturnValue:
    with everyone(write=True) as session:
        account = session.get(Account, account_id) or abort(404)
        identity.stop_all(session, account.id, but=me().sign_in_id)
        identity.void_tokens(session, account.id)
        people.audit(session, "signed somebody out everywhere", me().id, whose=account.id)
    flash("Signed out of every browser, and every API token is void.", "success")
    return redirect(url_for("admin.index"))


@bp.get("/audit")
@require_admin
def audit() -> ResponseReturnValue:
    page = page_number()
    with everyone() as session:
        count = session.scalar(select(func.count(AuditEntry.id))) or 0
        query = select(AuditEntry, Account.name).outerjoin(Account, Account.id == AuditEntry.account_id)
        query = query.order_by(AuditEntry.id.desc()).limit(PAGE).offset((page - 1) * PAGE)
        entries = session.execute(query).all()
    return render_template("admin/audit.html", entries=entries, page=page, pages=-(-count // PAGE))


def _administrators(session: Session) -> int:
    return session.scalar(select(func.count(Account.id)).where(Account.is_admin.is_(True))) or 0
