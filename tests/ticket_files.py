"""What the tests of ticket imports share: exports as other systems write them; read, written, taken back."""

import os
from pathlib import Path
from typing import Any

from sqlalchemy import select

import tasks
from models.delivery import Delivery
from models.intake import Intake
from models.run import Run
from models.session import EVERYONE
from models.ticket import Customer, Ticket, TicketEvent
from tasks.handover import hand_over
from tests.conftest import Person
from tests.front import WORKER, the_run
from workers.enqueue import submit
from workers.execute import execute
from workers.runtime import Runtime

SHARED = Path(os.environ.get("NIGHTSHIFT_SHARED", Path(__file__).parents[2] / "shared/data"))
LOG = SHARED / "tickets/uci_incident_event_log_part.csv"
ABSENT = "needs the data beside the repository: ../shared/data/tickets (or NIGHTSHIFT_SHARED)"
ZENDESK = (
    '"Summation column","Id","Requester","Requester id","Requester email","Assignee","Group","Subject","Tags","Status",'
    '"Priority","Via","Ticket type","Created at","Updated at","Solved at","Satisfaction Score","Reopens","Replies",'
    '"First reply time in minutes","Ticket Category [list]"\n'
    '"1","42","Caller 7","77","caller7@example.org","Agent 3","Support","Where is my parcel?","parcel late","Closed",'
    '"High","Mail","Question","2025-03-03 09:00","2025-03-10 12:00","2025-03-04 10:00","Good","1","2","30","Shipping"\n'
    '"1","43","Caller 8","78","caller8@example.org","-","Support","Lamp broken","","Open","Urgent","Web","Problem",'
    '"2025-03-05 09:00","2025-03-05 09:30","","Offered","0","0","","Returns"\n'
    '"1","44","Caller 9","79","","-","","Spam","","Deleted","-","Web","","2025-03-05 09:00","2025-03-05 09:30",'
    '"","","","","",""\n'
)
OSTICKET = (
    "Ticketnummer;Erstellt am;Betreff;Von;Von E-Mail;Priorität;Abteilung;Hilfethema;Quelle;Aktueller Status;"
    "Letzte Aktualisierung;Geschlossen am\n"
    "100200;03.02.2025 08:15;Drucker geht nicht;Büro Süd;;Hoch;IT;Drucker;Web;Gelöst;04.02.2025 16:00;\n"
    "100201;13.02.2025 10:00;Passwort vergessen;Café;cafe@example.org;Niedrig;IT;Konto;E-Mail;Geschlossen;"
    "14.02.2025 10:00;13.02.2025 11:00\n"
)
HEADER = (
    "number,incident_state,made_sla,caller_id,opened_at,sys_updated_at,category,priority,assignment_group,location\n"
)


def read(runtime: Runtime, person: Person, text: str | bytes | Path, folder: Path, **params: Any) -> Run:
    """Hand a file over and let it be looked into; its run, however it ended."""
    path = text if isinstance(text, Path) else folder / "tickets.csv"
    if not isinstance(text, Path):
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    job = tasks.discover()["ticket_import"]
    handed = hand_over(job, params, {"files": [(path.name, path)]}, runtime.storage)
    with runtime.database.write(person.workspace_id) as session:
        run = submit(runtime, session, job, handed, person.workspace_id, account_id=person.account_id)
    execute(runtime, run.id, WORKER)
    return the_run(runtime, run.id)


def found(run: Run) -> dict[str, Any]:
    assert run.result is not None, run.error
    return run.result


def tickets(runtime: Runtime) -> dict[str, Ticket]:
    """All there are, by the number that they came with."""
    with runtime.database.read(EVERYONE) as session:
        return {each.foreign_key.partition(" ")[2]: each for each in session.scalars(select(Ticket))}


def customers(runtime: Runtime) -> dict[str, str]:
    with runtime.database.read(EVERYONE) as session:
        return {row.email: row.name for row in session.execute(select(Customer.email, Customer.name))}


def history(runtime: Runtime, ticket: Ticket, what: str = "status") -> list[tuple[str, str, int]]:
    with runtime.database.read(EVERYONE) as session:
        mine = select(TicketEvent).where(TicketEvent.ticket_id == ticket.id, TicketEvent.what == what)
        events = session.scalars(mine.order_by(TicketEvent.at, TicketEvent.id))
        return [(each.before, each.after, each.at) for each in events]


def mails(runtime: Runtime) -> int:
    """To customers: whoever imports hears how it went, as of any other run."""
    with runtime.database.read(EVERYONE) as session:
        return len(session.scalars(select(Delivery.id).where(Delivery.account_id.is_(None))).all())


def the_intake(runtime: Runtime, run: Run) -> Intake:
    with runtime.database.read(EVERYONE) as session:
        return session.scalars(select(Intake).where(Intake.id == found(run)["intake"])).one()
