"""Tariffs as the web and the API keep them: made, changed, found; and examples to begin with."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models.base import new_id
from models.meter import Tariff
from tasks.handover import Refused
from tasks.metering.tariffs import Rates
from web.tariff_form import Filled

MOST = 200
SAME_NAME = "There is a tariff of this name already; take another."
TOO_MANY = f"There are {MOST} tariffs already; delete one that no meter uses."
EXAMPLE = "Example: {}"
# Round, made-up prices: nobody sells electricity at these.
EXAMPLES: dict[str, dict[str, Any]] = {
    "one price": {"kind": "flat", "price": "0.30", "standing": "0.30"},
    "day and night": {
        "kind": "time of use", "standing": "0.35", "rest": "Day",
        "levels": [{"name": "Night", "price": "0.20"}, {"name": "Day", "price": "0.34"}],
        "periods": [{"level": "Night", "start": "22:00", "end": "06:00"}],
    },
    "evening peak, cheap weekends": {
        "kind": "time of use", "standing": "0.35", "rest": "Normal", "holidays": "sunday",
        "levels": [
            {"name": "Peak", "price": "0.45"}, {"name": "Weekend", "price": "0.22"},
            {"name": "Normal", "price": "0.29"},
        ],
        "periods": [
            {"level": "Peak", "days": ["mon", "tue", "wed", "thu", "fri"], "start": "17:00", "end": "21:00"},
            {"level": "Weekend", "days": ["sat", "sun"]},
        ],
    },
    "winter and summer": {
        "kind": "time of use", "standing": "0.35", "rest": "Summer",
        "levels": [
            {"name": "Winter day", "price": "0.38"}, {"name": "Winter night", "price": "0.26"},
            {"name": "Summer", "price": "0.24"},
        ],
        "periods": [
            {"level": "Winter day", "start": "06:00", "end": "22:00", "months": [10, 3]},
            {"level": "Winter night", "start": "22:00", "end": "06:00", "months": [10, 3]},
        ],
    },
    "dearer from block to block": {
        "kind": "tiered", "per": "month", "standing": "0.20",
        "blocks": [{"up_to": "100", "price": "0.18"}, {"up_to": "300", "price": "0.27"}, {"price": "0.40"}],
    },
}  # fmt: skip
ABOUT = {
    "one price": "The same price at all hours.",
    "day and night": "Cheap from 22:00 to 06:00.",
    "evening peak, cheap weekends": "Dear on working days from 17:00 to 21:00; weekends and public holidays cheap.",
    "winter and summer": "Two prices from October to March, one for the rest of the year.",
    "dearer from block to block": "The first 100 kWh of a month cheap, all above 300 kWh dear.",
}


def find(session: Session, tariff_id: str) -> Tariff | None:
    return session.scalars(select(Tariff).where(Tariff.id == tariff_id)).first()


def rates_of(tariff: Tariff) -> Rates:
    """Its prices; none at all where the row has none that can be read."""
    try:
        return Rates.model_validate(tariff.rates)
    except ValidationError:
        return Rates(kind="flat")


def create(session: Session, filled: Filled) -> Tariff:
    """
    Raises:
        Refused: the name is taken, or there are too many.
    """
    if (session.scalar(select(func.count()).select_from(Tariff)) or 0) >= MOST:
        raise Refused({"": TOO_MANY})
    tariff = Tariff(id=new_id(), **_columns(filled))
    session.add(tariff)
    _keep(session)
    return tariff


def change(session: Session, tariff: Tariff, filled: Filled) -> None:
    """
    Raises:
        Refused: the name is taken.
    """
    for name, value in _columns(filled).items():
        setattr(tariff, name, value)
    _keep(session)


def example(session: Session, which: str, currency: str) -> Tariff:
    """One of the examples, under a name that says so; if there is one of that name already, that one.

    Raises:
        Refused: there are too many tariffs.
    """
    name = EXAMPLE.format(which)
    found = session.scalars(select(Tariff).where(Tariff.name == name)).first()
    return found or create(session, Filled(name, currency, Rates.model_validate(EXAMPLES[which] | {"example": True})))


def _columns(filled: Filled) -> Mapping[str, Any]:
    rates = filled.rates
    return {
        "name": filled.name, "kind": rates.kind, "currency": filled.currency, "standing": rates.standing,
        "rates": rates.model_dump(mode="json"),
    }  # fmt: skip


def _keep(session: Session) -> None:
    try:
        session.flush()
    except IntegrityError:
        raise Refused({"name": SAME_NAME}) from None
