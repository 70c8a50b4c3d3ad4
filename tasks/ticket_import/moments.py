"""Moments as exports write them: a day in one of three orders, a time of day, perhaps an offset."""

import re
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta, timezone
from functools import lru_cache
from zoneinfo import ZoneInfo

from tasks.tabular import days

_TIME = re.compile(
    r"^(?P<day>.*?)[T,\s]+(?P<h>\d{1,2}):(?P<m>\d{2})(?::(?P<s>\d{2})(?:[.,]\d+)?)?\s*(?P<half>[ap])?\.?(?:m\.?)?"
    r"\s*(?P<zone>Z|UTC|GMT|[+-]\d\d:?\d\d)?$",
    re.I,
)
LONGEST = 60
NO_MOMENT = "“{}” is no date and time; dates here are read as {}."
EARLIEST, LATEST = 0, 4_102_444_800_000  # 1970 to 2100


def order_of(texts: Iterable[str], hint: str) -> tuple[str, bool]:
    """The order of day, month and year that these agree on; and whether it is but a guess."""
    votes: Counter[frozenset[str]] = Counter()
    for text in texts:
        if fit := days.fits(_parts(text)[0]):
            votes[frozenset(fit)] += 1
    return days.order_of(votes, hint)


class Reader:
    """Reads moments of one file.

    Args:
        order: dmy, mdy or ymd.
        zone: IANA name of the clock that the file was written by, where it does not say.
    """

    def __init__(self, order: str, zone: str) -> None:
        self.order = order
        self.zone = ZoneInfo(zone)

    def read(self, text: str) -> int:
        """Epoch milliseconds.

        Raises:
            ValueError: a sentence for whoever looks at the line.
        """
        day, clock = _parts(text)
        try:
            found = _day(day, self.order)
            at = int(self._moment(found, clock).timestamp() * 1000)
        except (ValueError, OverflowError) as error:
            raise ValueError(NO_MOMENT.format(text.strip()[:40], days.ORDERS[self.order])) from error
        if not EARLIEST <= at < LATEST:
            raise ValueError(NO_MOMENT.format(text.strip()[:40], days.ORDERS[self.order]))
        return at

    def _moment(self, day: date, clock: "re.Match[str] | None") -> datetime:
        if clock is None:
            return datetime(day.year, day.month, day.day, tzinfo=self.zone)
        hour = int(clock["h"])
        if clock["half"]:
            hour = hour % 12 + (12 if clock["half"].lower() == "p" else 0)
        made = datetime(day.year, day.month, day.day, hour, int(clock["m"]), int(clock["s"] or 0), tzinfo=self.zone)
        return made.replace(tzinfo=_offset(clock["zone"])) if clock["zone"] else made


@lru_cache(maxsize=8192)
def _day(text: str, order: str) -> date:
    return days.read(text, order)


def _parts(text: str) -> tuple[str, "re.Match[str] | None"]:
    plain = text.strip()
    clock = _TIME.match(plain) if len(plain) <= LONGEST and ":" in plain else None
    return (clock["day"], clock) if clock else (plain, None)


def _offset(text: str) -> timezone:
    if text.upper() in ("Z", "UTC", "GMT"):
        return UTC
    sign = -1 if text[0] == "-" else 1
    return timezone(sign * timedelta(hours=int(text[1:3]), minutes=int(text[-2:])))
