"""What the ECG job takes: checked at the form by headers alone, and rid of names and notes before it is kept.

Nothing here decodes a sample. After `clean`, files bear names of ours and hold leads, numbers and pixels only.
"""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Literal

from tasks import archives, uploads
from tasks.ecg import anonymise, edf_header, headers, limits, table
from tasks.errors import FieldError, JobError
from tasks.storage import TEMPORARY
from tasks.uploads import IncomingFile

FILES, RATE = "files", "sampling_rate"
ACCEPTS = uploads.Accepts(
    media_types=uploads.PICTURES | {uploads.ZIP, uploads.EDF, uploads.CSV, uploads.WFDB_HEADER, uploads.WFDB_SIGNAL},
    words="one picture (PNG, JPEG, TIFF or BMP), one EDF or CSV file, or a WFDB .hea with its .dat (or both in a zip)",
    max_bytes=64_000_000,
    max_files=9,
)
_PICTURE_BYTES = 25_000_000
_TABLE_BYTES = 20_000_000
_SUFFIXES = {uploads.PNG: ".png", uploads.JPEG: ".jpg", uploads.BMP: ".bmp"}
Kind = Literal["picture", "wfdb", "edf", "csv"]


def check(files: Sequence[IncomingFile], sampling_rate: float | None) -> None:
    """Refuse, before a run is made of it, all that headers tell to be no readable ECG.

    Args:
        files: what was chosen, as `uploads.receive` describes it.
        sampling_rate: samples a second as the form says, None when it was left empty.

    Raises:
        FieldError: of field `files` or `sampling_rate`; 413, 415 or 422, saying what to do.
    """
    with _recording_files(files) as chosen:
        kind = kind_of(chosen)
        if kind == "picture":
            uploads.inspect(chosen, replace(ACCEPTS, max_bytes=_PICTURE_BYTES), FILES)
        elif kind == "csv":
            uploads.inspect(chosen, replace(ACCEPTS, max_bytes=_TABLE_BYTES), FILES)
            _check_csv(chosen[0], sampling_rate)
        else:
            _check_signals(chosen, kind)


def clean(files: Sequence[IncomingFile], folder: Path) -> list[IncomingFile]:
    """Write what is needed of the files into `folder`, without names, dates, notes, EXIF or GPS.

    Pictures lose their metadata, WFDB headers their comments and dates, EDF files who was recorded when and what was
    noted, tables all but their numbers; a zip is unpacked.

    Args:
        files: what `check` let pass.
        folder: an empty folder.

    Returns:
        The files written; `readers.read_files` or the picture reader take them.

    Raises:
        FieldError: a file is damaged in a way that headers do not tell.
    """
    with _recording_files(files) as chosen:
        kind = kind_of(chosen)
        if kind == "picture":
            return [_clean_picture(chosen[0], folder)]
        with _blaming(FILES):
            return [uploads.receive(path, path.name) for path in anonymise.CLEANERS[kind](chosen, folder)]


def kind_of(files: Sequence[IncomingFile]) -> Kind:
    """What the files are together.

    Raises:
        FieldError: they are of several recordings, or a part of one is missing.
    """
    kinds = {file.media_type for file in files}
    if uploads.WFDB_HEADER in kinds:
        if kinds <= {uploads.WFDB_HEADER, uploads.WFDB_SIGNAL} and _count(files, uploads.WFDB_HEADER) == 1:
            return "wfdb"
        raise FieldError(FILES, "Choose one WFDB record at a time: its .hea and its .dat, and nothing else.")
    if uploads.WFDB_SIGNAL in kinds:
        raise FieldError(FILES, "A .dat file alone cannot be read; choose the .hea that belongs to it as well.")
    if len(files) != 1:
        raise FieldError(FILES, f"These are {len(files)} files; choose {ACCEPTS.words}.")
    if kinds & uploads.PICTURES:
        return "picture"
    return "edf" if uploads.EDF in kinds else "csv"


@contextmanager
def _recording_files(files: Sequence[IncomingFile]) -> Iterator[list[IncomingFile]]:
    """The chosen files, those of a zip unpacked for as long as they are looked at and its bystanders left out."""
    uploads.inspect(files, ACCEPTS, FILES)
    if not any(file.media_type == uploads.ZIP for file in files):
        yield list(files)
        return
    if len(files) > 1:
        raise FieldError(FILES, "Choose a zip alone, with the .hea and .dat inside.")
    with tempfile.TemporaryDirectory(prefix=TEMPORARY) as folder:
        inside = [uploads.receive(path, name) for name, path in archives.unpack(files[0].path, Path(folder), FILES)]
        chosen = _of_one_record(inside)
        uploads.inspect(chosen, ACCEPTS, FILES)
        yield chosen


def _of_one_record(inside: Sequence[IncomingFile]) -> list[IncomingFile]:
    """The header and the signals in an archive; notes and annotations that came with them are left out."""
    kept = [file for file in inside if file.media_type in (uploads.WFDB_HEADER, uploads.WFDB_SIGNAL)]
    if _count(kept, uploads.WFDB_HEADER) != 1 or len(kept) < 2:
        raise FieldError(FILES, "This zip does not hold one WFDB record; pack one .hea with its .dat.")
    if len({file.name for file in kept}) < len(kept):
        raise FieldError(FILES, "This zip holds two files of one name; pack one .hea with its .dat, without folders.")
    return kept


def _clean_picture(file: IncomingFile, folder: Path) -> IncomingFile:
    bare = folder / "picture"
    media_type = uploads.clean(file.path, bare, file.media_type or "", FILES)
    named = bare.rename(bare.with_suffix(_SUFFIXES[media_type]))
    return uploads.receive(named, named.name)


def _check_csv(file: IncomingFile, sampling_rate: float | None) -> None:
    with _blaming(FILES):
        head = headers.read_head(file.path)
        layout = table.detect(head)
    with _blaming(RATE):
        rate = table.settle_rate(layout, sampling_rate)
        # Rows are estimated by the length of the first ones; the reader counts them.
        rows = file.size * len(head) // max(1, sum(len(line) + 1 for line in head))
        limits.check_extent(rate, max(rows, int(rate * limits.MIN_SECONDS)), len(layout.leads))


def _check_signals(files: Sequence[IncomingFile], kind: Kind) -> None:
    with _blaming(FILES):
        if kind == "wfdb":
            header, _, frames = headers.read_wfdb_header(files)
            rates = [header.rate * signal.each for signal in header.signals if signal.lead]
            seconds = frames / header.rate
            if not rates:
                raise JobError("There is no ECG signal in this WFDB record; choose one with an ECG in millivolts.")
        else:
            edf = headers.read_edf_header(files[0].path)
            rates = [edf.rate(signal) for signal in edf_header.ecg_signals(edf)]
            seconds = edf.records * edf.seconds
        limits.check_extent(max(rates), int(seconds * max(rates)), rates.count(max(rates)))


@contextmanager
def _blaming(field: str) -> Iterator[None]:
    """Put what a header's reader refuses beside a field of the form."""
    try:
        yield
    except FieldError:
        raise
    except JobError as error:
        raise FieldError(field, str(error)) from error


def _count(files: Sequence[IncomingFile], media_type: str) -> int:
    return sum(file.media_type == media_type for file in files)
