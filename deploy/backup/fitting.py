"""What a database cannot hold as it is, and takes as something close to it: changed on the way, counted and told."""

from collections import Counter
from typing import Any

from sqlalchemy import Connection, inspect

from deploy.backup.contents import TableHead
from deploy.backup.errors import Damaged

REPLACED = "{count} of {name}: zero bytes, which PostgreSQL's text cannot hold, were replaced by �."


class Fit:
    """One table of a database that rows are written to.

    Raises:
        Damaged: it has not the archive's columns.
    """

    def __init__(self, connection: Connection, head: TableHead) -> None:
        have = inspect(connection).get_columns(head.name)
        if missing := set(head.columns) - {each["name"] for each in have}:
            raise Damaged(f"it has a column {min(missing)} in {head.name} that its revision has not")
        postgresql = connection.dialect.name == "postgresql"
        self._texts = [one for one, kind in head.columns.items() if postgresql and kind == "text"]
        self._table = head.name
        self._replaced = Counter[str]()

    def changed(self, row: dict[str, Any]) -> bool:
        """Make a row fit; whether that changed anything."""
        before = self._replaced.total()
        for name in self._texts:
            if row[name] and "\0" in row[name]:
                row[name] = row[name].replace("\0", "�")
                self._replaced[name] += 1
        return self._replaced.total() > before

    def told(self) -> list[str]:
        """A sentence for each column in which something changed."""
        return [REPLACED.format(count=number, name=f"{self._table}.{name}") for name, number in self._replaced.items()]
