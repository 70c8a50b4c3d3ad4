"""What one process of ours holds: settings, database, storage. Made once by the entry points, handed to the rest."""

from dataclasses import dataclass
from functools import lru_cache, partial

from deploy.settings import Settings, settings
from models.session import Database
from tasks.storage import FolderStorage, Storage


@dataclass(frozen=True)
class Runtime:
    """The doors to the outside that web, workers and beat share."""

    settings: Settings
    database: Database
    storage: Storage

    @property
    def origin(self) -> str:
        """Scheme and host of links; never taken from a request."""
        return self.settings.origin

    @classmethod
    def from_settings(cls, given: Settings | None = None) -> "Runtime":
        from workers.enqueue import enqueue_watchers  # which needs this module's class

        chosen = given or settings()
        made = cls(chosen, Database(chosen.database), FolderStorage(chosen.var / "files"))
        made.database.before_commit = partial(enqueue_watchers, made)
        return made


@lru_cache(maxsize=1)
def runtime() -> Runtime:
    """This process's runtime, from the environment."""
    return Runtime.from_settings()
