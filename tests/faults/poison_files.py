"""Files for fault 12: good recordings of many kinds, and small ones that are gigabytes, a crash or a lie inside."""

import struct
import zipfile
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path

from tasks.ecg import job as ecg
from tests.ecg_files import archive, edf, heart, huge_png, picture, png_chunk, wfdb_record

SAMPLES = Path(ecg.__file__).parent / "sample"
Made = tuple[str, bytes]  # a name and the bytes


def _csv(seconds: float, rate: float = 250.0) -> bytes:
    lines = [f"{number / rate:.4f},{value:.4f}" for number, value in enumerate(heart(seconds, rate))]
    return ("time,II\n" + "\n".join(lines) + "\n").encode()


def _wfdb() -> bytes:
    header, samples = wfdb_record(10)
    return archive({"record.hea": header.encode(), "record.dat": samples})


GOOD: tuple[Callable[[], Made], ...] = (
    lambda: ("ten.csv", _csv(10)),
    lambda: ("twenty.csv", _csv(20, 360)),
    lambda: ("ten.edf", edf()),
    lambda: ("ten.zip", _wfdb()),
    lambda: ("strip.png", (SAMPLES / "strip.png").read_bytes()),
    lambda: ("beat.png", (SAMPLES / "beat.png").read_bytes()),
)


@cache
def _zeros(size: int) -> bytes:
    """So many zero bytes, deflated a megabyte at a time."""
    press = zlib.compressobj(9)
    parts = [press.compress(bytes(1 << 20)) for _ in range(size >> 20)]
    return b"".join([*parts, press.flush()])


def inflating_png() -> bytes:
    """A picture that says it is small, and whose pixels inflate to 2 GB."""
    head = png_chunk(b"IHDR", struct.pack(">IIBBBBB", 100, 100, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + png_chunk(b"IDAT", _zeros(2 << 30)) + png_chunk(b"IEND", b"")


@cache
def zip_bomb() -> bytes:
    """A record whose signal is half a gigabyte of zeros in half a megabyte of zip."""
    header = "record 1 250 268435456\nrecord.dat 16 200/mV 12 0 0 0 0 II\n"
    return archive({"record.hea": header.encode(), "record.dat": bytes(512 << 20)})


def lying_zip() -> bytes:
    """The same, and its directory says that the signal has a hundred bytes."""
    made = bytearray(zip_bomb())
    size = (512 << 20).to_bytes(4, "little")
    return bytes(made.replace(size, (100).to_bytes(4, "little")))


def climbing_zip() -> bytes:
    """Members that want to be written somewhere else."""
    header, samples = wfdb_record(10)
    up = "../" * 8 + "tmp/nightshift-climbed"
    return archive({f"{up}.hea": header.encode(), "/tmp/nightshift-climbed.dat": samples}, zipfile.ZIP_STORED)


BAD: tuple[Callable[[], Made], ...] = (
    lambda: ("bomb.png", inflating_png()),
    lambda: ("huge.png", huge_png()),
    lambda: ("bomb.zip", zip_bomb()),
    lambda: ("lying.zip", lying_zip()),
    lambda: ("climbing.zip", climbing_zip()),
    lambda: ("cut.png", picture(size=(800, 600))[:200]),
    lambda: ("cut.jpg", picture("JPEG", size=(800, 600))[:200]),
    lambda: ("cut.edf", edf()[:300]),
    lambda: ("cut.zip", _wfdb()[:-60]),
    lambda: ("empty.csv", b"time,II\n"),
)
CLIMBED = tuple(Path(f"/tmp/nightshift-climbed{ending}") for ending in (".hea", ".dat"))
