"""A moment some days ago, where the days stand in a column."""

from typing import Any

from sqlalchemy import BigInteger, ColumnElement, cast, literal

from tasks.care.moves import DAY_MS


def days_ago(now: int, days: Any) -> ColumnElement[int]:
    """In epoch milliseconds. Said to be large: PostgreSQL reckons with the smaller of its whole numbers else."""
    return literal(now, BigInteger) - cast(days, BigInteger) * literal(DAY_MS, BigInteger)
