"""One reading of an ECG, from files to everything that is said about them. Pure: paths and arrays in, a Reading out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Literal, Protocol

import numpy as np

from tasks import uploads
from tasks.ecg import classify, readers, rhythm
from tasks.ecg.labels import NAMES
from tasks.ecg.quality import Quality, assess_quality
from tasks.ecg.recording import Recording, Signal
from tasks.errors import JobError

PictureKind = Literal["auto", "page", "strip", "beat"]
SHORTEST_S = 2.0
SPECTROGRAM_S, SPECTROGRAM_HZ = 1.0, 42.0
NOT_ASSESSED = (
    "Only the beats of one lead are named. ST segments, T waves, QT times, the heart's axis, infarction, "
    "atrial fibrillation and flutter as rhythms, and everything that needs several leads are not assessed.",
    "That nothing unusual is named here does not mean that nothing is there.",
)
NO_CONTEXT = "One beat alone shows neither rate nor rhythm, and whether it came early cannot be seen."


class Asked(Protocol):
    """The part of the params that tells how to take the files."""

    @property
    def sampling_rate(self) -> float | None: ...
    @property
    def picture(self) -> PictureKind: ...
    @property
    def paper_speed(self) -> str: ...
    @property
    def paper_gain(self) -> str: ...
    @property
    def seconds(self) -> float | None: ...


@dataclass(frozen=True)
class Reading:
    """What was found in one lead.

    Attributes:
        recording: all leads.
        lead: the name of the one that was read.
        beats: classified, in the order of time.
        rhythm, quality: as `describe_rhythm` and `assess_quality` tell them.
    """

    recording: Recording
    lead: str
    beats: Sequence[classify.Beat]
    rhythm: rhythm.Rhythm
    quality: Quality

    @property
    def signal(self) -> Signal:
        return self.recording.leads[self.lead]

    @property
    def rate(self) -> float:
        return self.recording.rate

    @property
    def seconds(self) -> float:
        return len(self.signal) / self.rate

    @property
    def model(self) -> classify.Model:
        return classify.MODEL

    @property
    def limits(self) -> tuple[str, ...]:
        """What the network was measured to do on recordings kept out of its training."""
        return limits_of(self.model)

    @property
    def not_assessed(self) -> tuple[str, ...]:
        return (*NOT_ASSESSED, NO_CONTEXT) if self.recording.source == "beat" else NOT_ASSESSED

    @property
    def unread(self) -> tuple[str, ...]:
        """What could not be read and why, of the files and of the signal."""
        unsure = sum(beat.label == classify.UNSURE for beat in self.beats)
        said = (*self.recording.notes, *self.quality.notes)
        if not self.beats:
            return (*said, "No heartbeat was found in this signal.")
        return (
            (*said, f"{unsure} of {len(self.beats)} beats are unclassified: the network is not sure.")
            if unsure
            else said
        )

    def strip_png(self) -> bytes:
        """The strip with every beat marked."""
        from tasks.ecg.drawing import draw_strip

        return draw_strip(
            self.signal, self.rate, self.beats, lead=self.lead, calibrated=self.recording.calibrated
        )  # fmt: skip

    @cached_property
    def typical(self) -> dict[str, classify.Beat]:
        """For each class the beat that the network is surest of."""
        best: dict[str, classify.Beat] = {}
        for beat in self.beats:
            if beat.label not in best or beat.certainty > best[beat.label].certainty:
                best[beat.label] = beat
        return {label: best[label] for label in NAMES if label in best}

    @cached_property
    def spectrograms(self) -> dict[str, "classify.Floats"]:
        """One spectrogram a class, as the network sees it: (frequencies, times)."""
        peaks = np.array([beat.sample for beat in self.typical.values()], np.int64)
        return dict(zip(self.typical, classify.beat_spectrograms(self.signal, self.rate, peaks), strict=True))

    def spectrogram_pngs(self) -> Iterator[tuple[str, str, bytes]]:
        """(label, its name, PNG) for each class."""
        from tasks.ecg.drawing import draw_spectrogram

        for label, power in self.spectrograms.items():
            png = draw_spectrogram(
                power, seconds=SPECTROGRAM_S, highest_hz=SPECTROGRAM_HZ, label=label,
                certainty=self.typical[label].certainty,
            )  # fmt: skip
            yield label, NAMES[label], png

    def csv(self) -> str:
        from tasks.ecg.report import beats_csv

        return beats_csv(self.beats)

    def pdf(self) -> bytes:
        from tasks.ecg.report import Report, Spectrogram, write_pdf

        shown = {label: Spectrogram(power, SPECTROGRAM_S, SPECTROGRAM_HZ) for label, power in self.spectrograms.items()}
        return write_pdf(
            Report(
                made_at=datetime.now(UTC), not_assessed=self.not_assessed, signal=self.signal, rate=self.rate,
                lead=self.lead, calibrated=self.recording.calibrated, beats=self.beats, rhythm=self.rhythm,
                quality=self.quality, unread=self.unread, spectrograms=shown, model_version=self.model.version,
                limits=self.limits,
            )
        )  # fmt: skip


def limits_of(model: classify.Model) -> tuple[str, ...]:
    """A model's measured limits in sentences, from the figures of its card."""
    inter, served = model.figures["inter"], model.figures["served"]
    premature, atrial = inter["classes"]["V"], inter["classes"]["S"]
    return (
        f"Measured on {inter['beats']} beats of 22 recordings kept out of training (MIT-BIH, DS2): "
        f"{inter['accuracy']:.1%} of the beats were put into the right AAMI class; "
        f"always saying normal gives {inter['always_normal']:.1%}.",
        f"It found {premature['sensitivity']:.0%} of the ventricular ectopic beats and was right in "
        f"{premature['ppv']:.0%} of those it named; of the supraventricular ones {atrial['sensitivity']:.0%} and "
        f"{atrial['ppv']:.0%}.",
        f"It leaves {1 - served['coverage']:.0%} of the beats unclassified; of the others "
        f"{served['accuracy_of_said']:.1%} are right.",
        "It learned from tapes of 24 adults. Children, other machines and real photos of paper were not measured.",
    )


def read(paths: Sequence[Path], asked: Asked) -> Recording:
    """The signals in the files, whatever kind they are.

    Raises:
        JobError: they cannot be read; the sentence says why and what to do.
    """
    kind = uploads.receive(paths[0], paths[0].name).media_type
    if kind not in uploads.PICTURES:
        return readers.read_files(paths, asked.sampling_rate)
    from tasks.ecg.picture.read import read_picture

    return read_picture(
        paths[0].read_bytes(), asked.picture, float(asked.paper_speed), float(asked.paper_gain), asked.seconds
    )  # fmt: skip


def choose_lead(recording: Recording, wanted: str) -> str:
    """The lead to read: the wanted one, else the best of the longest.

    Raises:
        JobError: the wanted lead is not there; the sentence names those that are.
    """
    if wanted:
        found = next((name for name in recording.leads if name.upper() == wanted.upper()), None)
        if found is None:
            raise JobError(
                f"There is no lead “{wanted}”. Choose one of {', '.join(recording.leads)}, or leave it empty."
            )
        return found
    longest = max(len(signal) for signal in recording.leads.values())
    long = {name: signal for name, signal in recording.leads.items() if len(signal) >= 0.9 * longest}
    return readers.pick_lead(Recording(recording.rate, long, recording.source))


def assess(recording: Recording, lead: str) -> Reading:
    """Find and name the beats of a lead, and tell its rhythm and quality.

    Raises:
        JobError: the signal is too short to say anything.
    """
    signal, rate = recording.leads[lead], recording.rate
    if recording.source == "beat":
        beats: Sequence[classify.Beat] = [classify.classify_single(signal, rate)]
        return Reading(recording, lead, beats, rhythm.describe_rhythm(beats), Quality(1.0))
    if len(signal) < SHORTEST_S * rate:
        raise JobError(f"This ECG is {len(signal) / rate:.1f} s long; choose one of at least {SHORTEST_S:.0f} s.")
    quality = assess_quality(signal, rate)
    beats = classify.classify(signal, rate)
    return Reading(recording, lead, beats, rhythm.describe_rhythm(beats, quality.unreadable), quality)
