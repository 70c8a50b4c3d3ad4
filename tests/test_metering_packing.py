"""Packed days give back what was put in, bit by bit, in few bytes; damaged ones are refused and blow nothing up."""

import tracemalloc
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.metering import packing
from tasks.metering.packing import MOST, Corrupt, pack, unpack

WHOLE = st.integers(-(2**63), 2**63 - 1)
SMALL = st.integers(-5, 5).map(lambda n: n * 1000)
DAY = 20_000 * 86_400


def same(times: np.ndarray, values: np.ndarray) -> None:
    again = unpack(pack(times, values))
    assert np.array_equal(again[0], times)
    assert np.array_equal(again[1], values)
    assert again[0].dtype == again[1].dtype == np.int64


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(WHOLE, st.one_of(WHOLE, SMALL)), max_size=40, unique_by=lambda each: each[0]))
def test_whatever_goes_in_comes_out_again(rows: list[tuple[int, int]]) -> None:
    rows.sort()
    same(np.array([row[0] for row in rows], np.int64), np.array([row[1] for row in rows], np.int64))


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 1440), st.sampled_from([60, 900, 3600]), st.integers(0, 2**40), st.integers(1, 1000))
def test_counters_and_loads_of_every_size_come_out_again(count: int, step: int, most: int, shared: int) -> None:
    values = np.random.default_rng(count).integers(0, most + 1, count) * shared
    times = DAY + np.arange(count, dtype=np.int64) * step
    same(times, values)
    same(times, np.cumsum(values))


def test_a_day_of_quarter_hours_in_whole_watt_hours_takes_less_than_two_bytes_a_reading() -> None:
    values = np.random.default_rng(1).integers(20, 900, 96) * 1000
    assert len(pack(DAY + np.arange(96) * 900, values)) < 2 * 96


def test_what_is_regular_takes_no_more_for_a_thousand_readings_than_for_three() -> None:
    short = pack(DAY + np.arange(3) * 60, np.arange(3) * 5000)
    long = pack(DAY + np.arange(1440) * 60, np.arange(1440) * 5000)
    assert len(long) <= len(short) + 1 <= 40


def test_what_is_no_pair_of_rising_columns_is_refused() -> None:
    with pytest.raises(ValueError, match="do not rise"):
        pack(np.array([2, 1]), np.array([0, 0]))
    with pytest.raises(ValueError, match="same length"):
        pack(np.array([1]), np.array([0, 0]))
    with pytest.raises(ValueError, match="at most"):
        pack(np.arange(MOST + 1), np.arange(MOST + 1))


def test_every_damaged_byte_is_noticed() -> None:
    good = pack(DAY + np.arange(96) * 900, np.random.default_rng(2).integers(0, 10**6, 96))
    for at in range(len(good)):
        with pytest.raises(Corrupt):
            unpack(good[:at])
        with pytest.raises(Corrupt, match="Restore it"):
            unpack(good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :])


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=80))
def test_bytes_of_anybody_are_refused_or_read_and_nothing_else_is_raised(body: bytes) -> None:
    body = bytes([packing.VERSION]) + body
    try:
        times, values = unpack(body + zlib.crc32(body).to_bytes(4, "big"))  # a forger reckons the check too
    except Corrupt:
        return
    assert len(times) == len(values) <= MOST


def test_a_bomb_is_refused_before_it_goes_off() -> None:
    bomb = zlib.compress(b"\0" * 50_000_000, 9, -15)
    column = bytes([packing.DEFLATED, 64, 0, 1]) + packing._number(len(bomb)) + bomb
    body = bytes([packing.VERSION]) + packing._number(MOST) + column + column
    tracemalloc.start()
    with pytest.raises(Corrupt):
        unpack(body + zlib.crc32(body).to_bytes(4, "big"))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 30_000_000
    with pytest.raises(Corrupt):
        unpack(bytes([packing.VERSION]) + b"\xff" * 30)
