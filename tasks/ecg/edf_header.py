"""The header of an EDF or EDF+ file (Kemp 1992, Kemp and Olivan 2003), read by strict rules.

https://www.edfplus.info/specs/edf.html and edfplus.html
"""

import math
import re
from dataclasses import dataclass

from tasks.ecg.limits import lead_name, millivolts
from tasks.errors import JobError

MAX_SIGNALS = 256
MAX_RECORDS = 100_000
FIXED = 256
_WIDTHS = {
    "label": 16,
    "transducer": 80,
    "units": 8,
    "low": 8,
    "high": 8,
    "dlow": 8,
    "dhigh": 8,
    "filter": 80,
    "each": 8,
}
ANNOTATIONS = "EDF Annotations"
_DAMAGED = "The EDF header is damaged; export the recording again."
# The standard kinds of signal of EDF+; any other word in a label could be a person's name and is not repeated.
_KINDS = re.compile(
    r"\b(EEG|ECG|EKG|EOG|ERG|EMG|MEG|MCG|EP|Temp|Resp|Flow|Airflow|SaO2|SpO2|OSAT|Light|Sound|Event|Pleth|Pulse|HR|BP|Pos|Pressure)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class EdfSignal:
    """One signal: `each` samples from sample `at` of a data record, `dlow`..`dhigh` for `low`..`high` in `units`."""

    label: str
    units: str
    low: float
    high: float
    dlow: float
    dhigh: float
    each: int
    at: int

    @property
    def is_annotations(self) -> bool:
        """Whether it holds text, not samples."""
        return self.label == ANNOTATIONS

    @property
    def lead(self) -> str | None:
        """The lead's name; None when this is no ECG in volts."""
        return None if self.is_annotations or millivolts(self.units) is None else lead_name(self.label)

    @property
    def safe_label(self) -> str:
        """What may be shown and kept of the label: the lead, else the standard kind of signal, else "other"."""
        kind = _KINDS.search(self.label)
        return ANNOTATIONS if self.is_annotations else self.lead or (kind[0] if kind else "other")


@dataclass(frozen=True)
class EdfHeader:
    """A file: `records` data records of `seconds` each behind a header of `size` bytes."""

    size: int
    records: int
    seconds: float
    signals: tuple[EdfSignal, ...]

    @property
    def record_bytes(self) -> int:
        """Bytes of one data record."""
        return 2 * sum(signal.each for signal in self.signals)

    def rate(self, signal: EdfSignal) -> float:
        """Samples a second of one signal."""
        return signal.each / self.seconds


def header_size(data: bytes) -> int:
    """Bytes of the whole header, told by its first 256.

    Raises:
        JobError: this is no EDF header.
    """
    size = _integer(data[184:192])
    count = _integer(data[252:256])
    if len(data) < FIXED or not data.startswith(b"0       ") or not 1 <= count <= MAX_SIGNALS:
        raise JobError(_DAMAGED)
    if size != FIXED * (count + 1):
        raise JobError(_DAMAGED)
    return size


def parse_header(data: bytes, file_size: int) -> EdfHeader:
    """Read a header and hold it against the size of its file.

    Args:
        data: at least the whole header.
        file_size: bytes of the file.

    Raises:
        JobError: it is damaged, has gaps (EDF+D), claims impossible numbers or more data than there is.
    """
    size = header_size(data)
    if len(data) < size:
        raise JobError("The EDF file ends within its header; copy it again, whole.")
    if data[192:197] == b"EDF+D":
        raise JobError("This EDF+ recording has gaps (EDF+D); export a continuous part of it.")
    seconds = _number(data[244:252])
    signals = _parse_signals(data[FIXED:size], size // FIXED - 1)
    if not 1e-3 <= seconds <= 3600:
        raise JobError(_DAMAGED)
    header = EdfHeader(size, 0, seconds, signals)
    held = (file_size - size) // header.record_bytes
    claimed = _integer(data[236:244])
    if held > MAX_RECORDS:
        raise JobError("This EDF file is cut into very many records; export it with records of one second.")
    if held < 1 or claimed > held or claimed == 0 or claimed < -1:
        raise JobError("The EDF file is shorter than its header says; copy it again, whole.")
    return EdfHeader(size, held if claimed == -1 else claimed, seconds, signals)


def ecg_signals(header: EdfHeader) -> list[EdfSignal]:
    """The ECG channels, at least one.

    Raises:
        JobError: there is none; it names the kinds of channels that were found, and nothing that could be personal.
    """
    found = [signal for signal in header.signals if signal.lead]
    if not found:
        kinds = ", ".join(sorted({signal.safe_label for signal in header.signals if not signal.is_annotations}))
        raise JobError(
            f"There is no ECG channel in this EDF file (channels found: {kinds or 'none'}); choose a recording with "
            "an ECG in volts, or name its channel ECG."
        )
    return found


def field_offsets(count: int) -> dict[str, tuple[int, int]]:
    """Where each column of the signal headers begins in the file and how wide one cell is, for `count` signals."""
    at, offsets = FIXED, {}
    for name, width in (*_WIDTHS.items(), ("reserved", 32)):
        offsets[name] = (at, width)
        at += width * count
    return offsets


def _parse_signals(data: bytes, count: int) -> tuple[EdfSignal, ...]:
    columns = {
        name: [data[at - FIXED + i * width : at - FIXED + (i + 1) * width] for i in range(count)]
        for name, (at, width) in field_offsets(count).items()
    }
    signals: list[EdfSignal] = []
    for i in range(count):
        at = sum(signal.each for signal in signals)
        signals.append(_parse_signal({name: cells[i] for name, cells in columns.items()}, at))
    return tuple(signals)


def _parse_signal(cells: dict[str, bytes], at: int) -> EdfSignal:
    label, each = cells["label"].decode("latin-1").strip(), _integer(cells["each"])
    low, high, dlow, dhigh = (_number(cells[name]) for name in ("low", "high", "dlow", "dhigh"))
    if not 1 <= each <= 10_000_000 or (label != ANNOTATIONS and (dlow == dhigh or low == high)):
        raise JobError(_DAMAGED)
    return EdfSignal(label, cells["units"].decode("latin-1").strip(), low, high, dlow, dhigh, each, at)


def _number(cell: bytes) -> float:
    try:
        value = float(cell.decode("ascii").strip().replace(",", "."))
    except (ValueError, UnicodeDecodeError):
        raise JobError(_DAMAGED) from None
    if not math.isfinite(value):
        raise JobError(_DAMAGED)
    return value


def _integer(cell: bytes) -> int:
    value = _number(cell)
    if value != int(value):
        raise JobError(_DAMAGED)
    return int(value)
