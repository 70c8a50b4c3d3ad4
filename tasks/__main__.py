"""The command line: `python -m tasks list`, `python -m tasks run KIND [--field value …] [FILE …] [--json] [--out DIR]`.

It works with neither broker nor web: the job runs here and now, in a throw-away workspace; --out keeps its files.
"""

import argparse
import json
import logging
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import inspect

from deploy.settings import settings
from models.base import Base
from models.session import Database
from models.workspace import Workspace
from tasks import discover
from tasks.context import Context
from tasks.errors import JobError, TryLater
from tasks.handover import Refused, hand_over
from tasks.job import Job
from tasks.storage import TEMPORARY, FolderStorage

HERE = "command-line"
USAGE, FAILED = 2, 1


def main(arguments: list[str] | None = None) -> int:
    """Returns the exit status: 0 for a result, 1 for a run that failed, 2 for what could not be understood."""
    _quiet()
    options = _parser().parse_args(arguments)
    if options.command == "list":
        return _list()
    try:
        return _run(discover()[options.kind], options)
    except Refused as refused:
        for field, message in refused.errors.items():
            _say(f"{field or options.kind}: {message}")
        return USAGE
    except (JobError, TryLater) as error:
        _say(str(error))
        return FAILED


def _quiet() -> None:
    """Warnings alone, on stderr: answers stand on the other. No local variables, which hold people's data."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,  # before the pretty one, which would show them
            structlog.dev.ConsoleRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def _list() -> int:
    for job in discover().values():
        if job.audience != "machinery":
            sys.stdout.write(f"{job.kind:12} {job.title}: {job.summary}\n")
    return 0


def _run(job: Job, options: argparse.Namespace) -> int:
    values = {name: value for name in _fields(job) if (value := getattr(options, name)) is not None}
    files = {job.file_fields()[0]: _given(options.files)} if options.files and job.file_fields() else {}
    with _context(options.out, None if options.json else _progress) as ctx:
        handed = hand_over(job, values, files, ctx.storage)
        ctx.session.add_all(handed.uploads)
        ctx.commit()
        result = job.run(handed.params, ctx)
        if options.out:
            _leave(ctx, options.out)
        answer = result.model_dump(mode="json")
        if options.json:
            sys.stdout.write(json.dumps({"kind": job.kind, "result": answer}, ensure_ascii=False) + "\n")
        else:
            sys.stdout.write(json.dumps(answer, ensure_ascii=False, indent=2) + "\n")
    return 0


def _given(paths: list[Path]) -> list[tuple[str, Path]]:
    missing = [path for path in paths if not path.is_file()]
    if missing:
        raise JobError(f"There is no file {missing[0]}. Name files that are there.")
    return [(path.name, path) for path in paths]


@contextmanager
def _context(out: Path | None, progress: Any) -> Iterator[Context]:
    """A context over the database in use, when there is one, else over an empty one in memory."""
    with tempfile.TemporaryDirectory(prefix=TEMPORARY) as folder:
        database = Database(f"sqlite:///{folder}/empty.db")
        Base.metadata.create_all(database.engine)
        with database.write(HERE) as session:
            session.add(Workspace(id=HERE, name="Command line"))
        more = {"on_progress": progress} if progress else {}
        machinery = _in_use()
        try:
            with Context(database, FolderStorage(Path(folder) / "files"), HERE, machinery=machinery, **more) as ctx:
                yield ctx
        finally:
            for each in (database, machinery):
                if each is not None:
                    each.close()


def _in_use() -> Database | None:
    """The configured database, if it has been made."""
    chosen = settings()
    if chosen.database.startswith("sqlite") and not (chosen.var / "nightshift.db").exists():
        return None
    database = Database(chosen.database)
    return database if inspect(database.engine).has_table("run") else None


def _leave(ctx: Context, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    for artifact in ctx.artifacts:
        ctx.storage.fetch(artifact.key, out / artifact.name)


def _fields(job: Job) -> list[str]:
    return [name for name in job.params.model_fields if name not in job.file_fields()]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tasks", description="List and run jobs, without broker and web.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="the jobs there are")
    kinds = commands.add_parser("run", help="run one here and now").add_subparsers(dest="kind", required=True)
    for job in discover().values():
        if job.audience != "machinery":
            _job_parser(kinds.add_parser(job.kind, help=job.summary), job)
    return parser


def _job_parser(parser: argparse.ArgumentParser, job: Job) -> None:
    for name in _fields(job):
        info = job.params.model_fields[name]
        words = f"{info.title or name}. {info.description or ''}".replace("%", "%%")
        parser.add_argument(f"--{name.replace('_', '-')}", f"--{name}", dest=name, help=words)
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="the files to hand over")
    parser.add_argument("--json", action="store_true", help="print the answer as one line of JSON and nothing else")
    parser.add_argument("--out", type=Path, metavar="DIR", help="leave the run's files in this folder")


def _progress(share: float, message: str) -> None:
    sys.stderr.write(f"\r{share:4.0%} {message:60.60}")


def _say(message: str) -> None:
    sys.stderr.write(message + "\n")


if __name__ == "__main__":
    sys.exit(main())
