"""Fault 7: the web process dies somewhere between a run's row and its message. The client asks again, with its key."""

import os
import subprocess
import sys
from functools import partial

from sqlalchemy import func, select

from deploy.manager import die_with
from deploy.settings import ROOT
from models.account import Token
from models.base import new_id
from models.run import Run
from models.session import EVERYONE
from tests.conftest import Person, new_person
from tests.faults import jobs
from tests.faults.stage import Stage, Verdict
from web.security import digest

POINTS = ("before insert", "after insert", "before commit", "after commit", "before publish", "after publish")
KEPT = {"after commit", "before publish", "after publish"}  # there the run is in the table when the process dies
WIDE = {"FAULTS_INCLUDE": "tests.faults.wide_window"}
FAR = 4_102_444_800_000  # the year 2100
STAGE = {"waiting_runs": 100_000, "api_per_minute": 0}


class Front:
    """The web's side, as a client sees it."""

    def __init__(self, stage: Stage, person: Person) -> None:
        token = token_of(stage, person.account_id, person.workspace_id)
        with (stage.folder / "front.log").open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.front_that_dies", token], stdin=subprocess.PIPE, text=True,
                stdout=subprocess.PIPE, stderr=log, cwd=ROOT,
                env={**os.environ, **stage.environment}, preexec_fn=partial(die_with, os.getpid()),
            )  # fmt: skip

    def post(self, point: str, key: str) -> str:
        """The answer to one POST: a status and a run's id, or "died"."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(f"{point} {key}\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def close(self) -> None:
        self.process.communicate(timeout=10)


def run(stage: Stage) -> Verdict:
    """A hundred deaths at each of six points."""
    each, person = stage.size(100), new_person(stage.runtime, "ada")
    stage.beat(more=WIDE)
    stage.workers(1, more=WIDE)
    front = Front(stage, person)
    complaints: list[str] = []
    right = 0
    order = [point for point in POINTS for _ in range(each)]
    stage.rng.shuffle(order)
    for number, point in enumerate(order):
        wrong = _one(stage, front, point, f"key{number}")
        right += not wrong
        complaints += [wrong] if wrong and len(complaints) < 5 else []
    front.close()
    complaints += [] if stage.settles(120) else ["it did not settle within 120 s"]
    rows = _count(stage)
    complaints += [] if rows == len(order) else [f"{rows} runs for {len(order)} keys"]
    size = {"points": len(POINTS), "each": each}
    return stage.verdict(7, "web process dies in a submit", size, complaints, figures={"right": right})


def _one(stage: Stage, front: Front, point: str, key: str) -> str:
    """One death, then the same request again, twice. What was wrong, or nothing."""
    before = _count(stage)
    if (said := front.post(point, key)) != "died":
        return f"{point}: it did not die but said {said}"
    left = _count(stage) - before
    answers = [front.post("nowhere", key) for _ in range(2)]
    if not answers[0].startswith("202 "):
        return f"{point}: asked again, it said {answers[0]}"
    stage.accepted.add(answers[0].split()[1])
    if left != (point in KEPT):
        return f"{point}: {left} runs were left"
    if len(set(answers)) > 1 or _count(stage) != before + 1:
        return f"{point}: one key gave {_count(stage) - before} runs"
    return ""


def _count(stage: Stage) -> int:
    with stage.runtime.database.read(EVERYONE) as session:
        return session.scalar(select(func.count()).where(Run.kind == jobs.JOB.kind)) or 0


def token_of(stage: Stage, account_id: str, workspace_id: str) -> str:
    """A program's token of this person's."""
    secret = f"nightshift_{new_id()}"
    row = Token(
        name="a program", secret_hash=digest(secret), account_id=account_id, workspace_id=workspace_id,
        scope="write", expires_at=FAR,
    )  # fmt: skip
    with stage.runtime.database.write(EVERYONE) as session:
        session.add(row)
    return secret
