"""Readings from outside into the meters that take them: found by what they are called there, or by their address."""

from collections.abc import Collection, Iterable, Mapping
from typing import cast

from sqlalchemy import Table, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from models.base import clock
from models.meter import Meter
from tasks.metering.merging import Unkept, Written
from tasks.metering.packing import Corrupt
from tasks.metering.readings import write
from tasks.metering.usage import Readings

AT_ONCE = 500  # names in one question
HEARD = 600_000  # milliseconds
LIVE = 14 * 86_400  # seconds: older readings are somebody's past, not a device that sends
meter_table = cast(Table, Meter.__table__)


class NotTaken(ValueError):
    """Some meters' readings cannot be kept: `errors` says why, by the meter's id. Nothing is written of any."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__(next(iter(errors.values())))
        self.errors = dict(errors)


def by_source(session: Session, sources: Collection[str]) -> dict[str, Meter]:
    """The meters that take what is called so elsewhere; of two the older one, and none that is archived."""
    return _named(session, Meter.source, sources)


def by_address(session: Session, addresses: Collection[str]) -> dict[str, Meter]:
    """The meters with these MQTT addresses, of any workspace that the session sees, and none that is archived."""
    return _named(session, Meter.address, addresses)


def _named(session: Session, column: InstrumentedAttribute[str], names: Collection[str]) -> dict[str, Meter]:
    found: dict[str, Meter] = {}
    wanted = sorted({name for name in names if name})
    for begin in range(0, len(wanted), AT_ONCE):
        asked = select(Meter).where(column.in_(wanted[begin : begin + AT_ONCE]), Meter.archived.is_(False))
        for meter in session.scalars(asked.order_by(Meter.created_at, Meter.id)):
            found.setdefault(getattr(meter, column.key), meter)
    return found


def take(
    session: Session, parts: Iterable[tuple[Meter, Readings]], *, keep_old: bool = False
) -> list[tuple[Meter, Written]]:
    """Write the readings of several meters, always in the same order: so that no two who do wait for each other.

    Raises:
        NotTaken: of all that cannot be kept; roll back what the others wrote.
    """
    told, wrong = [], {}
    for meter, readings in sorted(parts, key=lambda part: part[0].id):
        try:
            told.append((meter, write(session, meter, readings, keep_old=keep_old)))
        except (Unkept, Corrupt) as error:
            wrong[meter.id] = str(error)
    if wrong:
        raise NotTaken(wrong)
    _heard(session, [meter for meter, _ in told])
    return told


def _heard(session: Session, meters: Collection[Meter]) -> None:
    """Note which meters a device sends for, so that its silence is news; now and then, not with every reading."""
    now = clock(session)
    since, fresh = now - HEARD, now // 1000 - LIVE
    due = sorted({one.id for one in meters if (one.heard_at or 0) < since and (one.last_at or 0) > fresh})
    for begin in range(0, len(due), AT_ONCE):
        some = meter_table.c.id.in_(due[begin : begin + AT_ONCE])
        session.execute(update(meter_table).where(some).values(heard_at=now))
