"""The alerts that are not resolved: what scans hold beside what they see."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.alert import FIRING, PENDING, Alert

Key = tuple[str, str]  # workspace, subject
SOME = 500  # of what goes into one IN (…)


@dataclass(frozen=True, slots=True)
class Open:
    """What of an alert that is not resolved decides what a sight does to it."""

    state: str
    level: int
    period: str
    cause: str
    title: str
    text: str


def standing(
    session: Session, rule: str, workspaces: Collection[str] | None = None, subjects: tuple[str, str] = ("", "")
) -> dict[Key, Open]:
    """By workspace and subject, without the ORM's cost: a scan may meet ten thousand of them.

    Args:
        workspaces: whose; None: the session's own workspace.
        subjects: those whose ids are behind the first and up to the second; empty: without that bound.
    """
    after, until = subjects
    wanted = (Alert.state, Alert.level, Alert.period, Alert.cause, Alert.title, Alert.text)
    asked = _unresolved(select(Alert.workspace_id, Alert.subject, *wanted), rule)
    asked = asked.where(Alert.subject > after) if after else asked
    asked = asked.where(Alert.subject <= until) if until else asked
    rows = (row for part in _parts(asked, workspaces) for row in session.execute(part))
    return {(place, subject): Open(*rest) for place, subject, *rest in rows}


def open_alerts(
    session: Session, rule: str, workspaces: Collection[str] | None = None, subjects: Collection[str] | None = None
) -> dict[Key, Alert]:
    """The rows themselves, to be changed; of some subjects alone, where these are few."""
    asked = _unresolved(select(Alert), rule)
    asked = asked.where(Alert.subject.in_(subjects)) if subjects is not None and len(subjects) <= SOME else asked
    parts = _parts(asked, workspaces)
    return {(one.workspace_id, one.subject): one for part in parts for one in session.scalars(part)}


def some_of(many: Iterable[str]) -> Iterator[list[str]]:
    """In portions that fit into one IN (…)."""
    walk = iter(many)
    while part := list(islice(walk, SOME)):
        yield part


def _unresolved(asked: Any, rule: str) -> Any:
    return asked.where(Alert.rule == rule, Alert.state.in_((PENDING, FIRING)))


def _parts(asked: Any, workspaces: Collection[str] | None) -> list[Any]:
    if workspaces is None:
        return [asked]
    return [asked.where(Alert.workspace_id.in_(some)) for some in some_of(workspaces)]
