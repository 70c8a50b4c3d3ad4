"""Who and what the agents' pages offer to choose from: people at the desk, teams, topics; and people's names."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.account import Account
from models.desk import Team, Topic
from models.workspace import Membership
from web.current import DESK_RANKS, NEEDED, current_workspace

Choices = list[tuple[str, str]]
MOST = 500  # of each that a form offers


@dataclass(frozen=True)
class Desk:
    """What can be chosen, as (id, name) by name."""

    agents: Choices
    teams: Choices
    topics: Choices


def choices(session: Session) -> Desk:
    """Those of the session's workspace; topics that are archived are not offered."""
    teams = session.execute(select(Team.id, Team.name).order_by(Team.name).limit(MOST))
    topics = select(Topic.id, Topic.name).where(Topic.archived.is_(False)).order_by(Topic.name).limit(MOST)
    return Desk(
        agents(session), [(row[0], row[1]) for row in teams], [(row[0], row[1]) for row in session.execute(topics)]
    )


def agents(session: Session) -> Choices:
    """Who may answer tickets, by name."""
    roles = [role for role, rank in DESK_RANKS.items() if rank >= NEEDED["agent"]]
    asked = select(Account.id, Account.name).join(Membership, Membership.account_id == Account.id)
    asked = asked.where(Membership.workspace_id == current_workspace(), Membership.role.in_(roles))
    return [(row[0], row[1]) for row in session.execute(asked.order_by(Account.name, Account.id).limit(MOST))]


def names(session: Session, ids: Iterable[str | None], known: Collection[tuple[str, str]] = ()) -> dict[str, str]:
    """Names by id, of people who have left the desk too."""
    found = dict(known)
    if missing := {each for each in ids if each and each not in found}:
        asked = select(Account.id, Account.name).where(Account.id.in_(missing))
        found |= {row[0]: row[1] for row in session.execute(asked)}
    return found


def called(session: Session, table: type[Team] | type[Topic], row_id: str | None) -> str:
    """A team's or topic's name, archived ones too; "" for none."""
    return (session.scalar(select(table.name).where(table.id == row_id)) if row_id else None) or ""
