"""What alerts leave behind, and when nobody needs it any more."""

from sqlalchemy import Delete, delete

from models.alert import RESOLVED, TOLD, Alert, Mute, Notice
from models.base import db_now

DAY_MS = 86_400_000
TOLD_DAYS = 90  # a notice that was told says only which mail told it
HAPPENED_DAYS = 40  # longer than a digest of every month waits
RESOLVED_DAYS = 800  # an alert of a year's budget is asked about for as long as its year lasts, and the next


def expired() -> tuple[Delete, ...]:
    """Statements over all workspaces; an alert takes its moves along, and those their notices."""
    return (
        delete(Notice).where(Notice.told_at < db_now() - TOLD_DAYS * DAY_MS),
        delete(Alert).where(Alert.state == RESOLVED, Alert.resolved_at < db_now() - RESOLVED_DAYS * DAY_MS),
        delete(Alert).where(Alert.state == TOLD, Alert.opened_at < db_now() - HAPPENED_DAYS * DAY_MS),
        delete(Mute).where(Mute.until < db_now()),
    )
