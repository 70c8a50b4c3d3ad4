"""A real Flower on the embedded Valkey, watching a real Celery worker."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from celery import Celery

from deploy.commands import flower_environment
from deploy.settings import Settings
from tests.make_run import until
from workers import broker

SHOP = """
import os
from celery import Celery
app = Celery("shop", broker=os.environ["NIGHTSHIFT_BROKER_URL"])
app.conf.update(task_ignore_result=True, task_default_queue="scans", worker_send_task_events=True)
@app.task(name="stock")
def stock(run_id):
    pass
"""


@dataclass
class Stack:
    """Where a running Flower is, its password, and an app to send tasks with."""

    address: str
    password: str
    shop: Celery


@contextmanager
def flower_stack(folder: Path) -> Iterator[Stack]:
    """A broker, a worker that sends events, and Flower beside them; all are gone afterwards."""
    (folder / "shop.py").write_text(SHOP)
    settings = Settings(var=folder)
    broker_port, port = broker.free_ports(2)
    url = broker.url(broker_port, "a-password")
    watched = {"NIGHTSHIFT_BROKER_URL": url, **flower_environment(settings, "127.0.0.1", port)}
    celery = [sys.executable, "-m", "celery", "-A", "shop"]
    options = ["-n", "scans@here", "-Q", "scans", "-c", "1", "-E", "--without-gossip", "--without-mingle"]
    worker = [*celery, "worker", *options]
    environment = {**os.environ, **watched, "PYTHONPATH": str(folder)}
    commands = (broker.command(folder / "broker", broker_port, "a-password"), worker, [*celery, "flower"])
    found = Stack(f"http://127.0.0.1:{port}/flower", settings.secret("flower_password"), Celery("shop", broker=url))
    found.shop.conf.task_ignore_result = True
    with ExitStack() as running:
        for command in commands:
            running.enter_context(process(command, folder, environment))
            until(lambda: broker.answers(url))
        until(lambda: "scans@here" in _workers(found))
        yield found
        found.shop.close()


@contextmanager
def process(command: list[str], folder: Path, environment: dict[str, str]) -> Iterator[None]:
    """A process that is surely gone afterwards."""
    with (folder / "log").open("ab") as log:
        started = subprocess.Popen(command, env=environment, cwd=folder, stdout=log, stderr=log)
    try:
        yield
    finally:
        started.terminate()
        try:
            started.wait(15)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()


def _workers(stack: Stack) -> dict[str, Any]:
    try:
        answer = requests.get(f"{stack.address}/api/workers?refresh=1", auth=("nightshift", stack.password), timeout=5)
    except requests.ConnectionError:
        return {}
    return dict(answer.json()) if answer.ok else {}
