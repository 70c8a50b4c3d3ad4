"""The system's mail run sends what waits in all workspaces: many people's digests are some portions, not a run each."""

import pytest
from sqlalchemy import select

from models.delivery import SENT, Delivery
from models.run import Run
from models.session import EVERYONE
from models.workspace import SYSTEM
from tasks import discover
from tasks.handover import HandedOver
from tasks.mail import job as mail
from tests.conftest import Person, new_person
from tests.front import WORKER
from workers.enqueue import submit
from workers.execute import execute
from workers.runtime import Runtime

pytestmark = pytest.mark.sqlite


def test_one_run_of_the_system_sends_the_mails_of_all_workspaces_in_portions(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail, "PORTION", 3)
    people = [new_person(runtime, f"person{number}") for number in range(7)]
    with runtime.database.write(EVERYONE) as session:
        session.add_all(_mail(person, number) for number, person in enumerate(people))
        job = discover()["mail"]
        parent = submit(runtime, session, job, HandedOver(job.params()), SYSTEM).id
        session.info.pop("changed")  # their own workspaces' runs do not come
    ended = execute(runtime, parent, WORKER)
    with runtime.database.read(EVERYONE) as session:
        portions = session.scalars(select(Run.id).where(Run.parent_id == parent)).all()
    assert (ended, len(portions)) == ("blocked", 2)
    for run_id in (*portions, parent):
        assert execute(runtime, run_id, WORKER) == "succeeded"
    with runtime.database.read(EVERYONE) as session:
        assert session.scalars(select(Delivery.state)).all() == [SENT] * 7
        told = session.scalar(select(Run.result).where(Run.id == parent))
    assert told == {"sent": 7, "failed": 0}


def _mail(person: Person, number: int) -> Delivery:
    words = {"to": f"person{number}@example.org", "subject": "News", "text": "There is news."}
    return Delivery(workspace_id=person.workspace_id, account_id=person.account_id, **words)
