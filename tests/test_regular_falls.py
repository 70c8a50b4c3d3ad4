"""Counters that fall again and again: read in one pass, and said in one finding."""

import time

import numpy as np
import pytest

from tasks.energy.series import HOUR
from tests.test_regular import KWH, kinds, made, steps

MANY = 200_000
CHANCE = np.random.default_rng(1)
FALLING = {
    "down": 10**15 - 1000 * np.arange(MANY),
    "below zero": -1000 * np.arange(MANY),
    "by turns": 10**9 + np.where(np.arange(MANY) % 4 > 1, 0, 5 * 10**7),
    "anyhow": CHANCE.integers(0, 10**9, MANY),
}


@pytest.mark.parametrize("name", FALLING)
def test_a_counter_that_falls_at_every_reading_is_read_at_once_and_told_in_a_few_words(name: str) -> None:
    began = time.process_time()
    usage = made(steps(MANY, 60), FALLING[name], "counter")
    assert time.process_time() - began < 20  # of old it took minutes
    assert np.isfinite(usage.kwh).all()
    assert len(usage.findings) < 110
    assert any("backwards" in one.text or "fell" in one.text for one in usage.findings)


def test_a_counter_that_counts_backwards_is_told_what_to_do() -> None:
    usage = made(steps(1000), 10**12 - KWH * np.arange(1000), "counter")
    assert "Turn its sign" in next(one.text for one in usage.findings if one.kind == "negative")
    assert not usage.kwh.any()


def test_a_counter_that_begins_again_each_day_is_counted_in_full() -> None:
    values = KWH * (1 + np.arange(300 * 24 + 1) % 24)
    usage = made(steps(len(values)), values, "counter", HOUR)
    assert usage.kwh.sum() == 300 * 24
    assert kinds(usage) == ["reset"]
