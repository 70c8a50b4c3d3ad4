"""The page of topics: what tickets and articles are about, and which team answers."""

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.base import clock, new_id
from models.desk import Article, Team, Topic
from models.ticket import AT_WORK, STOPPED, Ticket
from web import care_people, care_reckoned
from web.current import reading, require_desk, writing
from web.given import CHOOSE, Given

bp = Blueprint("care_topics", __name__, url_prefix="/care/topics")
LONGEST_NAME, MOST = 120, 200
COUNTED = 1_000
TAKEN = "There is a topic of this name already, perhaps among those that are archived."
TOO_MANY = f"There are {MOST} topics already; delete one that is not needed any more."


@bp.get("")
@require_desk("look")
def index() -> ResponseReturnValue:
    return _page()


@bp.post("")
@require_desk("lead")
def create() -> ResponseReturnValue:
    given = Given(request.form)
    with writing() as session:
        name, team_id = _read(session, given)
        if (session.scalar(select(func.count()).select_from(Topic)) or 0) >= MOST:
            given.wrong["name"] = TOO_MANY
        if not given.wrong:
            session.add(Topic(id=new_id(), name=name, team_id=team_id, created_at=clock(session)))
    if given.wrong:
        return _page(given.wrong), 422
    flash("Added.", "success")
    return _to()


@bp.post("/<topic_id>")
@require_desk("lead")
def save(topic_id: str) -> ResponseReturnValue:
    """Tickets that there are stay with their team; new ones go to this."""
    given = Given(request.form)
    with writing() as session:
        topic = _find(session, topic_id)
        name, team_id = _read(session, given, topic_id)
        if not given.wrong:
            topic.name, topic.team_id = name, team_id
    if given.wrong:
        return _page({f"{name}-{topic_id}": text for name, text in given.wrong.items()}), 422
    flash("Saved. New tickets go by it; those that there are stay where they are.", "success")
    return _to()


@bp.post("/<topic_id>/archive")
@require_desk("lead")
def archive(topic_id: str) -> ResponseReturnValue:
    """An archived one is not offered any more; tickets and articles keep it."""
    with writing() as session:
        topic = _find(session, topic_id)
        topic.archived = not topic.archived
        gone = topic.archived
    flash(
        "Archived: it is not offered any more, and its tickets keep it." if gone else "It is offered again.", "success"
    )
    return _to()


@bp.get("/<topic_id>/delete")
@require_desk("lead")
def ask(topic_id: str) -> ResponseReturnValue:
    with reading() as session:
        topic = _find(session, topic_id)
        return render_template(
            "care/topics/delete.html", topic=topic, tickets=_count(session, Ticket.id, Ticket.topic_id == topic_id),
            articles=_count(session, Article.id, Article.topic_id == topic_id), most=COUNTED,
        )  # fmt: skip


@bp.post("/<topic_id>/delete")
@require_desk("lead")
def delete(topic_id: str) -> ResponseReturnValue:
    """Policies of this topic alone go with it, so what is open may fall under others."""
    care_reckoned.settle_policies()
    with writing() as session:
        session.delete(_find(session, topic_id))
        told = care_reckoned.reckon(session)
    flash(f"The topic is gone. {told}".strip(), "success")
    return _to()


def _read(session: Session, given: Given, topic_id: str = "") -> tuple[str, str | None]:
    name, team_id = given.text("name", LONGEST_NAME, required=True), given.row("team")
    taken = select(Topic.id).where(func.lower(Topic.name) == name.lower(), Topic.id != topic_id)
    if name and session.scalars(taken).first() is not None:
        given.wrong["name"] = TAKEN
    if team_id and session.scalars(select(Team.id).where(Team.id == team_id)).first() is None:
        given.wrong["team"] = CHOOSE
    return name, team_id or None


def _find(session: Session, topic_id: str) -> Topic:
    return session.scalars(select(Topic).where(Topic.id == topic_id)).first() or abort(404)


def _count(session: Session, column: object, *conditions: object) -> int:
    some = select(column).where(*conditions).limit(COUNTED).subquery()  # type: ignore[call-overload]
    return session.scalar(select(func.count()).select_from(some)) or 0


def _open(session: Session) -> dict[str | None, int]:
    """Open tickets of each topic; counted one by one, so that none of them goes through a million."""
    topics = session.scalars(select(Topic.id)).all()
    at_work = Ticket.status.in_((*AT_WORK, *STOPPED))
    return {each: _count(session, Ticket.id, Ticket.topic_id == each, at_work) for each in topics}


def _page(errors: dict[str, str] | None = None) -> str:
    with reading() as session:
        rows = session.scalars(select(Topic).order_by(Topic.archived, Topic.name, Topic.id)).all()
        return render_template(
            "care/topics/index.html", live=[row for row in rows if not row.archived],
            archived=[row for row in rows if row.archived], teams=care_people.choices(session).teams,
            open=_open(session), most=COUNTED, errors=errors or {}, values=request.form,
        )  # fmt: skip


def _to() -> ResponseReturnValue:
    return redirect(url_for("care_topics.index"), 303)
