"""A mailbox of a desk, and a mail that it put aside, each with a secret in its text."""

from models.base import new_id
from models.desk import Inlet
from models.ticket import Received
from tests.conftest import Person
from workers.runtime import Runtime


def mailbox_of(runtime: Runtime, person: Person, secret: str) -> dict[str, str]:
    """Writes them; their ids by the names that routes have for them."""
    inlet, received = new_id(), new_id()
    with runtime.database.write(person.workspace_id) as session:
        session.add(Inlet(id=inlet, kind="maildir", address=f"{secret}@example.org".lower(), trouble=secret))
        session.flush()
        mail = {"fingerprint": new_id(), "sender": "eve@example.org", "outcome": "set aside", "reason": secret}
        session.add(Received(id=received, inlet_id=inlet, subject=secret, **mail))
    return {"inlet_id": inlet, "received_id": received}
