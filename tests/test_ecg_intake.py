"""What the ECG form refuses, and what is left of names and notes in what it keeps."""

import contextlib
import struct
import time
from pathlib import Path

import pyedflib
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasks import uploads
from tasks.ecg import intake, readers
from tasks.errors import FieldError, JobError
from tasks.uploads import IncomingFile
from tests.ecg_files import archive, edf, heart, huge_png, incoming, picture, wfdb_files, wfdb_record

HEADER, SAMPLES = wfdb_record()
TABLE = "\n".join(["time,II (mV)", *(f"{i / 250:.3f},{value:.4f}" for i, value in enumerate(heart()))])
APPLE = "Name,Jane Doe\nDate of Birth,1 May 1951\nSample Rate,250 hertz\n\nLead,Lead I\nUnit,µV\n\n" + "\n".join(
    f"{value * 1000:.1f}" for value in heart()
)


def clean(folder: Path, files: list[IncomingFile]) -> list[IncomingFile]:
    out = folder / "clean"
    out.mkdir()
    return intake.clean(files, out)


def refusal(files: list[IncomingFile], rate: float | None = None) -> FieldError:
    with pytest.raises(FieldError) as caught:
        intake.check(files, rate)
    return caught.value


def test_every_kind_that_is_read_passes(tmp_path: Path) -> None:
    for data in (
        picture("PNG"),
        picture("JPEG"),
        picture("TIFF"),
        picture("BMP"),
        edf(),
        TABLE.encode(),
        APPLE.encode(),
    ):
        intake.check([incoming(tmp_path, "x", data)], None)
    intake.check(wfdb_files(tmp_path, HEADER, {"record.dat": SAMPLES}), None)
    packed = archive(
        {"d/record.hea": HEADER.encode(), "d/record.dat": SAMPLES, "d/record.atr": b"\0\1", "README": b"hi"}
    )
    intake.check([incoming(tmp_path, "x.zip", packed)], None)


def test_what_is_no_ecg_is_refused_by_its_kind(tmp_path: Path) -> None:
    assert refusal([incoming(tmp_path, "a.png", b"<svg/>")]).status == 415
    assert refusal([incoming(tmp_path, "a.pdf", b"%PDF-1.7")]).status == 415
    assert refusal([incoming(tmp_path, "a.png", huge_png())]).status == 413
    assert refusal([incoming(tmp_path, "a.csv", b"dear sir,\nmy heart hurts,\n")]).status == 422


def test_mixed_and_incomplete_recordings_are_refused_with_what_is_missing(tmp_path: Path) -> None:
    header, signal = wfdb_files(tmp_path, HEADER, {"record.dat": SAMPLES})
    photo = incoming(tmp_path, "a.png", picture())
    assert "choose the .hea" in str(refusal([signal]))
    assert ".hea and its .dat together" in str(refusal([header]))
    assert "one WFDB record at a time" in str(refusal([header, signal, photo]))
    assert "2 files" in str(refusal([photo, photo]))
    assert "zip alone" in str(refusal([photo, incoming(tmp_path, "x.zip", archive({"a": b"b"}))]))
    assert "does not hold one WFDB record" in str(refusal([incoming(tmp_path, "x.zip", archive({"a.png": picture()}))]))


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "https://example.org/a.dat", "s3:x", "-", "a\\b"])
def test_a_header_never_leads_to_a_file_outside(tmp_path: Path, name: str) -> None:
    files = wfdb_files(tmp_path, HEADER.replace("record.dat", name), {"record.dat": SAMPLES})
    assert "outside its folder" in str(refusal(files))


@pytest.mark.parametrize(
    ("header", "says"),
    [
        ("record/3 1 250 900\na 300\nb 300\nc 300\n", "several segments"),
        ("record 1 250 999999\nrecord.dat 16 200 12 0 0 0 0 II\n", "shorter than its header"),
        ("record 1 250 99999999999999999999\nrecord.dat 16 200\n", "not a WFDB header"),
        ("record 2 250 1000\nrecord.dat 16 200\n", "fewer signals"),
        ("record 0 250 1000\nrecord.dat 16 200\n", "fewer signals"),
        ("record 1 1e99 1000\nrecord.dat 16 200\n", "sampling rate"),
        ("record 1 5 1000\nrecord.dat 16 200\n", "sampling rate"),
        ("record 1 -250 1000\nrecord.dat 16 200\n", "negative"),
        ("record 1 250 1000\nrecord.dat 16 1e300\n", "gain"),
        ("record 1 250 1000\nrecord.dat 516 200\n", "convert it to format 16"),
        ("record 1 250 1000\nrecord.dat 16x9999 200\n", "frame size"),
        ("record 1 250 1000\nother.dat 16 200\n", "missing"),
        ("record 2 250 1000\nrecord.dat 16 200\nrecord.dat 212 200\n", "mixes formats"),
        ("record 1 250 1000\nrecord.dat 16 200/mmHg 12 0 0 0 0 ABP\n", "no ECG signal"),
        ("record 1 250 300\nrecord.dat 16 200\n", "at least 2 s"),
    ],
)
def test_a_hostile_header_is_refused(tmp_path: Path, header: str, says: str) -> None:
    error = refusal(wfdb_files(tmp_path, header, {"record.dat": SAMPLES}))
    assert says in str(error)
    assert error.field == "files"


def test_a_table_without_a_rate_is_refused_at_the_rate_field(tmp_path: Path) -> None:
    bare = incoming(tmp_path, "a.csv", "\n".join(f"{v:.4f}" for v in heart()).encode())
    error = refusal([bare])
    assert (error.field, error.status) == ("sampling_rate", 422)
    intake.check([bare], 250)
    timed = incoming(tmp_path, "b.csv", TABLE.encode())
    intake.check([timed], None)
    assert "itself says 250" in str(refusal([timed], 500))
    assert refusal([bare], 3).field == "sampling_rate"


def test_an_edf_without_ecg_is_refused_and_no_label_that_could_be_a_name_is_repeated(tmp_path: Path) -> None:
    error = refusal([incoming(tmp_path, "a.edf", edf(("EEG Fpz-Cz", "Jane Doe", "Resp nasal")))])
    assert "no ECG channel" in str(error)
    assert "EEG" in str(error)
    assert "Jane" not in str(error)
    assert "no ECG channel" in str(refusal([incoming(tmp_path, "a.edf", edf(units="degC"))]))


def test_damaged_edf_files_are_refused(tmp_path: Path) -> None:
    sound = edf()
    for cut in (20, 255, 300, 511, 600, len(sound) - 100):
        assert refusal([incoming(tmp_path, "a.edf", sound[:cut])]).status in (415, 422), cut
    assert "gaps" in str(refusal([incoming(tmp_path, "a.edf", edf(reserved="EDF+D"))]))
    assert "shorter than its header" in str(refusal([incoming(tmp_path, "a.edf", edf(records=99999))]))
    for at, width, value in ((252, 4, "9999"), (252, 4, "-1"), (244, 8, "nan"), (244, 8, "1e-300"), (236, 8, "0")):
        broken = sound[:at] + f"{value:<{width}}".encode() + sound[at + width :]
        assert refusal([incoming(tmp_path, "a.edf", broken)]).status == 422, value


def test_comments_and_dates_leave_a_wfdb_header(tmp_path: Path) -> None:
    dated = HEADER.replace(" 2500\n", " 2500 11:12:13 02/05/1951\n")
    files = wfdb_files(tmp_path, dated, {"record.dat": SAMPLES})
    kept = clean(tmp_path, files)
    assert [file.name for file in kept] == ["record.hea", "signals1.dat"]
    header = kept[0].path.read_text()
    assert not any(word in header for word in ("Jane", "Doe", "54", "1951", "#"))
    assert kept[1].path.read_bytes() == SAMPLES
    assert list(readers.read_files([file.path for file in kept], None).leads) == ["II"]


def test_a_lead_called_by_a_name_is_unknown(tmp_path: Path) -> None:
    files = wfdb_files(tmp_path, HEADER.replace(" II\n", " Jane Doe\n"), {"record.dat": SAMPLES})
    header, _ = clean(tmp_path, files)
    assert "Jane" not in header.path.read_text()


def test_who_and_when_and_notes_leave_an_edf_and_it_still_opens_elsewhere(tmp_path: Path) -> None:
    sound = edf(("ECG II", "Jane"), reserved="EDF+C", notes=b"+1\x14Jane fainted\x14\0")
    kept = clean(tmp_path, [incoming(tmp_path, "Jane.edf", sound + b"Jane's appendix")])
    data = kept[0].path.read_bytes()
    assert data[8:16] == b"X X X X "
    assert not any(word in data for word in (b"Jane", b"Doe", b"1951", b"MCH", b"Who", b"fainted", b"02.03"))
    with pyedflib.EdfReader(str(kept[0].path)) as other:
        assert other.getSignalLabels() == ["II", "other"]
        assert abs(other.readSignal(0) - heart()).max() < 0.002
    assert kept[0].name == "recording.edf"


def test_everything_but_numbers_leaves_a_table(tmp_path: Path) -> None:
    kept = clean(tmp_path, [incoming(tmp_path, "jane.csv", APPLE.encode())])
    text = kept[0].path.read_text()
    assert text.startswith("Sampling rate;250 Hz\nI (mV)\n")
    assert not any(word in text for word in ("Jane", "1951", "Apple"))
    intake.check(kept, None)
    assert abs(readers.read_files([kept[0].path], None).leads["I"] - heart()).max() < 1e-3


def test_a_picture_is_kept_without_metadata_under_a_name_of_ours(tmp_path: Path) -> None:
    kept = clean(tmp_path, [incoming(tmp_path, "jane.png", picture("TIFF", description="Jane Doe"))])
    assert [(file.name, file.media_type) for file in kept] == [("picture.png", uploads.PNG)]
    assert b"Jane" not in kept[0].path.read_bytes()


def test_a_zip_is_kept_as_the_record_inside(tmp_path: Path) -> None:
    packed = archive({"jane/record.hea": HEADER.encode(), "jane/record.dat": SAMPLES, "jane/notes.txt": b"Jane"})
    kept = clean(tmp_path, [incoming(tmp_path, "jane.zip", packed)])
    assert [file.name for file in kept] == ["record.hea", "signals1.dat"]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.csv", b"a" + b" " * 9_000 + b"b," + b" \xa0" * 5_000 + b"mV\n" + b"1,2\n" * 3_000),
        ("a.csv", (b"," * 9_000 + b"\n") * 20 + b"1,2\n" * 2_000),
        ("a.csv", b"1\n2\n" * 4_000_000),
        ("a.hea", b"r 1 250 1000\nr.dat 16 200 1 1 1 1 1 " + b" \t" * 30_000 + b"x\n"),
        ("a.jpg", picture("JPEG")[:-2] + b"\xff" * 9_000_000),
        ("a.jpg", b"\xff\xd8" + b"\xff\xe1\0\2" * 2_000_000),
        ("a.edf", edf()[:244] + b"0.001   " + edf()[252:]),
    ],
    ids=["blanks", "commas", "many rows", "header", "fill bytes", "segments", "records"],
)
def test_what_is_made_to_be_slow_is_answered_soon(tmp_path: Path, name: str, data: bytes) -> None:
    before = time.process_time()
    with contextlib.suppress(FieldError):
        intake.check([incoming(tmp_path, name, data)], 250)
    assert time.process_time() - before < 2


SOUND = {"a.edf": edf(notes=b"+1\x14x\x14\0"), "a.csv": TABLE.encode(), "b.csv": APPLE.encode(), "a.png": picture()}


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_mutated_recordings_are_read_or_refused_and_nothing_else(tmp_path: Path, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from([*SOUND, "record.hea"]))
    mutated = bytearray(SOUND.get(name, HEADER.encode()))
    for _ in range(data.draw(st.integers(0, 6))):
        at = data.draw(st.integers(0, min(len(mutated), 800) - 1))
        mutated[at : at + 1] = data.draw(
            st.sampled_from([b"9", b"-", b" ", b"\0", b"\xff", b"/", b"e", b"999", b"\n", b""])
        )
    upload = Path(tmp_path, "mutated")
    upload.write_bytes(mutated)
    files = [uploads.receive(upload, name)]
    if name == "record.hea":
        (tmp_path / "record.dat").write_bytes(SAMPLES)
        files.append(uploads.receive(tmp_path / "record.dat", "record.dat"))
    with contextlib.suppress(JobError):
        intake.check(files, 250)
        kept = intake.clean(files, tmp_path)
        if kept[0].media_type not in uploads.PICTURES:
            readers.read_files([file.path for file in kept], 250)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(noise=st.binary(max_size=600), name=st.sampled_from(["a.edf", "a.csv", "a.hea", "a.dat", "a.png"]))
def test_noise_is_refused_and_nothing_else(tmp_path: Path, noise: bytes, name: str) -> None:
    path = tmp_path / "noise"
    path.write_bytes(noise)
    with contextlib.suppress(FieldError):
        intake.check([uploads.receive(path, name)], 250)
    with contextlib.suppress(JobError):
        readers.read_files([path], struct.unpack("<f", noise[:4])[0] if len(noise) > 3 else None)
