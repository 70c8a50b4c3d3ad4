"""Whether this process can do its work, for whoever watches or balances it. /livez stands in web/__init__.py."""

from functools import lru_cache
from threading import Thread
from typing import Any

from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Blueprint
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError

from models import migrate, vitals
from models.base import clock
from models.session import EVERYONE
from tasks.storage import answers
from web.current import public, runtime
from workers import publish

SOON = 1.5  # seconds
bp = Blueprint("health", __name__)


@bp.get("/readyz")
@public
def readyz() -> ResponseReturnValue:
    """200 when the database answers and has this code's tables: then work is taken, and none of it is lost.

    A newer release's tables have them too: while it comes, the fronts of the release before go on.
    What only makes runs late (no broker, a silent beat, a silent queue), and files that cannot be kept or read now, is
    told, and is 200 too: another front on the same database and bucket would not do better, most pages and jobs need no
    file, and whoever balances should go on sending people here.
    """
    found: dict[str, Any] = {"database": _schema()}
    found["broker"] = "away" if publish.length(runtime(), "default") is None else "ok"
    found["files"] = _files()
    taken = found["database"] in ("ok", "newer")
    if taken:
        found |= _machinery()
    return found, 200 if taken else 503


def _files() -> str:
    """A bucket that says nothing keeps nobody waiting: who balances may give up on us after two seconds."""
    storage, found = runtime().storage, list[bool]()
    asking = Thread(target=lambda: found.append(answers(storage)), daemon=True)
    asking.start()
    asking.join(SOON)
    return "ok" if found == [True] else "away"


def _machinery() -> dict[str, Any]:
    with runtime().database.read(EVERYONE) as session:
        beat = vitals.pulses(session, clock(session)).get(vitals.BEAT)
        silent = vitals.silences(session)
        paused = vitals.paused_queues(session)
    return {
        "beat": "silent" if any(alarm.name == "beat-silent" for alarm in silent) else "ok",
        "beat_age_s": None if beat is None else round(beat, 1),
        "silent_queues": [alarm.queue for alarm in silent if alarm.queue],
        "paused_queues": sorted(paused),
    }


def _schema() -> str:
    try:
        with runtime().database.read(EVERYONE) as session:
            have = MigrationContext.configure(session.connection()).get_current_revision()
    except SQLAlchemyError:
        return "away"
    if have == newest(runtime().settings.database):
        return "ok"
    return "not migrated" if have is None or _known(have) else "newer"


@lru_cache(maxsize=1)
def _known(revision: str) -> bool:
    return migrate.knows(revision)


@lru_cache(maxsize=1)
def newest(url: str) -> str | None:
    """The revision that this code's migrations lead to."""
    return ScriptDirectory.from_config(migrate.config(url)).get_current_head()
