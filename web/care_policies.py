"""Pages of policies: how long a ticket may take, in which order they are asked, and what one of now would get."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base import clock
from models.desk import Policy, Topic
from models.ticket import NORMAL
from tasks.care import amounts, policies
from tasks.handover import Refused
from web import care_policy_book as book
from web import care_reckoned, care_starts
from web.current import reading, require_desk, writing

bp = Blueprint("care_policies", __name__, url_prefix="/care/policies")


@bp.get("")
@require_desk("look")
def index() -> ResponseReturnValue:
    """The list; with a priority and a topic in the address also what such a ticket of now would get."""
    priority, topic_id = _asked()
    with reading() as session:
        rows = policies.ordered(session)
        now = clock(session)
        return render_template(
            "care/policies/index.html", policies=rows, names=_names(session), priorities=book.PRIORITIES,
            shadowed=book.shadowed(rows), minutes=amounts.minutes, priority=priority, topic=topic_id,
            topics=_topics(session), trial=book.trial(session, priority, topic_id, now) if rows else None,
            catches_all=any(row.priority is None and row.topic_id is None for row in rows),
        )  # fmt: skip


def _asked() -> tuple[int, str]:
    text = request.args.get("priority", "")
    return int(text) if text in map(str, book.PRIORITIES) else NORMAL, request.args.get("topic", "")[:28]


@bp.post("/start")
@require_desk("lead")
def start() -> ResponseReturnValue:
    """A policy for each priority, where there is none."""
    with writing() as session:
        made = care_starts.policies(session)
        told = care_reckoned.reckon(session) if made else ""
    flash(f"These are four policies to begin with: change what does not fit. {told}".strip(), "success")
    return _to()


@bp.get("/new")
@require_desk("lead")
def new() -> ResponseReturnValue:
    with reading() as session:
        return _form(session, {"priority": "any"})


@bp.post("/new")
@require_desk("lead")
def create() -> ResponseReturnValue:
    try:
        _settle()
        with writing() as session:
            book.create(session, book.read(session, request.form))
            told = care_reckoned.reckon(session)
    except Refused as error:
        return _again(error)
    flash(f"Saved. {told}".strip(), "success")
    return _to()


@bp.get("/<policy_id>")
@require_desk("lead")
def edit(policy_id: str) -> ResponseReturnValue:
    with reading() as session:
        policy = _find(session, policy_id)
        return _form(session, book.shown(policy), policy)


@bp.post("/<policy_id>")
@require_desk("lead")
def save(policy_id: str) -> ResponseReturnValue:
    try:
        _settle()
        with writing() as session:
            book.change(_find(session, policy_id), book.read(session, request.form))
            told = care_reckoned.reckon(session)
    except Refused as error:
        return _again(error, policy_id)
    flash(f"Saved. {told}".strip(), "success")
    return _to()


@bp.post("/<policy_id>/move")
@require_desk("lead")
def move(policy_id: str) -> ResponseReturnValue:
    care_reckoned.settle_policies()
    with writing() as session:
        book.move(session, _find(session, policy_id), request.form.get("to") == "up")
        told = care_reckoned.reckon(session)
    if told:
        flash(told, "success")
    return _to()


@bp.get("/<policy_id>/delete")
@require_desk("lead")
def ask(policy_id: str) -> ResponseReturnValue:
    with reading() as session:
        return render_template("care/policies/delete.html", policy=_find(session, policy_id))


@bp.post("/<policy_id>/delete")
@require_desk("lead")
def delete(policy_id: str) -> ResponseReturnValue:
    care_reckoned.settle_policies()
    with writing() as session:
        session.delete(_find(session, policy_id))
        told = care_reckoned.reckon(session)
    flash(f"The policy is gone. {told}".strip(), "success")
    return _to()


def _settle() -> None:
    """Before what the form says is saved, if it is right."""
    with reading() as session:
        filled = book.read(session, request.form)
    care_reckoned.settle_policies(filled.around_the_clock)


def _find(session: Session, policy_id: str) -> Policy:
    return book.find(session, policy_id) or abort(404)


def _names(session: Session) -> dict[str, str]:
    return {row[0]: row[1] for row in session.execute(select(Topic.id, Topic.name))}


def _topics(session: Session, kept: str = "") -> list[tuple[str, str]]:
    """Those that are offered, and one that is archived but chosen already."""
    asked = select(Topic.id, Topic.name).where(Topic.archived.is_(False) | (Topic.id == kept)).order_by(Topic.name)
    return [(row[0], row[1]) for row in session.execute(asked)]


def _again(error: Refused, policy_id: str = "") -> ResponseReturnValue:
    with reading() as session:
        policy = _find(session, policy_id) if policy_id else None
        return _form(session, request.form, policy, error.errors), error.status


def _form(
    session: Session, values: Mapping[str, Any], policy: Policy | None = None, errors: dict[str, str] | None = None
) -> str:
    return render_template(
        "care/policies/form.html", values=values, policy=policy, errors=errors or {},
        priorities=[("any", "Any priority"), *((str(key), name) for key, name in book.PRIORITIES.items())],
        topics=[("", "Any topic"), *_topics(session, str(values.get("topic") or ""))], most=book.MOST_HOURS,
    )  # fmt: skip


def _to() -> ResponseReturnValue:
    return redirect(url_for("care_policies.index"), 303)
