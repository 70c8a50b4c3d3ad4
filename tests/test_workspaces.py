"""Workspaces: invitations, roles, leaving, moving between them; administrators."""

import re
import time

import pytest
from flask import Flask
from sqlalchemy import update

from deploy.settings import Settings
from models.account import Account, SignIn, Token
from models.base import db_now, new_id
from models.delivery import Delivery
from models.run import Run
from models.session import EVERYONE, Database
from models.workspace import SYSTEM, AuditEntry, Invitation, Membership, Workspace
from tests.web_fixtures import PASSWORD, Browser, Invite, invitation_link, rows
from web import create_app
from web.security import digest

GUEST = {"name": "Grace", "password": PASSWORD, "time_zone": "UTC"}
WEEK = 7 * 86_400_000


def account(database: Database, name: str) -> Account:
    found: Account = next(row for row in rows(database, Account) if row.name == name)
    return found


def workspace(database: Database, name: str = "Ada’s workspace") -> str:
    return str(next(row.id for row in rows(database, Workspace) if row.name == name))


def roles(database: Database, where: str) -> dict[str, str]:
    names = {row.id: row.name for row in rows(database, Account)}
    return {names[row.account_id]: row.role for row in rows(database, Membership) if row.workspace_id == where}


def test_an_invited_person_gets_the_membership_and_a_workspace_of_their_own(
    admin: Browser, invite: Invite, database: Database
) -> None:
    grace = invite("grace", "viewer")
    assert roles(database, workspace(database)) == {"Ada": "owner", "Grace": "viewer"}
    assert roles(database, workspace(database, "Grace’s workspace")) == {"Grace": "owner"}
    assert "Ada’s workspace" in grace.get("/workspace").text
    assert account(database, "Grace").confirmed_at
    assert not account(database, "Grace").is_admin


def test_an_invitation_is_shown_once_stored_hashed_and_written_down_as_a_mail(
    admin: Browser, database: Database
) -> None:
    link = invitation_link(admin, "grace@example.org")
    secret = link.rsplit("/", 1)[1]
    (row,) = rows(database, Invitation)
    assert row.secret_hash == digest(secret)
    (mail,) = rows(database, Delivery)
    assert (mail.to, mail.account_id, mail.workspace_id) == ("grace@example.org", None, row.workspace_id)
    assert secret not in mail.text
    assert secret not in admin.get("/workspace").text


def test_with_a_mail_server_the_link_goes_by_mail_alone(admin: Browser, settings: Settings, database: Database) -> None:
    app = create_app(settings.model_copy(update={"mail": "smtp", "smtp_host": "localhost"}))
    inviter = Browser(app)
    inviter.sign_in("ada@example.org")
    answer = inviter.post("/workspace/invitations", {"email": "grace@example.org", "role": "member"})
    assert answer.status_code == 302
    assert "/invitation/" not in inviter.get("/workspace").text
    (mail,) = rows(database, Delivery)
    assert mail.link == "invitation"
    assert "{link}" in mail.text


def test_an_invitation_works_once(admin: Browser, app: Flask, database: Database) -> None:
    link = invitation_link(admin, "grace@example.org")
    assert [Browser(app).get(link).status_code for _ in range(2)] == [200, 200]
    assert Browser(app).post(link, GUEST).status_code == 302
    assert Browser(app).post(link, GUEST).status_code == 410
    assert len(rows(database, Account)) == 2


def test_an_invitation_is_over_after_a_week(admin: Browser, browser: Browser, database: Database) -> None:
    link = invitation_link(admin, "grace@example.org")
    (row,) = rows(database, Invitation)
    assert abs(row.expires_at - time.time() * 1000 - WEEK) < 60_000
    with database.write(EVERYONE) as session:
        session.execute(update(Invitation).values(expires_at=db_now() - 1))
    assert browser.get(link).status_code == browser.post(link, GUEST).status_code == 410


def test_a_revoked_invitation_and_one_that_was_replaced_are_worthless(
    admin: Browser, browser: Browser, database: Database
) -> None:
    first = invitation_link(admin, "grace@example.org")
    second = invitation_link(admin, "grace@example.org")
    assert browser.get(first).status_code == 410
    (row,) = rows(database, Invitation)
    assert admin.post(f"/workspace/invitations/{row.id}/revoke").status_code == 302
    assert browser.post(second, GUEST).status_code == 410


def test_a_known_address_joins_after_signing_in(admin: Browser, invite: Invite, app: Flask, database: Database) -> None:
    grace = invite("grace")
    grace.post("/workspace/new", {"name": "Shop"})
    link = invitation_link(grace, "ada@example.org", "viewer")
    stranger = Browser(app)
    assert "You have an account with this address" in stranger.get(link).text
    assert stranger.post(link, {**GUEST, "name": "Eve"}).status_code == 403
    assert "You are invited to “Shop” as viewer" in admin.get("/workspace").text
    assert admin.post(link).status_code == 302
    assert roles(database, workspace(database, "Shop")) == {"Ada": "viewer", "Grace": "owner"}
    assert "Shop" in admin.get("/workspace").text


def test_an_invitation_is_for_its_address_alone(admin: Browser, invite: Invite, database: Database) -> None:
    grace = invite("grace")
    link = invitation_link(admin, "eve@example.org", "owner")
    row = rows(database, Invitation)[-1]
    assert "You are signed in as grace@example.org" in grace.get(link).text
    assert grace.post(link).status_code == 403
    assert grace.post(f"/workspace/invitations/{row.id}/join").status_code == 404
    assert roles(database, workspace(database))["Grace"] == "member"


@pytest.mark.parametrize("role", ["member", "viewer"])
def test_only_owners_invite_change_roles_remove_and_rename(
    admin: Browser, invite: Invite, database: Database, role: str
) -> None:
    invitation_link(admin, "eve@example.org")
    grace, ada = invite("grace", role), account(database, "Ada").id
    open_one = next(row.id for row in rows(database, Invitation) if row.email == "eve@example.org")
    for path, form in (
        ("/workspace/invitations", {"email": "mallory@example.org", "role": "owner"}),
        (f"/workspace/invitations/{open_one}/revoke", {}),
        (f"/workspace/members/{account(database, 'Grace').id}/role", {"role": "owner"}),
        (f"/workspace/members/{ada}/remove", {}),
        ("/workspace/rename", {"name": "Mine"}),
    ):
        assert grace.post(path, form).status_code == 403, path
    assert "Invite somebody" not in grace.get("/workspace").text
    assert roles(database, workspace(database)) == {"Ada": "owner", "Grace": role}
    assert len(rows(database, Invitation)) == 2


def test_an_owner_of_one_workspace_is_nobody_in_another(admin: Browser, invite: Invite, database: Database) -> None:
    grace = invite("grace", "viewer")
    invitation_link(admin, "eve@example.org")
    row = next(row for row in rows(database, Invitation) if row.email == "eve@example.org")
    assert grace.post("/workspace/switch", {"workspace": workspace(database, "Grace’s workspace")}).status_code == 302
    assert grace.post(f"/workspace/invitations/{row.id}/revoke").status_code == 404
    assert grace.post(f"/workspace/members/{account(database, 'Ada').id}/remove").status_code == 404
    assert "eve@example.org" not in grace.get("/workspace").text
    assert roles(database, workspace(database))["Ada"] == "owner"


def test_nobody_looks_at_a_workspace_that_is_not_theirs(invite: Invite, admin: Browser, database: Database) -> None:
    grace = invite("grace")
    admin.post("/workspace/new", {"name": "Private"})
    assert grace.post("/workspace/switch", {"workspace": workspace(database, "Private")}).status_code == 404
    assert grace.post("/workspace/switch", {"workspace": SYSTEM}).status_code == 404
    with database.write(EVERYONE) as session:  # as if the row had been made for a workspace that was left since
        session.execute(update(SignIn).values(workspace_id=workspace(database, "Private")))
    assert "Private" not in grace.get("/workspace").text


def test_a_run_in_another_workspace_of_ones_own_is_a_404_that_leads_there(
    admin: Browser, invite: Invite, database: Database
) -> None:
    home, grace = workspace(database), invite("grace")
    run = Run(id=new_id(), workspace_id=home, kind="ecg", queue="ecg", params={})
    private = Run(id=new_id(), workspace_id=SYSTEM, kind="mail", queue="mail", params={})
    with database.write(EVERYONE) as session:
        session.add_all([run, private])
    path, elsewhere = f"/runs/{run.id}", f"/runs/{private.id}"
    assert grace.get(path).status_code == 200
    grace.post("/workspace/switch", {"workspace": workspace(database, "Grace’s workspace")})
    page = grace.get(path)
    assert page.status_code == 404
    assert "Open it in “Ada’s workspace”" in page.text
    assert grace.post("/workspace/switch", {"workspace": home, "next": path}).location == path
    assert grace.get(elsewhere).status_code == 404
    assert "Open it in" not in grace.get(elsewhere).text


def test_a_role_is_changed_by_an_owner_and_logged(admin: Browser, invite: Invite, database: Database) -> None:
    invite("grace", "viewer")
    grace = account(database, "Grace").id
    assert admin.post(f"/workspace/members/{grace}/role", {"role": "member"}).status_code == 302
    assert admin.post(f"/workspace/members/{grace}/role", {"role": "king"}).status_code == 400
    assert roles(database, workspace(database))["Grace"] == "member"
    entry = next(row for row in rows(database, AuditEntry) if row.what == "role changed")
    assert entry.detail == {"whose": grace, "was": "viewer", "now": "member"}
    assert entry.account_id == account(database, "Ada").id


def test_the_last_owner_neither_leaves_nor_steps_down(admin: Browser, invite: Invite, database: Database) -> None:
    invite("grace")
    ada = account(database, "Ada").id
    for path, form in (
        ("/workspace/leave", {}),
        (f"/workspace/members/{ada}/role", {"role": "viewer"}),
        (f"/workspace/members/{ada}/remove", {}),
    ):
        admin.post(path, form)
        assert "make somebody else one first" in admin.get("/workspace").text
    assert roles(database, workspace(database)) == {"Ada": "owner", "Grace": "member"}
    admin.post(f"/workspace/members/{account(database, 'Grace').id}/role", {"role": "owner"})
    admin.post("/workspace/leave")
    assert roles(database, workspace(database)) == {"Grace": "owner"}


def test_a_removed_member_sees_nothing_more_and_their_tokens_die(
    admin: Browser, invite: Invite, database: Database
) -> None:
    grace = invite("grace")
    grace.post("/account/tokens", {"name": "Nightly", "scope": "read", "days": "9"})
    assert admin.post(f"/workspace/members/{account(database, 'Grace').id}/remove").status_code == 302
    page = grace.get("/workspace").text
    assert "<h1>Grace’s workspace</h1>" in page
    assert "Ada’s workspace" not in page
    assert rows(database, Token) == []


@pytest.mark.parametrize(("deed", "form"), [("remove", {}), ("role", {"role": "member"})])
def test_who_may_invite_no_more_has_no_open_invitation_left(
    admin: Browser, invite: Invite, browser: Browser, database: Database, deed: str, form: dict[str, str]
) -> None:
    grace = invite("grace", "owner")
    way_back = invitation_link(grace, "graces.other@example.org", "owner")
    mine = invitation_link(admin, "hopper@example.org")
    assert admin.post(f"/workspace/members/{account(database, 'Grace').id}/{deed}", form).status_code == 302
    assert browser.get(way_back).status_code == 410
    assert browser.get(mine).status_code == 200


def test_a_workspace_is_made_and_renamed(admin: Browser, database: Database) -> None:
    admin.post("/workspace/new", {"name": "Shop"})
    assert roles(database, workspace(database, "Shop")) == {"Ada": "owner"}
    admin.post("/workspace/rename", {"name": " The  corner shop "})
    assert "<h1>The corner shop</h1>" in admin.get("/workspace").text
    assert admin.post("/workspace/rename", {"name": ""}).status_code == 422
    assert admin.post("/workspace/new", {"name": " "}).status_code == 422


def test_only_administrators_see_the_administration(admin: Browser, invite: Invite, database: Database) -> None:
    grace = invite("grace", "owner")
    ada = account(database, "Ada").id
    assert [grace.get(path).status_code for path in ("/admin", "/admin/audit")] == [404, 404]
    assert grace.post(f"/admin/people/{ada}/role", {"admin": "no"}).status_code == 404
    assert grace.post(f"/admin/people/{ada}/sign-out").status_code == 404
    assert "/admin" not in grace.get("/workspace").text
    assert admin.get("/admin").status_code == admin.get("/admin/audit").status_code == 200


def test_an_administrator_names_another_and_the_last_one_stays(
    admin: Browser, invite: Invite, database: Database
) -> None:
    grace = invite("grace")
    ada_id, grace_id = account(database, "Ada").id, account(database, "Grace").id
    admin.post(f"/admin/people/{ada_id}/role", {"admin": "no"})
    assert account(database, "Ada").is_admin
    admin.post(f"/admin/people/{grace_id}/role", {"admin": "yes"})
    assert roles(database, SYSTEM) == {"Ada": "owner", "Grace": "owner"}
    grace.post(f"/admin/people/{ada_id}/role", {"admin": "no"})
    assert admin.get("/admin").status_code == 404
    assert roles(database, SYSTEM) == {"Grace": "owner"}


def test_the_machinerys_workspace_invites_nobody(admin: Browser, database: Database) -> None:
    admin.post("/workspace/switch", {"workspace": SYSTEM})
    answer = admin.post("/workspace/invitations", {"email": "eve@example.org", "role": "member"})
    assert answer.status_code == 403
    assert rows(database, Invitation) == []


def test_an_administrator_signs_somebody_out_everywhere(admin: Browser, invite: Invite, database: Database) -> None:
    grace = invite("grace")
    admin.post(f"/admin/people/{account(database, 'Grace').id}/sign-out")
    assert not grace.signed_in()
    assert admin.signed_in()


def test_the_audit_log_is_read_page_by_page(admin: Browser, database: Database) -> None:
    with database.write(EVERYONE) as session:
        session.add_all([AuditEntry(what=f"deed {number}") for number in range(60)])
    pages = [re.findall(r"deed \d+", admin.get(f"/admin/audit?page={page}").text) for page in (1, 2, 3)]
    assert [len(page) for page in pages[:1]] == [50]
    assert sorted(pages[0] + pages[1]) == sorted(f"deed {number}" for number in range(60))
    assert pages[2] == []
