"""Full text over `ticket_words`, as each database has it; kept up by the database itself, whoever writes the table.

SQLite has an FTS5 index beside it, filled by triggers; PostgreSQL and MariaDB have a generated column with an index.
Any other database has none, and is asked by LIKE. None of it is mapped: only `models.ticket_search` asks it.
"""

from typing import Any

from sqlalchemy import Connection, Table, event

from models.ticket import TicketWords

TABLE = "ticket_words"
FTS, PLACES = "ticket_fts", "ticket_fts_place"  # SQLite's index, and the rowid in it of each ticket
COLUMN, INDEX = "searched", "ix_ticket_words_searched"  # of PostgreSQL and MariaDB
MARK = "__"  # before each word on MariaDB, which leaves out short and usual ones
_OUT = f"INSERT INTO {FTS}({FTS}, rowid, workspace, words) SELECT 'delete', place, old.workspace_id, old.words"
_IN = f"INSERT INTO {FTS}(rowid, workspace, words) SELECT place, new.workspace_id, new.words"
_OLD = f"FROM {PLACES} WHERE ticket_id = old.ticket_id"
_NEW = f"FROM {PLACES} WHERE ticket_id = new.ticket_id"

# ruff: noqa: S608  # names of ours
# The index holds no text of its own. A rowid of ours, since VACUUM may give those of `ticket_words` anew.
SQLITE = (
    f"CREATE TABLE {PLACES} (place INTEGER PRIMARY KEY, ticket_id VARCHAR(28) NOT NULL UNIQUE)",
    f"CREATE VIRTUAL TABLE {FTS} USING fts5(workspace, words, content='', tokenize='ascii', prefix='3')",
    f"CREATE TRIGGER {FTS}_in AFTER INSERT ON {TABLE} BEGIN"
    f" INSERT INTO {PLACES}(ticket_id) VALUES (new.ticket_id); {_IN} {_NEW}; END",
    f"CREATE TRIGGER {FTS}_of AFTER UPDATE OF words ON {TABLE} BEGIN {_OUT} {_OLD}; {_IN} {_NEW}; END",
    f"CREATE TRIGGER {FTS}_out AFTER DELETE ON {TABLE} BEGIN"
    f" {_OUT} {_OLD}; DELETE FROM {PLACES} WHERE ticket_id = old.ticket_id; END",
)
POSTGRESQL = (
    f"ALTER TABLE {TABLE} ADD COLUMN {COLUMN} tsvector"
    " GENERATED ALWAYS AS (to_tsvector('simple'::regconfig, 'w' || workspace_id || words)) STORED",
    f"CREATE INDEX {INDEX} ON {TABLE} USING gin ({COLUMN}) WITH (fastupdate = off)",
)
MARIADB = (
    f"ALTER TABLE {TABLE} ADD COLUMN {COLUMN} LONGTEXT GENERATED ALWAYS AS (REPLACE(words, ' ', ' {MARK}')) STORED",
    f"CREATE FULLTEXT INDEX {INDEX} ON {TABLE} ({COLUMN})",
)
MAKE = {"sqlite": SQLITE, "postgresql": POSTGRESQL, "mysql": MARIADB, "mariadb": MARIADB}
DROP = {"sqlite": (f"DROP TABLE IF EXISTS {FTS}", f"DROP TABLE IF EXISTS {PLACES}")}  # columns go with their table


def make(connection: Connection) -> None:
    """Right after the table itself, in `create_all` as in the migration."""
    for statement in MAKE.get(connection.dialect.name, ()):
        connection.exec_driver_sql(statement)


def drop(connection: Connection) -> None:
    """Right after the table is gone: its triggers went with it."""
    for statement in DROP.get(connection.dialect.name, ()):
        connection.exec_driver_sql(statement)


def unmapped(name: str | None, kind: str) -> bool:
    """Whether it is ours and no model's, so that comparing tables and migrations leaves it out."""
    ours = {"table": name is not None and name.startswith(FTS), "column": name == COLUMN, "index": name == INDEX}
    return ours.get(kind, False)


@event.listens_for(TicketWords.__table__, "after_create")
def _made(_table: Table, connection: Connection, **_kw: Any) -> None:
    make(connection)


@event.listens_for(TicketWords.__table__, "after_drop")
def _dropped(_table: Table, connection: Connection, **_kw: Any) -> None:
    drop(connection)
