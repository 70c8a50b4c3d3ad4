"""What a database cannot hold as it is, and takes as something close to it: changed on the way, counted and told."""

import struct
from collections import Counter
from typing import Any

from sqlalchemy import Connection, inspect
from sqlalchemy.types import FLOAT

from deploy.backup.contents import TableHead
from deploy.backup.errors import Damaged

ROUNDED = "{count} of {name}: rounded to seven digits, which is what MariaDB's FLOAT holds."
REPLACED = "{count} of {name}: zero bytes, which PostgreSQL's text cannot hold, were replaced by �."


class Fit:
    """One table of a database that rows are written to.

    Raises:
        Damaged: it has not the archive's columns.
    """

    def __init__(self, connection: Connection, head: TableHead) -> None:
        have = {each["name"]: each["type"] for each in inspect(connection).get_columns(head.name)}
        if missing := set(head.columns) - set(have):
            raise Damaged(f"it has a column {min(missing)} in {head.name} that its revision has not")
        kinds, name = head.columns.items(), connection.dialect.name
        mysql = name in ("mysql", "mariadb")
        self._floats = [one for one, kind in kinds if mysql and kind == "float" and isinstance(have[one], FLOAT)]
        self._texts = [one for one, kind in kinds if name == "postgresql" and kind == "text"]
        self._table = head.name
        self._rounded, self._replaced = Counter[str](), Counter[str]()

    def changed(self, row: dict[str, Any]) -> bool:
        """Make a row fit; whether that changed anything."""
        before = self._rounded.total() + self._replaced.total()
        for name in self._floats:
            if row[name] is not None and (near := struct.unpack("f", struct.pack("f", row[name]))[0]) != row[name]:
                row[name] = near
                self._rounded[name] += 1
        for name in self._texts:
            if row[name] and "\0" in row[name]:
                row[name] = row[name].replace("\0", "�")
                self._replaced[name] += 1
        return self._rounded.total() + self._replaced.total() > before

    def told(self) -> list[str]:
        """A sentence for each column in which something changed."""
        both = ((ROUNDED, self._rounded), (REPLACED, self._replaced))
        return [
            text.format(count=number, name=f"{self._table}.{name}")
            for text, found in both
            for name, number in found.items()
        ]
