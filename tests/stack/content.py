"""What a stack holds, told by fingerprints: what a backup has to bring back."""

import hashlib
import json
from dataclasses import dataclass

from tests.stack.compose import Stack
from tests.stack.visitor import Program

MOST_FILES = 20
# Rows that nothing changes once they are written; of runs those that have ended.
STEADY = (
    "account", "workspace", "membership", "purse", "category", "payee", "entry", "budget", "product", "movement",
    "meter", "ticket_message", "artifact", "upload", "run",
)  # fmt: skip
ASK = """
import hashlib, importlib, json, pkgutil, sys
import models
from sqlalchemy import select
from deploy.settings import settings
from models.base import Base
from models.run import END_STATES
from models.session import EVERYONE
from workers.runtime import Runtime
for each in pkgutil.iter_modules(models.__path__):  # so that all tables are known
    importlib.import_module("models." + each.name)
runtime = Runtime.from_settings(settings())
told = {}
with runtime.database.read(EVERYONE) as session:
    for name in sys.argv[1].split(","):
        table = Base.metadata.tables[name]
        rows = select(table).order_by(*table.primary_key.columns)
        rows = rows.where(table.c.state.in_(END_STATES)) if name == "run" else rows
        told[name] = {
            " ".join(str(row[column]) for column in table.primary_key.columns): hashlib.sha256(
                json.dumps([str(each) for each in row.values()]).encode()).hexdigest()[:16]
            for row in session.execute(rows).mappings()
        }
print(json.dumps(told))
runtime.database.close()
"""


@dataclass(frozen=True)
class Content:
    """Rows by table and key, and files by address, each with its fingerprint."""

    rows: dict[str, dict[str, str]]
    files: dict[str, str]

    def missing_in(self, other: "Content") -> list[str]:
        """What the other has not, or has differently."""
        rows = [
            f"{table} {key}"
            for table, mine in self.rows.items()
            for key, mark in mine.items()
            if other.rows[table].get(key) != mark
        ]
        return rows + [url for url, mark in self.files.items() if other.files.get(url) != mark]

    @property
    def count(self) -> int:
        return sum(map(len, self.rows.values()))


def read(stack: Stack, program: Program) -> Content:
    """What is there now; files are downloaded through the front."""
    said = stack.inside("web", "python", "-", ",".join(STEADY), given=ASK)
    urls = _files(program)
    files = {url: hashlib.sha256(program.content(url)).hexdigest() for url in urls}
    return Content(json.loads(said.strip().splitlines()[-1]), files)


def _files(program: Program) -> list[str]:
    """Addresses of files that runs left."""
    found: list[str] = []
    for kind in ("ecg", "energy"):
        for run in program.get(f"/runs?state=succeeded&kind={kind}")["runs"][:4]:
            found += [each["url"] for each in program.get(f"/runs/{run['id']}")["artifacts"]]
    return found[:MOST_FILES]
