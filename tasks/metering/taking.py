"""Readings from outside into the meters that take them: found by what they are called there, or by their address."""

from collections.abc import Collection, Iterable, Mapping

from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute, Session

from models.meter import Meter
from tasks.metering.merging import Unkept, Written
from tasks.metering.readings import write
from tasks.metering.usage import Readings

AT_ONCE = 500  # names in one question


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
        except Unkept as error:
            wrong[meter.id] = str(error)
    if wrong:
        raise NotTaken(wrong)
    return told
