"""Who and what the agents' pages offer to choose from: people at the desk, teams, topics; and people's names."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

from sqlalchemy import CompoundSelect, Select, Table, bindparam, literal, select, union_all
from sqlalchemy.orm import Session

from models.account import Account
from models.desk import Team, TeamMember, Topic
from models.workspace import Membership
from web.current import DESK_RANKS, NEEDED, current_workspace, me

Choices = list[tuple[str, str]]
MOST = 500  # of each that a form offers


@dataclass(frozen=True)
class Desk:
    """What can be chosen, as (id, name) by name; and, unnamed, the teams that whoever asks is in."""

    agents: Choices
    teams: Choices
    topics: Choices
    mine: Choices


def choices(session: Session) -> Desk:
    """Those of the session's workspace, in one question; topics that are archived are not offered."""
    found: dict[str, Choices] = {"agents": [], "teams": [], "topics": [], "mine": []}
    values = {"place": session.info["workspace"], "me": me().id}
    for kind, row_id, name in session.connection().execute(_offered(), values):
        found[kind].append((row_id, name))
    return Desk(**{kind: sorted(each, key=_by_name) for kind, each in found.items()})


@cache
def _offered() -> CompoundSelect[Any]:
    """Put together once: that takes longer than to ask it."""
    place, who = cast(Any, bindparam("place")), cast(Any, bindparam("me"))
    team, topic, member = (cast(Table, each.__table__).c for each in (Team, Topic, TeamMember))
    topics = select(topic.id, topic.name).where(topic.workspace_id == place, topic.archived.is_(False))
    parts = {
        "agents": _agents(place),
        "teams": select(team.id, team.name).where(team.workspace_id == place).order_by(team.name).limit(MOST),
        "topics": topics.order_by(topic.name).limit(MOST),
        "mine": select(member.team_id, literal("")).where(member.workspace_id == place, member.account_id == who),
    }
    return union_all(*(select(literal(kind), *each.subquery().c) for kind, each in parts.items()))


def _by_name(one: tuple[str, str]) -> tuple[str, str]:
    return one[1].casefold(), one[0]


def agents(session: Session) -> Choices:
    """Who may answer tickets, by name."""
    return sorted(((row[0], row[1]) for row in session.execute(_agents(current_workspace()))), key=_by_name)


def _agents(place: str) -> Select[Any]:
    roles = [role for role, rank in DESK_RANKS.items() if rank >= NEEDED["agent"]]
    account, member = (cast(Table, each.__table__).c for each in (Account, Membership))
    asked = select(account.id, account.name).where(member.account_id == account.id, member.workspace_id == place)
    return asked.where(member.role.in_(roles)).order_by(account.name, account.id).limit(MOST)


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
