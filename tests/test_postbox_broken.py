"""Mails and mailboxes at which something breaks: nobody waits behind them, and the desk's leads are told."""

import zlib
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update
from sqlalchemy.exc import OperationalError

from models.alert import Alert, Notice
from models.desk import Inlet
from models.session import EVERYONE
from models.ticket import TicketMessage
from tasks.care import attachments, inlets, mailbox_alerts, taking
from tasks.care.boxes import Door, Lying, Trouble
from tasks.storage import FolderStorage
from tests.buckets import nowhere
from tests.conftest import Person
from tests.front import browser_of, member_of
from tests.imap_server import Dovecot, dovecot  # noqa: F401  # a fixture
from tests.postboxes import DESK, EVE, Postbox, letter, postbox
from workers.maildir import Maildir
from workers.runtime import Runtime

HOUR = 3_600_000


@pytest.fixture
def box(runtime: Runtime, ada: Person, tmp_path: Path) -> Postbox:
    made = postbox(runtime, ada, tmp_path)
    made.inlet()
    return made


def the_inlet(box: Postbox) -> Inlet:
    found: Inlet
    (found,) = box.desk.rows(Inlet)
    return found


def with_a_file() -> bytes:
    mail = EmailMessage()
    for name, value in (("From", EVE), ("To", DESK), ("Subject", "bad"), ("Message-ID", "<bad@x>")):
        mail[name] = value
    mail.set_content("hello")
    mail.add_attachment("text", filename="a.txt")
    return mail.as_bytes()


def subjects(box: Postbox) -> list[tuple[str, str]]:
    return [(row.subject, row.outcome) for row in box.received()]


def breaks_at(monkeypatch: pytest.MonkeyPatch, error: BaseException, subject: str = "bad") -> None:
    """Whoever takes this mail stumbles, as over a bug of ours."""
    real = taking.take

    def take(session: Any, inlet: Any, came: Any, *rest: Any) -> Any:
        if came.mail.subject == subject:
            raise error
        return real(session, inlet, came, *rest)

    monkeypatch.setattr(taking, "take", take)


def aged(box: Postbox, ms: int = HOUR, **values: Any) -> None:
    """As if the last look that ended well were so long ago."""
    with box.runtime.database.write(EVERYONE) as session:
        session.execute(update(Inlet).values(created_at=Inlet.created_at - ms, **values))


def alerts(box: Postbox, rule: str) -> list[tuple[str, int]]:
    return [(row.state, row.level) for row in box.desk.rows(Alert, rule=rule)]


@pytest.mark.parametrize("error", [RuntimeError("a bug"), zlib.error("odd"), AssertionError()])
def test_a_mail_that_always_breaks_is_passed_over_at_once_and_put_aside_after_three_tries(
    box: Postbox, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    breaks_at(monkeypatch, error)
    box.drop(letter(Subject="bad", Message_ID="<bad@x>"), letter())
    assert box.look() == "succeeded"
    assert subjects(box) == [("The printer burns", "opened")]
    box.look()
    box.look()
    assert (len(box.received()), list((the_inlet(box).tried or {}).values())) == (1, [3])
    box.look()
    assert subjects(box)[-1] == ("bad", "set aside")
    assert (box.received()[-1].sender, the_inlet(box).tried, the_inlet(box).trouble) == (EVE, None, "")
    assert [each.name for each in (box.folder / box.desk.place / "cur").iterdir() if "F" in each.name] == [
        "000001.test:2,F"
    ]


def test_whatever_ends_a_worker_at_a_mail_ends_it_three_times_at_most(
    box: Postbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed, or stopped by something that nothing here catches."""
    breaks_at(monkeypatch, KeyboardInterrupt())
    box.drop(letter(Subject="bad", Message_ID="<bad@x>"), letter())
    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            box.look()
    assert the_inlet(box).failures == 3
    assert box.look() == "succeeded"
    assert subjects(box) == [("bad", "set aside"), ("The printer burns", "opened")]


def test_files_at_which_a_library_breaks_cost_a_mail_no_word(box: Postbox, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: object) -> None:
        raise RuntimeError("a bug of a picture library")

    monkeypatch.setattr(attachments, "sort_out", broken)
    assert [row.outcome for row in box.take(with_a_file(), letter())] == ["opened", "opened"]
    assert any("could not be looked through" in each for each in box.desk.rows(TicketMessage)[0].remarks)


def test_a_full_disk_is_told_on_the_mailboxs_page_and_no_mail_is_blamed(
    box: Postbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(FolderStorage, "put", full)
        box.drop(with_a_file())
        for _ in range(5):
            assert box.look() == "succeeded"
    inlet = the_inlet(box)
    assert ("No space left on device" in inlet.trouble, inlet.failures) == (True, 5)
    assert subjects(box) == []
    box.look()
    assert (subjects(box), the_inlet(box).trouble) == ([("bad", "opened")], "")


def test_a_bucket_that_is_away_is_told_there_too_and_the_mail_waits(box: Postbox) -> None:
    here = box.runtime.storage
    object.__setattr__(box.runtime, "storage", nowhere())
    box.drop(with_a_file())
    for _ in range(5):
        assert box.look() == "succeeded"
    assert the_inlet(box).trouble == "Files cannot be kept just now, so mail waits in the mailbox until they can."
    assert subjects(box) == []
    object.__setattr__(box.runtime, "storage", here)
    box.look()
    assert (subjects(box), the_inlet(box).trouble) == ([("bad", "opened")], "")


def test_a_database_that_is_away_is_no_mails_fault(box: Postbox, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        breaks_at(patch, OperationalError("", {}, Exception("server closed the connection")))
        box.drop(letter(Subject="bad", Message_ID="<bad@x>"))
        assert box.look() != "succeeded"
    assert list((the_inlet(box).tried or {}).values()) == [0]
    box.look()
    assert subjects(box) == [("bad", "opened")]


def test_a_mail_that_is_never_handed_out_is_put_aside_in_the_end(box: Postbox, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Maildir.fetch

    def fetch(self: Maildir, mail: Any, most: int) -> bytes | None:
        if mail.name.startswith("000001"):
            raise Trouble("It cannot be read.")
        return real(self, mail, most)

    monkeypatch.setattr(Maildir, "fetch", fetch)
    box.drop(letter(Message_ID="<bad@x>"), letter())
    for _ in range(6):
        box.look()
    assert (subjects(box), the_inlet(box).failures) == ([], 6)
    box.look()
    box.look()
    assert subjects(box) == [("", "set aside"), ("The printer burns", "opened")]


def test_on_a_server_a_mail_is_passed_over_flagged_and_tried_again_when_somebody_says_so(
    runtime: Runtime,
    ada: Person,
    tmp_path: Path,
    dovecot: Dovecot,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    app: Flask,
) -> None:
    box = postbox(runtime, ada, tmp_path)
    trusted = runtime.settings.model_copy(update={"imap_ca": dovecot.certificate})
    object.__setattr__(runtime, "settings", trusted)
    box.imap(dovecot, "broken")
    dovecot.deliver("broken", letter(Subject="bad", Message_ID="<bad@x>"), letter())
    with monkeypatch.context() as patch:
        breaks_at(patch, RuntimeError())
        box.look()
        assert (subjects(box), the_inlet(box).last_uid) == ([("The printer burns", "opened")], 2)
        dovecot.deliver("broken", letter(Message_ID="<3@x>"))
        for _ in range(3):
            box.look()
    assert subjects(box)[1:] == [("The printer burns", "opened"), ("bad", "set aside")]
    assert dovecot.flags("broken")[1] == (b"\\Flagged",)
    browser = browser_of(app, runtime, ada)
    assert "put aside" in browser.get("/care/received?outcome=set+aside").text
    assert browser.post(f"/care/received/{box.received()[-1].id}/again").status_code == 303
    box.look()
    assert subjects(box)[-1] == ("bad", "opened")
    assert (the_inlet(box).last_uid, the_inlet(box).tried) == (3, None)


def test_what_somebody_wants_to_be_tried_again_while_a_look_runs_is_tried_again(box: Postbox) -> None:
    door = Door("maildir", box.desk.place)
    look = inlets.Look(the_inlet(box).id, door, box.desk.writing, lambda: 1)
    look.opened(0)
    one, other = Lying(0, "one", 1), Lying(0, "other", 1)
    assert not look.begin(one)
    with box.desk.writing() as session:
        inlets.again(session.get_one(Inlet, look.inlet_id), "wanted")
    look.end(one)
    look.begin(other)
    assert the_inlet(box).tried == {"wanted": 0, "other": 1}
    look.end(other)
    look.read_to(0, {"one", "other"})
    assert the_inlet(box).tried == {"wanted": 0}


def test_leads_are_told_of_a_mailbox_that_stays_in_trouble_until_it_is_read_again(box: Postbox, ada: Person) -> None:
    lead, agent = box.desk.person("eve", "lead"), box.desk.person("bob")
    (folder := box.folder / box.desk.place).rename(box.folder / "away")
    for _ in range(4):
        box.look()
    assert alerts(box, mailbox_alerts.TROUBLE) == []  # some looks failed, but not for half an hour
    aged(box)
    box.look()
    assert alerts(box, mailbox_alerts.TROUBLE) == [("firing", 1)]
    assert {row.account_id for row in box.desk.rows(Notice)} == {lead}
    (alert,) = box.desk.rows(Alert)
    assert (DESK in alert.title, "no maildir" in alert.text, alert.link) == (True, True, "/care/mailboxes")
    (box.folder / "away").rename(folder)
    box.look()
    box.look()
    assert alerts(box, mailbox_alerts.TROUBLE) == [("resolved", 1)]
    assert "is read again" in box.desk.rows(Alert)[0].title
    assert agent not in {row.account_id for row in box.desk.rows(Notice)}


def test_a_mailbox_that_is_paused_or_deleted_is_nobodys_trouble(box: Postbox) -> None:
    aged(box, failures=7)
    box.look()
    assert alerts(box, mailbox_alerts.TROUBLE) == [("firing", 1)]
    aged(box, failures=7, enabled=False)
    box.look()
    assert alerts(box, mailbox_alerts.TROUBLE) == [("resolved", 1)]
    assert "cannot be read" in box.desk.rows(Alert)[0].title  # and nobody is told that it works


def test_mails_that_were_put_aside_are_told_until_somebody_saw_to_them(
    app: Flask, box: Postbox, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    breaks_at(monkeypatch, RuntimeError())
    box.drop(letter(Subject="bad", Message_ID="<bad@x>"))
    for _ in range(5):
        box.look()
    assert alerts(box, mailbox_alerts.UNREAD) == [("firing", 1)]
    browser = browser_of(app, box.runtime, ada)
    assert "1 mail could not be read" in browser.get("/care/mailboxes").text
    agent = browser_of(app, box.runtime, member_of(box.runtime, ada, "bob", "agent"))
    path = f"/care/received/{box.received()[0].id}/seen"
    assert agent.post(path).status_code == 403
    assert browser.post(path).status_code == 303
    assert subjects(box) == [("bad", "refused")]
    assert browser.post(path).status_code == 404
    box.look()
    assert alerts(box, mailbox_alerts.UNREAD) == [("resolved", 1)]


def test_a_mail_in_a_maildir_is_tried_again(
    app: Flask, box: Postbox, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        breaks_at(patch, RuntimeError())
        box.drop(letter(Subject="bad", Message_ID="<bad@x>"))
        for _ in range(4):
            box.look()
    assert box.lying() == []
    browser_of(app, box.runtime, ada).post(f"/care/received/{box.received()[0].id}/again")
    box.look()
    assert subjects(box) == [("bad", "opened")]
