"""The header of a WFDB record, read by strict rules and written again from what was understood.

Grammar: WFDB header(5), https://physionet.org/physiotools/wag/header-5.htm. Single-segment records only.
"""

import math
import re
from dataclasses import dataclass

from tasks.ecg.limits import MAX_RATE, lead_name, millivolts
from tasks.errors import JobError

MAX_HEADER = 65_536
LONGEST_LINE = 500
BITS = {"16": 16, "24": 24, "32": 32, "61": 16, "80": 8, "160": 16, "212": 12, "310": 32 / 3, "311": 32 / 3}
_RECORD = re.compile(
    r"(?P<name>\S+)\s+(?P<signals>\d{1,3})(\s+(?P<rate>[\d.eE+-]+)(/\S*)?(\s+(?P<frames>\d{1,12})(\s.*)?)?)?"
)
_SIGNAL = re.compile(
    r"(?P<file>\S+)\s+(?P<format>\d{1,4})(x(?P<each>\d{1,4}))?(:(?P<skew>\d{1,9}))?(\+(?P<offset>\d{1,9}))?"
    r"(\s+(?P<gain>[\d.eE+-]+)(\((?P<baseline>-?\d{1,10})\))?(/(?P<units>\S+))?"
    r"(\s+(?P<resolution>-?\d+)(\s+(?P<zero>-?\d{1,10})(\s+-?\d+(\s+-?\d+(\s+\d+(\s+(?P<label>.+))?)?)?)?)?)?)?\s*"
)
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
_DEFAULT_RATE, _DEFAULT_GAIN = 250.0, 200.0
_LEAST_RATE = 1e-3  # below, a length in seconds is no number any more
# Sensors that are no ECG though some give volts.
_NOT_ECG = re.compile(
    r"resp|pleth|abp|art|pap|cvp|eeg|emg|eog|pcg|ppg|acc|bcg|scg|press|flow|temp|spo2|imp|bp", re.IGNORECASE
)


@dataclass(frozen=True)
class WfdbSignal:
    """One signal of a record: where its samples lie and what they mean.

    Attributes:
        file: plain base name of the signal file.
        format: one of `BITS`.
        each: samples in a frame.
        skew: frames by which this signal lags.
        offset: bytes before the first sample in the file.
        gain: digital steps for each unit; None when it was never calibrated.
        baseline: the digital value of zero.
        units: such as "mV".
        label: what the header calls the signal.
    """

    file: str
    format: str
    each: int
    skew: int
    offset: int
    gain: float | None
    baseline: int
    units: str
    label: str

    @property
    def lead(self) -> str | None:
        """The lead's name; None when this is no ECG."""
        if millivolts(self.units) is None or _NOT_ECG.search(self.label):
            return None
        return lead_name(self.label) or "unknown"


@dataclass(frozen=True)
class WfdbHeader:
    """A record: `rate` frames a second, `frames` of them (0 when the header does not say), its signals in order."""

    rate: float
    frames: int
    signals: tuple[WfdbSignal, ...]

    @property
    def files(self) -> tuple[str, ...]:
        """The signal files, each once, in order."""
        return tuple(dict.fromkeys(signal.file for signal in self.signals))

    def frames_in(self, sizes: dict[str, int]) -> int:
        """How many whole frames the signal files hold, given their sizes in bytes.

        Raises:
            JobError: a signal file is missing, or shorter than the header says.
        """
        missing = sum(file not in sizes for file in self.files)
        if missing:
            raise JobError("A signal file that the header names is missing; choose the .hea and its .dat together.")
        held = min(self._frames_of(file, sizes[file]) for file in self.files)
        if held < 1 or held < self.frames:
            raise JobError("The signal file is shorter than its header says; copy both files again, whole.")
        return self.frames or held

    def _frames_of(self, file: str, size: int) -> int:
        group = self.group(file)
        bits = BITS[group[0].format] * sum(signal.each for signal in group)
        return math.floor((size - group[0].offset) * 8 / bits + 1e-9)

    def group(self, file: str) -> list[WfdbSignal]:
        """The signals that are interleaved in one file."""
        return [signal for signal in self.signals if signal.file == file]


def parse_header(data: bytes) -> WfdbHeader:
    """Read a header.

    Raises:
        JobError: it is damaged, of several segments, in a format that is not read, names a file outside its folder,
            or claims impossible numbers.
    """
    lines = [line.strip() for line in data[:MAX_HEADER].decode("latin-1").splitlines()]
    lines = [line[:LONGEST_LINE] for line in lines if line and not line.startswith("#")]
    record = _RECORD.fullmatch(lines[0]) if lines else None
    if record is None or len(data) > MAX_HEADER:
        raise JobError("The .hea file is not a WFDB header; export the recording again.")
    if "/" in record["name"]:
        raise JobError("This WFDB record is made of several segments; join them into one and choose that.")
    count = int(record["signals"])
    if count < 1 or len(lines) < count + 1:
        raise JobError("The WFDB header lists fewer signals than it says; copy it again, whole.")
    signals = tuple(_parse_signal(line) for line in lines[1 : count + 1])
    header = WfdbHeader(_rate(record["rate"]), int(record["frames"] or 0), signals)
    _check_groups(header)
    return header


def format_header(header: WfdbHeader) -> str:
    """The header in canonical words: nothing that a person wrote, no date, no comment; only lead names remain."""
    lines = [f"record {len(header.signals)} {header.rate:.10g} {header.frames}"]
    for signal in header.signals:
        place = f"{signal.file} {signal.format}x{signal.each}:{signal.skew}+{signal.offset}"
        gain = f"{signal.gain or 0:.10g}({signal.baseline})/{signal.units}"
        lines.append(f"{place} {gain} 0 0 0 0 0 {signal.label}")
    return "\n".join(lines) + "\n"


def _parse_signal(line: str) -> WfdbSignal:
    found = _SIGNAL.fullmatch(line)
    if found is None:
        raise JobError("The WFDB header has a signal line that cannot be understood; export the recording again.")
    if not _PLAIN_NAME.fullmatch(found["file"]):
        raise JobError("The WFDB header names a signal file outside its folder; name the .dat that lies beside it.")
    if found["format"] not in BITS:
        known = ", ".join(BITS)
        raise JobError(f"WFDB signal format {found['format']} is not read (only {known}); convert it to format 16.")
    gain = _number(found["gain"], "gain")
    if not (gain == 0 or 1e-6 <= abs(gain) <= 1e12):
        raise JobError("The WFDB header has a gain that cannot be; correct it and choose the files again.")
    each, skew = int(found["each"] or 1), int(found["skew"] or 0)
    if not 1 <= each <= 256 or skew > MAX_RATE:
        raise JobError("The WFDB header has a frame size or skew that cannot be; export the recording again.")
    return WfdbSignal(
        file=found["file"],
        format=found["format"],
        each=each,
        skew=skew,
        offset=int(found["offset"] or 0),
        gain=gain or None,
        baseline=int(found["baseline"] or found["zero"] or 0),
        units=found["units"] or "mV",
        label=(found["label"] or "").strip(),
    )


def _rate(text: str | None) -> float:
    rate = _number(text, "sampling rate") or _DEFAULT_RATE
    if rate < _LEAST_RATE:
        raise JobError(
            "The WFDB header has a negative or vanishing sampling rate; correct it and choose the files again."
        )
    return rate


def _number(text: str | None, what: str) -> float:
    try:
        value = float(text or 0)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise JobError(f"The WFDB header has a {what} that is no number; correct it and choose the files again.")
    return value


def _check_groups(header: WfdbHeader) -> None:
    for file in header.files:
        group = header.group(file)
        if len({(signal.format, signal.offset) for signal in group}) > 1:
            raise JobError("The WFDB header mixes formats within one signal file; export the recording again.")
