"""SQLite's writers take turns through a lock on a file beside the database.

SQLite has one writer, and the others ask again after 1, 2, 5 … 100 ms: with two busy processes the lock lies idle for
half of the time, and now and then one of them waits for most of a second. Asked for every third of a millisecond, the
same two processes write twice as much, and the longest wait is some milliseconds (deploy/decisions/0010).
"""

import fcntl
import os
import time
from typing import Any

PATIENCE_SECONDS = 15.0  # then SQLite's own lock decides, which has a timeout and an error of its own
SOON, LATE = 0.0003, 0.01
_open: set[int] = set()  # this process's file descriptors


def take(info: dict[str, Any], path: str) -> None:
    """Wait for a connection's turn to write; its `info` remembers the file."""
    lock = info.get("turn")
    if lock is None or lock not in _open:  # the first time, or the process was forked since
        lock = info["turn"] = os.open(f"{path}-turn", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        _open.add(lock)
    started = time.monotonic()
    while not _got(lock) and (waited := time.monotonic() - started) < PATIENCE_SECONDS:
        time.sleep(SOON if waited < 1 else LATE)


def give(info: dict[str, Any]) -> None:
    """The connection has ended its transaction."""
    lock = info.get("turn")
    if lock is not None and lock in _open:
        fcntl.flock(lock, fcntl.LOCK_UN)


def close(info: dict[str, Any]) -> None:
    """The connection is closed."""
    lock = info.pop("turn", None)
    if lock is not None and lock in _open:
        _open.discard(lock)
        os.close(lock)


def _got(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _after_fork() -> None:
    """A forked child shares its parent's locks: one killed in its turn would leave it to the child for ever."""
    for lock in _open:
        os.close(lock)
    _open.clear()


os.register_at_fork(after_in_child=_after_fork)
