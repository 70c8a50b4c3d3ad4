"""After hours or policies changed: the deadlines of open tickets, at once where they are few."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.base import clock as database_clock
from models.desk import Policy
from models.session import touch
from models.ticket import AT_WORK, STOPPED, Ticket
from tasks.care import clock
from web.current import current_workspace

FEW = 500


def reckon(session: Session) -> str:
    """Reckon them in this transaction, or leave them to the job `deadlines`; what to tell whoever changed them.

    The job runs after every change of a team or a policy anyway: it looks again at what moved in between.
    """
    session.flush()
    some = select(Ticket.id).where(Ticket.status.in_((*AT_WORK, *STOPPED))).limit(FEW + 1).subquery()
    count = session.scalar(select(func.count()).select_from(some)) or 0
    touch(session, Policy, current_workspace())
    if count > FEW:
        return f"The deadlines of more than {FEW} open tickets are being reckoned anew; that takes a few seconds."
    moved = clock.recompute(session, current_workspace(), database_clock(session)) if count else 0
    if not moved:
        return ""
    return "One open ticket was reckoned anew." if moved == 1 else f"{moved} open tickets were reckoned anew."
