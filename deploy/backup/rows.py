"""Rows as lines of JSON, the same from every database: what the archive holds, and what is compared afterwards."""

import base64
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Date,
    Double,
    Float,
    Integer,
    LargeBinary,
    String,
    Table,
    TableClause,
    Text,
    TypeDecorator,
    column,
    select,
    table,
)  # fmt: skip
from sqlalchemy.types import TypeEngine

from deploy.backup.contents import Kind, TableHead
from models.base import Base

AT_ONCE = 1000  # rows fetched from a server's cursor, and written by one statement
TYPES: dict[Kind, TypeEngine[Any]] = {
    "bool": Boolean(), "int": BigInteger(), "float": Double(), "date": Date(), "bytes": LargeBinary(), "text": Text(),
}  # fmt: skip
KINDS: tuple[tuple[type[TypeEngine[Any]], Kind], ...] = (
    (Boolean, "bool"), (Integer, "int"), (Float, "float"), (Double, "float"), (Date, "date"), (LargeBinary, "bytes"),
    (String, "text"),
)  # fmt: skip
OUT: dict[Kind, Callable[[Any], object]] = {"bytes": lambda value: base64.b64encode(value).decode(), "date": str}
IN: dict[Kind, Callable[[Any], object]] = {"bytes": lambda value: base64.b64decode(value, validate=True)}
IN["date"] = date.fromisoformat
# Python's own type of each kind as it stands in a line; a bool is an int to Python, and to no database.
WRITTEN: dict[Kind, type] = {"bool": bool, "int": int, "float": float, "date": str, "bytes": str, "text": str}


def kind(of: Column[Any]) -> Kind:
    """What a column holds in every database: JSON is kept as its text, amounts as their whole numbers."""
    what = of.type.impl_instance if isinstance(of.type, TypeDecorator) else of.type
    for known, name in KINDS:
        if isinstance(what, known):
            return name
    raise TypeError(f"{of}: backups know no {what!r}; give it a kind in deploy/backup/rows.py")


def heads() -> list[TableHead]:
    """This code's tables, those first that others point at."""
    return heads_of(Base.metadata.sorted_tables)


def heads_of(tables: Iterable[Table]) -> list[TableHead]:
    return [TableHead(name=each.name, columns={one.name: kind(one) for one in each.c}) for each in tables]


def bare(head: TableHead) -> TableClause:
    """The table with nothing but its columns: also of a revision that this code's models do not have any more."""
    return table(head.name, *(column(name, TYPES[what]) for name, what in head.columns.items()))


def lines(connection: Connection, head: TableHead) -> Iterator[bytes]:
    """Every row, in whatever order the database likes, from a cursor of the server."""
    asked = select(*bare(head).c)
    out = [OUT.get(what) for what in head.columns.values()]
    special = [(place, to) for place, to in enumerate(out) if to]
    options = {"stream_results": True, "yield_per": AT_ONCE}
    for row in connection.execute(asked, execution_options=options):
        values = list(row)
        for place, to in special:
            if values[place] is not None:
                values[place] = to(values[place])
        yield line(values)


def line(values: list[Any]) -> bytes:
    return json.dumps(values, separators=(",", ":")).encode() + b"\n"


def values(head: TableHead, text: bytes) -> dict[str, Any]:
    """The other way.

    Raises:
        ValueError: it is no row of this table.
    """
    found = json.loads(text)
    if not isinstance(found, list) or len(found) != len(head.columns):
        raise ValueError("no row")
    return {name: _value(what, one) for (name, what), one in zip(head.columns.items(), found, strict=True)}


def rewritten(head: TableHead, row: Mapping[str, Any]) -> bytes:
    """A row as its line would be, were it read again."""
    found = ((OUT.get(what), row[name]) for name, what in head.columns.items())
    return line([to(one) if to and one is not None else one for to, one in found])


def _value(what: Kind, one: Any) -> Any:
    if one is None:
        return None
    if type(one) is not WRITTEN[what]:
        raise ValueError(f"no {what}")
    to = IN.get(what)
    return to(one) if to else one
