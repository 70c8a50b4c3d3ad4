"""How the machinery is: its queues' figures, its signs of life, and the alarms that follow from them.

One place for all who say so: the banner, /readyz, /metrics, the dead-man ping and the report on the machinery.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import case, exists, func, select
from sqlalchemy.orm import Session

from models.base import clock
from models.delivery import QUEUED as UNSENT
from models.delivery import Delivery
from models.run import BLOCKED, END_STATES, QUEUED, RUNNING, Pulse, Queue, Run

BEAT, BROKER, FILES, OF_QUEUE = "beat", "broker", "files", "queue:"  # names of pulses
CERTIFICATE = "certificate"  # one that lies ahead: when that of the proxy in front ends
BEAT_SILENT_S, BROKER_AWAY_S, FILES_AWAY_S, QUEUE_SILENT_S = 30.0, 60.0, 150.0, 180.0
WAITS_LONG_S, MAIL_WAITS_S = 600.0, 1800.0
CERTIFICATE_S = 14 * 86_400.0
LITTLE_ROOM, LITTLE_BYTES = 0.05, 500_000_000

# Every alarm there is, the worst first: its page in the runbook bears this name, and this title.
ALARMS = {
    "beat-silent": "Beat is silent",
    "broker-away": "The broker does not answer",
    "files-away": "The store of files does not answer",
    "queue-silent": "A queue is silent",
    "disk-full": "The disk is nearly full",
    "certificate-ends": "The certificate ends",
    "runs-wait-long": "Runs wait for long",
    "mail-waits": "Mail waits",
}


@dataclass(frozen=True)
class Alarm:
    """Something that an administrator should look at: a name in ALARMS, a sentence of what was seen, and the queue."""

    name: str
    text: str
    queue: str = ""


@dataclass(frozen=True)
class QueueFigures:
    """One queue.

    Attributes:
        waiting, published: queued runs without and with a message out on the broker.
        running, blocked: runs in that state.
        oldest_s: how long the run has waited that has been due the longest; None when none is due.
        silent_s: seconds since its canary last ran; None when it has none yet.
    """

    name: str
    waiting: int
    published: int
    running: int
    blocked: int
    oldest_s: float | None
    silent_s: float | None
    paused: bool


def pulses(session: Session, now: int) -> dict[str, float]:
    """Seconds since each sign of life."""
    return {row.name: max(0, now - row.at) / 1000 for row in session.execute(select(Pulse.name, Pulse.at))}


def paused_queues(session: Session) -> set[str]:
    """Their names. A paused queue is never silent, and its runs never late."""
    return set(session.scalars(select(Queue.name).where(Queue.paused_at.is_not(None))))


def queue_figures(session: Session, names: Iterable[str]) -> list[QueueFigures]:
    """The figures of these queues. Queue by queue, since the index on waiting runs begins with it."""
    now = clock(session)
    alive, paused = pulses(session, now), paused_queues(session)
    return [_figures(session, name, now, alive.get(OF_QUEUE + name), name in paused) for name in names]


def _figures(session: Session, name: str, now: int, silent_s: float | None, paused: bool) -> QueueFigures:
    due = func.min(case((Run.due_at <= now, Run.due_at)))
    queued = select(func.count(), func.count(Run.published_at), due).where(Run.queue == name, Run.state == QUEUED)
    of_all, published, oldest = session.execute(queued).one()
    running, blocked = (
        session.scalar(select(func.count()).where(Run.queue == name, Run.state == state)) or 0
        for state in (RUNNING, BLOCKED)
    )
    oldest_s = None if oldest is None else (now - oldest) / 1000
    return QueueFigures(name, of_all - published, published, running, blocked, oldest_s, silent_s, paused)


def alarms(session: Session, queues: Iterable[QueueFigures], room: tuple[int, int] | None) -> list[Alarm]:
    """All that stand now, the worst first."""
    found = [*silences(session), *full(room), *expiring(session), *delays(session, queues)]
    return sorted(found, key=lambda alarm: list(ALARMS).index(alarm.name))


def silences(session: Session) -> list[Alarm]:
    """The alarms that somebody should be woken for: a part of the machinery gives no sign of life. Cheap."""
    now = clock(session)
    alive = pulses(session, now)
    beat = alive.get(BEAT)
    if beat is None or beat > BEAT_SILENT_S:  # nobody asks for the other signs then
        age = "never gave a sign of life" if beat is None else f"has been silent for {in_words(beat)}"
        return [Alarm("beat-silent", f"Beat {age}: nothing is scheduled or taken back.")]
    found = []
    if alive.get(BROKER, 0.0) > BROKER_AWAY_S:
        found.append(Alarm("broker-away", f"The broker has not answered for {in_words(alive[BROKER])}: no run starts."))
    if alive.get(FILES, 0.0) > FILES_AWAY_S:
        gone = in_words(alive[FILES])
        found.append(Alarm("files-away", f"The store of files has not answered for {gone}: runs that need one wait."))
    quiet = {name.removeprefix(OF_QUEUE): age for name, age in alive.items() if name.startswith(OF_QUEUE)}
    paused = paused_queues(session)
    found.extend(
        Alarm(
            "queue-silent", f"Nothing has come out of the queue {name} for {in_words(age)}: its worker is away.", name
        )
        for name, age in sorted(quiet.items())
        if age > QUEUE_SILENT_S and name not in paused and not _at_work(session, name, now)
    )
    return found


def _at_work(session: Session, queue: str, now: int) -> bool:
    """Whether somebody works in a queue whose canary waits: it stands in line behind long runs like everybody."""
    running = exists().where(Run.state == RUNNING, Run.lease_until > now, Run.queue == queue)
    just_now = now - int(QUEUE_SILENT_S * 1000)
    # The queue is hidden from the planner: the index on the end knows the few runs of the last minutes.
    ended = exists().where(
        Run.state.in_(END_STATES), Run.finished_at > just_now, Run.worker.is_not(None),
        func.coalesce(Run.queue, "") == queue,
    )  # fmt: skip
    return any(session.scalar(select(1).where(one)) is not None for one in (running, ended))


def delays(session: Session, queues: Iterable[QueueFigures]) -> list[Alarm]:
    """What takes longer than it should, though everybody gives signs of life."""
    found = [
        Alarm("runs-wait-long", f"A run has waited {in_words(queue.oldest_s)} in the queue {queue.name}.", queue.name)
        for queue in queues
        if queue.oldest_s is not None and queue.oldest_s > WAITS_LONG_S and not queue.paused
    ]
    if (waits_s := mail_waits_s(session)) > MAIL_WAITS_S:
        found.append(Alarm("mail-waits", f"A mail has waited {in_words(waits_s)} to be sent."))
    return found


def certificate_ends_s(session: Session) -> float | None:
    """Seconds until the certificate ends that browsers are shown; below 0 when it did, None when none is watched."""
    end = session.scalar(select(Pulse.at).where(Pulse.name == CERTIFICATE))
    return None if end is None else (end - clock(session)) / 1000


def expiring(session: Session) -> list[Alarm]:
    """Whether that is soon."""
    left = certificate_ends_s(session)
    if left is None or left > CERTIFICATE_S:
        return []
    if left <= 0:
        return [Alarm("certificate-ends", "The certificate is past its date: browsers warn people of us.")]
    return [Alarm("certificate-ends", f"The certificate ends in {in_words(left)}: browsers will warn people of us.")]


def mail_waits_s(session: Session) -> float:
    """How long the first of the mails that are to be sent has waited; 0 when none is."""
    oldest = session.scalar(select(func.min(Delivery.created_at)).where(Delivery.state == UNSENT))
    return 0.0 if oldest is None else max(0, clock(session) - oldest) / 1000


def full(room: tuple[int, int] | None) -> list[Alarm]:
    """Whether the disk with the files has too little room; `room` is its bytes (free, in all)."""
    if room is None or (room[0] >= LITTLE_BYTES and room[0] >= LITTLE_ROOM * room[1]):
        return []
    return [Alarm("disk-full", f"Only {room[0] / 1e9:.1f} GB are free where the files stand.")]


def in_words(seconds: float) -> str:
    """A length of time as people say it."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.0f} h" if seconds < 172_800 else f"{seconds / 86_400:.0f} days"
