"""Times as meter files write them: a day and a time of day, with or without a zone, or seconds since 1970."""

import re
from collections.abc import Sequence
from datetime import date

import numpy as np
from numpy.typing import NDArray

from tasks.tabular import days

DAY = 86_400
EPOCH = date(1970, 1, 1).toordinal()
NO_ZONE = 1_000_000  # stands for “says no zone” among offsets in seconds
NO_TIME = np.iinfo(np.int64).min  # stands for what is no time
MOST_KNOWN = 100_000
LONGEST = 60  # signs; what is longer is no time, and not worth a search
CLOCK = re.compile(
    r"(\d{1,2})(?:[:.h](\d{2}))?(?:[:.m](\d{2})(?:[.,]\d+)?s?)?\s*([ap]\.?\s?m\.?)?\s*(?:uhr)?\s*"
    r"(z|utc|gmt|cest|cet|mesz|mez|bst|west|wet|eest|eet|e[sd]t|c[sd]t|m[sd]t|p[sd]t|(?:gmt|utc)?[+-]\d\d?(?::?\d\d)?)?",
    re.I,
)
ZONES = {
    "z": 0, "utc": 0, "gmt": 0, "wet": 0, "cet": 1, "mez": 1, "bst": 1, "west": 1, "cest": 2, "mesz": 2, "eet": 2,
    "eest": 3, "est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8, "pdt": -7,
}  # fmt: skip
DOTTED = re.compile(r"(.+?)[\s,]+(\d{1,2}[.h]\d{2}(?:\s*uhr)?)", re.I)
YEAR_FIRST = re.compile(r"(19|20)\d\d(-\d{1,2}-\d{1,2}|/\d{1,2}/\d{1,2}|\d{4})")
WEEKDAY = re.compile(r"^[^\W\d]{2,10}\.?,?\s+")
COMPACT = re.compile(r"(\d{8})[T ]?(\d{4}|\d{6})(Z?)")
SECONDS, MILLIS, MICROS = (631_152_000, 4_102_444_800), 1e3, 1e6  # 1990 to 2100
Whole = NDArray[np.int64]


def split(text: str) -> tuple[str, str]:
    """Day and time of day of a stamp; either may be empty."""
    bare = text.strip()
    if len(bare) > LONGEST:
        return "", ""
    if found := COMPACT.fullmatch(bare):
        clock = found[2]
        return found[1], ":".join(clock[at : at + 2] for at in range(0, len(clock), 2)) + found[3]
    colon = bare.find(":")
    if colon < 0:
        dotted = DOTTED.fullmatch(bare)
        return (dotted[1], dotted[2]) if dotted else (bare, "")
    cut = max(bare.rfind(" ", 0, colon), bare.rfind("T", 0, colon), bare.rfind(",", 0, colon))
    return (bare[:cut].rstrip(" ,"), bare[cut + 1 :]) if cut > 0 else ("", bare)


def clock_of(text: str) -> tuple[int, int] | None:
    """Seconds since midnight (86,400 for 24:00) and the zone's offset in seconds, or NO_ZONE; None for no time."""
    found = CLOCK.fullmatch(text.strip()) if len(text) <= LONGEST else None
    if found is None or (found[2] is None and found[4] is None):
        return None
    hour, minute, second = (int(found[at] or 0) for at in (1, 2, 3))
    if found[4]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if found[4][0] in "pP" else 0)
    seconds = hour * 3600 + minute * 60 + min(second, 59)
    if minute > 59 or second > 60 or seconds > DAY:
        return None
    return seconds, _offset(found[5])


def _offset(zone: str | None) -> int:
    if not zone:
        return NO_ZONE
    low = zone.casefold()
    if low in ZONES:
        return ZONES[low] * 3600
    digits = low.removeprefix("gmt").removeprefix("utc").replace(":", "")
    sign = -1 if digits[0] == "-" else 1
    return sign * (int(digits[1:3]) * 3600 + int(digits[3:5] or 0) * 60)


def day_of(text: str, order: str) -> int | None:
    """Days since 1970; None for what is no day in this order."""
    bare = text.strip()
    if YEAR_FIRST.fullmatch(bare):
        order = "ymd"
    for some in (bare, WEEKDAY.sub("", bare)):
        try:
            return days.read(some, order).toordinal() - EPOCH
        except ValueError:
            continue
    return None


def epoch_unit(texts: Sequence[str]) -> float:
    """What a column of bare numbers must be divided by to be epoch seconds; 0 where it is no such column."""
    try:
        numbers = [float(text) for text in texts if text.strip()]
    except ValueError:
        return 0
    for unit in (1.0, MILLIS, MICROS):
        if numbers and all(SECONDS[0] <= number / unit < SECONDS[1] for number in numbers):
            return unit
    return 0


class Stamps:
    """Reads a column of times, or two; remembers days and times of day, of which a file has few different ones.

    Args:
        order: "dmy", "mdy" or "ymd".
        epoch: what bare numbers are divided by; 0: they are texts.
    """

    def __init__(self, order: str, epoch: float = 0, hours: int = 0) -> None:
        self.order, self.epoch, self.hours = order, epoch, hours
        self.days: dict[str, int | None] = {}
        self.clocks: dict[str, tuple[int, int] | None] = {}

    def read(self, texts: Sequence[str], clocks: Sequence[str] | None = None) -> tuple[Whole, Whole, Whole]:
        """Times as the clock shows them, offsets of their zones, and the days as written.

        Returns:
            [n] seconds since 1970 as of a clock without zone (NO_TIME where there is none), [n] offsets in seconds
            (NO_ZONE where none is said), [n] days since 1970 as written.
        """
        if self.epoch:
            return self._epoch(texts)
        n = len(texts)
        wall, offset, day = np.full(n, NO_TIME), np.full(n, NO_ZONE, np.int64), np.zeros(n, np.int64)
        for at, text in enumerate(texts):
            date_text, clock_text = split(text) if clocks is None else (text, clocks[at])
            if clocks is not None and " " in date_text and ":" in date_text:
                date_text = split(date_text)[0]  # a spreadsheet's date that carries 00:00
            on, told = self._day(date_text), self._clock(clock_text)
            if on is not None and told is not None:
                wall[at], offset[at], day[at] = on * DAY + told[0], told[1], on
        return wall, offset, day

    def _epoch(self, texts: Sequence[str]) -> tuple[Whole, Whole, Whole]:
        wall = np.full(len(texts), NO_TIME)
        for at, text in enumerate(texts):
            try:
                seconds = float(text) / self.epoch
            except ValueError:
                continue
            if SECONDS[0] <= seconds < SECONDS[1]:
                wall[at] = int(seconds)
        return wall, np.zeros(len(texts), np.int64), wall // DAY

    def _day(self, text: str) -> int | None:
        try:
            return self.days[text]
        except KeyError:
            if len(self.days) > MOST_KNOWN:
                self.days.clear()
            found = self.days[text] = day_of(text, self.order)
            return found

    def _clock(self, text: str) -> tuple[int, int] | None:
        try:
            return self.clocks[text]
        except KeyError:
            if len(self.clocks) > MOST_KNOWN:
                self.clocks.clear()
            found = self.clocks[text] = self._first_clock(text)
            return found

    def _first_clock(self, text: str) -> tuple[int, int] | None:
        if not text:
            return (0, NO_ZONE)
        if self.hours and text.strip().isdigit():  # a column of hours: 0 to 23, or 1 to 24
            hour = int(text) - (self.hours == 24)
            return (hour * 3600, NO_ZONE) if 0 <= hour < 24 else None
        return clock_of(text)
