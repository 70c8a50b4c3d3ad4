"""What Nightshift can do: one folder for each job. `discover()` finds them; there is no list to edit."""

import importlib
import re
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from tasks.job import Job

HERE = Path(__file__).parent
KIND = re.compile(r"[a-z][a-z0-9_]{1,39}")


@lru_cache(maxsize=1)
def discover() -> dict[str, Job]:
    """Every folder's JOB by its kind, in alphabetical order.

    Raises:
        RuntimeError: when a folder breaks the rules; it says which and how.
    """
    return {kind: _load(kind) for kind in sorted(path.parent.name for path in HERE.glob("*/job.py"))}


def _load(kind: str) -> Job:
    job = importlib.import_module(f"tasks.{kind}.job").JOB
    if not isinstance(job, Job) or job.kind != kind or not KIND.fullmatch(kind):
        raise RuntimeError(f"tasks/{kind}/job.py: JOB must be a Job whose kind is the folder's name, {kind!r}")
    folder = HERE / kind
    if not (folder / "result.html").is_file():
        raise RuntimeError(f"tasks/{kind}/ has no result.html: the page that shows its Result")
    if job.schedule:
        job.params()  # a scheduled job has defaults for all its params: nobody is there to fill them in
    return replace(job, folder=folder)
