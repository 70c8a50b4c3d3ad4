"""What a running job is handed: the database narrowed to its workspace, storage, progress and artifacts."""

import io
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.artifact import Artifact, Upload
from models.delivery import Delivery
from models.session import EVERYONE, Database
from tasks.errors import JobError
from tasks.storage import TEMPORARY, Storage

Progress = Callable[[float, str], None]


class Mailer(Protocol):
    """Sends one mail, or raises TryLater (passing) or JobError (final)."""

    def send(self, delivery: Delivery, text: str) -> None:
        """Hand the mail over to the next server; when it returns, that server has taken it."""


def no_progress(share: float, message: str) -> None:
    """For contexts that nobody watches."""


class Context:
    """A job's hands. A job computes first and writes last: after `session` is touched, progress is refused.

    Args:
        database, storage, mailer: the ports.
        workspace: whose run it is.
        machinery: where the runs of all workspaces stand, when that is not `database` (on the command line).
        run_id, attempt: which run, and the fence of this attempt.
        account_id: who asked for it; None for the machinery.
        origin: scheme and host for links in mails.
        on_progress: told (share done 0..1, message); raises Cancelled when somebody asked for that.
    """

    def __init__(
        self,
        database: Database,
        storage: Storage,
        workspace: str,
        *,
        mailer: Mailer | None = None,
        machinery: Database | None = None,
        run_id: str = "",
        attempt: int = 0,
        account_id: str | None = None,
        origin: str = "",
        on_progress: Progress = no_progress,
    ) -> None:
        self.database = database
        self.storage = storage
        self.mailer = mailer
        self._machinery = machinery or database
        self.workspace = workspace
        self.run_id = run_id
        self.attempt = attempt
        self.account_id = account_id
        self.origin = origin
        self.artifacts: list[Artifact] = []
        self._on_progress = on_progress
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
            self.storage.delete(key)
