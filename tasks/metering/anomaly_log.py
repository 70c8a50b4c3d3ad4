"""Anomalies kept between nights: what is seen again is the same one, and only what is new is told (ADR 0027).

A start that moves by a step, or an end that comes later, changes the row; what somebody dismissed stays dismissed; what
better readings explain goes. `tasks.metering.anomaly_alerts` decides what of it is an alert.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import isfinite
from typing import TYPE_CHECKING

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from models.base import Fixed, clock
from models.meter import Anomaly, Meter
from tasks.metering import anomaly_alerts, readings
from tasks.metering.anomaly_words import line

if TYPE_CHECKING:
    from tasks.energy.anomalies.found import Found

__all__ = ["Kept", "news", "record"]
LATER = 6 * 3600  # seconds: as far apart two lookings at one anomaly may lie
LINES = 12  # of a digest


@dataclass(frozen=True, slots=True)
class Kept:
    """What came of it."""

    new: int = 0
    changed: int = 0
    gone: int = 0
    opened: int = 0


def record(
    session: Session, meter: Meter, found: Iterable["Found"], as_of: int, *, since: int = 0, currency: str = ""
) -> Kept:
    """Write down what a look at a meter found, and what alerts come of it. Doing it again changes nothing.

    Args:
        session: in a transaction of the meter's workspace, or of everyone's.
        found: all that `tasks.energy.anomalies.find` found.
        as_of: epoch seconds up to which the meter was looked at: its last reading's end, or now.
        since: epoch seconds from which on it was looked at; what is known from before stays.
        currency: of `Found.cost`.
    """
    readings.queue(session, meter)
    rows = list(session.scalars(select(Anomaly).where(Anomaly.meter_id == meter.id).order_by(Anomaly.start)))
    pairs, left = _matched([row for row in rows if row.end is None or row.end > since], _distinct(found))
    gone = [row for row in left if row.start >= since and row.dismissed_at is None and not _silence(row, meter)]
    for row in gone:
        session.delete(row)
    session.flush()
    taken = {(row.kind, row.start) for row in rows if row not in gone}
    resumed = {row.id for row, one in pairs if row is not None and row.end is None and one.end is not None}
    changed = sum(_changed(row, one, currency, taken, since) for row, one in pairs if row is not None)
    now = clock(session)
    fresh = [
        _row(meter, one, currency, now) for row, one in pairs if row is None and (one.kind, one.start) not in taken
    ]
    session.add_all(fresh)
    session.flush()
    kept = [row for row in rows if row not in gone] + fresh
    opened = anomaly_alerts.settle(session, meter, kept, as_of, resumed, [row.id for row in gone])
    return Kept(len(fresh), changed, len(gone), opened)


def _silence(row: Anomaly, meter: Meter) -> bool:
    """Whether it is a silence that goes on: `tasks.metering.silence` sees to its end."""
    return row.kind == "missing" and row.end is None and meter.last_at is not None and row.start > meter.last_at


def _distinct(found: Iterable["Found"]) -> list["Found"]:
    return list({(one.kind, one.start): one for one in found}.values())


def _matched(
    rows: Sequence[Anomaly], found: Sequence["Found"]
) -> tuple[list[tuple[Anomaly | None, "Found"]], list[Anomaly]]:
    """Each finding with the row that overlaps it most, and the rows that nothing is of any more."""
    left = list(rows)
    pairs: list[tuple[Anomaly | None, Found]] = []
    for one in found:
        near = [row for row in left if row.kind == one.kind and _overlap(row, one) > 0]
        best = max(near, key=lambda row: (row.start == one.start, _overlap(row, one)), default=None)
        if best is not None:
            left.remove(best)
        pairs.append((best, one))
    return pairs, left


def _overlap(row: Anomaly, one: "Found") -> int:
    """Seconds that both have, with some room between them; what goes on has no end."""
    forever = 2**60
    last = min(forever if row.end is None else row.end, forever if one.end is None else one.end)
    return last - max(row.start, one.start) + LATER


def _changed(row: Anomaly, one: "Found", currency: str, taken: Collection[tuple[str, int]], since: int) -> bool:
    """Bring a row up to date; its start stays where another row of its kind begins just there, and of what began
    before the look all but its end does."""
    values = _values(one, currency)
    if row.start < since:
        values = {"end": one.end}
    elif (one.kind, one.start) in taken and row.start != one.start:
        del values["start"]
    differs = [name for name, value in values.items() if getattr(row, name) != value]
    for name in differs:
        setattr(row, name, values[name])
    return bool(differs)


def _row(meter: Meter, one: "Found", currency: str, now: int) -> Anomaly:
    whose = {"workspace_id": meter.workspace_id, "meter_id": meter.id, "created_at": now}
    return Anomaly(kind=one.kind, **whose, **_values(one, currency))


def _values(one: "Found", currency: str) -> dict[str, object]:
    cost = _fixed(one.cost) if currency else None
    return {
        "start": one.start, "end": one.end, "kwh": _fixed(one.kwh), "cost": cost,
        "currency": currency if cost is not None else "", "text": one.text[:500],
    }  # fmt: skip


def _fixed(value: float | None) -> Decimal | None:
    if value is None or not isfinite(value) or abs(value) > Fixed.MOST:
        return None
    return Decimal(str(round(value, 4)))


def news(session: Session, workspace: str, since: int, *, amounts: bool = True) -> list[str]:
    """For a digest: a line for each anomaly that goes on or was found since the last one, the newest first.

    Args:
        since: epoch milliseconds of the reader's last digest.
        amounts: whether sums of money may stand in it.
    """
    asked = select(Anomaly, Meter.name, Meter.time_zone).join(Meter, Meter.id == Anomaly.meter_id)
    asked = asked.where(Anomaly.workspace_id == workspace, Anomaly.dismissed_at.is_(None), Meter.archived.is_(False))
    asked = asked.where(or_(Anomaly.end.is_(None), Anomaly.created_at > since), anomaly_alerts.told())
    found = session.execute(asked.order_by(Anomaly.start.desc(), Anomaly.id).limit(LINES + 1)).all()
    lines = [line(row, name, zone, amounts) for row, name, zone in found[:LINES]]
    return [*lines, "There are more on the page of the anomalies."] if len(found) > LINES else lines
