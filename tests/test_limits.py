"""How much one workspace may have: said before anything is queued, and no other workspace feels it."""

import pytest
from flask import Flask
from sqlalchemy import func, select

from models.run import Run
from models.session import EVERYONE
from tests.conftest import Person
from tests.front import browser_of, hand_over, run_id, text_file
from workers.runtime import Runtime

pytestmark = pytest.mark.usefixtures("probe")


def allow(app: Flask, **limits: int) -> None:
    here = app.extensions["nightshift"]
    object.__setattr__(here, "settings", here.settings.model_copy(update=limits))


def count(runtime: Runtime) -> int:
    with runtime.database.read(EVERYONE) as session:
        return session.scalar(select(func.count()).select_from(Run).where(Run.listed.is_(True))) or 0


def test_a_workspace_with_too_many_waiting_runs_hears_so_and_another_does_not(
    app: Flask, runtime: Runtime, ada: Person, grace: Person
) -> None:
    allow(app, waiting_runs=2)
    hers, his = browser_of(app, runtime, ada), browser_of(app, runtime, grace)
    for _ in range(2):
        run_id(hand_over(hers, files=[text_file("one")]))
    refused = hand_over(hers, files=[text_file("one")])
    assert refused.status_code == 429
    assert "2 runs of this workspace wait already" in refused.text
    assert count(runtime) == 2
    run_id(hand_over(his, files=[text_file("one")]))


def test_a_workspace_with_too_many_bytes_hears_so_and_keeps_nothing_of_the_new_ones(
    app: Flask, runtime: Runtime, ada: Person
) -> None:
    allow(app, storage_mb=1)
    hers = browser_of(app, runtime, ada)
    for _ in range(2):
        run_id(hand_over(hers, files=[text_file("x" * 400_000)]))
    refused = hand_over(hers, files=[text_file("y" * 400_000)])
    assert refused.status_code == 413
    assert "1 MB of files" in refused.text
    assert len(list(runtime.storage.listed())) == 2
