"""A new e-mail address: a link to the new one, a note to the old one, and nothing before the link is used."""

import re

import pytest
from sqlalchemy import update

from models.account import Account, Link
from models.base import db_now
from models.delivery import Delivery
from models.run import Run
from models.session import EVERYONE, Database
from models.workspace import AuditEntry
from tests.conftest import at_once
from tests.test_mail import Inbox, inbox  # noqa: F401  # a fixture
from tests.web_fixtures import PASSWORD, Browser, Invite, rows
from web.__main__ import address, reset
from web.security import digest
from workers.execute import execute
from workers.runtime import Runtime

NEW = "ada@example.com"


def asked(browser: Browser, email: str = NEW, password: str = PASSWORD) -> int:
    return browser.post("/account/address", {"new_email": email, "old_password": password}).status_code


def link_to(runtime: Runtime, new: str = NEW, of: str = "ada@example.org") -> str:
    """The path of a link, as whoever owns the machine prints it."""
    return address(runtime, of, new).removeprefix(runtime.origin)


def addresses(database: Database) -> list[str]:
    return sorted(row.email for row in rows(database, Account))


def test_a_link_goes_to_the_new_address_and_a_note_to_the_old_and_nothing_changes_yet(
    admin: Browser, database: Database
) -> None:
    assert asked(admin, "Ada@Example.com") == 302
    mails = {mail.to: mail for mail in rows(database, Delivery)}
    assert set(mails) == {NEW, "ada@example.org"}
    assert mails[NEW].link == "address"
    assert "{link}" in mails[NEW].text
    assert mails["ada@example.org"].link is None
    assert NEW not in mails["ada@example.org"].text
    assert addresses(database) == ["ada@example.org"]


def test_the_mailed_link_changes_the_address_once(
    admin: Browser,
    browser: Browser,
    runtime: Runtime,
    inbox: Inbox,  # noqa: F811
    database: Database,
) -> None:
    browser.sign_in("ada@example.org")
    asked(admin)
    (mail,) = [run.id for run in rows(database, Run) if run.kind == "mail"]
    assert execute(runtime, mail, "test@here:1/2") == "succeeded"
    letter = next(mail for mail in inbox.mails if f"To: {NEW}" in mail).replace("=\r\n", "").replace("\r\n", " ")
    (path,) = set(re.findall(r"(/address/[\w-]{43})", letter))
    (stored,) = rows(database, Link)
    assert (stored.secret_hash, stored.email) == (digest(path.rsplit("/", 1)[1]), NEW)

    page = admin.get(path)
    assert f"Shall {NEW} be your address" in page.text
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert addresses(database) == ["ada@example.org"], "looking changes nothing"
    assert admin.post(path).location == "/account"
    assert addresses(database) == [NEW]
    assert admin.signed_in()
    assert not browser.signed_in()
    assert admin.post(path).status_code == 410
    assert browser.sign_in("ada@example.org").status_code == 422
    assert browser.sign_in(NEW).status_code == 302


@pytest.mark.parametrize(
    ("email", "password", "words"),
    [
        (NEW, "not it", "This is not your password"),
        ("nobody", PASSWORD, "looks like name@example.org"),
        ("ADA@example.org", PASSWORD, "This is your address already"),
    ],
)
def test_a_wrong_password_or_address_is_refused_with_a_sentence(
    admin: Browser, database: Database, email: str, password: str, words: str
) -> None:
    answer = admin.post("/account/address", {"new_email": email, "old_password": password})
    assert answer.status_code == 422
    assert words in answer.text
    assert rows(database, Delivery) == []


def test_guessing_the_password_here_is_limited(admin: Browser) -> None:
    assert [asked(admin, password="not it") for _ in range(11)] == [422] * 10 + [429]


def test_an_address_that_somebody_has_gets_the_same_answer_and_is_not_taken_over(
    admin: Browser, invite: Invite, runtime: Runtime, database: Database
) -> None:
    invite("grace")
    answers = []
    for email in ("grace@example.org", NEW):
        admin.post("/account/address", {"new_email": email, "old_password": PASSWORD})
        answers.append(re.sub(r'nonce="[^"]+"|csrf_token" value="[^"]+"', "", admin.get("/account").text))
    assert answers[0] == answers[1]
    to = [mail.to for mail in rows(database, Delivery) if mail.link == "address"]
    assert to == ["grace@example.org", NEW]

    path = link_to(runtime, "grace@example.org")
    assert "another account has it" in admin.post(path, follow_redirects=True).text
    assert addresses(database) == ["ada@example.org", "grace@example.org"]
    assert admin.post(path).status_code == 410, "and the link is spent"


def test_of_two_people_who_take_the_same_address_at_once_one_gets_it(
    admin: Browser, invite: Invite, runtime: Runtime, database: Database
) -> None:
    grace = invite("grace")
    hers, mine = link_to(runtime, of="grace@example.org"), link_to(runtime)
    at_once(lambda: admin.post(mine), lambda: grace.post(hers))
    found = addresses(database)
    assert found.count(NEW) == 1
    assert len(found) == 2


def test_a_link_is_good_for_the_account_s_own_sign_in_alone(
    admin: Browser, browser: Browser, invite: Invite, runtime: Runtime, database: Database
) -> None:
    path, grace = link_to(runtime), invite("grace")
    assert browser.get(path).location.startswith("/sign-in?next=/address/")
    assert browser.post(path).location.startswith("/sign-in")
    assert grace.get(path).status_code == grace.post(path).status_code == 410
    assert "ada@example.org" in addresses(database)
    assert admin.post(path).status_code == 302
    assert NEW in addresses(database)


def test_a_link_lasts_30_minutes_and_a_new_password_voids_it(
    admin: Browser, runtime: Runtime, database: Database
) -> None:
    old = link_to(runtime)
    with database.write(EVERYONE) as session:
        session.execute(update(Link).values(expires_at=db_now() - 1))
    assert admin.get(old).status_code == admin.post(old).status_code == 410
    voided = link_to(runtime)
    assert admin.get(voided).status_code == 200
    admin.post("/account/password", {"old": PASSWORD, "password": "another lamp, another window"})
    assert admin.post(voided).status_code == 410
    assert addresses(database) == ["ada@example.org"]


def test_links_that_went_to_the_old_address_end_with_it(
    admin: Browser, browser: Browser, runtime: Runtime, database: Database
) -> None:
    reset_path = reset(runtime, "ada@example.org").removeprefix(runtime.origin)
    admin.post(link_to(runtime))
    assert browser.get(reset_path).status_code == 410
    late = reset(runtime, NEW).removeprefix(runtime.origin)
    assert browser.get(late).status_code == 200
    with database.write(EVERYONE) as session:  # one that waited for the mail server in the meantime
        session.execute(update(Link).where(Link.used_at.is_(None)).values(email="ada@example.org"))
    assert browser.get(late).status_code == 410


def test_the_change_is_told_to_the_old_address_and_audited_without_addresses(
    admin: Browser, runtime: Runtime, database: Database
) -> None:
    asked(admin)
    admin.post(link_to(runtime))
    assert [mail.to for mail in rows(database, Delivery) if "was changed" in mail.subject] == ["ada@example.org"]
    entries = rows(database, AuditEntry)
    assert {"address change asked for", "address changed"} <= {entry.what for entry in entries}
    assert not any("@" in f"{entry.what} {entry.detail}" for entry in entries)


def test_the_machine_s_owner_is_told_of_an_address_that_cannot_be(admin: Browser, runtime: Runtime) -> None:
    with pytest.raises(SystemExit, match="an address looks like"):
        address(runtime, "ada@example.org", "nobody")
    with pytest.raises(SystemExit, match="Nobody has an account"):
        address(runtime, "eve@example.org", NEW)
