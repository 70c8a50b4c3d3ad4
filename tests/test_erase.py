"""Erasure: doors close at once; no row and no file is left, whatever kills the job; what is others' stays."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, func, select, update
from sqlalchemy.exc import OperationalError

from models.account import Account, SignIn
from models.run import Run
from models.session import EVERYONE, Database
from models.workspace import SYSTEM, Membership, Workspace
from tests.front import token_of
from tests.rights import KEPT, SECRET, SURE, erased, files, furnish, mentions, run_of, who
from tests.web_fixtures import Browser, Invite, rows
from workers.runtime import Runtime


def test_a_deleted_workspace_leaves_no_row_and_no_file_and_its_people_stay(
    admin: Browser, invite: Invite, database: Database, runtime: Runtime
) -> None:
    grace, ada = invite("grace"), who(database, "Ada")
    hers = who(database, "Grace")
    mine = furnish(runtime, ada, "ada@example.org")
    admin.post("/workspace/invitations", {"email": "eve@example.org", "role": "member"})
    page = admin.get("/workspace/delete").text
    assert "1 other member loses it, too" in page
    name = "Ada’s workspace"
    assert admin.post("/workspace/delete", {**SURE, "name": "Other"}).status_code == 422
    assert admin.post("/workspace/delete", {"name": name, "password": "wrong"}).status_code == 422
    assert len(rows(database, Membership)) == 4
    assert admin.post("/workspace/delete", {**SURE, "name": name}).status_code == 302
    assert mine[0] not in grace.get("/runs").text, "closed at once, before any job ran"
    assert {row.workspace_id for row in rows(database, Membership)} == {SYSTEM, hers.workspace_id}
    assert erased(runtime).state == "succeeded"
    assert mentions(runtime, ada.workspace_id, SECRET, *mine) <= KEPT
    assert {row.id for row in rows(database, Workspace)} == {SYSTEM, hers.workspace_id}
    assert {row.name for row in rows(database, Account)} == {"Ada", "Grace"}
    assert files(runtime) == 0
    assert admin.get("/account").status_code == 200


def test_what_runs_is_cancelled_and_waited_for(admin: Browser, database: Database, runtime: Runtime) -> None:
    ada = who(database, "Ada")
    waiting = furnish(runtime, ada, "ada@example.org")[1]
    busy = furnish(runtime, ada, "ada@example.org")[1]
    with database.write(EVERYONE) as session:
        session.execute(update(Run).where(Run.id == busy).values(state="running", attempt=1))
    admin.post("/workspace/delete", {**SURE, "name": "Ada’s workspace"})
    run = erased(runtime)
    assert (run.state, run.tries) == ("queued", 1), "it waits until that one ended"
    assert run_of(runtime, waiting).state == "cancelled"
    assert run_of(runtime, busy).cancel_at
    assert files(runtime) == 10, "while anything runs, no file goes from under it"
    with database.write(EVERYONE) as session:
        session.execute(update(Run).where(Run.id == busy).values(state="cancelled"))
        session.execute(update(Run).where(Run.id == run.id).values(due_at=0))
    assert erased(runtime).state == "succeeded"
    assert (files(runtime), mentions(runtime, ada.workspace_id) <= KEPT) == (0, True)


@pytest.fixture
def dying(runtime: Runtime) -> Iterator[list[int]]:
    """The database breaks at the Nth DELETE; `dying[0]` counts down, and 0 never breaks."""
    left = [0]

    def break_off(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.startswith("DELETE"):
            left[0] -= 1
            if left[0] == 0:
                raise OperationalError(statement, {}, Exception("gone"))

    event.listen(runtime.database.engine, "before_cursor_execute", break_off)
    yield left
    event.remove(runtime.database.engine, "before_cursor_execute", break_off)


def test_wherever_it_is_broken_off_another_attempt_finishes(
    admin: Browser, invite: Invite, database: Database, runtime: Runtime, dying: list[int]
) -> None:
    eve, person = invite("eve"), who(database, "Eve")
    mine = furnish(runtime, person, "eve@example.org")
    eve.post("/account/delete", SURE)
    broken, states = 0, []
    for nth in range(1, 40):
        dying[0] = nth
        states.append(erased(runtime).state)
        if states[-1] == "succeeded":
            break
        broken += 1
        with database.write(EVERYONE) as session:
            session.execute(update(Run).where(Run.kind == "erase").values(due_at=0, tries=0))
    assert states[-1] == "succeeded"
    assert broken > 2
    assert mentions(runtime, person.account_id, *mine, "eve@example.org") <= KEPT
    assert files(runtime) == 0


def test_what_failed_for_good_is_taken_up_within_the_hour(admin: Browser, database: Database, runtime: Runtime) -> None:
    ada = who(database, "Ada")
    furnish(runtime, ada, "ada@example.org")
    admin.post("/workspace/delete", {**SURE, "name": "Ada’s workspace"})
    with database.write(EVERYONE) as session:
        session.execute(update(Run).where(Run.kind == "erase").values(state="failed"))
        session.add(Run(workspace_id=SYSTEM, kind="erase", queue="scans", params={}, listed=False))
    assert erased(runtime).state == "succeeded"
    assert (files(runtime), mentions(runtime, ada.workspace_id) <= KEPT) == (0, True)


def test_the_last_administrator_is_told_what_to_do_first(admin: Browser, invite: Invite, database: Database) -> None:
    invite("grace")
    assert "make somebody else one first" in admin.get("/account/delete").text
    assert admin.post("/account/delete", SURE).status_code == 422
    assert admin.signed_in()
    grace = who(database, "Grace")
    admin.post(f"/admin/people/{grace.account_id}/role", {"admin": "yes"})
    assert admin.post("/account/delete", {**SURE}).status_code == 422, "Grace works in Ada's workspace"


def test_a_workspace_where_others_work_is_handed_on_and_never_orphaned(
    admin: Browser, invite: Invite, database: Database, runtime: Runtime
) -> None:
    invite("grace")
    ada, grace = who(database, "Ada"), who(database, "Grace")
    admin.post(f"/admin/people/{grace.account_id}/role", {"admin": "yes"})
    field = f"heir-{ada.workspace_id}"
    for heir in ("", ada.account_id, "0" * 28):
        answer = admin.post("/account/delete", {**SURE, field: heir})
        assert answer.status_code == 422
        assert "Say who owns this workspace after you" in answer.text
    run_id = furnish(runtime, ada, "ada@example.org")[0]
    assert admin.post("/account/delete", {**SURE, field: grace.account_id}).status_code == 302
    assert erased(runtime).state == "succeeded"
    with database.read(EVERYONE) as session:
        assert session.get_one(Membership, (ada.workspace_id, grace.account_id)).role == "owner"
        assert session.get_one(Run, run_id).account_id is None
        assert session.scalar(select(func.count(SignIn.id)).where(SignIn.account_id == ada.account_id)) == 0
    assert {row.name for row in rows(database, Account)} == {"Grace"}


@pytest.mark.parametrize("role", ["member", "viewer"])
def test_only_an_owner_deletes_a_workspace(admin: Browser, invite: Invite, role: str) -> None:
    grace = invite("grace", role)
    assert grace.get("/workspace/delete").status_code == 403
    assert grace.post("/workspace/delete", {**SURE, "name": "Ada’s workspace"}).status_code == 403


def test_the_machinerys_workspace_is_neither_exported_nor_deleted(admin: Browser, database: Database) -> None:
    admin.post("/workspace/switch", {"workspace": SYSTEM})
    assert admin.get("/workspace/delete").status_code == 403
    assert admin.post("/workspace/delete", {**SURE, "name": "System"}).status_code == 403
    assert admin.post("/workspace/export").status_code == 403
    assert rows(database, Run) == []


def test_an_account_is_not_deleted_without_its_password(admin: Browser, invite: Invite, database: Database) -> None:
    eve = invite("eve")
    for word in ("", "wrong"):
        assert eve.post("/account/delete", {"password": word}).status_code == 422
    assert [eve.post("/account/delete", {"password": "x"}).status_code for _ in range(9)][-1] == 429
    assert eve.signed_in()
    assert "erase" not in {run.kind for run in rows(database, Run)}


def test_a_token_is_worth_nothing_from_the_moment_of_the_deletion(
    app: Flask, admin: Browser, invite: Invite, database: Database, runtime: Runtime
) -> None:
    eve, person = invite("eve"), who(database, "Eve")
    headers = token_of(runtime, person)
    assert app.test_client().get("/api/v1/runs", headers=headers).status_code == 200
    eve.post("/account/delete", SURE)
    assert app.test_client().get("/api/v1/runs", headers=headers).status_code == 401
    assert "do not go together" in eve.sign_in("eve@example.org").text
