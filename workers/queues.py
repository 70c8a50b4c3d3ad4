"""The queues, and which worker serves which: one worker for each group, so that long work never blocks mail."""

from deploy.settings import Settings

GROUPS: dict[str, tuple[str, ...]] = {
    "ecg": ("ecg",),
    "energy": ("energy",),
    "work": ("default", "scans"),
    "mail": ("mail",),
}
QUEUES = tuple(queue for queues in GROUPS.values() for queue in queues)


def processes(settings: Settings) -> dict[str, int]:
    """How many processes each group's worker has."""
    return {
        "ecg": settings.ecg_processes, "energy": settings.energy_processes, "work": settings.work_processes,
        "mail": settings.mail_processes,
    }  # fmt: skip
