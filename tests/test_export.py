"""Export: all that is a person's or a workspace's is in the zip, nothing of others, for whoever asked alone."""

import io
import tracemalloc
from collections.abc import Iterator
from typing import BinaryIO, cast

import pytest
from flask import Flask
from sqlalchemy import select

from models import belongings
from models.artifact import Artifact
from models.base import Base, Owned
from models.delivery import Delivery
from models.run import Run, RunEvent
from models.session import EVERYONE, Database
from tasks.export.words import folder
from tasks.export.zipping import zipped
from tests.conftest import Person
from tests.front import WORKER, token_of
from tests.furnished import SEALED, with_subjects
from tests.rights import SECRET, export, furnish, grace_of, lines, run_of, who
from tests.test_discard import made
from tests.web_fixtures import Browser, Invite, rows
from workers.execute import execute
from workers.lease import Cancelled
from workers.runtime import Runtime


def test_every_table_is_exported_or_left_out_with_a_reason() -> None:
    for table in Base.metadata.sorted_tables:
        given = belongings.of_workspace(table, "w") is not None or belongings.of_account(table, "a") is not None
        assert given != (table.name in belongings.LEFT_OUT), f"{table.name}: see models/belongings.py"
        if "account_id" in table.c and table not in belongings.owned():
            assert table.name in (*belongings.OF_PEOPLE, *belongings.LEFT_OUT), table.name
    assert {table.name for table in Base.metadata.sorted_tables} >= {*belongings.LEFT_OUT, *belongings.OF_PEOPLE}


def test_every_table_of_a_workspace_can_be_emptied_by_its_key() -> None:
    owned = belongings.owned()
    assert {mapper.local_table for mapper in Base.registry.mappers if issubclass(mapper.class_, Owned)} == set(owned)
    for table in owned:
        assert table.primary_key.columns, table.name
    assert {table.name for table in belongings.of_runs()} == {"upload", "artifact"}
    known = {"upload", "artifact", "picture", "ticket_file"}
    assert {table.name for table in belongings.files()} == known, "see tasks/export"
    for table in belongings.files():
        assert {"name", "size"} <= set(table.c.keys()), "the export names files by these"


def test_the_rows_of_these_tests_stand_in_every_table_that_is_exported(
    admin: Browser, database: Database, runtime: Runtime
) -> None:
    furnish(runtime, who(database, "Ada"), "ada@example.org")
    with database.read(EVERYONE) as session:
        empty = {t.name for t in Base.metadata.sorted_tables if session.execute(select(t).limit(1)).first() is None}
    assert empty <= belongings.LEFT_OUT.keys() | {"dependency"}, "give them rows in tests/furnished.py"


def test_what_is_one_person_s_alone_is_theirs_in_an_export_and_nobody_else_s(
    admin: Browser, invite: Invite, database: Database, runtime: Runtime
) -> None:
    grace, ada = grace_of(invite, database), who(database, "Ada")
    furnish(runtime, ada, "ada@example.org")
    with database.write(EVERYONE) as session:
        with_subjects(
            session, runtime.storage, Person(grace.account_id, ada.workspace_id), "grace@example.org", "hers alone"
        )
    _, archive = export(admin, runtime, "/account/export")
    for table in ("wish", "channel", "notice", "delivery", "picture"):
        assert lines(archive, f"you/{table}.jsonl"), table
    place = "workspaces/Ada’s workspace"
    mine = {row["account_id"] for name in ("notice", "delivery") for row in lines(archive, f"{place}/{name}.jsonl")}
    assert mine == {ada.account_id, None}, "invitations are nobody's"
    pictures = [name for name in archive.namelist() if name.endswith("spending.png")]
    assert len(pictures) == 2, "hers as a person and hers in her workspace, not Grace's"
    assert archive.read(pictures[0]) == b"picture"
    everything = b"".join(archive.read(name) for name in archive.namelist()).decode()
    assert SEALED not in everything


def test_amounts_leave_as_they_stand(admin: Browser, database: Database, runtime: Runtime) -> None:
    furnish(runtime, who(database, "Ada"), "ada@example.org")
    _, archive = export(admin, runtime, "/workspace/export")
    (entry,) = lines(archive, "workspaces/Ada’s workspace/entry.jsonl")
    assert (entry["amount"], entry["on_day"]) == ("-12.5", "2026-03-01")


def test_readings_and_temperatures_leave_as_tables_that_people_can_read(
    admin: Browser, database: Database, runtime: Runtime
) -> None:
    furnish(runtime, who(database, "Ada"), "ada@example.org")
    _, archive = export(admin, runtime, "/workspace/export")
    place = "workspaces/Ada’s workspace"
    (meter,), (home,) = (
        [name for name in archive.namelist() if name.startswith(f"{place}/{inside}/")]
        for inside in ("readings", "weather")
    )
    assert meter.startswith(f"{place}/readings/Main ")
    assert archive.read(meter).decode().splitlines() == [
        "\ufefftime,kWh", "1970-01-02T00:00:00Z,1", "1970-01-02T01:00:00Z,2",
    ]  # fmt: skip
    assert archive.read(home).decode().splitlines()[1] == "1970-01-02T00:00:00Z,10000,"
    assert not [name for name in archive.namelist() if name.endswith("_day.jsonl")], "packed bytes are for nobody"
    assert "readings/ has the readings" in archive.read("README.txt").decode()


def test_a_workspace_s_export_has_nothing_of_other_workspaces_or_of_its_members_mail(
    admin: Browser, invite: Invite, database: Database, runtime: Runtime
) -> None:
    grace, ada = grace_of(invite, database), who(database, "Ada")
    furnish(runtime, ada, "ada@example.org")
    with database.write(EVERYONE) as session:
        mail = {"to": "grace@example.org", "subject": "Hello", "text": "for Grace alone"}
        session.add(Delivery(**mail, workspace_id=ada.workspace_id, account_id=grace.account_id))
    _, archive = export(admin, runtime, "/workspace/export")
    assert {name.split("/")[0] for name in archive.namelist()} == {"README.txt", "workspaces"}
    assert SECRET in archive.read("workspaces/Ada’s workspace/delivery.jsonl").decode()
    assert "for Grace alone" not in archive.read("workspaces/Ada’s workspace/delivery.jsonl").decode()


def test_an_export_is_for_whoever_asked_alone(
    app: Flask, admin: Browser, invite: Invite, database: Database, runtime: Runtime
) -> None:
    grace, ada = invite("grace", "owner"), who(database, "Ada")
    link, _ = export(admin, runtime, "/workspace/export")
    assert grace.get(link).status_code == 404
    run_page = link.partition("/artifacts/")[0]
    assert [grace.get(run_page).status_code, admin.get(run_page).status_code] == [404, 200]
    assert grace.post(f"{run_page}/cancel").status_code == 404
    for scope in ("read", "write"):
        headers = token_of(runtime, ada, scope)
        assert app.test_client().get(f"/api/v1{link}", headers=headers).status_code == 404, "a token opens no export"
    _, second = export(grace, runtime, "/workspace/export")
    assert not [name for name in second.namelist() if name.endswith(".zip")], "nobody's export is in another's"
    mails = [mail for mail in rows(database, Delivery) if mail.subject == "Your export is ready"]
    assert {mail.account_id for mail in mails} == {ada.account_id, who(database, "Grace").account_id}


def test_only_an_owner_exports_a_workspace_and_only_while_they_are_one(
    admin: Browser, invite: Invite, database: Database, runtime: Runtime
) -> None:
    grace = invite("grace", "member")
    assert grace.post("/workspace/export").status_code == 403
    owner, person = invite("eve", "owner"), who(database, "Eve")
    run_id = owner.post("/workspace/export").location.rpartition("/")[2]
    admin.post(f"/workspace/members/{person.account_id}/role", {"role": "viewer"})
    assert execute(runtime, run_id, WORKER) == "failed"
    assert "Only an owner" in (run_of(runtime, run_id).error or "")
    assert rows(database, Artifact) == []


def test_asking_twice_gives_one_export_and_a_new_one_takes_the_old_one_s_place(
    admin: Browser, database: Database, runtime: Runtime
) -> None:
    places = {admin.post("/account/export").location for _ in range(3)}
    assert len(places) == 1
    for _ in range(2):
        export(admin, runtime, "/account/export")
    assert [run.state for run in rows(database, Run) if run.kind == "export"] == ["succeeded"]
    assert len(list(runtime.storage.listed())) == 1


def test_an_export_of_much_needs_no_more_memory_than_one_of_little(
    admin: Browser, database: Database, runtime: Runtime
) -> None:
    ada = who(database, "Ada")
    run_id, size = made(runtime, ada), 60_000_000
    key = runtime.storage.put(io.BytesIO(bytes(size)))[0]
    with database.write(EVERYONE) as session:
        about = {"media_type": "text/plain", "attempt": 1, "title": "A", "name": "large.bin", "size": size, "key": key}
        session.add(Artifact(run_id=run_id, workspace_id=ada.workspace_id, **about))
        session.add_all(
            RunEvent(workspace_id=ada.workspace_id, run_id=run_id, what="x", detail="y" * 400) for _ in range(3000)
        )
    answer = admin.post("/workspace/export")
    tracemalloc.start()
    assert execute(runtime, answer.location.rpartition("/")[2], WORKER) == "succeeded"
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 25_000_000


def test_a_file_that_is_broken_off_halfway_leaves_nothing(runtime: Runtime) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"half"
        raise Cancelled

    with pytest.raises(Cancelled), zipped([("a", pieces())]) as stream:
        runtime.storage.put(cast(BinaryIO, stream))
    assert list(runtime.storage.listed()) == []


@pytest.mark.parametrize(
    ("name", "safe"),
    [("../../etc/passwd", "_.._etc_passwd"), ("a\\b\0.png", "a_b_.png"), ("...", "_"), ("x" * 300, "x" * 100)],
)
def test_a_name_leads_nowhere_else_in_the_zip(name: str, safe: str) -> None:
    assert folder(name, set()) == safe
    taken: set[str] = set()
    assert [folder("a.png", taken), folder("A.png", taken), folder("a.png", taken)] == [
        "a.png",
        "A (2).png",
        "a (3).png",
    ]
