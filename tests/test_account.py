"""Accounts: the first administrator, signing in and out, passwords, links, tokens, the mailbox."""

import re

import pytest
from argon2 import PasswordHasher
from flask import Flask
from sqlalchemy import update

from models.account import Account, SignIn, Throttle
from models.base import db_now
from models.session import EVERYONE, Database
from models.workspace import AuditEntry
from tests.web_fixtures import PASSWORD, Browser, Invite, rows
from web.__main__ import code
from web.security import digest
from workers.runtime import Runtime

DAY = 86_400_000
NEW = "another lamp, another window"


def form(**more: str) -> dict[str, str]:
    return {"name": "Ada", "email": "ada@example.org", "password": PASSWORD, "time_zone": "UTC"} | more


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("password", "elevenchars", "at least 12 characters"),
        ("password", "x" * 201, "at most 200"),
        ("password", "ADA-lovelace@example.org", "first thing anybody would try"),
        ("email", "nobody", "looks like name@example.org"),
        ("name", " \x00 ", "Give a name"),
        ("time_zone", "Middle-earth/Shire", "Choose a time zone"),
    ],
)
def test_a_bad_field_is_refused_with_a_sentence(
    browser: Browser, runtime: Runtime, field: str, value: str, words: str
) -> None:
    sent = form(code=code(runtime), email="ada-lovelace@example.org") | {field: value}
    answer = browser.post("/welcome", sent)
    assert answer.status_code == 422
    assert words in answer.text
    assert rows(runtime.database, Account) == []


def test_an_unknown_address_and_a_wrong_password_get_the_same_answer(admin: Browser, browser: Browser) -> None:
    known = browser.sign_in("ada@example.org", "not the password").text
    unknown = browser.sign_in("eve@example.org", "not the password").text
    plain = [re.sub(r'nonce="[^"]+"|csrf_token" value="[^"]+"|(ada|eve)@', "", page) for page in (known, unknown)]
    assert "do not go together" in known
    assert plain[0] == plain[1]


def test_an_unknown_address_costs_the_same_check_as_a_wrong_password(
    admin: Browser, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nearly all the time of a sign-in is the hash, so its computations are what is counted."""
    hashed: list[str] = []
    real = PasswordHasher.verify

    def verify(hasher: PasswordHasher, stored: str, password: str) -> bool:
        hashed.append(stored.rpartition("$")[0].rpartition("$")[0])  # algorithm and costs, without salt and hash
        return real(hasher, stored, password)

    monkeypatch.setattr(PasswordHasher, "verify", verify)
    for who in ("ada", "eve"):
        browser.sign_in(f"{who}@example.org", "not it")
    assert len(hashed) == 2
    assert hashed[0] == hashed[1]


def test_signing_in_is_limited_by_account_even_with_the_right_password(admin: Browser, browser: Browser) -> None:
    for _ in range(10):
        assert browser.sign_in("ada@example.org", "not the password").status_code == 422
    answer = browser.sign_in("ADA@example.org")
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 900
    assert re.search(r"Wait until \d\d:\d\d", answer.text)


def test_wrong_passwords_from_elsewhere_do_not_lock_somebody_out_at_once(admin: Browser, app: Flask) -> None:
    stranger, owner = Browser(app), Browser(app)
    stranger.client.environ_base["REMOTE_ADDR"] = "127.0.0.2"
    for _ in range(11):
        last = stranger.sign_in("ada@example.org", "not the password")
    assert last.status_code == 429
    assert owner.sign_in("ada@example.org").status_code == 302


def test_signing_in_is_limited_by_address(admin: Browser, browser: Browser, database: Database) -> None:
    browser.sign_in("eve@example.org")
    with database.write(EVERYONE) as session:
        session.execute(update(Throttle).where(Throttle.key.startswith("sign-in-address")).values(count=50))
    assert browser.sign_in("ada@example.org").status_code == 429


def test_a_limit_ends_after_a_quarter_of_an_hour(admin: Browser, browser: Browser, database: Database) -> None:
    browser.sign_in("ada@example.org", "not the password")
    with database.write(EVERYONE) as session:
        session.execute(update(Throttle).values(count=99))
    assert browser.sign_in("ada@example.org").status_code == 429
    with database.write(EVERYONE) as session:
        session.execute(update(Throttle).values(since=db_now() - 15 * 60_000))
    assert browser.sign_in("ada@example.org").status_code == 302


def test_limits_keep_no_address(admin: Browser, browser: Browser, database: Database) -> None:
    browser.sign_in("ada@example.org", "not the password")
    keys = [row.key for row in rows(database, Throttle)]
    assert keys
    # Whole addresses: "ada" alone can stand in a hash by chance, its letters being hexadecimal digits.
    kept_out = ("ada@example.org", "127.0.0.1", digest("ada@example.org"), digest("127.0.0.1"))
    assert not any(secret in key for key in keys for secret in kept_out)


def test_each_sign_in_has_a_new_secret_of_which_only_the_hash_is_stored(
    admin: Browser, browser: Browser, database: Database
) -> None:
    secrets = set()
    for _ in range(2):
        browser.sign_in("ada@example.org")
        with browser.client.session_transaction() as session:
            secrets.add(session["_user_id"])
        browser.post("/sign-out")
        browser.sign_in("ada@example.org")
        with browser.client.session_transaction() as session:
            secrets.add(session["_user_id"])
            stored = {row.secret_hash for row in rows(database, SignIn)}
            assert digest(session["_user_id"]) in stored
            assert session["_user_id"] not in stored
        browser.post("/sign-out")
    assert len(secrets) == 4


def test_a_cookie_planted_before_signing_in_is_worth_nothing_after(admin: Browser, browser: Browser) -> None:
    browser.token()
    before = browser.client.get_cookie("nightshift")
    with browser.client.session_transaction() as session:
        planted = session["csrf_token"]
    browser.sign_in("ada@example.org")
    browser.token()
    with browser.client.session_transaction() as session:
        assert session["csrf_token"] != planted
    thief = Browser(browser.app)
    assert before is not None
    thief.client.set_cookie("nightshift", before.value)
    assert browser.signed_in()
    assert not thief.signed_in()


def test_a_copied_cookie_dies_with_the_sign_out(admin: Browser, app: Flask) -> None:
    thief, cookie = Browser(app), admin.client.get_cookie("nightshift")
    assert cookie is not None
    thief.client.set_cookie("nightshift", cookie.value)
    assert thief.signed_in()
    admin.post("/sign-out")
    assert not thief.signed_in()


@pytest.mark.parametrize("column", ["expires_at", "seen_at"])
def test_a_sign_in_ends_after_30_days_and_after_7_idle_ones(admin: Browser, database: Database, column: str) -> None:
    row = rows(database, SignIn)[0]
    assert abs(row.expires_at - row.created_at - 30 * DAY) < 60_000
    past = {"expires_at": row.created_at - 1, "seen_at": row.created_at - 7 * DAY - 1}
    with database.write(EVERYONE) as session:
        session.execute(update(SignIn).values({column: past[column]}))
    assert not admin.signed_in()


def test_six_idle_days_are_fine_and_start_the_week_anew(admin: Browser, database: Database) -> None:
    with database.write(EVERYONE) as session:
        session.execute(update(SignIn).values(seen_at=db_now() - 6 * DAY))
    assert admin.signed_in()
    row = rows(database, SignIn)[0]
    assert row.seen_at - row.created_at > -60_000


def test_a_page_asked_for_before_signing_in_is_shown_after(admin: Browser, browser: Browser) -> None:
    asked = browser.get("/mailbox?page=2")
    assert asked.location == "/sign-in?next=/mailbox?page%3D2"
    answer = browser.post(asked.location, {"email": "ada@example.org", "password": PASSWORD})
    assert answer.location == "/mailbox?page=2"


def test_a_password_is_changed_with_the_old_one_and_ends_other_sign_ins(
    admin: Browser, browser: Browser, database: Database
) -> None:
    browser.sign_in("ada@example.org")
    assert admin.post("/account/password", {"old": "wrong", "password": NEW}).status_code == 422
    assert browser.signed_in()
    assert admin.post("/account/password", {"old": PASSWORD, "password": NEW}).status_code == 302
    assert admin.signed_in()
    assert not browser.signed_in()
    assert browser.sign_in("ada@example.org", NEW).status_code == 302


def test_one_browser_can_be_signed_out_from_another_and_nobody_elses(
    admin: Browser, browser: Browser, invite: Invite, database: Database
) -> None:
    grace = invite("grace")
    browser.sign_in("ada@example.org")
    newest = rows(database, SignIn)[-1].id
    assert grace.post(f"/account/sign-ins/{newest}/end").status_code == 404
    assert browser.signed_in()
    assert admin.post(f"/account/sign-ins/{newest}/end").status_code == 302
    assert not browser.signed_in()
    assert admin.signed_in()


def test_a_profile_is_kept_and_times_are_shown_in_its_zone(admin: Browser, database: Database) -> None:
    admin.post("/account/profile", {"name": "Ada L.", "time_zone": "Asia/Kathmandu"})
    account = next(row for row in rows(database, Account) if row.email == "ada@example.org")
    assert (account.name, account.time_zone, account.mail_results) == ("Ada L.", "Asia/Kathmandu", False)
    assert "+05:45" in admin.get("/account").text
    admin.post("/account/profile", {"name": "Ada L.", "time_zone": "UTC", "mail_results": "yes"})
    assert rows(database, Account)[0].mail_results


def test_deeds_are_logged_without_addresses(admin: Browser, browser: Browser, database: Database) -> None:
    browser.sign_in("ada@example.org", "not the password")
    browser.sign_in("eve@example.org", "not the password")
    browser.sign_in("ada@example.org")
    browser.post("/forgot", {"email": "ada@example.org"})
    admin.post("/account/tokens", {"name": "Nightly", "scope": "read", "days": "30"})
    admin.post("/account/sign-ins/end")
    entries = rows(database, AuditEntry)
    ada = rows(database, Account)[0].id
    deeds = [(entry.what, entry.account_id) for entry in entries]
    for what in ("sign-in refused", "signed in", "token made", "signed out everywhere else"):
        assert (what, ada) in deeds
    assert ("sign-in refused", None) in deeds
    assert not any("@" in f"{entry.what} {entry.detail}" for entry in entries)
