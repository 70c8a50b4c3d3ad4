"""What a kilowatt-hour costs, when, and how much of it: one price, prices by time of use, or prices by amount.

Prices are Decimals of at most six digits behind the point, each for a kilowatt-hour, before `tax`. Time is the wall's
clock where the meter stands. Nothing here needs numpy: `tasks.metering.costs` reckons, and is loaded when it is called.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tasks.metering.costs import Cost

FLAT, TIMES, TIERED = KINDS = ("flat", "time of use", "tiered")
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun", "holiday"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun", "holiday")
HOLIDAY = 7
FULL = 1440  # minutes of a day
FINEST = 6  # digits behind the point
MOST_PRICE, MOST_ENERGY = Decimal(1_000_000), Decimal(10) ** 12
MOST_LEVELS, MOST_PERIODS, MOST_BLOCKS = 12, 60, 12


def _price(value: Decimal) -> Decimal:
    if not value.is_finite() or abs(value) > MOST_PRICE:
        raise ValueError("Write a price of at most a million.")
    if value != round(value, FINEST):
        raise ValueError("Write at most six decimals.")
    return value.normalize() + 0 if value else Decimal(0)


def _energy(value: Decimal) -> Decimal:
    if not value.is_finite() or not 0 < value <= MOST_ENERGY:
        raise ValueError("Write an amount of energy above zero.")
    if value != round(value, 3):
        raise ValueError("Write at most three decimals.")
    return value


def _percent(value: Decimal) -> Decimal:
    if not value.is_finite() or not 0 <= value <= 100 or value != round(value, 3):
        raise ValueError("Write a share from 0 to 100 %, with at most three decimals.")
    return value


def _standing(value: Decimal) -> Decimal:
    if not value.is_finite() or not 0 <= value <= MOST_PRICE or value != round(value, 4):
        raise ValueError("Write an amount from zero up, with at most four decimals.")
    return value


def _clock(text: str) -> str:
    found = re.fullmatch(r"([01]?[0-9]|2[0-4])(?:[:.]([0-5][0-9]))?", text.strip())
    if not found or (found[1] == "24" and int(found[2] or 0)):
        raise ValueError("Write a time of day like 07:30; midnight is 00:00 or 24:00.")
    return f"{int(found[1]):02}:{found[2] or '00'}"


Price = Annotated[Decimal, AfterValidator(_price)]
Energy = Annotated[Decimal, AfterValidator(_energy)]
Clock = Annotated[str, AfterValidator(_clock)]
Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]
Month = Annotated[int, Field(ge=1, le=12)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Level(_Part):
    """One of the prices of a time-of-use tariff, by its name."""

    name: Title
    price: Price


class Period(_Part):
    """When a level holds: from `start` to `end` on these days of these months.

    Where `end` is not after `start` it goes over midnight, and means both ends of the same days: 22:00 to 06:00 on
    Saturday is Saturday from 00:00 to 06:00 and from 22:00 to 24:00. So each day of the week can be filled by itself.
    """

    level: Title
    days: tuple[Day, ...] = Field(default=DAYS, min_length=1, max_length=8)
    start: Clock = "00:00"
    end: Clock = "24:00"
    months: tuple[Month, Month] = (1, 12)  # from, to; (10, 3) goes over the year's end

    @property
    def spans(self) -> tuple[tuple[int, int], ...]:
        """Minutes of the day, from and to."""
        start, end = minutes(self.start), minutes(self.end) or FULL
        if start < end:
            return ((start, end),)
        return ((0, end), (start, FULL)) if start > end else ()

    @property
    def in_months(self) -> frozenset[int]:
        first, last = self.months
        return (
            frozenset(range(first, last + 1)) if first <= last else frozenset({*range(first, 13), *range(1, last + 1)})
        )


class Block(_Part):
    """One price of a tiered tariff, for what lies between the block before and `up_to` kWh; None: all the rest."""

    up_to: Energy | None = None
    price: Price


class Rates(_Part):
    """A tariff's prices.

    Attributes:
        kind: flat has `price`; time of use has `levels`, `periods` and `rest`, tiered has `blocks`, `per` and `starts`.
        rest: the level of all hours that no period names.
        holidays: whose prices public holidays have; "own" are those of periods with the day "holiday".
        per: what blocks are counted in: months that begin on day `starts`, or days.
        standing: what every day costs, used or not.
        feed_in: what a kilowatt-hour fed in earns, without tax; None: nothing, and it is not set against use.
        tax: percent that come on top of energy and standing charge; 0 where the prices hold it already.
        below_zero: whether prices below zero are meant.
        example: made-up prices to begin with: no tip rests on them.
    """

    kind: Literal["flat", "time of use", "tiered"]
    price: Price | None = None
    levels: tuple[Level, ...] = Field(default=(), max_length=MOST_LEVELS)
    periods: tuple[Period, ...] = Field(default=(), max_length=MOST_PERIODS)
    rest: Title | None = None
    holidays: Literal["weekday", "saturday", "sunday", "own"] = "weekday"
    blocks: tuple[Block, ...] = Field(default=(), max_length=MOST_BLOCKS)
    per: Literal["month", "day"] = "month"
    starts: int = Field(default=1, ge=1, le=28)
    standing: Annotated[Decimal, AfterValidator(_standing)] = Decimal(0)
    feed_in: Price | None = None
    tax: Annotated[Decimal, AfterValidator(_percent)] = Decimal(0)
    below_zero: bool = False
    example: bool = False

    @property
    def prices(self) -> tuple[tuple[str, Decimal], ...]:
        """Name and price of each level or block, before tax. The order is that of `costs`."""
        if self.kind == TIMES:
            return tuple((each.name, each.price) for each in self.levels)
        if self.kind == TIERED:
            return tuple((name, block.price) for name, block in zip(_blocks(self.blocks), self.blocks, strict=True))
        return (("All hours", self.price),) if self.price is not None else ()

    @property
    def factor(self) -> Decimal:
        """What a price is multiplied with to be one with tax."""
        return 1 + self.tax / 100


@dataclass(frozen=True, slots=True)
class TariffFacts:
    """A tariff as reckoning knows it: no row of a table."""

    id: str
    name: str
    currency: str
    rates: Rates

    @classmethod
    def of(cls, tariff_id: str, name: str, currency: str, rates: Mapping[str, Any]) -> "TariffFacts":
        """From what the table keeps."""
        return cls(tariff_id, name, currency, Rates.model_validate(rates))


def minutes(clock: str) -> int:
    """07:30 is 450."""
    return int(clock[:2]) * 60 + int(clock[3:])


def problems(rates: Rates) -> list[str]:
    """What keeps these prices from being reckoned with: a sentence each, none where all is well."""
    from tasks.metering.tariff_faults import faults

    return [text for _field, text in faults(rates)]


def cost(
    rates: Rates,
    times: "NDArray[np.int64]",
    kwh: "NDArray[np.float64]",
    step: int,
    zone: str,
    holidays: frozenset[date] = frozenset(),
) -> "Cost":
    """What this energy costs: see `tasks.metering.costs.cost`."""
    from tasks.metering import costs

    return costs.cost(rates, times, kwh, step, zone, holidays)


def price_at(
    rates: Rates,
    times: "NDArray[np.int64]",
    zone: str,
    holidays: frozenset[date] = frozenset(),
    kwh: "NDArray[np.float64] | None" = None,
) -> "NDArray[np.float64]":
    """What one kilowatt-hour more costs at these times: see `tasks.metering.costs.price_at`."""
    from tasks.metering import costs

    return costs.price_at(rates, times, zone, holidays, kwh)


def _blocks(blocks: tuple[Block, ...]) -> list[str]:
    """“Up to 300 kWh”, “Above 300 kWh”: names that tell blocks apart."""
    names, before = [], Decimal(0)
    for block in blocks:
        low, high = (f"{bound.normalize():f}" if bound is not None else "" for bound in (before, block.up_to))
        if block.up_to is None:
            names.append(f"Above {low} kWh" if before else "All of it")
        else:
            names.append(f"{low} to {high} kWh" if before else f"Up to {high} kWh")
            before = block.up_to
    return names
