"""What every job that looks into a file does alike: the import that its lines are kept under until somebody decides."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from sqlalchemy import Table, delete, insert, select, update

from models.artifact import Upload
from models.base import new_id
from models.intake import PREVIEWED, READING, Intake, IntakeLine
from tasks.context import Context

_lines = cast(Table, IntakeLine.__table__)


@contextmanager
def begun(ctx: Context, upload: Upload, subject: str, layout: dict[str, Any] | None = None) -> Iterator[str]:
    """The id of an import whose file is still being read; it goes again when that cannot be.

    What a worker that was lost left half read goes first, so a second try starts anew.
    """
    row = Intake(
        id=new_id(), run_id=ctx.run_id or None, subject=subject, name=upload.name, sha256=upload.sha256,
        state=READING, created_by=ctx.account_id, layout=layout,
    )  # fmt: skip
    with ctx.database.write(ctx.workspace) as session:
        session.execute(delete(Intake).where(Intake.run_id == ctx.run_id, Intake.state == READING))
        session.add(row)
    done = False
    try:
        yield row.id
        done = True
    finally:
        if not done:
            with ctx.database.write(ctx.workspace) as session:
                session.execute(delete(Intake).where(Intake.id == row.id))


def finished(ctx: Context, intake_id: str, counts: dict[str, Any], **values: Any) -> None:
    """All was read: from now on people see it. In the run's own transaction, so a run that fails shows nothing."""
    told = {"state": PREVIEWED, "counts": counts, **values}
    ctx.session.execute(update(Intake).where(Intake.id == intake_id).values(told))


def line(
    ctx: Context, intake_id: str, number: int, state: str, what: dict[str, Any] | None, reason: str
) -> dict[str, Any]:
    """A line of the file as its row: what it becomes, or what is wrong with it."""
    return {
        "intake_id": intake_id, "workspace_id": ctx.workspace, "number": number, "state": state, "what": what,
        "reason": reason[:300],
    }  # fmt: skip


def keep(ctx: Context, rows: list[dict[str, Any]]) -> None:
    """Lines, in a transaction of their own: nobody sees any of them before `finished`."""
    if rows:
        with ctx.database.write(ctx.workspace) as session:
            session.execute(insert(_lines), rows)


def file_of(ctx: Context, files: Sequence[str]) -> Upload:
    """The upload that is being read: its name and what it is known again by."""
    with ctx.read() as session:
        return session.scalars(select(Upload).where(Upload.id == files[0])).one()


def lines_in(path: Path) -> int:
    """How many lines a file has, to tell how far the reading is; at least one."""
    with path.open("rb") as file:
        return max(1, sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b"")))
