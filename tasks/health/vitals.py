"""What a few figures of the machinery mean, in sentences that say what to do. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

BEAT_SILENT_S = 30.0
WAITS_LONG_S = 600.0
LITTLE_ROOM = 0.05
LITTLE_BYTES = 500_000_000


@dataclass(frozen=True)
class QueueFigures:
    """One queue: runs that are due and wait, runs under way, how long the oldest has waited, and if it is paused."""

    name: str
    waiting: int
    running: int
    oldest_s: float | None
    paused: bool


def findings(queues: Sequence[QueueFigures], beat_age_s: float | None, room: tuple[int, int] | None) -> list[str]:
    """What is wrong, the worst first; empty when all is well.

    Args:
        queues: their figures.
        beat_age_s: seconds since beat's last sign of life; None when it never gave one.
        room: bytes (free, in all) of the disk with the files.
    """
    said = []
    if beat_age_s is None or beat_age_s > BEAT_SILENT_S:
        age = "never gave a sign of life" if beat_age_s is None else f"has been silent for {beat_age_s:.0f} s"
        said.append(f"Beat {age}: nothing is scheduled or taken back. Start it again; see var/logs/beat.log.")
    said.extend(
        f"A run has waited {queue.oldest_s / 60:.0f} min in the queue {queue.name}: "
        "its worker is away or has too few processes."
        for queue in queues
        if queue.oldest_s is not None and queue.oldest_s > WAITS_LONG_S and not queue.paused
    )
    if room is not None and (room[0] < LITTLE_BYTES or room[0] < LITTLE_ROOM * room[1]):
        said.append(f"Only {room[0] / 1e9:.1f} GB are free where the files stand: make room before uploads fail.")
    return said
