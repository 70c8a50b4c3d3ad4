"""A tariff as people fill it in: rows of prices and hours, read into rates, and rates written back into rows."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from tasks.handover import Refused
from tasks.metering.tariff_faults import faults
from tasks.metering.tariffs import DAYS, FLAT, KINDS, MOST_BLOCKS, MOST_PERIODS, TIERED, TIMES, Rates
from web.given import FILL_IN, Given

LONGEST_NAME = 120
SPARE, LEAST_ROWS = 2, 3
EVERY_DAY, WORKDAYS = ",".join(DAYS), ",".join(DAYS[:5])
NO_DECIMAL = "Write a number like 0.2951, without a sign for thousands."
NO_TITLE = "Give it a name, such as Peak."
NO_PRICE = "Write its price; it may be left out where the same name has one above."
TWO_PRICES = "“{}” has another price above. Give one of them another name, or leave this one empty."
NO_HOURS = "Give at least one price with its hours, or a price for all other hours."
FIELDS = {"levels": "periods"}  # what the form has instead of the rates' own field
ROW = re.compile(r"(period|block)-([0-9]{1,3})-")


@dataclass(frozen=True)
class Filled:
    """A form that is right."""

    name: str
    currency: str
    rates: Rates


@dataclass
class _Levels:
    """Prices by name, in the order in which they come."""

    prices: dict[str, Decimal] = field(default_factory=dict)

    def take(self, given: Given, name: str, price: Decimal | None, at: str) -> None:
        if price is None:
            if name not in self.prices and at not in given.wrong:
                given.wrong[at] = NO_PRICE
        elif self.prices.setdefault(name, price) != price:
            given.wrong[at] = TWO_PRICES.format(name)


def read(values: Mapping[str, Any]) -> Filled:
    """
    Raises:
        Refused: with a message for each field at fault.
    """
    given = Given(values)
    name, currency = given.text("name", LONGEST_NAME, required=True), given.currency("currency")
    raw = rates_of(given)
    given.done()
    rates = _checked(raw)
    found: dict[str, str] = {}
    for key, text in faults(rates):
        at = FIELDS.get(key, key)
        found[at] = f"{found[at]} {text}" if at in found else text
    if found:
        raise Refused(found)
    return Filled(name, currency, rates)


def draft(values: Mapping[str, Any]) -> Rates | None:
    """The rates as far as they can be read, for a picture of what is there already; None where nothing can be."""
    try:
        return Rates.model_validate(rates_of(Given(values)))
    except ValidationError:
        return None


def rates_of(given: Given) -> dict[str, Any]:
    """The rates as `Rates` reads them; what is wrong is noted in `given`."""
    kind = given.choice("kind", KINDS, FLAT)
    read_more = {TIMES: _times, TIERED: _tiers}.get(kind, _flat)
    told = {
        "kind": kind, "standing": decimal(given, "standing") or Decimal(0), "tax": decimal(given, "tax") or Decimal(0),
        "feed_in": decimal(given, "feed_in"), "below_zero": given.values.get("below_zero") in ("yes", "on", "true"),
    }  # fmt: skip
    return told | read_more(given)


def _checked(raw: dict[str, Any]) -> Rates:
    try:
        return Rates.model_validate(raw)
    except ValidationError as error:
        raise Refused({_place(each["loc"]): plain(each["msg"]) for each in error.errors(include_url=False)}) from None


def _place(loc: tuple[int | str, ...]) -> str:
    """The form's field of a place in the rates; of a row only its group is known."""
    return FIELDS.get(str(loc[0]), str(loc[0])) if loc else ""


def plain(message: str) -> str:
    return message.removeprefix("Value error, ")


def decimal(given: Given, name: str) -> Decimal | None:
    """A number with a point or a comma; None where the field is empty or wrong."""
    text = unicodedata.normalize("NFKC", str(given.values.get(name) or "")).replace("−", "-").replace(" ", "")
    if not text:
        return None
    if not re.fullmatch(r"[+-]?[0-9]{1,12}([.,][0-9]{0,12})?", text, re.ASCII):
        given.wrong[name] = NO_DECIMAL
        return None
    found = Decimal(text.replace(",", "."))
    if found != round(found, 6):
        given.wrong[name] = "Write at most six decimals."
        return None
    return found


def _flat(given: Given) -> dict[str, Any]:
    price = decimal(given, "price")
    if price is None and "price" not in given.wrong:
        given.wrong["price"] = FILL_IN
    return {"price": price}


def rows(values: Mapping[str, Any], what: str) -> list[int]:
    """The numbers of the form's rows of periods or blocks, in their order."""
    found = {int(match[2]) for name in values if (match := ROW.match(name)) and match[1] == what}
    return sorted(found)[: MOST_PERIODS if what == "period" else MOST_BLOCKS]


def _times(given: Given) -> dict[str, Any]:
    levels, periods = _Levels(), []
    for row in rows(given.values, "period"):
        at = f"period-{row}-"
        name, price = given.text(f"{at}name", 40), decimal(given, f"{at}price")
        if not name and price is None:
            continue
        if not name:
            given.wrong[f"{at}name"] = NO_TITLE
            continue
        levels.take(given, name, price, f"{at}price")
        periods.append({"level": name, **_hours(given, at)})
    rest = given.text("rest_name", 40)
    if rest or given.values.get("rest_price"):
        rest = rest or "Other hours"
        levels.take(given, rest, decimal(given, "rest_price"), "rest_price")
    if not levels.prices and not given.wrong:
        given.wrong["periods"] = NO_HOURS
    listed = [{"name": name, "price": price} for name, price in levels.prices.items()]
    holidays = given.choice("holidays", ("weekday", "saturday", "sunday", "own"), "weekday")
    return {"levels": listed, "periods": periods, "rest": rest or None, "holidays": holidays}


def _hours(given: Given, at: str) -> dict[str, Any]:
    days = [day for day in str(given.values.get(f"{at}days") or EVERY_DAY).split(",") if day in DAYS]
    if not days:
        given.wrong[f"{at}days"] = "Choose the days."
    months = tuple(given.number(f"{at}{end}", 1, 12, default) for end, default in (("from", 1), ("to", 12)))
    hours = {"start": _clock(given, f"{at}start", "00:00"), "end": _clock(given, f"{at}end", "24:00")}
    return {"days": days, "months": months} | hours


def _clock(given: Given, name: str, empty: str) -> str:
    """Midnight where nothing stands: at an end it is the day's."""
    text = str(given.values.get(name) or "").strip() or empty
    if not re.fullmatch(r"(([01]?[0-9]|2[0-3])([:.][0-5][0-9])?|24([:.]00)?)", text, re.ASCII):
        given.wrong[name] = "Write a time of day like 07:30."
        return empty
    return text


def _tiers(given: Given) -> dict[str, Any]:
    blocks = []
    for row in rows(given.values, "block"):
        up_to, price = decimal(given, f"block-{row}-up_to"), decimal(given, f"block-{row}-price")
        if up_to is None and price is None:
            continue
        if price is None:
            given.wrong.setdefault(f"block-{row}-price", FILL_IN)
        blocks.append({"up_to": up_to, "price": price})
    per, starts = given.choice("per", ("month", "day"), "month"), given.number("starts", 1, 28, 1)
    return {"blocks": blocks, "per": per, "starts": starts}


def values_of(name: str, currency: str, rates: Rates) -> dict[str, str]:
    """A tariff as its form shows it. A level's price stands in the first row that has it."""
    told = {
        "name": name, "currency": currency, "kind": rates.kind, "price": text(rates.price), "per": rates.per,
        "standing": text(rates.standing) if rates.standing else "", "tax": text(rates.tax) if rates.tax else "",
        "feed_in": text(rates.feed_in), "below_zero": "yes" if rates.below_zero else "", "holidays": rates.holidays,
        "starts": str(rates.starts), "rest_name": rates.rest or "",
    }  # fmt: skip
    prices = {level.name: text(level.price) for level in rates.levels}
    for row, period in enumerate(rates.periods):
        told |= {f"period-{row}-{key}": value for key, value in {
            "name": period.level, "price": prices.pop(period.level, ""), "days": ",".join(period.days),
            "start": period.start, "end": period.end,
            "from": str(period.months[0]), "to": str(period.months[1]),
        }.items()}  # fmt: skip
    told["rest_price"] = prices.get(rates.rest or "", "")
    for row, block in enumerate(rates.blocks):
        told |= {f"block-{row}-up_to": text(block.up_to), f"block-{row}-price": text(block.price)}
    return told


def text(value: Decimal | None) -> str:
    """0.2951, as it stands in a field."""
    return "" if value is None else f"{value:f}"


def shown_rows(values: Mapping[str, Any], what: str) -> int:
    """How many rows the form shows: those that are filled, and some to go on with."""
    asked = str(values.get(f"{what}_rows") or "")
    wanted = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 4 else 0
    most = MOST_PERIODS if what == "period" else MOST_BLOCKS
    keys = ("name", "price", "up_to")
    filled = [row for row in rows(values, what) if any(values.get(f"{what}-{row}-{key}") for key in keys)]
    return min(most, max(LEAST_ROWS, wanted, max(filled, default=-1) + 1 + SPARE))
