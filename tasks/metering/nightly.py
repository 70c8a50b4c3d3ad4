"""All meters that have something new, in parts: each meter by itself, so that one which fails stops no other.

A meter's outlook says for which night it was made. A part that is taken up again goes on behind the last one written.
"""

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.engine import again
from models.meter import Meter, Outlook
from models.workspace import SYSTEM
from tasks.context import Context
from tasks.energy.result import EnergyResult, Looked
from tasks.errors import JobError
from tasks.metering import looking
from tasks.metering.packing import Corrupt

if TYPE_CHECKING:
    from tasks.energy.look import Look

log = structlog.get_logger()
ALONE = 200  # up to so many meters are a part each: the least that one can take along
TOGETHER = 10  # meters of a part beyond
BUDGET = 1.0  # CPU seconds for the fits of one meter
TOLD = 100  # meters that a result names
BROKE = "Something broke on our side while it was looked at; the administrator finds it in the log."
OWN = (  # what a meter's readings can bring about; whatever else ends its part, which the next run takes up behind it
    JobError, ValueError, ArithmeticError, LookupError, TypeError, AttributeError, AssertionError, RuntimeError,
    MemoryError,
)  # fmt: skip
LOST = "The worker that looked at it was lost, twice; the administrator finds more in the log."


@dataclass(frozen=True, slots=True)
class Due:
    """A meter, and the day that it has seen least of."""

    id: str
    night: str
    done: str


def parts(ctx: Context) -> list[list[str]]:
    """The meters with something new, a few to each part."""
    if ctx.workspace != SYSTEM and ctx.account_id is not None:
        _look_again(ctx)
    with _reads(ctx) as session:
        ids = [one.id for one in due(session, ctx.now() // 1000)]
    size = 1 if len(ids) <= ALONE else TOGETHER
    return [ids[first : first + size] for first in range(0, len(ids), size)]


@again
def _look_again(ctx: Context) -> None:
    """Somebody asks: then all are looked at, whatever was seen."""
    with ctx.database.write(ctx.workspace) as session:
        looking.stale(session)


def due(session: Session, now: int) -> list[Due]:
    """Those whose readings have reached a day that their outlook does not know of; the same session's workspaces."""
    query = (
        select(Meter.id, Meter.time_zone, Meter.step, Meter.last_at, Outlook.night)
        .outerjoin(Outlook, Outlook.meter_id == Meter.id)
        .where(Meter.archived.is_(False), Meter.last_at.is_not(None))
        .order_by(Meter.workspace_id, Meter.id)
    )
    found = []
    for row in session.execute(query):
        night = _night(row.last_at + max(row.step, 1), row.time_zone, now)
        if row.night is None or row.night < night:
            found.append(Due(row.id, night, row.night or ""))
    return found


def _night(last: int, zone: str, now: int) -> str:
    as_of = now if last > now - looking.LIVE else last
    try:
        return datetime.fromtimestamp(as_of, ZoneInfo(zone)).date().isoformat()
    except (ValueError, KeyError, OSError):  # a zone that is none: looked at once, and told of
        return datetime.fromtimestamp(as_of, ZoneInfo("UTC")).date().isoformat()


def part(ctx: Context, ids: list[str]) -> EnergyResult:
    """Look at these meters, one after the other, each in a transaction of its own."""
    told = []
    for number, meter_id in enumerate(ids):
        ctx.progress(number / len(ids), f"Meter {number + 1} of {len(ids)}")
        told.append(_one(ctx, meter_id))
    return _counted([one for one in told if one is not None])


def _one(ctx: Context, meter_id: str) -> Looked | None:
    now = ctx.now() // 1000
    with _reads(ctx) as session:
        meter = session.scalar(select(Meter).where(Meter.id == meter_id))
        outlook = session.get(Outlook, meter_id)
    if meter is None or meter.archived or meter.last_at is None:
        return None
    night = _night(meter.last_at + max(meter.step, 1), meter.time_zone, now)
    if outlook is not None and outlook.night >= night:
        return Looked(meter=meter_id, state="current")
    if ctx.attempt > 1:  # the last worker was lost: if this meter was the reason, it is not tried a third time
        _keep_failure(ctx, meter, night, LOST, refused=False)
    with _told_when_broken(ctx, meter, night):
        return _look(ctx, meter, night, now)


@contextmanager
def _told_when_broken(ctx: Context, meter: Meter, night: str) -> Iterator[None]:
    """Whatever ends this part: its meter says so, and the next run begins behind it."""
    try:
        yield
    except BaseException:
        _keep_failure(ctx, meter, night, BROKE, refused=False)
        raise


def _look(ctx: Context, meter: Meter, night: str, now: int) -> Looked:
    from tasks.energy.look import look
    from tasks.energy.material import Wish

    began = time.thread_time()
    try:
        with _reads(ctx) as session:
            material = looking.material(session, meter, looking.moment(meter, now))
        found = look(material, Wish(budget=BUDGET, further=("day",)))
    except OWN as error:
        refused = isinstance(error, JobError) and not isinstance(error, Corrupt)
        reason = _reason(error)
        log.info("meter.not_looked_at", meter=meter.id, refused=refused, exc_info=not refused)
        _keep_failure(ctx, meter, night, reason, refused=refused)
        seconds = round(time.thread_time() - began, 3)
        return Looked(meter=meter.id, state="refused" if refused else "failed", reason=reason[:200], seconds=seconds)
    _keep(ctx, meter, found)
    model = next(iter(found.aheads.values())).model
    return Looked(meter=meter.id, state="made", model=model, seconds=round(time.thread_time() - began, 3))


def _reason(error: Exception) -> str:
    """What was said for people, or that it is ours."""
    from numpy.linalg import LinAlgError  # a ValueError too

    if isinstance(error, (JobError, ValueError, ArithmeticError)) and not isinstance(error, LinAlgError) and str(error):
        return str(error)
    return f"{BROKE} ({type(error).__name__})"


@again
def _keep(ctx: Context, meter: Meter, found: "Look") -> None:
    with _writes(ctx) as session:
        if _still_there(session, meter):
            looking.keep(session, meter, found, ctx.now())


@again
def _keep_failure(ctx: Context, meter: Meter, night: str, reason: str, *, refused: bool) -> None:
    with _writes(ctx) as session:
        if _still_there(session, meter):
            looking.keep_failure(session, meter, night, reason, ctx.now(), refused=refused)


def _still_there(session: Session, meter: Meter) -> bool:
    return session.scalar(select(Meter.id).where(Meter.id == meter.id)) is not None


def _reads(ctx: Context) -> AbstractContextManager[Session]:
    return ctx.read_everything() if ctx.workspace == SYSTEM else ctx.read()


def _writes(ctx: Context) -> AbstractContextManager[Session]:
    return ctx.write_everything() if ctx.workspace == SYSTEM else ctx.database.write(ctx.workspace)


def _counted(told: list[Looked]) -> EnergyResult:
    states = [one.state for one in told]
    return EnergyResult(
        made=states.count("made"), refused=states.count("refused"), failed=states.count("failed"),
        current=states.count("current"), meters=[one for one in told if one.state != "current"][:TOLD],
        seconds=round(sum(one.seconds for one in told), 3),
    )  # fmt: skip


def gathered(ctx: Context) -> EnergyResult:
    """What became of the parts; of those that failed, how many meters are left for the next run."""
    results = [EnergyResult.model_validate(child.result) for child in ctx.children or [] if child.result]
    with _reads(ctx) as session:
        left = len(due(session, ctx.now() // 1000))
    return EnergyResult(
        made=sum(one.made for one in results), refused=sum(one.refused for one in results),
        failed=sum(one.failed for one in results) + sum(not child.result for child in ctx.children or []),
        current=sum(one.current for one in results), left=left,
        meters=[looked for one in results for looked in one.meters][:TOLD],
        seconds=round(sum(one.seconds for one in results), 3),
    )  # fmt: skip
