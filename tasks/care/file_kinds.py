"""What kinds of files may go with a ticket, told by their content; how each is cleaned, and what it may be called.

Pictures lose their metadata; what runs, or what a browser would run, is refused whatever its name says.
"""

import io
import re
import unicodedata
import zipfile
from pathlib import Path

from PIL import Image

from tasks import archives, picture_files, uploads
from tasks.errors import FieldError

FIELD = "files"
LONGEST_NAME = 120
PDF, TEXT, GIF, WEBP = "application/pdf", "text/plain", "image/gif", "image/webp"
OFFICE = "application/vnd.openxmlformats-officedocument."
OPEN = "application/vnd.oasis.opendocument."
ENDINGS = {
    uploads.PNG: (".png",), uploads.JPEG: (".jpg", ".jpeg"), uploads.BMP: (".bmp",), PDF: (".pdf",),
    uploads.ZIP: (".zip",), OFFICE + "wordprocessingml.document": (".docx",),
    OFFICE + "spreadsheetml.sheet": (".xlsx",), OFFICE + "presentationml.presentation": (".pptx",),
    OPEN + "text": (".odt",), OPEN + "spreadsheet": (".ods",), OPEN + "presentation": (".odp",),
    TEXT: (".txt", ".log", ".csv", ".tsv", ".md", ".json", ".xml", ".ini", ".cfg", ".conf", ".yaml", ".yml", ".eml",
           ".ics", ".vcf", ".sql", ".diff", ".patch"),
}  # fmt: skip
PARTS = {  # what an office file holds, and what it then is
    "word/document.xml": OFFICE + "wordprocessingml.document",
    "xl/workbook.xml": OFFICE + "spreadsheetml.sheet",
    "ppt/presentation.xml": OFFICE + "presentationml.presentation",
}
TAKEN = "send a picture, a PDF, an office document, a text, a table or a zip"
RUNS = "This is a program, and programs are not taken; " + TAKEN + "."
REFUSED = {
    "text/html": "This is a web page; save it as a PDF or a picture and send that.",
    "image/svg+xml": "This is an SVG drawing; save it as a PNG picture and send that.",
    "image/heic": "This is a HEIC photo; save or send it as a JPEG.",
    "application/gzip": "This is a gzip file; pack what is in it as a zip.",
    "application/x-7z-compressed": "This is a 7z archive; pack the files as a zip.",
    "application/vnd.rar": "This is a RAR archive; pack the files as a zip.",
}
WRAPPED = (
    "This is Outlook's own wrapping (winmail.dat), which only Outlook opens; send the mail again as plain text or HTML."
)
MACROS = "This document holds macros, which are programs; save it without them."
LOCKED = "This is an old office file or a locked one; save it as PDF or in today's format, without a password."
_PROGRAMS = (
    b"MZ", b"\x7fELF", b"#!", b"\xca\xfe\xba\xbe", b"\xfe\xed\xfa\xce", b"\xfe\xed\xfa\xcf", b"\xce\xfa\xed\xfe",
    b"\xcf\xfa\xed\xfe", b"\0asm", b"L\0\0\0\x01\x14\x02\0", b"!<arch>", b"dex\n",
)  # fmt: skip
_TNEF, _OLE = b"\x78\x9f\x3e\x22", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_RUNNING = re.compile(
    r"\.(exe|com|scr|bat|cmd|ps1|psm1|vbs|vbe|jse?|wsf|wsh|hta|msi|msp|jar|lnk|reg|url|sh|app|desktop|"
    r"html?|xhtml|mht|mhtml|svg|xsl|xslt|chm|iso|img|dll|cpl|pif|docm|xlsm|pptm|py|rb|pl|php)$",
    re.I,
)
_MOST_PARTS = 5_000


def told(data: bytes, name: str, path: Path) -> str:
    """The media type of a file that may be kept.

    Raises:
        FieldError: a sentence that says why not, and what to send.
    """
    if data.startswith(_PROGRAMS):
        raise FieldError(FIELD, RUNS, 415)
    if data.startswith(_TNEF):
        raise FieldError(FIELD, WRAPPED, 415)
    if data.startswith(_OLE):
        raise FieldError(FIELD, LOCKED, 415)
    kind = uploads.sniff(data[: uploads.HEAD_BYTES], "")
    if kind == uploads.ZIP:
        return _archive(data, path)
    if kind in (uploads.CSV, uploads.XML, uploads.WFDB_HEADER, uploads.EDF):
        return _text(data, name)
    if kind in ENDINGS or kind in (uploads.TIFF, GIF, WEBP):
        return str(kind)
    raise FieldError(FIELD, REFUSED.get(kind or "", f"This kind of file is not taken; {TAKEN}."), 415)


def cleaned(data: bytes, kind: str) -> tuple[bytes, str]:
    """What is kept of a file, and its media type: pictures without metadata, the rest as it is.

    Raises:
        FieldError: the picture is damaged or has too many pixels.
    """
    if kind in uploads.PICTURES:
        made = uploads.PNG if kind == uploads.TIFF else kind
        return picture_files.strip(data, kind, FIELD), made
    return _redrawn(data, kind) if kind in (GIF, WEBP) else (data, kind)


def plain_name(name: str) -> str:
    """A base name without control signs and those that turn the direction of writing, of at most 120 characters."""
    base = name.replace("\\", "/").rsplit("/", 1)[-1]
    kept = "".join(" " if unicodedata.category(sign)[0] in "CZ" or sign in '"<>|?*:' else sign for sign in base)
    kept = " ".join(kept.split()).lstrip(". ")
    stem, dot, ending = kept.rpartition(".")
    if len(kept) > LONGEST_NAME:
        kept = f"{stem[: LONGEST_NAME - 1 - len(ending)]}.{ending}" if dot and len(ending) < 10 else kept[:LONGEST_NAME]
    return kept or "file"


def fitting_name(name: str, media_type: str) -> str:
    """The name with an ending that says what the file is, so that no program opens it as something else."""
    endings = ENDINGS[media_type]
    if name.lower().endswith(endings):
        return name
    stem = name.rpartition(".")[0] if "image/" in media_type else name
    return (stem or name) + endings[0]


def _text(data: bytes, name: str) -> str:
    if _RUNNING.search(name):
        raise FieldError(FIELD, RUNS, 415)
    text = uploads.decode_text(data)
    if text is None or (not data.startswith((b"\xff\xfe", b"\xfe\xff")) and b"\0" in data):
        raise FieldError(FIELD, f"This kind of file is not taken; {TAKEN}.", 415)
    return TEXT


def _archive(data: bytes, path: Path) -> str:
    names = _names(data)
    if any(name.rsplit("/", 1)[-1].lower() in ("vbaproject.bin", "vbadata.xml") for name in names):
        raise FieldError(FIELD, MACROS, 415)
    office = next((kind for part, kind in PARTS.items() if part in names), None)
    if office and "[Content_Types].xml" in names:
        return office
    if "mimetype" in names and (found := _open_document(data)) in ENDINGS:
        return found
    if "META-INF/MANIFEST.MF" in names or any(_RUNNING.search(name) for name in names):
        raise FieldError(FIELD, "This zip holds a program or a web page, which are not taken; leave it out.", 415)
    archives.check(path, FIELD)
    return uploads.ZIP


def _names(data: bytes) -> set[str]:
    """The names in a zip, if its directory is of a reasonable size."""
    try:
        if data.count(b"PK\x01\x02") > _MOST_PARTS:
            raise FieldError(FIELD, "This zip holds very many files; send fewer.", 413)
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return set(archive.namelist())
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, RuntimeError, EOFError):
        raise FieldError(FIELD, "This zip is damaged; pack the files again.") from None


def _open_document(data: bytes) -> str:
    """The `mimetype` of an OpenDocument, whose first part it is, stored as it is (ODF 1.3, part 2, 3.3)."""
    if data[30:38] != b"mimetype":
        return ""
    size = int.from_bytes(data[22:26], "little")
    return data[38 : 38 + min(size, 100)].decode("ascii", "replace")


def _redrawn(data: bytes, kind: str) -> tuple[bytes, str]:
    """A GIF's or WebP's first picture, drawn anew: nothing of the file but its pixels is kept."""
    try:
        with Image.open(io.BytesIO(data), formats=["GIF" if kind == GIF else "WEBP"]) as image:
            if image.width * image.height > picture_files.MAX_PIXELS:
                raise FieldError(FIELD, "This picture has more than 40 megapixels; make it smaller.", 413)
            solid = kind == WEBP and image.mode == "RGB"
            flat = image.convert("RGB" if solid else "RGBA")
    except Image.DecompressionBombError:
        raise FieldError(FIELD, "This picture has more than 40 megapixels; make it smaller.", 413) from None
    except (OSError, ValueError, SyntaxError, EOFError, Warning):
        raise FieldError(FIELD, "The picture is damaged; save or export it again.") from None
    flat.info.clear()
    out = io.BytesIO()
    flat.save(out, "JPEG", quality=90) if solid else flat.save(out, "PNG")
    return out.getvalue(), uploads.JPEG if solid else uploads.PNG
