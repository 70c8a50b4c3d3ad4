"""/desk/…: what a desk shows to everybody, once its people opened it: help articles, and a form to ask without an
account. Nothing here says who is a customer: the form answers the same whatever the address.
"""

from typing import Annotated

import flask
from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from pydantic import Field
from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.orm import Session

from models.desk import Article, Desk, Topic
from tasks.care.attachments import NotTaken
from tasks.care.by import By, Refused
from web import care_chat, care_customer, throttle
from web.current import everyone, public, runtime
from web.inputs import Email, Name, page_number, read_form
from web.submission import new_key

bp = Blueprint("desk_page", __name__, url_prefix="/desk")
PAGE = 20
MOST_WORDS = 8
# Tickets in a quarter of an hour: by a machine, for an address by one machine and by all, and of the desk. Anybody can
# type anybody's address, so what one machine does with it locks out nobody else.
MOST_ASKED, MOST_OF_ONE, MOST_FOR_ONE, MOST_OF_ALL = 10, 5, 30, 300
MOST_SEEN = 40  # articles that a browser is remembered to have read or judged


class Asking(care_customer.Words):
    """Somebody without an account. `leave_empty` is a field that people do not see: only programs fill it in."""

    name: Name
    email: Email
    leave_empty: Annotated[str, Field(max_length=10_000)] = ""


@bp.get("/<slug>")
@public
def show(slug: str) -> ResponseReturnValue:
    desk = _desk(slug)
    query, page = " ".join(request.args.get("q", "").split())[:100], page_number()
    with runtime().database.read(desk.workspace_id) as session:
        asked = select(Article.id, Article.title, Article.body, Topic.name.label("topic"))
        asked = asked.outerjoin(Topic, Topic.id == Article.topic_id).where(Article.published, *_matching(query))
        asked = asked.order_by(Article.helped.desc(), Article.title, Article.id)
        found = session.execute(asked.limit(PAGE + 1).offset(PAGE * (page - 1))).all()
    shown = [(row.id, row.title, _beginning(row.body), row.topic) for row in found[:PAGE]]
    return render_template(
        "care/desk.html", bare=True, desk=desk, articles=shown, q=query, page=page, more=len(found) > PAGE
    )


@bp.get("/<slug>/help/<article_id>")
@public
def article(slug: str, article_id: str) -> ResponseReturnValue:
    desk = _desk(slug)
    with runtime().database.read(desk.workspace_id) as session:
        found = _published(session, article_id)
        topic = session.scalar(select(Topic.name).where(Topic.id == found.topic_id)) if found.topic_id else ""
    if request.method == "GET" and _first("read", article_id):
        _count(desk, article_id, "views")
    judged = article_id in flask.session.get("judged", ())
    return render_template("care/desk_article.html", bare=True, desk=desk, article=found, topic=topic, judged=judged)


@bp.post("/<slug>/help/<article_id>")
@public
def judge(slug: str, article_id: str) -> ResponseReturnValue:
    """Did this help? Once for each browser."""
    desk = _desk(slug)
    throttle.count("desk-judge", request.remote_addr or "", throttle.BY_ADDRESS)
    with runtime().database.read(desk.workspace_id) as session:
        _published(session, article_id)
    column = {"yes": "helped", "no": "unhelpful"}.get(request.form.get("helped", "")) or abort(400)
    if _first("judged", article_id):
        _count(desk, article_id, column)
    flash("Thank you. That helps us to write better ones.", "success")
    return redirect(url_for("desk_page.article", slug=slug, article_id=article_id), 303)


@bp.get("/<slug>/new")
@public
def ask(slug: str) -> ResponseReturnValue:
    return _ask_page(_desk(slug), {})


@bp.post("/<slug>/new")
@public
def take(slug: str) -> ResponseReturnValue:
    """A ticket of somebody without an account; the address gets the link to it by mail."""
    desk = _desk(slug)
    throttle.count("desk", request.remote_addr or "", MOST_ASKED)
    form, errors = read_form(Asking)
    if form is None:
        return _ask_page(desk, errors), 422
    throttle.count("desk-one", f"{desk.workspace_id} {form.email} {request.remote_addr}", MOST_OF_ONE)
    throttle.count("desk-for-one", f"{desk.workspace_id} {form.email}", MOST_FOR_ONE)
    throttle.count("desk-all", desk.workspace_id, MOST_OF_ALL)
    if not form.leave_empty:
        try:
            who = {"email": form.email, "name": form.name}
            care_customer.open_new(runtime().database, desk.workspace_id, form, By("customer"), **who)
        except (NotTaken, Refused) as error:
            return _ask_page(desk, {error.field: str(error)}), error.status
    embedded = runtime().settings.mail == "mailbox"
    return render_template("care/desk_thanks.html", bare=True, desk=desk, email=form.email, embedded=embedded)


def _desk(slug: str) -> Desk:
    """An open desk by its name in the address; 404 for all others. This question alone is asked of all workspaces."""
    with everyone() as session:
        return session.scalar(select(Desk).where(Desk.slug == slug[:40], Desk.public)) or abort(404)


def _published(session: Session, article_id: str) -> Article:
    return session.scalar(select(Article).where(Article.id == article_id, Article.published)) or abort(404)


def _matching(query: str) -> list[ColumnElement[bool]]:
    """Articles that have each of the words somewhere."""
    words = query.lower().split()[:MOST_WORDS]
    return [
        or_(*(func.lower(column).contains(word, autoescape=True) for column in (Article.title, Article.body)))
        for word in words
    ]


def _beginning(body: str) -> str:
    line = " ".join(body.split())
    return line if len(line) <= 160 else line[:159].rsplit(" ", 1)[0] + " …"


def _first(what: str, article_id: str) -> bool:
    """Whether this browser does so with this article for the first time; remembers it."""
    before = list(flask.session.get(what, ()))
    flask.session[what] = [*before[1 - MOST_SEEN :], article_id] if article_id not in before else before
    return article_id not in before


def _count(desk: Desk, article_id: str, column: str) -> None:
    one = getattr(Article, column)
    with runtime().database.write(desk.workspace_id) as session:
        session.execute(update(Article).where(Article.id == article_id).values({column: one + 1}))


def _ask_page(desk: Desk, errors: dict[str, str]) -> str:
    with runtime().database.read(desk.workspace_id) as session:
        topics = care_customer.topics(session)
    typed = request.form if errors else {"subject": request.args.get("subject", "")[:200], **care_chat.prefilled()}
    key = request.form.get("key") or new_key()
    return render_template(
        "care/desk_ask.html", bare=True, desk=desk, topics=topics, errors=errors, typed=typed, key=key,
        chat=care_chat.box(desk, url_for("desk_page.ask", slug=desk.slug)),
    )  # fmt: skip
