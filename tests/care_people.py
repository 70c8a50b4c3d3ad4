"""What the tests of customers' pages share: a desk, tickets, links as their mails have them."""

import io
import re
from typing import Any

from flask import Flask
from PIL import Image
from sqlalchemy import select, update

from models.account import Account
from models.base import clock
from models.desk import Desk
from models.session import EVERYONE
from models.ticket import Ticket
from tasks.care import desks, links, tickets
from tasks.care.tickets import By, New
from tasks.care.tokens import FOLLOW, Tokens
from tests.conftest import Person
from tests.front import browser_of, member_of
from tests.web_fixtures import TOKEN, Browser
from workers.runtime import Runtime

PATH = "/desk/the-shop"


def open_desk(runtime: Runtime, owner: Person, slug: str = "the-shop", **more: Any) -> None:
    """A desk that everybody may see."""
    with runtime.database.write(owner.workspace_id) as session:
        desk = desks.of(session, owner.workspace_id)
        desk.name, desk.slug, desk.public = "The shop", slug, True
        for name, value in more.items():
            setattr(desk, name, value)


def ticket_of(runtime: Runtime, owner: Person, email: str = "zoe@example.org", **more: Any) -> str:
    """A new ticket of somebody's; its id."""
    with runtime.database.write(owner.workspace_id) as session:
        new = New(
            **{"subject": "The lamp flickers", "text": "It began on Monday.", "email": email, "name": "Zoe", **more}
        )
        return tickets.open_ticket(session, new, By("customer"), clock(session)).id


def say(runtime: Runtime, owner: Person, ticket_id: str, kind: str, text: str, status: str | None = None) -> None:
    """An agent's word."""
    with runtime.database.write(owner.workspace_id) as session:
        ticket = session.scalars(select(Ticket).where(Ticket.id == ticket_id)).one()
        tickets.say(session, ticket, kind, text, By("agent", owner.account_id), clock(session), status=status)


def the_ticket(runtime: Runtime, ticket_id: str) -> Ticket:
    with runtime.database.read(EVERYONE) as session:
        return session.scalars(select(Ticket).where(Ticket.id == ticket_id)).one()


def link(runtime: Runtime, ticket_id: str, purpose: str = FOLLOW, customer_id: str = "", version: int = 0) -> str:
    """The token that a mail to the ticket's customer has, or to another."""
    with runtime.database.read(EVERYONE) as session:
        ticket = session.scalars(select(Ticket).where(Ticket.id == ticket_id)).one()
        made = version or links.version(session, ticket)
        who = customer_id or ticket.customer_id
    return Tokens(runtime.settings.secret("secret_key")).link(ticket_id, who, made, purpose)


def customer_s(app: Flask, runtime: Runtime, owner: Person, name: str = "zoe") -> Browser:
    """The browser of a customer with an account, whose address is confirmed."""
    person = member_of(runtime, owner, name, "customer")
    with runtime.database.write(EVERYONE) as session:
        session.execute(update(Account).where(Account.id == person.account_id).values(confirmed_at=1))
    return browser_of(app, runtime, person)


def send(browser: Browser, path: str, form: dict[str, Any], page: str = "", **more: Any) -> Any:
    """Post a form of a public page, with the token that stands on it."""
    found = TOKEN.search(browser.get(page or path).text)
    assert found, page or path
    return browser.client.post(path, data={"csrf_token": found[1], **form}, buffered=True, **more)


def picture(size: tuple[int, int] = (8, 8), kind: str = "PNG") -> io.BytesIO:
    """A picture that says where it was taken."""
    out, exif = io.BytesIO(), Image.Exif()
    exif[0x010E] = "taken at home"
    Image.new("RGB", size, "teal").save(out, kind, exif=exif)
    return io.BytesIO(out.getvalue())


def desk_row(runtime: Runtime, owner: Person) -> Desk:
    with runtime.database.read(owner.workspace_id) as session:
        return session.scalars(select(Desk)).one()


def words_on(page: str) -> str:
    """A page's text without its tags, in single blanks."""
    return " ".join(re.sub("<[^>]+>", " ", page).split())
