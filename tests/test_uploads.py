"""Uploads are hostile: told by content, bounded before anything is decoded, stripped of what they say about people."""

import contextlib
import io
import struct
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from tasks import archives, picture_files, uploads
from tasks.errors import FieldError
from tests.ecg_files import archive, edf, huge_png, incoming, picture, png_chunk

ANYTHING = uploads.Accepts(uploads.PICTURES | {uploads.ZIP}, "a picture or a zip")
GPS_LATITUDE = "48.858"


def refused(folder: Path, name: str, data: bytes) -> FieldError:
    with pytest.raises(FieldError) as caught:
        uploads.inspect([incoming(folder, name, data)], ANYTHING, "files")
    assert caught.value.field == "files"
    assert str(caught.value).endswith(".")
    return caught.value


def cleaned(folder: Path, data: bytes, name: str = "x") -> bytes:
    file = incoming(folder, name, data)
    assert file.media_type is not None
    uploads.clean(file.path, folder / "clean", file.media_type, "files")
    return (folder / "clean").read_bytes()


def photo_with_gps(orientation: int = 6) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010E] = "Jane Doe, ward 7"
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[29] = GPS_LATITUDE
    return picture("JPEG", (64, 32), exif=exif, comment=b"taken by Jane")


@pytest.mark.parametrize(
    ("data", "name", "kind"),
    [
        (picture("PNG"), "a.txt", uploads.PNG),
        (picture("JPEG"), "a.png", uploads.JPEG),
        (picture("TIFF"), "a", uploads.TIFF),
        (picture("BMP"), "a", uploads.BMP),
        (archive({"a": b"b"}), "a.png", uploads.ZIP),
        (edf(), "a.png", uploads.EDF),
        (b"record 1 360 650000\nrecord.dat 212 200 11 1024\n", "r.hea", uploads.WFDB_HEADER),
        (b"time,II\n0,0.1\n0.004,0.2\n", "a.png", uploads.CSV),
        (b"1 2 3\n4 5 6\n", "a", uploads.CSV),
        (b"\x00\x01\x02\x03" * 9, "100.dat", uploads.WFDB_SIGNAL),
        (b"\xff\xd8\xff\x00" * 9, "100.dat", uploads.WFDB_SIGNAL),
        (b"\x00\x01\x02\x03" * 9, "100.bin", None),
        (b"<svg xmlns='http://www.w3.org/2000/svg'></svg>", "a.png", "image/svg+xml"),
        (b"\xef\xbb\xbf <?xml version='1.0'?><!-- x --><SVG/>", "a.png", "image/svg+xml"),
        (b"<!DOCTYPE html><p>", "a.png", "text/html"),
        (b"<OFX>", "a.png", uploads.XML),
        (b"%PDF-1.7", "a.png", "application/pdf"),
        (b"\0\0\0\x18ftypheic", "a.jpg", "image/heic"),
    ],
)
def test_a_kind_is_told_by_content_not_by_name(data: bytes, name: str, kind: str | None) -> None:
    assert uploads.sniff(data[: uploads.HEAD_BYTES], name) == kind


@given(st.binary(max_size=400), st.sampled_from(["a.png", "a.dat", "a.hea", ""]))
def test_sniffing_never_fails(head: bytes, name: str) -> None:
    kind = uploads.sniff(head, name)
    assert kind is None or "/" in kind


def test_a_path_in_an_upload_name_is_dropped(tmp_path: Path) -> None:
    assert incoming(tmp_path, "..\\..\\etc/passwd.png", b"x").name == "passwd.png"


def test_an_svg_named_png_is_refused_with_what_to_do(tmp_path: Path) -> None:
    error = refused(tmp_path, "strip.png", b"<svg><script>alert(1)</script></svg>")
    assert error.status == 415
    assert "export it as a PNG" in str(error)


def test_a_pdf_and_an_unknown_kind_are_refused(tmp_path: Path) -> None:
    assert "PNG" in str(refused(tmp_path, "a.png", b"%PDF-1.7 ..."))
    assert refused(tmp_path, "a.png", b"\x00\x01\x02").status == 415


def test_empty_none_and_too_many_files_are_refused(tmp_path: Path) -> None:
    assert "empty" in str(refused(tmp_path, "a.png", b""))
    with pytest.raises(FieldError, match="No file was chosen"):
        uploads.inspect([], ANYTHING, "files")
    with pytest.raises(FieldError, match="2 files"):
        uploads.inspect([incoming(tmp_path, "a", picture()), incoming(tmp_path, "b", picture())], ANYTHING, "files")


def test_two_hundred_megabytes_are_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "big"
    with path.open("wb") as file:
        file.write(picture())
        file.truncate(200_000_000)
    with pytest.raises(FieldError, match="more than 25 MB") as caught:
        uploads.inspect([uploads.receive(path, "big.png")], ANYTHING, "files")
    assert caught.value.status == 413


def test_a_png_that_says_it_is_huge_is_refused_by_its_header(tmp_path: Path) -> None:
    tracemalloc.start()
    error = refused(tmp_path, "a.png", huge_png())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert error.status == 413
    assert "30,000 x 30,000" in str(error)
    assert peak < 1_000_000


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP"])
def test_a_truncated_picture_is_refused(tmp_path: Path, kind: str) -> None:
    data = picture(kind)
    for share in (0.2, 0.6, 0.99):
        error = refused(tmp_path, "a", data[: int(len(data) * share)])
        assert (error.status, "ends too early" in str(error)) == (422, True), share


def test_a_truncated_tiff_is_refused_when_it_is_cleaned(tmp_path: Path) -> None:
    data = picture("TIFF", compression="tiff_lzw")
    file = incoming(tmp_path, "a", data[:-300])
    with pytest.raises(FieldError, match="export it again"):
        uploads.clean(file.path, tmp_path / "out", uploads.TIFF, "files")


def test_huge_jpeg_bmp_and_tiff_are_refused_by_their_headers(tmp_path: Path) -> None:
    jpeg = bytearray(picture("JPEG"))
    at = jpeg.index(b"\xff\xc0") + 5
    jpeg[at : at + 4] = struct.pack(">HH", 30_000, 30_000)
    bmp = bytearray(picture("BMP"))
    bmp[18:26] = struct.pack("<ll", 30_000, 30_000)
    tiff = bytearray(picture("TIFF"))
    start = int.from_bytes(tiff[4:8], "little")
    for at in range(start + 2, len(tiff) - 12, 12):
        if bytes(tiff[at : at + 2]) in (b"\x00\x01", b"\x01\x01"):
            tiff[at + 2 : at + 12] = struct.pack("<HLL", 4, 1, 9_000)
    for data in (jpeg, bmp, tiff):
        assert refused(tmp_path, "a", bytes(data)).status == 413


def test_a_photo_loses_gps_and_comments_but_keeps_how_it_is_turned(tmp_path: Path) -> None:
    photo = photo_with_gps(orientation=6)
    bare = cleaned(tmp_path, photo + b"MotionPhoto with Jane's voice")
    with Image.open(io.BytesIO(photo)) as before, Image.open(io.BytesIO(bare)) as after:
        assert dict(after.getexif()) == {0x0112: 6}
        assert before.tobytes() == after.tobytes()
    assert not any(word in bare for word in (b"Jane", b"ward", b"48.858", b"Motion"))


def test_a_progressive_and_a_cmyk_jpeg_keep_their_pixels(tmp_path: Path) -> None:
    out = io.BytesIO()
    Image.effect_noise((40, 40), 30).convert("CMYK").save(out, "JPEG")
    for data in (picture("JPEG", progressive=True, icc_profile=b"Jane's profile"), out.getvalue()):
        bare = cleaned(tmp_path, data)
        assert b"Jane" not in bare
        with Image.open(io.BytesIO(data)) as before, Image.open(io.BytesIO(bare)) as after:
            assert (before.mode, before.tobytes()) == (after.mode, after.tobytes())


def test_a_jpeg_of_a_thousand_scans_is_refused(tmp_path: Path) -> None:
    data = picture("JPEG")
    scan = data[data.index(b"\xff\xda") : -2]
    assert refused(tmp_path, "a", data[:-2] + scan * 1000 + data[-2:]).status == 415


def test_a_png_keeps_pixels_and_transparency_only(tmp_path: Path) -> None:
    image = Image.effect_noise((30, 30), 30).convert("P")
    out = io.BytesIO()
    image.save(out, "PNG", transparency=0, dpi=(300, 300))
    secret = png_chunk(b"tEXt", b"Author\0Jane Doe") + png_chunk(b"eXIf", b"MM\0*Jane")
    data = out.getvalue()
    bare = cleaned(tmp_path, data[:33] + secret + data[33:] + b"Jane's appendix")
    assert b"Jane" not in bare
    with Image.open(io.BytesIO(data)) as before, Image.open(io.BytesIO(bare)) as after:
        assert before.convert("RGBA").tobytes() == after.convert("RGBA").tobytes()
        assert "dpi" not in after.info


@pytest.mark.parametrize("mode", ["1", "L", "RGB", "RGBA", "CMYK", "I;16"])
def test_a_tiff_becomes_a_png_of_its_first_page_without_tags(tmp_path: Path, mode: str) -> None:
    page = Image.effect_noise((40, 20), 30)
    page = Image.frombytes("I;16", (40, 20), bytes(range(160)) * 10) if mode == "I;16" else page.convert(mode)
    out = io.BytesIO()
    page.save(out, "TIFF", description="Jane Doe", save_all=True, append_images=[page])
    bare = cleaned(tmp_path, out.getvalue())
    assert b"Jane" not in bare
    with Image.open(io.BytesIO(bare)) as after:
        assert (after.format, after.size, after.info) == ("PNG", (40, 20), {})


def test_a_turned_tiff_is_upright_as_png(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    bare = cleaned(tmp_path, picture("TIFF", (40, 20), exif=exif))
    with Image.open(io.BytesIO(bare)) as after:
        assert after.size == (20, 40)


def test_a_damaged_checksum_and_an_unknown_chunk_are_refused(tmp_path: Path) -> None:
    data = bytearray(picture("PNG"))
    data[50] ^= 1
    assert "damaged" in str(refused(tmp_path, "a", bytes(data)))
    odd = picture("PNG")
    assert "damaged" in str(refused(tmp_path, "a", odd[:33] + png_chunk(b"EVIL", b"") + odd[33:]))


SOUND = {kind: picture(kind) for kind in ("PNG", "JPEG", "BMP", "TIFF")}
SOUND["ZIP"] = archive({"a/b.txt": b"hello" * 50, "c": b"d"})


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_mutated_files_are_read_or_refused_and_nothing_else(tmp_path: Path, data: st.DataObject) -> None:
    mutated = bytearray(SOUND[data.draw(st.sampled_from(sorted(SOUND)))])
    for _ in range(data.draw(st.integers(1, 6))):
        mutated[data.draw(st.integers(0, min(len(mutated) - 1, 300)))] = data.draw(st.integers(0, 255))
    cut = bytes(mutated[: data.draw(st.integers(1, len(mutated)))])
    file = tmp_path / "mutated"
    file.write_bytes(cut)
    upload = uploads.receive(file, "x")
    with contextlib.suppress(FieldError):
        uploads.inspect([upload], ANYTHING, "files")
        if upload.media_type == uploads.ZIP:
            archives.unpack(file, tmp_path, "files")
        else:
            uploads.clean(file, tmp_path / "out", upload.media_type or "", "files")


def test_the_limit_is_forty_megapixels() -> None:
    assert picture_files.MAX_PIXELS == 40_000_000
    picture_files.check(huge_png(8_000, 5_000), uploads.PNG, "files")
    with pytest.raises(FieldError):
        picture_files.check(huge_png(8_000, 5_001), uploads.PNG, "files")


def test_the_form_checks_uploads_without_the_science_libraries() -> None:
    code = (
        "import sys, tasks.ecg.intake as i; print([m for m in ('numpy', 'scipy', 'cv2', 'wfdb') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
