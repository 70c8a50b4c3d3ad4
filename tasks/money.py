"""Amounts of money as people write them, and as they read them. Decimal throughout, never a float."""

import re
import unicodedata
from decimal import Decimal
from functools import cache
from typing import Any

from babel import Locale
from babel.core import get_global
from babel.numbers import format_currency, format_decimal, get_currency_precision, get_territory_currencies

LOCALE = "en"
MOST = Decimal(10) ** 10  # sums of ninety thousand of them still fit into the databases' whole numbers
LONGEST = 100
FINEST = 4  # decimals that the tables keep
NO_MONEY = ("XXX", "XTS")  # “no currency” and “for tests”
WORDS = (
    "kr",
    "zł",
    "kč",
    "ft",
    "lei",
    "fr.",
    "rs.",
    "rs",
    "лв",
    "r$",
    "us$",
    "a$",
    "c$",
)  # beside the signs of Unicode
NO_NUMBER = "“{}” is no amount; write it like 12.50 or 1,234.56."
NO_POWERS = "Write the number out: “{}” uses an exponent."
TWO_SIGNS = "“{}” has two signs; write -12.50 or (12.50)."
TWO_WAYS = "“{}” can mean {} or {}; write it with two decimals, or without the separator."
GROUPS = "The separators of “{}” do not fit; write it like 1,234.56 or 1.234,56."
TOO_FINE = "Write at most four decimals."
TOO_LARGE = "That is more than ten thousand millions; write a smaller amount."
MINUS = str.maketrans(dict.fromkeys("−‒–—﹣-", "-"))
GAPS = str.maketrans(dict.fromkeys("'’`\u00a0\u2009\u202f\u2007", " "))


def parse(text: str, *, decimal: str | None = None) -> Decimal:
    """An amount as somebody wrote it: `1.234,56`, `1,234.56`, `(12.00)`, `£12`, `12-`, `−5`, `1 234,5 kr`.

    Args:
        decimal: the sign before the decimals, "." or ",", where it is known (a bank's file); None: it is told from
            the text. “1,234” alone tells nothing and is refused.

    Raises:
        ValueError: a sentence for whoever wrote it.
    """
    shown = " ".join(text[:LONGEST].split())[:40]
    if len(text) > LONGEST:
        raise ValueError(NO_NUMBER.format(shown))
    body = unicodedata.normalize("NFKC", text).translate(MINUS).translate(GAPS).strip()
    body, below = _sign(_bare(body), shown)
    body = _bare(body)
    if re.fullmatch(r"[\d.,]+e[+-]?\d+", body, re.IGNORECASE):
        raise ValueError(NO_POWERS.format(shown))
    if not re.fullmatch(r"[0-9.,][0-9., ]*", body) or not re.search(r"[0-9]", body):
        raise ValueError(NO_NUMBER.format(shown))
    amount = Decimal(_plain(body, decimal, shown))
    return within(amount.copy_negate() if below else amount)


def within(amount: Decimal) -> Decimal:
    """The amount, if the tables can keep it.

    Raises:
        ValueError: it has too many digits, before or behind the point.
    """
    if not amount.is_finite():
        raise ValueError(NO_NUMBER.format(amount))
    if abs(amount) > MOST:
        raise ValueError(TOO_LARGE)
    if amount != (kept := round(amount, FINEST)):
        raise ValueError(TOO_FINE)
    return kept + 0  # no zero below zero


def _sign(text: str, shown: str) -> tuple[str, bool]:
    """What is left without the sign, and whether it was below zero."""
    closed = text.startswith("(") and text.endswith(")")
    inner = text[1:-1].strip() if closed else text
    front, behind = inner[:1] in ("-", "+"), inner[1:][-1:] in ("-", "+")
    signs = [*(["-"] if closed else []), *([inner[0]] if front else []), *([inner[-1]] if behind else [])]
    if len(signs) > 1:
        raise ValueError(TWO_SIGNS.format(shown))
    body = inner[1:] if front else inner
    return (body[:-1] if behind else body).strip(), signs == ["-"]


def _bare(text: str) -> str:
    """Without a currency's sign, code or word at one of its ends."""
    for end in (r"^([^\d\s.,()+-]+\.?)\s*(?=[\d.,(+-])", r"(?<=[\d.,)+ -])\s*([^\d\s.,()+-]+\.?)$"):
        found = re.search(end, text)
        if found and _names_money(found[1]):
            text = text[: found.start()] + text[found.end() :]
            return text.strip()
    return text


def _names_money(word: str) -> bool:
    return word.lower() in WORDS or known(word.upper()) or (len(word) == 1 and unicodedata.category(word) == "Sc")


def _plain(body: str, decimal: str | None, shown: str) -> str:
    """The number as Decimal reads it."""
    point = decimal or _point(body, shown)
    whole, _, part = body.partition(point) if point else (body, "", "")
    marks = set(re.sub(r"[0-9]", "", whole))
    grouped = len(marks) == 1 and re.fullmatch(
        r"[0-9]{{1,3}}({0}[0-9]{{2,3}})*{0}[0-9]{{3}}".format(*map(re.escape, marks)), whole
    )
    if (marks and not grouped) or not re.fullmatch(r"[0-9]*", part):
        raise ValueError(GROUPS.format(shown))
    return f"{re.sub(r'[^0-9]', '', whole) or '0'}.{part or '0'}"


def _point(body: str, shown: str) -> str:
    """Which sign stands before the decimals; none for a whole number."""
    found = [sign for sign in ".," if sign in body]
    if len(found) == 2:
        return max(found, key=body.rfind)
    if not found or body.count(found[0]) > 1:
        return ""
    whole, _, part = body.partition(found[0])
    if re.fullmatch(r"[1-9][0-9]{0,2}", whole) and re.fullmatch(r"[0-9]{3}", part):
        raise ValueError(TWO_WAYS.format(shown, f"{whole}{part}", f"{whole}.{part}0"))
    return found[0]


def show(amount: Decimal, currency: str) -> str:
    """€1,234.50, with the decimals that the currency has, or all that there are."""
    if amount == round(amount, digits(currency)):
        return format_currency(amount, currency, locale=LOCALE)
    return format_currency(amount, currency, format="¤#,##0.00##", locale=LOCALE, currency_digits=False)


def quantity(amount: Decimal) -> str:
    """1,234.5: as many decimals as there are."""
    return format_decimal(amount, format="#,##0.####", locale=LOCALE)


def typed(amount: Decimal, currency: str = "") -> str:
    """As it stands in a form's field, and is read again: 1234.50."""
    least = digits(currency) if currency else 0
    whole, _, part = f"{amount:.{FINEST}f}".partition(".")
    part = part.rstrip("0").ljust(least, "0")
    return f"{whole}.{part}" if part else whole


@cache
def digits(currency: str) -> int:
    """How many decimals a currency has: 2 of EUR, 0 of JPY."""
    return get_currency_precision(currency)


def fits(amount: Decimal, currency: str) -> bool:
    """Whether the currency has this amount: there is no half cent."""
    return amount == round(amount, digits(currency))


def known(currency: str) -> bool:
    """Whether there is, or was, such a currency (ISO 4217)."""
    return currency in _names() and currency not in NO_MONEY


@cache
def currencies() -> list[tuple[str, str]]:
    """Code and name of all currencies in use today, by code."""
    spent = get_global("territory_currencies").values()
    now = {code for place in spent for code, _start, end, tender in place if end is None and tender}
    return sorted((code, _names()[code]) for code in now if known(code))


@cache
def of_zone(zone: str) -> str:
    """What people in a time zone mostly pay with; EUR where nobody knows."""
    place = get_global("zone_territories").get(zone)
    used = get_territory_currencies(place) if place else []
    return used[0] if used else "EUR"


@cache
def _names() -> Any:
    return Locale(LOCALE).currencies
