"""Amounts as files write them: whether a comma or a point stands before the decimals, told from all lines."""

import re
from collections import Counter
from decimal import Decimal

from tasks import money

NUMBER = re.compile(
    r"[(+\-−]?\s*[^\d\s(+\-−.,]{0,4}\s*[(+\-−]?\s*[\d.,'’ \u00a0\u202f]*\d[\d.,]*\s*[)+\-−]?\s*[^\d\s]{0,4}"
)
SIGNS = {
    "out": {"d", "dr", "db", "debit", "af", "s", "soll", "out", "-", "debet", "dbit", "débit", "debe", "dare"},
    "in": {"c", "cr", "credit", "bij", "h", "haben", "in", "+", "kredit", "crédit", "haber", "avere", "k"},
}  # fmt: skip
NO_SIGN = "“{}” does not say whether money came or went."
NO_AMOUNT = "There is no amount in this line."


def looks_so(text: str) -> bool:
    """Whether it is meant as an amount."""
    return len(text) < 40 and bool(NUMBER.fullmatch(text.strip()))


def votes(text: str) -> str:
    """The sign that must stand before this amount's decimals; "" where it could be either."""
    found = [sign for sign in text if sign in ".,"]
    if not found:
        return ""
    if len(set(found)) == 2:
        return found[-1]
    behind = re.split(r"[.,]", re.sub(r"[^\d.,]", "", text))[-1]
    if len(found) > 1:
        return "," if found[0] == "." else "."
    return found[0] if len(behind) != 3 else ""


def decimal_of(cells: "Counter[str]", loose: "Counter[str]") -> tuple[str, bool]:
    """The decimal sign that most amounts need, and whether none of them tells.

    Args:
        cells: how many amounts need which sign.
        loose: signs of amounts like 1.234, which are taken for separators of thousands.
    """
    known = {sign: count for sign, count in cells.items() if sign}
    if known:
        return max(known, key=known.__getitem__), False
    if loose:
        return ("," if loose["."] >= loose[","] else "."), True
    return ".", False


def read(text: str, decimal: str) -> Decimal:
    """The amount.

    Raises:
        ValueError: a sentence for whoever looks at the line.
    """
    if not text.strip():
        raise ValueError(NO_AMOUNT)
    return money.parse(text, decimal=decimal)


def signed(amount: Decimal, word: str) -> Decimal:
    """An amount without a sign, beside a column that says “debit” or “credit”.

    Raises:
        ValueError: the word says neither.
    """
    said = word.strip().casefold().rstrip(".")
    if said in SIGNS["out"]:
        return -abs(amount)
    if said in SIGNS["in"]:
        return abs(amount)
    raise ValueError(NO_SIGN.format(word[:20]))
