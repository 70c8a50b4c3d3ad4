"""Many tickets' clocks at once: for the scan of marks, and after hours or policies changed."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

PORTION = 5_000


class Standing(NamedTuple):
    """How a ticket stands now: the marks reached (0, 50, 75, 100), and what it is once these were told."""

    ticket_id: str
    first: int
    solve: int
    next_mark_at: int | None


class Portion(NamedTuple):
    """What was looked at, what moved, and after which id to go on (None: that was all)."""

    seen: int
    moved: int
    after: str | None


def standings(session: Session, rows: Sequence[Any], now: int) -> list[Standing]:
    """How tickets stand, in their order: a few queries for all of them, then arithmetic.

    Args:
        rows: Tickets, or rows with `COLUMNS` of one workspace.
    """
    raise NotImplementedError


def portion(
    session: Session, workspace_id: str, now: int, team_id: str | None = None, after: str = "", size: int = PORTION
) -> Portion:
    """Open tickets in the order of their ids: policy, deadlines and marks by what holds now; only what moved is written."""
    raise NotImplementedError
