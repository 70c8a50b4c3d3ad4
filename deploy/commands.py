"""The commands of Nightshift's processes, the same for `make run` and for containers."""

import sys
from collections.abc import Sequence

from deploy.settings import ROOT, Settings
from workers.queues import GROUPS, processes

TASKS_PER_CHILD = {"ecg": 500}  # decoders of pictures are where memory leaks; a new process costs an ECG little
WEB = (sys.executable, "-m", "gunicorn", "-c", "python:deploy.front", "web.wsgi:app")
MQTT = (sys.executable, "-m", "workers.mqtt")
CELERY = (sys.executable, "-m", "celery", "-A", "workers.celery_app")
BEAT = (*CELERY, "beat", "-S", "workers.beat:SqlScheduler", "--pidfile=")
FLOWER = (*CELERY, "flower")


def worker(group: str, settings: Settings) -> Sequence[str]:
    """Of the worker that serves a group of queues."""
    count = processes(settings)[group]
    options = ["-n", f"{group}@{settings.node}", "-Q", ",".join(GROUPS[group]), "-c", str(count), "-O", "fair"]
    if group in TASKS_PER_CHILD:
        options += ["--max-tasks-per-child", str(TASKS_PER_CHILD[group])]
    return [*CELERY, "worker", *options, "--without-mingle", "--without-gossip"]


def flower_environment(settings: Settings, address: str, port: int) -> dict[str, str]:
    """Flower with a password of its own, which its metrics and API ask for too; what it saw survives."""
    folder = settings.var / "flower"
    folder.mkdir(exist_ok=True, mode=0o700)
    return {
        "FLOWER_CONF": str(ROOT / "deploy" / "flower_options.py"),
        "FLOWER_ADDRESS": address,
        "FLOWER_PORT": str(port),
        "FLOWER_BASIC_AUTH": f"nightshift:{settings.secret('flower_password')}",
        "FLOWER_DB": str(folder / "state"),
        "FLOWER_UNAUTHENTICATED_API": "false",
    }
