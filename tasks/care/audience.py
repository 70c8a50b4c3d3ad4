"""Who is told that a ticket's time runs out: its agent, else its team; at the end the leads as well."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.desk import Absence, Team, TeamMember
from models.workspace import Membership
from tasks.care.by import ANSWERS
from tasks.days import known, today

OVER = 3  # the level from which leads are told


@dataclass
class Audience:
    """The people of one workspace's desk, as of a moment: read in four questions, asked for each ticket."""

    roles: dict[str, str] = field(default_factory=dict)
    teams: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    leads: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    away: set[str] = field(default_factory=set)

    def to(self, team_id: str | None, assignee_id: str | None, level: int = 1) -> frozenset[str]:
        """Whom to tell. Somebody who is away is told, too, but not alone."""
        theirs = {assignee_id} if assignee_id in self.roles else set()
        if not theirs - self.away:
            theirs |= self.team(team_id)
        if level >= OVER:
            theirs |= self.leads_of(team_id)
        return frozenset(each for each in theirs if each is not None)

    def team(self, team_id: str | None) -> set[str]:
        """A team's people who are here; without a team, or with nobody left in it, all agents."""
        here = self.teams.get(team_id or "", set()) - self.away
        return here or self._with_role("agent", "lead") or self._with_role("member", "owner")

    def leads_of(self, team_id: str | None) -> set[str]:
        """The team's leads; without any, the desk's; without those, whoever owns the workspace."""
        theirs = self.leads.get(team_id or "", set())
        return theirs or self._with_role("lead") or self._with_role("owner")

    def _with_role(self, *roles: str) -> set[str]:
        return {account for account, role in self.roles.items() if role in roles}


def of(session: Session, places: Collection[str], now: int) -> dict[str, Audience]:
    """The people of some workspaces."""
    found: dict[str, Audience] = {place: Audience() for place in places}
    members = select(Membership.workspace_id, Membership.account_id, Membership.role)
    asked = members.where(Membership.workspace_id.in_(places), Membership.role.in_(ANSWERS))
    for place, account, role in session.execute(asked):
        found[place].roles[account] = role
    teams = select(TeamMember.workspace_id, TeamMember.team_id, TeamMember.account_id, TeamMember.lead)
    for place, team, account, lead in session.execute(teams.where(TeamMember.workspace_id.in_(places))):
        if account in found[place].roles:
            found[place].teams[team].add(account)
            if lead:
                found[place].leads[team].add(account)
    for place, account in _absent(session, places, now):
        found[place].away.add(account)
    return found


def _absent(session: Session, places: Collection[str], now: int) -> set[tuple[str, str]]:
    """Who is away today, by the clock of any team of theirs, or by UTC."""
    zones = select(TeamMember.workspace_id, TeamMember.account_id, Team.time_zone)
    zones = zones.join(Team, Team.id == TeamMember.team_id).where(TeamMember.workspace_id.in_(places))
    clocks: dict[tuple[str, str], str] = {(place, account): zone for place, account, zone in session.execute(zones)}
    asked = select(Absence.workspace_id, Absence.account_id, Absence.first, Absence.last)
    rows = session.execute(asked.where(Absence.workspace_id.in_(places)))
    return {
        (place, account)
        for place, account, first, last in rows
        if first <= today(known(clocks.get((place, account), "UTC")), now) <= last
    }
