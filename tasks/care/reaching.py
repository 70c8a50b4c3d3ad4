"""Whether mail reaches an address: what came back to one desk counts for that desk alone, and can be taken back.

A bounce that lies in a desk's own mailbox could have been written by whoever runs that mailbox, or by one who got a
copy. So it never silences an address for others (`models.delivery.Bounced` is the mail server's own word), and it is
over as soon as the address answers by our token or link, or an agent says that mail works again.
"""

from collections.abc import Iterable

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models.delivery import Bounced
from models.statements import changed
from models.ticket import Customer, Ticket
from tasks.care import copies, history
from tasks.care.by import By, Refused

BACK = "Mail to this address came back before"
NOT_HERE = "This address takes no part in the ticket any more."


def problem(session: Session, workspace_id: str, address: str) -> str:
    """Why no mail of this desk goes to an address; "": it may go."""
    return problems(session, workspace_id, [address]).get(address.lower(), "")


def problems(session: Session, workspace_id: str, addresses: Iterable[str]) -> dict[str, str]:
    """The same for some: by address, in lower case, those that no mail goes to."""
    wanted = {each.lower() for each in addresses}
    mine = select(Customer.email, Customer.returned, Customer.returned_at, Customer.reached_at)
    known = {
        row.email: row
        for row in session.execute(mine.where(Customer.workspace_id == workspace_id, Customer.email.in_(wanted)))
    }
    everywhere = select(Bounced.address, Bounced.at).where(Bounced.address.in_(wanted))
    found = {
        row.address: BACK
        for row in session.execute(everywhere)
        if row.at > (known[row.address].reached_at if row.address in known else 0)
    }
    here = {email: row.returned or BACK for email, row in known.items() if row.returned_at > row.reached_at}
    return found | here


def came_back(session: Session, workspace_id: str, address: str, reason: str, now: int) -> None:
    """No more mail of this desk goes there, until it is known to work again."""
    mine = update(Customer).where(Customer.workspace_id == workspace_id, Customer.email == address.lower())
    # Of one millisecond the later word counts: whoever was reached just now is not silenced by what came before.
    marked = mine.where(Customer.reached_at < now).values(returned=reason[:300], returned_at=now)
    session.execute(marked.execution_options(synchronize_session=False))


def heard(session: Session, customer: Customer, now: int) -> None:
    """They answered by what only our mail to them held: it reached them."""
    customer.reached_at = max(customer.reached_at, now)


def heard_from(session: Session, customer_id: str | None, now: int) -> None:
    """The same of somebody who came by the link in our mail, or by an account whose address was confirmed."""
    if customer_id and (found := session.scalar(select(Customer).where(Customer.id == customer_id))) is not None:
        heard(session, found, now)


def works_again(session: Session, ticket: Ticket, address: str, by: By, now: int) -> bool:
    """An agent says that mail to somebody who takes part works; whether that was news.

    Raises:
        Refused: nobody of that address takes part.
    """
    customer = session.scalars(select(Customer).where(Customer.id == ticket.customer_id)).one()
    wanted = address.strip().lower()
    if wanted != customer.email and wanted not in copies.of(session, ticket.id):
        raise Refused("reached", NOT_HERE)
    if not problem(session, ticket.workspace_id, wanted):
        return False
    history.hold(session, ticket)
    mine = update(Customer).where(Customer.workspace_id == ticket.workspace_id, Customer.email == wanted)
    changed(session, mine.values(reached_at=now).execution_options(synchronize_session=False))
    history.note(session, ticket, history.MAIL, "", "sent again", by, now, f"{wanted} works again")
    return True
