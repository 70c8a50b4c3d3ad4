"""Which workspace keeps what is written to a person about themselves, their mails above all: one of their own."""

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.workspace import SYSTEM, Membership


def home(session: Session, account_id: str) -> str | None:
    """The first workspace that the person owns, or else one that they are a member of; None where there is none."""
    return homes(session, [account_id]).get(account_id)


def homes(session: Session, accounts: Collection[str]) -> dict[str, str]:
    """The same for a few hundred people in one question; whoever has no workspace at all is not in it."""
    asked = select(Membership.account_id, Membership.workspace_id, Membership.role, Membership.created_at)
    found: dict[str, tuple[tuple[bool, bool, int, str], str]] = {}
    for account, place, role, since in session.execute(asked.where(Membership.account_id.in_(accounts))):
        rank = (place == SYSTEM, role != "owner", since, place)
        if account not in found or rank < found[account][0]:
            found[account] = (rank, place)
    return {account: place for account, (_, place) in found.items()}
