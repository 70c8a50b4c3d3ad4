"""Meters whose device fell silent, and alerts of anomalies whose news is old: looked for every hour, by the clock.

Three questions over all meters, of which each brings only what is to be changed; no readings are unpacked but of the
few meters that send again.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

import structlog
from sqlalchemy import and_, case, or_, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, aliased

from models.alert import FIRING, PENDING, Alert
from models.engine import again
from models.meter import Anomaly, Meter
from tasks.alerting import alerts
from tasks.alerting.alerts import Count, Sight
from tasks.alerting.open_alerts import some_of
from tasks.metering import anomaly_alerts, wording
from tasks.metering.anomaly_alerts import AREA, NEWS, RULE
from tasks.metering.anomaly_words import zone_of
from tasks.metering.packing import Corrupt

log = structlog.get_logger()
STEPS, LEAST, UNKNOWN = 3, 6 * 3600, 86_400  # steps and seconds without a reading; and where the step is not known
Opens = Callable[[], AbstractContextManager[Session]]


@dataclass(slots=True)
class Due:
    """What is to be changed in one workspace, by ids."""

    silent: list[str] = field(default_factory=list)  # meters
    back: list[str] = field(default_factory=list)  # anomalies whose meter sends again
    old: list[str] = field(default_factory=list)  # subjects of alerts


def scan(reads: Opens, writes: Opens, now: int) -> Count:
    """All workspaces: silences that begin and end, alerts that are over.

    Args:
        now: epoch milliseconds.
    """
    with reads() as session:
        found = look(session, now)
    total = Count()
    for workspace, due in found.items():
        for silent in some_of(due.silent):
            total += _by_itself(writes, workspace, Due(silent=silent), now)
        if due.back or due.old:
            total += _by_itself(writes, workspace, Due(back=due.back, old=due.old), now)
    return total


def _by_itself(writes: Opens, workspace: str, due: Due, now: int) -> Count:
    """What breaks in one workspace stops no other, nor the night's looks; the next scan tries it again."""
    try:
        return _settled(writes, workspace, due, now)
    except (SQLAlchemyError, ValueError):
        log.exception("meter.silence_not_settled", workspace=workspace)
        return Count()


def look(session: Session, now: int) -> dict[str, Due]:
    """By workspace, without those where nothing is to be done."""
    found: dict[str, Due] = defaultdict(Due)
    for workspace, meter in session.execute(_silent(now // 1000)):
        found[workspace].silent.append(meter)
    for workspace, anomaly in session.execute(_back()):
        found[workspace].back.append(anomaly)
    for workspace, subject in session.execute(_old(now)):
        found[workspace].old.append(subject)
    return dict(found)


def _silent(now: int) -> Any:
    """Meters for which a device used to send, and has not for too long, and of which nobody knows yet."""
    least = case((Meter.step == 0, UNKNOWN), (Meter.step * STEPS > LEAST, Meter.step * STEPS), else_=LEAST)
    known = select(Anomaly.id).where(
        Anomaly.meter_id == Meter.id, Anomaly.kind == "missing", Anomaly.end.is_(None), Anomaly.start > Meter.last_at
    )
    late = and_(Meter.heard_at.is_not(None), Meter.last_at + Meter.step + least < now)
    asked = select(Meter.workspace_id, Meter.id).where(Meter.archived.is_(False), late, ~known.exists())
    return asked.order_by(Meter.workspace_id, Meter.id)


def _back() -> Any:
    """Holes that go on, of meters that have sent since."""
    asked = select(Anomaly.workspace_id, Anomaly.id).join(Meter, Meter.id == Anomaly.meter_id)
    return asked.where(Anomaly.kind == "missing", Anomaly.end.is_(None), Meter.last_at >= Anomaly.start)


def _old(now: int) -> Any:
    """Open alerts whose anomaly ended a while ago, was dismissed, or is there no more, with its meter or without."""
    one, meter = aliased(Anomaly), aliased(Meter)
    over = and_(one.end.is_not(None), one.created_at < now - 1000 * NEWS)
    asked = select(Alert.workspace_id, Alert.subject).outerjoin(one, one.id == Alert.subject)
    asked = asked.outerjoin(meter, meter.id == one.meter_id).where(Alert.rule == RULE)
    asked = asked.where(Alert.state.in_((PENDING, FIRING)))
    return asked.where(or_(one.id.is_(None), one.dismissed_at.is_not(None), meter.archived.is_(True), over))


@again
def _settled(writes: Opens, workspace: str, due: Due, now: int) -> Count:
    """In one transaction, after the lock: what others have done meanwhile is seen."""
    with writes() as session:
        alerts.lock(session, [workspace])
        sights, gone = _begun(session, due.silent, now), list[tuple[str, str]]()
        for row, meter in _rows(session, due.back):
            resumed = _resume(session, row, meter, now)
            if resumed:
                sights.append(anomaly_alerts.sight(meter, row, now, now // 1000, standing=True, resumed=True))
            else:
                gone.append((workspace, row.id))
        lapsed = {row.id: (row, meter) for row, meter in _rows(session, due.old)}
        gone += [(workspace, subject) for subject in due.old if subject not in lapsed]
        sights += [anomaly_alerts.sight(meter, row, now, now // 1000, True) for row, meter in lapsed.values()]
        session.flush()
        return alerts.settle(session, AREA, RULE, sights, gone)


def _begun(session: Session, meters: list[str], now: int) -> list[Sight]:
    """A row for each meter that is still silent."""
    if not meters:
        return []
    still = _silent(now // 1000).with_only_columns(Meter).where(Meter.id.in_(meters))
    ended = select(Anomaly).join(Meter, Meter.id == Anomaly.meter_id).where(Meter.id.in_(meters))
    ended = ended.where(Anomaly.kind == "missing", Anomaly.start > Meter.last_at)
    known = {(row.meter_id, row.start): row for row in session.scalars(ended)}
    found = [(meter, _begin(session, meter, now, known)) for meter in session.scalars(still).all()]
    session.flush()
    return [anomaly_alerts.sight(meter, row, now, now // 1000, standing=False) for meter, row in found]


def _begin(session: Session, meter: Meter, now: int, known: dict[tuple[str, int], Anomaly]) -> Anomaly:
    """A new row; or the one that began there before and had ended, where the readings that ended it were removed.

    What somebody dismissed stays dismissed.
    """
    last = meter.last_at or 0
    start = last + max(meter.step, 1)
    row = known.get((meter.id, start))
    if row is None:
        row = Anomaly(workspace_id=meter.workspace_id, meter_id=meter.id, kind="missing", start=start, created_at=now)
        session.add(row)
    row.end, row.text, row.kwh, row.cost, row.currency = None, _text(meter, last), None, None, ""
    return row


def _text(meter: Meter, last: int) -> str:
    used = f" They used to come every {wording.every(meter.step)}." if meter.step else ""
    return (
        f"Its last reading is of {wording.moment(last, zone_of(meter.time_zone))}.{used} "
        "Look at the device, its network, and where it sends to."
    )


def _rows(session: Session, ids: Iterable[str]) -> list[tuple[Anomaly, Meter]]:
    asked = select(Anomaly, Meter).join(Meter, Meter.id == Anomaly.meter_id)
    return [(row, meter) for some in some_of(ids) for row, meter in session.execute(asked.where(Anomaly.id.in_(some)))]


def _resume(session: Session, row: Anomaly, meter: Meter, now: int) -> bool:
    """The hole ends with the first reading after it; where there is one at its start, there was no hole."""
    from tasks.metering.readings import read

    try:
        times = read(session, meter.id, row.start, now // 1000 + UNKNOWN).times
        first = int(times[0]) if len(times) else row.start
    except Corrupt:  # a damaged day: that it sends again is known all the same
        first = max(row.start + 1, meter.last_at or 0)
    if first <= row.start:
        session.delete(row)
        return False
    row.end = first
    return True
