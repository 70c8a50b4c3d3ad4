"""What a stack holds, told by fingerprints: what a backup has to bring back."""

import hashlib
import json
import sys
from dataclasses import dataclass

from tests.stack.compose import Stack, run
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


Rows = dict[str, dict[str, str]]  # by table and key


@dataclass(frozen=True)
class Content:
    """Rows, and files by address, each with its fingerprint."""

    rows: Rows
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
    files = {url: hashlib.sha256(program.content(url)).hexdigest() for url in _files(program)}
    return Content(rows(stack), files)


def rows(stack: Stack) -> Rows:
    """What is in the stack's database now."""
    return _told(stack.inside("web", "python", "-", ",".join(STEADY), given=ASK))


def here(environment: dict[str, str]) -> Rows:
    """The same of a Nightshift of this machine's own."""
    return _told(run(sys.executable, "-", ",".join(STEADY), given=ASK, env=environment))


def _told(said: str) -> Rows:
    found: Rows = json.loads(said.strip().splitlines()[-1])
    return found


def _files(program: Program) -> list[str]:
    """Addresses of files that runs left."""
    found: list[str] = []
    for kind in ("ecg", "energy"):
        for each in program.get(f"/runs?state=succeeded&kind={kind}")["runs"][:4]:
            found += [file["url"] for file in program.get(f"/runs/{each['id']}")["artifacts"]]
    return found[:MOST_FILES]
