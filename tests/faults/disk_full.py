"""Fault 13: the disk that holds the artifacts is full. Runs fail and say so, and work again once there is room."""

import os
import subprocess
from pathlib import Path

from sqlalchemy import select

from models.artifact import Artifact
from models.run import FAILED, SUCCEEDED, Run
from models.session import EVERYONE
from tests.faults.stage import Stage, Verdict
from workers.enqueue import retry

DISK, LEFT, EACH = 32 << 20, 1 << 20, 200_000  # bytes: the disk, what is left of it, and what each run leaves there
REASON = "No space left on device. Make room, then run it again."


def missing() -> str:
    """Why this cannot be played here; empty when it can."""
    return "" if os.geteuid() == 0 else "only root may mount a small disk"


def run(stage: Stage) -> Verdict:
    """A hundred runs for a disk that holds five of them, then room, then the failed ones once more."""
    count, files = stage.size(100, least=20), stage.folder / "files"
    files.mkdir(exist_ok=True)
    _mount("-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(files))
    try:
        return _play(stage, count, files)
    finally:
        for process in stage.processes:
            process.kill()
        subprocess.run(["umount", str(files)], check=True)


def _mount(*words: str) -> None:
    subprocess.run(["mount", *words], check=True)


def _play(stage: Stage, count: int, files: Path) -> Verdict:
    stage.beat()
    stage.workers(2)
    (files / "filler").write_bytes(bytes(DISK - LEFT))
    stage.submit(count, batch=20, leaves=EACH)
    complaints = [] if stage.settles(120) else ["it did not settle within 120 s"]
    full = stage.states()
    failed, unclear = _failed(stage)
    complaints += [] if failed and full[SUCCEEDED] else ["the disk was never full, or never empty"]
    complaints += [f"{len(unclear)} failed with another reason: {unclear[:1]}"] if unclear else []
    complaints += _files_and_rows(stage, files)
    (files / "filler").unlink()
    for run_id in failed:
        with stage.runtime.database.write(stage.workspace) as session:
            retry(session, run_id)
    complaints += [] if stage.settles(120) else ["it did not settle within 120 s of the room that was made"]
    again = stage.states()
    complaints += [] if not again[FAILED] else [f"{again[FAILED]} runs failed although there was room"]
    complaints += _files_and_rows(stage, files)
    figures = {"failed_while_full": len(failed), "succeeded_while_full": count - len(failed)}
    return stage.verdict(13, "disk full", {"jobs": count}, complaints, figures=figures)


def _failed(stage: Stage) -> tuple[list[str], list[str | None]]:
    with stage.runtime.database.read(EVERYONE) as session:
        rows = session.execute(select(Run.id, Run.error).where(Run.state == FAILED)).all()
    return [row.id for row in rows], [row.error for row in rows if REASON not in (row.error or "")]


def _files_and_rows(stage: Stage, files: Path) -> list[str]:
    """A file for each row and a row for each file, whole ones, and no half ones."""
    with stage.runtime.database.read(EVERYONE) as session:
        rows = {row.key: row.size for row in session.execute(select(Artifact.key, Artifact.size))}
    found = {path.name: path.stat().st_size for path in files.glob("??/*")}
    half = [name for name in found if name.endswith(".part")]
    return [
        *([f"{len(half)} half-written files"] if half else []),
        *(["files and their rows differ"] if found != rows else []),
    ]
