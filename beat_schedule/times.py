"""Due times of a crontab line in a time zone, in epoch milliseconds. Daylight saving as Debian's cron has it."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError


def check(cron: str, zone: str = "UTC") -> str | None:
    """What is wrong with a line, in a sentence; None when it is right."""
    try:
        after(cron, zone, 0)
    except CronSimError:
        return "Write five fields: minute, hour, day of month, month, day of week, such as “0 7 * * 1”."
    except (ZoneInfoNotFoundError, ValueError):
        return "There is no such time zone; write one like Europe/Berlin."
    except StopIteration:
        return "This never comes: there is no such day."
    return None


def after(cron: str, zone: str, moment: int) -> int:
    """The first due time later than `moment`."""
    local = datetime.fromtimestamp(moment / 1000, UTC).astimezone(ZoneInfo(zone))
    return int(next(CronSim(cron, local)).timestamp() * 1000)


def up_to(cron: str, zone: str, first: int, now: int, limit: int = 1000) -> list[int]:
    """The due times from `first` (a due time itself) to `now`, oldest first; at most the first `limit`."""
    found = [first]
    while len(found) < limit and (following := after(cron, zone, found[-1])) <= now:
        found.append(following)
    return found
