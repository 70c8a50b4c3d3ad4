"""The job that reports how the machinery itself is: queues, the run that waits the longest, disk, last beat."""

from pydantic import Field
from sqlalchemy import and_, case, func, select

from models.base import db_now
from models.run import QUEUED, RUNNING, Pulse, Queue, Run
from tasks.context import Context
from tasks.health.vitals import QueueFigures, findings
from tasks.job import Job, NoParams, Result


class QueueHealth(Result):
    """One queue."""

    name: str
    waiting: int = Field(title="Due and waiting")
    running: int
    oldest_s: float | None = Field(title="Longest wait", json_schema_extra={"unit": "s"})
    paused: bool


class HealthReport(Result):
    """How the machinery is."""

    findings: list[str] = Field(title="What is wrong and what to do; empty when all is well")
    queues: list[QueueHealth]
    beat_age_s: float | None = Field(title="Since the last beat", json_schema_extra={"unit": "s"})
    free_bytes: int | None = Field(title="Free where the files stand")
    total_bytes: int | None


def run(params: NoParams, ctx: Context) -> HealthReport:
    """Ask the tables and the disk."""
    with ctx.read_everything() as session:
        now: int = session.scalar(select(db_now())) or 0
        beat = session.scalar(select(Pulse.at).where(Pulse.name == "beat"))
        waiting = and_(Run.state == QUEUED, Run.due_at <= now)
        rows = session.execute(
            select(
                Run.queue,
                func.count(case((waiting, 1))).label("waiting"),
                func.count(case((Run.state == RUNNING, 1))).label("running"),
                func.min(case((waiting, Run.due_at))).label("oldest"),
            )
            .where(Run.state.in_((QUEUED, RUNNING)), Run.id != ctx.run_id)
            .group_by(Run.queue)
            .order_by(Run.queue)
        ).all()
        paused = set(session.scalars(select(Queue.name).where(Queue.paused_at.is_not(None))))
    queues = [QueueFigures(r.queue, r.waiting, r.running, _age(now, r.oldest), r.queue in paused) for r in rows]
    age, room = _age(now, beat), ctx.storage.room()
    return HealthReport(
        findings=findings(queues, age, room),
        queues=[QueueHealth(**vars(queue)) for queue in queues],
        beat_age_s=age,
        free_bytes=room[0] if room else None,
        total_bytes=room[1] if room else None,
    )


def _age(now: int, moment: int | None) -> float | None:
    return None if moment is None else round(max(0, now - moment) / 1000, 1)


def headline(report: HealthReport) -> str:
    return "all is well" if not report.findings else f"{len(report.findings)} things to look at"


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
