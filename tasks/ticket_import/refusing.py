"""What is no table is refused at the form already, with a word on what to do instead."""

from collections.abc import Sequence

from tasks import uploads
from tasks.errors import FieldError, JobError
from tasks.tabular import decoding
from tasks.uploads import IncomingFile

FIELD = "files"
MOST_BYTES = 1_000_000_000
TOO_LARGE = "This is more than {:,} MB; export a shorter time, and import it in parts."
ZIP = "This is a zip or a spreadsheet (.xlsx), which is not opened here: unpack it, or save the sheet as CSV."
OTHER = "This is no CSV, whatever its name; export the list of tickets as CSV."
SPREADSHEET = "This is a spreadsheet; open it and save it as CSV."
HINTS = {
    uploads.ZIP: ZIP,
    "application/pdf": "This is a PDF; export the list of tickets as CSV.",
    "text/html": "This is a web page; export the list of tickets as CSV.",
    "application/gzip": "This is packed; unpack it and choose what was inside.",
}
TEXT = {uploads.CSV, uploads.WFDB_HEADER, uploads.WFDB_SIGNAL, None}


def check(files: Sequence[IncomingFile]) -> None:
    """By size and by the first bytes.

    Raises:
        FieldError: 413 for too many bytes, 415 for what is no text, 422 for what is empty.
    """
    file = files[0]
    if file.size > MOST_BYTES:
        raise FieldError(FIELD, TOO_LARGE.format(MOST_BYTES // 1_000_000), 413)
    with file.path.open("rb") as stream:
        if stream.read(4) == b"\xd0\xcf\x11\xe0":
            raise FieldError(FIELD, SPREADSHEET, 415)
    if file.size and file.media_type not in TEXT:
        raise FieldError(FIELD, HINTS.get(file.media_type or "", OTHER), 415)
    try:
        decoding.encoding_of(file.path)
    except JobError as error:
        raise FieldError(FIELD, str(error), 415 if file.size else 422) from error
