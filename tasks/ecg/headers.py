"""Opening recordings no further than their headers: what the form checks and the readers begin with."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from tasks import uploads
from tasks.ecg import edf_header, wfdb_header
from tasks.errors import JobError
from tasks.uploads import IncomingFile

_HEAD_LINES = 500
_HEAD_BYTES = 200_000
_LINE = 10_000


def read_head(path: Path) -> list[str]:
    """The first lines of a table, the last of them perhaps cut.

    Raises:
        JobError: it is no text.
    """
    with path.open("rb") as file:
        text = uploads.decode_text(file.read(_HEAD_BYTES))
    if text is None:
        raise JobError("This table is no text; export the ECG as CSV.")
    return [line[:_LINE] for line in text.splitlines()[:_HEAD_LINES]]


def read_lines(path: Path) -> Iterator[str]:
    """The lines of a table in the encoding that its first bytes show; a line without end comes in pieces."""
    with path.open("rb") as file:
        start = file.read(_HEAD_BYTES)
    encoding = "latin-1"
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding = "utf-16"
    elif uploads.decode_text(start) != start.decode("latin-1"):
        encoding = "utf-8-sig"
    with path.open(encoding=encoding, errors="replace") as lines:
        while line := lines.readline(_LINE):
            yield line


def read_wfdb_header(files: Sequence[IncomingFile]) -> tuple[wfdb_header.WfdbHeader, dict[str, Path], int]:
    """The header among the files, where each signal file it names lies among them, and how many frames they hold.

    Only these files are ever opened, whatever the header names.

    Raises:
        JobError: the header cannot be read, or a signal file is not among them or too short.
    """
    header_file = next(file for file in files if file.media_type == uploads.WFDB_HEADER)
    with header_file.path.open("rb") as file:
        header = wfdb_header.parse_header(file.read(wfdb_header.MAX_HEADER + 1))
    lying = {file.name: file.path for file in files if file is not header_file}
    paths = {name: lying[name] for name in header.files if name in lying}
    frames = header.frames_in({name: path.stat().st_size for name, path in paths.items()})
    return header, paths, frames


def read_edf_header(path: Path) -> edf_header.EdfHeader:
    """The header of the EDF file at `path`.

    Raises:
        JobError: it is damaged or promises more than there is.
    """
    with path.open("rb") as file:
        head = file.read(edf_header.FIXED * (edf_header.MAX_SIGNALS + 1))
    return edf_header.parse_header(head, path.stat().st_size)
