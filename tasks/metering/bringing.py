"""An import of meter readings in the database: which meter each series is, what is there already, writing, undoing.

What the preview found lies in a journal with its run. To bring it in is to write the journal, part by part, each in a
transaction of its own: half a million readings would hold the database's one writer for too long. Before the first is
written, another journal tells what every reading replaces, and is kept; so a worker may be lost at any moment, the next
attempt goes on from there, and what was done can be taken back.
"""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.artifact import Artifact
from models.intake import Intake
from models.meter import COUNTER, Meter, Place
from tasks.context import Context
from tasks.errors import JobError
from tasks.metering import journal, readings
from tasks.metering.merging import MINUTE
from tasks.metering.usage import Readings
from tasks.storage import TEMPORARY

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FOUND, REPLACED = "readings.parquet", "replaced.parquet"  # names of the artifacts
NEW, LEFT_OUT = "new", "-"  # instead of a meter's id
GONE = "What was read of this file is not kept any more. Choose the file again on the page of imports."
ASKED = "This file leaves something open that somebody must choose first: {}. Look at the import's page."
NO_UNDO = "What this import replaced is not kept any more, so it cannot be taken back."
MOST_NAME = 120


@dataclass(frozen=True, slots=True)
class Compared:
    """Readings beside those that are there: [n] the old values, and whether there was one."""

    old: "NDArray[np.int64]"
    had: "NDArray[np.bool_]"


def match(session: Session, key: str, name: str, chosen: str, single: bool) -> Meter | None:
    """The meter that a series is of: the chosen one, else by its name elsewhere, else by its own.

    Args:
        chosen: the id of a meter, for a file of a single series.
    """
    if chosen and single:
        return session.scalars(select(Meter).where(Meter.id == chosen)).first()
    by = [Meter.source == key] if key else []
    for where in (*by, Meter.name == (name or key)[:MOST_NAME]):
        if found := session.scalars(select(Meter).where(where).order_by(Meter.id)).first():
            return found
    return None


def thinned(found: Readings, kind: str) -> Readings:
    """Of a counter the last reading of each minute: no more are kept (ADR 0025)."""
    import numpy as np

    if kind != COUNTER or len(found.times) < 2:
        return found
    minutes = found.times // MINUTE
    last = np.append(minutes[1:] != minutes[:-1], True)
    return found if last.all() else Readings(found.times[last], found.values[last])


def compare(session: Session, meter: Meter | None, found: Readings) -> Compared:
    """What stands at these times already."""
    import numpy as np

    old, had = np.zeros(len(found.times), np.int64), np.zeros(len(found.times), bool)
    if meter is None or meter.first_at is None or not len(found.times):
        return Compared(old, had)
    known = readings.read(session, meter.id, int(found.times[0]), int(found.times[-1]) + 1)
    at = np.searchsorted(known.times, found.times)
    inside = at < len(known.times)
    had[inside] = known.times[at[inside]] == found.times[inside]
    old[had] = known.values[at[had]]
    return Compared(old, had)


def apply(ctx: Context, intake: Intake) -> dict[str, Any]:
    """Write what the preview found. Returns counts for `Intake.counts`.

    Raises:
        JobError: it is gone, or leaves something open.
    """
    layout = intake.layout or {}
    if layout.get("asks"):
        raise JobError(ASKED.format(", ".join(layout["asks"])))
    with tempfile.TemporaryDirectory(prefix=TEMPORARY) as folder:
        path = Path(folder) / REPLACED
        plan = _earlier(ctx, intake, path) or _prepare(ctx, intake, path)
        written = _write_all(ctx, path, plan["meters"], plan["place"])
        with path.open("rb") as file:
            ctx.artifact(REPLACED, "What this import wrote, and what was there before", journal.MEDIA_TYPE, file)
    told = {"applied_run": ctx.run_id, "made_meters": plan["made"], "meters": plan["meters"], "plan": None}
    return {**written, **told}


def _earlier(ctx: Context, intake: Intake, path: Path) -> dict[str, Any] | None:
    """The plan that an attempt or a run before this one began to follow; it knows what was there before either."""
    plan = (intake.counts or {}).get("plan")
    if not plan or not plan["journal"]:
        return None
    try:
        ctx.storage.fetch(plan["journal"], path)
    except FileNotFoundError:  # swept after days, since no row names it
        return None
    return dict(plan)


def _prepare(ctx: Context, intake: Intake, path: Path) -> dict[str, Any]:
    """Make the meters that are not there, and the journal of what will be replaced; both are kept with the import."""
    found = path.with_name(FOUND)
    ctx.storage.fetch(_artifact(ctx, intake.run_id or "", FOUND, GONE), found)
    with ctx.database.write(ctx.workspace) as session:
        plan = _meters(session, intake)
        _keep_plan(session, intake.id, plan)
    with journal.Writer(path) as writer:
        for share, rows in journal.read(found):
            ctx.progress(0.4 * share, "Looking at what is there already")
            if rows.series == journal.WEATHER:
                writer.add(rows)
            elif meter_id := plan["meters"].get(str(rows.series)):
                with ctx.read() as session:
                    writer.add(_differing(session, session.get_one(Meter, meter_id), rows))
    with path.open("rb") as file:
        plan["journal"], _size = ctx.storage.put(file)
    with ctx.database.write(ctx.workspace) as session:
        _keep_plan(session, intake.id, plan)
    return plan


def _keep_plan(session: Session, intake_id: str, plan: Mapping[str, Any]) -> None:
    intake = session.scalars(select(Intake).where(Intake.id == intake_id)).first()
    if intake is None:
        raise JobError(GONE)
    intake.counts = {**(intake.counts or {}), "plan": dict(plan)}


def _differing(session: Session, meter: Meter, rows: journal.Group) -> journal.Group:
    there = compare(session, meter, Readings(rows.times, rows.values))
    other = ~there.had | (there.old != rows.values)
    return journal.Group(rows.series, rows.times[other], rows.values[other], there.old[other], there.had[other])


def _meters(session: Session, intake: Intake) -> dict[str, Any]:
    """The meter of each series by its number, those that were made, now or before, and the place of the weather."""
    layout = intake.layout or {}
    earlier = (intake.counts or {}).get("plan") or {}
    meters: dict[str, str] = {}
    made: list[str] = list(earlier.get("made", ()))
    for number, each in enumerate(layout["series"]):
        if each["target"] == LEFT_OUT:
            continue
        known = earlier.get("meters", {}).get(str(number)) or each["target"]
        meter = session.get(Meter, known) if known != NEW else None
        if meter is None:
            meter = _new_meter(session, each, layout)
            made.append(meter.id)
        meters[str(number)] = meter.id
    place = _place(session, session.get_one(Meter, next(iter(meters.values())))) if meters and layout["weather"] else ""
    return {"meters": meters, "made": made, "place": place, "journal": ""}


def _new_meter(session: Session, each: Mapping[str, Any], layout: Mapping[str, Any]) -> Meter:
    unit = each["unit"] if each["unit"] in ("Wh", "kWh", "MWh") else "kWh"
    step = each["step"] if 60 <= each["step"] <= 2_678_400 else 0
    meter = Meter(
        name=_free(session, Meter, each["name"] or each["key"]), kind=each["kind"], unit=unit, step=step,
        time_zone=layout["zone"], source=each["key"][:160],
    )  # fmt: skip
    session.add(meter)
    session.flush()
    return meter


def _free(session: Session, table: type[Meter] | type[Place], name: str) -> str:
    """The name, with a number behind it where it is taken."""
    short = " ".join(name.split())[: MOST_NAME - 6] or "Meter"
    taken = set(session.scalars(select(table.name).where(table.name.startswith(short, autoescape=True))))
    return next(each for number in range(1, len(taken) + 3) if (each := f"{short} {number}" if number > 1 else short)
                not in taken)  # fmt: skip


def _place(session: Session, meter: Meter) -> str:
    """Where the meter stands; a place named after it when that is not known."""
    if meter.place_id is None:
        place = Place(name=_free(session, Place, meter.name), source="file")
        session.add(place)
        session.flush()
        meter.place_id = place.id
    return meter.place_id


def _write_all(ctx: Context, path: Path, meters: Mapping[str, str], place: str) -> dict[str, int]:
    new = changed = weather = 0
    for share, rows in journal.read(path):
        ctx.progress(0.4 + 0.6 * share, f"{new + changed:,} readings written")
        with ctx.database.write(ctx.workspace) as session:
            if rows.series == journal.WEATHER:
                weather += _write_weather(session, place, rows)
                continue
            meter = session.get(Meter, meters[str(rows.series)])
            if meter is not None:
                _write(session, meter, rows)
                new, changed = new + int((~rows.had).sum()), changed + int(rows.had.sum())
    return {"written": new + changed, "fresh": new, "changed": changed, "weather": weather}


def _write(session: Session, meter: Meter, rows: journal.Group) -> None:
    try:
        readings.write(session, meter, Readings(rows.times, rows.values))
    except readings.Unkept as error:
        raise JobError(str(error)) from error


def _write_weather(session: Session, place_id: str, rows: journal.Group) -> int:
    from tasks.metering import weather

    place = session.get(Place, place_id) if place_id else None
    return weather.write_observed(session, place, rows.times, rows.values) if place else 0


def undo(ctx: Context, intake: Intake) -> dict[str, int]:
    """Take back what an import wrote: what is still as it wrote it becomes what it was. The weather stays."""
    counts = intake.counts or {}
    key = _artifact(ctx, str(counts.get("applied_run", "")), REPLACED, NO_UNDO)
    deleted = kept = 0
    with tempfile.TemporaryDirectory(prefix=TEMPORARY) as folder:
        path = Path(folder) / REPLACED
        ctx.storage.fetch(key, path)
        for share, rows in journal.read(path):
            ctx.progress(share, f"{deleted:,} readings taken back")
            meter_id = counts.get("meters", {}).get(str(rows.series))
            if meter_id and rows.series != journal.WEATHER:
                with ctx.database.write(ctx.workspace) as session:
                    back, left = _take_back(session, session.get(Meter, meter_id), rows)
                deleted, kept = deleted + back, kept + left
        _drop_empty(ctx, counts.get("made_meters", ()))
    return {"deleted": deleted, "kept": kept}


def _take_back(session: Session, meter: Meter | None, rows: journal.Group) -> tuple[int, int]:
    """One group, and how many of its readings were taken back and left."""
    import numpy as np

    if meter is None:
        return 0, len(rows.times)
    first, last = int(rows.times[0]), int(rows.times[-1]) + 1
    there = readings.read(session, meter.id, first, last)
    at = np.searchsorted(rows.times, there.times)
    at = np.minimum(at, len(rows.times) - 1)
    mine = (rows.times[at] == there.times) & (rows.values[at] == there.values)
    restored = mine & rows.had[at]
    values = np.where(restored, rows.old[at], there.values)
    stays = ~mine | restored
    if not mine.any():
        return 0, len(rows.times)
    readings.remove(session, meter, first, last)
    readings.write(session, meter, Readings(there.times[stays], values[stays]))
    return int(mine.sum()), len(rows.times) - int(mine.sum())


def _drop_empty(ctx: Context, made: Sequence[str]) -> None:
    """Meters that the import made, where nothing is left in them."""
    with ctx.database.write(ctx.workspace) as session:
        for meter_id in made:
            meter = session.get(Meter, meter_id)
            if meter is not None and readings.latest(session, meter.id) is None:
                session.delete(meter)


def _artifact(ctx: Context, run_id: str, name: str, message: str) -> str:
    """The key of a file that a run left."""
    with ctx.read() as session:
        mine = select(Artifact.key).where(Artifact.run_id == run_id, Artifact.name == name)
        key = session.scalars(mine.order_by(Artifact.attempt.desc())).first() if run_id else None
    if key is None:
        raise JobError(message)
    return key
