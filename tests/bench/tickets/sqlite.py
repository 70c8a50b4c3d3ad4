"""Lists and searches of a million tickets on SQLite: see `search`."""

from typing import Any

from tests.bench.tickets import search

NAME = "sqlite"


def measure(quick: bool) -> dict[str, Any]:
    """Everything, on this database."""
    return search.measure(NAME, quick)


def lines(figures: dict[str, Any]) -> list[str]:
    """The table."""
    return search.lines(NAME, figures)
