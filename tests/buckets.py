"""A bucket for tests: moto's server, a process of its own on loopback that speaks S3's protocol."""

import sys
from collections.abc import Iterator
from typing import Any
from urllib.request import Request, urlopen

import pytest

from deploy.settings import Settings
from models.base import new_id
from tests.server import Server, unprivileged
from tests.servers import says
from workers import broker, storage
from workers.bucket import BucketStorage

SECRET = "not-to-be-told"


class Moto(Server):
    """What it holds is gone with its process."""

    name = "moto"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        return [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)]

    def _as_its_user(self, log: Any) -> dict[str, Any]:
        """As ourselves: nobody may look into the environment that it stands in."""
        mine = super()._as_its_user(log)
        return {name: mine[name] for name in mine.keys() - unprivileged().keys()}

    def answers(self) -> bool:
        return says(self.port, b"GET /moto-api/data.json HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 200")


@pytest.fixture(scope="session")
def moto() -> Iterator[Moto]:
    with Moto() as server:
        yield server


def in_a_bucket(server: Moto) -> dict[str, str]:
    """Settings of a bucket that nobody else has; it is made."""
    name = f"nightshift-{new_id()}"
    urlopen(Request(f"{server.url}/{name}", method="PUT")).close()
    url, key = f"s3://{name}/some/where", {"s3_key_id": "an-id", "s3_secret": SECRET}
    return {"files_url": url, "s3_endpoint": server.url, **key}


def nowhere() -> BucketStorage:
    """A bucket whose server is away."""
    key = {"s3_key_id": "an-id", "s3_secret": SECRET}
    return bucket({"files_url": "s3://bucket", "s3_endpoint": f"http://127.0.0.1:{broker.free_ports(1)[0]}", **key})


def bucket(chosen: dict[str, str]) -> BucketStorage:
    return storage.bucket(Settings.model_validate(chosen))
