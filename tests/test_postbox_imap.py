"""Mailboxes on a real IMAP server: read once, whatever dies in between; hostile ones end soon."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import update

from models.base import new_id
from models.desk import Inlet
from models.session import EVERYONE
from models.ticket import Received, Ticket
from tasks.care.boxes import Door, Trouble
from tasks.care.inlets import waited
from tests.conftest import Person, at_once
from tests.imap_server import PASSWORD, Dovecot, dovecot  # noqa: F401  # a fixture
from tests.postboxes import Postbox, letter, postbox
from workers import imap
from workers.outgoing import networks
from workers.runtime import Runtime

HERE = networks("127.0.0.0/8")


@pytest.fixture
def box(runtime: Runtime, ada: Person, tmp_path: Path, dovecot: Dovecot) -> Postbox:  # noqa: F811
    made = postbox(runtime, ada, tmp_path)
    trusted = runtime.settings.model_copy(update={"imap_ca": dovecot.certificate})
    object.__setattr__(runtime, "settings", trusted)
    return made


def the_inlet(box: Postbox) -> Inlet:
    found: Inlet
    (found,) = box.desk.rows(Inlet)
    return found


def ids(*numbers: int) -> list[bytes]:
    return [letter(Message_ID=f"<{number}@x>", Subject=f"No. {number}") for number in numbers]


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_what_came_is_read_once_in_its_order_and_marked(
    box: Postbox,
    dovecot: Dovecot,  # noqa: F811
    security: str,
) -> None:
    user = f"once-{security}"
    dovecot.deliver(user, *ids(1, 2))
    port = dovecot.port if security == "tls" else dovecot.second_port
    box.imap(dovecot, user, security=security, port=port)
    box.look()
    assert [row.subject for row in box.received()] == ["No. 1", "No. 2"]
    assert dovecot.flags(user) == {1: (b"\\Seen",), 2: (b"\\Seen",)}
    box.look()
    dovecot.deliver(user, *ids(3))
    box.look()
    assert [row.subject for row in box.received()] == ["No. 1", "No. 2", "No. 3"]
    assert (the_inlet(box).last_uid, the_inlet(box).trouble, the_inlet(box).failures) == (3, "", 0)


def test_what_lay_there_before_is_left_alone_unless_it_is_asked_for(
    box: Postbox,
    dovecot: Dovecot,  # noqa: F811
) -> None:
    dovecot.deliver("old", *ids(1, 2))
    box.imap(dovecot, "old", uid_validity=0)
    box.look()
    assert box.received() == []
    dovecot.deliver("old", *ids(3))
    box.look()
    assert [row.subject for row in box.received()] == ["No. 3"]


def test_a_worker_that_dies_after_the_commit_makes_no_second_ticket(
    box: Postbox,
    dovecot: Dovecot,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Before it marked the mail, and before it wrote down how far it came."""
    dovecot.deliver("dies", *ids(1, 2))
    box.imap(dovecot, "dies")

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(imap.ImapBox, "done", dies)
        with pytest.raises(KeyboardInterrupt):
            box.look()
    assert len(box.desk.rows(Ticket)) == 1
    box.look()
    assert [row.subject for row in box.received()] == ["No. 1", "No. 2"]
    assert len(box.desk.rows(Ticket)) == 2
    assert all(b"\\Seen" in flags for flags in dovecot.flags("dies").values())


def test_a_worker_that_dies_before_the_commit_loses_no_mail(
    box: Postbox,
    dovecot: Dovecot,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from tasks.care import taking

    def dies(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    dovecot.deliver("early", *ids(1))
    box.imap(dovecot, "early")
    with monkeypatch.context() as patch:
        patch.setattr(taking, "write_down", dies)
        with pytest.raises(KeyboardInterrupt):
            box.look()
    assert box.desk.rows(Ticket) == []
    box.look()
    assert len(box.desk.rows(Ticket)) == 1


def test_a_server_that_counts_anew_makes_no_second_ticket(box: Postbox, dovecot: Dovecot) -> None:  # noqa: F811
    dovecot.deliver("anew", *ids(1, 2))
    box.imap(dovecot, "anew")
    box.look()
    with box.runtime.database.write(EVERYONE) as session:  # as if its numbers had been of another time
        session.execute(update(Inlet).values(uid_validity=Inlet.uid_validity + 1, last_uid=999))
    dovecot.deliver("anew", *ids(3))
    box.look()
    assert [row.subject for row in box.received()] == ["No. 1", "No. 2", "No. 3"]
    assert the_inlet(box).last_uid == 3


def test_two_runs_at_once_make_one_ticket_of_each_mail(box: Postbox, dovecot: Dovecot) -> None:  # noqa: F811
    dovecot.deliver("twice", *ids(*range(5)))
    box.imap(dovecot, "twice")
    at_once(box.look, box.look)
    box.look()
    assert len(box.desk.rows(Ticket)) == len(box.received()) == 5


def test_several_mailboxes_are_looked_into_each_by_a_run_and_one_in_trouble_holds_up_none(
    box: Postbox,
    dovecot: Dovecot,  # noqa: F811
) -> None:
    dovecot.deliver("fine", *ids(1))
    box.imap(dovecot, "locked", password="wrong", address="locked@shop.example")
    box.imap(dovecot, "fine")
    assert box.look() == "succeeded"
    assert [row.subject for row in box.received()] == ["No. 1"]
    locked, fine = sorted(box.desk.rows(Inlet), key=lambda each: each.address, reverse=True)
    assert ("does not let us in" in locked.trouble, locked.failures, fine.trouble) == (True, 1, "")


def test_one_in_trouble_is_tried_less_and_less_often() -> None:
    minute = 60_000
    assert waited(None, 5, 0)
    assert [waited(0, failures, 3 * minute) for failures in (0, 1, 2, 20)] == [True, True, False, False]
    assert waited(0, 20, 60 * minute)


def test_the_job_runs_by_itself_every_minute() -> None:
    from tasks import discover

    assert discover()["postbox"].schedule == "* * * * *"


Talk = Callable[[socket.socket], None]


@contextmanager
def hostile(talk: Talk) -> Iterator[int]:
    """A server on loopback that says whatever it likes."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            try:
                client, _ = listening.accept()
                with client:
                    talk(client)
            except OSError:
                pass

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        thread.join(5)


def opened(port: int, seconds: float = 2.0, **more: str) -> imap.ImapBox:
    given = {"kind": "imap", "workspace_id": new_id(), "host": "127.0.0.1", "user": "u", "security": "starttls", **more}
    return imap.ImapBox(Door(port=port, **given), PASSWORD, HERE, seconds=seconds)  # type: ignore[arg-type]


def lines(*said: bytes) -> Talk:
    def talk(client: socket.socket) -> None:
        for each in said:
            client.sendall(each)
        while client.recv(4096):
            pass

    return talk


def drip(client: socket.socket) -> None:
    while True:
        client.sendall(b"* ")
        client.settimeout(0.05)
        try:
            client.recv(1)
        except TimeoutError:
            continue


@pytest.mark.parametrize(
    ("talk", "words"),
    [
        (lines(b""), "took too long"),
        (drip, "took too long"),
        (lines(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "makes no sense"),
        (lines(b"* " + b"x" * 2_000_000 + b"\r\n"), "makes no sense"),
        (lines(b"* OK\r\n* CAPABILITY IMAP4rev1 {999999999999}\r\n"), "makes no sense"),
        (lines(b"* BYE go away\r\n"), "makes no sense"),
    ],
)
def test_a_server_that_is_silent_slow_or_out_of_its_mind_ends_soon_and_is_told_no_password(
    talk: Talk, words: str
) -> None:
    with hostile(talk) as port, pytest.raises(Trouble, match=words):
        opened(port, 0.3).close()


def test_without_tls_no_password_is_sent() -> None:
    heard: list[bytes] = []

    def talk(client: socket.socket) -> None:
        client.sendall(b"* OK [CAPABILITY IMAP4rev1] hello\r\n")
        while data := client.recv(4096):
            heard.append(data)
            client.sendall(data.split()[0] + b" BAD no\r\n")

    with hostile(talk) as port, pytest.raises(Trouble):
        opened(port).close()
    assert PASSWORD.encode() not in b"".join(heard)


def test_private_addresses_are_not_connected_to() -> None:
    with pytest.raises(Trouble, match="private network"):
        imap.ImapBox(Door("imap", new_id(), "127.0.0.1", 1, user="u"), PASSWORD, ())


def test_a_maildir_that_is_no_folder_or_holds_links_gives_away_nothing(
    runtime: Runtime, ada: Person, tmp_path: Path
) -> None:
    here = postbox(runtime, ada, tmp_path)
    here.inlet()
    secret = tmp_path / "secret"
    secret.write_bytes(letter("what nobody may read"))
    (here.folder / here.desk.place / "new" / "1.link").symlink_to(secret)
    (here.folder / here.desk.place / "new" / "2.folder").mkdir()
    here.look()
    assert here.received() == []
    assert here.desk.rows(Received) == []
    (here.folder / here.desk.place).rename(here.folder / "else")
    here.look()
    assert "no maildir" in the_inlet(here).trouble
