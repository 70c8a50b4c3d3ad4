"""A real worker or beat of the product that knows the faults' jobs: `celery -A tests.faults.worker worker`.

FAULTS_JOBS names jobs of the product that it knows as well ("mail ecg"); FAULTS_INCLUDE names modules that it imports,
such as one with a failpoint.
"""

import importlib
import os

from celery import Celery

import tasks
from tests.faults import jobs

PROCESS = "FAULTS_PROCESS"  # set for worker and beat alone: whoever else imports this module must not be changed by it


def _app() -> Celery:
    chosen = jobs.with_product(*os.environ.get("FAULTS_JOBS", "").split())
    setattr(tasks, "discover", lambda: chosen)  # noqa: B010  # before anybody imports it from there
    celery_app = importlib.import_module("workers.celery_app")
    for module in os.environ.get("FAULTS_INCLUDE", "").split():
        importlib.import_module(module)
    app: Celery = celery_app.app
    return app


if PROCESS in os.environ:
    app = _app()
