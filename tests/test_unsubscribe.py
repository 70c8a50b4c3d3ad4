"""Links that end mails: looking changes nothing, the button and a mail program's POST do, no other's link does."""

import re
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from models.account import Account
from models.alert import Wish
from models.session import EVERYONE, Database
from models.workspace import AuditEntry
from tasks.alerting import wishes
from tasks.mailing import stops
from tasks.mailing.stops import Stop, Stops
from tests.web_fixtures import Browser, rows

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def ada_id(admin: Browser, database: Database) -> str:
    with database.write(EVERYONE) as session:
        account = session.scalars(select(Account)).one()
        wish = wishes.of(session, account.id)
        wish.areas = {"stock": "at once", "expenses": "at once"}
        return account.id


def link(app: Flask, account_id: str, what: str, version: int = 1) -> str:
    secret = app.extensions["nightshift"].settings.secret("secret_key")
    return f"{stops.PATH}{Stops(secret).token(Stop(account_id, what, version))}"


def wish_of(database: Database) -> Any:
    return rows(database, Wish)[0]


def undo_of(page: str) -> str:
    found = re.search(r'name="undo" value="([^"]+)"', page)
    assert found
    return found[1]


@pytest.mark.parametrize(
    ("what", "asks"),
    [
        ("digest", "This ends your digest."),
        ("at once:stock", "This ends mails at once about stock."),
        ("results", "This ends mails after a run of yours."),
    ],
)
def test_looking_changes_nothing_and_the_button_ends_it_without_a_sign_in(
    app: Flask, browser: Browser, database: Database, ada_id: str, what: str, asks: str
) -> None:
    path = link(app, ada_id, what)
    before = [repr(row.__dict__) for table in (Wish, Account) for row in rows(database, table)]
    page = browser.get(path)
    assert asks in page.text
    assert page.headers["Referrer-Policy"] == "no-referrer"
    after = [repr(row.__dict__) for table in (Wish, Account) for row in rows(database, table)]
    assert [re.sub(r"0x\w+", "", each) for each in after] == [re.sub(r"0x\w+", "", each) for each in before]
    assert browser.client.post(path).status_code == 200
    wish, account = wish_of(database), rows(database, Account)[0]
    assert {
        "digest": (wish.repeat, wish.next_due) == ("never", None),
        "at once:stock": wish.areas == {"stock": "gathered", "expenses": "at once"},
        "results": account.mail_results is False,
    }[what]
    entry = rows(database, AuditEntry)[-1]
    assert (entry.what, entry.detail) == ("mails stopped by a link", {"stopped": what})


def test_a_mail_program_s_own_post_does_it_from_wherever_it_comes(
    app: Flask, browser: Browser, database: Database, ada_id: str
) -> None:
    path = link(app, ada_id, "digest")
    headers = {"Sec-Fetch-Site": "cross-site", "Origin": "https://mail.example.org"}
    for _ in range(2):
        assert app.test_client().post(path, data=ONE_CLICK, headers=headers).status_code == 200
    assert wish_of(database).repeat == "never"


@pytest.mark.parametrize("what", ["digest", "at once:stock", "results"])
def test_what_was_ended_can_be_taken_up_again_on_that_page(
    app: Flask, browser: Browser, database: Database, ada_id: str, what: str
) -> None:
    path = link(app, ada_id, what)
    before = (wish_of(database).repeat, wish_of(database).areas, wish_of(database).next_due is None)
    page = browser.client.post(path).text
    undo = undo_of(page)
    other = link(app, ada_id, "digest" if what != "digest" else "results")
    assert browser.client.post(other, data={"undo": undo}).status_code == 410, "it undoes what it was made for"
    assert browser.client.post(path, data={"undo": undo + "x"}).status_code == 410
    assert "as it was before" in browser.client.post(path, data={"undo": undo}).text
    wish = wish_of(database)
    assert (wish.repeat, wish.areas, wish.next_due is None) == before
    assert rows(database, Account)[0].mail_results


def test_only_what_changed_is_written_down_however_often_a_link_is_posted(
    app: Flask, browser: Browser, database: Database, ada_id: str
) -> None:
    for what in ("digest", "at once:stock", "results"):
        path, before = link(app, ada_id, what), len(rows(database, AuditEntry))
        pages = [browser.client.post(path).text for _ in range(3)]
        assert ['name="undo"' in page for page in pages] == [True, False, False], what
        assert all('role="status"' in page for page in pages)
        assert len(rows(database, AuditEntry)) == before + 1, what
        undo = undo_of(pages[0])
        words = [browser.client.post(path, data={"undo": undo}).text for _ in range(3)]
        assert ["as it was before" in page for page in words] == [True, False, False], what
        assert len(rows(database, AuditEntry)) == before + 2, what


def test_undo_leaves_what_its_person_chose_since(app: Flask, browser: Browser, database: Database, ada_id: str) -> None:
    digest, areas, results = (link(app, ada_id, each) for each in ("digest", "at once:expenses,stock", "results"))
    undos = [undo_of(browser.client.post(path).text) for path in (areas, digest, results)]
    with database.write(EVERYONE) as session:
        wish = wishes.of(session, ada_id)
        wish.areas = {**(wish.areas or {}), "expenses": "never"}
        wish.repeat = "monthly"
    assert "as it was before" in browser.client.post(areas, data={"undo": undos[0]}).text
    assert wish_of(database).areas == {"expenses": "never", "stock": "at once"}, "and the digest is nothing of that"
    assert "Nothing changed" in browser.client.post(digest, data={"undo": undos[1]}).text
    assert wish_of(database).repeat == "monthly"
    assert "as it was before" in browser.client.post(results, data={"undo": undos[2]}).text
    assert rows(database, Account)[0].mail_results


def test_a_link_that_was_changed_or_made_for_something_else_or_is_old_does_nothing(
    app: Flask, browser: Browser, database: Database, ada_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = link(app, ada_id, "digest")
    signed_for_else = app.extensions["nightshift"].settings.secret("secret_key") + "x"
    wrong = [f"{path}x", path[:-1], f"{stops.PATH}nonsense", link(app, "0" * 28, "digest"), link(app, ada_id, "other")]
    wrong.append(f"{stops.PATH}{Stops(signed_for_else).token(Stop(ada_id, 'digest', 1))}")
    for each in wrong:
        assert browser.client.post(each, data=ONE_CLICK).status_code == 410, each
    monkeypatch.setattr(stops, "YEAR", -1)
    assert "This link is over" in browser.get(path).text
    assert wish_of(database).repeat == "daily"


def test_links_end_when_their_owner_says_so_and_newer_ones_hold(
    app: Flask, admin: Browser, browser: Browser, database: Database, ada_id: str
) -> None:
    old = link(app, ada_id, "digest")
    assert "older mails" in admin.get("/account/channels").text
    admin.post("/account/channels/void-links")
    assert browser.client.post(old, data=ONE_CLICK).status_code == 410
    assert wish_of(database).repeat == "daily"
    assert browser.client.post(link(app, ada_id, "digest", 2)).status_code == 200
    assert wish_of(database).repeat == "never"
