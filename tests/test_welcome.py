"""The first account: the welcome page and the code that only the machine's owner sees."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from sqlalchemy import update

from deploy.settings import settings as process_settings
from models.account import Account, Throttle
from models.session import EVERYONE, Database
from models.workspace import SYSTEM, Membership, Workspace
from tests.test_account import form
from tests.web_fixtures import Browser, rows
from web.__main__ import code, main
from web.signin import first_code
from workers.runtime import Runtime

NEW = "another lamp, another window"


def test_before_the_first_account_every_page_leads_to_the_welcome_page(browser: Browser) -> None:
    for path in ("/", "/sign-in", "/account", "/mailbox", "/admin", "/workspace", "/forgot"):
        answer = browser.get(path)
        assert (answer.status_code, answer.location) == (302, "/welcome"), path


def test_the_first_account_wants_the_printed_code(browser: Browser, database: Database) -> None:
    answer = browser.post("/welcome", form(code="AAAA-AAAA-AAAA-AAAA"))
    assert answer.status_code == 422
    assert "This is not the code" in answer.text
    assert rows(database, Account) == []


def test_the_first_account_runs_the_system_and_owns_a_workspace(admin: Browser, database: Database) -> None:
    account = rows(database, Account)[0]
    assert account.is_admin
    assert account.confirmed_at
    assert account.password_hash.startswith("$argon2id$")
    places = {row.workspace_id: row.role for row in rows(database, Membership)}
    assert places.pop(SYSTEM) == "owner"
    assert list(places.values()) == ["owner"]
    assert "Ada’s workspace" in {row.name for row in rows(database, Workspace)}
    assert admin.signed_in()


def test_the_code_is_worthless_once_somebody_has_an_account(admin: Browser, app: Flask, runtime: Runtime) -> None:
    assert code(runtime) == ""
    answer = Browser(app).post("/welcome", form(email="eve@example.org", code=first_code(runtime.settings)))
    assert answer.location == "/sign-in"
    assert len(rows(runtime.database, Account)) == 1


def test_the_code_may_be_typed_without_dashes_and_in_small_letters(browser: Browser, runtime: Runtime) -> None:
    assert code(runtime) == first_code(runtime.settings)
    typed = code(runtime).replace("-", " ").lower()
    assert browser.post("/welcome", form(code=typed)).status_code == 302


def test_the_code_cannot_be_searched_for(browser: Browser, runtime: Runtime) -> None:
    browser.post("/welcome", form(code="AAAA-AAAA-AAAA-AAAA"))
    with runtime.database.write(EVERYONE) as session:
        session.execute(update(Throttle).values(count=50))
    assert browser.post("/welcome", form(code=code(runtime))).status_code == 429


@pytest.fixture
def say(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., str]]:
    """What `python -m web …` prints, with the settings that the environment gives."""

    def said(*arguments: str) -> str:
        main(list(arguments))
        return capsys.readouterr().out.strip()

    monkeypatch.setenv("NIGHTSHIFT_VAR", str(runtime.settings.var))
    process_settings.cache_clear()
    yield said
    process_settings.cache_clear()


def test_the_command_line_prints_the_code_and_then_reset_links(
    browser: Browser, runtime: Runtime, say: Callable[..., str]
) -> None:
    assert browser.post("/welcome", form(code=say("code"))).status_code == 302
    assert say("code") == ""
    link = say("reset", "Ada@example.org").removeprefix(runtime.origin)
    assert Browser(browser.app).post(link, {"password": NEW}).location == "/sign-in"
    assert browser.sign_in("ada@example.org", NEW).status_code == 302
    with pytest.raises(SystemExit, match="Nobody has an account"):
        say("reset", "eve@example.org")
