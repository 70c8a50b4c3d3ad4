"""Pictures and files of a reading: bounded, reproducible, marked as no medical device, safe to open."""

import csv
import io
import re
import zlib
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from tasks.ecg import drawing, report, strips
from tasks.ecg.labels import NAMES
from tasks.ecg.rhythm import assess_quality, describe_rhythm
from tests.ecg_files import RATE, heart
from tests.test_ecg_rhythm import Beat


def one_a_second(seconds: int, labels: str = "N") -> list[Beat]:
    return [Beat(round((i + 0.4) * RATE), i + 0.4, labels[i % len(labels)], 0.9) for i in range(seconds)]


def opened(png: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(png))
    image.load()
    return image


def colours(png: bytes) -> set[tuple[int, ...]]:
    found = opened(png).convert("RGB").getcolors(1 << 24) or []
    return {colour for _, colour in found if isinstance(colour, tuple)}


def rgb(name: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(name[1:]))


def test_a_strip_marks_each_class_in_its_colour() -> None:
    seen = colours(drawing.draw_strip(heart(), RATE, one_a_second(10, "NVA"), lead="II"))
    assert {rgb(strips.COLOURS[label]) for label in "NVA"} <= seen
    assert rgb(strips.COLOURS["L"]) not in seen


def test_classes_differ_by_colour_and_all_have_one() -> None:
    assert set(strips.COLOURS) == set(NAMES)
    assert len(set(strips.COLOURS.values())) == len(NAMES)


def test_a_strip_of_ten_seconds_is_paper_at_scale() -> None:
    image = opened(drawing.draw_strip(heart(), RATE, one_a_second(10)))
    assert image.width == pytest.approx((250 + 12) / 25.4 * 120, abs=2)
    assert "Software" not in image.info


@pytest.mark.parametrize("seconds", [1800, 7200])
def test_a_long_recording_is_drawn_within_bounds(seconds: int) -> None:
    image = opened(drawing.draw_strip(heart(seconds), RATE, one_a_second(seconds)))
    assert image.width < 1300
    assert image.height < 2200


def test_the_rows_shown_are_those_that_tell_most() -> None:
    beats = one_a_second(1800)
    for at, label in ((600, "V"), (1200, "A"), (1205, "A"), (1500, "!")):
        beats[at] = replace(beats[at], label=label)
    starts = strips.choose_rows(beats, 1800)
    assert len(starts) == 6
    assert all(after - before >= strips.ROW_S for before, after in pairwise(starts))
    for at in (600, 1200, 1205, 1500):
        assert any(start <= at + 0.4 < start + strips.ROW_S for start in starts), at
    assert "6 rows of ten seconds out of 30 minutes" in drawing.caption("II", 1800, starts, True)


def test_short_recordings_are_shown_whole() -> None:
    assert strips.choose_rows([], 25) == [0.0, 10.0, 20.0]
    assert strips.choose_rows([], 10.1) == [0.0]
    assert strips.choose_rows([], 0.5) == [0.0]


@pytest.mark.parametrize(
    "signal",
    [heart(0.6), np.zeros(2500), np.full(2500, np.nan), heart(1.2) * 1e6, heart(8, 10_000)],
    ids=["one beat", "flat", "nothing", "huge", "dense"],
)
def test_odd_signals_are_drawn_without_complaint(signal: np.ndarray[tuple[int], np.dtype[np.float64]]) -> None:
    image = opened(drawing.draw_strip(signal, RATE, [Beat(9, 0.1, "?", 0.1)], calibrated=False))
    assert 100 < image.height < 3000


def test_a_spectrogram_is_small_and_takes_any_numbers() -> None:
    power = np.random.default_rng(0).normal(size=(16, 38))
    power[3, 3] = np.nan
    png = drawing.draw_spectrogram(power, seconds=1.0, highest_hz=45, label="V", certainty=0.93)
    assert opened(png).size == (320, 220)
    assert len(png) < 60_000
    for odd in (np.zeros((2, 2)), np.full((4, 4), np.nan), np.zeros((3000, 2000))):
        assert opened(drawing.draw_spectrogram(odd, seconds=1.0, highest_hz=45, label="N")).size == (320, 220)


def made_report(seconds: int = 10, labels: str = "NNNV") -> report.Report:
    signal, beats = heart(seconds), one_a_second(seconds, labels)
    quality = assess_quality(signal, RATE)
    return report.Report(
        made_at=datetime(2026, 1, 2, 3, 4, tzinfo=UTC),
        not_assessed=["Ischaemia is not assessed."],
        signal=signal,
        rate=RATE,
        lead="II",
        calibrated=True,
        beats=beats,
        rhythm=describe_rhythm(beats, quality.unreadable),
        quality=quality,
        unread=["Lead V5 was left out: $\\frac{ no mathematics here."],
        spectrograms={label: report.Spectrogram(np.eye(16, 38), 1.0, 45.0) for label in set(labels)},
        model_version="test",
        limits=["Measured on nothing."] * 40,
    )


def test_a_pdf_has_one_page_for_a_strip_and_two_for_a_recording() -> None:
    for seconds, labels, pages in ((10, "NNNV", 1), (300, "NVALR/!E", 2)):
        pdf = report.write_pdf(replace(made_report(seconds, labels), limits=["Short."]))
        assert pdf.startswith(b"%PDF")
        assert len(re.findall(rb"/Type /Page\b", pdf)) == pages
        assert len(pdf) < 1_000_000


def test_a_pdf_says_that_it_is_no_medical_device_on_each_page_and_nobodys_name() -> None:
    made = report.write_pdf(made_report(300))
    shown = page_texts(made)
    assert len(shown) == 2
    assert all(drawing.DISCLAIMER.replace(" ", "") in text for text in shown)
    assert shown[0].index("Whatisnotassessed") < shown[0].index("Heartrate")
    assert b"/CreationDate (D:20260102030400Z)" in made
    assert b"/Author" not in made


def page_texts(pdf: bytes) -> list[str]:
    """What each page writes, without blanks, as matplotlib's PDF shows it: plain strings between parentheses."""
    bodies = re.findall(rb"stream\r?\n(x.*?)endstream", pdf, re.DOTALL)
    streams = (zlib.decompressobj().decompress(body) for body in bodies)
    texts = (b"".join(re.findall(rb"\(((?:[^()\\]|\\.)*)\)", stream)) for stream in streams if b"BT" in stream)
    return [text.decode("latin-1").replace(" ", "") for text in texts if len(text) > 200]


def test_the_same_reading_makes_the_same_pdf() -> None:
    assert report.write_pdf(made_report()) == report.write_pdf(made_report())


def test_a_reading_without_beats_is_still_a_pdf() -> None:
    made = made_report()
    empty = replace(made, beats=[], rhythm=describe_rhythm([]), signal=np.zeros(2500), spectrograms={})
    assert report.write_pdf(empty).startswith(b"%PDF")


def test_beats_as_csv_are_numbers_and_safe_text() -> None:
    beats = [*one_a_second(2, "N/"), Beat(1, 5.0, "=HYPERLINK(1)", 0.5)]
    rows = list(csv.reader(io.StringIO(report.beats_csv(beats))))
    assert rows[0] == ["time_s", "label", "certainty"]
    assert rows[1:3] == [["0.400", "N", "0.9000"], ["1.400", "/", "0.9000"]]
    assert rows[3][1] == "'=HYPERLINK(1)"
    assert [report.escape_cell(text) for text in ("-1", "+1", "@x", "N")] == ["'-1", "'+1", "'@x", "N"]
