"""Logs are lines that machines read and that say nothing of people."""

import json
import subprocess
import sys

import flask
import pytest
import structlog
from structlog.testing import capture_logs

from deploy.logs import hidden, log_requests

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
