"""The canary: beat sends one into every queue each minute; a queue in which none runs any more is silent."""

from pydantic import Field
from sqlalchemy import update

from models.base import db_now
from models.run import Pulse
from models.statements import changed
from models.vitals import OF_QUEUE
from tasks.context import Context
from tasks.job import Job, Params, Result


class CanaryParams(Params):
    sent_into: str = Field("default", title="Queue", max_length=40)


def run(params: CanaryParams, ctx: Context) -> Result:
    """Write down that this queue is alive."""
    name = OF_QUEUE + params.sent_into
    alive = update(Pulse).where(Pulse.name == name).values(at=db_now())
    if not changed(ctx.session, alive.execution_options(synchronize_session=False)):
        ctx.session.add(Pulse(name=name, at=db_now()))
    return Result()


JOB = Job(
    kind="canary",
    title="Sing",
    summary="Shows that a queue's worker is alive; one goes into each queue every minute.",
    params=CanaryParams,
    result=Result,
    run=run,
    time_limit=30,
    audience="machinery",
)
