"""Counters made regular when they are read: what they counted is kept over resets, rollovers, gaps and other meters."""

import numpy as np
import pytest

from tasks.energy.series import DAY, HOUR
from tests.test_regular import BEGAN, KWH, counted, kinds, made, steps, used


@pytest.mark.parametrize("step", [900, HOUR, DAY])
@pytest.mark.parametrize("seed", range(4))
def test_a_counters_steps_sum_up_to_its_last_less_its_first(step: int, seed: int) -> None:
    chance = np.random.default_rng(seed)
    keep = chance.random(96 * 30 + 1) > 0.2
    keep[[0, -1]] = True
    values = counted(used(96 * 30, seed))[keep]
    times = steps(96 * 30 + 1, 900)[keep]
    usage = made(times, values, "counter", step)
    assert usage.kwh.sum() * KWH == pytest.approx(values[-1] - values[0], abs=1)


def test_readings_of_a_counter_between_the_hours_are_drawn_through() -> None:
    times = BEGAN + 600 * np.arange(0, 6 * 24 * 3 + 1) + 120
    usage = made(times, counted(np.full(len(times) - 1, KWH)), "counter")
    np.testing.assert_allclose(usage.kwh, 6)
    assert usage.times[0] == BEGAN  # of its first hour two minutes are missing: it counts as whole


def test_a_gap_of_a_counter_keeps_its_energy_and_is_marked() -> None:
    values, keep = counted(used(24 * 30)), np.ones(721, dtype=bool)
    keep[200:260] = False
    usage = made(steps(721)[keep], values[keep], "counter")
    assert np.flatnonzero(usage.filled).tolist() == list(range(199, 260))
    assert np.ptp(usage.kwh[199:260]) < 1e-9
    assert usage.kwh.sum() * KWH == pytest.approx(values[-1] - values[0], abs=1)


def test_a_counter_that_stood_still_in_a_gap_says_that_nothing_was_used() -> None:
    values = counted(used(24 * 30))
    values[200:261] = values[200]
    keep = np.ones(721, dtype=bool)
    keep[201:260] = False
    usage = made(steps(721)[keep], values[keep], "counter")
    assert not usage.filled.any()
    assert not usage.kwh[200:260].any()


def test_a_reset_is_counted_from_zero_as_home_assistant_does() -> None:
    part = used(24 * 30)
    values = np.concatenate((counted(part)[:361], np.cumsum(part[360:])))
    usage = made(steps(len(values)), values, "counter")
    np.testing.assert_allclose(usage.kwh * KWH, part, atol=1)
    assert kinds(usage) == ["reset"]
    assert "taken as a reset" in usage.findings[0].text


@pytest.mark.parametrize("known", [True, False])
def test_a_rollover_loses_nothing(known: bool) -> None:
    part, end = used(24 * 30), 100_000 * KWH
    values = counted(part, end - 200 * KWH) % end
    usage = made(steps(len(values)), values, "counter", rolls_at=end if known else None)
    np.testing.assert_allclose(usage.kwh * KWH, part, atol=1)
    assert kinds(usage) == ["rollover"]
    assert ("as its digits suggest" in usage.findings[0].text) is not known


def test_a_reset_stays_one_where_the_rollover_is_known() -> None:
    part = used(24 * 30)
    values = np.concatenate((counted(part)[:361], np.cumsum(part[360:])))
    usage = made(steps(len(values)), values, "counter", rolls_at=1_000_000 * KWH)
    assert kinds(usage) == ["reset"]
    assert usage.kwh.sum() * KWH == pytest.approx(part.sum(), abs=1)


def test_another_meter_in_its_place_is_counted_from_there() -> None:
    part = used(24 * 30)
    values = counted(part, 50_000 * KWH)
    values[400:] -= 30_000 * KWH
    usage = made(steps(len(values)), values, "counter")
    assert usage.filled.sum() == 1
    assert usage.filled[399]
    np.testing.assert_allclose(np.delete(usage.kwh * KWH, 399), np.delete(part, 399), atol=1)
    assert "another meter had taken over" in next(one.text for one in usage.findings if one.kind == "reset")


@pytest.mark.parametrize("slip", [0, 10**15])
def test_a_lone_wrong_reading_of_a_counter_is_left_out(slip: int) -> None:
    values = counted(used(24 * 30))
    total = values[-1] - values[0]
    values[300] = slip
    usage = made(steps(len(values)), values, "counter")
    assert usage.kwh.sum() * KWH == pytest.approx(total, abs=1)
    assert usage.kwh.max() < 3
    assert kinds(usage)[0] == "outlier" or "outlier" in kinds(usage)


def test_a_counter_that_goes_back_a_little_is_counted_above_its_former_value_alone() -> None:
    values = counted(used(24 * 30))
    total = values[-1] - values[0]
    values[300:305] -= 3 * KWH
    usage = made(steps(len(values)), values, "counter")
    assert usage.kwh.sum() * KWH == pytest.approx(total, abs=1)
    assert (usage.kwh >= 0).all()


def test_a_counter_in_two_units_by_turns_is_said_and_loses_nothing_but_the_detail() -> None:
    values = counted(used(24 * 30), 800 * KWH)
    total = values[-1] - values[0]
    values[300:310] *= 1000
    usage = made(steps(len(values)), values, "counter")
    assert usage.kwh.sum() * KWH == pytest.approx(total, abs=1)
    assert "units" in kinds(usage)
    assert np.flatnonzero(usage.filled).tolist() == list(range(299, 310))
