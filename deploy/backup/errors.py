"""What can go wrong, as sentences for the operator."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError

from tasks.errors import FilesAway


class BackupError(Exception):
    """It did not work; the text is a whole sentence that says what to do."""


class Damaged(BackupError):
    """The archive is not as it was written."""

    def __init__(self, what: str) -> None:
        super().__init__(f"This backup is damaged: {what}. Nothing was changed by it. Take another one.")


@contextmanager
def plainly(doing: str, table: str = "") -> Iterator[None]:
    """Says what a full disk, an unwritable folder and a database that is away mean; values of rows are never told."""
    try:
        yield
    except SQLAlchemyError as error:
        raise BackupError(_of_database(error, doing, table)) from error
    except FilesAway as error:
        raise BackupError(f"It failed while {doing}: {error} See that the bucket can be used, and try again.") from None
    except OSError as error:
        raise BackupError(_of_system(error, doing)) from error


def _of_system(error: OSError, doing: str) -> str:
    where = f" ({error.filename})" if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"The disk became full while {doing}{where}. Make room, or name a file on another disk, and try again."
    if isinstance(error, BrokenPipeError):
        return f"Whoever was to take the backup went away while {doing}. Look at its own message, and try again."
    return f"It failed while {doing}: {error.strerror or error}{where}. Put that right, and try again."


def _of_database(error: SQLAlchemyError, doing: str, table: str) -> str:
    orig = getattr(error, "orig", None)
    said = str(orig).splitlines()[0] if orig else type(error).__name__
    if "database or disk is full" in said:
        return f"The disk of the database became full while {doing}. Make room, and try again."
    of_table = f" of the table {table}" if table else ""
    if isinstance(error, IntegrityError):  # its text holds values
        return f"Rows{of_table} contradict each other in this database while {doing}; nothing was kept of them."
    if isinstance(error, DataError):
        return f"A row{of_table} does not fit into this database ({said}); nothing was kept. Shorten it, save anew."
    if isinstance(error, DBAPIError) and "no such table" not in said and "exist" not in said:
        return f"The database failed while {doing}: {said.rstrip('.')}. See that it runs and has room, and try again."
    return f"The database is not as Nightshift makes it ({said.rstrip('.')}). Run `make run` once, and try again."
