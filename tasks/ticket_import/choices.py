"""What can be chosen about a file of tickets, and what is wrong with a choice."""

from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field

from tasks.ticket_import.headers import ROLES

MONTH_FIRST = ("America/", "US/", "Pacific/Honolulu")
BETWEEN = {"semicolon": "Semicolon ;", "comma": "Comma ,", "tab": "Tab", "bar": "Bar |"}
WRITTEN = {
    "utf-8-sig": "UTF-8", "utf-16": "UTF-16", "cp1252": "Western Europe (Latin-1)", "cp1250": "Central Europe",
    "cp1251": "Cyrillic", "cp850": "DOS",
}  # fmt: skip
ORDERS = {"dmy": "Day, month, year", "mdy": "Month, day, year", "ymd": "Year, month, day"}
NO_ZONE = "There is no such time zone; write one such as Europe/Berlin."
NO_HOURS = "Write four numbers of hours with spaces between them, for urgent, high, normal and low: 4 8 24 40."
NO_ROLE = "“{}” is no meaning of a column here; choose among {}."
MOST_HOURS = 10_000


def offered(title: str, labels: dict[str, str]) -> Any:
    """A field of which nothing need be chosen: it is found by itself."""
    return Field("", title=title, json_schema_extra={"labels": {"": "Found by itself", **labels}})


def zone(value: str) -> str:
    try:
        return ZoneInfo(value).key if value else ""
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(NO_ZONE) from error


def minutes(value: str) -> list[int]:
    """Hours for the four priorities, in minutes.

    Raises:
        ValueError: they are no four hours.
    """
    try:
        found = [round(float(each) * 60) for each in value.replace(",", " ").split()]
    except (ValueError, OverflowError) as error:
        raise ValueError(NO_HOURS) from error
    if len(found) != 4 or not all(0 < each <= MOST_HOURS * 60 for each in found):
        raise ValueError(NO_HOURS)
    return found


def allowed(value: str) -> str:
    minutes(value)
    return value


def columns(value: str) -> str:
    for each in value.split("|") if value else ():
        if each.strip() not in ROLES:
            raise ValueError(NO_ROLE.format(each.strip()[:30], ", ".join(role for role in ROLES if role)))
    return value
