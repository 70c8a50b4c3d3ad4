"""What of imports is not kept: previews that nobody wrote, wrong lines that nobody looks at, and their files."""

from sqlalchemy import ColumnElement, Delete, Update, delete, or_, select, update

from models.artifact import Upload
from models.base import db_now
from models.intake import APPLYING, PREVIEWED, READING, Intake, IntakeLine

DAY_MS = 86_400_000
KEPT_DAYS = 30


def expired() -> tuple[Update | Delete, ...]:
    """Statements for upkeep, in their order. The bytes of a file go with the sweep of files that no row names."""
    old = Intake.created_at < db_now() - KEPT_DAYS * DAY_MS
    lost = (Intake.state == READING) & (Intake.created_at < db_now() - DAY_MS)
    forgotten = or_(lost, Intake.state.in_((PREVIEWED, APPLYING)) & old)
    imported = select(Intake.id).where(Intake.applied_at < db_now() - KEPT_DAYS * DAY_MS)
    return (
        _without_file(forgotten),
        delete(Intake).where(forgotten),
        delete(IntakeLine).where(IntakeLine.intake_id.in_(imported)),
    )


def _without_file(which: ColumnElement[bool]) -> Update:
    runs = select(Intake.run_id).where(which, Intake.run_id.is_not(None))
    mine = update(Upload).where(Upload.run_id.in_(runs), Upload.deleted_at.is_(None))
    return mine.values(deleted_at=db_now())
