"""Who gets a new ticket of a team: each in turn, or whoever has the least; nobody who is away.

A team's `turn` counts what it handed out. Whoever hands out a ticket takes the next turn by an UPDATE that only one of
two can make, and its row is locked until the commit: so two workers at once never give the same turn, and the second
sees what the first gave.
"""

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from models.desk import LEAST, NOBODY, Absence, Team, TeamMember
from models.statements import changed
from models.ticket import AT_WORK, Ticket
from models.workspace import Membership
from tasks.care import history
from tasks.care.by import ANSWERS, By
from tasks.days import known, today

TURN = By("machine", why="Handed out in turn")
FEWEST = By("machine", why="Handed to whoever has the fewest")


def assign(session: Session, ticket: Ticket, now: int) -> str | None:
    """Give a ticket that is nobody's to somebody of its team; None where nobody can take it, or the team lets them
    choose themselves."""
    if ticket.team_id is None or ticket.assignee_id is not None:
        return None
    team = session.scalar(select(Team).where(Team.id == ticket.team_id, Team.workspace_id == ticket.workspace_id))
    if team is None or team.assigns == NOBODY:
        return None
    turn = _take_turn(session, team)
    chosen = _chosen(session, team, now)
    if chosen is None:
        return None
    mine = (TeamMember.team_id == team.id, TeamMember.account_id == chosen)
    session.execute(update(TeamMember).where(*mine).values(last_turn=turn).execution_options(synchronize_session=False))
    ticket.assignee_id = chosen
    by = FEWEST if team.assigns == LEAST else TURN
    history.note(session, ticket, history.ASSIGNEE, "", chosen, by, now)
    session.flush()  # the next one who asks counts this ticket
    return chosen


def _take_turn(session: Session, team: Team) -> int:
    """The next turn, which is ours alone; who also wants one waits here for our commit."""
    session.flush()
    mine = update(Team).where(Team.id == team.id).execution_options(synchronize_session=False)
    while True:
        seen = session.scalars(select(Team.turn).where(Team.id == team.id)).one()
        if changed(session, mine.where(Team.turn == seen).values(turn=seen + 1)):
            return seen + 1


def _chosen(session: Session, team: Team, now: int) -> str | None:
    """Of those who are there: who has the fewest tickets at work, and of these who waited longest."""
    there = available(session, team, now)
    if not there:
        return None
    if team.assigns != LEAST:
        return min(there, key=lambda account: (there[account], account))
    load = loads(session, team.workspace_id, list(there))
    return min(there, key=lambda account: (load.get(account, 0), there[account], account))


def available(session: Session, team: Team, now: int) -> dict[str, int]:
    """Who of a team can be handed a ticket today, by the team's clock; with the turn when they last were."""
    asked = select(TeamMember.account_id, TeamMember.last_turn).join(
        Membership,
        (Membership.account_id == TeamMember.account_id) & (Membership.workspace_id == TeamMember.workspace_id),
    )
    mine = (TeamMember.team_id == team.id, TeamMember.takes, Membership.role.in_(ANSWERS))
    there = {row.account_id: row.last_turn for row in session.execute(asked.where(*mine))}
    gone = away(session, team.workspace_id, list(there), team.time_zone, now)
    return {account: turn for account, turn in there.items() if account not in gone}


def away(session: Session, workspace_id: str, accounts: list[str], zone: str, now: int) -> set[str]:
    """Who of these people is absent on this day of a zone."""
    day = today(known(zone), now)
    days = (Absence.workspace_id == workspace_id, Absence.first <= day, Absence.last >= day)
    return set(session.scalars(select(Absence.account_id).where(*days, Absence.account_id.in_(accounts))))


def loads(session: Session, workspace_id: str, accounts: list[str]) -> dict[str, int]:
    """How many tickets at work each has; those that wait for somebody else do not count."""
    mine = (Ticket.workspace_id == workspace_id, Ticket.assignee_id.in_(accounts), Ticket.status.in_(AT_WORK))
    counted = select(Ticket.assignee_id, func.count()).where(*mine).group_by(Ticket.assignee_id)
    return {str(account): count for account, count in session.execute(counted)}
