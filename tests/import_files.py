"""What the tests of imports share: a file goes through the form's checks, the jobs read it, write it, take it back."""

from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

import tasks
from models.intake import Intake, IntakeLine
from models.ledger import Category, Entry, Payee, Purse
from models.run import Run
from models.session import EVERYONE
from models.stock import Location, Movement, Product, Purchase, PurchaseLine, Supplier
from tasks.handover import HandedOver, hand_over
from tests.conftest import Person
from tests.front import WORKER, the_run
from workers.enqueue import submit
from workers.execute import execute
from workers.runtime import Runtime

TABLES = (Entry, Purse, Payee, Category, Product, Movement, Purchase, PurchaseLine, Supplier, Location)
COFFEE = "2026-01-02,Bakery,Coffee,-3.20\n"
BANK = f"Date,Payee,Note,Amount\n2026-01-01,Landlord,Rent,-800.00\n{COFFEE}{COFFEE}"


def read(runtime: Runtime, person: Person, text: str | bytes, folder: Path, **params: Any) -> Run:
    """Hand a file over and let it be read; its run, however it ended."""
    path = folder / "file.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    job = tasks.discover()["importing"]
    handed = hand_over(job, {"account": "Bank", **params}, {"files": [("file.csv", path)]}, runtime.storage)
    with runtime.database.write(person.workspace_id) as session:
        run = submit(runtime, session, job, handed, person.workspace_id, account_id=person.account_id)
    execute(runtime, run.id, WORKER)
    return the_run(runtime, run.id)


def step(runtime: Runtime, person: Person, run: Run | str, action: str = "apply", also: bool = False) -> Run:
    """Write an import, or take it back."""
    intake = run if isinstance(run, str) else intake_of(run)
    job = tasks.discover()["intake"]
    handed = HandedOver(job.params.model_validate({"intake": intake, "action": action, "also": also}))
    with runtime.database.write(person.workspace_id) as session:
        made = submit(runtime, session, job, handed, person.workspace_id, account_id=person.account_id)
    execute(runtime, made.id, WORKER)
    return the_run(runtime, made.id)


def intake_of(run: Run) -> str:
    assert run.result is not None, run.error
    return str(run.result["intake"])


def counts(run: Run) -> tuple[Any, ...]:
    """New, duplicate, wrong, skipped."""
    assert run.result is not None, run.error
    return tuple(run.result[name] for name in ("new", "duplicate", "wrong", "skipped"))


def table_sizes(runtime: Runtime) -> dict[str, int]:
    """How many rows there are of all that imports write; empty tables are left out."""
    with runtime.database.read(EVERYONE) as session:
        sizes = {each.__tablename__: session.scalar(select(func.count()).select_from(each)) or 0 for each in TABLES}
    return {name: size for name, size in sizes.items() if size}


def lines(runtime: Runtime, run: Run) -> list[IntakeLine]:
    with runtime.database.read(EVERYONE) as session:
        mine = select(IntakeLine).where(IntakeLine.intake_id == intake_of(run))
        return list(session.scalars(mine.order_by(IntakeLine.number)))


def entries(runtime: Runtime) -> list[tuple[str, Decimal]]:
    with runtime.database.read(EVERYONE) as session:
        return [(row.note, row.amount) for row in session.scalars(select(Entry).order_by(Entry.on, Entry.id))]


def intakes(runtime: Runtime) -> list[Intake]:
    with runtime.database.read(EVERYONE) as session:
        return list(session.scalars(select(Intake).order_by(Intake.id)))
