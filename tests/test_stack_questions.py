"""What `make compose-test` asks of a stack's tables can be asked, and tells what it should; without any container."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from models.delivery import Delivery
from models.run import Idempotency, Run
from tests.conftest import Person
from tests.stack import content, load
from tests.stack.compose import Stack
from tests.stack.load import Kept, Load
from tests.stack.report import Report
from tests.stack.visitor import Front
from workers.runtime import Runtime


def asked(runtime: Runtime, script: str, argument: str) -> Any:
    """As `docker compose exec -T web python - ARGUMENT` does."""
    environment = {**os.environ, "NIGHTSHIFT_VAR": str(runtime.settings.var)}
    words = [sys.executable, "-", argument]
    done = subprocess.run(words, input=script, env=environment, capture_output=True, text=True, timeout=60, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def test_runs_of_a_load_are_found_by_their_keys_with_their_tries_and_mails(runtime: Runtime, ada: Person) -> None:
    with runtime.database.write(ada.workspace_id) as session:
        run = Run(kind="budget", queue="scans", params={}, state="succeeded", attempt=2, tries=1)
        session.add(run)
        session.flush()
        session.add(Idempotency(workspace_id=ada.workspace_id, key="api:load-1-0", params_hash="", run_id=run.id))
        session.add(Delivery(run_id=run.id, to="ada@example.org", subject="Done", text="Done"))
        run_id = run.id
    assert asked(runtime, load.ASK, "load-1-") == [["load-1-0", run_id, "succeeded", 1, 2, 1]]
    assert asked(runtime, load.ASK, "load-2-") == []


def test_what_a_backup_must_bring_back_is_told_row_by_row(runtime: Runtime, ada: Person) -> None:
    first = asked(runtime, content.ASK, ",".join(content.STEADY))
    assert set(first) == set(content.STEADY)
    assert ada.account_id in first["account"]
    before = content.Content(first, {"/a.pdf": "1"})
    assert before.missing_in(before) == []
    other = content.Content({**first, "account": {ada.account_id: "otherwise"}}, {"/a.pdf": "2"})
    assert f"account {ada.account_id}" in before.missing_in(other)
    assert "/a.pdf" in before.missing_in(other)


def test_a_lost_a_failed_and_a_doubled_run_each_fail_the_report() -> None:
    def verdicts(*found: Kept) -> list[str]:
        report, run = Report("none"), Load(Front("http://127.0.0.1:1", None), "")
        run.heard.accepted = {"a": "1"}
        load.judge(report, run, list(found))
        return [line.verdict for line in report.lines]

    good = Kept("a", "1", "succeeded", tries=0, attempt=1, mails=1)
    assert verdicts(good) == ["ok", "ok", "ok"]
    assert verdicts() == ["ok", "FAILED", "ok"]
    assert verdicts(replace(good, state="queued")) == ["ok", "FAILED", "ok"]
    assert verdicts(replace(good, id="2")) == ["ok", "FAILED", "ok"]
    assert verdicts(replace(good, mails=2)) == ["ok", "ok", "FAILED"]


def test_a_stack_has_ports_and_a_name_of_its_own_and_no_settings_of_whoever_runs_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tests.stack.compose.KEPT", tmp_path)
    monkeypatch.setenv("NIGHTSHIFT_MAIL", "sendgrid")
    monkeypatch.setenv("COMPOSE_PROFILES", "monitoring")
    one = Stack("one", print).environment
    assert one["COMPOSE_PROJECT_NAME"] == "one"
    assert len({one[name] for name in ("HTTP_PORT", "HTTPS_PORT", "MAIL_PORT")}) == 3
    assert not {"NIGHTSHIFT_MAIL", "COMPOSE_PROFILES", "NIGHTSHIFT_SMTP_PORT"} & set(one)
    assert Stack("one", print).environment == one, "it comes back to the same stack"
