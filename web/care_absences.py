"""The page of absences: on which days nobody hands somebody new tickets. One's own; leads write everybody's."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.base import new_id
from models.desk import Absence
from tasks.handover import Refused
from web import care_people, places
from web.current import may_lead, me, reading, require_desk, writing
from web.given import CHOOSE, Given
from web.inputs import page_number

bp = Blueprint("care_absences", __name__, url_prefix="/care/absences")
PAGE, LONGEST, MOST = 50, timedelta(days=730), 2_000
BACKWARDS = "The last day is before the first."
TOO_LONG = "That is more than two years; write the days that are known."
TWICE = "An absence from {} to {} has some of these days already; delete it first, or leave them out."
PAST = "These days are over."
TOO_MANY = "There are too many absences already; delete some that are over."


@bp.get("")
@require_desk("look")
def index() -> ResponseReturnValue:
    return _page()


@bp.post("")
@require_desk("agent")
def create() -> ResponseReturnValue:
    try:
        with writing() as session:
            session.add(_read(session, request.form))
    except Refused as error:
        return _page(error.errors), error.status
    flash("Saved. Nobody hands them new tickets on these days.", "success")
    return redirect(url_for("care_absences.index"), 303)


@bp.post("/<absence_id>/delete")
@require_desk("agent")
def delete(absence_id: str) -> ResponseReturnValue:
    with writing() as session:
        found = session.scalars(select(Absence).where(Absence.id == absence_id)).first() or abort(404)
        if not may_lead() and found.account_id != me().id:
            abort(403)
        session.delete(found)
    flash("Deleted.", "success")
    return redirect(url_for("care_absences.index"), 303)


def _read(session: Session, values: Mapping[str, Any]) -> Absence:
    """
    Raises:
        Refused: with a message for each field at fault.
    """
    given = Given(values)
    first, last = given.day("first"), given.day("last", required=False)
    last = last or first
    who = given.row("account") or me().id
    if (who != me().id and not may_lead()) or who not in dict(care_people.agents(session)):
        given.wrong["account"] = CHOOSE
    if first and last and "last" not in given.wrong:
        if last < first:
            given.wrong["last"] = BACKWARDS
        elif last - first > LONGEST:
            given.wrong["last"] = TOO_LONG
        elif last < places.today(session):
            given.wrong["last" if values.get("last") else "first"] = PAST
        elif other := _overlapping(session, Absence(account_id=who, first=first, last=last)):
            given.wrong["first"] = TWICE.format(f"{other.first:%-d %b %Y}", f"{other.last:%-d %b %Y}")
    if (session.scalar(select(func.count()).select_from(Absence)) or 0) >= MOST:
        given.wrong[""] = TOO_MANY
    given.done()
    return Absence(id=new_id(), account_id=who, first=first, last=last)


def _overlapping(session: Session, wanted: Absence) -> Absence | None:
    theirs = select(Absence).where(Absence.account_id == wanted.account_id)
    return session.scalars(theirs.where(Absence.first <= wanted.last, Absence.last >= wanted.first)).first()


def _page(errors: dict[str, str] | None = None) -> str:
    page = page_number()
    with reading() as session:
        day = places.today(session)
        coming = select(Absence).where(Absence.last >= day)
        count = session.scalar(select(func.count()).select_from(coming.subquery())) or 0
        shown = coming.order_by(Absence.first, Absence.id).limit(PAGE).offset((page - 1) * PAGE)
        rows = session.scalars(shown).all()
        agents = care_people.agents(session)
        return render_template(
            "care/absences/index.html", rows=rows, names=care_people.names(session, [row.account_id for row in rows]),
            agents=agents, today=day, page=page, pages=-(-count // PAGE), errors=errors or {}, values=request.form,
            mine=me().id,
        )  # fmt: skip
