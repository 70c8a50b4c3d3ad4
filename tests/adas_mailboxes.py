"""A mailbox of a desk, and a mail that was read in it, each with a secret in its text."""

from models.base import new_id
from models.desk import Inlet
from models.ticket import Received
from tests.conftest import Person
from workers.runtime import Runtime


def mailbox_of(runtime: Runtime, person: Person, secret: str) -> dict[str, str]:
    """Writes them; the mailbox's id by the name that routes have for it."""
    inlet = new_id()
    with runtime.database.write(person.workspace_id) as session:
        session.add(Inlet(id=inlet, kind="maildir", address=f"{secret}@example.org".lower(), trouble=secret))
        session.flush()
        mail = {"fingerprint": new_id(), "sender": "eve@example.org", "outcome": "refused", "reason": secret}
        session.add(Received(inlet_id=inlet, subject=secret, **mail))
    return {"inlet_id": inlet}
