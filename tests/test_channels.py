"""Channels: added with a test message, their addresses sealed, nothing sent where it must not go."""

import inspect
import json
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import requests
from sqlalchemy import select

from models.alert import Channel
from models.delivery import Delivery
from models.session import EVERYONE
from tasks.mailing import channels
from tests.conftest import Person
from tests.front import WORKER
from tests.listening import Silent, listening, of_handler
from tests.test_mail import deliveries, mail_run
from tests.web_fixtures import Browser, rows
from workers import channels as services
from workers import outgoing
from workers.execute import execute
from workers.outgoing import may_reach, networks
from workers.runtime import Runtime

SECRET = "topic-that-is-a-secret"


class Hook(Silent):
    """A webhook on this machine: `/NUMBER` answers with it, `/to/PORT` leads to another one, `/drip` never ends."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.heard.append((self.path, body))  # type: ignore[attr-defined]
        if self.path.startswith("/to/"):
            self._say(302, Location=f"http://127.0.0.1:{self.path[4:]}/200")
        elif self.path == "/drip":
            self.send_response(200)
            self.end_headers()
            while not self.server.over.wait(0.05):  # type: ignore[attr-defined]
                self.wfile.write(b"x")
        elif self.path == "/much":
            self._say(200, b"x" * 1_000_000)
        else:
            self._say(int(self.path.strip("/").partition("?")[0] or 200))

    do_GET = do_POST

    def _say(self, code: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(code)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def serving(address: str) -> Iterator[Any]:
    server: Any = of_handler(Hook, address)
    server.heard, server.over = [], threading.Event()
    with listening(server):
        try:
            yield server
        finally:
            server.over.set()


@pytest.fixture
def hook() -> Iterator[Any]:
    with serving("127.0.0.1") as server:
        yield server


def allow(runtime: Runtime, text: str) -> None:
    object.__setattr__(runtime, "settings", runtime.settings.model_copy(update={"outgoing_networks": text}))


def added(browser: Browser, url: str, name: str = "My phone") -> Any:
    return browser.post("/account/channels", {"channel_name": name, "url": url})


def sent(runtime: Runtime, person: Person) -> Delivery:
    """What became of the message that waits."""
    execute(runtime, mail_run(runtime, person.workspace_id), WORKER)
    return deliveries(runtime)[-1]


def the_channel(runtime: Runtime) -> Channel:
    with runtime.database.read(EVERYONE) as session:
        return session.scalars(select(Channel)).one()


def test_a_channel_is_added_with_a_test_message_that_arrives_where_the_network_is_allowed(
    runtime: Runtime, ada: Person, ada_s: Browser, hook: Any
) -> None:
    allow(runtime, "127.0.0.0/8")
    assert added(ada_s, f"json://127.0.0.1:{hook.server_port}/200?+X-Key={SECRET}").status_code == 302
    assert sent(runtime, ada).state == "sent"
    ((_path, body),) = hook.heard
    told = json.loads(body)
    assert (told["title"], "Nothing is wrong" in told["message"]) == ("A test", True)
    assert f"{runtime.origin}/account/channels" in told["message"]
    page = ada_s.get("/account/channels").text
    assert "My phone" in page
    for shown in (page, repr(the_channel(runtime).__dict__), repr([row.__dict__ for row in deliveries(runtime)])):
        assert SECRET not in shown


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "[::1]", "0.0.0.0", "2130706433", "0x7f000001", "[::ffff:127.0.0.1]", "169.254.169.254"],
)
def test_what_lies_in_a_private_network_gets_nothing(
    runtime: Runtime, ada: Person, ada_s: Browser, hook: Any, host: str
) -> None:
    answer = added(ada_s, f"json://{host}:{hook.server_port}/200")
    if answer.status_code == 422:  # apprise itself takes it for no host
        return
    row = sent(runtime, ada)
    assert (row.state, hook.heard) == ("failed", [])
    assert "private network" in row.reason
    assert "ask whoever runs this Nightshift" in the_channel(runtime).reason


def test_a_redirect_is_checked_like_any_other_address(runtime: Runtime, ada: Person, ada_s: Browser, hook: Any) -> None:
    with serving("127.0.0.2") as outside:
        allow(runtime, "127.0.0.2")
        added(ada_s, f"json://127.0.0.2:{outside.server_port}/to/{hook.server_port}")
        row = sent(runtime, ada)
    assert (row.state, hook.heard) == ("failed", [])
    assert "(127.0.0.1)" in row.reason
    assert len(outside.heard) == 1


def test_the_address_that_is_connected_to_is_the_one_that_was_checked(
    hook: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that answers with a public address first and with this machine's afterwards."""
    asked = []

    def resolve(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        asked.append(host)
        return [(2, 1, 6, "", ("93.184.215.14" if len(asked) == 1 else "127.0.0.1", port))]

    def connect(address: tuple[str, int], *_: Any, **__: Any) -> Any:
        raise OSError(f"connected to {address[0]}")

    monkeypatch.setattr("socket.getaddrinfo", resolve)
    monkeypatch.setattr(outgoing, "create_connection", connect)
    with outgoing.guarded() as watch, pytest.raises(requests.ConnectionError):
        requests.get(f"http://rebinding.example:{hook.server_port}/200", timeout=5)
    assert (asked, watch.refused) == (["rebinding.example"], ""), "one answer, checked and used"


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True), ("2606:4700::1111", True), ("10.1.2.3", False), ("172.16.0.1", False), ("100.64.1.1", False),
        ("192.168.1.1", False), ("224.0.0.1", False), ("255.255.255.255", False), ("fe80::1%eth0", False),
        ("fc00::1", False), ("ff02::1", False), ("::", False), ("::ffff:10.0.0.1", False), ("64:ff9b::a00:1", False),
        ("2002:7f00:1::", False), ("2001:0:0:0:0:0:80ff:fffe", False), ("::7f00:1", False), ("192.0.2.1", False),
    ],
)  # fmt: skip
def test_which_addresses_are_public(address: str, public: bool) -> None:
    assert may_reach(address) is public


def test_an_allowed_network_is_allowed_and_no_other() -> None:
    allowed = networks("192.168.1.0/24, fd00::/8")
    assert may_reach("192.168.1.7", allowed)
    assert may_reach("::ffff:192.168.1.7", allowed)
    assert may_reach("fd00::7", allowed)
    assert not may_reach("192.168.2.7", allowed)


@pytest.mark.parametrize(("path", "state", "reason"), [
    ("500", "queued", "later"), ("429", "queued", "later"), ("404", "failed", "refused the message (404)"),
    ("much", "queued", ""),
])  # fmt: skip
def test_a_service_in_trouble_is_tried_again_and_one_that_refuses_is_not(
    runtime: Runtime, ada: Person, ada_s: Browser, hook: Any, path: str, state: str, reason: str
) -> None:
    allow(runtime, "127.0.0.1")
    added(ada_s, f"json://127.0.0.1:{hook.server_port}/{path}")
    row = sent(runtime, ada)
    if path != "much":
        assert (row.state, reason in row.reason) == (state, True), row.reason
    else:
        assert row.state != "sent"


def test_a_service_that_drips_for_ever_is_hung_up_on(hook: Any) -> None:
    with (
        outgoing.guarded(networks("127.0.0.1"), seconds=0.5),
        pytest.raises(Exception, match=r"too slow|(?i:connection|read)"),  # requests' or urllib3's own, by timing
    ):
        requests.get(f"http://127.0.0.1:{hook.server_port}/drip", timeout=60)
    assert requests.get(f"http://127.0.0.1:{hook.server_port}/200", timeout=5).status_code == 200, "outside it: as ever"


def test_a_channel_that_fails_again_and_again_is_off_until_it_is_turned_on(
    runtime: Runtime, ada: Person, ada_s: Browser, hook: Any
) -> None:
    allow(runtime, "127.0.0.1")
    added(ada_s, f"json://127.0.0.1:{hook.server_port}/404")
    for number in range(5):
        if number:
            with runtime.database.write(EVERYONE) as session:
                (way,) = channels.ways(session, [ada.account_id])[ada.account_id]
                session.add(channels.message(way, ada.account_id, ada.workspace_id, "News", "Some", "https://x"))
        assert sent(runtime, ada).state == "failed"
    channel = the_channel(runtime)
    assert (channel.enabled, channel.failures) == (False, 5)
    assert "turned off after 5 failures" in ada_s.get("/account/channels").text
    with runtime.database.write(EVERYONE) as session:
        assert channels.ways(session, [ada.account_id]) == {}
    ada_s.post(f"/account/channels/{channel.id}/switch")
    assert (the_channel(runtime).enabled, the_channel(runtime).failures) == (True, 0)


@pytest.mark.parametrize(
    "url",
    [
        "", "nothing", "https://example.org/hook", "file:///etc/passwd", "mailto://a:b@example.org", "syslog://",
        "dbus://", "mqtt://localhost", "windows://", "gnome://", "macosx://", "smpp://a:b@h/1/2", "rsyslog://127.0.0.1",
        "JSON", "slack://", "json://" + "x" * 1300,
    ],
)  # fmt: skip
def test_what_is_no_channel_is_refused_beside_its_field(ada_s: Browser, runtime: Runtime, url: str) -> None:
    answer = added(ada_s, url)
    assert answer.status_code == 422
    assert 'id="url-error"' in answer.text
    assert rows(runtime.database, Channel) == []


def test_every_kind_that_is_offered_speaks_through_requests_alone() -> None:
    loaded = services._apprise().plugins.N_MGR
    for scheme in services.SCHEMES:
        module = inspect.getmodule(loaded[scheme])
        assert module
        assert hasattr(module, "requests"), scheme
        source = inspect.getsource(module)
        for word in ("import socket", "import smtplib", "import subprocess", "urlopen", "os.system", "import paho"):
            assert word not in source, (scheme, word)


def test_addresses_of_channels_stand_in_no_log(
    runtime: Runtime, ada: Person, ada_s: Browser, hook: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    allow(runtime, "127.0.0.1")
    for code in (200, 404, 500):
        added(ada_s, f"json://127.0.0.1:{hook.server_port}/{code}?+X-Key={SECRET}")
        execute(runtime, mail_run(runtime, ada.workspace_id), WORKER)
    assert SECRET not in caplog.text
    assert len(hook.heard) >= 2


def test_nobody_sees_or_changes_another_one_s_channels(
    runtime: Runtime, ada: Person, ada_s: Browser, grace: Person, app: Any
) -> None:
    from tests.front import browser_of

    added(ada_s, "ntfys://ntfy.example.org/topic", "Ada’s pocket")
    channel, graces = the_channel(runtime), browser_of(app, runtime, grace)
    assert "Ada’s pocket" not in graces.get("/account/channels").text
    for deed in ("test", "switch", "delete"):
        assert graces.post(f"/account/channels/{channel.id}/{deed}").status_code == 404
    assert the_channel(runtime).enabled
    assert ada_s.post(f"/account/channels/{channel.id}/delete").status_code == 302
    assert rows(runtime.database, Channel) == []


def test_a_channel_gets_no_more_of_a_long_text_than_services_take() -> None:
    assert channels.short("  few words ") == "few words"
    cut = channels.short("x" * 5000)
    assert (len(cut), cut[-1]) == (channels.LONGEST_TEXT, "…")
