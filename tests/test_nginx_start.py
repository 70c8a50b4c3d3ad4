"""How nginx starts: what it is told, and the certificate that it finds."""

import os
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
import urllib3

from tests.make_run import until
from tests.nginx_stack import Nginx
from tests.servers import require


@pytest.fixture
def nginx() -> Iterator[Nginx]:
    """One that is not started, and whose front is nowhere."""
    require(Nginx)
    made = Nginx()
    made.prepare()
    yield made
    made.__exit__()


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("NIGHTSHIFT_PUBLIC_URL", "http://night.example.org", "must begin with https://"),
        ("NIGHTSHIFT_PUBLIC_URL", "https://night.example.org;deny all", "holds what no address holds"),
        ("NIGHTSHIFT_MAX_UPLOAD_MB", "50m", "must be a whole number"),
        ("NGINX_PER_SECOND", "0", "must be 1 or more"),
        ("NGINX_HSTS_SECONDS", "for ever", "must be a whole number"),
        ("NGINX_RESOLVER", "127.0.0.1 valid=1s", "holds what no address holds"),
        ("NGINX_FRONT", "web:5001|x", "holds what no address holds"),
        ("NGINX_CERTIFICATES", "/nowhere", "cannot be read: put the certificate and its key there"),
    ],
)
def test_a_wrong_setting_stops_it_with_a_sentence_that_names_it(nginx: Nginx, name: str, value: str, said: str) -> None:
    assert nginx.checked() == ""
    nginx.more[name] = value
    found = nginx.checked()
    assert said in found
    assert (name in found) == (name != "NGINX_CERTIFICATES")
    assert found.count("\n") == 1


def test_it_speaks_http_2_and_says_so_as_its_version_wants_it(nginx: Nginx, tmp_path: Path) -> None:
    nginx.start()
    context = ssl.create_default_context(cafile=nginx.certificate)
    context.set_alpn_protocols(["h2", "http/1.1"])
    plain = socket.create_connection(("127.0.0.1", nginx.port), 5)
    with context.wrap_socket(plain, server_hostname="127.0.0.1") as secure:
        assert secure.selected_alpn_protocol() == "h2"
    for version, wanted in (("1.24.0", "ssl http2;"), ("1.25.0", "ssl http2;"), ("1.25.1", "ssl; http2 on;")):
        other = tmp_path / "nginx"
        other.write_text(f"#!/bin/sh\necho 'nginx version: nginx/{version} (Debian)' >&2\n")
        other.chmod(0o755)
        nginx.more["PATH"] = f"{tmp_path}:{os.environ['PATH']}"
        subprocess.run([*nginx.command(), "check"], env=nginx.environment(), check=True, capture_output=True)
        assert wanted in (nginx.folder / "work" / "conf" / "nginx.conf").read_text()


def test_a_certificate_past_its_date_is_served_on_and_a_new_one_is_taken_up_by_itself(nginx: Nginx) -> None:
    nginx.certify(days=-1)
    nginx.start()

    def asked(verify: bool) -> int:
        with nginx.browser() as browser:
            return browser.get(
                f"{nginx.url}/metrics", verify=browser.verify if verify else False, timeout=5
            ).status_code

    with pytest.warns(urllib3.exceptions.InsecureRequestWarning):
        assert asked(verify=False) == 403, "nginx itself goes on"
    with pytest.raises(requests.exceptions.SSLError, match="expired"):
        asked(verify=True)
    nginx.certify()
    until(lambda: works(lambda: asked(verify=True)))
    nginx.certificate.write_text("no certificate at all")
    time.sleep(0.6)  # it looks five times a second
    with socket.create_connection(("127.0.0.1", nginx.port), timeout=5):
        assert nginx.answers(), "a broken one changes nothing"


def works(call: Callable[[], object]) -> bool:
    try:
        call()
    except requests.exceptions.SSLError:
        return False
    return True
