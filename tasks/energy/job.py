"""The job that looks at electricity: one meter file, one stored meter, or all meters that have something new.

The meters of many people are looked at by the machinery's own run, in parts that several workers share.
"""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, field_validator
from sqlalchemy.orm import Session

from models.engine import again
from models.meter import Meter
from models.workspace import SYSTEM
from tasks.context import Context
from tasks.energy import horizons
from tasks.energy.result import EnergyResult
from tasks.errors import FieldError, JobError
from tasks.job import Job, Params, files_field, hidden_field, read_samples
from tasks.metering import looking, nightly, silence
from tasks.sections import Reader, Section
from tasks.uploads import IncomingFile

if TYPE_CHECKING:
    from tasks.energy.look import Look
    from tasks.energy.material import Material, Wish

BUDGET = 10.0  # CPU seconds for the fits of one meter when somebody asks
MOST_BUDGET = 60.0  # no one's wish holds up the nightly parts, which wait in the same queue, for longer
STEPS = {"hour": "Hour", "day": "Day", "month": "Month"}
UNITS = {"": "Found in the file", "Wh": "Wh", "kWh": "kWh", "MWh": "MWh", "GWh": "GWh"}
NO_ZONE = "There is no such time zone; write one such as Europe/Berlin."
BOTH = "Hand over a file, or choose a meter; not both at once."


class EnergyParams(Params):
    """What to look at and how far ahead. Nothing chosen: all meters of the workspace that have something new."""

    files: list[str] = files_field(
        "Meter file", accept=".csv,.txt,.tsv,.xml,.json", required=False,
        description="CSV of any shape, Green Button XML, or Home Assistant's export. "
        "Without a file, all meters of this workspace are looked at.",
    )  # fmt: skip
    meter: str = Field(
        "", title="Meter", max_length=28, description="The id of a stored meter: it stands in its page's address."
    )
    horizon: Literal["hour", "day", "month"] = Field(
        "hour", title="Forecast by", json_schema_extra={"labels": dict(STEPS)}
    )
    ahead: int | None = Field(None, title="How many ahead", ge=1, description="Empty: 48 hours, 30 days or 12 months.")
    unit: Literal["", "Wh", "kWh", "MWh", "GWh"] = Field(
        "", title="Unit of the file", json_schema_extra={"labels": dict(UNITS)}
    )
    zone: str = Field(
        "", title="Time zone", max_length=64, description="Of a file's local times and days, such as Europe/Berlin."
    )
    until: date | None = Field(
        None, title="As it was on", description="Leaves out what came later, to see how a forecast would have done."
    )
    budget: float = Field(
        BUDGET, title="Budget", gt=0, le=MOST_BUDGET, json_schema_extra={"unit": "s"},
        description="CPU time for fitting models; what does not come to an end in it is named.",
    )  # fmt: skip
    part: list[str] = hidden_field([], at_most=nightly.TOGETHER)

    @field_validator("zone")
    @classmethod
    def _exists(cls, value: str) -> str:
        if value and value not in available_timezones():
            raise ValueError(NO_ZONE)
        return value

    @property
    def steps(self) -> int:
        """How many steps ahead."""
        return self.ahead or horizons.HORIZONS[self.horizon].usual


def check(params: EnergyParams, files: Sequence[IncomingFile]) -> None:
    """At the form: what no run could answer."""
    if refused := horizons.refusal(params.horizon, params.steps):
        raise FieldError("ahead", refused)
    if files and params.meter:
        raise FieldError("meter", BOTH)


def run(params: EnergyParams, ctx: Context) -> EnergyResult:
    """One file, one meter, a part of them, or all that have something new."""
    if params.part:
        return nightly.part(ctx, params.part)
    if params.files:
        return _at_file(params, ctx)
    if params.meter:
        return _at_meter(params, ctx)
    if ctx.children is not None:
        return nightly.gathered(ctx)
    if ctx.workspace == SYSTEM:
        silence.scan(ctx.read_everything, ctx.write_everything, ctx.now())
    parts = nightly.parts(ctx)
    if len(parts) > 1:
        ctx.fan_out("energy", [EnergyParams(part=each) for each in parts])
    return nightly.part(ctx, parts[0] if parts else [])


def _at_file(params: EnergyParams, ctx: Context) -> EnergyResult:
    """A file by itself: nothing of it is kept but what the run leaves."""
    from tasks.energy import filed
    from tasks.energy.look import look

    ctx.progress(0.01, "Reading the file")
    material = filed.material(ctx.paths(params.files)[0], params.unit, params.zone)
    if params.until:
        material = filed.cut(material, _midnight(params.until, material.zone))
    found = look(material, _wish(params), ctx.progress)
    return _left(ctx, found, params)


def _at_meter(params: EnergyParams, ctx: Context) -> EnergyResult:
    """A stored meter. What is seen now is what its page shows from now on; what was at another time is not kept."""
    from tasks.energy.look import look

    now = ctx.now() // 1000
    ctx.progress(0.01, "Reading what is known of the meter")
    with ctx.read() as session:
        meter = looking.find(session, params.meter)
        until = _midnight(params.until, meter.time_zone) if params.until else None
        material = looking.material(session, meter, looking.moment(meter, now, until), _past(params))
    try:
        found = look(material, _wish(params), ctx.progress)
    except JobError as error:
        if until is None:
            _refused(ctx, meter, material, str(error))
        raise
    result = _left(ctx, found, params)
    if until is None:
        looking.keep(ctx.session, meter, found, ctx.now())
    return result


def _past(params: EnergyParams) -> int:
    return max(horizons.HORIZONS[params.horizon].past, looking.PAST)


def _wish(params: EnergyParams) -> "Wish":
    from tasks.energy.material import Wish

    others: tuple[horizons.Word, ...] = ("hour", "day", "month")
    return Wish(params.horizon, params.steps, params.budget, tuple(word for word in others if word != params.horizon))


@again
def _refused(ctx: Context, meter: Meter, material: "Material", reason: str) -> None:
    """In a transaction of its own, since the run's is undone when it fails."""
    from tasks.energy.look import night_of

    with ctx.database.write(ctx.workspace) as session:
        night = night_of(material.as_of, material.zone)
        looking.keep_failure(session, meter, night, reason, ctx.now(), refused=True)


def _midnight(day: date, zone: str) -> int:
    return horizons.midnight(day, ZoneInfo(zone))


def _left(ctx: Context, found: "Look", params: EnergyParams) -> EnergyResult:
    """The result with the files that a run leaves."""
    from tasks.energy import drawing
    from tasks.energy.written import forecast_csv

    result = found.result(next(iter(found.aheads)))
    ctx.progress(0.9, "Drawing")
    ctx.artifact("load.png", drawing.LOAD, "image/png", drawing.fan(result))
    if result.charts.heat:
        ctx.artifact("hours.png", drawing.HOURS, "image/png", drawing.heat(result))
    ctx.artifact("forecast.csv", "Forecast as a table", "text/csv", forecast_csv(result))
    return result


def headline(result: EnergyResult) -> str:
    """For lists and mails: how many, and nothing of anybody's life."""
    if result.model:
        wrong = len(result.anomalies)
        return f"{len(result.forecast)} {result.horizon}s foretold, {wrong} anomal{'y' if wrong == 1 else 'ies'}"
    told = [
        f"{number} {words}"
        for number, words in (
            (result.made, "looked at"),
            (result.refused, "refused"),
            (result.failed, "failed"),
            (result.left, "left for the next run"),
        )
        if number
    ]
    return ", ".join(told) or "nothing new"


def section(session: Session, workspace: str, reader: Reader) -> Section | None:
    """What it adds to a digest."""
    from tasks.metering.energy_section import section as made

    return made(session, workspace, reader)


JOB = Job(
    kind="energy",
    title="Look at electricity",
    summary="Foretells what a meter will use, finds what is wrong in its readings, and says what would save money.",
    params=EnergyParams,
    result=EnergyResult,
    run=run,
    queue="energy",
    schedule="23 * * * *",
    time_limit=900,
    watches=(Meter,),
    intake=check,
    headline=headline,
    area="energy",
    section=section,
    samples=read_samples(Path(__file__).parent / "sample"),
)
