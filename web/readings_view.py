"""What the page of a meter file shows: facts about the file, what must be chosen, and each meter in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from web.forms import Field

SUBJECT = "readings"
ORDER = (
    "unit", "zone", "clock", "meter_kind", "stamps", "dates", "decimal", "delimiter", "repeats", "turns", "swapped",
)  # fmt: skip
CHOICES = (*ORDER, "columns", "targets")
FORMS = {
    "table": "A table", "clocks": "A table with a line per day", "green button": "Green Button XML",
    "home assistant": "Home Assistant's statistics as JSON",
}  # fmt: skip
BETWEEN = {";": "semicolons", ",": "commas", "\t": "tabs", "|": "bars"}
DATES = {"dmy": "day, month, year", "mdy": "month, day, year", "ymd": "year, month, day"}
CHOOSE = "Choose one"
DAY, MONTH = 86_400, 2_629_800


@dataclass(frozen=True, slots=True)
class Question:
    """An oddity that somebody has to decide, beside the field by which they do."""

    oddity: Mapping[str, Any]
    field: Field


def facts(layout: Mapping[str, Any]) -> list[tuple[str, str]]:
    """How the file was read, for people."""
    told = [("What it is", FORMS.get(layout.get("form", ""), "")), ("Readings", f"{layout.get('rows', 0):,}")]
    if layout.get("delimiter"):
        told.append(("Between its columns", BETWEEN.get(layout["delimiter"], layout["delimiter"])))
        told.append(("Before its decimals", "a comma" if layout["decimal"] == "," else "a point"))
        told.append(("Its dates", DATES.get(layout["dates"], "")))
    told.append(("Time zone, where it says none", layout.get("zone", "UTC")))
    if layout.get("weather"):
        told.append(("Temperatures", f"{layout['weather']:,}, kept as the weather where the meter stands"))
    return told


def questions(layout: Mapping[str, Any], fields: Mapping[str, Field]) -> list[Question]:
    """One for each field that must be chosen."""
    first: dict[str, Mapping[str, Any]] = {}
    for oddity in layout.get("oddities", ()):
        if oddity["asks"]:
            first.setdefault(oddity["asks"], oddity)
    for name in first:
        if name in fields and name != "swapped":
            fields[name].options = [("", CHOOSE), *fields[name].options[1:]]
    return [Question(oddity, fields[name]) for name, oddity in first.items() if name in fields]


def shared(series: Sequence[Mapping[str, Any]]) -> list[str]:
    """Why none of a file's meters may be forecast on: what all of them have in common is said once."""
    if len(series) < 2:
        return []
    return [text for text in series[0]["refusals"] if all(text in each["refusals"] for each in series)]


def span(each: Mapping[str, Any], zone: str) -> str:
    """From when to when, and how often."""
    place = ZoneInfo(zone)
    ends = [f"{datetime.fromtimestamp(each[end], UTC).astimezone(place):%Y-%m-%d %H:%M}" for end in ("first", "last")]
    return f"{ends[0]} to {ends[1]}, {step(each['step'])}"


def step(seconds: int) -> str:
    if seconds == MONTH:
        return "monthly"
    if not seconds:
        return "at no regular times"
    if seconds % DAY == 0:
        return "daily" if seconds == DAY else f"every {seconds // DAY} days"
    if seconds % 3600 == 0:
        return "hourly" if seconds == 3600 else f"every {seconds // 3600} hours"
    return f"every {seconds // 60} minutes" if seconds % 60 == 0 else f"every {seconds} seconds"
