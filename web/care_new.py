"""A ticket that an agent raises for a customer, who called or came by."""

from collections.abc import Mapping

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from tasks.care.attachments import NotTaken, Stored
from tasks.care.tickets import Refused as NotAllowed
from tasks.handover import Refused
from web import care_files, care_people, care_raising
from web.care import bp
from web.care_filter import PRIORITIES
from web.current import current_workspace, reading, require_desk, writing
from web.submission import form_key, new_key
from workers.enqueue import KeyConflict

SENT_ALREADY = "This form was sent before, with other words. Look through it and send it again."


@bp.get("/new")
@require_desk("agent")
def new() -> ResponseReturnValue:
    """`email` and `name` may stand in the address: a customer's page leads here."""
    known = {name: request.args.get(name, "")[:254] for name in ("email", "name")}
    return _form(known)


@bp.post("/new")
@require_desk("agent")
def create() -> ResponseReturnValue:
    kept: list[Stored] = []
    try:
        asked = care_raising.read(request.form.to_dict())
        kept = _files()
        with writing() as session:
            ticket, made = care_raising.raise_once(session, asked, source="phone", files=kept, key=form_key())
    except (Refused, NotAllowed, NotTaken, KeyConflict) as error:
        care_files.drop(kept)
        return _form(request.form, _wrong(error)), 409 if isinstance(error, KeyConflict) else 422
    if not made:
        care_files.drop(kept)
    flash(f"#{ticket.number} is raised. The customer was told by mail, with a link to follow it.", "success")
    return redirect(url_for("care.show", number=ticket.number), 303)


def _files() -> list[Stored]:
    files = care_files.checked()
    with reading() as session:
        return care_files.stored(session, current_workspace(), files)


def _wrong(error: Exception) -> dict[str, str]:
    if isinstance(error, Refused):
        return error.errors
    if isinstance(error, NotAllowed | NotTaken):
        return {error.field: str(error)}
    return {"": SENT_ALREADY}


def _form(values: Mapping[str, str], errors: Mapping[str, str] | None = None) -> str:
    with reading() as session:
        desk = care_people.choices(session)
    offered = [(word, word.capitalize()) for word in PRIORITIES.values()]
    return render_template(
        "care/new.html", values=values, errors=errors or {}, desk=desk, priority_choices=offered, key=new_key()
    )
