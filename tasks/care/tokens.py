"""Secrets that let somebody into one ticket: the short one in an address to answer to, and links without a sign-in.

Both are signed with the secret key and stored nowhere. They hold the version of the ticket's links
(`tasks.care.links`): when that grows, whatever was mailed before is over. A signature is bound to its purpose by its
key or salt.
"""

import base64
import binascii
import hashlib
import hmac
import re
from dataclasses import dataclass

from itsdangerous import BadData, URLSafeTimedSerializer

DAY = 86_400
LIFETIME = 90 * DAY
FOLLOW, RATE = "follow", "rate"
PATH = "/ticket/"
MAC_BYTES, ID_BYTES = 10, 14  # 80 bits: each guess is a mail or a request of its own
MOST_CANDIDATES = 50
_TOKEN = re.compile(r"(?<![a-z0-9])[a-z2-7]{40,48}(?![a-z0-9])")


@dataclass(frozen=True, slots=True)
class Link:
    """What a link opens, and for whom. `customer_id` is "" for somebody who only takes part, as by a copy."""

    ticket_id: str
    customer_id: str
    version: int


class Tokens:
    """Makes and reads both. `secret` is the installation's secret key."""

    def __init__(self, secret: str) -> None:
        self._secret = secret
        self._key = hashlib.sha256(b"nightshift ticket reply 1:" + secret.encode()).digest()

    def reply(self, ticket_id: str, version: int) -> str:
        """40 signs of a-z and 2-7, good in the local part of an address (desk+TOKEN@…), whatever case it comes back in.

        Raises:
            ValueError: the id is none of ours.
        """
        body = bytes.fromhex(ticket_id) + version.to_bytes(max(1, (version.bit_length() + 7) // 8), "big")
        if len(ticket_id) != 2 * ID_BYTES:
            raise ValueError("no ticket's id")
        return base64.b32encode(body + self._mac(body)).decode().rstrip("=").lower()

    def read_reply(self, text: str) -> tuple[str, int] | None:
        """The ticket's id and the version, from a token, an address that holds one, or a line that mentions it.

        None when there is none, or it was signed by nobody of ours.
        """
        for found in _TOKEN.findall(text.lower())[:MOST_CANDIDATES]:
            if (read := self._read_one(found)) is not None:
                return read
        return None

    def link(self, ticket_id: str, customer_id: str, version: int, purpose: str) -> str:
        """The token of a link for `purpose` (FOLLOW, RATE); it lasts 90 days."""
        return str(self._signer(purpose).dumps([ticket_id, customer_id, version]))

    def read_link(self, token: str, purpose: str, *, however_old: bool = False) -> Link | None:
        """What the link opens; None when it was changed, is older than 90 days, or was made for something else.

        Args:
            however_old: only to tell whose it was, so that they can be mailed another one.
        """
        try:
            age = None if however_old else LIFETIME
            ticket_id, customer_id, version = self._signer(purpose).loads(token, max_age=age)
            return Link(str(ticket_id), str(customer_id), int(version))
        except (BadData, ValueError, TypeError):
            return None

    def _signer(self, purpose: str) -> URLSafeTimedSerializer:
        return URLSafeTimedSerializer(self._secret, salt=f"nightshift ticket {purpose} 1")

    def _mac(self, body: bytes) -> bytes:
        return hmac.new(self._key, body, hashlib.sha256).digest()[:MAC_BYTES]

    def _read_one(self, found: str) -> tuple[str, int] | None:
        try:
            raw = base64.b32decode(found.upper() + "=" * (-len(found) % 8))
        except binascii.Error:
            return None
        body, mac = raw[:-MAC_BYTES], raw[-MAC_BYTES:]
        if len(body) <= ID_BYTES or not hmac.compare_digest(mac, self._mac(body)):
            return None
        return body[:ID_BYTES].hex(), int.from_bytes(body[ID_BYTES:], "big")
