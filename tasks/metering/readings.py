"""A meter's readings in the database: a packed row for each of its UTC days (ADR 0025).

Whoever writes takes the meter's row first, so that writers of one meter queue; each day is replaced only where it is
still as it was read, so that against somebody who did not queue nothing is lost either.
"""

from collections.abc import Iterator, Sequence
from typing import Any, cast

from sqlalchemy import Table, bindparam, case, delete, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models.meter import COUNTER, Meter, ReadingDay
from models.session import touch
from models.statements import changed
from tasks.metering import packing
from tasks.metering.merging import DAY, ENOUGH, Merged, Unkept, Written, check, joined, merge, nothing, step_of
from tasks.metering.usage import Readings

__all__ = ["Moved", "Unkept", "Written", "check", "latest", "nothing", "queue", "read", "remove", "write"]
AT_ONCE = 500  # days in one statement
TRIES = 5
day_table, meter_table = cast(Table, ReadingDay.__table__), cast(Table, Meter.__table__)
c = day_table.c
Revisions = dict[int, int]  # of days as they were read
REPLACED = (
    update(day_table)
    .where(c.meter_id == bindparam("of"), c.day == bindparam("on"), c.revision == bindparam("was"))
    .values(revision=c.revision + 1, count=bindparam("many"), packed=bindparam("bytes"))
)


class Moved(Exception):
    """Somebody else wrote the same days, each time they were tried. Do the whole unit of work again."""


def write(session: Session, meter: Meter, readings: Readings, *, keep_old: bool = False) -> Written:
    """Put readings among a meter's others. Doing it again changes nothing.

    Args:
        session: in a transaction of the meter's workspace, or of everyone's.
        readings: in mWh, as `check` wants them.
        keep_old: what is known stays where another value is given for its time (it is counted as changed still).

    Raises:
        Unkept: by `check` and by `merge`; nothing is written then.
        Moved: see there.
    """
    check(readings)
    if not len(readings.times):
        return Written()
    told = Written()
    with session.begin_nested():
        _take(session, meter, int(readings.times[0]), int(readings.times[-1]))
        for part in _parts(readings):
            merged = _write_part(session, meter, part, keep_old)
            told += merged.written
        if told.new and not meter.step:
            _learn_step(session, meter, readings, merged.readings)
    if told.new or told.changed:
        touch(session, ReadingDay, meter.workspace_id)
    _renew(session, meter)
    return told


def queue(session: Session, meter: Meter) -> None:
    """Whoever writes about a meter waits here for another who does; until the commit. What is read after it stands."""
    _take(session, meter)


def read(session: Session, meter_id: str, start: int, end: int) -> Readings:
    """A meter's readings from `start` to before `end` (epoch seconds): one query, along the primary key."""
    import numpy as np

    asked = select(ReadingDay.packed).where(ReadingDay.meter_id == meter_id, ReadingDay.day >= start // DAY)
    rows = session.scalars(asked.where(ReadingDay.day <= (end - 1) // DAY).order_by(ReadingDay.day))
    found = joined([packing.unpack(packed) for packed in rows])
    kept = slice(*np.searchsorted(found.times, [start, end]).tolist())
    return Readings(found.times[kept], found.values[kept])


def latest(session: Session, meter_id: str) -> tuple[int, int] | None:
    """Time and value (mWh) of a meter's last reading; None without one."""
    asked = select(ReadingDay.packed).where(ReadingDay.meter_id == meter_id).order_by(ReadingDay.day.desc()).limit(1)
    packed = session.scalar(asked)
    if packed is None:
        return None
    times, values = packing.unpack(packed)
    return int(times[-1]), int(values[-1])


def remove(session: Session, meter: Meter, start: int, end: int) -> int:
    """Take a meter's readings from `start` to before `end` away; how many there were."""
    _take(session, meter)
    whole = range(-(-start // DAY), end // DAY)
    inside = (c.meter_id == meter.id, c.day >= whole.start, c.day < whole.stop)
    gone = session.scalar(select(func.sum(c.count)).where(*inside)) or 0
    session.execute(delete(day_table).where(*inside))
    for day in sorted({start // DAY, (end - 1) // DAY} - set(whole) if start < end else ()):
        gone += _shorten(session, meter, day, start, end)
    _move_ends(session, meter)
    touch(session, ReadingDay, meter.workspace_id)
    _renew(session, meter)
    return int(gone)


def _take(session: Session, meter: Meter, first: int | None = None, last: int | None = None) -> None:
    """Move the meter's ends, which makes its other writers wait.

    Before any of its days: a day that is inserted holds its meter's row too, for the foreign key, and of two writers
    that have it so neither could go on.
    """
    of = meter_table.c
    moved: dict[str, Any] = {"step": of.step}
    if first is not None and last is not None:
        earlier, later = or_(of.first_at.is_(None), of.first_at > first), or_(of.last_at.is_(None), of.last_at < last)
        moved = {"first_at": case((earlier, first), else_=of.first_at)}
        moved |= {"last_at": case((later, last), else_=of.last_at)}
    session.execute(update(meter_table).where(of.id == meter.id).values(moved))


def _learn_step(session: Session, meter: Meter, given: Readings, around: Readings) -> None:
    """Once, by what came in one piece, or by the last days when enough came one by one."""
    counter = meter.kind == COUNTER
    step = step_of(given.times, counter=counter)
    if not step and len(around.times) >= ENOUGH:
        step = step_of(around.times, counter=counter)
    if step:
        unknown = update(meter_table).where(meter_table.c.id == meter.id, meter_table.c.step == 0)
        session.execute(unknown.values(step=step))


def _renew(session: Session, meter: Meter) -> None:
    if meter in session:
        session.refresh(meter, ["first_at", "last_at", "step"])


def _parts(readings: Readings) -> Iterator[Readings]:
    """The readings of up to `AT_ONCE` days at a time."""
    import numpy as np

    days = readings.times // DAY
    starts = np.flatnonzero(np.diff(days, prepend=days[0] - 1))[::AT_ONCE].tolist()
    for begin, end in zip(starts, [*starts[1:], len(days)], strict=True):
        yield Readings(readings.times[begin:end], readings.values[begin:end])


def _write_part(session: Session, meter: Meter, part: Readings, keep_old: bool) -> Merged:
    import numpy as np

    days = np.unique(part.times // DAY).tolist()
    for _ in range(TRIES):
        revisions, known = _known(session, meter.id, days)
        merged = merge(known, part, keep_old=keep_old, counter=meter.kind == COUNTER)
        try:
            with session.begin_nested():
                _store(session, meter, revisions, merged)
            return merged
        except (IntegrityError, Moved):
            continue  # one of these days was made or changed since it was read: read them again
    raise Moved


def _known(session: Session, meter_id: str, days: Sequence[int]) -> tuple[Revisions, Readings]:
    dense = days[-1] - days[0] < 2 * len(days)
    which = c.day.between(days[0], days[-1]) if dense else c.day.in_(days)
    rows = session.execute(
        select(c.day, c.revision, c.packed).where(c.meter_id == meter_id, which).order_by(c.day)
    ).all()
    return {row.day: row.revision for row in rows}, joined([packing.unpack(row.packed) for row in rows])


def _store(session: Session, meter: Meter, revisions: Revisions, merged: Merged) -> None:
    """Make the days that are new, replace those that are not as they were.

    Raises:
        IntegrityError: a day is there meanwhile.
        Moved: a day was replaced meanwhile.
    """
    made, replaced = [], []
    for day, part in _by_day(merged):
        values = {"many": len(part.times), "bytes": packing.pack(part.times, part.values)}
        if day in revisions:
            replaced.append({"of": meter.id, "on": day, "was": revisions[day], **values})
        else:
            own = {"meter_id": meter.id, "day": day, "workspace_id": meter.workspace_id, "revision": 1}
            made.append({**own, "count": values["many"], "packed": values["bytes"]})
    if made:
        session.execute(insert(day_table), made)
    if replaced and _replace(session, replaced) != len(replaced):
        raise Moved


def _replace(session: Session, rows: list[dict[str, Any]]) -> int:
    if session.connection().dialect.supports_sane_multi_rowcount:
        return changed(session, REPLACED, rows)
    return sum(changed(session, REPLACED, row) for row in rows)


def _by_day(merged: Merged) -> Iterator[tuple[int, Readings]]:
    import numpy as np

    times, values = merged.readings.times, merged.readings.values
    days = sorted(merged.days)
    begins = np.searchsorted(times, np.array(days, np.int64) * DAY).tolist()
    ends = np.searchsorted(times, (np.array(days, np.int64) + 1) * DAY).tolist()
    for day, begin, end in zip(days, begins, ends, strict=True):
        yield day, Readings(times[begin:end], values[begin:end])


def _shorten(session: Session, meter: Meter, day: int, start: int, end: int) -> int:
    """Take what lies from `start` to `end` out of a day that is touched in part."""
    revisions, known = _known(session, meter.id, [day])
    stays = (known.times < start) | (known.times >= end)
    gone = len(stays) - int(stays.sum())
    if gone == len(stays):
        session.execute(delete(day_table).where(c.meter_id == meter.id, c.day == day))
    elif gone:
        rest = Readings(known.times[stays], known.values[stays])
        _store(session, meter, revisions, Merged(rest, frozenset([day]), Written()))
    return gone


def _move_ends(session: Session, meter: Meter) -> None:
    """The first and last time that is left, read again."""
    ends = session.execute(select(func.min(c.day), func.max(c.day)).where(c.meter_id == meter.id)).one()
    first = last = None
    if ends[0] is not None:
        first = int(_known(session, meter.id, [ends[0]])[1].times[0])
        last = int(_known(session, meter.id, [ends[1]])[1].times[-1])
    session.execute(update(meter_table).where(meter_table.c.id == meter.id).values(first_at=first, last_at=last))
