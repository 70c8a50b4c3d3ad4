"""What stands on the broker, the same for all who declare it, and what Celery is told about each kind of broker.

Redis and Valkey need nothing declared. On RabbitMQ the queues are quorum queues: they outlive the loss of a node, and
a message that kills worker after worker ends in a queue of dead letters. Priority and delays are ours, in SQL.
"""

from typing import Any

from kombu import Connection, Exchange, Queue

from workers.queues import QUEUES

DELIVERIES = 20  # a message that came back so often is put aside; its run is long ended, or published afresh
DEAD = "nightshift.dead"
DAY_MS = 24 * 3600 * 1000
VISIBLE_SECONDS = 24 * 3600  # Redis: a message that nobody acknowledged for so long comes again
# RabbitMQ 3.12 and later; older ones leave it unread and take consumer_timeout of rabbitmq.conf, 30 min by default.
CONSUMER_TIMEOUT_MS = 25 * 3600 * 1000
OLD_RABBIT_SECONDS = 30 * 60
HEARTBEAT = 20  # seconds; a broker that is half-open is noticed after two of them


def is_rabbit(url: str) -> bool:
    return url.startswith("amqp")


def queue(name: str, url: str) -> Queue:
    """A queue as workers consume it and as producers declare it: RabbitMQ refuses one with other arguments."""
    if not is_rabbit(url):
        return Queue(name, Exchange(name), routing_key=name)
    arguments = {
        "x-queue-type": "quorum",
        "x-delivery-limit": DELIVERIES,
        "x-dead-letter-exchange": DEAD,
        "x-consumer-timeout": CONSUMER_TIMEOUT_MS,
    }
    return Queue(name, Exchange(name), routing_key=name, queue_arguments=arguments)


def dead_letters() -> Queue:
    """Where messages end that came back too often: kept for a week, ten thousand at most, for somebody to look at."""
    arguments = {"x-queue-type": "quorum", "x-message-ttl": 7 * DAY_MS, "x-max-length": 10_000}
    return Queue(DEAD, Exchange(DEAD, type="fanout"), queue_arguments=arguments)


def celery_options(url: str) -> dict[str, Any]:
    """Celery's settings that depend on the broker."""
    options: dict[str, Any] = {
        "worker_consumer": "workers.consumer:Consumer",
        "task_queues": [queue(name, url) for name in QUEUES],
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "broker_channel_error_retry": True,  # such as a full Redis that refuses writes: a worker must not end of it
    }
    if is_rabbit(url):
        return options | {"broker_heartbeat": HEARTBEAT, "broker_transport_options": {"confirm_publish": True}}
    transport = {
        "visibility_timeout": VISIBLE_SECONDS,
        "socket_timeout": 10,
        "socket_connect_timeout": 3,
        "health_check_interval": 15,
        "unacked_restore_interval": 5,
        "unacked_restore_throttle": 1,
    }
    return options | {"broker_transport_options": transport}


def advice(connection: Connection, longest: float) -> str:
    """What an operator should set on a RabbitMQ before 3.12, whose limit stands in its own file; mostly nothing."""
    properties = getattr(connection.connection, "server_properties", None) or {}
    version = str(properties.get("version", ""))
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if not numbers or numbers >= (3, 12) or longest <= OLD_RABBIT_SECONDS:
        return ""
    return (
        f"RabbitMQ {version} closes the channel of a worker whose run takes longer than its consumer_timeout "
        f"(30 min unless set); the longest job here may take {longest / 60:.0f} min. Set "
        f"consumer_timeout = {CONSUMER_TIMEOUT_MS} in rabbitmq.conf, or use RabbitMQ 3.12 or later."
    )
