"""The mailbox: every person sees the mails that were written to them, whatever became of them."""

from flask import Blueprint, abort, make_response, render_template
from flask.typing import ResponseReturnValue
from sqlalchemy import Select, func, select

from models.base import clock
from models.delivery import FAILED, QUEUED, SENDING, SENT, UNSURE, Delivery
from web.current import everyone, me, runtime
from web.inputs import page_number
from web.security import allow

bp = Blueprint("mailbox", __name__, url_prefix="/mailbox")
PAGE = 30
WORDS = {
    QUEUED: ("waits to be sent", "secondary"),
    SENDING: ("on its way", "info"),
    SENT: ("sent", "success"),
    UNSURE: ("may have been sent", "warning"),
    FAILED: ("not sent", "danger"),
}
REDACTED = "[the link stands in the mail alone]"
# What a mail's HTML may do: show itself. It runs nothing, loads nothing and sends nothing.
MAIL_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox; frame-ancestors 'self'"


def mine() -> Select[Delivery]:
    """The mails of the person who asks. This alone crosses workspaces, and is narrowed to one account instead."""
    return select(Delivery).where(Delivery.account_id == me().id)


@bp.get("")
def index() -> ResponseReturnValue:
    page = page_number()
    with everyone() as session:
        count = session.scalar(select(func.count()).select_from(mine().subquery())) or 0
        mails = session.scalars(mine().order_by(Delivery.id.desc()).limit(PAGE).offset((page - 1) * PAGE)).all()
    return render_template("mailbox/index.html", mails=mails, words=WORDS, page=page, pages=-(-count // PAGE))


@bp.get("/<mail_id>")
def read(mail_id: str) -> ResponseReturnValue:
    mail = _one(mail_id)
    if mail.read_at is None:
        _mark_read(mail_id)
    if mail.html:
        allow("frame-src", "'self'")
    text = mail.text.replace("{link}", REDACTED)
    embedded = runtime().settings.mail == "mailbox"
    return render_template("mailbox/read.html", mail=mail, text=text, words=WORDS, embedded=embedded)


@bp.get("/<mail_id>/html")
def body(mail_id: str) -> ResponseReturnValue:
    """The mail's HTML, for the frame of its page; harmless when opened by itself."""
    response = make_response(_one(mail_id).html.replace("{link}", REDACTED))
    response.headers["Content-Security-Policy"] = MAIL_POLICY
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _one(mail_id: str) -> Delivery:
    with everyone() as session:
        return session.scalar(mine().where(Delivery.id == mail_id)) or abort(404)


def _mark_read(mail_id: str) -> None:
    with everyone(write=True) as session:
        if mail := session.scalar(mine().where(Delivery.id == mail_id)):
            mail.read_at = clock(session)
