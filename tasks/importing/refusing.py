"""What is no table and no bank's file is refused at the form already, with a word on what to do instead."""

from collections.abc import Sequence

from tasks import uploads
from tasks.errors import FieldError, JobError
from tasks.tabular import decoding
from tasks.uploads import IncomingFile

FIELD = "files"
MOST_BYTES = 64_000_000
TOO_LARGE = "This is more than {} MB; import it in parts."
WORDS = "CSV, OFX or QIF"
ZIP = (
    "This is a zip or a spreadsheet (.xlsx), which is not opened here: save the sheet as CSV. "
    "From Actual, take “Export transactions” instead of the backup."
)
SPREADSHEET = "This is a spreadsheet; open it and save it as CSV."
DATABASE = "This is a database; from Actual, take “Export transactions”, which is CSV."
HINTS = {
    uploads.ZIP: ZIP,
    "application/pdf": "This is a PDF; ask your bank for the same lines as CSV, OFX or QIF.",
    "text/html": "This is a web page; ask your bank for the lines as CSV, OFX or QIF.",
    "application/gzip": "This is packed; unpack it and choose what was inside.",
    "application/x-7z-compressed": "This is packed; unpack it and choose what was inside.",
    "application/vnd.rar": "This is packed; unpack it and choose what was inside.",
}
TEXT = {uploads.CSV, uploads.XML, uploads.WFDB_HEADER, uploads.WFDB_SIGNAL, None}
STARTS = ((b"\xd0\xcf\x11\xe0", SPREADSHEET), (b"SQLite format 3\0", DATABASE))


def check(files: Sequence[IncomingFile]) -> None:
    """By size and by the first bytes.

    Raises:
        FieldError: 413 for too many bytes, 415 for what is no text, 422 for what is empty.
    """
    file = files[0]
    if file.size > MOST_BYTES:
        raise FieldError(FIELD, TOO_LARGE.format(MOST_BYTES // 1_000_000), 413)
    with file.path.open("rb") as stream:
        head = stream.read(16)
    for start, hint in STARTS:
        if head.startswith(start):
            raise FieldError(FIELD, hint, 415)
    if file.size and file.media_type not in TEXT:
        kind = "a picture" if file.media_type in uploads.PICTURES else "another kind of file"
        hint = HINTS.get(file.media_type or "", f"This is {kind}, whatever its name; choose {WORDS}.")
        raise FieldError(FIELD, hint, 415)
    try:
        decoding.encoding_of(file.path)
    except JobError as error:
        raise FieldError(FIELD, str(error), 415 if file.size else 422) from error
