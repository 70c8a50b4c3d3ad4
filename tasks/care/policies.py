"""Which policy holds for a ticket: the first, by position, whose priority and topic fit."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.desk import Policy


def ordered(session: Session, workspace_id: str | None = None) -> Sequence[Policy]:
    """A workspace's policies in the order in which they are asked; which one's, a session for everyone must be told."""
    wanted = select(Policy).order_by(Policy.position, Policy.created_at, Policy.id)
    return session.scalars(wanted.where(Policy.workspace_id == workspace_id) if workspace_id else wanted).all()


def fitting(session: Session, workspace_id: str | None, priority: int, topic_id: str | None) -> Policy | None:
    """The one that holds for tickets of a priority and a topic."""
    return first(ordered(session, workspace_id), priority, topic_id)


def first(offered: Sequence[Policy], priority: int, topic_id: str | None) -> Policy | None:
    """The same among policies that were read before."""
    return next((policy for policy in offered if fits(policy, priority, topic_id)), None)


def fits(policy: Policy, priority: int, topic_id: str | None) -> bool:
    return policy.priority in (None, priority) and policy.topic_id in (None, topic_id)
