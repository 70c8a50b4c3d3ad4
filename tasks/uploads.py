"""What a job may say about its file fields, and what happens to a file on its way in.

Everything that is uploaded is hostile until it is read: kinds are told by content, bounds are checked on headers before
anything is decoded, and only the bytes that are needed to draw a picture are kept. Standard library and Pillow only.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tasks import archives, picture_files
from tasks.errors import FieldError

PNG, JPEG, TIFF, BMP = "image/png", "image/jpeg", "image/tiff", "image/bmp"
ZIP, EDF, CSV, XML = "application/zip", "application/x-edf", "text/csv", "application/xml"
WFDB_HEADER, WFDB_SIGNAL = "application/x-wfdb-header", "application/x-wfdb-signal"
PICTURES = frozenset({PNG, JPEG, TIFF, BMP})
HEAD_BYTES = 4096

_MAGIC = (
    (0, b"\x89PNG\r\n\x1a\n", PNG),
    (0, b"PK\x03\x04", ZIP),
    (0, b"PK\x05\x06", ZIP),
    (0, b"%PDF-", "application/pdf"),
    (0, b"GIF8", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (4, b"ftyphei", "image/heic"),
    (4, b"ftypmif1", "image/heic"),
    (128, b"DICM", "application/dicom"),
    (0, b"\xffBIOSEMI", "application/x-bdf"),
    (0, b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (0, b"Rar!\x1a\x07", "application/vnd.rar"),
)
# Two or three bytes are no proof: these count only after a signal file of WFDB, which may begin with anything.
_SHORT_MAGIC = (
    (0, b"\xff\xd8\xff", JPEG),
    (0, b"II*\x00", TIFF),
    (0, b"MM\x00*", TIFF),
    (0, b"\x1f\x8b\x08", "application/gzip"),
)
_HINTS = {
    "application/pdf": "This is a PDF; save the page as a PNG picture and choose that.",
    "image/svg+xml": "This is an SVG drawing; export it as a PNG picture and choose that.",
    "text/html": "This is a web page; save the picture in it and choose that.",
    "image/heic": "This is a HEIC photo; save or send it as a JPEG and choose that.",
    "image/webp": "This is a WebP picture; save it as PNG or JPEG and choose that.",
    "image/gif": "This is a GIF; save it as a PNG picture and choose that.",
    "application/dicom": "This is a DICOM file; export it as a PNG picture or as EDF and choose that.",
    "application/x-bdf": "This is a BioSemi (BDF) recording; export it as EDF and choose that.",
    "application/gzip": "This is a gzip file; unpack it and choose what was inside.",
    "application/x-7z-compressed": "This is a 7z archive; pack the files as a zip and choose that.",
    "application/vnd.rar": "This is a RAR archive; pack the files as a zip and choose that.",
}
_WFDB_RECORD = re.compile(r"\S+ +\d+( +\S+)*")
_WFDB_SIGNAL = re.compile(r"\S+ +\d+(x\d+)?(:\d+)?(\+\d+)?( .*)?")
_BMP_HEADER_SIZES = (12, 40, 52, 56, 64, 108, 124)


@dataclass(frozen=True)
class IncomingFile:
    """One uploaded file that lies on disk under a name of ours.

    Attributes:
        name: what its owner calls it, a plain base name; never used as a path, never logged.
        path: where its bytes lie.
        size: bytes.
        media_type: told by content (`sniff`); None when it is of no kind we know.
    """

    name: str
    path: Path
    size: int
    media_type: str | None


@dataclass(frozen=True)
class Accepts:
    """What a file field takes.

    Attributes:
        media_types: the kinds that are read.
        words: the same for people, as in "choose …".
        max_bytes: for all files of the field together.
        max_files: how many.
    """

    media_types: frozenset[str]
    words: str
    max_bytes: int = 25_000_000
    max_files: int = 1


def receive(path: Path, name: str) -> IncomingFile:
    """Describe the upload that lies at `path`; `name` is what the browser called it."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    base = name.replace("\\", "/").rsplit("/", 1)[-1]
    return IncomingFile(base, path, path.stat().st_size, sniff(head, base))


def sniff(head: bytes, name: str) -> str | None:
    """Tell a file's media type by its first bytes (a few hundred do; `HEAD_BYTES` are enough for all kinds).

    `name` decides only where content cannot: the raw samples of a WFDB `.dat` carry no mark at all, and a bare header
    could be a table.
    """
    found = _match(head, _MAGIC) or (EDF if _is_edf(head) else None)
    if found is None and name.lower().endswith(".dat"):
        return WFDB_SIGNAL
    return found or _match(head, _SHORT_MAGIC) or (BMP if _is_bmp(head) else _sniff_text(head, name))


def inspect(files: Sequence[IncomingFile], accepts: Accepts, field: str) -> None:
    """Refuse what a field does not take, by headers alone; nothing is decoded.

    Raises:
        FieldError: 413 for too many bytes or pixels, 415 for a kind that is not read, 422 for anything else.
    """
    if not files:
        raise FieldError(field, f"No file was chosen; choose {accepts.words}.")
    if len(files) > accepts.max_files:
        raise FieldError(field, f"These are {len(files)} files; choose {accepts.words}.")
    if sum(file.size for file in files) > accepts.max_bytes:
        limit = accepts.max_bytes // 1_000_000
        raise FieldError(field, f"This is more than {limit} MB; choose a smaller file or a part of it.", 413)
    for file in files:
        _inspect_one(file, accepts, field)


def clean(path_in: Path, path_out: Path, media_type: str, field: str) -> str:
    """Copy a picture without its metadata (EXIF, GPS, text, thumbnails, whatever lies behind its end).

    The pixels of PNG, JPEG and BMP are not decoded again; the orientation of a JPEG is kept, since it belongs to the
    picture. The first page of a TIFF becomes a PNG.

    Returns:
        The media type of what was written.

    Raises:
        FieldError: the picture is damaged, too large or of a kind that is not read.
    """
    data = picture_files.strip(path_in.read_bytes(), media_type, field)
    path_out.write_bytes(data)
    return PNG if media_type == TIFF else media_type


def _inspect_one(file: IncomingFile, accepts: Accepts, field: str) -> None:
    if file.size == 0:
        raise FieldError(field, "This file is empty; choose another one.")
    if file.media_type not in accepts.media_types:
        hint = _HINTS.get(file.media_type or "", f"This kind of file is not read here; choose {accepts.words}.")
        raise FieldError(field, hint, 415)
    if file.media_type in PICTURES:
        picture_files.check(file.path.read_bytes(), file.media_type, field)
    if file.media_type == ZIP:
        archives.check(file.path, field)


def _match(head: bytes, magic: Sequence[tuple[int, bytes, str]]) -> str | None:
    return next((kind for at, mark, kind in magic if head.startswith(mark, at)), None)


def _is_edf(head: bytes) -> bool:
    return head.startswith(b"0       ") and (len(head) < 256 or head[184:192].strip().isdigit())


def _is_bmp(head: bytes) -> bool:
    return head.startswith(b"BM") and int.from_bytes(head[14:18], "little") in _BMP_HEADER_SIZES


def _sniff_text(head: bytes, name: str) -> str | None:
    text = decode_text(head)
    if text is None or not text.strip():
        return None
    if text.lstrip().startswith("<"):
        return _sniff_markup(text.lower())
    return WFDB_HEADER if _is_wfdb_header(text, name) else CSV


def _sniff_markup(text: str) -> str:
    if "<svg" in text:
        return "image/svg+xml"
    return "text/html" if "<html" in text or "<!doctype html" in text else XML


def decode_text(data: bytes) -> str | None:
    """Text of unknown encoding: UTF-16 by its mark, UTF-8, else Latin-1; None for bytes that are no text."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data[: len(data) // 2 * 2].decode("utf-16", "replace")
    if any(byte < 32 and byte not in b"\t\n\v\f\r" for byte in data[:HEAD_BYTES]):
        return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # A head may end inside a character; only an earlier fault means another encoding.
        cut = error.start >= len(data) - 3 and error.reason == "unexpected end of data"
        return data[: error.start].decode("utf-8-sig") if cut else data.decode("latin-1")


def _is_wfdb_header(text: str, name: str) -> bool:
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    if len(lines) < 2 or not _WFDB_RECORD.fullmatch(lines[0]):
        return name.lower().endswith(".hea") and len(lines) > 0
    named = name.lower().endswith(".hea") or ".dat " in lines[1].lower()
    return named and bool(_WFDB_SIGNAL.fullmatch(lines[1]))
