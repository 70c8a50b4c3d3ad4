"""The door to a bucket: one client for each process, and whatever goes wrong behind it told in our own words."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any

import structlog

from tasks.errors import FilesAway
from workers.publish import Breaker

CONNECT, READ = 3.0, 15.0  # seconds: to connect, and between two pieces of an answer
TRIES = 2  # of one request; a run that still fails waits, and a page says so
CONNECTIONS = 32  # that one process keeps: as many as a front has threads
ANYWHERE = "us-east-1"  # what a request is signed for where a server of your own has no regions
GONE = ("NoSuchKey", "404", "NotFound")
AWAY, REFUSED = "The store of files does not answer ({}).", "The store of files refuses ({})."
log = structlog.get_logger(__name__)


@dataclass
class Door:
    """Thread-safe, and may be carried over a fork: the client is made at the first question in each process.

    Args:
        bucket, prefix: where objects stand; what begins with the prefix is ours.
        endpoint: a server that speaks S3's protocol; empty: AWS.
        key_id, secret: empty on AWS: the machine's own role is asked for.
        ca: a file of certificates that TLS is checked with; empty: those that everybody trusts.
    """

    bucket: str
    prefix: str = ""
    endpoint: str = ""
    region: str = ""
    key_id: str = field(default="", repr=False)
    secret: str = field(default="", repr=False)
    ca: str = ""
    breaker: Breaker = field(default_factory=Breaker, repr=False)
    _made: tuple[int, Any] = field(default=(0, None), repr=False)  # process, client

    def ask(self, deed: str, **given: Any) -> dict[str, Any]:
        """One request about the bucket.

        Raises:
            FileNotFoundError: there is no such object.
            FilesAway: it does not answer, or refuses.
            OSError: it is full.
        """
        if self.breaker.open:
            raise FilesAway(AWAY.format("as just now"))
        with self.plainly():
            answer: dict[str, Any] = getattr(self._client, deed)(Bucket=self.bucket, **given)
            return answer

    @contextmanager
    def plainly(self) -> Iterator[None]:
        """What the library raises, as ours; its texts hold addresses and names, and so go no further."""
        from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
        from urllib3.exceptions import HTTPError

        try:
            yield
        except ClientError as error:
            raise _answered(error.response) from None
        except (BotoCoreError, HTTPError) as error:
            inner = error.kwargs.get("error") if isinstance(error, HTTPClientError) else None
            if isinstance(inner, Exception) and not isinstance(inner, (OSError, HTTPError, HTTPException)):
                raise inner from None  # a time limit that came in the middle: the library wraps whatever it meets
            self.breaker.trip()
            log.warning("files.away", why=type(error).__name__)
            raise FilesAway(AWAY.format(type(error).__name__)) from None

    @property
    def _client(self) -> Any:
        process, client = self._made
        if client is None or process != os.getpid():
            client = self._connected()
            self._made = (os.getpid(), client)  # two threads may both make one: then one of them is dropped
        return client

    def _connected(self) -> Any:
        from boto3.session import Session
        from botocore.config import Config

        config = Config(
            connect_timeout=CONNECT,
            read_timeout=READ,
            retries={"mode": "standard", "total_max_attempts": TRIES},
            max_pool_connections=CONNECTIONS,
            # Others than AWS know S3's older signature of a whole body, and stumble over the newer sums behind it.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            s3={"payload_signing_enabled": True, "addressing_style": "path" if self.endpoint else "auto"},
        )
        session = Session(  # of our own: the library's common one is not for threads
            aws_access_key_id=self.key_id or None,
            aws_secret_access_key=self.secret or None,
            region_name=self.region or (ANYWHERE if self.endpoint else None),
        )
        return session.client("s3", endpoint_url=self.endpoint or None, verify=self.ca or None, config=config)


def _answered(response: dict[str, Any]) -> Exception:
    code = str(response.get("Error", {}).get("Code", ""))
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in GONE:
        return FileNotFoundError(errno.ENOENT, "This file is gone")
    if status == 507:
        return OSError(errno.ENOSPC, "The store of files is full")
    log.warning("files.refused", code=code, status=status)
    return FilesAway((AWAY if status >= 500 else REFUSED).format(code or status))
