"""The Celery app: one task for each job, all with the same body. SQL holds states and results, a message an id."""

import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import structlog
from billiard.exceptions import TimeLimitExceeded, WorkerLostError
from celery import Celery, Task, bootsteps
from celery.signals import setup_logging, worker_process_init, worker_ready, worker_shutting_down
from celery.worker.request import Request
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from deploy import garbage
from deploy.logs import configure
from models import lifecycle
from models.session import EVERYONE
from tasks import discover
from tasks.job import Job
from workers import alive
from workers.execute import execute, hand_back, out_of_time
from workers.queues import QUEUES
from workers.runtime import runtime
from workers.topology import celery_options
from workers.woken import Message, woken

log = structlog.get_logger()
GRACE = 30  # seconds between an attempt's own time limit and the end of its process
DRAIN_SECONDS = 10  # how long a worker that is asked to stop lets its runs finish before it hands them back

app = Celery("nightshift", broker=runtime().settings.broker)
app.conf.update(
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    task_serializer="json",
    accept_content=["json"],
    task_default_queue="default",
    task_publish_retry_policy={"max_retries": 2, "interval_start": 0.1, "interval_max": 0.2},
    worker_send_task_events=False,  # Flower asks for them while it runs; without it nobody pays for them
    worker_prefetch_multiplier=1,
    worker_cancel_long_running_tasks_on_connection_loss=False,
    worker_max_tasks_per_child=10_000,  # against leaks; for the ECG's queue deploy/processes.py says less
    worker_proc_alive_timeout=60,
    timezone="UTC",
    **celery_options(runtime().settings.broker),
)


class Alive(bootsteps.StartStopStep):
    """By the timer of the loop that also fetches messages. A worker that waits for its broker is well."""

    requires = ("celery.worker.components:Timer",)

    def start(self, parent: Any) -> None:
        alive.sign(runtime().settings)
        parent.timer.call_repeatedly(alive.EVERY, alive.sign, (runtime().settings,))


app.steps["worker"].add(Alive)


class LeaseRequest(Request):
    """A worker's parent that sees its child die ends that child's lease at once, so that the run goes on in seconds."""

    def on_failure(self, exc_info: Any, send_failed_event: bool = True, return_ok: bool = False) -> Any:
        # An attempt that ends in order raises nothing, so the run was left. Of a time limit we hear again at once.
        if exc_info.type is not TimeLimitExceeded:
            died = isinstance(exc_info.exception, WorkerLostError)
            self._tell(partial(lifecycle.end_leases, run_id=None if died else self.args[0]))
        return super().on_failure(exc_info, send_failed_event, return_ok)

    def on_timeout(self, soft: bool, timeout: float) -> Any:
        if not soft:
            self._tell(partial(out_of_time, discover()[self.name], runtime().origin))
        return super().on_timeout(soft, timeout)

    def _tell(self, what: Callable[[Session, str], object]) -> None:
        """What became of the child's runs; where the database is away, the lease runs out by itself."""
        try:
            with runtime().database.write(EVERYONE) as session:
                what(session, worker_name(self.hostname, os.getpid(), self.worker_pid))
        except SQLAlchemyError as error:
            log.warning("lease.not_ended", run=self.args[0], job=self.name, error=type(error).__name__)


class RunTask(Task[..., None]):
    """Celery's side of a job."""

    Request = LeaseRequest  # type: ignore[assignment]  # the stubs know only its name as text


def worker_name(host: str, parent: int, child: object) -> str:
    """What a run is claimed as: the parent's name and process id, by which hand_back finds it, then the child's."""
    return f"{host}:{parent}/{child}"


def _register(job: Job) -> None:
    @app.task(
        name=job.kind, base=RunTask, bind=True, queue=job.queue,
        soft_time_limit=job.time_limit, time_limit=job.time_limit + GRACE,
    )  # fmt: skip
    def body(self: Any, run_id: str) -> None:
        queue = (self.request.delivery_info or {}).get("routing_key") or job.queue
        woken(
            runtime(), Message(job.kind, queue, run_id), worker_name(self.request.hostname, os.getppid(), os.getpid())
        )


for _job in discover().values():
    if _job.queue not in QUEUES:
        raise RuntimeError(f"tasks/{_job.kind}: no worker serves the queue {_job.queue!r}; see workers/queues.py")
    _register(_job)


@setup_logging.connect
def _logging(**_: Any) -> None:
    configure(runtime().settings.log_level)


@worker_process_init.connect
def _after_fork(**_: Any) -> None:
    runtime().database.forget()
    with suppress(SQLAlchemyError):
        execute(runtime(), "", "warm up")  # claims nothing, but the first real claim finds an engine and its SQL ready
    garbage.settle()


def _lives(process: int) -> bool:
    if process == os.getpid():
        return False  # a container's main process is 1 each time: we claimed nothing yet, so that was another
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # it is somebody else's, and lives
    return True


@worker_ready.connect
def _predecessors(sender: Any, **_: Any) -> None:
    """What a worker of this name ran that was killed here, with all its children: beat takes it back at once."""
    with suppress(SQLAlchemyError), runtime().database.begin() as connection:
        if ended := lifecycle.end_leases_of_the_dead(connection, sender.hostname, _lives):
            log.warning("worker.predecessor_lost", runs=ended)


@worker_shutting_down.connect
def _stop(sender: str, how: str, **_: Any) -> None:
    """SIGTERM: Celery takes nothing new and waits for its children; a thread sees to it that this has an end."""
    if how == "Warm":
        threading.Thread(target=_drain, args=(f"{sender}:{os.getpid()}",), daemon=True).start()


def _drain(worker: str) -> None:
    time.sleep(DRAIN_SECONDS)  # a worker whose runs all ended by then is gone, and this thread with it
    hand_back(runtime(), worker)
    os.kill(os.getpid(), signal.SIGQUIT)  # Celery's cold shutdown: it kills its children
