"""Channels that mean ill: services that answer wrongly or for ever, addresses that flood or read our files."""

import gc
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.parse import quote

import pytest
import requests

from models.base import new_id
from models.delivery import Delivery
from models.session import EVERYONE
from models.workspace import SYSTEM
from tasks import discover
from tasks.errors import JobError, TryLater
from tasks.handover import HandedOver
from tasks.mail.job import TRIES
from tasks.mailing.outgoing import Outgoing
from tests.conftest import Person
from tests.front import WORKER
from tests.test_channels import added, allow, the_channel
from tests.test_mail import deliveries, mail_run
from tests.web_fixtures import Browser
from workers import channels as services
from workers import outgoing
from workers.enqueue import submit
from workers.execute import execute
from workers.runtime import Runtime

SEAL = services.Seal("a secret key for these tests")
WHOLE = {
    "ntfy": "ntfy://h/t",
    "slack": "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#a",
    "tgram": "tgram://123456789:abcdefg_hijklmnop/12315544/",
    "discord": f"discord://{'1' * 18}/{'a' * 68}",
    "workflows": f"workflows://h:443/{'A' * 32}/{'B' * 40}",
    "mmost": "mmost://h/3ccdd113474722377935511fc85d3dd4",
    "rocket": "rocket://u:p@h/#c",
    "matrix": "matrix://u:p@h/#r",
    "gotify": "gotify://h/AbCdEfGhIjKlMnO",
    "pover": f"pover://{'u' * 30}@{'a' * 30}",
    "pbul": f"pbul://{'a' * 32}",
    "join": f"join://{'a' * 32}/{'g' * 32}",
    "ifttt": "ifttt://WebHookID@EventID/",
    "signal": "signal://h/+15551234567/+15557654321",
    "twilio": f"twilio://AC{'1' * 32}:{'a' * 32}@15551234567/15557654321",
    "zulip": f"zulip://botname@apprise/{'a' * 32}",
    "wxteams": f"wxteams://{'a' * 80}",
    "gchat": "gchat://w/k/t",
    "hassio": f"hassio://h/{'a' * 40}",
    "bark": "bark://h/devicekey",
    "spush": "spush://111111",
    "apprise": "apprise://h/token",
    "json": "json://h/p",
    "xml": "xml://h/p",
    "form": "form://h/p",
}
READS_FILES = {"slack", "tgram", "discord", "workflows"}
opened: list[str] = []  # what this process opened, while anybody listens
asked: list[str] = []  # the first lines of what the services below were asked
_listening = threading.Event()


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open" and _listening.is_set():
        opened.append(str(arguments[0]))


@contextmanager
def answering(answer: bytes, drip: bytes = b"") -> Iterator[tuple[int, list[float]]]:
    """A service that says just these bytes, and then one more now and again. Its port, and when it was called."""
    over, calls = threading.Event(), list[float]()
    asked.clear()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def talk(line: socket.socket) -> None:
            with line:
                try:
                    asked.append(line.recv(65_536).decode(errors="replace").partition("\r\n")[0])
                    line.sendall(answer)
                    while drip and not over.wait(0.05):
                        line.sendall(drip)
                except OSError:
                    return

        def serve() -> None:
            while True:
                line, _ = server.accept()
                if over.is_set():
                    line.close()
                    return
                calls.append(monotonic())
                talkers.append(threading.Thread(target=talk, args=(line,)))
                talkers[-1].start()

        talkers = [threading.Thread(target=serve)]
        talkers[0].start()
        try:
            yield server.getsockname()[1], calls
        finally:
            over.set()
            socket.create_connection(server.getsockname()).close()
            for each in talkers:
                each.join()


def sealed(url: str) -> Outgoing:
    return Outgoing(new_id(), "My phone", "News", "Some", sealed_url=SEAL.close(url))


def in_system(runtime: Runtime) -> None:
    with runtime.database.write(SYSTEM) as session:
        mail = discover()["mail"]
        mine = submit(runtime, session, mail, HandedOver(mail.params()), SYSTEM, account_id=None).id
    execute(runtime, mine, WORKER)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Encoding: gzip\r\n\r\nxxxx",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: http://[/\r\nContent-Length: 0\r\n\r\n",
    ],
    ids=["cut off", "not packed", "no chunks", "leads nowhere"],
)
def test_a_service_that_answers_wrongly_hurts_its_own_channel_alone(
    runtime: Runtime, ada: Person, ada_s: Browser, grace: Person, answer: bytes
) -> None:
    allow(runtime, "127.0.0.1")
    with answering(answer) as (port, _):
        assert added(ada_s, f"json://127.0.0.1:{port}/SECRET-PATH").status_code == 302
        execute(runtime, mail_run(runtime, ada.workspace_id), WORKER)
        assert [row.state for row in deliveries(runtime)] == ["queued"]
        with runtime.database.write(EVERYONE) as session:
            session.add(Delivery(workspace_id=grace.workspace_id, to="grace@example.org", subject="S", text="T"))
        for _ in range(TRIES - 1):
            in_system(runtime)
    bad, good = deliveries(runtime)
    assert (bad.state, good.state) == ("failed", "sent")
    assert bad.reason.startswith("The service of this channel")
    assert "SECRET-PATH" not in bad.reason
    assert the_channel(runtime).failures == 1


@pytest.mark.parametrize("body", [b"[1]", b'"x"', b"[" * 100_000, b'{"retry_after_ms": "long"}', b'{"error": 7}'])
@pytest.mark.parametrize("code", [200, 401, 429])
@pytest.mark.parametrize("kind", ["matrix://u:p@{}/#r", "mmost://{}/" + "3c" * 16, "rocket://u:p@{}/#c"])
def test_whatever_a_service_answers_what_comes_of_it_is_said_in_a_sentence(kind: str, code: int, body: bytes) -> None:
    head = f"HTTP/1.1 {code} X\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    with answering(head + body) as (port, _), suppress(TryLater, JobError):
        services.send(sealed(kind.format(f"127.0.0.1:{port}")), SEAL, "127.0.0.1")


def test_a_service_that_names_the_time_of_the_next_try_does_not_hold_the_worker() -> None:
    body = b'{"retry_after_ms": 60000}'
    head = f"HTTP/1.1 429 X\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    with answering(head + body) as (port, calls), pytest.raises(TryLater, match="429"):
        services.send(sealed(f"matrix://u:p@127.0.0.1:{port}/#r"), SEAL, "127.0.0.1")
    assert len(calls) > 1, "it was asked again"
    assert calls[-1] - calls[0] < 20


def test_a_matrix_channel_signs_out_under_the_guard_and_not_when_it_is_forgotten() -> None:
    body = b'{"access_token": "t", "home_server": "h", "user_id": "@u:h", "room_id": "!r:h", "event_id": "e"}'
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    with answering(head + body) as (port, calls):
        services.send(sealed(f"matrix://u:p@127.0.0.1:{port}/!r:h"), SEAL, "127.0.0.1")
        told = [each for each in asked if "logout" in each]
        before = len(calls)
        gc.collect()
        assert (len(told), len(calls)) == (1, before)
        plugin = services._plugin(f"matrix://u:p@127.0.0.1:{port}/!r:h")
        plugin.access_token = "left over"
        del plugin
        gc.collect()
        assert len(calls) == before


def test_when_time_is_over_nothing_more_is_connected_to() -> None:
    plugin_url = "ntfy://127.0.0.1:{}/one/two/three/four/five"
    with answering(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", drip=b"x") as (port, calls):
        plugin = services._plugin(plugin_url.format(port))
        begun = monotonic()
        with outgoing.guarded(outgoing.networks("127.0.0.1"), seconds=0.5) as watch:
            assert not plugin.notify(title="News", body="Some")
            with pytest.raises(requests.ConnectionError, match="time is over"):
                requests.get(f"http://127.0.0.1:{port}/", timeout=60)
    assert (len(calls), watch.statuses) == (1, [0])
    assert monotonic() - begun < 10, "five targets that each drip for ever"


@pytest.mark.parametrize(
    "url", ["ntfy://h/" + "/".join(f"t{n}" for n in range(6)), "ntfy://h/t?retry=1", "ntfy://h/a/b?retry=50&wait=5"]
)
def test_an_address_that_would_send_a_flood_is_refused(ada_s: Browser, url: str) -> None:
    answer = added(ada_s, url)
    assert answer.status_code == 422
    assert "at most 5 targets" in answer.text
    with pytest.raises(JobError, match="at most 5 targets"):  # also one that was added before
        services.send(sealed(url), SEAL, "")


def test_here_is_an_address_of_each_kind_that_is_offered() -> None:
    kinds = {services._apprise().plugins.N_MGR[each] for each in services.SCHEMES}
    assert {type(services._plugin(url)) for url in WHOLE.values()} == kinds


@pytest.mark.parametrize("kind", WHOLE)
def test_no_parameter_of_a_channel_reads_a_file_of_this_machine(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All parameters that the library knows for it, and some that other kinds have, each with a file's name."""
    secret = tmp_path / "secret.json"
    secret.write_text('{"text": "SECRET"}')
    sys.addaudithook(_hear)
    monkeypatch.setattr("socket.getaddrinfo", lambda _host, port, **_: [(2, 1, 6, "", ("127.0.0.1", port))])
    known = set(type(services._plugin(WHOLE[kind])).template_args)
    assert ("template" in known) == (kind in READS_FILES)
    for name in sorted(known | {"template", "attach", "attachment", "config", "keyfile", "file"}):
        for value in (str(secret), f"file://{secret}"):
            url = f"{WHOLE[kind]}?{name}={quote(value, safe='')}"
            opened.clear()
            _listening.set()
            try:
                with suppress(JobError, TryLater):
                    services.send(sealed(url), SEAL, "")
            finally:
                _listening.clear()
            assert str(secret) not in opened, name
            if name == "template" and kind in READS_FILES:
                with pytest.raises(JobError, match="leave template= out"):
                    services.scheme(url)
