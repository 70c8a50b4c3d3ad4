"""Days as files write them: which order of day, month and year all lines of a file agree on."""

import re
from collections import Counter
from datetime import date
from functools import cache, lru_cache

ORDERS = {"dmy": "day, month, year", "mdy": "month, day, year", "ymd": "year, month, day"}
NO_DAY = "“{}” is no day of the calendar; dates here are read as {}."
NO_DATE = "There is no date in this line."
TIME = re.compile(
    r"[T,\s]*(?<!\d)\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?(\s*[ap]\.?m\.?)?\s*(Z|UTC|GMT|[+-]\d\d:?\d\d)?[,\s]*", re.I
)
NUMBERS = re.compile(r"(\d{1,4})\s*[./\-#'’ ]\s*(\d{1,2})\s*[./\-#'’ ]\s*(\d{1,4})\.?")
TOGETHER = re.compile(r"\d{8}|\d{6}")
LANGUAGES = ("en", "de", "fr", "es", "it", "nl", "pt", "pl", "sv", "da", "nb", "fi", "cs")
LONGEST = 60
PIVOT = 70  # two digits: 69 is 2069, 70 is 1970


def fits(text: str) -> set[str]:
    """The orders in which this is a day; those with a month's name fit all."""
    return {order for order in ORDERS if _day(text, order)}


def looks_so(text: str) -> bool:
    """Whether it is meant as a date, be there such a day or not."""
    bare = _bare(text)
    return bool(NUMBERS.fullmatch(bare) or (len(bare) == 8 and TOGETHER.fullmatch(bare) and _day(bare, "ymd"))) or (
        _named(bare) is not None
    )


def order_of(votes: "Counter[frozenset[str]]", hint: str = "dmy") -> tuple[str, bool]:
    """The order that fits most lines; and whether day and month could as well be the other way round.

    Args:
        votes: how many lines fit which orders.
        hint: what to take where all lines allow both.
    """
    counts = {order: sum(count for some, count in votes.items() if order in some) for order in ORDERS}
    best = max(counts.values(), default=0)
    possible = [order for order in ORDERS if counts[order] == best and best]
    if not possible:
        return hint, False
    ambiguous = "dmy" in possible and "mdy" in possible and counts["ymd"] < best
    return (hint if hint in possible else possible[0]), ambiguous


def read(text: str, order: str) -> date:
    """The day.

    Raises:
        ValueError: a sentence for whoever looks at the line.
    """
    if not text.strip():
        raise ValueError(NO_DATE)
    found = _day(text, order)
    if found is None:
        raise ValueError(NO_DAY.format(text.strip()[:40], ORDERS[order]))
    return found


def _bare(text: str) -> str:
    """Without the time of day; what is too long to be a date is not looked at closely."""
    if len(text) > LONGEST:
        return ""
    return TIME.sub("", text.strip()).strip() if ":" in text else text.strip()


@lru_cache(maxsize=8192)  # files have the same days many times
def _day(text: str, order: str) -> date | None:
    bare = _bare(text)
    if found := NUMBERS.fullmatch(bare):
        return _made(list(found.groups()), order)
    if TOGETHER.fullmatch(bare):
        long = len(bare) == 8
        cuts = {"ymd": (4, 2, 2) if long else (2, 2, 2)}.get(order, (2, 2, 4) if long else (2, 2, 2))
        return _made([bare[: cuts[0]], bare[cuts[0] : cuts[0] + cuts[1]], bare[-cuts[2] :]], order)
    return _named(bare)


def _made(parts: list[str], order: str) -> date | None:
    given = dict(zip(order, parts, strict=True))
    if len(given["y"]) not in (2, 4) or len(given["d"]) > 2 or len(given["m"]) > 2:
        return None
    return _calendar(int(given["y"]), int(given["m"]), int(given["d"]), short=len(given["y"]) == 2)


def _calendar(year: int, month: int, day: int, *, short: bool) -> date | None:
    full = year + (2000 if year < PIVOT else 1900) if short else year
    try:
        return date(full, month, day) if 1900 <= full <= 2200 else None
    except ValueError:
        return None


def _named(text: str) -> date | None:
    """31 Jan 2024, Jan 31, 2024, 31-gen-24."""
    words = re.findall(r"[^\W\d_]+", text.casefold())
    numbers = re.findall(r"\d+", text)
    month = next((_months()[word] for word in words if word in _months()), None)
    if month is None or len(numbers) != 2 or len(words) > 4:
        return None
    if len(numbers[0]) == 4:
        numbers.reverse()
    if len(numbers[0]) > 2 or len(numbers[1]) not in (2, 4):
        return None
    return _calendar(int(numbers[1]), month, int(numbers[0]), short=len(numbers[1]) == 2)


@cache
def _months() -> dict[str, int]:
    from babel import Locale

    known: dict[str, int] = {}
    for language in LANGUAGES:
        for context in ("format", "stand-alone"):
            for width in ("abbreviated", "wide"):
                for number, name in Locale(language).months[context][width].items():
                    if word := name.casefold().rstrip("."):
                        known.setdefault(word, number)
    return known | {"sept": 9}
