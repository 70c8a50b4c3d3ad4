"""Sessions and the unit of work: the one place that narrows every question to a workspace.

A session is opened for a workspace (`Scope`), or, by the engine room alone, for everyone. Asked about an owned table
without either, it refuses: forgetting the scope is an error at once and never a leak.
"""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.orm import ORMExecuteState, Session, with_loader_criteria

from models.base import Owned
from models.engine import make_engine

EVERYONE = "*"
Callback = Callable[[], object]


@dataclass
class Database:
    """One process's door to the database; opened lazily, and never carried over a fork.

    Args:
        url: SQLAlchemy URL.
        before_commit: called at the end of each unit of work; `session.info["changed"]` tells it what changed.
    """

    url: str
    before_commit: "Callable[[Session], None] | None" = None
    _engine: Engine | None = None

    @property
    def engine(self) -> Engine:
        if self._engine is None:
            self._engine = make_engine(self.url)
        return self._engine

    def forget(self) -> None:
        """After a fork: drop the parent's connections without closing them under its feet."""
        if self._engine is not None:
            self._engine.dispose(close=False)
            self._engine = None

    def close(self) -> None:
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None

    @contextlib.contextmanager
    def begin(self) -> Iterator[Connection]:
        """One transaction of the engine room's own statements, without the ORM's cost; narrowed to nobody."""
        with self.engine.begin() as connection:
            yield connection

    @contextlib.contextmanager
    def look(self) -> Iterator[Connection]:
        """The same for reading, which never blocks a writer."""
        with self.engine.connect().execution_options(reading=True) as connection:
            yield connection

    @contextlib.contextmanager
    def write(self, workspace: str) -> Iterator[Session]:
        """One transaction: commits at the end, then runs what `after_commit` collected; rolls back on any error."""
        with Session(self.engine, expire_on_commit=False, info={"workspace": workspace}) as session:
            with session.begin():
                yield session
                session.flush()
                if self.before_commit is not None:
                    self.before_commit(session)
            run_after_commit(session)

    @contextlib.contextmanager
    def read(self, workspace: str) -> Iterator[Session]:
        """A transaction for reading, which never blocks a writer."""
        bind = self.engine.execution_options(reading=True)
        with Session(bind, expire_on_commit=False, info={"workspace": workspace}) as session:
            yield session


def after_commit(session: Session, call: Callback) -> None:
    """Run `call` once this session's transaction is committed, and not at all if it rolls back.

    SQLAlchemy's own after_commit event with once=True stays armed after a rollback, so the callbacks stand in
    `session.info` and the unit of work runs them.
    """
    session.info.setdefault("after_commit", []).append(call)


def run_after_commit(session: Session) -> None:
    """What was committed stays, whatever the callbacks raise; an error of one is the caller's and ends the rest."""
    for call in session.info.pop("after_commit", []):
        call()


def touch(session: Session, table: type, workspace: str) -> None:
    """Wake the jobs that watch a table after what the ORM does not see: bulk inserts, UPDATE and DELETE statements."""
    session.info.setdefault("changed", set()).add((table, workspace))


@event.listens_for(Session, "do_orm_execute")
def _narrow(state: ORMExecuteState) -> None:
    """Every ORM SELECT, UPDATE and DELETE sees its own workspace only."""
    workspace = state.session.info.get("workspace")
    if workspace == EVERYONE or state.is_column_load or state.is_relationship_load:
        return
    if workspace is None:
        if any(issubclass(mapper.class_, Owned) for mapper in state.all_mappers):
            raise RuntimeError("a session without a workspace was asked about rows that belong to one")
        return
    state.statement = state.statement.options(
        with_loader_criteria(Owned, lambda cls: cls.workspace_id == workspace, include_aliases=True)
    )


@event.listens_for(Session, "before_flush")
def _own(session: Session, _context: Any, _instances: Any) -> None:
    """New rows get the session's workspace; a row of another one is never written."""
    workspace = session.info.get("workspace")
    if workspace == EVERYONE:
        return
    for row in [*session.new, *session.dirty, *session.deleted]:
        if isinstance(row, Owned):
            if row.workspace_id is None:
                row.workspace_id = workspace
            elif row.workspace_id != workspace:
                raise RuntimeError("a row of another workspace was about to be written")


@event.listens_for(Session, "after_flush")
def _remember(session: Session, _context: Any) -> None:
    """Which tables changed in which workspace, for the jobs that watch them."""
    changed = session.info.setdefault("changed", set())
    for row in (*session.new, *session.dirty, *session.deleted):
        if isinstance(row, Owned):
            changed.add((type(row), row.workspace_id))
