"""The mailbox: every person sees the mails that were written to them, whatever became of them."""

import base64
from collections.abc import Iterator
from contextlib import suppress

from flask import Blueprint, abort, make_response, render_template, url_for
from flask.typing import ResponseReturnValue
from markupsafe import escape
from sqlalchemy import Select, func, or_, select

from models.alert import Wish
from models.base import clock, db_now
from models.delivery import FAILED, QUEUED, SENDING, SENT, UNSURE, Delivery, Picture
from models.ticket import Ticket
from tasks.errors import FilesAway
from web.current import everyone, me, own, runtime
from web.inputs import page_number
from web.security import allow
from workers.mail import Post

bp = Blueprint("mailbox", __name__, url_prefix="/mailbox")
PAGE = 30
WORDS = {
    QUEUED: ("waits to be sent", "secondary"),
    SENDING: ("on its way", "info"),
    SENT: ("sent", "success"),
    UNSURE: ("may have been sent", "warning"),
    FAILED: ("not sent", "danger"),
}
# What a provider told afterwards.
FATES = {
    "delivered": ("delivered", "success"),
    "deferred": ("waits at the other server", "info"),
    "bounced": ("came back", "danger"),
    "blocked": ("turned away", "danger"),
    "dropped": ("not sent on", "danger"),
    "spam": ("reported as spam", "danger"),
    "unsubscribed": ("delivered, and ended by you", "secondary"),
}
REDACTED = "[the link stands in the mail alone]"
# What a mail's HTML may do: show itself. It runs nothing, loads nothing and sends nothing.
# Its links open in a new tab, which knows nothing of it.
MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; "
    "sandbox allow-popups allow-popups-to-escape-sandbox"
)


def mine() -> Select[Delivery]:
    """The mails of the person who asks. This alone crosses workspaces, and is narrowed to one account instead."""
    seen = or_(Delivery.due_at.is_(None), Delivery.state != QUEUED, Delivery.due_at <= db_now())  # it may be taken back
    return select(Delivery).where(Delivery.account_id == me().id, seen)


@bp.get("")
@own
def index() -> ResponseReturnValue:
    page = page_number()
    with everyone() as session:
        count = session.scalar(select(func.count()).select_from(mine().subquery())) or 0
        mails = session.scalars(mine().order_by(Delivery.id.desc()).limit(PAGE).offset((page - 1) * PAGE)).all()
    pages = -(-count // PAGE)
    return render_template("mailbox/index.html", mails=mails, words=WORDS, fates=FATES, page=page, pages=pages)


@bp.get("/<mail_id>")
@own
def read(mail_id: str) -> ResponseReturnValue:
    mail = _one(mail_id)
    if mail.read_at is None:
        _mark_read(mail_id)
    if mail.html:
        allow("frame-src", "'self'")
    text = mail.text.replace("{link}", REDACTED).replace("{unsubscribe}", _stop_url(mail))
    text = _with_ticket(mail, text)
    about = {"words": WORDS, "fate": FATES.get(mail.fate), "embedded": runtime().settings.mail == "mailbox"}
    return render_template("mailbox/read.html", mail=mail, text=text, **about)


@bp.get("/<mail_id>/html")
@own
def body(mail_id: str) -> ResponseReturnValue:
    """The mail's HTML with its pictures inside, for the frame of its page; harmless when opened by itself.

    In the frame's sandbox nothing is signed in, so that a picture could not be fetched there.
    """
    mail = _one(mail_id)
    html = mail.html.replace("{link}", "#").replace("{unsubscribe}", escape(_stop_url(mail)))
    html = _with_ticket(mail, html)
    for name, data in _pictures(mail_id):
        html = html.replace(f"cid:{name}", f"data:image/png;base64,{base64.b64encode(data).decode()}")
    response = make_response(f'<base target="_blank">{html}')
    response.headers["Content-Security-Policy"] = MAIL_POLICY
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _with_ticket(mail: Delivery, text: str) -> str:
    """Whoever is signed in needs no signed link: theirs leads to the same ticket among their own."""
    if mail.ticket_id is None:
        return text
    with everyone() as session:
        number = session.scalar(select(Ticket.number).where(Ticket.id == mail.ticket_id))
    place = runtime().origin + (url_for("my_tickets.show", number=number) if number else url_for("my_tickets.index"))
    return text.replace("{ticket}", place).replace("{rate}", place)


def _one(mail_id: str) -> Delivery:
    with everyone() as session:
        return session.scalar(mine().where(Delivery.id == mail_id)) or abort(404)


def _stop_url(mail: Delivery) -> str:
    """The same link that the mail has; made anew, as it stands in no row."""
    if not mail.stop:
        return runtime().origin + url_for("account.show")
    with everyone() as session:
        wish = session.get(Wish, me().id)
    return Post(runtime().settings).stop_url(me().id, mail.stop, wish.links_version if wish else 1)


def _pictures(mail_id: str) -> Iterator[tuple[str, bytes]]:
    with everyone() as session:
        listed = session.execute(select(Picture.name, Picture.key).where(Picture.delivery_id == mail_id)).all()
    for name, key in sorted(listed, key=lambda row: -len(row.name)):  # so that none takes the beginning of another
        with suppress(FileNotFoundError, FilesAway), runtime().storage.open(key) as stream:
            yield name, stream.read()


def _mark_read(mail_id: str) -> None:
    with everyone(write=True) as session:
        if mail := session.scalar(mine().where(Delivery.id == mail_id)):
            mail.read_at = clock(session)
