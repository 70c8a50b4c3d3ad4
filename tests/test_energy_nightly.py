"""The nightly look at all meters: each by itself, once a night, and one that breaks stops no other."""

import contextlib

import pytest
from sqlalchemy import select, update

from models.meter import Meter, Outlook
from models.run import QUEUED, Run
from models.session import EVERYONE
from models.workspace import SYSTEM
from tasks import discover
from tasks.context import Context
from tasks.handover import HandedOver
from tasks.metering import looking, nightly, readings
from tests import energy_rows
from tests.conftest import Person
from tests.energy_rows import DAY, START, add_meter, meter_of, outlook_of, usage
from tests.front import WORKER, the_run
from workers.enqueue import submit
from workers.execute import execute
from workers.runtime import Runtime

JOB = discover()["energy"]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nightly, "BUDGET", 0.05)


def night(runtime: Runtime, workspace: str = SYSTEM, person: Person | None = None) -> Run:
    """One run over everything, with its parts; as it ended."""
    with runtime.database.write(EVERYONE) as session:  # the runs that new meters woke would do the work before it
        session.execute(update(Run).where(Run.state == QUEUED).values(state="cancelled"))
    with runtime.database.write(workspace) as session:
        account = person.account_id if person else None
        run = submit(runtime, session, JOB, HandedOver(JOB.params()), workspace, account_id=account).id
    for _ in range(60):
        with runtime.database.read(EVERYONE) as session:
            waiting = session.scalars(select(Run.id).where(Run.kind == "energy", Run.state == QUEUED)).all()
        if not waiting:
            break
        for each in waiting:
            execute(runtime, each, WORKER)
    return the_run(runtime, run)


def seen(runtime: Runtime) -> dict[str, tuple[str, int]]:
    """State and time of writing of each outlook, by its meter."""
    with runtime.database.read(EVERYONE) as session:
        return {row.meter_id: (row.state, row.made_at) for row in session.scalars(select(Outlook))}


def broken(runtime: Runtime, person: Person, name: str = "Broken") -> str:
    """A meter at which the code breaks in a way that nobody expects: its time zone is none."""
    return meter_of(runtime, person, usage(10), name=name, time_zone="Nowhere/Land")


def test_all_meters_of_all_workspaces_are_looked_at_once_a_night(runtime: Runtime, ada: Person, grace: Person) -> None:
    meters = [meter_of(runtime, ada, usage(20), name=f"Meter {number}") for number in range(2)]
    meters.append(meter_of(runtime, grace, usage(20)))
    meter_of(runtime, grace, name="Without readings")
    meter_of(runtime, grace, usage(20), name="Put away", archived=True)
    run = night(runtime)
    assert run.state == "succeeded", run.error
    assert (run.result or {})["made"] == 3
    first = seen(runtime)
    assert set(first) == set(meters)
    assert {state for state, _ in first.values()} == {"made"}
    again = night(runtime)
    assert (again.state, again.headline) == ("succeeded", "nothing new")
    assert seen(runtime) == first, "none is looked at twice"


def test_a_new_day_of_readings_makes_a_meter_due_and_no_other(runtime: Runtime, ada: Person) -> None:
    one, other = (meter_of(runtime, ada, usage(20), name=name) for name in ("One", "Other"))
    night(runtime)
    before = seen(runtime)
    with runtime.database.write(EVERYONE) as session:
        readings.write(session, session.get_one(Meter, one), usage(2, start=START + 20 * DAY))
    run = night(runtime)
    assert (run.result or {})["made"] == 1
    assert seen(runtime)[other] == before[other]
    outlook = outlook_of(runtime, one)
    assert outlook is not None
    assert outlook.night == "2014-01-23"


def test_a_meter_that_breaks_or_is_refused_says_so_and_stops_no_other(runtime: Runtime, ada: Person) -> None:
    good = [meter_of(runtime, ada, usage(20), name=f"Meter {number}") for number in range(2)]
    refused = meter_of(runtime, ada, energy_rows.of([1.0, 2.0, 3.0]), name="Three readings")
    wrong = broken(runtime, ada)
    run = night(runtime)
    result = run.result or {}
    assert run.state == "succeeded"
    assert (result["made"], result["refused"], result["failed"], result["left"]) == (2, 1, 1, 0)
    states = {meter: state for meter, (state, _) in seen(runtime).items()}
    assert states == dict.fromkeys(good, "made") | {refused: "refused", wrong: "failed"}
    outlook = outlook_of(runtime, wrong)
    assert outlook is not None
    assert outlook.reason == f"{nightly.BROKE} (ZoneInfoNotFoundError)"
    assert night(runtime).headline == "nothing new", "what broke is tried again tomorrow"


def test_what_a_broken_part_did_not_come_to_is_left_for_the_next_run(
    runtime: Runtime, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nightly, "ALONE", 0)
    monkeypatch.setattr(nightly, "TOGETHER", 3)
    wrong = meter_of(runtime, ada, usage(10))  # the first by its id, so that all of its part stand behind it
    moment = looking.moment

    def lost(meter: Meter, now: int) -> int:
        if meter.id == wrong:
            raise OSError("The disk is gone.")
        return moment(meter, now)

    monkeypatch.setattr(looking, "moment", lost)
    good = [meter_of(runtime, ada, usage(20), name=f"Meter {number}") for number in range(4)]
    run = night(runtime)
    assert run.state == "succeeded"
    assert (run.result or {})["left"] == 2
    assert {state for state, _ in seen(runtime).values()} == {"made", "failed"}
    night(runtime)
    states = {meter: state for meter, (state, _) in seen(runtime).items()}
    assert states == dict.fromkeys(good, "made") | {wrong: "failed"}


def context(runtime: Runtime, attempt: int) -> Context:
    return Context(runtime.database, runtime.storage, SYSTEM, attempt=attempt)


def test_a_part_that_is_taken_up_again_goes_on_behind_the_last_meter(runtime: Runtime, ada: Person) -> None:
    meters = [meter_of(runtime, ada, usage(20), name=f"Meter {number}") for number in range(3)]
    with context(runtime, 1) as ctx:
        nightly.part(ctx, meters[:1])
    before = seen(runtime)
    with context(runtime, 2) as ctx:
        result = nightly.part(ctx, meters)
    assert (result.made, result.current) == (2, 1)
    assert seen(runtime)[meters[0]] == before[meters[0]]


def test_a_meter_that_kills_its_worker_is_not_tried_a_third_time(
    runtime: Runtime, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second worker writes down, before it tries, what is true if it dies of it; nothing else of it is left."""
    killer, good = (meter_of(runtime, ada, usage(20), name=name) for name in ("Killer", "Good"))
    look = nightly._look

    def deadly(ctx: Context, meter: Meter, *more: object) -> object:
        if meter.id == killer and ctx.attempt < 3:
            raise Killed
        return look(ctx, meter, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(nightly, "_look", deadly)
    monkeypatch.setattr(nightly, "_told_when_broken", _nothing)
    for attempt in (1, 2):
        with pytest.raises(Killed), context(runtime, attempt) as ctx:
            nightly.part(ctx, [killer, good])
    with context(runtime, 3) as ctx:
        result = nightly.part(ctx, [killer, good])
    assert (result.made, result.current) == (1, 1)
    outlook = outlook_of(runtime, killer)
    assert outlook is not None
    assert (outlook.state, outlook.reason) == ("failed", nightly.LOST)


class Killed(BaseException):
    """Stands for SIGKILL, after which no code runs."""


def _nothing(*_: object) -> "contextlib.AbstractContextManager[None]":
    return contextlib.nullcontext()


def test_a_new_meter_wakes_its_workspace_and_readings_that_come_all_day_do_not(runtime: Runtime, ada: Person) -> None:
    def runs() -> list[str]:
        with runtime.database.read(EVERYONE) as session:
            return list(session.scalars(select(Run.workspace_id).where(Run.kind == "energy")))

    with runtime.database.write(ada.workspace_id) as session:
        meter = add_meter(session, ada).id
    assert runs() == [ada.workspace_id]
    with runtime.database.write(EVERYONE) as session:
        session.execute(update(Run).values(state="succeeded"))
    for hour in range(3):
        with runtime.database.write(ada.workspace_id) as session:
            readings.write(session, session.get_one(Meter, meter), usage(1, start=START + hour * DAY))
    assert runs() == [ada.workspace_id]


def test_who_asks_without_choosing_has_all_meters_looked_at_anew(runtime: Runtime, ada: Person, grace: Person) -> None:
    mine = [meter_of(runtime, ada, usage(20), name=f"Meter {number}") for number in range(2)]
    theirs = meter_of(runtime, grace, usage(20))
    night(runtime)
    before = seen(runtime)
    run = night(runtime, ada.workspace_id, ada)
    assert run.state == "succeeded", run.error
    assert (run.result or {})["made"] == 2
    after = seen(runtime)
    assert all(after[meter][1] > before[meter][1] for meter in mine)
    assert after[theirs] == before[theirs]
