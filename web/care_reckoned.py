"""Around a change of hours or policies: what was worked until then, and the deadlines after it.

What was worked counts by the hours that held: `settle` is called before they are saved, in transactions of its own, and
changes nothing that anybody sees. The deadlines of open tickets follow after it, at once where they are few.
"""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.base import clock as database_clock
from models.desk import Policy
from models.session import touch
from models.ticket import AT_WORK, STOPPED, Ticket
from tasks.care import clock, settling
from web.current import current_workspace, reading, writing

FEW = 500


def settle(team_id: str | None = None) -> None:
    """Before a team's hours change, or it goes: its tickets, and those without one, which the first team's hours hold
    for; without a team, all of them."""
    settling.before_change(writing, current_workspace(), team_id)


def settle_policies(around: bool = False) -> None:
    """Before policies change. They alter which hours count only where one of them counts around the clock.

    Args:
        around: whether the one that is to be saved does so.
    """
    with reading() as session:
        concerned = around or session.scalar(select(Policy.id).where(Policy.around_the_clock).limit(1)) is not None
    if concerned:
        settle()


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
