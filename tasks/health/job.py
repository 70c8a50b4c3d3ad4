"""The job that reports how the machinery itself is: queues, the run that waits the longest, disk, last beat."""

from dataclasses import asdict

from pydantic import Field

from models import vitals
from models.base import clock
from tasks import discover
from tasks.context import Context
from tasks.job import Job, NoParams, Result


class QueueHealth(Result):
    """One queue."""

    name: str
    waiting: int = Field(title="Waiting for a worker")
    published: int = Field(title="Of them, those that the broker knows of")
    running: int
    blocked: int = Field(title="Waiting for other runs")
    oldest_s: float | None = Field(title="Longest wait", json_schema_extra={"unit": "s"})
    silent_s: float | None = Field(title="Since its canary", json_schema_extra={"unit": "s"})
    paused: bool


class Finding(Result):
    """One alarm that stands."""

    name: str = Field(title="Its page in the runbook")
    text: str
    queue: str


class HealthReport(Result):
    """How the machinery is."""

    findings: list[Finding] = Field(title="What is wrong; empty when all is well")
    queues: list[QueueHealth]
    beat_age_s: float | None = Field(title="Since the last beat", json_schema_extra={"unit": "s"})
    free_bytes: int | None = Field(title="Free where the files stand")
    total_bytes: int | None


def run(params: NoParams, ctx: Context) -> HealthReport:
    """Ask the tables and the disk."""
    room = ctx.storage.room()
    with ctx.read_everything() as session:
        alive = vitals.pulses(session, clock(session))
        watched = {name.removeprefix(vitals.OF_QUEUE) for name in alive if name.startswith(vitals.OF_QUEUE)}
        queues = vitals.queue_figures(session, sorted(watched | {job.queue for job in discover().values()}))
        alarms = vitals.alarms(session, queues, room)
    return HealthReport(
        findings=[Finding(**asdict(alarm)) for alarm in alarms],
        queues=[_queue(figures) for figures in queues],
        beat_age_s=alive.get(vitals.BEAT),
        free_bytes=room[0] if room else None,
        total_bytes=room[1] if room else None,
    )


def _queue(figures: vitals.QueueFigures) -> QueueHealth:
    return QueueHealth(**{**asdict(figures), "waiting": figures.waiting + figures.published})


def headline(report: HealthReport) -> str:
    count = len(report.findings)
    return "all is well" if not count else f"{count} thing{'s' if count > 1 else ''} to look at"


JOB = Job(
    kind="health",
    title="Report on the machinery",
    summary="Looks at the queues, the run that waits the longest, the disk and the last beat, and says what to do.",
    params=NoParams,
    result=HealthReport,
    run=run,
    queue="scans",
    schedule="7 * * * *",
    time_limit=60,
    audience="administrators",
    headline=headline,
)
