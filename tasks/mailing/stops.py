"""Links that end mails without a sign-in: signed, bound to this purpose, over after a year, and all void at once when
the person says so (`Wish.links_version`).
"""

from dataclasses import dataclass

from itsdangerous import BadData, URLSafeTimedSerializer

YEAR = 366 * 86_400
RESULTS = "results"
PATH = "/unsubscribe/"


@dataclass(frozen=True, slots=True)
class Stop:
    """What a link ends: whose, what ("digest", "at once:stock", "results"), and of which version of their links."""

    account_id: str
    what: str
    version: int


class Stops:
    """Makes and reads such links."""

    def __init__(self, secret: str) -> None:
        self._signer = URLSafeTimedSerializer(secret, salt="nightshift unsubscribe 1")

    def token(self, stop: Stop) -> str:
        return str(self._signer.dumps([stop.account_id, stop.what, stop.version]))

    def read(self, token: str) -> Stop | None:
        """What the link ends; None when it was changed, is older than a year, or was made for something else."""
        try:
            account_id, what, version = self._signer.loads(token, max_age=YEAR)
        except (BadData, ValueError, TypeError):
            return None
        return Stop(str(account_id), str(what), int(version))
