"""nginx before the front: TLS, limits, what it passes on, and what it says while the front is away."""

import json
import socket
import ssl
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.make_run import until
from tests.nginx_stack import Front, NameServer, Nginx, fronts, names
from tests.servers import require
from workers.broker import free_ports

HTML = {"Accept": "text/html"}


@dataclass
class Stack:
    """nginx, what tells it where the fronts are, and the fronts."""

    nginx: Nginx
    names: NameServer
    fronts: list[Front]

    def get(self, path: str, **more: str) -> requests.Response:
        with self.nginx.browser() as browser:
            return browser.get(f"{self.nginx.url}{path}", headers=more, allow_redirects=False, timeout=20)

    def post(self, path: str, data: bytes = b"", **more: str) -> requests.Response:
        with self.nginx.browser() as browser:
            return browser.post(f"{self.nginx.url}{path}", data, headers=more, allow_redirects=False, timeout=20)

    def is_away(self, front: str) -> bool:
        """Whether nginx answers with 502, and this is what it had from the front; nothing when it knew of none."""
        return self.get("/runs/").status_code == 502 and self.last()["front"] == front

    def last(self) -> dict[str, Any]:
        """The last line of the log."""
        found: dict[str, Any] = until(lambda: json.loads(self.nginx.requests_log.splitlines()[-1]))
        return found


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One front, which answers an address without a token five times a minute."""
    require(Nginx)
    (port,) = free_ports(1)
    more = {"NIGHTSHIFT_API_PER_MINUTE": "5", "NIGHTSHIFT_MAX_UPLOAD_MB": "1"}
    with (
        names("127.0.0.2") as server,
        Nginx(
            f"web:{port}", f"127.0.0.1:{server.server_address[1]}", NGINX_HSTS_SECONDS="300", NGINX_PER_SECOND="200",
            NIGHTSHIFT_MAX_UPLOAD_MB="1",
        ) as nginx,
        fronts(tmp_path_factory.mktemp("nginx") / "var", port, ("127.0.0.2",), **more) as started,
    ):  # fmt: skip
        yield Stack(nginx, server, started)


def test_plain_http_leads_to_the_public_address_whatever_host_was_asked_for(stack: Stack) -> None:
    for url in (stack.nginx.plain_url, stack.nginx.url.replace("https", "http")):
        answer = requests.get(f"{url}/a%2Fb?c=d", headers={"Host": "evil.example"}, allow_redirects=False, timeout=5)
        assert (answer.status_code, answer.headers["Location"]) == (307, f"{stack.nginx.url}/a%2Fb?c=d")
        assert "Strict-Transport-Security" not in answer.headers or url != stack.nginx.plain_url


def test_a_page_comes_through_with_the_front_s_own_headers_and_tls_is_demanded(stack: Stack) -> None:
    answer = stack.get("/sign-in")
    assert answer.status_code in (200, 302)
    assert answer.headers["Server"] == "nginx"
    assert answer.headers["Strict-Transport-Security"] == "max-age=300"
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "no-store"
    for name in ("X-Frame-Options", "X-Content-Type-Options"):
        assert "," not in answer.headers[name], "said once"
    with socket.create_connection(("127.0.0.1", stack.nginx.port), timeout=5) as wire:
        context = ssl.create_default_context(cafile=stack.nginx.certificate)
        context.set_alpn_protocols(["h2"])
        with context.wrap_socket(wire, server_hostname="127.0.0.1") as wrapped:
            assert (wrapped.version(), wrapped.selected_alpn_protocol()) == ("TLSv1.3", "h2")


def test_static_files_are_compressed_and_kept_and_pages_are_not_kept(stack: Stack) -> None:
    path = "/static/style.css"
    answer = stack.get(path)
    assert (answer.status_code, answer.headers["Content-Encoding"]) == (200, "gzip")
    began = len(stack.nginx.requests_log)
    assert stack.get(path).content == answer.content
    until(lambda: stack.nginx.requests_log[began:])
    assert '"front":""' in stack.nginx.requests_log[began:], "the front was not asked again"


def test_whom_a_client_says_that_it_speaks_for_is_not_believed(stack: Stack) -> None:
    """The front counts by address: other words for the same address are one, and another address is another."""
    said = {"X-Forwarded-For": "203.0.113.{}", "Forwarded": "for=203.0.113.{}", "X-Real-IP": "203.0.113.{}"}

    def asked(address: str, number: int) -> int:
        with stack.nginx.browser(address) as browser:
            headers = {name: value.format(number) for name, value in said.items()}
            return browser.get(f"{stack.nginx.url}/api/v1/runs", headers=headers, timeout=5).status_code

    assert [asked("127.0.0.5", number) for number in range(7)] == [401] * 5 + [429] * 2
    assert asked("127.0.0.6", 0) == 401


def test_too_much_at_once_is_refused_with_a_sentence(stack: Stack) -> None:
    answer = stack.post("/jobs/ecg", bytes(2_200_000))
    assert answer.status_code == 413
    assert "All files of one form together may have 1 MB. Send less at a time." in answer.text
    answer = stack.post("/api/v1/jobs/ecg/runs", bytes(2_200_000))
    assert (answer.status_code, answer.headers["Content-Type"]) == (413, "application/problem+json")
    assert answer.json()["detail"] == "All files of one form together may have 1 MB. Send less at a time."
    assert stack.get("/sign-in", Cookie="a=" + "b" * 9000).status_code == 400


def test_guessing_is_slowed_down_and_reading_the_form_is_not(stack: Stack) -> None:
    with stack.nginx.browser("127.0.0.7") as browser:
        found = [browser.post(f"{stack.nginx.url}/sign-in", timeout=5, allow_redirects=False) for _ in range(26)]
        statuses = [answer.status_code for answer in found]
        assert 429 not in statuses[:20]
        assert 429 in statuses[20:]
        late = next(answer for answer in found if answer.status_code == 429)
        assert (late.headers["Retry-After"], late.headers["Cache-Control"]) == ("5", "no-store")
        assert "Wait a few seconds" in late.text
        assert "Refresh" not in late.headers
        assert browser.get(f"{stack.nginx.url}/sign-in", timeout=5).status_code == 200


def test_figures_are_for_prometheus_and_a_balancer_may_ask_whether_work_is_taken(stack: Stack) -> None:
    answer = stack.get("/metrics", Authorization="Bearer whatever")
    assert (answer.status_code, "nightshift_" in answer.text) == (403, False)
    assert "for those who run this Nightshift" in answer.text
    assert stack.get("/livez").text == "alive\n"
    assert stack.get("/readyz").status_code == 503, "the front's own answer: its tables came by no migration"


def test_clients_that_dawdle_over_their_body_keep_no_thread_of_the_front(stack: Stack) -> None:
    context = ssl.create_default_context(cafile=stack.nginx.certificate)
    slow = [
        context.wrap_socket(socket.create_connection(("127.0.0.1", stack.nginx.port)), server_hostname="127.0.0.1")
        for _ in range(12)  # the front has eight threads
    ]
    for wire in slow:
        wire.sendall(b"POST /jobs/ecg HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nabc")
    assert stack.get("/livez").elapsed.total_seconds() < 2
    for wire in slow:
        wire.close()


def test_while_the_front_is_away_a_page_says_so_and_it_is_found_again_wherever_it_comes_back(stack: Stack) -> None:
    assert stack.get("/static/house.js").status_code == 200
    stack.fronts[0].stop()
    for addresses, asked in ((["127.0.0.2"], "502"), ([], "")):  # it is down, and then its name is gone, too
        stack.names.addresses = addresses
        until(partial(stack.is_away, asked))
        answer = stack.get("/runs/", **HTML)
        assert (answer.headers["Retry-After"], answer.headers["Refresh"]) == ("5", "5")
        assert answer.headers["Strict-Transport-Security"] == "max-age=300"
        assert "Nightshift is away for a moment" in answer.text
        assert "<!--#" not in answer.text
        assert "http://" not in answer.text.replace("http://www.w3.org", "")
    sent = stack.post("/expenses/entries", b"a=b")
    assert (sent.status_code, sent.headers.get("Refresh"), sent.headers["Retry-After"]) == (502, None, "5")
    assert "look whether it arrived" in sent.text
    program = stack.get("/api/v1/runs")
    assert (program.headers["Content-Type"], program.json()["status"]) == ("application/problem+json", 502)
    assert stack.get("/static/house.js").status_code == 200, "kept files go on"
    there = stack.fronts[0]
    there.environment["NIGHTSHIFT_HOST"] = there.address = "127.0.0.3"
    there.start()
    there.ready()
    stack.names.addresses = ["127.0.0.3"]
    until(lambda: stack.get("/livez").status_code == 200, 8)


def test_the_log_tells_how_it_went_and_neither_who_nor_where(stack: Stack) -> None:
    stack.post("/ticket/a-secret-token?q=secret", b"")
    last = stack.last()
    assert last["method"] == "POST"
    assert last["seconds"] >= 0
    everything = stack.nginx.requests_log + stack.nginx.said()
    assert "secret" not in everything
    assert "127.0.0.1" not in everything


def test_fronts_that_are_changed_for_new_ones_lose_nobody_s_request(tmp_path: Path) -> None:
    require(Nginx)
    (port,) = free_ports(1)
    both = ("127.0.0.2", "127.0.0.3")
    with (
        names(*both) as server,
        Nginx(f"web:{port}", f"127.0.0.1:{server.server_address[1]}", NGINX_PER_SECOND="100000") as nginx,
        fronts(tmp_path / "var", port, both, NIGHTSHIFT_API_PER_MINUTE="0") as started,
        sending(nginx) as found,
    ):
        more = 50
        until(lambda: found.total() > more)
        started[0].stop()
        server.addresses = ["127.0.0.3"]
        wait_for(found, more)
        started[0].start()
        server.addresses = list(both)  # before it answers
        started[0].ready()
        started[1].stop()
        wait_for(found, more)
    assert set(found) == {("GET", 401), ("POST", 401)}, found


def wait_for(found: Counter[tuple[str, int]], more: int) -> None:
    before = found.total()
    until(lambda: found.total() > before + more)


class sending:  # reads as a verb
    """Programs without a token that ask and post all the time, until the block ends; what they got, counted."""

    def __init__(self, nginx: Nginx) -> None:
        self.nginx, self.found, self.over = nginx, Counter[tuple[str, int]](), threading.Event()
        self.threads = [threading.Thread(target=self._send, args=(verb,)) for verb in ("GET", "POST") * 4]

    def _send(self, verb: str) -> None:
        with self.nginx.browser() as browser:
            while not self.over.is_set():
                body = b"{}" if verb == "POST" else None
                path = "/api/v1/jobs/ecg/runs" if verb == "POST" else "/api/v1/runs"
                answer = browser.request(verb, f"{self.nginx.url}{path}", data=body, timeout=30)
                self.found[verb, answer.status_code] += 1

    def __enter__(self) -> Counter[tuple[str, int]]:
        for thread in self.threads:
            thread.start()
        return self.found

    def __exit__(self, *_: object) -> None:
        self.over.set()
        for thread in self.threads:
            thread.join()
