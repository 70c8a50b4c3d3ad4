"""When a schedule comes: from a form or the API to a rule with what is wrong beside each field, and back into words."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cronsim import CronSim

from beat_schedule import times
from beat_schedule.times import MOST_MINUTES, REPEATS, Rule
from tasks.handover import Refused

FIELDS = ("repeat", "at", "minutes", "time", "weekdays", "day", "cron", "time_zone")
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
CHOICES = {
    "once": "Once",
    "minutes": "Every few minutes",
    "daily": "Every day",
    "weekly": "Every week",
    "monthly": "Every month",
    "cron": "By a crontab line",
}
PASSED = "This time has passed. Choose a later one."
LAST_DAY = 31
LAST_YEAR = 2200  # far enough, and every clock can show it
LONGEST_CRON = 120


def read(given: Mapping[str, Any], now: int) -> Rule:
    """A rule whose next time lies ahead.

    Raises:
        Refused: with a message for each field at fault.
    """
    if unknown := set(given) - set(FIELDS):
        raise Refused(dict.fromkeys(sorted(unknown), "There is no such field; leave it out."))
    repeat, zone = given.get("repeat"), given.get("time_zone")
    wrong = {}
    if repeat not in REPEATS:
        wrong["repeat"] = f"Choose one of {', '.join(REPEATS)}."
    if not isinstance(zone, str) or zone not in times.zones():
        wrong["time_zone"] = times.NO_ZONE
    if wrong or not isinstance(repeat, str) or not isinstance(zone, str):
        raise Refused(wrong)
    rule = READERS[repeat](given, zone)
    if times.after(rule, now) is None:
        raise Refused({"at": PASSED} if repeat == "once" else {"cron": times.NEVER})
    return rule


def _once(given: Mapping[str, Any], zone: str) -> Rule:
    try:
        at = datetime.fromisoformat(str(given.get("at", "")))
        if at.year > LAST_YEAR:
            raise ValueError
        moment = int(at.timestamp() * 1000) if at.tzinfo else times.at_local(at.replace(second=0, microsecond=0), zone)
    except (ValueError, OverflowError):
        raise Refused({"at": "Give a day and a time, such as 2030-12-31T07:00."}) from None
    return Rule("once", zone, once_at=moment)


def _minutes(given: Mapping[str, Any], zone: str) -> Rule:
    count = _whole(given.get("minutes"), 1, MOST_MINUTES)
    if count is None:
        raise Refused({"minutes": f"Give a whole number of minutes from 1 to {MOST_MINUTES} (four weeks)."})
    return Rule("minutes", zone, every_minutes=count)


def _daily(given: Mapping[str, Any], zone: str) -> Rule:
    return Rule("daily", zone, f"{_clock(given)} * * *")


def _weekly(given: Mapping[str, Any], zone: str) -> Rule:
    chosen = given.get("weekdays")
    days = {_whole(each, 1, 7) for each in chosen} if isinstance(chosen, list) else set()
    if not days or None in days:
        raise Refused({"weekdays": "Choose at least one day of the week (1 is Monday, 7 is Sunday)."})
    return Rule("weekly", zone, f"{_clock(given)} * * {','.join(str(day) for day in sorted(day or 0 for day in days))}")


def _monthly(given: Mapping[str, Any], zone: str) -> Rule:
    day = _whole(LAST_DAY if given.get("day") == "last" else given.get("day"), 1, LAST_DAY)
    if day is None:
        raise Refused({"day": "Choose a day from 1 to 31; 31 is the last day of every month."})
    return Rule("monthly", zone, f"{_clock(given)} {day} * *")


def _cron(given: Mapping[str, Any], zone: str) -> Rule:
    line = " ".join(str(given.get("cron", "")).split())
    if len(line) > LONGEST_CRON:
        raise Refused({"cron": f"Write at most {LONGEST_CRON} characters."})
    if wrong := times.check(line, zone):
        raise Refused({"cron": wrong})
    return Rule("cron", zone, line)


READERS = {
    "once": _once, "minutes": _minutes, "daily": _daily, "weekly": _weekly, "monthly": _monthly, "cron": _cron,
}  # fmt: skip


def _clock(given: Mapping[str, Any]) -> str:
    """ "07:30" as a crontab line begins: "30 7"."""
    hour, colon, minute = str(given.get("time", "")).partition(":")
    told = _whole(hour, 0, 23), _whole(minute[:2], 0, 59)
    if not colon or None in told:
        raise Refused({"time": "Give a time of day from 00:00 to 23:59."})
    return f"{told[1]} {told[0]}"


def _whole(value: Any, least: int, most: int) -> int | None:
    """A whole number between bounds, as a form or JSON has it; None for all else."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    text = str(value).strip()
    if not (text.isascii() and text.isdigit() and len(text) < 9):
        return None
    return int(text) if least <= int(text) <= most else None


def show(rule: Rule) -> dict[str, Any]:
    """A rule as `read` takes it: what the form shows and the API tells."""
    told: dict[str, Any] = {"repeat": rule.repeat, "time_zone": rule.zone}
    if rule.repeat == "once" and rule.once_at is not None:
        return told | {"at": times.on_clock(rule.once_at, rule.zone).strftime("%Y-%m-%dT%H:%M")}
    if rule.repeat == "minutes":
        return told | {"minutes": rule.every_minutes}
    if rule.repeat == "cron":
        return told | {"cron": rule.cron}
    minute, hour, day, _month, weekdays = rule.cron.split()
    told["time"] = f"{int(hour):02}:{int(minute):02}"
    if rule.repeat == "weekly":
        told["weekdays"] = [int(each) for each in weekdays.split(",")]
    if rule.repeat == "monthly":
        told["day"] = int(day)
    return told


def words(rule: Rule) -> str:
    """A rule in a line, without its zone."""
    told = show(rule)
    if rule.repeat == "once":
        at = times.on_clock(rule.once_at or 0, rule.zone)
        return f"Once, on {at.day} {at:%b %Y} at {at:%H:%M}"
    if rule.repeat == "minutes":
        return f"Every {rule.every_minutes} minutes" if rule.every_minutes != 1 else "Every minute"
    if rule.repeat == "cron":
        return CronSim(rule.cron, datetime(2024, 1, 1)).explain()  # noqa: DTZ001  # no time is reckoned
    if rule.repeat == "weekly":
        return f"Every {_listed([WEEKDAYS[day - 1] for day in told['weekdays']])} at {told['time']}"
    if rule.repeat == "monthly":
        day = "the last day" if told["day"] == LAST_DAY else f"day {told['day']}"
        return f"Every month on {day} at {told['time']}"
    return f"Every day at {told['time']}"


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
