"""Fault 12: files made to hurt, among good ones, through the real front and the real worker.

Half of them go past the front's own checks straight into the worker's queue, so that it must help itself.
"""

import hashlib
import io
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import psutil
import requests
from sqlalchemy import select

from deploy.manager import die_with
from deploy.settings import ROOT
from models.artifact import Upload
from models.base import new_id
from models.run import FAILED, SUCCEEDED, Run
from models.session import EVERYONE
from tasks import uploads
from tasks.ecg.job import JOB, EcgParams
from tasks.handover import HandedOver
from tests.faults.poison_files import BAD, CLIMBED, GOOD, Made
from tests.faults.stage import Stage, Verdict
from tests.faults.submit_dies import token_of
from workers.broker import free_ports
from workers.enqueue import submit

STAGE = {"product": ("ecg",), "waiting_runs": 100_000, "storage_mb": 100_000, "api_per_minute": 0}
MEMORY_CAP_MB = 1024  # of each of the worker's processes, at its highest
ATTEMPTS_AT_MOST = 3
NOT_CLEAR = "Something broke on our side"
GUNICORN = (sys.executable, "-m", "gunicorn", "-c", "python:deploy.front", "web.wsgi:app")


class Asked:
    """What was handed over, and what came of it at the front."""

    def __init__(self) -> None:
        self.good: set[str] = set()
        self.bad: dict[str, str] = {}  # run id: the file's name
        self.refused: Counter[str] = Counter()
        self.wrong: list[str] = []


def run(stage: Stage) -> Verdict:
    """50 bad files among 500 good ones."""
    good, bad = stage.size(500), stage.size(50, least=2 * len(BAD))
    stage.beat()
    worker = stage.worker("ecg", 2, "ecg")
    worker.until_ready()
    asked, highest = Asked(), dict[int, int]()
    order = [-1] * good + list(range(bad))
    stage.rng.shuffle(order)
    with _front(stage) as front:
        for number in order:
            _hand_over(stage, front, asked, number)
            _memory(worker.children(), highest)
    settled = stage.until(lambda: _memory(worker.children(), highest) or stage.ended() == len(stage.accepted), 500, 0.5)
    complaints = [*asked.wrong[:5], *([] if settled else ["it did not settle within 500 s"])]
    complaints += _ends(stage, asked)
    peak = max(highest.values(), default=0) // 1024
    complaints += [f"a worker took {peak} MB"] if peak > MEMORY_CAP_MB else []
    complaints += [f"{path} was written" for path in CLIMBED if path.exists()]
    figures = {
        "refused_at_the_front": sum(asked.refused.values()), "failed_in_the_worker": len(asked.bad),
        "memory_peak_mb": peak, "memory_cap_mb": MEMORY_CAP_MB,
    }  # fmt: skip
    return stage.verdict(12, "poison files", {"good": good, "bad": bad}, complaints, figures=figures)


@contextmanager
def _front(stage: Stage) -> Iterator[requests.Session]:
    """The product's front on this stage's database, and a program that may use it."""
    (port,) = free_ports(1)
    with (stage.folder / "front.log").open("wb") as log:
        started = subprocess.Popen(
            GUNICORN, cwd=ROOT, env={**os.environ, **stage.environment, "PORT": str(port)}, stdout=log, stderr=log,
            preexec_fn=partial(die_with, os.getpid()),
        )  # fmt: skip
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {token_of(stage, stage.account, stage.workspace)}"
    session.params = {"port": str(port)}
    try:
        end = time.monotonic() + 60
        while not _answers(port):
            if time.monotonic() > end:
                raise TimeoutError("the front does not answer")
            time.sleep(0.1)
        yield session
    finally:
        started.terminate()
        started.wait(30)


def _answers(port: int) -> bool:
    with suppress(requests.RequestException):
        return requests.get(f"http://127.0.0.1:{port}/livez", timeout=2).ok
    return False


def _hand_over(stage: Stage, front: requests.Session, asked: Asked, number: int) -> None:
    """One file: the good ones through the front, the bad ones by turns through it and past it."""
    is_good = number < 0
    made = stage.rng.choice(GOOD)() if is_good else BAD[number % len(BAD)]()
    if not is_good and (number // len(BAD)) % 2:
        asked.bad[_past_the_front(stage, made)] = made[0]
        return
    url = f"http://127.0.0.1:{front.params['port']}/api/v1/jobs/ecg/runs"  # type: ignore[index, call-overload]
    answer = front.post(url, files={"files": (made[0], io.BytesIO(made[1]))}, timeout=60)
    if answer.status_code == 202:
        run_id = answer.json()["id"]
        stage.accepted.add(run_id)
        if is_good:
            asked.good.add(run_id)
        else:
            asked.bad[run_id] = made[0]
    elif is_good or not 400 <= answer.status_code < 500 or not answer.json().get("errors"):
        asked.wrong.append(f"{made[0]} was answered with {answer.status_code} {answer.text[:200]}")
    else:
        asked.refused[made[0]] += 1


def _past_the_front(stage: Stage, made: Made) -> str:
    """Stored and submitted as if every check at the form had failed to see what it is."""
    name, data = made
    key, size = stage.runtime.storage.put(io.BytesIO(data))
    path = stage.folder / "looked-at"
    path.write_bytes(data)
    kind = uploads.receive(path, name).media_type
    upload = Upload(
        id=new_id(), field="files", name=name, media_type=kind, size=size, key=key,
        sha256=hashlib.sha256(data).hexdigest(),
    )  # fmt: skip
    with stage.runtime.database.write(stage.workspace) as session:
        handed = HandedOver(EcgParams(files=[upload.id]), [upload])
        run_id = submit(stage.runtime, session, JOB, handed, stage.workspace, account_id=stage.account).id
    stage.accepted.add(run_id)
    return run_id


def _memory(processes: list[psutil.Process], highest: dict[int, int]) -> bool:
    """The most memory that each process ever had, in kB, as the kernel says."""
    for process in processes:
        with suppress(OSError, IndexError):
            status = Path(f"/proc/{process.pid}/status").read_text()
            highest[process.pid] = int(status.split("VmHWM:")[1].split()[0])
    return False


def _ends(stage: Stage, asked: Asked) -> list[str]:
    """What should have become of them, and did not."""
    with stage.runtime.database.read(EVERYONE) as session:
        rows = {row.id: row for row in session.execute(select(Run.id, Run.state, Run.error, Run.attempt))}
    wrong = [f"a good file: {rows[one].error}" for one in sorted(asked.good) if rows[one].state != SUCCEEDED]
    for one, name in asked.bad.items():
        row = rows[one]
        clear = row.error and NOT_CLEAR not in row.error
        if row.state != FAILED or not clear or row.attempt > ATTEMPTS_AT_MOST:
            wrong.append(f"{name}: {row.state} after {row.attempt} attempts, {row.error}")
    return sorted(set(wrong))[:8]
