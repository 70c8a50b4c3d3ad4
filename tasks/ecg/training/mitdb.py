"""The MIT-BIH Arrhythmia Database (Moody and Mark 2001), and de Chazal's split of its people."""

import os
import shutil
import tarfile
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

import numpy as np

from tasks.ecg.beats import Peaks, Signal

DS1 = "101 106 108 109 112 114 115 116 118 119 122 124 201 203 205 207 208 209 215 220 223 230".split()  # noqa: SIM905
DS2 = "100 103 105 111 113 117 121 123 200 202 210 212 213 214 219 221 222 228 231 232 233 234".split()  # noqa: SIM905
PACED = ["102", "104", "107", "217"]
PACED_TRAINED = ["102", "107"]
BEAT_SYMBOLS = frozenset("NLRBAaJSVrFejnE/fQ!")

_LARGEST_BYTES = 400_000_000
_MOST_FILES = 1_000


class DataMissing(Exception):
    """The database is not where it was looked for; the message says where to get it."""


@dataclass(frozen=True)
class Record:
    """One lead of one record: mV at `rate` Hz, and the beats annotated by two cardiologists."""

    name: str
    rate: float
    signal: Signal
    peaks: Peaks
    symbols: list[str]


def place() -> Path:
    """MITDB from the environment, or the archive beside the repository."""
    beside = Path(__file__).parents[3].parent / "shared/data/ecg/mitdb.tar.xz"
    return Path(os.environ.get("MITDB") or beside)


@contextmanager
def unpacked(source: Path) -> Iterator[Path]:
    """The folder that holds 100.hea: `source` itself, or an archive unpacked for as long as the context lasts.

    Raises:
        DataMissing: neither is there.
    """
    if source.is_dir():
        yield _folder(source)
    elif source.is_file():
        with tempfile.TemporaryDirectory() as into:
            _unpack(source, Path(into))
            yield _folder(Path(into))
    else:
        raise DataMissing(
            f"No database at {source}: download the MIT-BIH Arrhythmia Database 1.0.0 from PhysioNet "
            "(physionet.org/content/mitdb/1.0.0) and name the archive or its folder with MITDB=."
        )


def load(folder: Path, name: str, second_lead: bool = False) -> Record:
    """Read one record; the lead is MLII by name (the first where there is none), or the other one."""
    found, notes = _read(str(folder / name))
    first = found.sig_name.index("MLII") if "MLII" in found.sig_name else 0
    signal = found.p_signal[:, 1 - first if second_lead else first].astype(np.float32)
    beats = [i for i, symbol in enumerate(notes.symbol) if symbol in BEAT_SYMBOLS]
    peaks = np.asarray(notes.sample, np.int64)[beats]
    return Record(name, float(found.fs), signal, peaks, [notes.symbol[i] for i in beats])


def _read(path: str) -> tuple[Any, Any]:
    # wfdb asks pandas for something deprecated, and our tests take warnings for errors
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import wfdb

        return wfdb.rdrecord(path), wfdb.rdann(path, "atr")


def _unpack(archive: Path, into: Path) -> None:
    with tarfile.open(archive) as tar:
        members = [member for member in tar.getmembers() if member.isfile()]
        if len(members) > _MOST_FILES or sum(member.size for member in members) > _LARGEST_BYTES:
            raise DataMissing(f"{archive} is not the MIT-BIH database: it holds too much.")
        for member in members:  # by base name, so that no name leads out of the folder (Python 3.11.2 has no filters)
            with (
                cast(IO[bytes], tar.extractfile(member)) as source,
                (into / Path(member.name).name).open("wb") as target,
            ):
                shutil.copyfileobj(source, target)


def _folder(root: Path) -> Path:
    header = next(iter(sorted(root.rglob("100.hea"))), None)
    if header is None:
        raise DataMissing(f"{root} holds no record 100 of the MIT-BIH Arrhythmia Database.")
    return header.parent
