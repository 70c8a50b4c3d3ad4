"""Times and whole numbers in few bytes: a day of a meter's readings, or of a place's temperatures.

Regular times cost nothing but their first and their step; values are kept as they are, as their differences or as the
differences of those, whichever is shortest, divided by what they all share, in as few bits as the largest needs. What
that comes to for real meters is measured by `make bench-energy` ARGS='--only storage'.
"""

import zlib
from typing import TYPE_CHECKING

from tasks.errors import JobError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Whole = NDArray[np.int64]

VERSION = 1
MOST = 90_000  # a reading a second, and an hour more: no blob unpacks to more than these
DEEPEST = 2  # differences of differences
BITS, DEFLATED = 0, 1  # how a column's numbers stand: in a fixed number of bits each, or as zlib's bytes
CHECK = 4  # bytes of CRC-32 at the end


class Corrupt(JobError, ValueError):
    """These bytes were not made by `pack`, or are damaged. A job that comes upon them ends with this sentence."""

    def __init__(self) -> None:
        super().__init__("A day of readings is damaged. Restore it from a backup, or remove it and import it again.")


def pack(times: "Whole", values: "Whole") -> bytes:
    """Any two columns of whole numbers of the same length as bytes.

    Args:
        times: [n] int64, rising.
        values: [n] int64, any.

    Raises:
        ValueError: not as said above, or more than `MOST`.
    """
    import numpy as np

    times, values = np.asarray(times, np.int64), np.asarray(values, np.int64)
    if times.shape != values.shape or times.ndim != 1 or len(times) > MOST:
        raise ValueError(f"times and values are two columns of the same length, at most {MOST:,}")
    if bool((times[1:] <= times[:-1]).any()):
        raise ValueError("times do not rise")
    body = bytes([VERSION]) + _number(len(times)) + _column(times) + _column(values)
    return body + zlib.crc32(body).to_bytes(CHECK, "big")


def unpack(packed: bytes) -> "tuple[Whole, Whole]":
    """What `pack` was given, as new arrays.

    Raises:
        Corrupt: the bytes are none of `pack`'s. Never more than `MOST` numbers are made of them.
    """
    body, check = packed[:-CHECK], packed[-CHECK:]
    if len(check) < CHECK or zlib.crc32(body).to_bytes(CHECK, "big") != check or body[:1] != bytes([VERSION]):
        raise Corrupt
    reader = _Reader(body, 1)
    if (count := reader.number()) > MOST:
        raise Corrupt
    times, values = reader.column(count), reader.column(count)
    if reader.at != len(body) or bool((times[1:] <= times[:-1]).any()):
        raise Corrupt
    return times, values


def _column(column: "Whole") -> bytes:
    return min((_at_depth(column, depth) for depth in range(min(DEEPEST, max(len(column) - 1, 0)) + 1)), key=len)


def _at_depth(column: "Whole", depth: int) -> bytes:
    """The column's `depth`-th differences, after the first number of each depth before it.

    All is reckoned modulo 2**64, as numpy's whole numbers are, so that no difference is too large.
    """
    import numpy as np

    heads = []
    for _ in range(depth):
        heads.append(int(column[0]))
        column = np.diff(column)
    least = int(column.min()) if len(column) else 0
    rest = (column - np.int64(least)).view(np.uint64)
    shared = int(np.gcd.reduce(rest)) or 1 if len(rest) else 1
    small = rest // np.uint64(shared)
    width = int(small.max()).bit_length() if len(small) else 0
    head = b"".join(_number(_zigzag(each)) for each in [*heads, least])
    how, payload = _payload(small, width)
    return bytes([depth << 1 | how, width]) + head + _number(shared) + _number(len(payload)) + payload


def _payload(small: "NDArray[np.uint64]", width: int) -> tuple[int, bytes]:
    """The shorter of two ways, of [n] numbers below 2**width."""
    import numpy as np

    if not width:
        return BITS, b""
    octets = small.astype(">u8").view(np.uint8).reshape(-1, 8)
    bits = np.packbits(np.unpackbits(octets, axis=1)[:, 64 - width :]).tobytes()
    planes = np.ascontiguousarray(octets[:, 8 - (width + 7) // 8 :].T).tobytes()
    deflated = zlib.compress(planes, 9, -15)
    return (DEFLATED, deflated) if len(deflated) < len(bits) else (BITS, bits)


def _number(number: int) -> bytes:
    """A whole number from 0 on, seven bits a byte, the lowest first."""
    made = bytearray()
    while number > 127:
        made.append(number & 127 | 128)
        number >>= 7
    return bytes([*made, number])


def _zigzag(number: int) -> int:
    """0, -1, 1, -2, … as 0, 1, 2, 3, …"""
    return number << 1 if number >= 0 else (-number << 1) - 1


class _Reader:
    """Goes through a blob's bytes; `Corrupt` where they end too soon or say what cannot be."""

    def __init__(self, body: bytes, at: int) -> None:
        self.body, self.at = body, at

    def take(self, count: int) -> bytes:
        if count > len(self.body) - self.at:
            raise Corrupt
        self.at += count
        return self.body[self.at - count : self.at]

    def number(self) -> int:
        found = 0
        for shift in range(0, 70, 7):
            octet = self.take(1)[0]
            found |= (octet & 127) << shift
            if octet < 128:
                return found
        raise Corrupt

    def signed(self) -> int:
        found = self.number()
        return found >> 1 if not found & 1 else -((found + 1) >> 1)

    def column(self, count: int) -> "Whole":
        import numpy as np

        (flags, width) = self.take(2)
        depth, how = flags >> 1, flags & 1
        if depth > DEEPEST or depth > count or width > 64:
            raise Corrupt
        *heads, least = [_wrapped(self.signed()) for _ in range(depth + 1)]
        shared, payload = self.number(), self.take(self.number())
        if shared >= 1 << 64:
            raise Corrupt
        if not width and not payload:  # as of times: all differences are the same
            column = np.full(count - depth, least, np.int64)
        else:
            column = (_small(payload, how, width, count - depth) * np.uint64(shared)).view(np.int64) + np.int64(least)
        for head in reversed(heads):
            column = np.cumsum(np.concatenate((np.array([head]), column)))
        return column


def _wrapped(number: int) -> int:
    """Into the range of int64, or nothing we wrote."""
    if not -(1 << 63) <= number < 1 << 63:
        raise Corrupt
    return number


def _small(payload: bytes, how: int, width: int, count: int) -> "NDArray[np.uint64]":
    import numpy as np

    octets = np.zeros((count, 8), np.uint8)
    size = (width + 7) // 8
    if how == DEFLATED:
        planes = _inflated(payload, count * size)
        octets[:, 8 - size :] = np.frombuffer(planes, np.uint8).reshape(size, count).T
    elif len(payload) != (count * width + 7) // 8:
        raise Corrupt
    elif width:
        bits = np.zeros((count, 64), np.uint8)
        packed = np.frombuffer(payload, np.uint8)
        bits[:, 64 - width :] = np.unpackbits(packed, count=count * width).reshape(count, width)
        octets = np.packbits(bits, axis=1)
    return octets.reshape(-1).view(">u8").astype(np.uint64)


def _inflated(payload: bytes, size: int) -> bytes:
    """Exactly `size` bytes, and never more than one beyond."""
    machine = zlib.decompressobj(-15)
    try:
        found = machine.decompress(payload, size + 1)
    except zlib.error:
        raise Corrupt from None
    if len(found) != size or not machine.eof or machine.unused_data:
        raise Corrupt
    return found
