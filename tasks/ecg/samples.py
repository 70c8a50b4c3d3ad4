"""Makes the samples that people try with one click: `python -m tasks.ecg.samples` writes them anew, always the same."""

import io
import json
import zipfile
from datetime import datetime
from pathlib import Path
from typing import TypedDict

import cv2
import numpy as np
import pyedflib

from tasks.ecg.recording import Recording
from tasks.ecg.render import Image, photograph, render_beat, render_page, render_strip
from tasks.ecg.simulator import simulate

FOLDER = Path(__file__).parent / "sample"
CSV_RATE = 250
WFDB_GAIN = 1000  # counts a mV


class Sample(TypedDict):
    """One entry of samples.json: what the form offers, its files and the further fields they need."""

    title: str
    description: str
    files: list[str]
    params: dict[str, float | str]


def make_samples(folder: Path) -> None:
    """Writes every sample and samples.json into a folder."""
    samples = [*_pictures(folder), *_recordings(folder)]
    (folder / "samples.json").write_text(json.dumps(samples, indent=2) + "\n", encoding="utf-8")


def _pictures(folder: Path) -> list[Sample]:
    page = simulate(10, heart_rate=66, seed=11).recording
    _save(folder / "page.png", render_page(page, dpi=150))
    strip = simulate(10, heart_rate=72, rhythm="premature ventricular", seed=5)
    _save(folder / "strip.png", render_strip(strip.recording))
    ill = simulate(10, heart_rate=84, rhythm="fibrillation", seed=8).recording
    _save(folder / "photo.jpg", photograph(render_page(ill, dpi=150), seed=3))
    peak = round(strip.times_s[strip.labels.index("V")] * strip.recording.rate)
    _save(folder / "beat.png", render_beat(strip.recording.leads["II"], peak, "SIMULATED"))
    return [
        _sample("A paper page", "Twelve leads and a rhythm strip, steady at about 66 beats a minute.", "page.png"),
        _sample("A strip with premature beats", "Ten seconds of lead II with ventricular beats.", "strip.png"),
        _sample("A phone photo of a page", "Tilted, in perspective and shaded; the rhythm is irregular.", "photo.jpg"),
        _sample("One beat", "A ventricular beat as student projects plot it, without axes.", "beat.png"),
    ]


def _recordings(folder: Path) -> list[Sample]:
    minute = simulate(60, heart_rate=72, rhythm="premature ventricular", leads=("MLII", "V1"), seed=21).recording
    (folder / "recording.zip").write_bytes(_wfdb(minute))
    _edf(
        folder / "recording.edf",
        simulate(30, rate=256, rhythm="premature atrial", leads=("II", "V5"), seed=22).recording,
    )
    table = simulate(30, rate=CSV_RATE, heart_rate=58, leads=("II",), seed=23).recording
    name = f"recording-{CSV_RATE}hz.csv"
    np.savetxt(folder / name, table.leads["II"], fmt="%.3f", header="II", comments="")
    return [
        _sample("A WFDB recording", "A minute of MLII and V1 with ventricular beats, zipped.", "recording.zip"),
        _sample("An EDF recording", "Half a minute of II and V5 with atrial beats.", "recording.edf"),
        _sample("A CSV table", f"Half a minute of lead II in mV at {CSV_RATE} Hz.", name, sampling_rate=CSV_RATE),
    ]


def _sample(title: str, description: str, file: str, **params: float) -> Sample:
    return {"title": f"{title} (simulated)", "description": description, "files": [file], "params": dict(params)}


def _save(path: Path, image: Image) -> None:
    options = [cv2.IMWRITE_PNG_COMPRESSION, 9] if path.suffix == ".png" else [cv2.IMWRITE_JPEG_QUALITY, 80]
    _, data = cv2.imencode(path.suffix, image, options)
    path.write_bytes(data.tobytes())


def _wfdb(recording: Recording) -> bytes:
    """The recording's .hea and .dat in a zip whose bytes do not depend on the time of day."""
    counts = {name: np.rint(signal * WFDB_GAIN).astype("<i2") for name, signal in recording.leads.items()}
    size = len(next(iter(counts.values())))
    lines = [f"simulated {len(counts)} {recording.rate:g} {size}"]
    for name, signal in counts.items():
        checksum = np.sum(signal, dtype=np.int16)
        lines.append(f"simulated.dat 16 {WFDB_GAIN}/mV 16 0 {signal[0]} {checksum} 0 {name}")
    lines.append("# Simulated: this is nobody's heart.")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        header, data = "\n".join(lines) + "\n", np.column_stack(list(counts.values())).tobytes()
        for name, content in (("simulated.hea", header.encode("ascii")), ("simulated.dat", data)):
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def _edf(path: Path, recording: Recording) -> None:
    with pyedflib.EdfWriter(str(path), len(recording.leads), file_type=pyedflib.FILETYPE_EDFPLUS) as writer:
        writer.setStartdatetime(datetime(2000, 1, 1))  # noqa: DTZ001 - EDF has no time zones
        writer.setPatientName("Simulated")
        for channel, name in enumerate(recording.leads):
            writer.setSignalHeader(
                channel,
                {"label": f"ECG {name}", "dimension": "mV", "sample_frequency": recording.rate, "physical_max": 5.0,
                 "physical_min": -5.0, "digital_max": 32767, "digital_min": -32768, "transducer": "", "prefilter": ""},
            )  # fmt: skip
        writer.writeSamples([signal.astype(np.float64) for signal in recording.leads.values()])


if __name__ == "__main__":
    make_samples(FOLDER)
