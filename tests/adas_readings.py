"""A meter file that Ada looked into, for others not to find."""

from models.base import new_id
from models.intake import PREVIEWED, Intake
from tests.conftest import Person
from workers.runtime import Runtime


def file_of(runtime: Runtime, person: Person, secret: str) -> dict[str, str]:
    """What was found in a file of one meter; its id by the name that routes have for it."""
    row = meter_file(secret)
    with runtime.database.write(person.workspace_id) as session:
        session.add(row)
    return {"file_id": row.id}


def meter_file(secret: str) -> Intake:
    """An import that waits for its yes and leaves a question open; in all of its words stands `secret`."""
    series = {
        "key": secret, "name": secret, "kind": "interval", "evidence": secret, "unit": "kWh", "step": 3600, "count": 2,
        "first": 0, "last": 3600, "new": 2, "changed": 0, "same": 0, "refusals": [secret], "target": "new",
    }  # fmt: skip
    gap = {"kind": "gap", "text": secret, "rule": secret, "count": 1, "lines": [2], "asks": "", "series": []}
    unit = {**gap, "kind": "unit", "asks": "unit"}
    column = {"title": secret, "role": "value", "unit": "", "examples": [secret]}
    layout = {
        "form": "table", "encoding": "utf-8-sig", "delimiter": ",", "decimal": ".", "dates": "ymd", "zone": "UTC",
        "columns": [column], "series": [series, series], "oddities": [unit, gap], "asks": ["unit"], "chosen": {},
        "weather": 3, "rows": 2,
    }  # fmt: skip
    row = Intake(id=new_id(), subject="readings", name=secret, sha256="0" * 64, layout=layout, counts={"new": 2})
    row.state = PREVIEWED
    return row
