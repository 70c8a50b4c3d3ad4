"""Help articles for the people who write them: found, written, looked at before they are kept, published, deleted."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from models.desk import Article, Desk, Topic
from tasks.handover import Refused
from web import care_article_book as book
from web.current import reading, require_desk, writing
from web.inputs import page_number

bp = Blueprint("care_articles", __name__, url_prefix="/care/articles")
PAGE, MOST_WORDS = 50, 8
STATES = {"": "All", "published": "Published", "draft": "Drafts"}
ORDERS = {
    "use": (Article.views + 5 * Article.helped).desc(),  # to help somebody counts for more than to be opened
    "changed": Article.changed_at.desc(),
    "unhelpful": Article.unhelpful.desc(),
}


@bp.get("")
@require_desk("look")
def index() -> ResponseReturnValue:
    asked, page = _asked(), page_number()
    order = (ORDERS[asked["order"]], Article.title, Article.id)
    with reading() as session:
        mine = select(Article, Topic.name.label("topic")).outerjoin(Topic, Topic.id == Article.topic_id)
        found = session.execute(
            mine.where(*_matching(asked)).order_by(*order).limit(PAGE + 1).offset(PAGE * (page - 1))
        ).all()
        any_at_all = bool(found) or session.scalar(select(func.count()).select_from(Article))
        topics = book.topics(session)
    return render_template(
        "care/articles/index.html", found=found[:PAGE], more=len(found) > PAGE, page=page, asked=asked,
        any_at_all=any_at_all, topics=[("", "All topics"), *topics[1:]], states=list(STATES.items()),
    )  # fmt: skip


@bp.get("/<article_id>")
@require_desk("look")
def show(article_id: str) -> ResponseReturnValue:
    with reading() as session:
        article, desk = _find(session, article_id), session.scalar(select(Desk))
        topic = session.scalar(select(Topic.name).where(Topic.id == article.topic_id)) if article.topic_id else ""
    return render_template("care/articles/show.html", article=article, topic=topic, desk=desk)


@bp.get("/new")
@require_desk("agent")
def new() -> ResponseReturnValue:
    """An empty form, or one with what solved the ticket that is named."""
    number = request.args.get("ticket", 0, type=int)
    with reading() as session:
        values = book.of_ticket(session, number) or abort(404) if number else {}
        return _form(session, values, from_ticket=number)


@bp.post("/new")
@require_desk("agent")
def create() -> ResponseReturnValue:
    if request.form.get("preview"):
        return _again()
    try:
        with writing() as session:
            article = book.create(session, request.form)
    except Refused as error:
        return _again(error)
    flash("Saved and published." if article.published else "Saved as a draft: customers do not see it yet.", "success")
    return _to(article.id)


@bp.get("/<article_id>/edit")
@require_desk("agent")
def edit(article_id: str) -> ResponseReturnValue:
    with reading() as session:
        article = _find(session, article_id)
        return _form(session, book.values(article), article)


@bp.post("/<article_id>/edit")
@require_desk("agent")
def save(article_id: str) -> ResponseReturnValue:
    if request.form.get("preview"):
        return _again(article_id=article_id)
    try:
        with writing() as session:
            book.change(session, _find(session, article_id), request.form)
    except Refused as error:
        return _again(error, article_id)
    flash("Saved.", "success")
    return _to(article_id)


@bp.post("/<article_id>/publish")
@require_desk("agent")
def publish(article_id: str) -> ResponseReturnValue:
    """Show it to customers, or take it back."""
    with writing() as session:
        article = _find(session, article_id)
        book.publish(session, article, request.form.get("published") == "yes")
    flash("Customers can read it now." if article.published else "Customers do not see it any more.", "success")
    return _to(article_id)


@bp.get("/<article_id>/delete")
@require_desk("agent")
def ask(article_id: str) -> ResponseReturnValue:
    with reading() as session:
        return render_template("care/articles/delete.html", article=_find(session, article_id))


@bp.post("/<article_id>/delete")
@require_desk("agent")
def delete(article_id: str) -> ResponseReturnValue:
    with writing() as session:
        session.delete(_find(session, article_id))
    flash("The article is gone.", "success")
    return redirect(url_for("care_articles.index"), 303)


def _find(session: Session, article_id: str) -> Article:
    return session.scalar(select(Article).where(Article.id == article_id)) or abort(404)


def _to(article_id: str) -> ResponseReturnValue:
    return redirect(url_for("care_articles.show", article_id=article_id), 303)


def _asked() -> dict[str, str]:
    """What the list is narrowed to; what is not known counts as nothing."""
    given = {name: request.args.get(name, "")[:100] for name in ("q", "topic", "state", "order")}
    given["order"] = given["order"] if given["order"] in ORDERS else "use"
    return given | {"q": " ".join(given["q"].split()), "state": given["state"] if given["state"] in STATES else ""}


def _matching(asked: dict[str, str]) -> list[ColumnElement[bool]]:
    """Articles that have each of the words somewhere, of that topic and state."""
    found = [
        or_(*(func.lower(column).contains(word, autoescape=True) for column in (Article.title, Article.body)))
        for word in asked["q"].lower().split()[:MOST_WORDS]
    ]
    found += [Article.topic_id == asked["topic"]] if asked["topic"] else []
    return [*found, Article.published.is_(asked["state"] == "published")] if asked["state"] else found


def _again(error: Refused | None = None, article_id: str = "") -> ResponseReturnValue:
    """The form as it was sent, with what is wrong beside its field, or with how it will look."""
    with reading() as session:
        article = _find(session, article_id) if article_id else None
        page = _form(session, request.form, article, error.errors if error else {}, preview=error is None)
    return page, error.status if error else 200


def _form(
    session: Session, values: Mapping[str, Any], article: Article | None = None,
    errors: Mapping[str, str] | None = None, preview: bool = False, from_ticket: int = 0,
) -> str:  # fmt: skip
    return render_template(
        "care/articles/form.html", values=values, article=article, errors=errors or {}, preview=preview,
        topics=book.topics(session), from_ticket=from_ticket,
    )  # fmt: skip
