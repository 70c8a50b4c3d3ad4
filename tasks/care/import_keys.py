"""By what an imported ticket is known again: its number where it came from, so the same file does nothing twice."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.ticket import Ticket

SUBJECT = "tickets"  # of an Intake


def of(system: str, key: str) -> str:
    """Two systems may both have a 42."""
    return f"{system} {key}"[:80]


def known(session: Session, keys: Sequence[str]) -> set[str]:
    """Those of these that are here already."""
    return set(session.scalars(select(Ticket.foreign_key).where(Ticket.foreign_key.in_(keys)))) if keys else set()
