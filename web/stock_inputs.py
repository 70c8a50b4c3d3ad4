"""What people fill in about stock: amounts as they write them, days, short texts; a sentence beside what is wrong."""

import unicodedata
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, ValidationInfo, field_validator

from tasks import money
from tasks.inventory import movements
from web.inputs import Form, _email

FIRST_DAY, LAST_DAY = date(1990, 1, 1), date(2200, 1, 1)
MOST_DAYS = 730
PROGRAM = "a program"  # the context of what the API reads
NO_DAY = "Give a day of the calendar, such as 2026-03-01."


def _empty(value: Any) -> Any:
    """A field that is left empty is not filled in."""
    return None if isinstance(value, str) and not value.strip() else value


def _amount(value: Any, info: ValidationInfo) -> Decimal:
    """As people write it; what a program gives has a point before its decimals."""
    if isinstance(value, Decimal):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = format(Decimal(str(value)), "f")
    return money.parse(str(value), decimal=".") if info.context == PROGRAM else read_amount(str(value))


def read_amount(text: str) -> Decimal:
    """An amount or a quantity from a form's field.

    Raises:
        ValueError: a sentence. 1.234 kg may be meant, or 1,234 pieces: it is asked for in a way that says which.
    """
    try:
        return money.parse(text)
    except ValueError as error:
        raise ValueError(str(error).replace("with two decimals", "with four decimals, as 1.2340")) from None


def typed(value: Decimal | None, currency: str = "") -> str:
    """An amount as it stands in a field, and is read again as the same: 1.234 as 1.2340."""
    if value is None:
        return ""
    text = money.typed(value, currency)
    return f"{text}0" if len(text.partition(".")[2]) == 3 else text


def _price(value: Decimal) -> Decimal:
    if not 0 <= value <= movements.MOST:
        raise ValueError("Give an amount from 0 to 1,000,000,000.")
    return value


def _above(value: Decimal) -> Decimal:
    return movements.quantity(value)


def _or_none(value: Decimal) -> Decimal:
    try:
        return movements.quantity(value, zero=True)
    except ValueError as error:
        raise ValueError(str(error).replace("Give what was counted: zero or more.", "Give zero or more.")) from error


def _day(value: Any) -> date:
    try:
        found = value if isinstance(value, date) else date.fromisoformat(str(value).strip())
    except ValueError:
        raise ValueError(NO_DAY) from None
    if not FIRST_DAY <= found <= LAST_DAY:
        raise ValueError(NO_DAY)
    return found


def day_of(text: str) -> date | None:
    """A day from a field of its own; None when it is empty.

    Raises:
        ValueError: with a sentence.
    """
    return _day(text) if text.strip() else None


def _days(value: Any) -> int:
    told = str(value).strip()
    if not (told.isascii() and told.isdigit() and len(told) <= 3 and int(told) <= MOST_DAYS):
        raise ValueError(f"Give a whole number of days, from 0 to {MOST_DAYS}.")
    return int(told)


def _line(most: int, least: int = 0) -> AfterValidator:
    """One line of text without anything that does not print."""

    def check(text: str) -> str:
        told = " ".join("".join(" " if unicodedata.category(sign)[0] == "C" else sign for sign in text).split())
        if not least <= len(told) <= most:
            raise ValueError(f"Write at most {most} characters." if told else "Fill this in.")
        return told

    return AfterValidator(check)


def _currency(text: str) -> str:
    if not money.known(code := text.strip().upper()):
        raise ValueError("Choose a currency from the list.")
    return code


def _mail(text: str) -> str:
    return _email(text) if text.strip() else ""


Price = Annotated[Decimal, BeforeValidator(_amount), AfterValidator(_price)]
Above = Annotated[Decimal, BeforeValidator(_amount), AfterValidator(_above)]
OrNone = Annotated[Decimal, BeforeValidator(_amount), AfterValidator(_or_none)]
Day = Annotated[date, BeforeValidator(_day)]
MaybePrice = Annotated[Price | None, BeforeValidator(_empty)]
MaybeOrNone = Annotated[OrNone | None, BeforeValidator(_empty)]
MaybeDay = Annotated[Day | None, BeforeValidator(_empty)]
MaybeId = Annotated[str | None, BeforeValidator(_empty)]
Days = Annotated[int, BeforeValidator(_days)]
MaybeDays = Annotated[Days | None, BeforeValidator(_empty)]


class ProductForm(Form):
    """A product; its quantity is not among the fields: only movements change it."""

    sku: Annotated[str, _line(60, 1)]
    name: Annotated[str, _line(160, 1)]
    unit: Annotated[str, _line(40)] = ""
    category: Annotated[str, _line(80)] = ""
    barcode: Annotated[str, _line(64)] = ""
    price: Annotated[Price, BeforeValidator(lambda value: _empty(value) or Decimal(0))] = Decimal(0)
    cost: MaybePrice = None
    currency: Annotated[str, AfterValidator(_currency)]
    supplier_id: MaybeId = None
    location_id: MaybeId = None
    reorder_level: Annotated[OrNone, BeforeValidator(lambda value: _empty(value) or Decimal(0))] = Decimal(0)
    target: MaybeOrNone = None
    pack_size: Annotated[Above, BeforeValidator(lambda value: _empty(value) or Decimal(1))] = Decimal(1)
    lead_days: MaybeDays = None
    perishable: bool = False

    @field_validator("target")
    @classmethod
    def _above_the_level(cls, target: Decimal | None, info: ValidationInfo) -> Decimal | None:
        if target is not None and target < info.data.get("reorder_level", 0):
            raise ValueError("The target is below the reorder level; give one above it, or leave it empty.")
        return target


class SupplierForm(Form):
    name: Annotated[str, _line(120, 1)]
    code: Annotated[str, _line(60)] = ""
    email: Annotated[str, AfterValidator(_mail)] = ""
    phone: Annotated[str, _line(40)] = ""
    lead_days: Days = 7
    note: Annotated[str, _line(500)] = ""


class LocationForm(Form):
    name: Annotated[str, _line(80, 1)]
    note: Annotated[str, _line(200)] = ""


class MovementForm(Form):
    """A movement as the quick form and the API take it. `expired` says that the lot's day is past on purpose."""

    kind: str
    quantity: OrNone
    on: MaybeDay = None
    location_id: MaybeId = None
    to_location_id: MaybeId = None
    unit_price: MaybePrice = None
    expires_on: MaybeDay = None
    note: Annotated[str, _line(200)] = ""
    expired: bool = False


class LineForm(Form):
    """A line of a purchase order."""

    product: Annotated[str, _line(160, 1)]
    quantity: Above
    unit_cost: MaybePrice = None


class OrderForm(Form):
    expected_on: MaybeDay = None
    note: Annotated[str, _line(500)] = ""
