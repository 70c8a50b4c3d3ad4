"""The sample formats of WFDB signal files: bytes to digital values.

Source: signal(5) of the WFDB Applications Guide, https://physionet.org/physiotools/wag/signal-5.htm.
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Steps = NDArray[np.int32]

BYTES = {"16": 2, "24": 3, "32": 4, "61": 2, "80": 1, "160": 2, "212": 1.5, "310": 4 / 3, "311": 4 / 3}
INVALID = {"16": -(1 << 15), "24": -(1 << 23), "32": -(1 << 31), "61": -(1 << 15), "80": -128, "160": -(1 << 15)}
INVALID |= {"212": -(1 << 11), "310": -(1 << 9), "311": -(1 << 9)}


def decode(raw: Bytes, kind: str, count: int) -> Steps:
    """Decode `count` samples.

    Args:
        raw: 1-D uint8, at least `count` times `BYTES[kind]` of them.
        kind: a key of `BYTES`.
        count: samples.

    Returns:
        1-D int32 of length `count`.
    """
    return _DECODERS[kind](raw, count)


def _from_dtype(dtype: str, shift: int = 0) -> Callable[[Bytes, int], Steps]:
    return lambda raw, count: _plain(raw, count, np.dtype(dtype)) - np.int32(shift)


def _plain(raw: Bytes, count: int, dtype: np.dtype[np.generic]) -> Steps:
    return raw[: count * dtype.itemsize].view(dtype).astype(np.int32)


def _decode_24(raw: Bytes, count: int) -> Steps:
    three = raw[: 3 * count].reshape(-1, 3).astype(np.int32)
    return _signed(three[:, 0] | three[:, 1] << 8 | three[:, 2] << 16, 24)


def _decode_212(raw: Bytes, count: int) -> Steps:
    """Two 12-bit samples in three bytes; the middle byte holds the upper four bits of both."""
    three = _padded(raw, count, 2, 3).astype(np.int32)
    first = three[:, 0] | (three[:, 1] & 0x0F) << 8
    second = three[:, 2] | (three[:, 1] & 0xF0) << 4
    return _signed(np.stack([first, second], 1).reshape(-1)[:count], 12)


def _decode_310(raw: Bytes, count: int) -> Steps:
    """Three 10-bit samples in two words: the upper bits 1..10 of each, the third from the words' top five bits."""
    words = _padded(raw, count, 3, 4).copy().view("<u2").astype(np.int32)
    third = words[:, 0] >> 11 | (words[:, 1] >> 11) << 5
    samples = np.stack([words[:, 0] >> 1 & 0x3FF, words[:, 1] >> 1 & 0x3FF, third], 1)
    return _signed(samples.reshape(-1)[:count], 10)


def _decode_311(raw: Bytes, count: int) -> Steps:
    """Three 10-bit samples in the lower 30 bits of each double word."""
    words = _padded(raw, count, 3, 4).copy().view("<u4").reshape(-1, 1)
    samples = words >> np.array([0, 10, 20], np.uint32) & np.uint32(0x3FF)
    return _signed(samples.astype(np.int32).reshape(-1)[:count], 10)


def _padded(raw: Bytes, count: int, samples: int, size: int) -> Bytes:
    """Whole groups of `size` bytes that hold `samples` samples each; the last may be cut off in the file."""
    groups = math.ceil(count / samples)
    have = raw[: groups * size]
    return np.concatenate([have, np.zeros(groups * size - len(have), np.uint8)]).reshape(groups, size)


def _signed(values: Steps, bits: int) -> Steps:
    half = np.int32(1 << (bits - 1))
    return (values ^ half) - half


_DECODERS: dict[str, Callable[[Bytes, int], Steps]] = {
    "16": _from_dtype("<i2"),
    "24": _decode_24,
    "32": _from_dtype("<i4"),
    "61": _from_dtype(">i2"),
    "80": _from_dtype("u1", 128),
    "160": _from_dtype("<u2", 32768),
    "212": _decode_212,
    "310": _decode_310,
    "311": _decode_311,
}
