"""A canary a minute into every queue. Its run writes the queue's sign of life; where it waits, the queue is silent."""

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models.base import clock, db_now
from models.run import CANCELLED, END_STATES, SUCCEEDED, Pulse, Run
from models.session import EVERYONE
from models.statements import changed
from models.vitals import OF_QUEUE, QUEUE_SILENT_S, paused_queues, pulses
from models.workspace import SYSTEM
from tasks import discover
from tasks.discard import discard
from tasks.handover import HandedOver
from workers.enqueue import submit
from workers.queues import QUEUES
from workers.runtime import Runtime

OF_CANARY = "canary:"  # the pulse that tells when a queue's last canary was sent, and which run it is
EVERY_S = 60.0
UNSEEN = {"synchronize_session": False}


def send_all(runtime: Runtime) -> list[str]:
    """Send a canary into each queue that had none for a minute. Any number of beats may call it, as often as they like.

    Returns:
        The ids of the new runs.
    """
    with runtime.database.read(EVERYONE) as session:
        sent = pulses(session, clock(session))
        paused = paused_queues(session)
    due = [queue for queue in QUEUES if sent.get(OF_CANARY + queue, EVERY_S) >= EVERY_S and queue not in paused]
    return [run_id for queue in due if (run_id := _send(runtime, queue))]


def forget_queues_that_are_gone(session: Session) -> None:
    """No worker serves them any more, so that their silence is none."""
    kept = [f"{prefix}{queue}" for prefix in (OF_QUEUE, OF_CANARY) for queue in QUEUES]
    for prefix in (OF_QUEUE, OF_CANARY):
        gone = delete(Pulse).where(Pulse.name.startswith(prefix), Pulse.name.not_in(kept))
        session.execute(gone.execution_options(**UNSEEN))


def _send(runtime: Runtime, queue: str) -> str | None:
    with runtime.database.write(EVERYONE) as session:
        if not _my_turn(session, queue):
            return None
        mark = session.get_one(Pulse, OF_CANARY + queue, populate_existing=True)
        last = session.scalars(select(Run).where(Run.id == (mark.detail or {}).get("run", ""))).one_or_none()
        if last is not None and last.state not in END_STATES:
            return None  # at most one waits
        if last is not None and last.state in (SUCCEEDED, CANCELLED):  # one that failed is kept as long as its like
            discard(session, runtime.storage, [last.id])
        job = discover()["canary"]
        handed = HandedOver(job.params(sent_into=queue))  # type: ignore[call-arg]
        run_id = submit(runtime, session, job, handed, SYSTEM, queue=queue, priority=1).id
        mark.detail = {"run": run_id}
        return run_id


def _my_turn(session: Session, queue: str) -> bool:
    """Whether it is time, and no other beat was first."""
    name, now = OF_CANARY + queue, clock(session)
    seen = session.scalar(select(Pulse.at).where(Pulse.name == name))
    if seen is None:
        return _insert(session, name) and _watch_anew(session, queue)
    if now - seen < EVERY_S * 1000:
        return False
    mine = update(Pulse).where(Pulse.name == name, Pulse.at == seen).values(at=now)
    if not changed(session, mine.execution_options(**UNSEEN)):
        return False
    # Nobody sent canaries for a while (the queue was paused, or all was stopped): its silence begins now.
    return now - seen < QUEUE_SILENT_S * 1000 or _watch_anew(session, queue)


def _watch_anew(session: Session, queue: str) -> bool:
    alive = update(Pulse).where(Pulse.name == OF_QUEUE + queue).values(at=db_now())
    return bool(changed(session, alive.execution_options(**UNSEEN))) or _insert(session, OF_QUEUE + queue)


def _insert(session: Session, name: str) -> bool:
    try:
        with session.begin_nested():
            session.execute(insert(Pulse).values(name=name, at=db_now()))
    except IntegrityError:
        return False
    return True
