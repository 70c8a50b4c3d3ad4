"""Celery alone, with the job of fault 1: its defaults, or with the settings that are called safe (PLAIN_SAFE=1)."""

import os
import time
from pathlib import Path

from celery import Celery

app = Celery("plain", broker=os.environ.get("PLAIN_BROKER", "memory://"))
app.conf.update(task_ignore_result=True, broker_connection_retry_on_startup=True)
if os.environ.get("PLAIN_SAFE"):
    app.conf.update(task_acks_late=True, task_reject_on_worker_lost=True, worker_prefetch_multiplier=1)


@app.task(name="work")
def work(number: int, milliseconds: int, busy: bool) -> None:
    """Works as tests.faults.jobs does, and leaves a line as its effect."""
    if busy:
        end = time.process_time() + milliseconds / 1000
        while time.process_time() < end:
            pass
    else:
        time.sleep(milliseconds / 1000)
    with Path(os.environ["PLAIN_EFFECTS"]).open("a") as file:
        file.write(f"{number}\n")
