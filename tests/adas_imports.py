"""What Ada was about to import, for others not to find."""

from models.base import new_id
from models.intake import PREVIEWED, Intake, IntakeLine
from tests.conftest import Person
from workers.runtime import Runtime

LAYOUT = {"form": "csv", "columns": [], "delimiter": ";", "encoding": "utf-8-sig", "decimal": ".", "dates": "dmy"}


def import_of(runtime: Runtime, person: Person, secret: str) -> dict[str, str]:
    """A preview with a line; its id by the name that routes have for it."""
    what = {"on": "2026-03-02", "amount": "-1", "payee": secret, "note": secret, "purse": secret, "key": "k", "n": 1}
    with runtime.database.write(person.workspace_id) as session:
        counts = {"new": 1, "made": {"accounts": {"count": 1, "names": [secret]}}}
        row = Intake(id=new_id(), subject="expenses", name=secret, sha256="0" * 64, layout=LAYOUT, counts=counts)
        row.state = PREVIEWED
        session.add(row)
        session.flush()
        session.add(IntakeLine(intake_id=row.id, number=2, state="new", what=what, reason=secret))
    return {"intake_id": row.id}
