"""Takes imported tickets back: those that nobody touched since, and what was made for them alone."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, exists, func, or_, select
from sqlalchemy.orm import Session

from models.desk import Article, Inlet, Policy, Team, TeamMember, Topic
from models.intake import Intake
from models.session import touch
from models.ticket import Customer, Ticket, TicketFile, TicketLink
from tasks.context import Context

AT_ONCE = 500
TOLD = 50  # numbers of tickets that stay


def undo(ctx: Context, intake: Intake) -> dict[str, Any]:
    """Counts for `Intake.counts`: what was deleted, what stays since somebody changed it."""
    deleted = 0
    while True:
        with ctx.database.write(ctx.workspace) as session:
            ids = _untouched(session, intake.id)
            if not ids:
                break
            session.execute(delete(Ticket).where(Ticket.id.in_(ids)).execution_options(synchronize_session=False))
            touch(session, Ticket, ctx.workspace)
        deleted += len(ids)
        ctx.progress(min(0.95, deleted / max(1, (intake.counts or {}).get("written", 1))), f"{deleted:,} taken back")
    with ctx.database.write(ctx.workspace) as session:
        if moment := (intake.counts or {}).get("moment"):
            _made(session, int(moment))
        stay = session.scalars(select(Ticket.number).where(Ticket.intake_id == intake.id).order_by(Ticket.number))
        kept = list(stay)
    return {"deleted": deleted, "kept": len(kept), "kept_numbers": kept[:TOLD]}


def _untouched(session: Session, intake_id: str) -> Sequence[str]:
    """Still as they came: nobody said or changed anything, and no other ticket was put into them or leads to them."""
    other = select(Ticket.id).where(Ticket.intake_id == intake_id, Ticket.version == 1)
    linked = exists(select(1).where(or_(TicketLink.one_id == Ticket.id, TicketLink.other_id == Ticket.id)))
    files = exists(select(1).where(TicketFile.ticket_id == Ticket.id))
    return session.scalars(other.where(~linked, ~files).order_by(Ticket.id).limit(AT_ONCE)).all()


def touched(session: Session, intake_id: str) -> int:
    """How many an undoing would leave."""
    mine = select(func.count()).select_from(Ticket).where(Ticket.intake_id == intake_id, Ticket.version > 1)
    return session.scalar(mine) or 0


def _made(session: Session, moment: int) -> None:
    """Customers, topics and teams that this import made and nothing needs any more."""
    needs: dict[type, list[Any]] = {
        Customer: [Ticket.customer_id],
        Topic: [Ticket.topic_id, Article.topic_id, Policy.topic_id, Inlet.topic_id],
        Team: [Ticket.team_id, Topic.team_id, TeamMember.team_id],
    }
    for table, columns in needs.items():
        of: Any = table
        unneeded = [~exists(select(1).where(column == of.id)) for column in columns]
        mine = [of.created_at == moment, *unneeded, *([of.account_id.is_(None)] if table is Customer else [])]
        session.execute(delete(table).where(*mine).execution_options(synchronize_session=False))
