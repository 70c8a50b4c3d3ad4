"""Personal tokens: made, shown once, and worth what their owner may do in one workspace until they end."""

import re

import pytest
from flask import Flask
from sqlalchemy import update

from models.account import Account, Token
from models.base import db_now
from models.session import EVERYONE, Database
from tests.web_fixtures import Browser, Invite, rows
from web.security import digest

DAY = 86_400_000


def test_a_token_is_shown_once_stored_hashed_and_revoked(admin: Browser, database: Database) -> None:
    page = admin.post("/account/tokens", {"name": "Nightly", "scope": "read", "days": "30"}).text
    secret = re.findall(r'value="(nightshift_[\w-]{43})"', page)[0]
    (token,) = rows(database, Token)
    assert token.secret_hash == digest(secret)
    assert abs(token.expires_at - token.created_at - 30 * DAY) < 60_000
    assert secret not in admin.get("/account").text
    admin.post(f"/account/tokens/{token.id}/revoke")
    assert rows(database, Token) == []


@pytest.mark.parametrize(
    "wrong", [{"days": "0"}, {"days": "367"}, {"days": "x"}, {"scope": "admin"}, {"name": ""}], ids=str
)
def test_a_token_without_end_scope_or_name_is_refused(
    admin: Browser, database: Database, wrong: dict[str, str]
) -> None:
    answer = admin.post("/account/tokens", {"name": "Nightly", "scope": "read", "days": "30"} | wrong)
    assert answer.status_code == 422
    assert "invalid-feedback" in answer.text
    assert rows(database, Token) == []


def test_a_viewer_makes_no_token_that_writes(invite: Invite, database: Database) -> None:
    viewer = invite("grace", "viewer")
    assert viewer.post("/account/tokens", {"name": "x", "scope": "write", "days": "1"}).status_code == 422
    assert viewer.post("/account/tokens", {"name": "x", "scope": "read", "days": "1"}).status_code == 200
    assert [row.scope for row in rows(database, Token)] == ["read"]


def test_nobody_revokes_anothers_token(admin: Browser, invite: Invite, database: Database) -> None:
    admin.post("/account/tokens", {"name": "Nightly", "scope": "read", "days": "30"})
    token = rows(database, Token)[0].id
    assert invite("grace").post(f"/account/tokens/{token}/revoke").status_code == 404
    assert len(rows(database, Token)) == 1


def make(who: Browser, scope: str = "write") -> dict[str, str]:
    """The header of a program that holds a new token."""
    page = who.post("/account/tokens", {"name": "Nightly", "scope": scope, "days": "9"}).text
    return {"Authorization": "Bearer " + re.findall(r'value="(nightshift_[^"]+)"', page)[0]}


def test_a_token_opens_the_api_and_no_page(admin: Browser, app: Flask) -> None:
    program, header = app.test_client(), make(admin)
    assert program.get("/api/v1/jobs", headers=header).status_code == 200
    assert program.get("/account", headers=header).status_code == 302
    assert program.get("/api/v1/jobs", headers={"Authorization": "Bearer nightshift_x"}).status_code == 401


@pytest.mark.parametrize("end", ["revoked", "expired", "removed"])
def test_a_token_ends(admin: Browser, invite: Invite, app: Flask, database: Database, end: str) -> None:
    program, header = app.test_client(), make(grace := invite("grace"))
    assert program.get("/api/v1/jobs", headers=header).status_code == 200
    (token,) = rows(database, Token)
    if end == "revoked":
        grace.post(f"/account/tokens/{token.id}/revoke")
    elif end == "removed":
        admin.post(f"/workspace/members/{token.account_id}/remove")
    else:
        with database.write(EVERYONE) as session:
            session.execute(update(Token).values(expires_at=db_now() - 1))
    assert program.get("/api/v1/jobs", headers=header).status_code == 401


def test_a_token_may_no_more_than_its_owner_may_now(
    admin: Browser, invite: Invite, app: Flask, database: Database
) -> None:
    program, header = app.test_client(), make(invite("grace", "member"))
    grace = next(row.id for row in rows(database, Account) if row.name == "Grace")
    path = "/api/v1/jobs/no-such-job/runs"
    assert program.post(path, json={}, headers=header).status_code == 404
    admin.post(f"/workspace/members/{grace}/role", {"role": "viewer"})
    assert program.post(path, json={}, headers=header).status_code == 403


def test_the_use_of_a_token_is_noted(admin: Browser, app: Flask, database: Database) -> None:
    header = make(admin, "read")
    assert rows(database, Token)[0].used_at is None
    app.test_client().get("/api/v1/jobs", headers=header)
    assert rows(database, Token)[0].used_at
    assert "last used just now" in admin.get("/account").text
