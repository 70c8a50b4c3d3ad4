"""The one way out for what people steer: requests to addresses that they gave us.

An address is looked up and checked where the connection is made, and the very address that was checked is connected
to: a name that answers differently a moment later changes nothing, and neither does a redirect, which connects anew.
"""

import ipaddress
import os
import socket
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError, NameResolutionError, NewConnectionError
from urllib3.util.connection import create_connection

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
CONNECT_SECONDS, READ_SECONDS, ALL_SECONDS = 5.0, 10.0, 20.0
MOST_BYTES = 256 * 1024  # of an answer: nobody reads it
PRIVATE = (
    "This address lies in a private network ({}), where nothing is sent. Give a public one, or ask whoever runs this "
    "Nightshift to allow it (NIGHTSHIFT_OUTGOING_NETWORKS)."
)
_one_at_a_time = threading.Lock()
# Prefixes that carry an IPv4 address inside, of which Python itself knows only 6to4 and Teredo.
_TRANSLATED = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("64:ff9b:1::/48"))


class Refused(requests.exceptions.ConnectionError):
    """The address may not be connected to."""


def networks(text: str) -> tuple[Network, ...]:
    """As a setting lists them."""
    return tuple(ipaddress.ip_network(each) for each in text.replace(",", " ").split())


def may_reach(text: str, allowed: Sequence[Network] = ()) -> bool:
    """Whether an address is a public one, or in a network that the administrator allows."""
    address = ipaddress.ip_address(text.partition("%")[0])
    inner = _inside(address)
    if any(each in network for each in {address, inner} for network in allowed if each.version == network.version):
        return True
    return all(each.is_global and not each.is_multicast and not each.is_reserved for each in (address, inner))


def _inside(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for, or itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if any(address in network for network in _TRANSLATED):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo[1] if address.teredo else None
    compatible = ipaddress.IPv4Address(int(address)) if int(address) >> 32 == 0 else None
    return address.ipv4_mapped or address.sixtofour or teredo or compatible or address


@dataclass
class Watch:
    """What happened on the way out.

    Attributes:
        refused: why a connection was not made; "" when all were.
        statuses: of the answers, in their order; 0: without an end.
        late: time is over.
    """

    allowed: Sequence[Network] = ()
    refused: str = ""
    statuses: list[int] = field(default_factory=list)
    sockets: list[socket.socket] = field(default_factory=list)
    late: bool = False

    def connect(self, host: str, port: int, timeout: Any, options: Any) -> socket.socket:
        """A connection to the first address of a host, once all of them are found to be allowed."""
        if self.late:  # the library tries the next of its targets
            raise Refused("time is over")
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = [str(each[4][0]) for each in found]
        for address in addresses:
            if not may_reach(address, self.allowed):
                self.refused = PRIVATE.format(address)
                raise Refused(self.refused)
        made = create_connection((addresses[0], port), timeout, socket_options=options)
        self.sockets.append(socket.socket(fileno=os.dup(made.fileno())))
        if self.late:  # since a moment ago: nobody else hangs up on this one
            self.hang_up()
        return made

    def hang_up(self) -> None:
        """Time is over: whatever waits on one of the connections goes on with an error."""
        self.late = True
        for each in self.sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        for each in self.sockets:
            each.close()


@contextmanager
def guarded(allowed: Sequence[Network] = (), seconds: float = ALL_SECONDS) -> Iterator[Watch]:
    """While this holds, all that `requests` sends in this process goes through the guard, whichever thread asks."""
    watch = Watch(allowed)
    timer = threading.Timer(seconds, watch.hang_up)
    timer.daemon = True
    with _one_at_a_time:
        plain = requests.sessions.HTTPAdapter
        setattr(requests.sessions, "HTTPAdapter", _adapter(watch))  # noqa: B010  # a name that typing holds for a type
        timer.start()
        try:
            yield watch
        finally:
            setattr(requests.sessions, "HTTPAdapter", plain)  # noqa: B010
            timer.cancel()
            timer.join()
            watch.close()


def _adapter(watch: Watch) -> type[HTTPAdapter]:
    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return _connected(self, watch)

    class Secure(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return _connected(self, watch)

    class Guarded(HTTPAdapter):
        def init_poolmanager(self, *args: Any, **more: Any) -> None:
            super().init_poolmanager(*args, **more)
            plain = type("PlainPool", (HTTPConnectionPool,), {"ConnectionCls": Plain})
            secure = type("SecurePool", (HTTPSConnectionPool,), {"ConnectionCls": Secure})
            self.poolmanager.pool_classes_by_scheme = {"http": plain, "https": secure}

        def send(self, request: Any, *_args: Any, **_more: Any) -> requests.Response:
            # Nothing of what the caller or the environment says: no proxy that would connect for us, no TLS unchecked.
            timeout = (CONNECT_SECONDS, READ_SECONDS)
            answer = super().send(request, stream=True, timeout=timeout, verify=True, cert=None, proxies={})
            watch.statuses.append(answer.status_code)
            return _bounded(answer, watch)

    return Guarded


def _connected(connection: Any, watch: Watch) -> socket.socket:
    try:
        made = watch.connect(connection._dns_host, connection.port, connection.timeout, connection.socket_options)
    except socket.gaierror as error:
        raise NameResolutionError(connection.host, connection, error) from error
    except OSError as error:
        if isinstance(error, Refused):
            raise
        raise NewConnectionError(connection, f"no connection: {type(error).__name__}") from error
    sys.audit("http.client.connect", connection, connection.host, connection.port)
    return made


def _bounded(answer: requests.Response, watch: Watch) -> requests.Response:
    """Read it to its end, unpacked, and no further than anybody needs."""
    content = b""
    try:
        while len(content) <= MOST_BYTES and (piece := answer.raw.read(16_384, decode_content=True)):
            content += piece
    except HTTPError as error:  # which `requests` promises never to raise, so that no library heeds it
        watch.statuses[-1] = 0
        raise requests.exceptions.ConnectionError("the answer is broken") from error
    finally:
        answer.close()
    if len(content) > MOST_BYTES or watch.late:
        watch.statuses[-1] = 0  # whatever it began with
        raise requests.exceptions.ConnectionError("the answer is too large, or too slow")
    answer._content = content
    return answer
