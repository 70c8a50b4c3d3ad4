"""Export and erasure of an account, on every database: all of it is given, and all of it goes."""

from sqlalchemy import select, update

from models.account import Account, SignIn, Token
from models.artifact import Upload
from models.delivery import Delivery
from models.run import Run
from models.session import EVERYONE, Database
from models.workspace import AuditEntry, Invitation
from tests.rights import KEPT, SURE, erased, export, files, furnish, grace_of, lines, mentions, who
from tests.web_fixtures import Browser, Invite, rows
from workers.runtime import Runtime


def test_an_account_s_export_holds_all_that_is_theirs(
    admin: Browser, invite: Invite, database: Database, runtime: Runtime
) -> None:
    grace, ada = grace_of(invite, database), who(database, "Ada")
    mine = furnish(runtime, ada, "ada@example.org")
    theirs = furnish(runtime, grace, "grace@example.org")
    _, archive = export(admin, runtime, "/account/export")
    assert archive.testzip() is None
    place = "workspaces/Ada’s workspace"
    assert {row["id"] for row in lines(archive, f"{place}/run.jsonl")} >= set(mine)
    for table in ("run_event", "upload", "artifact", "delivery", "schedule", "slot", "invitation", "membership"):
        assert lines(archive, f"{place}/{table}.jsonl"), table
    for table in ("account", "membership", "sign_in", "token", "delivery", "audit_entry"):
        assert lines(archive, f"you/{table}.jsonl"), table
    assert lines(archive, "you/account.jsonl")[0]["email"] == "ada@example.org"
    assert any("whose" in (row["detail"] or {}) for row in lines(archive, "you/audit_entry.jsonl"))
    kept = [name for name in archive.namelist() if "/files/" in name]
    assert sorted(name.rpartition("/")[2] for name in kept) == [
        "_of a schedule.png",
        "a.png",
        "a.png",
        "lamp.txt",
        "spending.png",
        "spending.png",
    ]
    assert archive.read(min(kept)) == b"bytes"
    everything = b"".join(archive.read(name) for name in archive.namelist()).decode()
    for mark in (*theirs, grace.workspace_id, "test:0/0"):
        assert mark not in everything, mark
    with database.read(EVERYONE) as session:
        for column in (
            Account.password_hash,
            SignIn.secret_hash,
            Token.secret_hash,
            Invitation.secret_hash,
            Upload.key,
        ):
            secrets = [secret for secret in session.scalars(select(column)) if secret]
            assert secrets, column
            assert not [secret for secret in secrets if secret in everything], column
    assert "Passwords" in archive.read("README.txt").decode()


def test_a_deleted_account_leaves_no_row_and_no_file(
    admin: Browser, invite: Invite, database: Database, runtime: Runtime
) -> None:
    eve = invite("eve", "viewer")
    person = who(database, "Eve")
    mine = furnish(runtime, person, "eve@example.org")
    export(eve, runtime, "/account/export")
    ada = who(database, "Ada")
    theirs = furnish(runtime, ada, "ada@example.org")
    with database.write(EVERYONE) as session:  # what another workspace has of Eve
        session.execute(update(Run).where(Run.id == theirs[0]).values(account_id=person.account_id))
        about = {"workspace_id": ada.workspace_id, "subject": "Eve", "text": "Hello Eve"}
        session.add(Delivery(**about, to="eve@example.org"))
    answer = eve.post("/account/delete", SURE)
    assert answer.status_code == 302, answer.text
    assert "Backups of this Nightshift forget it within 30 days." in eve.get("/sign-in").text
    assert not eve.signed_in()
    run = erased(runtime)
    assert (run.state, run.result and run.result["accounts"]) == ("succeeded", 1), run.error
    marks = ("eve@example.org", person.account_id, person.workspace_id, *mine)
    assert mentions(runtime, *marks) <= KEPT
    assert {run.id for run in rows(database, Run) if run.kind == "erase"} == {
        run.id for run in rows(database, Run) if person.account_id in repr((run.params, run.account_id, run.lane))
    }
    entries = [repr((entry.what, entry.detail)) for entry in rows(database, AuditEntry)]
    assert any("account deleted" in entry for entry in entries)
    assert not [entry for entry in entries if "Eve" in entry or "example.org" in entry]
    assert files(runtime) == 5, "Ada's"
    assert {run.id for run in rows(database, Run)} >= set(theirs)
    assert admin.signed_in()
