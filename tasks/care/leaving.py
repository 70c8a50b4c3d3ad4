"""Somebody answers a desk's tickets no longer: their teams, and what was theirs to do, wait for others."""

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from models.desk import Absence, TeamMember
from models.ticket import CLOSED, Presence, Ticket
from tasks.care import fields, history
from tasks.care.by import ANSWERS, By

WHY = "They do not answer tickets here any more"


def leave(session: Session, workspace_id: str, account_id: str, by: By, now: int) -> int:
    """Take somebody out of the teams, and give back their tickets that are not closed; how many those were."""
    for table in (TeamMember, Absence, Presence):
        mine = (table.workspace_id == workspace_id, table.account_id == account_id)
        session.execute(delete(table).where(*mine), execution_options={"synchronize_session": False})
    theirs = (Ticket.workspace_id == workspace_id, Ticket.assignee_id == account_id, Ticket.status != CLOSED)
    tickets = session.scalars(select(Ticket).where(*theirs).order_by(Ticket.id)).all()
    for ticket in tickets:
        history.hold(session, ticket)
        fields.given(session, ticket, None, By(by.kind, by.account_id, why=WHY), now)
    return len(tickets)


def answers(role: str) -> bool:
    """Whether a role may be given tickets."""
    return role in ANSWERS
