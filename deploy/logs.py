"""Logs: structlog and the standard library's loggers in one form: JSON lines, or readable ones on a terminal.

What runs is bound with `structlog.contextvars.bind_contextvars(run=…, job=…)` and stands in each line of that thread.
"""

import logging
import re
import sys
import time
from typing import TYPE_CHECKING, Any

import structlog
from structlog.typing import EventDict, Processor

if TYPE_CHECKING:
    from flask import Flask, Response

# Libraries write these into their messages: passwords, people's addresses, what somebody searched for. What stands
# before a sign is bounded: looked for from each letter of a long text, it would take as long as the text is squared.
HIDDEN = (
    (re.compile(r"(\w{1,20}://)[^\s/@]+@"), r"\1***@"),
    (re.compile(r"[\w.+-]{1,64}@[\w-]+(\.[\w-]+)+"), "<address>"),
    (re.compile(r"(?<=[\w/])\?[^\s\"')=?]*=[^\s\"')]*"), "?…"),
)
PLAIN = (bool, int, float, type(None))
# Celery's "received" and "succeeded" say of a message what our own line says of its run, and cost as much as the run.
NOISY = (
    "celery.worker.strategy", "celery.app.trace", "urllib3", "werkzeug", "kombu", "amqp", "alembic", "matplotlib",
    "PIL", "ibm_db_sa",
)  # fmt: skip


def configure(level: str = "info", json: bool | None = None) -> None:
    """Sets this process's logging up, once more if called again; `json=None`: unless stderr is a terminal."""
    as_json = not sys.stderr.isatty() if json is None else json
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,  # before any pretty one, which shows local variables and so people's data
        hide,
    ]
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    renderer: Processor = structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer()
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer]
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in NOISY:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))


def hide(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Strikes passwords in URLs, mail addresses and query strings out of every text of a line."""
    return {
        key: value if key[0] == "_" or isinstance(value, PLAIN) else hidden(str(value)) for key, value in event.items()
    }


def hidden(text: str) -> str:
    """The text without passwords in URLs, mail addresses and query strings."""
    if "@" not in text and "?" not in text:  # as in most lines: none of the patterns fits
        return text
    for pattern, replacement in HIDDEN:
        text = pattern.sub(replacement, text)
    return text


def log_requests(app: "Flask") -> None:
    """One line for each request: method, the route's pattern (a path may hold a token), status, milliseconds."""
    from flask import g, request

    log = structlog.get_logger("web")

    @app.before_request
    def _start() -> None:
        g.request_started = time.perf_counter()

    @app.after_request
    def _end(response: "Response") -> "Response":
        started = g.get("request_started")
        took = round((time.perf_counter() - started) * 1000, 1) if started else None
        route = request.url_rule.rule if request.url_rule else "no route"
        log.info("request", method=request.method, route=route, status=response.status_code, ms=took)
        return response
