"""What holds in a workspace: its time zone, its currency, and what happens when stock falls below nothing."""

from datetime import date
from typing import Literal

from flask import Blueprint, flash, redirect, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models.base import clock
from models.workspace import Workspace
from tasks import days, money
from web import people
from web.current import current_workspace, everyone, me, require_role
from web.inputs import Form, Zone, read_form
from web.workspaces import page

bp = Blueprint("places", __name__, url_prefix="/workspace")


class Rules(Form):
    """The settings' form."""

    time_zone: Zone
    currency: str
    negative_stock: Literal["allow", "flag", "refuse"]


@bp.post("/settings")
@require_role("owner")
def save() -> ResponseReturnValue:
    form, errors = read_form(Rules)
    if form is not None and not money.known(form.currency):
        errors = {"currency": "Choose a currency from the list."}
    if form is None or errors:
        return page({f"place_{name}": text for name, text in errors.items()}), 422
    values = form.model_dump()
    with everyone(write=True) as session:
        session.execute(update(Workspace).where(Workspace.id == current_workspace()).values(values))
        people.audit(session, "workspace settings changed", me().id, current_workspace(), **values)
    flash("Saved.", "success")
    return redirect(url_for("workspaces.show"))


def here(session: Session) -> Workspace:
    """The current workspace itself."""
    return session.scalars(select(Workspace).where(Workspace.id == current_workspace())).one()


def today(session: Session) -> date:
    """The day that it is in the current workspace."""
    return days.today(here(session).time_zone, clock(session))
