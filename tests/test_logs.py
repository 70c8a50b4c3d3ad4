"""Logs are lines that machines read and that say nothing of people."""

import json
import subprocess
import sys
from pathlib import Path

import flask
import pytest
import structlog
from PIL import Image
from sqlalchemy import select
from structlog.testing import capture_logs

from deploy.logs import hidden, log_requests
from deploy.settings import Settings
from models.run import END_STATES, Run
from models.session import EVERYONE
from tasks import discover
from tasks.handover import hand_over
from tests.conftest import new_person
from tests.make_run import Nightshift, until
from workers.enqueue import submit
from workers.runtime import Runtime

PROGRAM = """
import logging, structlog
from deploy.logs import configure
configure("info")
configure("info")
structlog.contextvars.bind_contextvars(run="r1", job="stock")
structlog.get_logger("ours").info("done", rows=3, error=ValueError("ada@example.org"), well=True)
logging.getLogger("theirs").warning("mailed %s", "ada@example.org")
logging.getLogger("theirs").debug("not wanted")
try:
    raise ValueError("redis://:password@host/0")
except ValueError:
    logging.getLogger("theirs").exception("went wrong")
"""


def test_every_line_is_json_with_the_run_it_belongs_to() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert [line["event"] for line in lines] == ["done", "mailed <address>", "went wrong"]
    assert {(line["run"], line["job"]) for line in lines} == {("r1", "stock")}
    assert (lines[0]["rows"], lines[0]["well"], lines[0]["error"]) == (3, True, "<address>")
    assert "password" not in done.stderr
    assert "ValueError" in lines[2]["exception"]


def test_lines_for_a_terminal_show_no_local_variables() -> None:
    program = PROGRAM.replace('configure("info")', 'configure("info", json=False)').replace(
        "try:", "private = 'ada'\ntry:"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=True)
    assert "went wrong" in done.stderr
    assert "ValueError" in done.stderr
    assert "private" not in done.stderr
    assert "Logging error" not in done.stderr


def test_the_command_line_logs_on_stderr_and_shows_no_local_variables() -> None:
    program = """
import structlog
from tasks.__main__ import main
main(["list"])
print("-- listed")
def job(private):
    raise ValueError("odd")
try:
    job("of-" + "ada")
except ValueError:
    structlog.get_logger("ours").exception("went wrong")
"""
    done = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("-- listed\n"), "answers alone stand there"
    assert "went wrong" in done.stderr
    assert "ValueError" in done.stderr
    assert "of-ada" not in done.stderr
    assert "password" not in done.stderr


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("Connected to redis://:pass@127.0.0.1:1/0", "Connected to redis://***@127.0.0.1:1/0"),
        ("GET /reset?token=abc&x=1 HTTP/1.1", "GET /reset?… HTTP/1.1"),
        ("to ada.lovelace+x@mail.example.org: refused", "to <address>: refused"),
        ("Is it on? x = 3", "Is it on? x = 3"),
        ("ecg@host ready.", "ecg@host ready."),
    ],
)
def test_passwords_addresses_and_query_strings_are_struck_out(said: str, kept: str) -> None:
    assert hidden(said) == kept


@pytest.mark.parametrize("long", ["a" * 100_000, "a?" * 100_000])
def test_a_long_text_is_looked_through_once_and_not_from_each_of_its_letters(long: str) -> None:
    assert hidden(f"{long} ada@example.org /runs?q=1") == f"{long} <address> /runs?…"


def test_a_request_is_logged_by_its_route_and_never_by_its_path() -> None:
    app = flask.Flask(__name__)
    app.add_url_rule("/reset/<token>", "reset", lambda token: "")
    structlog.reset_defaults()
    with capture_logs() as lines:
        log_requests(app)
        app.test_client().get("/reset/a-secret?q=stock", headers={"Cookie": "session=a-cookie"})
        app.test_client().get("/nowhere-a-secret")
    assert [(line["route"], line["status"]) for line in lines] == [("/reset/<token>", 200), ("no route", 404)]
    assert "a-secret" not in str(lines)
    assert "a-cookie" not in str(lines)


@pytest.mark.slow
@pytest.mark.timeout(280)
def test_a_real_run_s_lines_carry_its_id_and_job_and_nothing_of_anybody(system: Nightshift, tmp_path: Path) -> None:
    """Names, addresses and params that would be found in any log if they got there."""
    ran, failed = _two_runs(system, tmp_path)
    files = {path.name: path.read_text(errors="replace") for path in (system.var / "logs").iterdir()}
    everything = "\n".join(files.values())
    assert "telltale" not in everything.lower()
    lines = [json.loads(line) for line in everything.splitlines() if line.startswith("{")]
    left = {line["run"]: (line["job"], line["state"]) for line in lines if line["event"] == "run.left"}
    assert (left[ran], left[failed]) == (("ecg", "succeeded"), ("ecg", "failed"))
    for line in lines:
        if line.get("run") or line.get("logger", "").startswith(("workers.execute", "tasks.")):
            assert line["run"], line
            assert line["job"], line
    said_elsewhere = [line for line in everything.splitlines() if ran in line or failed in line]
    assert [line for line in said_elsewhere if not line.startswith("{") or "run" not in json.loads(line)] == []


def _two_runs(system: Nightshift, folder: Path) -> tuple[str, str]:
    """One run that succeeds and one that fails, of somebody and with files that can be told apart from all else."""
    runtime = Runtime.from_settings(Settings.model_validate({"var": system.var, "broker_url": "redis://127.0.0.1:1/0"}))
    job = discover()["ecg"]
    good, bad = folder / "telltale-good.zip", folder / "telltale-bad.png"
    good.write_bytes((job.folder / "sample" / "recording.zip").read_bytes())
    Image.new("RGB", (640, 480), "white").save(bad)
    person = new_person(runtime, "telltale")
    ids = []
    for path in (good, bad):
        handed = hand_over(job, {}, {"files": [(path.name, path)]}, runtime.storage)
        with runtime.database.write(person.workspace_id) as session:
            run = submit(runtime, session, job, handed, person.workspace_id, account_id=person.account_id)
            ids.append(run.id)

    def ended() -> bool:
        with runtime.database.read(EVERYONE) as session:
            return set(session.scalars(select(Run.state).where(Run.id.in_(ids)))) <= set(END_STATES)

    until(ended, 90)
    until(lambda: all(run_id in (system.var / "logs" / "ecg.log").read_text() for run_id in ids), 20)
    runtime.database.close()
    return ids[0], ids[1]
