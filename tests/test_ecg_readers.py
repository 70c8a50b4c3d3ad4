"""Recordings are read as others read them, in millivolts, within bounds."""

import tracemalloc
import warnings
from pathlib import Path

import numpy as np
import pyedflib
import pytest

from tasks.ecg import limits, readers, wfdb_samples
from tasks.ecg.recording import Recording
from tasks.errors import JobError
from tests.ecg_files import RATE, edf, heart

with warnings.catch_warnings():
    # wfdb 4.3 warns about pandas 3 when it is imported.
    warnings.simplefilter("ignore")
    import wfdb


def table(folder: Path, text: str, rate: float | None = None, encoding: str = "utf-8") -> Recording:
    path = folder / "table.csv"
    path.write_bytes(text.encode(encoding))
    return readers.read_csv(path, rate)


def column(scale: float = 1.0, decimals: int = 4) -> list[str]:
    return [f"{value * scale:.{decimals}f}" for value in heart()]


@pytest.mark.filterwarnings("ignore")  # of wfdb's own
@pytest.mark.parametrize("kind", sorted(wfdb_samples.BYTES))
@pytest.mark.parametrize("leads", [1, 2, 3])
def test_every_wfdb_format_is_read_as_wfdb_reads_it(tmp_path: Path, kind: str, leads: int) -> None:
    noise = np.random.default_rng(7).integers(0, 256, 120_005, np.uint8)
    if kind == "311":
        # The two unused bits of each double word: wfdb's Python takes one of them for data, its C library none.
        noise[3::4] &= 0x3F
    (tmp_path / "record.dat").write_bytes(noise.tobytes())
    frames = int(120_000 / wfdb_samples.BYTES[kind] / leads)
    lines = [f"record.dat {kind} 200(3)/mV 12 0 0 0 0 V{i + 1}" for i in range(leads)]
    (tmp_path / "record.hea").write_text("\n".join([f"record {leads} 250 {frames}", *lines, ""]))
    ours = readers.read_wfdb([tmp_path / "record.hea", tmp_path / "record.dat"])
    theirs = wfdb.rdrecord(str(tmp_path / "record")).p_signal
    told = np.column_stack([ours.leads[f"V{i + 1}"] for i in range(leads)])
    known = np.isfinite(theirs)
    assert known.mean() > 0.99
    assert np.allclose(told[known], theirs[known], rtol=1e-6, atol=1e-5)


def test_gaps_skew_offset_and_faster_signals_are_minded(tmp_path: Path) -> None:
    steps = np.rint(heart() * 200).astype("<i2")
    steps[500:510] = -32768
    slow = np.zeros(len(steps) // 2, "<i2")
    frames = np.column_stack([steps.reshape(-1, 2), slow])
    (tmp_path / "record.dat").write_bytes(b"HEAD" + frames.astype("<i2").tobytes())
    signals = "record.dat 16x2:3+4 200(0)/mV 12 0 0 0 0 II\nrecord.dat 16+4 200(0)/mV 12 0 0 0 0 V5\n"
    (tmp_path / "record.hea").write_text(f"record 2 {RATE / 2} {len(slow)}\n{signals}")
    recording = readers.read_wfdb([tmp_path / "record.hea", tmp_path / "record.dat"])
    assert (recording.rate, list(recording.leads)) == (RATE, ["II"])
    assert np.abs(recording.leads["II"][:490] - heart()[6:496]).max() < 0.01
    assert np.isfinite(recording.leads["II"]).all()
    assert any("gaps" in note for note in recording.notes)
    assert any("left out" in note for note in recording.notes)


def test_a_lead_of_gaps_is_left_out_and_only_gaps_fail(tmp_path: Path) -> None:
    steps = np.full((2500, 2), -32768, "<i2")
    steps[:, 1] = np.rint(heart() * 200)
    (tmp_path / "record.dat").write_bytes(steps.tobytes())
    head = "record 2 250 2500\nrecord.dat 16 200 12 0 0 0 0 II\nrecord.dat 16 200 12 0 0 0 0 V5\n"
    (tmp_path / "record.hea").write_text(head)
    paths = [tmp_path / "record.hea", tmp_path / "record.dat"]
    recording = readers.read_wfdb(paths)
    assert (list(recording.leads), readers.pick_lead(recording)) == (["V5"], "V5")
    assert "Lead II is left out" in recording.notes[0]
    (tmp_path / "record.dat").write_bytes(np.full((2500, 2), -32768, "<i2").tobytes())
    with pytest.raises(JobError, match="Nothing but gaps"):
        readers.read_wfdb(paths)


@pytest.mark.parametrize(("unit", "scale"), [("uV", 1e-3), ("mV", 1.0), ("V", 1e3)])
def test_an_edf_is_read_in_millivolts_whatever_its_unit(tmp_path: Path, unit: str, scale: float) -> None:
    (tmp_path / "a.edf").write_bytes(edf(("EEG Cz", "ECG II", "ECG II"), units=unit))
    recording = readers.read_edf(tmp_path / "a.edf")
    assert (recording.rate, list(recording.leads)) == (RATE, ["II", "II (2)"])
    assert np.abs(recording.leads["II"] - heart() * scale).max() < 0.002 * scale


def test_an_edf_is_read_as_edflib_reads_it(tmp_path: Path) -> None:
    path = str(tmp_path / "a.edf")
    info = pyedflib.highlevel.make_signal_headers(["V5"], dimension="uV", sample_frequency=500, physical_min=-3000)
    info[0]["physical_max"] = 3000
    pyedflib.highlevel.write_edf(path, np.array([heart(20, 500) * 1000]), info)
    ours = readers.read_edf(Path(path))
    with pyedflib.EdfReader(path) as theirs:
        assert np.abs(ours.leads["V5"] - theirs.readSignal(0)[: len(ours.leads["V5"])] / 1000).max() < 1e-5
    assert ours.rate == 500


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(["time,II (mV)", *(f"{i / RATE:.3f},{v}" for i, v in enumerate(column()))]),
        "\n".join(["time (ms);II [mV]", *(f"{i * 4};{v}".replace(".", ",") for i, v in enumerate(column()))]),
        "\n".join(["'Elapsed','II'", "'m:s','mV'", *(f"'0:{i / RATE:06.3f}',{v}" for i, v in enumerate(column()))]),
        "\n".join(["# Jane Doe", "Sampling rate\t250 Hz", "II (uV)", *column(1000)]),
        "\n".join(["sample #,II mV,annotation", *(f"{i},{v},N" for i, v in enumerate(column()))]) + "\n250 Hz",
    ],
    ids=["comma", "semicolon and decimal comma", "physionet", "preamble", "index and text"],
)  # fmt: skip
def test_tables_are_read_however_they_are_written(tmp_path: Path, text: str) -> None:
    rate = RATE if text.startswith("sample #") else None
    recording = table(tmp_path, text, rate)
    assert (recording.rate, list(recording.leads), recording.calibrated) == (RATE, ["II"], True)
    assert np.abs(recording.leads["II"][:2500] - heart()).max() < 1e-3


def test_bare_columns_are_leads_of_unknown_height(tmp_path: Path) -> None:
    two = "\n".join(f"{a} {b}" for a, b in zip(column(200, 0), column(300, 0), strict=True))
    recording = table(tmp_path, two, RATE)
    assert list(recording.leads) == ["column 1", "column 2"]
    assert not recording.calibrated
    assert 1.0 < np.ptp(recording.leads["column 1"]) < 2.0
    assert "guess" in recording.notes[-1]


def test_two_columns_of_whole_numbers_are_not_taken_for_decimal_commas(tmp_path: Path) -> None:
    recording = table(tmp_path, "\n".join(f"{995 + i % 7},{1011 - i % 5}" for i in range(1000)), RATE)
    assert len(recording.leads) == 2
    recording = table(tmp_path, "\n".join(v.replace(".", ",") for v in column()), RATE)
    assert list(recording.leads) == ["unknown"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "latin-1"])
def test_encodings_are_told_apart(tmp_path: Path, encoding: str) -> None:
    recording = table(tmp_path, "\r\n".join(["Gerät Müller 250 Hz", "II (µV)", *column(1000)]), None, encoding)
    assert np.abs(recording.leads["II"] - heart()).max() < 1e-3


def test_blank_rows_and_a_last_word_change_nothing(tmp_path: Path) -> None:
    rows = [
        "Age;54",
        "Weight;60",
        ";;",
        "",
        "n;II (mV);note",
        ";;",
        *(f"0;{v};" for v in column()),
        ";;",
        "\t",
        '"1";"0.5";',
    ]
    recording = table(tmp_path, "\n".join(rows), RATE)
    assert recording.notes == ()
    assert np.abs(recording.leads["II"] - [*heart(), 0.5]).max() < 1e-3


def test_blank_cells_are_bridged_and_told(tmp_path: Path) -> None:
    rows = [f"{v},{v}" if i % 50 else f",{v}" for i, v in enumerate(column())]
    recording = table(tmp_path, "\n".join(["I (mV),II (mV)", *rows]), RATE)
    assert np.isfinite(recording.leads["I"]).all()
    assert recording.notes == ("Lead I has gaps of 0.2 s in all; they are bridged by lines.",)


def test_too_short_too_long_and_no_file_at_all_are_refused(tmp_path: Path) -> None:
    with pytest.raises(JobError, match="at least 2 s"):
        table(tmp_path, "\n".join(["II (mV)", *column()[:300]]), RATE)
    with pytest.raises(JobError, match="at most 2 h"):
        limits.check_extent(1000, 1000 * 9000, 1)
    with pytest.raises(JobError, match="16 are read"):
        limits.check_extent(250, 2500, 40)
    with pytest.raises(JobError, match="no recording"):
        readers.read_files([], None)


def test_a_line_without_end_is_read_in_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"II (mV)\n0.1\n0.2\n" + b"1" * 30_000_000)
    tracemalloc.start()
    with pytest.raises(JobError):
        readers.read_csv(path, RATE)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5_000_000


def test_a_recording_is_decoded_in_little_more_memory_than_its_leads(tmp_path: Path) -> None:
    frames = 1_500_000
    (tmp_path / "record.dat").write_bytes(bytes(range(250)) * (frames * 3 // 250))
    head = f"record 2 360 {frames}\nrecord.dat 212 200 11 0 0 0 0 MLII\nrecord.dat 212 200 11 0 0 0 0 V5\n"
    (tmp_path / "record.hea").write_text(head)
    tracemalloc.start()
    recording = readers.read_wfdb([tmp_path / "record.hea", tmp_path / "record.dat"])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    leads = sum(lead.nbytes for lead in recording.leads.values())
    assert peak < leads * 2 + 10_000_000


@pytest.mark.parametrize(
    ("label", "name"),
    [("ECG MLII", "MLII"), ("avr", "aVR"), ("Lead II", "II"), ("EKG", "ECG"), ("ECG2", "ECG 2"), ("V1-ECG", "V1"),
     ("EEG Fpz-Cz", None), ("Jane Doe", None), ("SpO2", None), ("ECG of Jane", "ECG"), ("", None)],
)  # fmt: skip
def test_lead_names_are_standard_or_none(label: str, name: str | None) -> None:
    assert limits.lead_name(label) == name


@pytest.mark.parametrize(
    ("leads", "picked"),
    [
        (["V5", "MLII"], "MLII"),
        (["I", "II", "III"], "II"),
        (["V5", "V2"], "V5"),
        (["column 1", "column 2"], "column 1"),
    ],
)
def test_the_lead_to_read_is_picked_by_name(leads: list[str], picked: str) -> None:
    signals = dict.fromkeys(leads, np.zeros(9, np.float32))
    assert readers.pick_lead(Recording(360, signals, "wfdb")) == picked
