"""Recordings without the person: names, dates and notes leave, leads and numbers stay, under file names of ours."""

import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from operator import mul
from pathlib import Path
from typing import BinaryIO

from tasks.ecg import edf_header, headers, table, wfdb_header
from tasks.uploads import IncomingFile

# What EDF+ asks for in place of who was recorded and when (its section 2.1.3.3).
_PATIENT = b"X X X X".ljust(80)
_RECORDING = b"Startdate X X X X".ljust(80)
_START = b"01.01.85" + b"00.00.00"
_TIME_STAMP = re.compile(rb"[+-]\d{1,12}(\.\d{1,9})?")


def clean_wfdb(files: Sequence[IncomingFile], folder: Path) -> list[Path]:
    """Write the header again from what was understood of it, and copy the signals.

    Raises:
        JobError: as `headers.read_wfdb_header`.
    """
    header, paths, frames = headers.read_wfdb_header(files)
    names = {name: f"signals{number}.dat" for number, name in enumerate(paths, 1)}
    signals = tuple(replace(signal, file=names[signal.file], label=signal.lead or "other") for signal in header.signals)
    target = folder / "record.hea"
    target.write_text(wfdb_header.format_header(replace(header, frames=frames, signals=signals)), "ascii")
    return [target, *(Path(shutil.copyfile(path, folder / names[name])) for name, path in paths.items())]


def clean_edf(files: Sequence[IncomingFile], folder: Path) -> list[Path]:
    """Copy the file and blank in it who was recorded, when, with what, and every note.

    Raises:
        JobError: as `headers.read_edf_header`.
    """
    header = headers.read_edf_header(files[0].path)
    target = Path(shutil.copyfile(files[0].path, folder / "recording.edf"))
    with target.open("r+b") as file:
        file.seek(8)
        file.write(_PATIENT + _RECORDING + _START)
        _blank_columns(file, header)
        for signal in header.signals:
            if signal.is_annotations:
                _blank_notes(file, header, signal)
        file.truncate(header.size + header.records * header.record_bytes)
    return [target]


def clean_table(files: Sequence[IncomingFile], folder: Path) -> list[Path]:
    """Write the lead columns again, in mV where the unit is told, below their names and the sampling rate if told.

    Raises:
        JobError: as `table.detect`.
    """
    layout = table.detect(headers.read_head(files[0].path))
    scales = [lead.scale or 1.0 for lead in layout.leads]
    names = [f"{lead.name} (mV)" if lead.scale else lead.name for lead in layout.leads]
    target = folder / "table.csv"
    with target.open("w", encoding="ascii", newline="\n") as out:
        if layout.rate:
            out.write(f"Sampling rate;{layout.rate:.10g} Hz\n")
        out.write(";".join(names) + "\n")
        form = ";".join(["%.7g"] * len(scales)) + "\n"
        for values in table.rows(headers.read_lines(files[0].path), layout):
            out.write(form % tuple(map(mul, values, scales)))
    return [target]


def _blank_columns(file: BinaryIO, header: edf_header.EdfHeader) -> None:
    """Blank what is free text about each signal, and reduce its label to what is surely no name."""
    count = len(header.signals)
    columns = edf_header.field_offsets(count)
    for name in ("transducer", "filter", "reserved"):
        at, width = columns[name]
        file.seek(at)
        file.write(b" " * width * count)
    at, width = columns["label"]
    file.seek(at)
    file.write(b"".join(signal.safe_label.encode("ascii", "replace")[:width].ljust(width) for signal in header.signals))


def _blank_notes(file: BinaryIO, header: edf_header.EdfHeader, signal: edf_header.EdfSignal) -> None:
    """Keep of each data record's notes only when the record begins, which EDF+ wants first in them."""
    for record in range(header.records):
        at = header.size + record * header.record_bytes + 2 * signal.at
        file.seek(at)
        stamp, mark, _ = file.read(2 * signal.each).partition(b"\x14\x14")
        kept = stamp + mark + b"\0" if mark and _TIME_STAMP.fullmatch(stamp) else b""
        file.seek(at)
        file.write(kept.ljust(2 * signal.each, b"\0"))


CLEANERS: dict[str, Callable[[Sequence[IncomingFile], Path], list[Path]]] = {
    "wfdb": clean_wfdb,
    "edf": clean_edf,
    "csv": clean_table,
}
