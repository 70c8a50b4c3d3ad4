"""What the tests of export and erasure share: somebody with a row in every table, and both jobs."""

import io
import json
import re
import zipfile
from typing import Any

from sqlalchemy import select

from models.account import Account, Link
from models.artifact import Upload
from models.base import Base, clock, new_id
from models.delivery import Delivery
from models.run import Limit, Run
from models.schedule import Schedule, Slot
from models.session import EVERYONE, Database
from models.workspace import AuditEntry, Invitation, Membership, Workspace
from tests.conftest import Person
from tests.front import WORKER, token_of
from tests.furnished import with_subjects
from tests.test_discard import made, with_files
from tests.web_fixtures import PASSWORD, Browser, Invite
from workers.execute import execute
from workers.runtime import Runtime

SECRET = "words that nobody else may read"
KEPT = {"audit_entry", "run"}  # deeds by ids that name nobody, and the erasing run, which says what it erased
SURE = {"password": PASSWORD}


def who(database: Database, name: str) -> Person:
    """A person by name, with the workspace of their own."""
    with database.read(EVERYONE) as session:
        account = session.scalars(select(Account.id).where(Account.name == name)).one()
        first = select(Membership.workspace_id).join(Workspace, Workspace.id == Membership.workspace_id)
        first = first.where(Membership.account_id == account, Workspace.name.startswith(name))
        return Person(account, session.scalars(first).one())


def furnish(runtime: Runtime, person: Person, email: str) -> list[str]:
    """Something in every table that a workspace or a person can have rows in; the ids of two runs."""
    found = [made(runtime, person, account_id=person.account_id, lane=person.account_id, summary=SECRET), new_id()]
    with_files(runtime, person, found[0])
    with runtime.database.write(EVERYONE) as session:
        here = {"workspace_id": person.workspace_id}
        key = runtime.storage.put(io.BytesIO(b"kept"))[0]
        session.add(Run(id=found[1], kind="ecg", queue="ecg", params={"note": SECRET}, state="queued", **here))
        about = {"media_type": "image/png", "field": "files", "size": 4, "sha256": "", "key": key}
        session.add(Upload(id=new_id(), name="../of a schedule.png", **about, **here))
        schedule = Schedule(id=new_id(), kind="ecg", params={}, title=SECRET, account_id=person.account_id, **here)
        session.add(schedule)
        session.flush()
        session.add(Slot(schedule_id=schedule.id, due=1, run_id=found[0]))
        mail = {"to": email, "subject": "Hello", "text": SECRET, "account_id": person.account_id}
        session.add(Delivery(**mail, **here))
        session.add(Invitation(email="stranger@example.org", role="member", secret_hash=new_id(), expires_at=1, **here))
        later = clock(session) + 1_000_000
        session.add(Link(secret_hash=new_id(), purpose="reset", account_id=person.account_id, expires_at=later))
        session.merge(Limit(scope=f"person:{person.account_id}", running=1))
        session.add(AuditEntry(what="role changed", detail={"whose": person.account_id, "now": "owner"}))
        with_subjects(session, runtime.storage, person, email, SECRET)
    token_of(runtime, person)
    return found


def export(browser: Browser, runtime: Runtime, path: str) -> tuple[str, zipfile.ZipFile]:
    """Ask for a copy, let the job run, download it."""
    answer = browser.post(path)
    assert answer.status_code == 303, answer.text
    run_id = answer.location.rpartition("/")[2]
    assert execute(runtime, run_id, WORKER) == "succeeded", run_of(runtime, run_id).error
    link = re.search(rf"/runs/{run_id}/artifacts/\w+", browser.get(f"/runs/{run_id}").text)
    assert link
    return link[0], zipfile.ZipFile(io.BytesIO(browser.get(link[0]).data))


def run_of(runtime: Runtime, run_id: str) -> Run:
    with runtime.database.read(EVERYONE) as session:
        return session.get_one(Run, run_id)


def lines(archive: zipfile.ZipFile, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in archive.read(name).splitlines()]


def erased(runtime: Runtime) -> Run:
    """Let the job that erases run; its run as it then stands."""
    with runtime.database.read(EVERYONE) as session:
        query = select(Run.id).where(Run.kind == "erase", Run.state == "queued").order_by(Run.id.desc())
        run_id = session.scalars(query).one()
    execute(runtime, run_id, WORKER)
    return run_of(runtime, run_id)


def mentions(runtime: Runtime, *marks: str) -> set[str]:
    """The tables in which one of these words stands."""
    found = set()
    with runtime.database.read(EVERYONE) as session:
        for table in Base.metadata.sorted_tables:
            for row in session.execute(select(table)):
                if any(mark in repr(tuple(row)) for mark in marks):
                    found.add(table.name)
    return found


def grace_of(invite: Invite, database: Database) -> Person:
    """Grace, who is a member of Ada's workspace and has one of her own."""
    invite("grace")
    return who(database, "Grace")


def files(runtime: Runtime) -> int:
    """How many there are in storage."""
    return len(list(runtime.storage.listed()))
