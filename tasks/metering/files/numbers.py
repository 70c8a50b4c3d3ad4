"""Numbers as meter files write them."""

import math
import re
from collections.abc import Iterable, Sequence

from tasks.metering.files import units

NUMBER = re.compile(r"[+\-−]?\d[\d.,'’ \u00a0\u202f]*(?:e[+-]?\d{1,3})?|[+\-−]?[.,]\d+(?:e[+-]?\d{1,3})?", re.I)
WITH_UNIT = re.compile(r"(.*\d)\s*(k?wh?|mwh?|gwh?)", re.I)
MISSING = {
    "", "-", "--", "---", "–", "—", "null", "none", "nan", "na", "n/a", "n.a.", "nil", "missing", "unavailable",
    "unknown", "?", "*", "no data", "nodata", "k.a.", "keine daten", "fehlt", "#n/a", "#n/v", "#nv", "undef",
    "undefined", "x",
}  # fmt: skip
SHARE = 3  # digits of a group of thousands
LONGEST = 40  # signs
LARGEST = 1e15  # mWh: a terawatt-hour in one reading is none


class NoNumber(ValueError):
    """A cell that is no number; says what it is."""


def evidence(text: str) -> str:
    """The sign that must stand before this number's decimals; "" where it could be either.

    “1,234” could be both. “0,253” could not: no group of thousands begins with a zero; nor does one have four digits.
    """
    bare = re.sub(r"[^\d.,]", "", text.lower().partition("e")[0])
    signs = [sign for sign in bare if sign in ".,"]
    if not signs:
        return ""
    if len(set(signs)) == 2:
        return signs[-1]
    if len(signs) > 1:
        return "," if signs[0] == "." else "."
    before, _, behind = bare.partition(signs[0])
    return signs[0] if len(behind) != SHARE or len(before) != len(before.lstrip("0")) or len(before) > SHARE else ""


def looks_so(text: str) -> bool:
    """Whether it is meant as a number, with or without a unit behind it."""
    bare = text.strip()
    if len(bare) > LONGEST:
        return False
    found = WITH_UNIT.fullmatch(bare)
    return bool(NUMBER.fullmatch((found[1] if found else bare).strip()))


def missing(text: str) -> bool:
    return text.strip().casefold() in MISSING


def column(texts: Sequence[str], decimal: str) -> "list[float] | None":
    """All cells at once, where all are plain numbers: the fast way. None where one is not."""
    joined = "".join(texts)
    if "_" in joined or not joined.isascii() or (decimal == "," and "." in joined):
        return None
    try:
        read = list(map(float, (text.replace(",", ".") for text in texts) if decimal == "," else texts))
    except ValueError:
        return None
    return read if all(map(math.isfinite, read)) else None


def careful(text: str, decimal: str) -> tuple[float, str]:
    """One cell: its number (NaN where it is missing) and the unit behind it, if there is one.

    Raises:
        NoNumber: it is none, or none that is finite.
    """
    bare = text.strip()
    if bare.casefold() in MISSING:
        return math.nan, ""
    if len(bare) > LONGEST:
        raise NoNumber("it is too long")
    if bare.casefold().lstrip("+-").startswith("inf"):
        raise NoNumber("it is not finite")
    unit = ""
    if found := WITH_UNIT.fullmatch(bare):
        bare, unit = found[1].strip(), units.plain(found[2])
    if not NUMBER.fullmatch(bare):
        raise NoNumber("it is no number")
    return _plain(bare.replace("−", "-"), decimal), unit


def _plain(bare: str, decimal: str) -> float:
    thousands = "." if decimal == "," else ","
    whole, _, rest = bare.partition(decimal)
    digits = re.sub(r"['’ \u00a0\u202f]", "", whole)
    if thousands in digits and not re.fullmatch(rf"[+-]?\d{{1,3}}({re.escape(thousands)}\d{{2,3}})*", digits):
        raise NoNumber("its separators do not fit")
    try:
        value = float(
            f"{digits.replace(thousands, '') or '0'}.{rest or '0'}" if rest else digits.replace(thousands, "")
        )
    except ValueError as error:
        raise NoNumber("it is no number") from error
    if not math.isfinite(value):
        raise NoNumber("it is not finite")
    return value


def decimal_of(cells: Iterable[str]) -> tuple[str, bool]:
    """The sign before decimals on which all cells agree; and whether they leave it open."""
    votes = {".": 0, ",": 0}
    loose = ""
    for cell in cells:
        if sign := evidence(cell):
            votes[sign] += 1
        elif found := [each for each in cell if each in ".,"]:
            loose = loose or found[0]
    if votes["."] != votes[","]:
        return (max(votes, key=votes.__getitem__)), False
    return (loose or "."), bool(loose)
