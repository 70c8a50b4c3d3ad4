"""What the tests of electricity's pages share: rows as they are wanted, and what stands in the tables afterwards."""

import time
from typing import Any

from sqlalchemy import select

from models.base import new_id
from models.meter import Meter, Place
from models.session import EVERYONE
from tests.conftest import Person
from workers.runtime import Runtime

NOW = int(time.time())


def rows(runtime: Runtime, table: type[Any]) -> list[Any]:
    with runtime.database.read(EVERYONE) as session:
        return list(session.scalars(select(table)))


def meter_of(runtime: Runtime, person: Person, **values: Any) -> str:
    with runtime.database.write(person.workspace_id) as session:
        row = Meter(id=new_id(), **{"name": "Main", **values})
        session.add(row)
    return row.id


def place_of(runtime: Runtime, person: Person, **values: Any) -> str:
    with runtime.database.write(person.workspace_id) as session:
        row = Place(id=new_id(), **{"name": "Home", **values})
        session.add(row)
    return row.id
