"""The pages of mailboxes: made, tried out, paused, changed; whose password goes where; and the log of read mail."""

from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from models.delivery import Delivery
from models.desk import Inlet
from tests.conftest import Person
from tests.front import browser_of, member_of
from tests.imap_server import PASSWORD, Dovecot, dovecot  # noqa: F401  # a fixture
from tests.postboxes import DESK, Postbox, letter, postbox
from tests.web_fixtures import Browser
from workers.runtime import Runtime

FORM = {"address": DESK, "plus": "yes", "host": "imap.example.org", "port": "993", "security": "tls", "folder": "INBOX"}


@pytest.fixture
def box(runtime: Runtime, ada: Person, tmp_path: Path) -> Postbox:
    return postbox(runtime, ada, tmp_path)


@pytest.fixture
def ada_at(app: Flask, box: Postbox, ada: Person) -> Browser:
    object.__setattr__(app.extensions["nightshift"], "settings", box.runtime.settings)
    return browser_of(app, box.runtime, ada)


def on(server: Dovecot, **more: str) -> dict[str, str]:
    where = {"host": "127.0.0.1", "port": str(server.port), "user": "pages", "password": PASSWORD}
    return {**FORM, **where, **more}


def the_inlet(box: Postbox) -> Inlet:
    found: Inlet
    (found,) = box.desk.rows(Inlet)
    return found


def trust(app: Flask, box: Postbox, server: Dovecot) -> None:
    settings = box.runtime.settings.model_copy(update={"imap_ca": server.certificate})
    object.__setattr__(box.runtime, "settings", settings)
    object.__setattr__(app.extensions["nightshift"], "settings", settings)


def test_an_empty_page_says_what_to_do_first(ada_at: Browser) -> None:
    assert "No mailbox is read yet" in ada_at.get("/care/mailboxes").text
    assert "No mail was read yet" in ada_at.get("/care/received").text


def test_a_mailbox_is_made_tried_out_and_its_password_never_shown(
    app: Flask,
    box: Postbox,
    ada_at: Browser,
    dovecot: Dovecot,  # noqa: F811
) -> None:
    trust(app, box, dovecot)
    assert ada_at.post("/care/mailboxes/new", on(dovecot)).status_code == 303
    assert "The connection works: what comes from now on is read" in ada_at.get("/care/mailboxes").text
    inlet = the_inlet(box)
    assert PASSWORD not in inlet.sealed_password
    for path in ("/care/mailboxes", f"/care/mailboxes/{inlet.id}/edit"):
        page = ada_at.get(path).text
        assert PASSWORD not in page
        assert inlet.sealed_password not in page


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"address": "nobody"}, "address"),
        ({"host": "http://imap.example.org/"}, "host"),
        ({"host": ""}, "host"),
        ({"port": "70000"}, "port"),
        ({"security": "none"}, "security"),
        ({"user": ""}, "user"),
        ({"password": ""}, "password"),
        ({"password": "a\nb"}, "password"),
        ({"topic": "0" * 28}, "topic"),
        ({"kind": "pop3"}, "kind"),
    ],
)
def test_what_is_wrong_stands_beside_its_field(
    ada_at: Browser, box: Postbox, given: dict[str, str], field: str
) -> None:
    answer = ada_at.post("/care/mailboxes/new", {**FORM, "user": "u", "password": "p", **given})
    assert answer.status_code == 422
    assert f'href="#{field}"' in answer.text
    assert box.desk.rows(Inlet) == []


def test_another_server_is_only_told_a_password_that_was_given_for_it(
    app: Flask,
    box: Postbox,
    ada_at: Browser,
    dovecot: Dovecot,  # noqa: F811
) -> None:
    trust(app, box, dovecot)
    ada_at.post("/care/mailboxes/new", on(dovecot))
    path = f"/care/mailboxes/{the_inlet(box).id}/edit"
    kept = the_inlet(box).sealed_password
    assert ada_at.post(path, on(dovecot, password="", address="other@shop.example")).status_code == 303
    assert (the_inlet(box).address, the_inlet(box).sealed_password) == ("other@shop.example", kept)
    for name, value in {"host": "evil.example", "port": "994", "user": "else", "security": "starttls"}.items():
        answer = ada_at.post(path, on(dovecot, **{"password": "", name: value}))
        assert (answer.status_code, "password once more" in answer.text) == (422, True), name
    assert the_inlet(box).host == "127.0.0.1"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"password": "wrong"}, "does not let us in"),
        ({"folder": "Nowhere"}, "no folder"),
        ({"host": "localhost"}, "certificate is not valid for localhost"),
    ],
)
def test_trouble_is_told_in_words_that_say_what_to_do(
    app: Flask,
    box: Postbox,
    ada_at: Browser,
    dovecot: Dovecot,  # noqa: F811
    given: dict[str, str],
    words: str,
) -> None:
    trust(app, box, dovecot)
    ada_at.post("/care/mailboxes/new", on(dovecot, **given))
    page = ada_at.get("/care/mailboxes").text
    assert words in page
    assert "in trouble" in page


def test_a_private_network_is_refused_unless_it_is_allowed(
    app: Flask,
    box: Postbox,
    ada_at: Browser,
    dovecot: Dovecot,  # noqa: F811
) -> None:
    settings = box.runtime.settings.model_copy(update={"outgoing_networks": ""})
    object.__setattr__(app.extensions["nightshift"], "settings", settings)
    ada_at.post("/care/mailboxes/new", on(dovecot))
    assert "lies in a private network" in the_inlet(box).trouble


def test_a_mailbox_is_paused_resumed_and_deleted(ada_at: Browser, box: Postbox) -> None:
    ada_at.post("/care/mailboxes/new", {"kind": "maildir", "address": DESK})
    path = f"/care/mailboxes/{the_inlet(box).id}"
    ada_at.post(f"{path}/switch")
    box.drop(letter())
    box.look()
    assert box.received() == []
    assert "paused" in ada_at.get("/care/mailboxes").text
    ada_at.post(f"{path}/switch")
    box.look()
    assert len(box.received()) == 1
    assert "stay as they are" in ada_at.get(f"{path}/delete").text
    assert ada_at.post(f"{path}/delete").status_code == 303
    assert box.desk.rows(Inlet) == []
    assert box.received()[0].inlet_id is None


def test_the_log_says_what_became_of_each_mail_and_why(ada_at: Browser, box: Postbox) -> None:
    box.inlet()
    box.take(letter(), letter("", From="", Message_ID="<2@x>", Subject="<script>alert(1)</script>"))
    page = ada_at.get("/care/received").text
    assert "opened a ticket" in page
    assert "names no address" in page
    assert "<script>alert" not in page
    assert "This mail holds no words." in page
    refused = ada_at.get("/care/received?outcome=refused").text
    assert "The printer burns" not in refused


@pytest.mark.parametrize(("role", "status"), [("viewer", 403), ("member", 403), ("agent", 403), ("lead", 200)])
def test_only_leads_and_owners_change_mailboxes_and_read_the_log(
    app: Flask, ada_at: Browser, box: Postbox, ada: Person, role: str, status: int
) -> None:
    inlet = box.inlet()
    browser = browser_of(app, box.runtime, member_of(box.runtime, ada, "eve", role))
    assert browser.get("/care/mailboxes").status_code == 200
    for path in ("new", f"{inlet}/edit", f"{inlet}/delete"):
        assert browser.get(f"/care/mailboxes/{path}").status_code == status
    assert browser.get("/care/received").status_code == status


def test_nobody_of_another_workspace_finds_a_mailbox(app: Flask, ada_at: Browser, box: Postbox, grace: Person) -> None:
    inlet, other = box.inlet(), browser_of(app, box.runtime, grace)
    assert DESK not in other.get("/care/mailboxes").text
    for path in ("edit", "delete"):
        assert other.get(f"/care/mailboxes/{inlet}/{path}").status_code == 404
    for path in ("edit", "test", "switch", "delete"):
        assert other.post(f"/care/mailboxes/{inlet}/{path}", FORM).status_code == 404


def test_a_customers_own_mailbox_leads_to_their_ticket_without_a_secret(
    app: Flask, box: Postbox, ada_at: Browser, ada: Person
) -> None:
    box.inlet()
    (row,) = box.take(letter())
    with box.runtime.database.write(box.desk.place) as session:
        mail: Any = session.get_one(Delivery, box.mails()[0].id)
        mail.account_id = ada.account_id
    page = ada_at.get(f"/mailbox/{mail.id}").text
    body = ada_at.get(f"/mailbox/{mail.id}/html").text
    assert "{ticket}" not in page + body
    assert "/ticket/" not in body
    assert row.ticket_id
