"""Pictures whose truth is known exactly are read back, and pictures of something else are refused with a reason.

The floors are a few dB below what was measured (tests/bench/ecg_picture.py prints it).
"""

import os
import tarfile
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from scipy.signal import find_peaks

from tasks.ecg import readers
from tasks.ecg.picture import read_picture
from tasks.ecg.recording import Recording
from tasks.ecg.render import Image, Sheet, photograph, render_beat, render_page, render_strip
from tasks.ecg.simulator import Simulation, simulate
from tasks.errors import JobError
from tests.ecg_truth import encoded, page_snr, snr

MITDB = Path(os.environ.get("MITDB", Path(__file__).parents[2] / "shared/data/ecg/mitdb.tar.xz"))


@pytest.fixture(scope="module")
def premature() -> Simulation:
    return simulate(10, rhythm="premature ventricular", seed=1)


@pytest.fixture(scope="module")
def page(premature: Simulation) -> Image:
    return render_page(premature.recording, dpi=150)


def test_a_strip_is_read_in_millivolts_and_seconds(premature: Simulation) -> None:
    recording = read_picture(encoded(render_strip(premature.recording)))
    assert (recording.source, recording.calibrated, recording.rate) == ("strip", True, 360.0)
    lead = recording.leads["unknown"]
    assert abs(lead.size - 3600) <= 8
    assert snr(premature.recording.leads["II"], lead) > 20


def test_r_peaks_of_a_strip_lie_within_20_ms_of_the_truth() -> None:
    simulation = simulate(10, rhythm="fibrillation", heart_rate=80, seed=9)
    lead = read_picture(encoded(render_strip(simulation.recording))).leads["unknown"]
    found = find_peaks(lead, height=0.5, distance=72)[0] / 360
    assert found.size == simulation.times_s.size
    offset = found - simulation.times_s
    assert np.abs(offset - np.median(offset)).max() < 0.02
    assert abs(np.median(offset)) < 0.02


def test_a_page_is_read_lead_by_lead(premature: Simulation, page: Image) -> None:
    recording = read_picture(encoded(page))
    ratios = page_snr(premature.recording, recording)
    assert recording.source == "page"
    assert len(ratios) == 12
    assert ratios["II"] > 20
    assert np.median(list(ratios.values())) > 19
    assert abs(recording.leads["II"].size - 3600) <= 8
    assert "Lead names were assumed from the usual 3x4 layout." in recording.notes


def test_a_phone_photo_of_a_page_is_read(premature: Simulation, page: Image) -> None:
    ratios = page_snr(premature.recording, read_picture(encoded(photograph(page, seed=1), ".jpg")))
    assert ratios["II"] > 17
    assert np.median(list(ratios.values())) > 16


def test_names_that_were_blacked_out_are_no_trace(premature: Simulation, page: Image) -> None:
    covered = page.copy()
    covered[0:100] = 0  # two covers that overlap
    covered[40:150, 60:600] = 0
    for suffix in (".png", ".jpg"):
        recording = read_picture(encoded(covered, suffix))
        assert page_snr(premature.recording, recording)["II"] > 20, suffix
        assert abs(recording.leads["II"].size - 3600) <= 8, suffix  # the rhythm strip, not the first row's quarter


@pytest.mark.parametrize("quarters", [1, 2])
def test_a_page_on_its_side_or_its_head_is_turned_and_says_so(
    premature: Simulation, page: Image, quarters: int
) -> None:
    recording = read_picture(encoded(np.ascontiguousarray(np.rot90(page, quarters))))
    assert page_snr(premature.recording, recording)["II"] > 20
    assert any("turned" in note for note in recording.notes)


def test_a_strip_in_grey_and_one_in_white_on_black_are_read(premature: Simulation) -> None:
    strip = render_strip(premature.recording, dpi=200)
    grey = np.asarray(cv2.cvtColor(cv2.cvtColor(strip, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR), dtype=np.uint8)
    for picture in (grey, np.asarray(255 - strip, dtype=np.uint8)):
        assert snr(premature.recording.leads["II"], read_picture(encoded(picture)).leads["unknown"]) > 15


def test_the_calibration_pulse_overrules_the_gain_that_was_said(premature: Simulation, page: Image) -> None:
    recording = read_picture(encoded(page), gain_mm_mv=5)
    assert page_snr(premature.recording, recording)["II"] > 20
    assert any("10 mm a millivolt, which was used" in note for note in recording.notes)


def test_the_papers_speed_changes_the_time_scale(premature: Simulation) -> None:
    recording = read_picture(encoded(render_strip(premature.recording)), speed_mm_s=50)
    assert abs(recording.leads["unknown"].size - 1800) <= 5


def test_a_plot_without_grid_needs_its_seconds(premature: Simulation) -> None:
    plot = encoded(render_strip(premature.recording, grid=False))
    with pytest.raises(JobError, match="how many seconds"):
        read_picture(plot)
    recording = read_picture(plot, seconds=10)
    assert not recording.calibrated
    assert snr(premature.recording.leads["II"], recording.leads["unknown"], fit_gain=True) > 17


def test_a_single_beat_becomes_192_samples_of_its_shape(premature: Simulation) -> None:
    lead = premature.recording.leads["II"]
    for label in ("N", "V"):
        peak = round(premature.times_s[premature.labels.index(label, 1)] * 360)
        recording = read_picture(encoded(render_beat(lead, peak, "SIMULATED")))
        assert (recording.source, recording.calibrated) == ("beat", False)
        assert recording.leads["unknown"].size == 192
        assert snr(lead[peak - 96 : peak + 96], recording.leads["unknown"], fit_gain=True) > 20


def _gradient() -> Image:
    return np.tile(np.linspace(0, 255, 900, dtype=np.uint8)[None, :, None], (600, 1, 3))


def _text() -> Image:
    image: Image = np.full((600, 900, 3), 255, dtype=np.uint8)
    for line in range(18):
        cv2.putText(
            image, "a letter and no heart " * 3, (20, 30 + 32 * line), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (0, 0, 0), 1
        )
    return image


def _noise() -> Image:
    return np.random.default_rng(0).integers(0, 256, (600, 900, 3), dtype=np.uint8)


def _empty_paper() -> Image:
    sheet = Sheet(150, 100, 150)
    sheet.grid()
    return sheet.image


def _ruled() -> Image:
    image: Image = np.full((600, 900, 3), 255, dtype=np.uint8)
    image[30::40] = 90
    return image


@pytest.mark.parametrize(
    "picture",
    [np.full((600, 900, 3), 255, dtype=np.uint8), _gradient(), _text(), _noise(), _empty_paper(), _ruled()],
    ids=["blank", "gradient", "text", "noise", "empty paper", "ruled"],
)
def test_a_picture_of_something_else_is_refused_with_what_to_do(picture: Image) -> None:
    for seconds in (None, 10.0):
        with pytest.raises(JobError, match=r"No ECG trace was found .* upload a sharp picture"):
            read_picture(encoded(picture), seconds=seconds)


def test_a_file_that_is_no_picture_and_a_truncated_one_are_refused(page: Image) -> None:
    for data in (b"", b"not a picture", encoded(page)[:300]):
        with pytest.raises(JobError, match="upload"):
            read_picture(data)


def test_a_picture_beyond_40_megapixels_is_refused_before_it_is_decoded() -> None:
    huge = encoded(np.zeros((7000, 7000, 1), dtype=np.uint8))
    with pytest.raises(JobError, match="40 megapixels"):
        read_picture(huge)


def test_record_100_is_read_from_a_page_rendered_from_it(tmp_path: Path) -> None:
    if not MITDB.exists():
        pytest.skip("the MIT-BIH archive is not beside this checkout")
    truth = _record_100(tmp_path)
    recording = read_picture(encoded(render_page(truth, dpi=150, title="MIT-BIH 100")))
    read = recording.leads["unknown"]
    assert snr(truth.leads["MLII"], read) > 15
    peaks = [find_peaks(lead, height=0.3, distance=100)[0] / 360 for lead in (truth.leads["MLII"], read)]
    assert peaks[0].size == peaks[1].size
    assert np.abs(np.diff(peaks[0]) - np.diff(peaks[1])).max() < 0.02


def _record_100(folder: Path) -> Recording:
    with tarfile.open(MITDB) as archive:
        # The archive is compressed as one stream: stop as soon as both files are out.
        wanted = {"100.hea", "100.dat"}
        for member in archive:
            if Path(member.name).name in wanted:
                (folder / Path(member.name).name).write_bytes(archive.extractfile(member).read())  # type: ignore[union-attr]
                wanted.discard(Path(member.name).name)
            if not wanted:
                break
    whole = readers.read_files([folder / "100.hea", folder / "100.dat"], None)
    return replace(whole, leads={name: signal[:3600] for name, signal in whole.leads.items()})


def test_any_cut_of_a_strip_and_any_number_of_seconds_end_in_a_reading_or_a_sentence(premature: Simulation) -> None:
    strip = render_strip(premature.recording, dpi=100)
    rng = np.random.default_rng(2)
    for seconds in (None, 0.2, 10.0, 600.0) * 5:
        y, x = (int(rng.integers(0, side // 2)) for side in strip.shape[:2])
        cut = np.ascontiguousarray(strip[y : y + int(rng.integers(24, 150)), x : x + int(rng.integers(24, 600))])
        try:
            leads = read_picture(encoded(cut), seconds=seconds).leads
        except JobError:
            continue
        assert all(np.isfinite(signal).all() and signal.size for signal in leads.values())
