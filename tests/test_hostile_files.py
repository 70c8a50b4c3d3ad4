"""Files made to hurt: small on the disk, and minutes, gigabytes or a crash to whoever believes them."""

import struct
import tracemalloc
from pathlib import Path

import cv2
import numpy as np
import pytest

from tasks import picture_files, uploads
from tasks.ecg import intake
from tasks.ecg.picture.decode import decode
from tasks.errors import FieldError

GREY_PAGE = {256: 60, 257: 60, 258: 8, 259: 1, 262: 1, 273: 8, 277: 1, 278: 60}
LONG, RATIONAL = 4, 5


def tiff(tags: dict[int, tuple[int, int, int]], pixels: bytes = bytes(3600)) -> bytes:
    """A little-endian TIFF of 60 x 60 grey pixels at byte 8; `tags` are (type, count, value) beside or over its own."""
    listed = {tag: (LONG, 1, value) for tag, value in GREY_PAGE.items()} | tags
    entries = b"".join(struct.pack("<HHLL", tag, *entry) for tag, entry in sorted(listed.items()))
    return b"II*\0" + struct.pack("<L", 8 + len(pixels)) + pixels + struct.pack("<H", len(listed)) + entries + bytes(4)


@pytest.mark.parametrize("tag", [258, 273, 279])
def test_a_tiff_of_a_million_strips_is_refused_before_pillow_counts_them(tag: int) -> None:
    count = 1_000_000
    data = tiff({tag: (LONG, count, 8)}, bytes(4 * count))
    with pytest.raises(FieldError, match="unusual"):
        picture_files.check(data, uploads.TIFF, "files")


def test_what_draws_nothing_in_a_tiff_is_never_looked_at() -> None:
    """A million rational resolutions, and a second directory that would begin outside the file."""
    count = 1_000_000
    data = tiff({282: (RATIONAL, count, 8), 34665: (LONG, 1, 8)}, bytes(8 * count))
    assert picture_files.strip(data[:-4] + b"\xff" * 4, uploads.TIFF, "files").startswith(b"\x89PNG")


def test_a_tiff_whose_directory_lies_outside_it_is_refused() -> None:
    with pytest.raises(FieldError, match="too early"):
        picture_files.check(b"II*\0\xff\xff\xff\xff" + bytes(100), uploads.TIFF, "files")


def test_what_lies_behind_the_pixels_of_a_bmp_is_not_kept() -> None:
    data = cv2.imencode(".bmp", np.full((30, 41, 3), 9, np.uint8))[1].tobytes()
    assert picture_files.strip(data + b"Jane Doe", uploads.BMP, "files") == data


@pytest.mark.parametrize("rate", ["1e-320", "1e-308", "1e308", "5e-4"])
def test_a_sampling_rate_beyond_all_bounds_is_a_sentence_and_no_crash(tmp_path: Path, rate: str) -> None:
    (tmp_path / "header").write_text(f"r 1 {rate} 0\nr.dat 16 200(0)/mV 12 0 0 0 0 MLII\n")
    (tmp_path / "signal").write_bytes(bytes(40_000))
    files = [uploads.receive(tmp_path / "header", "r.hea"), uploads.receive(tmp_path / "signal", "r.dat")]
    with pytest.raises(FieldError, match="sampling rate"):
        intake.check(files, None)


def test_a_transparent_picture_of_sixteen_bits_costs_no_many_times_its_pixels() -> None:
    side = 2000
    pixels = np.full((side, side, 4), 65_535, np.uint16)
    pixels[:, :1000, 3] = 0
    data = cv2.imencode(".png", pixels)[1].tobytes()
    tracemalloc.start()
    try:
        page = decode(data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert page.min() == 255
    assert peak < 24 * side * side
