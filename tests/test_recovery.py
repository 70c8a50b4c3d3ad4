"""Links that come by mail: a new password, a confirmed address, an account where that is open to all."""

import re
import time

import pytest
from flask import Flask
from sqlalchemy import update

from deploy.settings import Settings
from models.account import Account, Link, SignIn, Token
from models.base import db_now
from models.delivery import Delivery
from models.run import Run
from models.session import EVERYONE, Database
from tests.web_fixtures import PASSWORD, Browser, rows
from web import create_app
from web.__main__ import reset
from web.security import digest, new_secret
from workers.runtime import Runtime

NEW = "another lamp, another window"


def test_asking_for_a_reset_answers_alike_and_stores_no_secret(
    admin: Browser, browser: Browser, database: Database
) -> None:
    known = browser.post("/forgot", {"email": "ada@example.org"})
    unknown = browser.post("/forgot", {"email": "eve@example.org"})
    assert known.status_code == unknown.status_code == 200
    assert re.sub(r'nonce="[^"]+"', "", known.text) == re.sub(r'nonce="[^"]+"', "", unknown.text)
    (mail,) = rows(database, Delivery)
    assert (mail.to, mail.link, mail.state) == ("ada@example.org", "reset", "queued")
    assert "{link}" in mail.text
    assert rows(database, Link) == []


def test_a_queued_mail_wakes_the_mail_job(admin: Browser, browser: Browser, database: Database) -> None:
    browser.post("/forgot", {"email": "ada@example.org"})
    (mail,) = rows(database, Delivery)
    assert [(run.kind, run.workspace_id) for run in rows(database, Run)] == [("mail", mail.workspace_id)]


def test_asking_for_resets_is_limited(admin: Browser, browser: Browser, database: Database) -> None:
    codes = [browser.post("/forgot", {"email": "ada@example.org"}).status_code for _ in range(11)]
    assert codes == [200] * 10 + [429]
    assert len(rows(database, Delivery)) == 10


def reset_path(runtime: Runtime) -> str:
    return reset(runtime, "ada@example.org").removeprefix(runtime.origin)


def test_looking_at_a_reset_link_changes_nothing_and_using_it_works_once(
    admin: Browser, browser: Browser, runtime: Runtime
) -> None:
    link = reset_path(runtime)
    before = rows(runtime.database, Account)[0].password_hash
    assert [browser.get(link).status_code for _ in range(3)] == [200] * 3
    assert rows(runtime.database, Link)[0].used_at is None
    assert rows(runtime.database, Account)[0].password_hash == before
    assert browser.post(link, {"password": NEW}).location == "/sign-in"
    assert browser.post(link, {"password": "and yet another one"}).status_code == 410
    assert browser.sign_in("ada@example.org").status_code == 422
    assert browser.sign_in("ada@example.org", NEW).status_code == 302


def test_a_reset_signs_out_everywhere_and_spends_the_other_links(
    admin: Browser, browser: Browser, runtime: Runtime
) -> None:
    first, second = reset_path(runtime), reset_path(runtime)
    admin.post("/account/tokens", {"name": "script", "scope": "read", "days": "30"})
    assert len(rows(runtime.database, Token)) == 1
    assert browser.post(first, {"password": NEW}).status_code == 302
    assert rows(runtime.database, SignIn) == []
    assert rows(runtime.database, Token) == [], "whoever had the password may have made one"
    assert not admin.signed_in()
    assert browser.get(second).status_code == 410


def test_a_reset_link_lasts_30_minutes_and_its_secret_is_stored_hashed(
    admin: Browser, browser: Browser, runtime: Runtime
) -> None:
    link = reset_path(runtime)
    (row,) = rows(runtime.database, Link)
    assert row.secret_hash == digest(link.rsplit("/", 1)[1])
    assert abs(row.expires_at - time.time() * 1000 - 30 * 60_000) < 60_000
    with runtime.database.write(EVERYONE) as session:
        session.execute(update(Link).values(expires_at=db_now() - 1))
    assert browser.get(link).status_code == browser.post(link, {"password": NEW}).status_code == 410


def test_a_reset_link_does_not_confirm_and_a_made_up_one_is_over(
    admin: Browser, browser: Browser, runtime: Runtime
) -> None:
    secret = reset_path(runtime).rsplit("/", 1)[1]
    assert browser.post(f"/confirm/{secret}").status_code == 410
    assert browser.get("/reset/made-up").status_code == 410


@pytest.fixture
def open_house(admin: Browser, settings: Settings) -> Browser:
    """A browser at a front where anybody may make an account; Ada has one."""
    made: Flask = create_app(settings.model_copy(update={"sign_up": "open"}))
    made.testing = True
    return Browser(made)


NEWCOMER = {"name": "Grace", "email": "grace@example.org", "password": PASSWORD, "time_zone": "UTC"}


def test_nobody_makes_an_account_unless_a_setting_opens_it(
    admin: Browser, browser: Browser, database: Database
) -> None:
    assert "Make an account" not in browser.get("/sign-in").text
    assert browser.get("/register").status_code == browser.post("/register", NEWCOMER).status_code == 404
    assert len(rows(database, Account)) == 1


def test_a_new_account_waits_for_its_confirmation(open_house: Browser, database: Database) -> None:
    assert open_house.post("/register", NEWCOMER).status_code == 200
    grace = next(row for row in rows(database, Account) if row.name == "Grace")
    assert (grace.is_admin, grace.confirmed_at) == (False, None)
    assert [(mail.to, mail.link) for mail in rows(database, Delivery)] == [("grace@example.org", "confirm")]
    refused = open_house.sign_in("grace@example.org")
    assert refused.status_code == 422
    assert "not confirmed yet" in refused.text
    secret = confirm_link(database, grace)
    assert open_house.get(f"/confirm/{secret}").status_code == 200
    assert open_house.sign_in("grace@example.org").status_code == 422
    assert open_house.post(f"/confirm/{secret}").location == "/sign-in"
    assert open_house.post(f"/confirm/{secret}").status_code == 410
    assert open_house.sign_in("grace@example.org").status_code == 302


def test_making_an_account_with_a_known_address_looks_the_same_and_changes_nothing(
    open_house: Browser, database: Database
) -> None:
    fresh = open_house.post("/register", NEWCOMER)
    known = open_house.post("/register", NEWCOMER | {"email": "ada@example.org", "name": "Eve"})
    assert fresh.status_code == known.status_code
    assert re.sub(r'nonce="[^"]+"', "", fresh.text) == re.sub(r'nonce="[^"]+"', "", known.text)
    assert sorted(row.name for row in rows(database, Account)) == ["Ada", "Grace"]
    mail = next(row for row in rows(database, Delivery) if row.to == "ada@example.org")
    assert mail.link is None
    assert "You have one already" in mail.text


def confirm_link(database: Database, account: Account) -> str:
    """The secret of a link as the mail job makes it."""
    secret = new_secret()
    with database.write(EVERYONE) as session:
        link = Link(secret_hash=digest(secret), purpose="confirm", account_id=account.id, expires_at=4_000_000_000_000)
        session.add(link)
    return secret
