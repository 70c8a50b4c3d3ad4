"""Archives as they are handed over: names, bombs, links, and what is unpacked."""

import io
import struct
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from tasks import archives, uploads
from tasks.errors import FieldError
from tests.ecg_files import archive
from tests.test_uploads import refused

ANYTHING = uploads.Accepts(uploads.PICTURES | {uploads.ZIP}, "a picture or a zip")
GPS_LATITUDE = "48.858"


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "a\\..\\b", "C:/x", "a/../../b"])
def test_a_zip_with_names_that_lead_out_is_refused(tmp_path: Path, name: str) -> None:
    error = refused(tmp_path, "a.zip", archive({"good": b"x", name: b"x"}))
    assert "leads out" in str(error)


def test_a_zip_bomb_is_refused_within_little_memory(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as bomb, bomb.open("zeros", "w") as member:
        for _ in range(300):
            member.write(bytes(1_000_000))
    file = uploads.receive(tmp_path / "bomb.zip", "bomb.zip")
    assert file.size < 400_000
    tracemalloc.start()
    with pytest.raises(FieldError) as caught:
        uploads.inspect([file], ANYTHING, "files")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert caught.value.status == 413
    assert peak < 2_000_000


def test_a_zip_whose_directory_lies_about_sizes_unpacks_no_more_than_it_says(tmp_path: Path) -> None:
    data = bytearray(archive({"zeros": bytes(5_000_000)}))
    directory = data.rindex(b"PK\x01\x02")
    data[directory + 24 : directory + 28] = struct.pack("<L", 1000)
    (tmp_path / "liar.zip").write_bytes(data)
    (tmp_path / "out").mkdir()
    with pytest.raises(FieldError):
        archives.unpack(tmp_path / "liar.zip", tmp_path / "out", "files")
    assert sum(path.stat().st_size for path in (tmp_path / "out").iterdir()) <= 1000


def test_links_passwords_nested_zips_crowds_and_comments_are_refused(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        link = zipfile.ZipInfo("link")
        link.external_attr = 0o120777 << 16
        packed.writestr(link, "/etc/passwd")
    assert "link" in str(refused(tmp_path, "a", out.getvalue()))
    locked = bytearray(archive({"a": b"b"}))
    locked[locked.rindex(b"PK\x01\x02") + 8] |= 1
    assert "password" in str(refused(tmp_path, "a", bytes(locked)))
    assert "another zip" in str(refused(tmp_path, "a", archive({"inner.bin": archive({"x": b"y"})})))
    assert "51 files" in str(refused(tmp_path, "a", archive({f"m{i}": b"" for i in range(51)})))
    assert "pack the files again" in str(refused(tmp_path, "a", archive({"a": b"b"})[:-2] + b"\x05\0hello"))


def test_a_zip_unpacks_under_names_of_ours(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(archive({"folder/": b"", "folder/100.hea": b"one", "100.dat": b"two"}))
    (tmp_path / "out").mkdir()
    unpacked = archives.unpack(tmp_path / "a.zip", tmp_path / "out", "files")
    assert [(name, path.name, path.read_bytes()) for name, path in unpacked] == [
        ("100.hea", "member00", b"one"),
        ("100.dat", "member01", b"two"),
    ]
