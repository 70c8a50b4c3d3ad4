"""The end of the certificate that browsers are shown: asked of the proxy itself, told before it is there."""

import contextlib
import os
import socketserver
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from deploy.commands import BEAT
from deploy.settings import ROOT, Settings
from models import vitals
from models.session import EVERYONE
from tests import certificates
from tests.listening import listening
from tests.make_run import until
from tests.test_metrics import scrape, value
from workers import certificate
from workers.runtime import Runtime


class Shaking(socketserver.ThreadingTCPServer):
    """Shakes hands and hangs up; who breaks off is let go."""

    daemon_threads = True
    context: ssl.SSLContext

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        with contextlib.suppress(OSError):
            self.context.wrap_socket(request, server_side=True).close()


@contextmanager
def shown(folder: Path, days: float) -> Iterator[str]:
    """The address of somebody who shows a certificate that ends in so many days."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificates.made(folder, days=days))
    with listening(Shaking(("127.0.0.1", 0), socketserver.BaseRequestHandler)) as server:
        server.context = context
        yield f"https://127.0.0.1:{server.server_address[1]}"


def alarms(runtime: Runtime) -> list[str]:
    with runtime.database.read(EVERYONE) as session:
        return [alarm.text for alarm in vitals.expiring(session)]


@pytest.mark.parametrize(
    ("days", "told"),
    [
        (20, []),
        (9.7, ["The certificate ends in 10 days: browsers will warn people of us."]),
        (-1, ["The certificate is past its date: browsers warn people of us."]),
    ],
)
def test_an_end_is_told_two_weeks_before_it_is_there(
    app: Flask, runtime: Runtime, tmp_path: Path, days: float, told: list[str]
) -> None:
    assert alarms(runtime) == [], "none is watched"
    assert value(scrape(app, runtime), "certificate_ends_seconds") is None
    with shown(tmp_path, days) as url:
        looking = watching(runtime, url)
        certificate.look(looking)
        assert abs(certificate.ends(url) / 1000 - time.time() - days * 86_400) < 60
    assert alarms(runtime) == told
    found = scrape(app, runtime)
    assert value(found, "alarms", alarm="certificate-ends") == len(told)
    assert abs((value(found, "certificate_ends_seconds") or 0) - days * 86_400) < 60
    certificate.look(looking)  # nobody is there any more
    assert alarms(runtime) == told, "what was heard last holds"
    with runtime.database.write(EVERYONE) as session:
        certificate.forget(session)
    assert alarms(runtime) == []


def watching(runtime: Runtime, url: str) -> Runtime:
    """The same on the same tables, with the setting."""
    return replace(runtime, settings=runtime.settings.model_copy(update={"certificate_url": url}))


def test_the_address_is_a_web_address() -> None:
    with pytest.raises(ValueError, match="NIGHTSHIFT_CERTIFICATE_URL is no address"):
        Settings.model_validate({"certificate_url": "nginx:8443"})


def test_beat_looks_by_itself(runtime: Runtime, tmp_path: Path) -> None:
    def seen() -> float | None:
        with runtime.database.read(EVERYONE) as session:
            return vitals.certificate_ends_s(session)

    with shown(tmp_path, 9.7) as url:
        said = {"NIGHTSHIFT_VAR": str(runtime.settings.var), "NIGHTSHIFT_CERTIFICATE_URL": url}
        said |= {"NIGHTSHIFT_BROKER_URL": runtime.settings.broker_url.get_secret_value()}
        with (tmp_path / "beat.log").open("wb") as log:
            beat = subprocess.Popen(BEAT, cwd=ROOT, env={**os.environ, **said}, stdout=log, stderr=log)
        try:
            until(seen)
        finally:
            beat.kill()
            beat.wait(10)
