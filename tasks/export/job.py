"""The job that gives a person, or the owner of a workspace, a copy of all that is theirs: one zip, for them alone.

What a workspace and a person have is found from the tables (models/belongings.py). Rows and files are read a few at a
time and go through the zip into storage, so that memory stays flat whatever there is.
"""

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, BinaryIO, Literal, cast

from pydantic import Field
from sqlalchemy import ColumnElement, Table, and_, func, or_, select

from models.account import Account
from models.base import Base
from models.belongings import (
    LEFT_OUT,
    files,
    is_packed,
    of_account,
    of_runs,
    of_workspace,
    picture,
    shared,
    ticket,
    ticket_file,
    told,
)
from models.delivery import Delivery
from models.run import Run
from models.workspace import SYSTEM, Membership, Workspace
from tasks import discover
from tasks.context import Context
from tasks.errors import JobError
from tasks.export.words import folder, readme
from tasks.export.zipping import zipped
from tasks.job import Job, Params, Result
from tasks.metering.copying import copies
from tasks.storage import CHUNK

DAYS = 7  # for so long upkeep keeps what the machinery ran
AT_ONCE = 50  # rows: a run's result may be a megabyte
ROOM = 500_000_000
NOT_THEIRS = "Only an owner of this workspace can export it. Ask one of them."
NOBODY = "An export is asked for on the page of your account or of your workspace."
NO_ROOM = "There is no room on the disk for this copy. Ask who runs this Nightshift for more, then try again."
run_table = cast(Table, Run.__table__)


class Wanted(Params):
    """Of whom: the person who asks, with all workspaces they own, or the run's own workspace alone."""

    what: Literal["account", "workspace"] = Field("workspace", title="What")


class Exported(Result):
    """What the copy holds."""

    workspaces: int = Field(title="Workspaces")
    rows: int = Field(title="Rows")
    files: int = Field(title="Files")
    missing: int = Field(title="Files whose bytes are gone")
    days: int = Field(title="Days that the copy is kept")


@dataclass
class Writer:
    """Yields the entries of the zip, and counts what goes in."""

    ctx: Context
    account_id: str
    found: Exported
    bytes_in_all: int
    bytes_done: int = 0
    names: dict[str, set[str]] = field(default_factory=dict)

    def rows(
        self, where: str, table: Table, mine: ColumnElement[bool], to_person: bool = False
    ) -> Iterator[tuple[str, Iterator[bytes]]]:
        pages = _pages(self.ctx, select(*told(table, to_person)), table, mine)
        if first := next(pages, None):
            yield f"{where}/{table.name}.jsonl", self._lines([first], pages)

    def _lines(self, *parts: Any) -> Iterator[bytes]:
        for part in parts:
            for page in part:
                self.found.rows += len(page)
                self.ctx.progress(0.05, f"{self.found.rows} rows")
                yield b"".join(_line(dict(row._mapping)) for row in page)

    def files(self, where: str, table: Table, mine: ColumnElement[bool]) -> Iterator[tuple[str, Iterator[bytes]]]:
        """What was handed over or left, in a folder for each run; without exports, which are others' or old."""
        kind, made = run_table.c.kind.label("kind"), run_table.c.created_at.label("made")
        private = [job.kind for job in discover().values() if job.private]
        query = select(*table.c, kind, made).outerjoin(run_table, run_table.c.id == table.c.run_id)
        gone = table.c.deleted_at.is_(None) if "deleted_at" in table.c else table.c.id.is_not(None)
        others = or_(run_table.c.kind.is_(None), run_table.c.kind.not_in(private))
        for page in _pages(self.ctx, query, table, and_(mine, gone, others)):
            for row in page:
                yield from self._file(f"{where}/files/{_of_run(row)}/{table.name}s", row)

    def pictures(self, where: str, mine: ColumnElement[bool]) -> Iterator[tuple[str, Iterator[bytes]]]:
        """What mails showed, in a folder for each mail."""
        for page in _pages(self.ctx, select(picture), picture, mine):
            for row in page:
                yield from self._file(f"{where}/files/mail {row.delivery_id}", row, ".png")

    def attachments(self, where: str, mine: ColumnElement[bool]) -> Iterator[tuple[str, Iterator[bytes]]]:
        """What was sent with tickets, in a folder for each."""
        query = select(*ticket_file.c, ticket.c.number).join(ticket, ticket.c.id == ticket_file.c.ticket_id)
        for page in _pages(self.ctx, query, ticket_file, mine):
            for row in page:
                yield from self._file(f"{where}/files/ticket {row.number}", row)

    def days(self, where: str, workspace_id: str) -> Iterator[tuple[str, Iterator[bytes]]]:
        """Readings and temperatures, which are kept packed by the day, as tables."""
        for inside, name, pieces in copies(self.ctx.read_everything, workspace_id, self._count):
            inside = f"{where}/{inside}"
            yield f"{inside}/{folder(f'{name}.csv', self.names.setdefault(inside, set()))}", pieces

    def _count(self, rows: int) -> None:
        self.found.rows += rows
        self.ctx.progress(0.05, f"{self.found.rows} rows")

    def _file(self, inside: str, row: Any, ending: str = "") -> Iterator[tuple[str, Iterator[bytes]]]:
        try:
            stream = self.ctx.storage.open(row.key)
        except FileNotFoundError:
            self.found.missing += 1
            return
        name = folder(f"{row.name}{ending}", self.names.setdefault(inside, set()))
        yield f"{inside}/{name}", self._bytes(stream)

    def _bytes(self, stream: BinaryIO) -> Iterator[bytes]:
        self.found.files += 1
        with closing(stream):
            while piece := stream.read(CHUNK):
                self.bytes_done += len(piece)
                share = min(self.bytes_done / max(self.bytes_in_all, 1), 1.0)
                self.ctx.progress(0.05 + 0.9 * share, f"{self.found.files} files")
                yield piece


def run(params: Wanted, ctx: Context) -> Exported:
    """Zip it straight into storage, then write a mail that it is there."""
    if ctx.account_id is None:
        raise JobError(NOBODY)
    places = _places(ctx, params, ctx.account_id)
    if not places and params.what == "workspace":
        raise JobError(NOT_THEIRS)
    size = _size(ctx, places)
    room = ctx.storage.room()
    if room is not None and room[0] < size + ROOM:
        raise JobError(NO_ROOM)
    found = Exported(workspaces=len(places), rows=0, files=0, missing=0, days=DAYS)
    writer = Writer(ctx, ctx.account_id, found, size)
    entries = _entries(writer, params, places)
    title = "All of your account" if params.what == "account" else "All of this workspace"
    with zipped(entries) as stream:
        ctx.artifact(f"nightshift-{params.what}.zip", title, "application/zip", cast(BinaryIO, stream))
    _tell(ctx, ctx.account_id)
    return found


def _entries(writer: Writer, params: Wanted, places: dict[str, str]) -> Iterator[tuple[str, Iterator[bytes]]]:
    about_person = params.what == "account"
    folders = (["you"] if about_person else []) + list(places.values())
    whose = "your account and of the workspaces that you own" if about_person else "your workspace"
    text = readme(whose, datetime.now(UTC).strftime("%Y-%m-%d %H:%M"), folders, LEFT_OUT, DAYS)
    yield "README.txt", iter([text.encode()])
    if about_person:
        yield from _about_person(writer)
    for workspace_id, where in places.items():
        for table in Base.metadata.sorted_tables:
            mine = of_workspace(table, workspace_id)
            theirs = shared(table, writer.account_id)
            if mine is not None:
                mine = mine if theirs is None else and_(mine, theirs)
                if not is_packed(table):
                    yield from writer.rows(where, table, mine)
            if table is picture and mine is not None:
                yield from writer.pictures(where, mine)
        yield from writer.attachments(where, ticket_file.c.workspace_id == workspace_id)
        yield from writer.days(where, workspace_id)
        for table in of_runs():
            yield from writer.files(where, table, table.c.workspace_id == workspace_id)


def _about_person(writer: Writer) -> Iterator[tuple[str, Iterator[bytes]]]:
    """What there is about a person anywhere, such as their tickets at others' help desks."""
    for table in Base.metadata.sorted_tables:
        mine = of_account(table, writer.account_id)
        if mine is not None:
            yield from writer.rows("you", table, mine, to_person=True)
        if table is picture and mine is not None:
            yield from writer.pictures("you", mine)
        if table is ticket_file and mine is not None:
            yield from writer.attachments("you", mine)


def _places(ctx: Context, params: Wanted, account_id: str) -> dict[str, str]:
    """The workspaces to export, with the folder of each; asked now, for a role may have gone since."""
    query = select(Workspace.id, Workspace.name).join(Membership, Membership.workspace_id == Workspace.id)
    query = query.where(Membership.account_id == account_id, Membership.role == "owner", Workspace.id != SYSTEM)
    if params.what == "workspace":
        query = query.where(Workspace.id == ctx.workspace)
    taken: set[str] = set()
    with ctx.read_everything() as session:
        found = session.execute(query.order_by(Workspace.id)).all()
    return {row.id: f"workspaces/{folder(row.name, taken)}" for row in found}


def _size(ctx: Context, places: dict[str, str]) -> int:
    with ctx.read_everything() as session:
        sizes = (select(func.sum(table.c.size)).where(table.c.workspace_id.in_(list(places))) for table in files())
        return sum(int(session.scalar(size) or 0) for size in sizes)  # servers sum to a Decimal


def _pages(ctx: Context, query: Any, table: Table, mine: ColumnElement[bool]) -> Iterator[Any]:
    """Rows in the order of their primary key, a few in each transaction: none is open while a file is copied."""
    key = list(table.primary_key.columns)
    query = query.where(mine).order_by(*key).limit(AT_ONCE)
    last: list[Any] = []
    while True:
        with ctx.read_everything() as session:
            rows = session.execute(query.where(_after(key, last)) if last else query).all()
        if not rows:
            return
        yield rows
        last = [rows[-1]._mapping[column] for column in key]


def _after(key: list[Any], last: list[Any]) -> ColumnElement[bool]:
    """Row values compare in every database when they are spelled out."""
    return or_(
        *(
            and_(*(column == value for column, value in zip(key[:depth], last, strict=False)), key[depth] > last[depth])
            for depth in range(len(key))
        )
    )


def _line(row: dict[str, Any]) -> bytes:
    if str(row.get("what", "")).startswith("started"):
        row["detail"] = ""  # a machine's name
    return json.dumps(row, ensure_ascii=False, default=str).encode() + b"\n"  # str: amounts, and days as 2026-03-01


def _of_run(row: Any) -> str:
    if row.made is None:
        return "schedules"
    return f"{datetime.fromtimestamp(row.made / 1000, UTC):%Y-%m-%d %H.%M} {row.kind} {row.run_id}"


def _tell(ctx: Context, account_id: str) -> None:
    account = ctx.session.get(Account, account_id)
    if account is not None:
        text = (
            f"Hello {account.name},\n\nthe copy of your data that you asked for is ready. It is kept for {DAYS} days, "
            f"for you alone:\n{ctx.origin}/runs/{ctx.run_id}\n\nIf you did not ask for it, change your password."
        )
        mail = {"account_id": account_id, "run_id": ctx.run_id, "to": account.email}
        ctx.session.add(Delivery(**mail, workspace_id=ctx.workspace, subject="Your export is ready", text=text))


def headline(found: Exported) -> str:
    return f"{found.rows} rows, {found.files} files"


JOB = Job(
    kind="export",
    title="Export data",
    summary="Packs all that is somebody's, rows and files, into a zip that they alone can download.",
    params=Wanted,
    result=Exported,
    run=run,
    time_limit=1500,
    audience="machinery",
    private=True,
    headline=headline,
)
