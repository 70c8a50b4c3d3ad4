"""Messages by MQTT into their meters, many in one transaction; what cannot be taken stops none of the others."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Table, update
from sqlalchemy.orm import Session

from models import tally
from models.meter import COUNTER, Meter
from models.session import EVERYONE, Database
from tasks.metering import payloads, readings, taking
from tasks.metering.merging import Unkept
from tasks.metering.packing import Corrupt
from tasks.metering.payloads import Kept, Unread
from tasks.metering.usage import Readings

TAKEN, REFUSED, RETAINED, NO_METER, OTHER = "taken", "refused", "retained", "no meter", "other"
Part = tuple[Meter, Readings]


@dataclass(frozen=True, slots=True)
class Message:
    """One message.

    Attributes:
        address: the meter's, out of its topic.
        retained: the broker kept it from before we came.
        deeper: its topic goes on behind the address, as devices' do that say other things too.
        came_at: epoch seconds.
    """

    address: str
    payload: bytes
    retained: bool
    deeper: bool
    came_at: int


def write_all(database: Database, messages: list[Message]) -> Counter[str]:
    """Write what can be taken, in one transaction; why a meter's last message was not, stands on the meter.

    Returns:
        How many messages came to what; counted for /metrics too.
    """
    outcomes: Counter[str] = Counter()
    with database.write(EVERYONE) as session:
        meters = taking.by_address(session, {each.address for each in messages if _sound(each.address)})
        troubles: dict[str, str] = {}
        parts: dict[str, list[Readings]] = defaultdict(list)
        for message in messages:
            outcome = _read(message, meters.get(message.address), parts, troubles)
            outcomes[outcome] += 1
        ordered = sorted(meters.values(), key=lambda each: each.id)  # so that no two who do wait for each other
        for meter in ordered:
            refused = _write(session, meter, parts.get(meter.id, []))
            outcomes.update({REFUSED: len(refused), TAKEN: -len(refused)})
            if refused:
                troubles.setdefault(meter.id, refused[-1])
        _say(session, [each for each in ordered if each.id in parts or each.id in troubles], troubles)
        for outcome, count in sorted(outcomes.items()):
            if count:
                tally.add(session, "mqtt_messages", tally.labelled(outcome=outcome.replace(" ", "_")), count)
    return outcomes


def count_refused(database: Database) -> None:
    """For /metrics, where a message undid the transaction that would have counted it."""
    with database.write(EVERYONE) as session:
        tally.add(session, "mqtt_messages", tally.labelled(outcome=REFUSED))


def _sound(address: str) -> bool:
    """No database keeps NUL, and none of ours is longer."""
    return address.isascii() and address.isprintable() and 0 < len(address) <= 32


def _read(message: Message, meter: Meter | None, parts: dict[str, list[Readings]], troubles: dict[str, str]) -> str:
    if meter is None:
        return NO_METER
    try:
        found = payloads.read(
            message.payload, unit=meter.unit, counter=meter.kind == COUNTER, zone=meter.time_zone,
            now=message.came_at, retained=message.retained,
        )  # fmt: skip
    except Kept:
        return RETAINED
    except Unread as error:
        if message.deeper:  # a device says many things; what is no reading there is no fault
            return OTHER
        troubles[meter.id] = str(error)
        return REFUSED
    parts[meter.id].append(found)
    troubles.pop(meter.id, None)
    return TAKEN


def _write(session: Session, meter: Meter, parts: list[Readings]) -> list[str]:
    """All of a meter's readings at once, or message by message where some cannot be kept; why those could not."""
    if not parts:
        return []
    try:
        readings.write(session, meter, _together(parts))
    except (Unkept, Corrupt) as error:  # a damaged day takes nothing any more; other days and meters do
        return [str(error)] if len(parts) == 1 else [why for part in parts for why in _write(session, meter, [part])]
    return []


def _together(parts: list[Readings]) -> Readings:
    """One after the other: of two values of a moment, the one that came last."""
    import numpy as np

    times, values = (np.concatenate([getattr(part, name) for part in parts]) for name in ("times", "values"))
    order = np.argsort(times, kind="stable")
    last = np.append(np.diff(times[order]) != 0, True)
    return Readings(times[order][last], values[order][last])


def _say(session: Session, meters: Iterable[Meter], troubles: dict[str, str]) -> None:
    table = Meter.__table__
    assert isinstance(table, Table)
    for meter in meters:
        if (trouble := troubles.get(meter.id, "")[:300]) != meter.trouble:
            session.execute(update(table).where(table.c.id == meter.id).values(trouble=trouble))
