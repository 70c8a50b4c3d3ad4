"""/care/mailboxes: whose mail becomes tickets; made, tried out, paused, in trouble. /care/received: the log of it."""

from collections.abc import Mapping
from contextlib import closing
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from models.desk import IMAP, Inlet, Topic
from models.statements import changed
from models.ticket import Received, Ticket
from tasks.care import inlets, limits
from tasks.care.boxes import FRESH, Trouble
from tasks.handover import Refused
from web import care_mailbox_book as book
from web import people, throttle
from web.current import current_workspace, me, reading, require_desk, runtime, writing
from web.inputs import page_number
from workers import quotas
from workers.boxes import TEST_SECONDS, Doors

LOOKS = 3  # that failed in a row, and the page says so
bp = Blueprint("care_mailboxes", __name__, url_prefix="/care")
PAGE, MOST_COUNTED = 50, 1000
OUTCOMES = {
    "opened": ("opened a ticket", "success"),
    "added": ("added to a ticket", "primary"),
    "left out": ("left out", "secondary"),
    "refused": ("refused", "warning"),
    inlets.ASIDE: ("put aside", "danger"),
    limits.WAITS: ("waits: too many of one sender", "info"),
    limits.KEPT: ("kept back: too many of one sender", "warning"),
}
FIRST = {"plus": "yes", "port": "993", "security": "tls", "folder": "INBOX", "kind": IMAP}


@bp.get("/mailboxes")
@require_desk("look")
def index() -> ResponseReturnValue:
    with reading() as session:
        found = session.scalars(select(Inlet).order_by(Inlet.created_at, Inlet.id)).all()
        topics = {row.id: row.name for row in session.execute(select(Topic.id, Topic.name))}
        aside, held = book.aside(session), book.held(session)
        room = quotas.room_for_mail(session, runtime().settings, current_workspace()) if found else 1
    return render_template(
        "care/mailboxes/index.html", inlets=found, topics=topics, most=book.MOST, aside=aside, told_after=LOOKS,
        held=held, room=room,
    )  # fmt: skip


@bp.get("/mailboxes/new")
@require_desk("lead")
def new() -> ResponseReturnValue:
    return _form(FIRST)


@bp.post("/mailboxes/new")
@require_desk("lead")
def create() -> ResponseReturnValue:
    try:
        with writing() as session:
            found = book.read(session, request.form, _doors())
            inlet = book.create(found, old_mail_too=bool(request.form.get("old")))
            session.add(inlet)
            session.flush()
            people.audit(session, "desk mailbox added", me().id, current_workspace(), inlet=inlet.id, kind=inlet.kind)
    except Refused as error:
        return _form(request.form, errors=error.errors), 422
    return _tried(inlet.id, "Saved. ")


@bp.get("/mailboxes/<inlet_id>/edit")
@require_desk("lead")
def edit(inlet_id: str) -> ResponseReturnValue:
    with reading() as session:
        inlet = _find(session, inlet_id)
    return _form(_shown(inlet), inlet)


@bp.post("/mailboxes/<inlet_id>/edit")
@require_desk("lead")
def save(inlet_id: str) -> ResponseReturnValue:
    try:
        with writing() as session:
            inlet = _find(session, inlet_id)
            book.change(inlet, book.read(session, request.form, _doors(), inlet))
            people.audit(session, "desk mailbox changed", me().id, current_workspace(), inlet=inlet_id)
    except Refused as error:
        with reading() as session:
            return _form(request.form, _find(session, inlet_id), error.errors), 422
    return _tried(inlet_id, "Saved. ")


@bp.post("/mailboxes/<inlet_id>/test")
@require_desk("lead")
def test(inlet_id: str) -> ResponseReturnValue:
    return _tried(inlet_id)


@bp.post("/mailboxes/<inlet_id>/switch")
@require_desk("lead")
def switch(inlet_id: str) -> ResponseReturnValue:
    """Paused, or read again; its failures are forgotten then."""
    with writing() as session:
        inlet = _find(session, inlet_id)
        inlet.enabled = not inlet.enabled
        if inlet.enabled:
            inlet.failures, inlet.trouble, inlet.checked_at = 0, "", None
        on = inlet.enabled
        people.audit(session, f"desk mailbox {'resumed' if on else 'paused'}", me().id, current_workspace())
    words = "It is read again, within a minute." if on else "Paused: mail waits in the mailbox until you resume."
    flash(words, "success")
    return _to()


@bp.get("/mailboxes/<inlet_id>/delete")
@require_desk("lead")
def ask(inlet_id: str) -> ResponseReturnValue:
    with reading() as session:
        return render_template("care/mailboxes/delete.html", inlet=_find(session, inlet_id))


@bp.post("/mailboxes/<inlet_id>/delete")
@require_desk("lead")
def delete(inlet_id: str) -> ResponseReturnValue:
    with writing() as session:
        session.delete(_find(session, inlet_id))
        people.audit(session, "desk mailbox deleted", me().id, current_workspace(), inlet=inlet_id)
    flash("It is not read any more, and its password is forgotten. The mail in it stays where it is.", "success")
    return _to()


@bp.get("/received")
@require_desk("lead")
def received() -> ResponseReturnValue:
    """The log of read mail, newest first."""
    page, wanted = page_number(), request.args.get("outcome", "")
    asked: Any = select(Received, Ticket.number).outerjoin(Ticket, Ticket.id == Received.ticket_id)
    if wanted in OUTCOMES:
        asked = asked.where(Received.outcome == wanted)
    some = asked.with_only_columns(Received.id).limit(MOST_COUNTED).subquery()
    with reading() as session:
        count = session.scalar(select(func.count()).select_from(some)) or 0
        order = asked.order_by(Received.at.desc(), Received.id.desc())
        rows = session.execute(order.limit(PAGE).offset((page - 1) * PAGE)).all()
    return render_template(
        "care/mailboxes/received.html", rows=rows, outcomes=OUTCOMES, wanted=wanted, page=page,
        pages=-(-count // PAGE), most=MOST_COUNTED, cut=count >= MOST_COUNTED,
    )  # fmt: skip


@bp.post("/received/<received_id>/again")
@require_desk("lead")
def try_again(received_id: str) -> ResponseReturnValue:
    """A mail that was put aside, or had to wait, is read with the next look, as if it had just come."""
    with writing() as session:
        mail = book.left_lying(session, received_id) or abort(404)
        was = mail.outcome
        inlet, key = session.scalar(select(Inlet).where(Inlet.id == mail.inlet_id)), (mail.data or {}).get("lies")
        if inlet is None or not key:
            flash("It cannot be tried again: its mailbox is not read any more.", "warning")
            return _to_those(was)
        if was == inlets.ASIDE:
            inlets.again(inlet, str(key))
            session.delete(mail)
        else:
            limits.let_in(session, inlet, mail)
        people.audit(session, "desk mail tried again", me().id, current_workspace(), inlet=inlet.id)
    flash("It is read again with the next look, within a minute.", "success")
    return _to_those(was)


@bp.post("/received/<received_id>/seen")
@require_desk("lead")
def seen(received_id: str) -> ResponseReturnValue:
    """Somebody saw to a mail that was put aside, or kept back, by hand."""
    with writing() as session:
        mail = book.left_lying(session, received_id) or abort(404)
        was = mail.outcome
        mail.outcome, mail.reason = "refused", f"{mail.reason} {book.SEEN_TO}"[:300]
        people.audit(session, "desk mail seen to", me().id, current_workspace(), inlet=mail.inlet_id or "")
    flash("Noted; nobody is told of it any more.", "success")
    return _to_those(was)


@bp.post("/received/seen")
@require_desk("lead")
def all_seen() -> ResponseReturnValue:
    """A flood is seen to at once: all that was kept back stays where it lies."""
    with writing() as session:
        mine = update(Received).where(Received.workspace_id == current_workspace(), Received.outcome == limits.KEPT)
        count = changed(session, mine.values(outcome="refused").execution_options(synchronize_session=False))
        people.audit(session, "desk mails seen to", me().id, current_workspace(), count=count)
    flash("Noted. They lie in the mailbox, flagged and unread.", "success")
    return redirect(url_for("care_mailboxes.received"), 303)


def _to_those(outcome: str) -> ResponseReturnValue:
    return redirect(url_for("care_mailboxes.received", outcome=outcome), 303)


def _tried(inlet_id: str, before: str = "") -> ResponseReturnValue:
    """Look into it once, and say what came out; nothing is read."""
    throttle.count("desk-mailbox", me().id, throttle.BY_ACCOUNT * 2)
    with reading() as session:
        inlet = _find(session, inlet_id)
    try:
        with closing(_doors().open(book.door(inlet), TEST_SECONDS)) as box:
            found = box.look(100)
    except Trouble as error:
        flash(f"{before}But it cannot be read: {error}" if before else str(error), "warning")
        _note(inlet_id, str(error))
        return _to()
    waiting = "more than 100 mails wait" if found.more else f"{len(found.mails) or 'no'} mails wait"
    fresh = inlet.kind == IMAP and inlet.uid_validity == FRESH
    told = "what comes from now on is read" if fresh else f"{waiting} to be read"
    flash(f"{before}The connection works: {told}.", "success")
    _note(inlet_id, "")
    return _to()


def _note(inlet_id: str, trouble: str) -> None:
    with writing() as session:
        if (inlet := session.scalar(select(Inlet).where(Inlet.id == inlet_id))) is not None:
            inlet.trouble = trouble[:500]
            inlet.failures = inlet.failures if trouble else 0


def _doors() -> Doors:
    return Doors(runtime().settings)


def _find(session: Session, inlet_id: str) -> Inlet:
    return session.scalar(select(Inlet).where(Inlet.id == inlet_id)) or abort(404)


def _shown(inlet: Inlet) -> dict[str, Any]:
    names = ("kind", "address", "host", "port", "security", "user", "folder")
    return {name: getattr(inlet, name) for name in names} | {
        "plus": "yes" if inlet.plus else "", "topic": inlet.topic_id or "",
    }  # fmt: skip


def _form(values: Mapping[str, Any], inlet: Inlet | None = None, errors: dict[str, str] | None = None) -> str:
    with reading() as session:
        asked = select(Topic.id, Topic.name).where(Topic.archived.is_(False)).order_by(Topic.name, Topic.id)
        topics = [("", "No topic"), *[(row.id, row.name) for row in session.execute(asked)]]
    return render_template(
        "care/mailboxes/form.html", values=values, inlet=inlet, errors=errors or {}, topics=topics,
        maildirs=bool(runtime().settings.maildirs), place=current_workspace(),
    )  # fmt: skip


def _to() -> ResponseReturnValue:
    return redirect(url_for("care_mailboxes.index"), 303)
