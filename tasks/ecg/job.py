"""The job that reads an ECG: files → signals → R peaks → spectrograms → classes, and what is said about them."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from tasks.context import Context
from tasks.ecg import intake
from tasks.job import Job, Params, Result, files_field, read_samples
from tasks.uploads import IncomingFile

if TYPE_CHECKING:
    from tasks.ecg.reading import Reading

DISCLAIMER = "Not a medical device. A clinician decides."


class EcgParams(Params):
    """What to read and how to take it."""

    files: list[str] = files_field(
        "ECG",
        accept=".png,.jpg,.jpeg,.tif,.tiff,.bmp,.hea,.dat,.zip,.edf,.csv,.txt",
        at_most=9,
        description="A picture of a page, a strip or one beat (PNG, JPEG, TIFF, BMP), or a recording: "
        "WFDB (.hea with its .dat, or both in a zip), EDF or CSV. Names and notes inside files are removed.",
        crop="the printed name, date of birth and numbers",
    )
    sampling_rate: float | None = Field(
        None, title="Sampling rate", ge=50, le=10_000, description="For a CSV file without a time column.",
        json_schema_extra={"unit": "Hz"},
    )  # fmt: skip
    lead: str = Field("", title="Lead", max_length=20, description="Which lead to read. Empty: MLII or II if there.")
    picture: Literal["auto", "page", "strip", "beat"] = Field("auto", title="The picture shows")
    paper_speed: Literal["25", "50"] = Field("25", title="Paper speed", json_schema_extra={"unit": "mm/s"})
    paper_gain: Literal["5", "10", "20"] = Field("10", title="Paper gain", json_schema_extra={"unit": "mm/mV"})
    seconds: float | None = Field(
        None, title="Seconds shown", gt=0, le=120, json_schema_extra={"unit": "s"},
        description="For a picture of a strip without a grid: what it shows from edge to edge.",
    )  # fmt: skip
    keep: bool = Field(
        False, title="Keep the files after the reading",
        description="Otherwise they are deleted once they are read; what was found stays.",
    )  # fmt: skip


class BeatFound(Result):
    """One beat."""

    time_s: float = Field(title="Time of its R peak", json_schema_extra={"unit": "s"})
    label: Literal["N", "L", "R", "A", "V", "/", "!", "E", "?"] = Field(title="MIT-BIH symbol, or ? for unclassified")
    certainty: float = Field(title="How sure the network is", ge=0, le=1)


class ClassFound(Result):
    """The beats of one class."""

    label: str
    name: str
    count: int
    certainty: float = Field(title="Mean certainty")
    spectrogram: str | None = Field(None, title="Name of the artifact that shows one of them")


class Pause(Result):
    """A pause between two beats."""

    time_s: float
    seconds: float


class SignalQuality(Result):
    """How well the signal could be read."""

    score: float = Field(title="Share of its seconds without a fault", ge=0, le=1)
    notes: list[str] = Field(title="Faults that were found")


class ModelUsed(Result):
    """The network that named the beats."""

    version: str
    threshold: float = Field(title="Certainty below which a beat is unclassified")
    limits: list[str] = Field(title="What it was measured to do, and not to do")


class EcgResult(Result):
    """A reading."""

    disclaimer: str = DISCLAIMER
    not_assessed: list[str] = Field(title="What is not assessed")
    source: Literal["wfdb", "edf", "csv", "page", "strip", "beat"]
    lead: str = Field(title="The lead that was read")
    leads: list[str] = Field(title="The leads that were found")
    duration_s: float = Field(json_schema_extra={"unit": "s"})
    calibrated: bool = Field(title="Whether heights in mV are real")
    heart_rate_bpm: float | None = Field(title="Heart rate", json_schema_extra={"unit": "beats/min"})
    lowest_bpm: float | None = None
    highest_bpm: float | None = None
    sdnn_ms: float | None = None
    rmssd_ms: float | None = None
    rhythm: str = Field(title="Regularity of the rhythm")
    pauses: list[Pause]
    classes: list[ClassFound] = Field(title="Beats by class")
    beats: list[BeatFound]
    quality: SignalQuality
    unread: list[str] = Field(title="What could not be read, and why")
    model: ModelUsed


def check(params: EcgParams, files: Sequence[IncomingFile]) -> None:
    """At the form: refuse what headers tell to be no readable ECG."""
    intake.check(files, params.sampling_rate)


def run(params: EcgParams, ctx: Context) -> EcgResult:
    """Read the signals, name the beats, leave the drawings."""
    from tasks.ecg import reading  # numpy, OpenCV and ONNX Runtime: only in the worker

    paths = ctx.paths(params.files)
    ctx.progress(0.02, "Reading the files")
    recording = reading.read(paths, params)
    lead = reading.choose_lead(recording, params.lead)
    ctx.progress(0.3, "Finding and naming the beats")
    found = reading.assess(recording, lead)
    ctx.progress(0.7, "Drawing")
    spectrograms = _leave(found, ctx)
    return _result(found, spectrograms)


def _leave(found: "Reading", ctx: Context) -> dict[str, str]:
    """The files of a reading; returns the name of the spectrogram of each class."""
    names: dict[str, str] = {}
    ctx.artifact("strip.png", "Strip with its beats", "image/png", found.strip_png())
    for label, name, png in found.spectrogram_pngs():
        names[label] = f"spectrogram-{name.replace(' ', '-')}.png"
        ctx.artifact(names[label], f"Spectrogram of a beat: {name}", "image/png", png)
    ctx.artifact("beats.csv", "Beats as a table", "text/csv", found.csv().encode())
    ctx.progress(0.85, "Writing the report")
    ctx.artifact("reading.pdf", "The whole reading", "application/pdf", found.pdf())
    return names


def _result(found: "Reading", spectrograms: dict[str, str]) -> EcgResult:
    rhythm, quality = found.rhythm, found.quality
    return EcgResult(
        not_assessed=list(found.not_assessed),
        source=found.recording.source,
        lead=found.lead,
        leads=list(found.recording.leads),
        duration_s=round(found.seconds, 2),
        calibrated=found.recording.calibrated,
        heart_rate_bpm=rhythm.heart_rate_bpm,
        lowest_bpm=rhythm.lowest_bpm,
        highest_bpm=rhythm.highest_bpm,
        sdnn_ms=rhythm.sdnn_ms,
        rmssd_ms=rhythm.rmssd_ms,
        rhythm=rhythm.regularity,
        pauses=[Pause(time_s=pause.time_s, seconds=pause.seconds) for pause in rhythm.pauses],
        classes=[
            ClassFound(
                label=each.label, name=each.name, count=each.count, certainty=round(each.mean_certainty, 4),
                spectrogram=spectrograms.get(each.label),
            )
            for each in rhythm.counts
        ],
        beats=[_beat(beat.time_s, beat.label, beat.certainty) for beat in found.beats],
        quality=SignalQuality(score=quality.score, notes=list(quality.notes)),
        unread=list(found.unread),
        model=ModelUsed(version=found.model.version, threshold=found.model.threshold, limits=list(found.limits)),
    )  # fmt: skip


def _beat(time_s: float, label: str, certainty: float) -> BeatFound:
    return BeatFound.model_validate({"time_s": round(time_s, 4), "label": label, "certainty": round(certainty, 4)})


def headline(result: EcgResult) -> str:
    """For lists and mails: nothing of anyone's heart."""
    return "your reading is ready"


def forget(params: EcgParams) -> bool:
    return not params.keep


JOB = Job(
    kind="ecg",
    title="Read an ECG",
    summary="Finds and names the beats of an ECG picture or recording. Not a medical device: a clinician decides.",
    params=EcgParams,
    result=EcgResult,
    run=run,
    queue="ecg",
    time_limit=180,
    intake=check,
    clean=intake.clean,
    headline=headline,
    forget_uploads=forget,
    samples=read_samples(Path(__file__).parent / "sample"),
)
