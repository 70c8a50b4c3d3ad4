"""The model check at a tenth of its size, and that it can fail: an engine without its fence is found out."""

from pathlib import Path

import pytest

from deploy.settings import Settings
from tests.faults import model

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def settings(folder: Path) -> Settings:
    return Settings.model_validate({"var": folder, "broker_url": "redis://127.0.0.1:1/0"})


def test_whatever_happens_to_three_workers_no_invariant_is_broken(tmp_path: Path) -> None:
    runtime = model.in_memory(settings(tmp_path))
    assert model.examine(runtime, 1_000, seed=1) >= 1_000
    runtime.database.close()


def test_the_model_finds_an_end_of_a_run_that_asks_for_no_fence(tmp_path: Path) -> None:
    runtime = model.in_memory(settings(tmp_path))
    found = model.finds_the_mutation(runtime, seed=4)
    runtime.database.close()
    assert found in {
        "an attempt that lost its lease ended the run",
        "an attempt without the fence wrote",
        "a result without the fence",
    }
