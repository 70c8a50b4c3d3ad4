"""The ways a job fails on purpose: the user's fault, and a passing trouble of ours."""

from typing import Any


class JobError(Exception):
    """Final, and the user's: its message is one full sentence for them that says what to do. Never retried."""


class FieldError(JobError):
    """A JobError that belongs beside one field of the form (422 in the API).

    Args:
        field: the name of the Params field.
        message: what is wrong and what to do, one sentence.
        status: the HTTP status that fits best: 422, or 413 (too large) or 415 (a kind of file that is not read).
    """

    def __init__(self, field: str, message: str, status: int = 422) -> None:
        super().__init__(message)
        self.field = field
        self.status = status


class NoSuchAddress(JobError):
    """A mail server says for good that there is no such address: others need not be tried either."""


class TryLater(Exception):
    """Passing: the world was not ready (a server was down). Retried with backoff and jitter, up to the job's attempts.

    Args:
        message: what was not ready, for the run's timeline.
        seconds: wait at least this long, when the other side said so.
    """

    def __init__(self, message: str, seconds: float | None = None) -> None:
        super().__init__(message)
        self.seconds = seconds


class Away(TryLater):
    """A server is not to be reached at all, so that the rest of the work would only wait for it as well."""


class FilesAway(TryLater):
    """Where files stand does not answer. The run waits until it does, which spends none of its tries."""


class AnotherForm(TryLater):
    """What was filled in has fields that this release does not know: while the next one comes, its workers take it."""

    def __init__(self) -> None:
        super().__init__("A worker of another release took this, which does not know all that was filled in.", 60)


class FannedOut(Exception):
    """Not an error: the run waits for its children, and is run again when they have ended. `ctx.fan_out` raises it."""

    def __init__(self, kind: str, params: list[dict[str, Any]]) -> None:
        super().__init__(kind)
        self.kind = kind
        self.params = params
