"""How many requests a minute the API answers: so many for each token, and for each address that shows no valid one.

They are counted in this process's memory, for counting has to cost less than what it keeps off. The front is one
process of eight threads (deploy/front.py), so on one machine the limit is exact; of several machines each counts for
itself, and all together let so many times more through. Tokens in use have two counts each. Addresses share a fixed
number of places, drawn by chance in each process: however many ask, memory and work stay bounded, and all that
somebody without a token can lose by sharing a place with a flood is a 401.
"""

import hmac
import math
import secrets
import time
from ipaddress import IPv6Address, IPv6Network, ip_address

from flask import Flask, Response, request
from limits import RateLimitItemPerSecond
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from web import identity
from web.current import person
from web.problems import problem
from web.security import digest

PLACES = 4096
TOO_MANY = "At most {most} requests a minute are answered. Wait {wait} seconds, then go on more slowly."


class Rates:
    """So many in a sliding window, for each of many: all of it may be spent at once, and comes back bit by bit."""

    def __init__(self, most: int, seconds: int = 60) -> None:
        self._limit = RateLimitItemPerSecond(most, seconds)
        self._windows = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._salt = secrets.token_bytes(16)

    def wait(self, who: str) -> int:
        """Seconds until this one is answered again; 0 when it would be now."""
        return 0 if self._windows.test(self._limit, who) else self._rest(who)

    def count(self, who: str) -> int:
        """The same, and this request is counted if it is answered."""
        return 0 if self._windows.hit(self._limit, who) else self._rest(who)

    def place(self, address: str) -> str:
        """Where an address is counted; nobody can foresee with whom."""
        hashed = hmac.digest(self._salt, network(address).encode(), "sha256")
        return f"address {int.from_bytes(hashed[:4], 'big') % PLACES}"

    def _rest(self, who: str) -> int:
        return max(1, math.ceil(self._windows.get_window_stats(self._limit, who).reset_time - time.time()))


def network(address: str) -> str:
    """What one machine has of addresses: the address, and of IPv6 the whole /64."""
    try:
        read = ip_address(address)
    except ValueError:  # a socket of this machine has none
        return address
    if isinstance(read, IPv6Address):
        return str(read.ipv4_mapped or IPv6Network((int(read), 64), strict=False))
    return str(read)


def install(app: Flask) -> None:
    """Counts what comes in under /api/ and /emoncms/. What a token sends too much is refused before a question."""
    if most := app.extensions["nightshift"].settings.api_per_minute:
        rates = Rates(most)

        @app.before_request
        def count() -> Response | None:
            if not request.path.startswith(("/api/", "/emoncms/")):
                return None
            token = f"token {digest(identity.bearer(request))}"
            if not (wait := rates.wait(token)):
                known = request.blueprint in identity.PROGRAMS and person() is not None
                wait = rates.count(token if known else rates.place(request.remote_addr or ""))
            return _refuse(most, wait) if wait else None


def _refuse(most: int, wait: int) -> Response:
    return problem(429, TOO_MANY.format(most=most, wait=wait), headers={"Retry-After": str(wait)})
