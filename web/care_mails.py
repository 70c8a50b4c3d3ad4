"""What was mailed about a ticket: to whom, in which words, and whether it arrived."""

from flask import render_template
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select

from models.base import clock
from models.delivery import Delivery
from web import care_book, mailbox
from web.care import bp
from web.current import reading, require_desk, runtime
from web.inputs import page_number

PAGE = 20
PLACES = {  # what stands in a mail alone; whoever reads it here gets no link of somebody else
    "{ticket}": "[their link to this ticket]",
    "{rate}": "[their link to say how it was]",
}


@bp.get("/<int:number>/mails")
@require_desk("look")
def mails(number: int) -> ResponseReturnValue:
    """The newest first."""
    page = page_number()
    with reading() as session:
        ticket, now = care_book.find(session, number), clock(session)
        mine = select(Delivery).where(Delivery.ticket_id == ticket.id)
        count = session.scalar(select(func.count()).select_from(mine.subquery())) or 0
        found = session.scalars(mine.order_by(Delivery.id.desc()).limit(PAGE).offset((page - 1) * PAGE)).all()
    return render_template(
        "care/mails.html", ticket=ticket, mails=found, text=text, now=now, page=page, pages=-(-count // PAGE),
        words=mailbox.WORDS, fates=mailbox.FATES, kept_here=runtime().settings.mail == "mailbox",
    )  # fmt: skip


def text(mail: Delivery) -> str:
    """A mail's words, without the links that open the ticket for whoever holds them."""
    words = mail.text
    for mark, told in PLACES.items():
        words = words.replace(mark, told)
    return words
