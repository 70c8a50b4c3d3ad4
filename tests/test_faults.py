"""The quick ones of the seventeen faults, at a fiftieth to a tenth of their size; `make faults` plays all in full."""

from pathlib import Path

import pytest

from tests.faults import FAULTS
from tests.faults.stage import Verdict, opened

SEED = 3


def played(number: int, folder: Path, scale: float = 0.1) -> Verdict:
    """One of them on SQLite and Valkey."""
    fault = FAULTS[number]
    with opened(SEED, scale, "sqlite", "valkey", folder, **fault.stage) as stage:
        found: Verdict = fault.run(stage)
    assert found.ok, f"{found.why} {found.figures}"
    assert (found.lost, found.twice) == (0, 0)
    return found


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_what_dies_between_the_broker_s_answer_and_its_note_is_done_by_another(tmp_path: Path) -> None:
    assert played(2, tmp_path, 0.02).figures["again"] >= 4


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_web_process_may_die_anywhere_in_a_submit_and_one_key_gives_one_run(tmp_path: Path) -> None:
    assert played(7, tmp_path, 0.02).figures["right"] == 12


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_messages_that_come_five_times_or_long_afterwards_have_one_effect(tmp_path: Path) -> None:
    assert played(8, tmp_path, 0.05).figures["deliveries"] >= 250


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_files_made_to_hurt_fail_with_a_sentence_and_good_ones_among_them_are_read(tmp_path: Path) -> None:
    assert played(12, tmp_path, 0.01).figures["failed_in_the_worker"] >= 5


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_what_was_cancelled_at_any_moment_never_succeeds_afterwards(tmp_path: Path) -> None:
    played(15, tmp_path, 0.05)
