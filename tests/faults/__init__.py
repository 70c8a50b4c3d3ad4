"""Seventeen faults that the engine survives, at their full sizes: `python -m tests.faults`, or `make faults`.

A fault is a module with `run(stage: Stage) -> Verdict`. It breaks something real (a worker, a broker, a database, a
clock) under load and then reads from the tables what became of every run that was accepted.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

# main: one after the other. side: mostly waits, beside main. alone: measures times, with nothing else on the machine.
Lane = Literal["main", "side", "alone"]
SQLITE = ("sqlite+valkey",)
BOTH = (*SQLITE, "postgresql+valkey")
ALL = (*BOTH, "mariadb+valkey", "postgresql+rabbitmq")
EACH_SERVER = ("sqlite+valkey", "mariadb+valkey", "postgresql+rabbitmq")


@dataclass(frozen=True)
class Fault:
    """One line of the list: where its code lies, on what it is played unless `--on` says, and how long it may take."""

    number: int
    module: str
    on: tuple[str, ...] = BOTH
    only: bool = False  # what it breaks is there on these pairs alone
    limit_s: int = 300
    lane: Lane = "main"

    @property
    def run(self) -> Callable[[Any], Any]:
        """Imported only now: a run of one fault needs none of the others."""
        found: Callable[[Any], Any] = self._module().run
        return found

    @property
    def stage(self) -> dict[str, Any]:
        """What the module wants of its stage beyond the usual: its STAGE, as arguments of `stage.opened`."""
        return dict(getattr(self._module(), "STAGE", {}))

    def _module(self) -> Any:
        return importlib.import_module(f"tests.faults.{self.module}")


FAULTS = {
    fault.number: fault
    for fault in (
        Fault(1, "kill", EACH_SERVER, limit_s=1200),
        Fault(2, "pop_window", lane="side"),
        Fault(3, "broker_away", ALL, lane="side"),
        Fault(4, "broker_silent", lane="side"),
        Fault(5, "broker_full"),
        Fault(6, "database_away", lane="alone"),
        Fault(7, "submit_dies", SQLITE, limit_s=900),
        Fault(8, "delivered_again", ALL),
        Fault(9, "clock", lane="side"),
        Fault(10, "beats", lane="side", limit_s=600),
        Fault(11, "mail", SQLITE, limit_s=600, lane="alone"),
        Fault(12, "poison", SQLITE, limit_s=900),
        Fault(13, "disk_full"),
        Fault(14, "rolling", limit_s=600, lane="side"),
        Fault(15, "cancels"),
        Fault(16, "model", SQLITE, only=True, limit_s=600),
        Fault(17, "power_cut", SQLITE, only=True),
    )
}
