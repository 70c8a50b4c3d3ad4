"""Pictures from strangers: bounded by their headers, and stripped to the bytes that are needed to draw them.

Formats: PNG (ISO 15948), JPEG (ITU T.81, Exif 2.32 for the orientation), BMP, TIFF 6.0 (through Pillow, as PNG).
"""

import io
import re
import struct
import threading
import zlib
from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeVar

from PIL import Image

from tasks.errors import FieldError

MAX_PIXELS = 40_000_000
MAX_SCANS = 100
MAX_SEGMENTS = 20_000
_TOO_EARLY = "The picture ends too early; save or export it again."
_DAMAGED = "The picture is damaged; save or export it again."
_UNUSUAL = "This picture is saved in an unusual way; save it as an ordinary PNG or JPEG."
_PNG_KEPT = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"sRGB"})
_PNG_START = b"\x89PNG\r\n\x1a\n"
_EOI, _SOS, _APP0, _APP1, _APP14, _COM = 0xD9, 0xDA, 0xE0, 0xE1, 0xEE, 0xFE
_SOF_READ = (0xC0, 0xC1, 0xC2)
_SOF_OTHER = (0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF)
# Two patterns, each linear: a marker may follow fill bytes, but a search through them must not start over at each.
_MARKER_HERE = re.compile(rb"\xff++[^\x00\xd0-\xd7\xff]")
_NEXT_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_TIFF_PACKINGS = {"raw", "packbits", "tiff_lzw", "tiff_adobe_deflate", "tiff_deflate", "group3", "group4", "tiff_ccitt"}
# The tags that say how a page is drawn: sizes, packing, colours, strips or tiles, which way up.
_TIFF_DRAWN = (*range(254, 260), 262, 266, 273, 274, *range(277, 280), 284, 292, 293, 317, 320, *range(322, 326))
_TIFF_KEPT = frozenset((*_TIFF_DRAWN, 338, 339, 347, 529, 530, 532))
_MAX_TIFF_VALUES = 65_536
# What Pillow's parsers let through on damaged input; Warning, since a caller may have made warnings errors.
_PILLOW_BROKEN = (OSError, ValueError, SyntaxError, EOFError, struct.error, TypeError, LookupError, ArithmeticError)
_PILLOW_ERRORS = (*_PILLOW_BROKEN, RuntimeError, AttributeError, zlib.error, Warning)
T = TypeVar("T")


class _Refused(Exception):
    def __init__(self, message: str, status: int = 422) -> None:
        super().__init__(message)
        self.status = status


class _Segment(NamedTuple):
    marker: int
    raw: bytes
    """The segment with its marker and, after a start of scan, the scan's data."""

    @property
    def payload(self) -> bytes:
        return self.raw[4:]


def check(data: bytes, media_type: str, field: str) -> None:
    """Refuse a picture by its structure and its declared size, before any pixel is decoded.

    Raises:
        FieldError: 413 for more than `MAX_PIXELS`, 415 for an unusual encoding, 422 for a damaged or truncated file.
    """
    _guarded(_CHECKS[media_type], data, field)


def strip(data: bytes, media_type: str, field: str) -> bytes:
    """Return the picture without metadata; a TIFF's first page as PNG.

    Raises:
        FieldError: as `check`; for a TIFF also when its pixels cannot be decoded.
    """
    check(data, media_type, field)
    return _guarded(_STRIPS[media_type], data, field)


def _guarded(work: Callable[[bytes], T], data: bytes, field: str) -> T:
    try:
        return work(data)
    except _Refused as refusal:
        raise FieldError(field, str(refusal), refusal.status) from None


def _check_pixels(width: int, height: int) -> None:
    if width < 1 or height < 1:
        raise _Refused(_DAMAGED)
    if width * height > MAX_PIXELS:
        limit = MAX_PIXELS // 1_000_000
        size = f"This picture is {width:,} x {height:,} pixels; at most {limit} megapixels are read."
        raise _Refused(f"{size} Make it smaller, or crop it to the part that matters.", 413)


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """(name, whole chunk) of each chunk up to IEND, its checksum verified."""
    at, name = len(_PNG_START), b""
    for _ in range(MAX_SEGMENTS):
        if name == b"IEND":
            return
        length, name = struct.unpack(">I4s", data[at : at + 8]) if at + 8 <= len(data) else (len(data), b"")
        if at + 12 + length > len(data):
            raise _Refused(_TOO_EARLY)
        chunk = data[at : at + 12 + length]
        if zlib.crc32(chunk[4:-4]) != int.from_bytes(chunk[-4:], "big"):
            raise _Refused(_DAMAGED)
        yield name, chunk
        at += len(chunk)
    raise _Refused(_UNUSUAL, 415)


def _check_png(data: bytes) -> None:
    if len(data) < 33:
        raise _Refused(_TOO_EARLY)
    if data[:8] != _PNG_START or data[12:16] != b"IHDR":
        raise _Refused(_DAMAGED)
    _check_pixels(*struct.unpack(">II", data[16:24]))
    names = [name for name, _ in _png_chunks(data)]
    unknown = [name for name in names if name not in _PNG_KEPT and name[:1].isupper()]
    if unknown or b"IDAT" not in names or names.count(b"IHDR") != 1:
        raise _Refused(_DAMAGED)


def _strip_png(data: bytes) -> bytes:
    return _PNG_START + b"".join(chunk for name, chunk in _png_chunks(data) if name in _PNG_KEPT)


def _jpeg_segments(data: bytes) -> Iterator[_Segment]:
    """Each segment after the start of image, up to and without the end of image."""
    at = 2
    for _ in range(MAX_SEGMENTS):
        found = _MARKER_HERE.match(data, at)
        if found is None:
            raise _Refused(_TOO_EARLY if at + 2 >= len(data) else _DAMAGED)
        at, marker = found.end(), data[found.end() - 1]
        if marker == _EOI:
            return
        end = at + int.from_bytes(data[at : at + 2], "big")
        if marker == _SOS:
            following = _NEXT_MARKER.search(data, end)
            end = following.start() if following else len(data) + 1
        if end < at + 2 or end > len(data):
            raise _Refused(_TOO_EARLY if end > len(data) else _DAMAGED)
        yield _Segment(marker, b"\xff" + data[at - 1 : end])
        at = end
    raise _Refused(_UNUSUAL, 415)


def _check_jpeg(data: bytes) -> None:
    segments = list(_jpeg_segments(data))
    frames = [segment for segment in segments if segment.marker in (*_SOF_READ, *_SOF_OTHER)]
    scans = [segment for segment in segments if segment.marker == _SOS]
    if len(frames) != 1 or len(frames[0].payload) < 6 or not scans:
        raise _Refused(_DAMAGED)
    height, width = struct.unpack(">HH", frames[0].payload[1:5])
    _check_pixels(width, height)
    # A progressive file costs a pass over all pixels for each scan it claims.
    if frames[0].marker in _SOF_OTHER or frames[0].payload[0] != 8 or len(scans) > MAX_SCANS:
        raise _Refused(_UNUSUAL, 415)


def _strip_jpeg(data: bytes) -> bytes:
    segments = list(_jpeg_segments(data))
    turned = next((turn for segment in segments if (turn := _orientation(segment)) != 1), 1)
    first = b"".join(_bare_jfif(segment) for segment in segments[:1])
    kept = (s.raw for s in segments if s.marker == _APP14 or not (_APP0 <= s.marker <= 0xEF or s.marker == _COM))
    return b"\xff\xd8" + first + (_exif(turned) if turned != 1 else b"") + b"".join(kept) + b"\xff\xd9"


def _bare_jfif(segment: _Segment) -> bytes:
    """The JFIF segment without its thumbnail, which may show what was cropped away."""
    if segment.marker != _APP0 or not segment.payload.startswith(b"JFIF\0") or len(segment.payload) < 14:
        return b""
    return b"\xff\xe0\x00\x10" + segment.payload[:12] + b"\0\0"


def _orientation(segment: _Segment) -> int:
    if segment.marker != _APP1 or not segment.payload.startswith(b"Exif\0\0"):
        return 1
    tiff = segment.payload[6:]
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None or len(tiff) < 10:
        return 1
    start = struct.unpack_from(f"{order}L", tiff, 4)[0]
    count = struct.unpack_from(f"{order}H", tiff, start)[0] if start + 2 <= len(tiff) else 0
    return _orientation_among(tiff[start + 2 : start + 2 + 12 * count], order)


def _orientation_among(entries: bytes, order: str) -> int:
    for tag, kind, number, value in struct.iter_unpack(f"{order}HHLH2x", entries[: len(entries) // 12 * 12]):
        if (tag, kind, number) == (0x0112, 3, 1) and 1 <= value <= 8:
            return int(value)
    return 1


def _exif(orientation: int) -> bytes:
    """An Exif segment that says how to turn the picture and nothing else."""
    tiff = struct.pack("<2sHLHHHLHHL", b"II", 42, 8, 1, 0x0112, 3, 1, orientation, 0, 0)
    return b"\xff\xe1" + struct.pack(">H", 8 + len(tiff)) + b"Exif\0\0" + tiff


def _check_bmp(data: bytes) -> None:
    if _bmp_end(data) > len(data):
        raise _Refused(_TOO_EARLY)


def _bmp_end(data: bytes) -> int:
    if len(data) < 54:
        raise _Refused(_TOO_EARLY)
    start, header = struct.unpack_from("<LL", data, 10)
    if header == 12:
        (width, height, _, bits), packing = struct.unpack_from("<4H", data, 18), 0
    else:
        width, height, _, bits, packing = struct.unpack_from("<llHHL", data, 18)
    _check_pixels(width, abs(height))
    if packing not in (0, 3) or bits not in (1, 4, 8, 16, 24, 32):
        raise _Refused(_UNUSUAL, 415)
    end: int = start + (width * bits + 31) // 32 * 4 * abs(height)
    return end


def _check_tiff(data: bytes) -> None:
    with _opened_tiff(data) as image:
        _check_pixels(*image.size)


_one_tiff = threading.Lock()  # 40 megapixels take half a gigabyte: one at a time in each process


def _strip_tiff(data: bytes) -> bytes:
    with _one_tiff, _opened_tiff(data) as image:
        try:
            image.load()
            flat = _as_grey_or_rgb(image)
        except _PILLOW_ERRORS:
            raise _Refused(_TOO_EARLY) from None
    # Profile, resolution and text would be written again from here.
    flat.info.clear()
    out = io.BytesIO()
    flat.save(out, "PNG", compress_level=1)
    return out.getvalue()


def _opened_tiff(data: bytes) -> Image.Image:
    try:
        image = Image.open(io.BytesIO(_bare_tiff(data)), formats=["TIFF"])
    except Image.DecompressionBombError:
        raise _Refused(
            f"This picture has more than {MAX_PIXELS // 1_000_000} megapixels; make it smaller.", 413
        ) from None
    except _PILLOW_ERRORS:
        raise _Refused(_DAMAGED) from None
    if image.info.get("compression") not in _TIFF_PACKINGS | {"jpeg"}:
        raise _Refused(_UNUSUAL, 415)
    return image


def _bare_tiff(data: bytes) -> bytes:
    """The file with one directory of no more than what draws its first page.

    Pillow makes objects of every value of a tag and of every strip: a few megabytes of them keep it busy for minutes.
    """
    order = "<" if data[:2] == b"II" else ">"
    try:
        start: int = struct.unpack_from(f"{order}L", data, 4)[0]
        count: int = struct.unpack_from(f"{order}H", data, start)[0]
        entries = [struct.unpack_from(f"{order}HHL4s", data, start + 2 + 12 * number) for number in range(count)]
    except struct.error:
        raise _Refused(_TOO_EARLY) from None
    kept = [entry for entry in entries if entry[0] in _TIFF_KEPT]
    if any(number > _MAX_TIFF_VALUES for _, _, number, _ in kept):
        raise _Refused(_UNUSUAL, 415)
    directory = b"".join(struct.pack(f"{order}HHL4s", *entry) for entry in kept)
    head = data[:4] + struct.pack(f"{order}L", len(data))
    return head + data[8:] + struct.pack(f"{order}H", len(kept)) + directory + bytes(4)


def _as_grey_or_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16"):
        return image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if image.mode in ("RGBA", "LA", "PA"):
        paper = Image.new("RGBA", image.size, "white")
        paper.alpha_composite(image.convert("RGBA"))
        return paper.convert("RGB")
    # A conversion copies, even to the same mode; of forty megapixels that is worth a line.
    mode = "L" if image.mode in ("1", "L") else "RGB"
    return image if image.mode == mode else image.convert(mode)


_CHECKS: dict[str, Callable[[bytes], None]] = {
    "image/png": _check_png, "image/jpeg": _check_jpeg, "image/bmp": _check_bmp, "image/tiff": _check_tiff,
}  # fmt: skip
_STRIPS: dict[str, Callable[[bytes], bytes]] = {
    "image/png": _strip_png,
    "image/jpeg": _strip_jpeg,
    "image/bmp": lambda data: data[: _bmp_end(data)],
    "image/tiff": _strip_tiff,
}
