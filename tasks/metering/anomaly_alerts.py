"""Which anomalies are alerts: what is fresh when it is found, until its news is a week old. Loads no numpy.

A history of two years that is imported today lists all that was wrong in it, and tells of its last week alone.
"""

from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from models.alert import FIRING, PENDING, Alert
from models.base import clock
from models.meter import Anomaly, Meter
from tasks.alerting import alerts
from tasks.alerting.alerts import Sight, decide
from tasks.alerting.open_alerts import Open, some_of
from tasks.metering.anomaly_words import LEVELS, over, title

AREA, RULE = "energy", "anomaly"
NEWS = 7 * 86_400  # seconds
TOLD = 100 * 86_400  # seconds: what goes on longer and was never an alert is history


def settle(
    session: Session,
    meter: Meter,
    rows: Sequence[Anomaly],
    as_of: int,
    resumed: Collection[str] = (),
    gone: Iterable[str] = (),
) -> int:
    """Open, reword and end the alerts of one meter's anomalies; how many are new.

    Args:
        rows: those of them that are kept; others' alerts stay as they are.
        as_of: up to when the meter was looked at, epoch seconds: what ended a week before is no news.
        resumed: ids of those that went on until now, and have ended.
        gone: ids of those that are none any more: their alerts end without a word.
    """
    now, gone = clock(session), list(gone)
    standing = _standing(session, meter.workspace_id, [row.id for row in rows] + gone)
    seen = [sight(meter, row, now, as_of, row.id in standing, row.id in resumed) for row in rows]
    seen = [one for one in seen if decide(standing.get(one.subject), one)]
    lost = [(meter.workspace_id, one) for one in gone if one in standing]
    if not seen and not lost:
        return 0
    alerts.lock(session, [meter.workspace_id])
    return alerts.settle(session, AREA, RULE, seen, lost).opened


def sight(meter: Meter, row: Anomaly, now: int, as_of: int, standing: bool, resumed: bool = False) -> Sight:
    """An anomaly as the alerts' engine takes it.

    Args:
        now: epoch milliseconds. as_of: epoch seconds.
        standing: whether it is an alert already.
        resumed: whether it just ended.
    """
    old = row.end is not None and row.created_at < now - 1000 * NEWS
    ended = row.dismissed_at is not None or resumed or old or meter.archived
    fresh = as_of - row.start <= TOLD if row.end is None else row.end >= as_of - NEWS
    said = over(row, meter.name, meter.time_zone) if row.dismissed_at is None else f"{meter.name}: dismissed"[:200]
    return Sight(
        meter.workspace_id, row.id, 0 if ended or not (fresh or standing) else LEVELS.get(row.kind, 1),
        clear=ended, title=title(row, meter.name, meter.time_zone), text=row.text,
        link=f"/energy/meters/{meter.id}", end=said, data={"meter": meter.id, "kind": row.kind, "start": row.start},
    )  # fmt: skip


def _standing(session: Session, workspace: str, subjects: Sequence[str]) -> dict[str, Open]:
    """The open alerts of these anomalies, along their unique index."""
    found = {}
    columns = (Alert.subject, Alert.state, Alert.level, Alert.period, Alert.cause, Alert.title, Alert.text)
    asked = select(*columns).where(Alert.workspace_id == workspace, Alert.rule == RULE)
    asked = asked.where(Alert.state.in_((PENDING, FIRING)))
    for some in some_of(subjects):
        for row in session.execute(asked.where(Alert.subject.in_(some))):
            found[row.subject] = Open(row.state, row.level, row.period, row.cause, row.title, row.text)
    return found


def told() -> ColumnElement[bool]:
    """Anomalies that are, or were, an alert: all others are history."""
    alert = select(Alert.id).where(
        Alert.workspace_id == Anomaly.workspace_id, Alert.rule == RULE, Alert.subject == Anomaly.id
    )
    return alert.exists()
