"""What meters say by MQTT, read: numbers, times with values, and the messages of common plugs and gateways. Pure.

Devices' own units hold for their own messages; elsewhere the meter's. Where a message has no time it is of now, which
is right for a counter alone, and not for one that the broker kept for whoever comes.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from tasks.metering import incoming
from tasks.metering.incoming import NO_TIME, NO_VALUE, NoJson
from tasks.metering.usage import Readings

LONGEST = 1_000_000  # bytes of a message
MOST = 50_000  # readings in one
NO_READING = "A message holds a number, or JSON with “time” and “value”. The guide to electricity has other shapes."
TOO_LONG = f"A message holds at most {MOST:,} readings and {LONGEST:,} bytes."
OF_NOW_KEPT = "A number without a time was retained by the broker: when it was read is not known."


class Unread(ValueError):
    """The message holds no readings that can be taken; says why."""


class Kept(Unread):
    """A retained message without a time: no fault of anybody's."""


def read(payload: bytes, *, unit: str, counter: bool, zone: str, now: int, retained: bool = False) -> Readings:
    """The readings in a message, in mWh.

    Args:
        unit: the meter's.
        counter: whether the meter is one; others' readings need a time.
        zone: the meter's, for devices that tell the time of their own clock without a zone.
        now: when it came, epoch seconds.
        retained: the broker kept it from before we came.

    Raises:
        Unread: see there.
    """
    entries, unit, local = _entries(payload, unit)
    timeless = any(isinstance(entry, dict) and "time" not in entry for entry in entries)
    if timeless and not counter:
        raise Unread(NO_TIME)
    if timeless and retained:
        raise Kept(OF_NOW_KEPT)
    found = incoming.batch(entries, unit=unit, now=now, zone=zone if local else None, may_lack_time=counter)
    if found.wrong:
        raise Unread(next(iter(found.wrong.values())))
    return found.readings


def _entries(payload: bytes, unit: str) -> tuple[list[Any], str, bool]:
    """Entries with time and value, their unit, and whether times without a zone are by the device's clock."""
    if len(payload) > LONGEST:
        raise Unread(TOO_LONG)
    if not payload.strip():
        raise Unread(NO_VALUE)
    try:
        sent = incoming.parse(payload)
    except NoJson:
        raise Unread(NO_READING) from None
    if isinstance(sent, list):
        if not sent or len(sent) > MOST:
            raise Unread(TOO_LONG if sent else NO_READING)
        return sent, unit, False
    if isinstance(sent, dict):
        if device := _device(sent):
            return device
        if "value" not in sent:
            raise Unread(NO_READING)
        given = sent.get("unit", unit)
        if not isinstance(given, str) or given not in incoming.UNITS:
            raise Unread(NO_READING)
        return [{name: sent[name] for name in ("time", "value") if name in sent}], given, False
    return [{"value": sent}], unit, False


def _device(sent: Mapping[str, Any]) -> tuple[list[Any], str, bool] | None:
    """The messages of devices; None when it is none of theirs."""
    match sent:
        case {"ENERGY": {"Total": total}}:  # Tasmota: by its own clock, kWh
            return [_timed(total, sent.get("Time"))], "kWh", True
        case {"aenergy": {"total": total}}:  # Shelly's plugs and switches: Wh
            return [_timed(total, sent["aenergy"].get("minute_ts"))], "Wh", False
        case {"total_act": total} | {"total_act_energy": total}:  # Shelly's meters: Wh
            return [_timed(total, None)], "Wh", False
        case {"energy": int() | float() | str() | Decimal() as total} if "value" not in sent:  # Zigbee2MQTT
            return [_timed(total, sent.get("last_seen"))], "kWh", True
    return None


def _timed(value: Any, at: Any) -> dict[str, Any]:
    if isinstance(at, str) and at:
        try:
            datetime.fromisoformat(at)
        except ValueError:
            at = None
    return {"value": value} if at in (None, "") else {"time": at, "value": value}
