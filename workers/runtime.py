"""What one process of ours holds: settings, database, storage. Made once by the entry points, handed to the rest."""

import time
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from typing import TYPE_CHECKING

from deploy.settings import Settings, settings
from models.limits import Limits, all_limits
from models.session import Database
from tasks.storage import Storage
from workers import storage
from workers.lease import Heart

if TYPE_CHECKING:
    from tasks.care.suggestions.said import Elsewhere

LIMITS_SECONDS = 1.0  # how soon a process hears of a limit that was set or lifted


class KnownLimits:
    """The limits that are set, read at most once a second: they change seldom and are asked for at each claim."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._until = 0.0
        self._found: Limits = {}

    def now(self) -> Limits:
        """Those of a second ago at the oldest; empty when none is set, which spares the claim its questions."""
        if time.monotonic() >= self._until:
            with self._database.look() as connection:
                self._found = all_limits(connection)
            self._until = time.monotonic() + LIMITS_SECONDS
        return self._found

    def forget(self) -> None:
        """Read them again at the next question."""
        self._until = 0.0


@dataclass(frozen=True)
class Runtime:
    """The doors to the outside that web, workers and beat share."""

    settings: Settings
    database: Database
    storage: Storage

    @cached_property
    def heart(self) -> Heart:
        """Holds the leases of the runs that this process works on."""
        return Heart(self.database, self.settings.lease_seconds)

    @cached_property
    def limits(self) -> KnownLimits:
        return KnownLimits(self.database)

    @cached_property
    def elsewhere(self) -> "Elsewhere | None":
        """An assistant elsewhere that customers' questions go to; None where none is configured."""
        from workers import watson

        return watson.service(self.settings)

    @property
    def origin(self) -> str:
        """Scheme and host of links; never taken from a request."""
        return self.settings.origin

    @classmethod
    def from_settings(cls, given: Settings | None = None) -> "Runtime":
        from workers.enqueue import enqueue_watchers  # which needs this module's class

        chosen = given or settings()
        made = cls(chosen, Database(chosen.database), storage.made(chosen))
        made.database.before_commit = partial(enqueue_watchers, made)
        return made


@lru_cache(maxsize=1)
def runtime() -> Runtime:
    """This process's runtime, from the environment."""
    return Runtime.from_settings()
