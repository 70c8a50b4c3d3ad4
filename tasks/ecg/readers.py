"""Recordings as files, read into millivolts: WFDB, EDF and tables. Samples are decoded here, within bounds.

The decoders are our own, a few lines of numpy for each format: strict headers are parsed once, nothing but the files
given is ever opened, and no sample format of them can run code. The tests hold them to wfdb's and EDFlib's answers.
"""

import math
from array import array
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from tasks import uploads
from tasks.ecg import edf_header, headers, limits, table, wfdb_samples
from tasks.ecg.recording import Recording, Signal, Source
from tasks.ecg.wfdb_header import WfdbSignal
from tasks.ecg.wfdb_samples import Steps
from tasks.errors import JobError
from tasks.uploads import IncomingFile

PREFERRED = ("MLII", "II", "I", "V5", "V2")
_MOST_MISSING = 0.5
_DEFAULT_GAIN = 200.0
_BLOCK = 30_000
_PLAUSIBLE_MV = (0.15, 20.0)
_GUESS = "The file does not say how many millivolts its numbers are; heights are a guess and mean nothing."


def read_files(paths: Sequence[Path], sampling_rate: float | None) -> Recording:
    """Read a recording that is no picture.

    Args:
        paths: an EDF file, a table, or a `.hea` with its signal files; told apart by content.
        sampling_rate: samples a second, for a table that does not tell it.

    Returns:
        All leads of the highest sampling rate, each 1-D float32 in mV, gaps bridged and told in `notes`.

    Raises:
        JobError: they cannot be read; the sentence says why and what to do.
    """
    files = [uploads.receive(path, path.name) for path in paths]
    kinds = {file.media_type for file in files}
    if uploads.WFDB_HEADER in kinds:
        return _read_wfdb(files)
    if len(files) != 1 or not kinds & {uploads.EDF, uploads.CSV}:
        raise JobError(
            "This is no recording that is read here; choose an EDF or CSV file, or a WFDB .hea and its .dat."
        )
    return read_edf(paths[0]) if uploads.EDF in kinds else read_csv(paths[0], sampling_rate)


def read_wfdb(paths: Sequence[Path]) -> Recording:
    """Read one WFDB record from its `.hea` and signal files; see `read_files`."""
    files = [uploads.receive(path, path.name) for path in paths]
    if not any(file.media_type == uploads.WFDB_HEADER for file in files):
        raise JobError("There is no WFDB header among these files; choose the .hea as well.")
    return _read_wfdb(files)


def read_edf(path: Path) -> Recording:
    """Read the ECG channels of an EDF or EDF+ file; see `read_files`."""
    header = headers.read_edf_header(path)
    found = edf_header.ecg_signals(header)
    rate = max(header.rate(signal) for signal in found)
    chosen = [signal for signal in found if header.rate(signal) == rate]
    limits.check_extent(rate, chosen[0].each * header.records, len(chosen))
    shape = (header.records, header.record_bytes // 2)
    samples = np.memmap(path, np.dtype("<i2"), "r", offset=header.size, shape=shape)
    leads: dict[str, Signal] = {}
    for signal in chosen:
        name = limits.unique(signal.lead or "unknown", leads)
        leads[name] = _edf_millivolts(samples[:, signal.at : signal.at + signal.each], signal)
    return _recording(rate, leads, "edf", notes=_left_out(len(found) - len(chosen)))


def read_csv(path: Path, rate: float | None) -> Recording:
    """Read a table of numbers, `rate` samples a second unless it tells that itself; see `read_files`."""
    layout = table.detect(headers.read_head(path))
    rate = table.settle_rate(layout, rate)
    width = len(layout.leads)
    cells = array("f")
    for values in table.rows(headers.read_lines(path), layout):
        cells.extend(values)
        if len(cells) > limits.MAX_SAMPLES:
            break
    numbers = np.frombuffer(cells, np.float32).reshape(-1, width)
    limits.check_extent(rate, len(numbers), width)
    columns = {lead.name: numbers[:, i] * np.float32(lead.scale or 1.0) for i, lead in enumerate(layout.leads)}
    told = all(lead.scale for lead in layout.leads)
    return _recording(rate, columns, "csv", calibrated=told)


def pick_lead(recording: Recording) -> str:
    """The lead that is read: MLII or II, where the network learned, else the next best, else the first."""
    by_name = {name.upper(): name for name in recording.leads}
    return next((by_name[name] for name in PREFERRED if name in by_name), next(iter(recording.leads)))


def _read_wfdb(files: Sequence[IncomingFile]) -> Recording:
    header, paths, frames = headers.read_wfdb_header(files)
    found = [signal for signal in header.signals if signal.lead]
    if not found:
        raise JobError("There is no ECG signal in this WFDB record; choose one with an ECG in millivolts.")
    each = max(signal.each for signal in found)
    chosen = [signal for signal in found if signal.each == each]
    rate = header.rate * each
    limits.check_extent(rate, frames * each, len(chosen))
    decoded = {id(signal): np.empty(frames * each, np.float32) for signal in chosen}
    for name, path in paths.items():
        _decode_file(header.group(name), path, frames, decoded)
    leads: dict[str, Signal] = {}
    for signal in chosen:
        leads[limits.unique(signal.lead or "unknown", leads)] = _in_step(signal, decoded[id(signal)])
    told = all(signal.gain for signal in chosen)
    return _recording(rate, leads, "wfdb", calibrated=told, notes=_left_out(len(found) - len(chosen)))


def _decode_file(group: Sequence[WfdbSignal], path: Path, frames: int, into: Mapping[int, Signal]) -> None:
    """Decode the signals interleaved in one file, block by block, those with a place in `into`."""
    width = sum(signal.each for signal in group)
    kind, size = group[0].format, wfdb_samples.BYTES[group[0].format]
    if frames * width > 2 * limits.MAX_SAMPLES:
        raise JobError("The recording holds more samples than are read; export a part of it.")
    # Six samples are whole bytes in every format, so each block begins on one.
    block = 6 * max(1, _BLOCK // width)
    for first in range(0, frames, block):
        count = min(block, frames - first) * width
        at = group[0].offset + round(first * width * size)
        raw = np.fromfile(path, np.uint8, count=math.ceil(count * size) + 4, offset=at)
        framed = wfdb_samples.decode(raw, kind, count).reshape(-1, width)
        start = 0
        for signal in group:
            if id(signal) in into:
                place = into[id(signal)][first * signal.each : (first + len(framed)) * signal.each]
                place[:] = _wfdb_millivolts(signal, framed[:, start : start + signal.each].reshape(-1))
            start += signal.each


def _wfdb_millivolts(signal: WfdbSignal, steps: Steps) -> Signal:
    scale = (limits.millivolts(signal.units) or 1.0) / (signal.gain or _DEFAULT_GAIN)
    values = ((steps - np.float64(signal.baseline)) * scale).astype(np.float32)
    values[steps == wfdb_samples.INVALID[signal.format]] = np.nan
    return values


def _in_step(signal: WfdbSignal, values: Signal) -> Signal:
    """The signal moved forward by its skew, so that all leads show one moment."""
    lag = min(signal.skew * signal.each, len(values))
    return np.concatenate([values[lag:], np.full(lag, np.nan, np.float32)]) if lag else values


def _edf_millivolts(steps: NDArray[np.int16], signal: edf_header.EdfSignal) -> Signal:
    unit = limits.millivolts(signal.units) or 1.0
    slope = (signal.high - signal.low) / (signal.dhigh - signal.dlow)
    # Sixteen bits fit into float32 exactly; twice the memory would gain nothing.
    values = steps.reshape(-1).astype(np.float32)
    values *= np.float32(slope * unit)
    values += np.float32((signal.low - signal.dlow * slope) * unit)
    return cast(Signal, values)


def _recording(
    rate: float, leads: Mapping[str, Signal], source: Source, calibrated: bool = True, notes: Sequence[str] = ()
) -> Recording:
    whole: dict[str, Signal] = {}
    said = list(notes)
    for name, values in leads.items():
        missing = float(np.mean(~np.isfinite(values)))
        if missing > _MOST_MISSING:
            said.append(f"Lead {name} is left out: {missing:.0%} of it is missing.")
            continue
        if missing:
            said.append(
                f"Lead {name} has gaps of {missing * len(values) / rate:.1f} s in all; they are bridged by lines."
            )
        whole[name] = _bridged(values)
    if not whole:
        raise JobError("Nothing but gaps was found in this recording; export it again.")
    if not calibrated:
        whole = {name: _guessed(values) for name, values in whole.items()}
        said.append(_GUESS)
    return Recording(rate, whole, source, calibrated, tuple(said))


def _bridged(values: Signal) -> Signal:
    known = np.isfinite(values)
    if known.all():
        return np.ascontiguousarray(values, np.float32)
    places = np.arange(len(values))
    return np.interp(places, places[known], values[known]).astype(np.float32)


def _guessed(values: Signal) -> Signal:
    """Numbers of unknown unit as they are if they could be millivolts, else with a usual ECG's height."""
    low, middle, high = np.percentile(values, [0.1, 50, 99.9])
    height = float(high - low)
    if height == 0 or _PLAUSIBLE_MV[0] <= height <= _PLAUSIBLE_MV[1]:
        return values
    return cast(Signal, ((values - middle) * (1.5 / height)).astype(np.float32))


def _left_out(count: int) -> list[str]:
    return [f"{count} slower ECG channels are left out; those of the highest sampling rate are read."] if count else []
