"""The assistant's index as a file: made by somebody else it is refused, and nothing in it runs or fills the memory."""

import io
import json
import tracemalloc
import zipfile
from typing import Any

import numpy as np
import pytest

from tasks.care.suggestions import index, kept
from tasks.care.suggestions.index import Unreadable
from tests.test_suggestions import an_index


class Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return exec, ("raise SystemExit('it ran')",)


def rewritten(change: Any) -> io.BytesIO:
    """The file with its arrays changed."""
    with np.load(io.BytesIO(index.dump(an_index()))) as found:
        arrays = {name: found[name] for name in found.files}
    change(arrays)
    out = io.BytesIO()
    np.savez(out, **arrays)
    out.seek(0)
    return out


def set_to(name: str, value: Any) -> Any:
    return lambda arrays: arrays.update({name: value})


@pytest.mark.parametrize(
    "change",
    [
        set_to("ticket.words.rows", np.array([Evil()], dtype=object)),
        set_to("meta", np.frombuffer(b"[]", np.uint8)),
        set_to("meta", np.frombuffer(b'{"form": 99}', np.uint8)),
        set_to("meta", np.frombuffer(b"\xff{", np.uint8)),
        set_to("ticket.topics", np.array([0, 1, 99, 0, 0], np.int32)),
        set_to("ticket.ids", np.array([b"x"])),
        set_to("article.words.starts", np.array([0, 2**40], np.int64)),
        lambda arrays: arrays["ticket.words.rows"].fill(10**6),
        lambda arrays: arrays["ticket.words.rows"].fill(-1),
        lambda arrays: arrays["ticket.pieces.weights"].fill(np.nan),
        lambda arrays: arrays.pop("article.pieces.terms"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_and_nothing_in_it_runs(change: Any) -> None:
    with pytest.raises(Unreadable):
        index.load(rewritten(change))


def test_what_is_no_file_of_this_kind_or_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for data in (b"", b"PK", b"\x80\x04.", index.dump(an_index())[:500]):
        with pytest.raises(Unreadable):
            index.load(io.BytesIO(data))
    monkeypatch.setattr(kept, "MOST_BYTES", 1_000)
    with pytest.raises(Unreadable, match="too large"):
        index.load(io.BytesIO(index.dump(an_index())))


def meta(**changed: Any) -> Any:
    """The JSON of a good file, changed."""
    with np.load(io.BytesIO(index.dump(an_index()))) as found:
        told = json.loads(found["meta"].tobytes()) | changed
    return set_to("meta", np.frombuffer(json.dumps(told).encode(), np.uint8))


@pytest.mark.parametrize(
    "change",
    [
        set_to("meta", np.frombuffer(b"[" * 100_000, np.uint8)),
        lambda arrays: meta(bounds={"likely": 0.1})(arrays),
        lambda arrays: meta(bounds=[1, 2])(arrays),
        lambda arrays: meta(made_at="x")(arrays),
        set_to("ticket.ids", np.arange(5.0)),
        set_to("article.ids", np.arange(2.0)),
        set_to("ticket.words.terms", np.zeros((3, 7), np.uint32)),
        set_to("ticket.words.rest", np.array([1e300, 1.0, 1.0])),
        set_to("ticket.words.rest", np.array([np.inf, 1.0, 1.0])),
        set_to("article.numbers", np.zeros(2, "V8")),
    ],
)
def test_a_file_whose_parts_are_of_other_kinds_is_refused(change: Any) -> None:
    with pytest.raises(Unreadable):
        index.load(rewritten(change))


def npy(header: str, body: bytes = b"") -> bytes:
    told = header.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(told).to_bytes(2, "little") + told + body


def zipped(name: str, data: bytes, how: int = zipfile.ZIP_STORED) -> io.BytesIO:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", how) as held:
        held.writestr(name, data)
    out.seek(0)
    return out


def header(kind: str, shape: str) -> str:
    return f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}"


@pytest.mark.parametrize(
    ("part", "how"),
    [
        (npy(header("|u1", "(1000000000000,)")), zipfile.ZIP_STORED),
        (npy(header("|u1", "(9223372036854775807, 9)")), zipfile.ZIP_STORED),
        (npy(header("|S0", "(1000000000000,)")), zipfile.ZIP_STORED),
        (npy(header("|O", "(1,)"), b"\x80\x04."), zipfile.ZIP_STORED),
        (npy(header("|u1", "(-1,)")), zipfile.ZIP_STORED),
        (npy("(" * 110), zipfile.ZIP_STORED),
        (npy("__import__('os').system('true')"), zipfile.ZIP_STORED),
        (b"\x80\x04.", zipfile.ZIP_STORED),
        (b"0" * 1_000_000, zipfile.ZIP_DEFLATED),
        (b"0" * 1_000_000, zipfile.ZIP_LZMA),
    ],
)
def test_a_made_up_file_is_refused_and_takes_no_memory(part: bytes, how: int) -> None:
    data = zipped("meta.npy", part, how)
    tracemalloc.start()
    try:
        with pytest.raises(Unreadable):
            index.load(data)
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()


def test_a_file_with_an_encrypted_part_or_damaged_bytes_anywhere_is_refused_or_whole() -> None:
    good = index.dump(an_index())
    locked = bytearray(good)
    at = locked.rfind(b"PK\x01\x02")
    locked[at + 8] |= 1
    with pytest.raises(Unreadable):
        index.load(io.BytesIO(bytes(locked)))
    chance = np.random.default_rng(3)
    for place in chance.integers(0, len(good), 150):
        hurt = bytearray(good)
        hurt[place] ^= int(chance.integers(1, 256))
        try:
            index.load(io.BytesIO(bytes(hurt)))
        except Unreadable:
            continue
