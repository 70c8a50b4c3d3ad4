"""How long a run will still take: told from its own pace, else from earlier runs of its kind, else not at all."""

from statistics import median

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from models.base import clock, db_now
from models.run import QUEUED, RUNNING, SUCCEEDED, Queue, Run
from models.session import EVERYONE
from web.current import runtime

ENOUGH_SHARE = 0.03  # below, a pace is noise
EARLIER_RUNS = 20
LOOKED_BACK = 500
MOST_AHEAD = 1000
UNKNOWN = "no estimate yet"


def remaining(session: Session, run: Run) -> str:
    """What is left of a run that has not ended, in words; "" for one that has."""
    if run.state == RUNNING:
        now = clock(session)
        spent = max(0, now - (run.started_at or now))
        usual = None if run.progress >= ENOUGH_SHARE else usual_ms(session, run.kind)
        return words_left(run.progress, spent, usual)
    return _turn(run) if run.state == QUEUED else ""


def words_left(share: float, spent_ms: int, usual_ms: float | None) -> str:
    """An estimate of what is left, in words.

    Args:
        share: how much of the run is done, 0 to 1.
        spent_ms: how long this attempt has run.
        usual_ms: how long earlier runs of the kind took; None when there are none.
    """
    if share >= ENOUGH_SHARE:
        return about(spent_ms * (1 - share) / share)
    if usual_ms is None:
        return UNKNOWN
    return about(usual_ms - spent_ms) if spent_ms < usual_ms else "this takes longer than usual; " + UNKNOWN


def about(milliseconds: float) -> str:
    """A length of time as a person would guess it."""
    seconds = milliseconds / 1000
    if seconds < 10:
        return "a few seconds left"
    if seconds < 50:
        return f"about {round(seconds, -1):.0f} s left"
    if seconds < 3600:
        return f"about {max(1, round(seconds / 60))} min left"
    return f"about {seconds / 3600:.1f} h left"


def usual_ms(session: Session, kind: str) -> float | None:
    """The median length of the last runs of a kind, among the workspace's last ones."""
    last = select(Run.id).where(Run.listed.is_(True)).order_by(Run.id.desc()).limit(LOOKED_BACK).subquery()
    spans = select(Run.finished_at - Run.started_at).join(last, last.c.id == Run.id)
    spans = spans.where(Run.kind == kind, Run.state == SUCCEEDED).order_by(Run.id.desc()).limit(EARLIER_RUNS)
    lengths = [span for span in session.scalars(spans).all() if span is not None]
    return median(lengths) if lengths else None


def _turn(run: Run) -> str:
    """Where a queued run stands. All workspaces wait in one queue, so this counts theirs too: a number and no more."""
    with runtime().database.read(EVERYONE) as session:
        if session.scalar(select(Queue.paused_at).where(Queue.name == run.queue)):
            return "an administrator has paused this queue"
        if (wait := run.due_at - clock(session)) > 1000:
            return ("tries again in " if run.tries else "waits for ") + about(wait).removesuffix(" left")
        ahead = _ahead(session, run)
    if not ahead:
        return "next in turn"
    if ahead > MOST_AHEAD:
        return f"more than {MOST_AHEAD:,} runs wait ahead of it"
    return "1 run waits ahead of it" if ahead == 1 else f"{ahead} runs wait ahead of it"


def _ahead(session: Session, run: Run) -> int:
    """How many runs go before it: those on their way to a worker, those of a higher priority, and each person in turn.

    Counts stop a little above MOST_AHEAD, and read the dispatch's index alone.
    """
    here = (Run.queue == run.queue, Run.state == QUEUED)
    if run.published_at is not None:
        return _count(session, *here, Run.published_at < run.published_at)
    waits = (*here, Run.published_at.is_(None), Run.due_at <= db_now())
    ahead = _count(session, *here, Run.published_at.is_not(None))
    ahead += _count(session, *waits, Run.priority > run.priority)
    earlier = or_(Run.due_at < run.due_at, and_(Run.due_at == run.due_at, Run.id < run.id))
    level = (*waits, Run.priority == run.priority)
    own = _count(session, *level, Run.lane == run.lane, Run.due_at <= run.due_at, earlier)
    if not own or ahead + own > MOST_AHEAD:
        return ahead + own
    lanes = select(func.count()).where(*level, Run.lane != run.lane).group_by(Run.lane)
    return ahead + own + sum(min(count, own) for count in session.scalars(lanes))


def _count(session: Session, *conditions: ColumnElement[bool]) -> int:
    some = select(Run.priority).where(*conditions).limit(MOST_AHEAD + 1).subquery()
    return session.scalar(select(func.count()).select_from(some)) or 0
