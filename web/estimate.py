"""How long a run will still take: told from its own pace, else from earlier runs of its kind, else not at all."""

from statistics import median

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.base import db_now
from models.run import QUEUED, RUNNING, SUCCEEDED, Queue, Run
from models.session import EVERYONE
from web.current import runtime

ENOUGH_SHARE = 0.03  # below, a pace is noise
EARLIER_RUNS = 20
UNKNOWN = "no estimate yet"


def remaining(session: Session, run: Run) -> str:
    """What is left of a run that has not ended, in words; "" for one that has."""
    if run.state == RUNNING:
        now: int = session.scalar(select(db_now())) or 0
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
    """The median length of this workspace's last runs of a kind."""
    spans = select(Run.finished_at - Run.started_at).where(Run.kind == kind, Run.state == SUCCEEDED)
    found = session.scalars(spans.order_by(Run.id.desc()).limit(EARLIER_RUNS)).all()
    lengths = [span for span in found if span is not None]
    return median(lengths) if lengths else None


def _turn(run: Run) -> str:
    """Where a queued run stands. All workspaces wait in one queue, so this counts theirs too: a number and no more."""
    with runtime().database.read(EVERYONE) as session:
        if session.scalar(select(Queue.paused_at).where(Queue.name == run.queue)):
            return "an administrator has paused this queue"
        if (wait := run.due_at - (session.scalar(select(db_now())) or 0)) > 1000:
            return "tries again in " + about(wait).removesuffix(" left")
        waiting = (Run.state == QUEUED, Run.queue == run.queue, Run.due_at <= db_now(), Run.id < run.id)
        ahead = session.scalar(select(func.count()).select_from(Run).where(*waiting)) or 0
    if not ahead:
        return "next in turn"
    return "1 run waits ahead of it" if ahead == 1 else f"{ahead} runs wait ahead of it"
