"""How times read on a page: in the zone of the person who looks."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from flask import Flask
from markupsafe import Markup

from web.current import person

STEPS = ((86_400, "day"), (3_600, "hour"), (60, "minute"))


def local(milliseconds: int) -> datetime:
    """A moment (epoch milliseconds) in the zone of the person who asks; UTC for nobody."""
    asking = person()
    return datetime.fromtimestamp(milliseconds / 1000, UTC).astimezone(ZoneInfo(asking.time_zone if asking else "UTC"))


def moment(milliseconds: int | None, pattern: str = "%-d %b %Y, %H:%M") -> Markup:
    """`<time>` with a date and time to the minute; a dash for none."""
    if milliseconds is None:
        return Markup("–")
    at = local(milliseconds)
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        at.isoformat(), at.strftime("%c %Z"), at.strftime(pattern)
    )


def ago(milliseconds: int | None, now: datetime | None = None) -> str:
    """ "3 minutes ago", for what is recent; a dash for none."""
    if milliseconds is None:
        return "–"
    seconds = ((now or datetime.now(UTC)) - datetime.fromtimestamp(milliseconds / 1000, UTC)).total_seconds()
    for length, word in STEPS:
        if count := int(seconds // length):
            return f"{count} {word}{'' if count == 1 else 's'} ago"
    return "just now"


def install(app: Flask) -> None:
    app.jinja_env.filters.update(moment=moment, ago=ago)
