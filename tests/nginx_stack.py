"""nginx as deploy/nginx/ sets it up, and real fronts on addresses of loopback that it finds by a small name server."""

import contextlib
import os
import shutil
import socket
import socketserver
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dns.message
import dns.rrset
import psutil
import requests

from deploy.settings import ROOT, Settings
from models.base import Base
from tests import certificates
from tests.conftest import prepare
from tests.listening import listening
from tests.make_run import until
from tests.server import Server, unprivileged
from workers.runtime import Runtime


class NameServer(socketserver.ThreadingUDPServer):
    """Says for every name the addresses that it has just now, as Docker does of a service's containers."""

    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.addresses: list[str] = []


class Answers(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        assert isinstance(self.server, NameServer)
        data, back = self.request
        asked = dns.message.from_wire(data)
        answer = dns.message.make_response(asked)
        if self.server.addresses:
            name = asked.question[0].name
            answer.answer.append(dns.rrset.from_text(name, 600, "IN", "A", *self.server.addresses))
        else:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        back.sendto(answer.to_wire(), self.client_address)


class Nginx(Server):
    """One nginx with a certificate of its own. `more` goes into its environment."""

    name, package = "nginx", "nginx-light"
    programs = (("nginx",),)

    def __init__(self, front: str = "web:1", resolver: str = "127.0.0.1:1", **more: str) -> None:
        super().__init__()
        self.config = self.folder / "nginx"
        self.certificate = self.folder / "certificates" / "fullchain.pem"
        self.more = {"NGINX_FRONT": front, "NGINX_RESOLVER": resolver, "NGINX_LOOK_SECONDS": "0.2", **more}

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    @property
    def plain_url(self) -> str:
        return f"http://127.0.0.1:{self.second_port}"

    @property
    def requests_log(self) -> str:
        return (self.folder / "requests.log").read_text()

    def prepare(self) -> None:
        shutil.copytree(ROOT / "deploy" / "nginx", self.config)  # whoever it runs as need not see our folders
        self.certificate.parent.mkdir()
        self.certify()
        for path in (self.folder, *self.folder.rglob("*")):
            shutil.chown(path, user=unprivileged().get("user", os.geteuid()))

    def certify(self, days: float = 1) -> None:
        """Puts a new certificate in place; one whose days are negative is past its date."""
        for made, name in zip(certificates.made(self.folder, days=days), ("fullchain.pem", "privkey.pem"), strict=True):
            made.chmod(0o644)
            made.rename(self.certificate.with_name(name))

    def command(self) -> list[str]:
        return ["sh", str(self.config / "start")]

    def environment(self) -> dict[str, str]:
        return {
            "NGINX_HTTP": f"127.0.0.1:{self.second_port}",
            "NGINX_HTTPS": f"127.0.0.1:{self.port}",
            "NGINX_WORK": str(self.folder / "work"),
            "NGINX_CERTIFICATES": str(self.certificate.parent),
            "NGINX_LOG": str(self.folder / "requests.log"),
            "NIGHTSHIFT_PUBLIC_URL": self.url,
            "PATH": f"/usr/sbin:{os.environ['PATH']}",
            **self.more,
        }

    def answers(self) -> bool:
        """As its container's health check asks."""
        asked = ["bash", str(self.config / "healthy")]
        return subprocess.run(asked, env=self.environment(), stderr=subprocess.DEVNULL, check=False).returncode == 0

    def checked(self) -> str:
        """What it says of its settings, without a start; nothing when they are right."""
        done = subprocess.run(
            [*self.command(), "check"], env={**os.environ, **self.environment()}, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        assert (done.returncode == 0) == (not done.stderr), done
        return done.stderr

    def browser(self, address: str = "127.0.0.1") -> requests.Session:
        """A client that trusts the certificate, and comes from this address of loopback."""
        session = requests.Session()
        session.trust_env = False
        session.verify = str(self.certificate)
        session.mount("https://", From(address))
        return session


class From(requests.adapters.HTTPAdapter):
    def __init__(self, address: str) -> None:
        self.address = address
        super().__init__()

    def init_poolmanager(self, *given: Any, **more: Any) -> None:
        super().init_poolmanager(*given, source_address=(self.address, 0), **more)


class Front:
    """A front as a container has it: gunicorn on an address of its own, on the same port as all."""

    def __init__(self, var: Path, address: str, port: int, **more: str) -> None:
        environment = {"NIGHTSHIFT_VAR": str(var), "NIGHTSHIFT_HOST": address, "PORT": str(port), **more}
        environment |= {"NIGHTSHIFT_TRUSTED_HOPS": "1", "NIGHTSHIFT_BROKER_URL": "redis://127.0.0.1:1/0"}
        self.address, self.port, self.log = address, port, var / f"{address}.log"
        self.environment = {**os.environ, **environment}
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "gunicorn", "-c", "python:deploy.front", "web.wsgi:app"]
        with self.log.open("ab") as log:
            self.process = psutil.Popen(command, cwd=ROOT, env=self.environment, stdout=log, stderr=log)

    def ready(self) -> "Front":
        until(self._listens)
        return self

    def _listens(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        with contextlib.suppress(OSError), socket.create_connection((self.address, self.port), timeout=1):
            return True
        return False

    def stop(self) -> None:
        """As `docker stop` does."""
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(20)


@contextlib.contextmanager
def fronts(var: Path, port: int, addresses: tuple[str, ...], **more: str) -> Iterator[list[Front]]:
    """Fronts side by side on one database."""
    var.mkdir()
    runtime = Runtime.from_settings(Settings.model_validate({"var": var}))
    Base.metadata.create_all(runtime.database.engine)
    prepare(runtime)
    runtime.database.close()
    started = [Front(var, address, port, **more) for address in addresses]
    try:
        yield [front.ready() for front in started]
    finally:
        for front in started:
            front.stop()


@contextlib.contextmanager
def names(*addresses: str) -> Iterator[NameServer]:
    with listening(NameServer()) as server:
        server.addresses = list(addresses)
        yield server
