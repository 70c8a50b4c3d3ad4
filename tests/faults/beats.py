"""Fault 10: five beats, one of them killed every 20 s. Each slot gets its run once, and at most 10 s late."""

import time
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select, update

from models.base import new_id
from models.run import Run
from models.schedule import Schedule, Slot
from models.session import EVERYONE
from tests.bench.figures import quantile
from tests.faults.jobs import JOB
from tests.faults.processes import Beat
from tests.faults.stage import Stage, Verdict

BEATS, KILL_EVERY_S, LATE_S, MINUTES, SLOTS = 5, 20.0, 10.0, 4, 300
AHEAD_S = 15  # until the first slot: the beats have to start


@dataclass
class Book:
    """Which slots must come: (schedule, epoch milliseconds)."""

    slots: set[tuple[str, int]] = field(default_factory=set)

    @property
    def last(self) -> float:
        return max(due for _, due in self.slots) / 1000


def run(stage: Stage) -> Verdict:
    """Four slots in five are due with many others at a full minute; the rest come one by one in between."""
    book = _plan(stage, stage.size(SLOTS), stage.size(MINUTES))
    beats = [stage.beat(f"beat{number}") for number in range(BEATS)]
    stage.workers(1, 1)
    kills = _kill_in_turn(stage, beats, book.last + LATE_S + 2)
    with stage.runtime.database.write(EVERYONE) as session:
        session.execute(update(Schedule).values(enabled=False))
    found, late = _read(stage)
    complaints = [] if stage.settles(60) else ["the runs of the slots did not end within 60 s"]
    gone, extra = book.slots - found.keys(), found.keys() - book.slots
    complaints += [f"{len(gone)} slots have no run"] if gone else []
    complaints += [f"{len(extra)} slots too many"] if extra else []
    complaints += [f"a slot was {max(late):.1f} s late"] if max(late, default=0) > LATE_S else []
    complaints += [f"{doubled} runs stand for no slot"] if (doubled := _strangers(stage, found)) else []
    size = {"slots": len(book.slots), "beats": BEATS, "kills": kills}
    figures = {"late_max_s": round(max(late, default=0), 2), "late_p99_s": round(quantile(late or [0], 0.99), 2)}
    return stage.verdict(10, "beats killed", size, complaints, recovered=late, figures=figures)


def _plan(stage: Stage, slots: int, minutes: int) -> Book:
    """Writes the schedules; which slots they must bring."""
    start = time.time() + AHEAD_S
    first = (int(start // 60) + 1) * 60_000
    book, rows = Book(), []
    together = slots * 4 // 5 // minutes
    for _ in range(together):
        row = Schedule(**whose(stage), cron="* * * * *")
        row.next_due = first
        rows.append(row)
        book.slots |= {(row.id, first + 60_000 * minute) for minute in range(minutes)}
    alone = slots - together * minutes
    step = (book.last - start) / alone
    for number in range(alone):
        at = int((start + number * step) * 1000)
        once = Schedule(**whose(stage), repeat="once")
        once.once_at = once.next_due = at
        rows.append(once)
        book.slots.add((once.id, at))
    with stage.runtime.database.write(EVERYONE) as session:
        session.add_all(rows)
    return book


def _kill_in_turn(stage: Stage, beats: list[Beat], until: float) -> int:
    """Every 20 s one of them; it is started again at once, as a process manager does."""
    kills, following = 0, time.time() + KILL_EVERY_S
    while time.time() < until:
        time.sleep(0.2)
        if time.time() >= following:
            number = stage.rng.randrange(len(beats))
            beats[number].kill()
            beats[number] = stage.beat(beats[number].name)
            kills, following = kills + 1, following + KILL_EVERY_S
    return kills


def _read(stage: Stage) -> tuple[dict[tuple[str, int], str], list[float]]:
    """The slots that got a run, and how many seconds after its time each did."""
    with stage.runtime.database.read(EVERYONE) as session:
        slots = session.execute(select(Slot.schedule_id, Slot.due, Slot.run_id).where(Slot.run_id.is_not(None))).all()
        created = {row.id: row.created_at for row in session.execute(select(Run.id, Run.created_at))}
    stage.accepted.update(row.run_id for row in slots)
    return {(row.schedule_id, row.due): row.run_id for row in slots}, [
        (created[row.run_id] - row.due) / 1000 for row in slots if row.run_id in created
    ]


def _strangers(stage: Stage, found: dict[tuple[str, int], str]) -> int:
    """Runs of schedules that no slot names: a slot that got two runs would leave one."""
    with stage.runtime.database.read(EVERYONE) as session:
        ids = set(session.scalars(select(Run.id).where(Run.kind == JOB.kind)))
    return len(ids - set(found.values()))


def whose(stage: Stage) -> dict[str, Any]:
    """What every schedule of a fault has in common."""
    return {
        "id": new_id(),
        "workspace_id": stage.workspace,
        "account_id": stage.account,
        "kind": JOB.kind,
        "params": {},
    }
