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
from dataclasses import dataclass, field
from typing import Any

from itsdangerous import BadData, TimestampSigner, URLSafeTimedSerializer

DAY = 86_400
LIFETIME = 90 * DAY
FOLLOW, RATE = "follow", "rate"
PATH = "/ticket/"
MAC_BYTES, ID_BYTES = 10, 14  # 80 bits: each guess is a mail or a request of its own
MOST_CANDIDATES = 50
_TOKEN = re.compile(r"(?<![a-z0-9])[a-z2-7]{40,48}(?![a-z0-9])")


@dataclass(frozen=True, slots=True)
class Link:
    """What a link opens, and for whom. `customer_id` is "" for somebody who only takes part, as by a copy.

    `made` is when, in seconds since 1970: links that a page shows are as old as the one that led to it.
    """

    ticket_id: str
    customer_id: str
    version: int
    made: int = field(default=0, compare=False)


class _Signer(TimestampSigner):
    """Signs as of `made`, or of now."""

    def __init__(self, *args: Any, made: int | None = None, **more: Any) -> None:
        super().__init__(*args, **more)
        self.made = made

    def get_timestamp(self) -> int:
        return super().get_timestamp() if self.made is None else self.made


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

    def link(self, ticket_id: str, customer_id: str, version: int, purpose: str, made: int | None = None) -> str:
        """The token of a link for `purpose` (FOLLOW, RATE); it lasts 90 days.

        Args:
            made: when the link was made that this one is shown by, so that none renews itself; else it is now.
        """
        return str(self._signer(purpose, made).dumps([ticket_id, customer_id, version]))

    def sent(self, delivery_id: str, to: str) -> str:
        """16 signs that stand in the Message-ID of a mail of ours: they bind it to whom it went to.

        The ids of deliveries are no secret (an export names them), and the token is the same for all who take part.
        """
        body = f"sent {delivery_id} {to.lower()}".encode()
        return base64.b32encode(self._mac(body)).decode().lower()

    def is_sent(self, delivery_id: str, to: str, signs: str) -> bool:
        """Whether these are the signs of that mail."""
        return hmac.compare_digest(self.sent(delivery_id, to), signs)

    def read_link(self, token: str, purpose: str, *, however_old: bool = False) -> Link | None:
        """What the link opens; None when it was changed, is older than 90 days, or was made for something else.

        Args:
            however_old: only to tell whose it was, so that they can be mailed another one.
        """
        try:
            age = None if however_old else LIFETIME
            read, made = self._signer(purpose).loads(token, max_age=age, return_timestamp=True)
            ticket_id, customer_id, version = read
            return Link(str(ticket_id), str(customer_id), int(version), int(made.timestamp()))
        except (BadData, ValueError, TypeError):
            return None

    def _signer(self, purpose: str, made: int | None = None) -> URLSafeTimedSerializer:
        salt = f"nightshift ticket {purpose} 1"
        return URLSafeTimedSerializer(self._secret, salt=salt, signer=_Signer, signer_kwargs={"made": made})

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
