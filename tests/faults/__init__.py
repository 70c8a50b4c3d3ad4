"""Seventeen faults that the engine survives, at their full sizes: `python -m tests.faults`, or `make faults`.

A fault is a module with `run(stage: Stage) -> Verdict`. It breaks something real (a worker, a broker, a database, a
clock) under load and then reads from the tables what became of every run that was accepted.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

BOTH = ("sqlite+valkey", "postgresql+valkey")
ALL = (*BOTH, "mariadb+valkey", "postgresql+rabbitmq")


@dataclass(frozen=True)
class Fault:
    """One line of the list: where its code lies, on what it is run, and how long it may take."""

    number: int
    module: str
    on: tuple[str, ...] = BOTH
    limit_s: int = 300
    idle: bool = False  # it mostly waits, and measures nothing that a busy machine would spoil: runs beside others

    @property
    def run(self) -> Callable[[Any], Any]:
        """Imported only now: a run of one fault needs none of the others."""
        found: Callable[[Any], Any] = importlib.import_module(f"tests.faults.{self.module}").run
        return found


FAULTS = {
    fault.number: fault
    for fault in (
        Fault(1, "kill", ALL, limit_s=900),
        Fault(2, "pop_window"),
        Fault(3, "broker_away", ALL),
        Fault(4, "broker_silent", idle=True),
        Fault(5, "broker_full"),
        Fault(6, "database_away"),
        Fault(7, "submit_dies", limit_s=900),
        Fault(8, "delivered_again", ALL),
        Fault(9, "clock", idle=True),
        Fault(10, "beats", idle=True, limit_s=600),
        Fault(11, "mail", limit_s=600),
        Fault(12, "poison", limit_s=900),
        Fault(13, "disk_full"),
        Fault(14, "rolling", limit_s=600, idle=True),
        Fault(15, "cancels"),
        Fault(16, "model", ("sqlite+valkey",), limit_s=600),
        Fault(17, "power_cut", ("sqlite+valkey",)),
    )
}
