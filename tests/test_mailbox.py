"""The mailbox: each person's own mails, and nothing that a mail could do to a page."""

import re

from models.account import Account
from models.base import new_id
from models.delivery import Delivery
from models.session import EVERYONE, Database
from models.workspace import Membership, Workspace
from tests.web_fixtures import Browser, Invite, rows


def mail_to(database: Database, who: Account, workspace: str, **more: str) -> str:
    row = Delivery(id=new_id(), workspace_id=workspace, account_id=who.id, to=who.email, **more)
    with database.write(EVERYONE) as session:
        session.add(row)
    return row.id


def test_each_person_sees_their_own_mail_and_nobody_elses(admin: Browser, invite: Invite, database: Database) -> None:
    grace = invite("grace")
    people = {row.name: row for row in rows(database, Account)}
    shared = next(row.id for row in rows(database, Workspace) if row.name == "Ada’s workspace")
    mail = mail_to(
        database, people["Ada"], shared, subject="The reading is done", text="See it here: {link}", link="reset"
    )
    assert "The reading is done" in admin.get("/mailbox").text
    page = admin.get(f"/mailbox/{mail}")
    assert "the link stands in the mail alone" in page.text
    assert "{link}" not in page.text
    assert "No mail yet" in grace.get("/mailbox").text
    assert grace.get(f"/mailbox/{mail}").status_code == grace.get(f"/mailbox/{mail}/html").status_code == 404


def test_a_mail_shows_what_became_of_it(admin: Browser, database: Database) -> None:
    ada, shared = rows(database, Account)[0], rows(database, Membership)[0].workspace_id
    mail = mail_to(database, ada, shared, subject="S", text="T", state="failed", reason="The server refused it: 550")
    assert "not sent" in admin.get("/mailbox").text
    assert "The server refused it: 550" in admin.get(f"/mailbox/{mail}").text


def test_a_mails_html_can_do_nothing(admin: Browser, database: Database) -> None:
    ada, shared = rows(database, Account)[0], rows(database, Membership)[0].workspace_id
    html = "<p style='color:red'>Hello</p><script>alert(1)</script>"
    mail = mail_to(database, ada, shared, subject="S", text="T", html=html)
    page = admin.get(f"/mailbox/{mail}")
    assert re.search(r'<iframe[^>]* sandbox="allow-popups[a-z -]*" src="/mailbox/[^"]+/html"', page.text)
    assert "alert(1)" not in page.text
    policy = admin.get(f"/mailbox/{mail}/html").headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert policy.endswith("sandbox allow-popups allow-popups-to-escape-sandbox")
    assert "script-src" not in policy
