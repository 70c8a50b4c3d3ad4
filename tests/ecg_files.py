"""Small ECG files and pictures for the tests: a synthetic signal, and writers that can lie."""

import io
import struct
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tasks import uploads
from tasks.uploads import IncomingFile

RATE = 250.0


def heart(seconds: float = 10.0, rate: float = RATE) -> NDArray[np.float64]:
    """A QRS of 1 mV each second on a T wave, enough to be read; in mV."""
    phase = np.arange(round(seconds * rate)) / rate % 1.0
    return np.exp(-(((phase - 0.4) / 0.02) ** 2)) + 0.2 * np.exp(-(((phase - 0.65) / 0.06) ** 2))


def incoming(folder: Path, name: str, data: bytes) -> IncomingFile:
    """`data` as an upload called `name`."""
    path = folder / f"upload{len(list(folder.iterdir()))}"
    path.write_bytes(data)
    return uploads.receive(path, name)


def wfdb_files(folder: Path, header: str, signals: Mapping[str, bytes]) -> list[IncomingFile]:
    """A header and its signal files as uploads."""
    files = [incoming(folder, "record.hea", header.encode("latin-1"))]
    return files + [incoming(folder, name, data) for name, data in signals.items()]


def wfdb_record(seconds: float = 10.0) -> tuple[str, bytes]:
    """Header and samples of one lead in format 16."""
    samples = (heart(seconds) * 200).astype("<i2").tobytes()
    return f"record 1 {RATE:g} {len(samples) // 2}\nrecord.dat 16 200/mV 12 0 0 0 0 II\n# Jane Doe, 54, F\n", samples


def edf(
    labels: Sequence[str] = ("ECG II",),
    seconds: int = 10,
    units: str = "mV",
    reserved: str = "",
    notes: bytes | None = None,
    records: int | None = None,
) -> bytes:
    """An EDF file of one-second records; with `notes`, an annotation signal of EDF+ that holds them in each record."""
    all_labels = [*labels, "EDF Annotations"] if notes is not None else list(labels)
    count, each = len(all_labels), [int(RATE)] * len(labels) + ([40] if notes is not None else [])
    fixed = f"{'0':<8}{'MCH-7 F 02-MAY-1951 Jane_Doe':<80}{'Startdate 02-MAR-2002 Dr_Who':<80}02.03.0211.12.13"
    fixed += f"{256 * (count + 1):<8}{reserved:<44}{seconds if records is None else records:<8}{1:<8}{count:<4}"
    columns = [(16, all_labels), (80, ["Jane's electrode"] * count), (8, [units] * count), (8, ["-5"] * count)]
    reach = [32768 if label == "EDF Annotations" else 5000 for label in all_labels]
    columns += [(8, ["5"] * count), (8, [str(-n) for n in reach]), (8, [str(min(n, 32767)) for n in reach])]
    columns += [(80, ["by Dr Who"] * count)]
    columns += [(8, [str(n) for n in each]), (32, [""] * count)]
    header = fixed + "".join(f"{cell:<{width}}" for width, cells in columns for cell in cells)
    samples = np.rint(heart(seconds) * 1000).astype("<i2").reshape(seconds, -1)
    body = b""
    for second in range(seconds):
        body += samples[second].tobytes() * len(labels)
        if notes is not None:
            body += (f"+{second}".encode() + b"\x14\x14\0" + notes).ljust(80, b"\0")
    return header.encode("latin-1") + body


def picture(kind: str = "PNG", size: tuple[int, int] = (60, 40), **options: object) -> bytes:
    """A picture with something in it."""
    image = Image.effect_noise(size, 40).convert("RGB")
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def png_chunk(name: bytes, data: bytes) -> bytes:
    """One chunk of a PNG with its checksum."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def huge_png(width: int = 30_000, height: int = 30_000) -> bytes:
    """A small file that says it is a huge picture."""
    head = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + png_chunk(b"IDAT", zlib.compress(b"\0" * 99)) + png_chunk(b"IEND", b"")


def archive(members: Mapping[str, bytes], packing: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip of `members` by name, whatever the names are."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", packing) as packed:
        for name, data in members.items():
            packed.writestr(zipfile.ZipInfo(name) if name.startswith("link") else name, data)
    return out.getvalue()
