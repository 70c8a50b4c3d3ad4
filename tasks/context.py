"""What a running job is handed: the database narrowed to its workspace, storage, progress and artifacts."""

import io
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, NoReturn

from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.artifact import Artifact, Upload
from models.run import Run
from models.session import EVERYONE, Database
from tasks.care.boxes import Boxes
from tasks.errors import FannedOut, JobError
from tasks.mailing.outgoing import Mailer
from tasks.metering.weather_service import WeatherService
from tasks.storage import TEMPORARY, Storage, drop

Progress = Callable[[float, str], None]
Keep = Callable[[dict[str, Any]], None]


def no_progress(share: float, message: str) -> None:
    """For contexts that nobody watches."""


def no_checkpoint(kept: dict[str, Any]) -> None:
    """For contexts without a run."""


@dataclass(frozen=True)
class Child:
    """What became of one child of a fan-out: its state, and its result or its error."""

    state: str
    result: dict[str, Any] | None
    error: str | None


class Context:
    """A job's hands. A job computes first and writes last: after `session` is touched, progress is refused.

    Args:
        database, storage, mailer, weather, boxes: the ports; None for the last three where nothing is set up.
        workspace: whose run it is.
        machinery: where the runs of all workspaces stand, when that is not `database` (on the command line).
        run_id, attempt: which run, and the fence of this attempt.
        account_id: who asked for it; None for the machinery.
        origin: scheme and host for links in mails.
        keep_days: how long ended runs are kept, by state; those of a state without an entry are kept for ever.
        keep_runs: how many ended runs of a workspace are kept; 0: all.
        on_progress: told (share done 0..1, message); raises Cancelled when somebody asked for that.
        checkpoint: what the last attempt kept with `save_checkpoint`; None when it kept nothing.
        on_checkpoint: keeps it.
        split_into: how many children the run has; 0 until it fanned out.
    """

    def __init__(
        self,
        database: Database,
        storage: Storage,
        workspace: str,
        *,
        mailer: Mailer | None = None,
        weather: WeatherService | None = None,
        boxes: Boxes | None = None,
        machinery: Database | None = None,
        run_id: str = "",
        attempt: int = 0,
        account_id: str | None = None,
        origin: str = "",
        keep_days: Mapping[str, int] | None = None,
        keep_runs: int = 0,
        on_progress: Progress = no_progress,
        checkpoint: dict[str, Any] | None = None,
        on_checkpoint: Keep = no_checkpoint,
        split_into: int = 0,
    ) -> None:
        self.database = database
        self.storage = storage
        self.mailer = mailer
        self.weather = weather
        self.boxes = boxes
        self._machinery = machinery or database
        self.workspace = workspace
        self.run_id = run_id
        self.attempt = attempt
        self.account_id = account_id
        self.origin = origin
        self.keep_days = dict(keep_days or {})
        self.keep_runs = keep_runs
        self.artifacts: list[Artifact] = []
        self.checkpoint = checkpoint
        self.split_into = split_into
        self._on_progress = on_progress
        self._on_checkpoint = on_checkpoint
        self._exits = ExitStack()  # files that go when the attempt ends
        self._transaction = ExitStack()
        self._write: Session | None = None
        self._touched: set[tuple[type, str]] = set()

    def __enter__(self) -> "Context":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._write is not None and error is None:
                self._write.rollback()  # written, but never committed: the attempt was not finished
            self._transaction.__exit__(kind, error, trace)
        finally:
            self._exits.close()

    def commit(self) -> None:
        """End the transaction of `session`; what the run leaves is kept from now on."""
        if self._write is not None:
            self._write.info.setdefault("changed", set()).update(self._touched)
            self._write = None
            self._transaction.close()
        self.artifacts = []

    def progress(self, share: float, message: str = "") -> None:
        """Say how far the run is (0 to 1) and what it does. Cancelling happens here.

        Raises:
            RuntimeError: after the job began to write: SQLite has one writer, and this would wait for itself.
        """
        if self._write is not None:
            raise RuntimeError("progress after a write: a job computes first and writes last")
        self._on_progress(min(max(share, 0.0), 1.0), message)

    def save_checkpoint(self, kept: dict[str, Any]) -> None:
        """Keep how far a long run is. After a deploy or a lost worker the next attempt finds it in `checkpoint`.

        Args:
            kept: small, and JSON; it replaces what was kept before.

        Raises:
            RuntimeError: after the job began to write, as for `progress`.
        """
        if self._write is not None:
            raise RuntimeError("a checkpoint after a write: a job computes first and writes last")
        self._on_checkpoint(kept)
        self.checkpoint = kept

    def fan_out(self, kind: str, params: Iterable[BaseModel]) -> NoReturn:
        """Split this run into children, one for each of `params`, all of the job `kind`; it never returns.

        When all of them have ended, whatever became of each, the job is run again from its start, and then finds
        them in `children`. Call it before writing.

        Raises:
            FannedOut: always.
            ValueError: there is nothing to split into, or this run was split before.
        """
        handed = [each.model_dump(mode="json") for each in params]
        if not handed or self.split_into or self._write is not None:
            raise ValueError("a run fans out once, into at least one child, and before it writes")
        raise FannedOut(kind, handed)

    @property
    def children(self) -> list[Child] | None:
        """What became of the children, in the order of their params; None before the fan-out."""
        if not self.split_into:
            return None
        theirs = select(Run.state, Run.result, Run.error).where(Run.parent_id == self.run_id).order_by(Run.id)
        with self.read() as session:
            return [Child(*row) for row in session.execute(theirs)]

    @property
    def untouched(self) -> bool:
        """Whether the job wrote nothing and left nothing but its result."""
        return self._write is None and not self.artifacts and not self._touched

    def now(self) -> int:
        """Epoch milliseconds."""
        return time.time_ns() // 1_000_000

    def read(self) -> AbstractContextManager[Session]:
        """A short session for reading the workspace's rows."""
        return self.database.read(self.workspace)

    def read_everything(self) -> AbstractContextManager[Session]:
        """A session over all workspaces, for jobs of administrators and the machinery."""
        return self._machinery.read(EVERYONE)

    def write_everything(self) -> AbstractContextManager[Session]:
        """A transaction over all workspaces, for the machinery: it commits by itself, before the run's end."""
        return self._machinery.write(EVERYONE)

    @property
    def session(self) -> Session:
        """The one transaction in which the job's rows, its result and its end are written together."""
        if self._write is None:
            self._write = self._transaction.enter_context(self.database.write(self.workspace))
        return self._write

    def touch(self, table: type, workspace: str) -> None:
        """Wake the jobs that watch a table, as if a row of it had changed there; at the run's end."""
        self._touched.add((table, workspace))

    def artifact(self, name: str, title: str, media_type: str, data: bytes | BinaryIO) -> None:
        """Leave a file with the run; its row is written when the run ends."""
        stream = io.BytesIO(data) if isinstance(data, bytes) else data
        try:
            key, size = self.storage.put(stream)
        except OSError as error:
            raise JobError(
                f"The file “{title}” could not be kept: {error.strerror}. Make room, then run it again."
            ) from error
        self._exits.callback(self._drop_unless_kept, key)
        self.artifacts.append(
            Artifact(
                workspace_id=self.workspace,
                run_id=self.run_id,
                attempt=self.attempt,
                name=name,
                title=title,
                media_type=media_type,
                size=size,
                key=key,
            )
        )

    def paths(self, upload_ids: list[str]) -> list[Path]:
        """The uploads as files of a private folder that is gone after the run, under the names they came with.

        Raises:
            JobError: when their bytes were deleted in the meantime.
        """
        with self.read() as session:
            uploads = session.scalars(select(Upload).where(Upload.id.in_(upload_ids))).all()
        if len(uploads) != len(upload_ids) or any(upload.deleted_at for upload in uploads):
            raise JobError("The files of this run were deleted after an earlier reading. Hand them over again.")
        folder = Path(self._exits.enter_context(tempfile.TemporaryDirectory(prefix=TEMPORARY)))
        return [self._fetch(upload, folder) for upload in sorted(uploads, key=lambda row: upload_ids.index(row.id))]

    def _fetch(self, upload: Upload, folder: Path) -> Path:
        """One file to each folder, so that two of one name do not meet; names that are no names get another."""
        name = Path(upload.name).name
        path = Path(tempfile.mkdtemp(dir=folder)) / (name if name not in ("", "..") else "file")
        self.storage.fetch(upload.key, path)
        return path

    def _drop_unless_kept(self, key: str) -> None:
        if any(artifact.key == key for artifact in self.artifacts):
            drop(self.storage, [key])
