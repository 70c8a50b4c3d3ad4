"""Fault 9: clocks that are wrong. One machine's is set an hour ahead and back; and all pass a night of daylight saving.

On PostgreSQL and MariaDB the database's clock alone counts, so a worker's or a beat's own changes nothing. SQLite's
clock is the caller's: there no more is promised than that nothing happens twice.
"""

import time
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from beat_schedule import times
from models import lifecycle
from models.run import END_STATES, Run
from models.schedule import Schedule, Slot
from models.session import EVERYONE
from tests.faults.beats import whose
from tests.faults.jobs import JOB
from tests.faults.stage import Stage, Verdict

LIBRARY = "faketime/libfaketimeMT.so.1"
HOUR = 3600
ZONE = "Europe/Berlin"
NIGHT_LINES = ("0 2 * * *", "30 2 * * *", "0 3 * * *")
# (moment that the clocks are set to, how long they then run): over the gap, over the fold's first and second 2:30.
NIGHTS = {
    "2027-03-28": ("2027-03-28T00:59:50", "2027-03-28T01:29:52"),
    "2027-10-31": ("2027-10-30T23:59:50", "2027-10-31T00:29:52", "2027-10-31T00:59:52", "2027-10-31T01:29:52",
                   "2027-10-31T01:59:52"),
}  # fmt: skip
STAY_S = 16


# libfaketime 0.9.10 breaks the call that Python 3.11 sleeps by, whatever its settings; Python reads this at its start.
SLEEP = "import select, time\ntime.sleep = lambda seconds: select.select([], [], [], seconds) and None\n"


class Clock:
    """A clock that processes started with `environment` have; it can be set while they run."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._patches = path.with_suffix(".python")
        self._patches.mkdir(exist_ok=True)
        (self._patches / "sitecustomize.py").write_text(SLEEP)
        self.set(0)

    def set(self, ahead: float) -> None:
        """So many seconds ahead of the real one."""
        self._path.write_text(f"{ahead:+.3f}\n")
        self._path.chmod(0o644)

    @property
    def environment(self) -> dict[str, str]:
        found = sorted(Path("/usr/lib").glob(f"**/{LIBRARY}"))
        if not found:
            raise RuntimeError("libfaketime is not installed (Debian: apt install faketime)")
        return {
            "LD_PRELOAD": str(found[0]), "FAKETIME_TIMESTAMP_FILE": str(self._path), "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1", "NO_FAKE_STAT": "1", "PYTHONPATH": str(self._patches),
        }  # fmt: skip


def run(stage: Stage) -> Verdict:
    """An hour ahead and back, then the two nights."""
    complaints, figures = _hour_ahead(stage)
    complaints += _nights(stage)
    size = {"jobs": len(stage.accepted), "nights": len(NIGHTS)}
    promised = stage.database != "sqlite"
    return stage.verdict(9, "clocks set", size, complaints, figures=figures, settled=promised)


def _hour_ahead(stage: Stage) -> tuple[list[str], dict[str, int]]:
    """A beat and a worker whose clock is an hour ahead for a while, beside a beat and a worker whose clock is right."""
    clock = Clock(stage.folder / "clock")
    _schedule(stage, ["* * * * *"] * 5, "UTC", time.time())
    stage.beat("right")
    wrong = [stage.beat("wrong", clock.environment), stage.worker("wrong", more=clock.environment)]
    stage.workers(1)
    stage.submit(8, milliseconds=25_000, steps=25)  # longer than a lease
    stage.submit(stage.size(400), batch=10, milliseconds=40)
    for ahead, seconds in ((0, 5), (HOUR, 30), (0, 30)):
        clock.set(ahead)
        time.sleep(seconds)
    sure = stage.database != "sqlite"
    complaints = [] if not sure or stage.settles(90) else ["it did not settle within 90 s"]
    for process in wrong:
        process.kill()
    early = _early(stage)
    complaints += [f"{early} tries were spent though no worker was lost"] if sure and early else []
    complaints += _slots_of_minutes(stage) if sure else []
    _clear(stage)
    for process in stage.processes:
        process.kill()
    return complaints, {"tries_spent": early}


def _clear(stage: Stage) -> None:
    """No schedule of the first scene goes on in the second, and no long run keeps its worker busy."""
    with stage.runtime.database.write(EVERYONE) as session:
        for schedule in session.scalars(select(Schedule).where(Schedule.kind == JOB.kind)):
            schedule.enabled = False
        for run_id in session.scalars(select(Run.id).where(Run.state.not_in(END_STATES))).all():
            lifecycle.cancel(session, run_id)


def _early(stage: Stage) -> int:
    """No worker dies here: every try that was spent was a rescue that came too early."""
    with stage.runtime.database.read(EVERYONE) as session:
        return int(session.scalar(select(func.sum(Run.tries)).where(Run.listed.is_(True))) or 0)


def _slots_of_minutes(stage: Stage) -> list[str]:
    """Every minute from the first slot to the last must have one, in every schedule."""
    with stage.runtime.database.read(EVERYONE) as session:
        slots = session.execute(select(Slot.schedule_id, Slot.due, Slot.run_id)).all()
    by: dict[str, list[int]] = {}
    for row in slots:
        by.setdefault(row.schedule_id, []).append(row.due)
    gaps = [one for dues in by.values() if (one := sorted(dues)) != list(range(one[0], one[-1] + 1, 60_000))]
    late = sum(row.due > time.time() * 1000 for row in slots)
    return [f"{len(gaps)} schedules miss a minute"] * bool(gaps) + [f"{late} slots came early"] * bool(late)


def _nights(stage: Stage) -> list[str]:
    """Clocks of beat, worker and database pass the nights; each line comes once in each."""
    where = stage.database_server.folder if stage.database_server else stage.folder
    clock = Clock(where / "night")
    if stage.database_server:
        stage.runtime.database.close()
        stage.database_server.stop()
        _give(stage.database_server, clock.environment)
        stage.database_server.start()
    complaints: list[str] = []
    first = _set(clock, next(iter(NIGHTS.values()))[0])
    ids = _schedule(stage, list(NIGHT_LINES), ZONE, first)
    for name in ("night0", "night1"):
        stage.beat(name, clock.environment)
    stage.worker("night", more=clock.environment).until_ready()
    for day, moments in NIGHTS.items():
        for moment in moments:
            _set(clock, moment)
            time.sleep(STAY_S)
        counted = _ran_on(stage, ids, day)
        complaints += [f"{line} ran {counted[each]} times on {day}" for each, line in ids.items() if counted[each] != 1]
    return complaints


def _give(server: object, environment: Mapping[str, str]) -> None:
    setattr(server, "environment", lambda: dict(environment))  # noqa: B010


def _set(clock: Clock, moment: str) -> float:
    wanted = datetime.fromisoformat(moment).replace(tzinfo=UTC).timestamp()
    clock.set(wanted - time.time())
    return wanted


def _ran_on(stage: Stage, ids: Mapping[str, str], day: str) -> Counter[str]:
    """How many runs each schedule had on a day of the zone."""
    with stage.runtime.database.read(EVERYONE) as session:
        slots = session.execute(select(Slot.schedule_id, Slot.due).where(Slot.run_id.is_not(None))).all()
    zone = ZoneInfo(ZONE)
    days = [(row.schedule_id, datetime.fromtimestamp(row.due / 1000, zone).date().isoformat()) for row in slots]
    return Counter(each for each, when in days if when == day and each in ids)


def _schedule(stage: Stage, lines: list[str], zone: str, now: float) -> dict[str, str]:
    """Schedules with these crontab lines; their ids with the lines."""
    rows = [Schedule(**whose(stage), cron=line, time_zone=zone) for line in lines]
    for row in rows:
        row.next_due = times.after(times.Rule("cron", zone, row.cron), int(now * 1000))
    with stage.runtime.database.write(EVERYONE) as session:
        session.add_all(rows)
    return {row.id: row.cron for row in rows}
