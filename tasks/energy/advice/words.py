"""How figures are said in advice: energy, power and money in the size that they have."""

from datetime import date
from decimal import Decimal

from tasks import money as amounts

_ENERGY = ((1e9, "TWh"), (1e6, "GWh"), (1e4, "MWh"), (0.0, "kWh"))
_SCALE = {"TWh": 1e9, "GWh": 1e6, "MWh": 1e3, "kWh": 1.0}
_POWER = ((1e9, 1e9, "GW"), (1e6, 1e6, "MW"), (1e3, 1e3, "kW"), (0.0, 1.0, "W"))


def number(value: float) -> str:
    """1,234 or 12.3 or 0.412: three digits that count, more only before the point."""
    size = abs(value)
    if size >= 99.5 or size == 0:
        return f"{value:,.0f}"
    text = f"{value:.1f}" if size >= 9.95 else f"{value:.2f}" if size >= 0.995 else f"{value:.3g}"
    return text.rstrip("0").rstrip(".") if "." in text and "e" not in text else text


def energy(kwh: float) -> str:
    """ "412 kWh", "12.3 MWh"."""
    unit = next(unit for least, unit in _ENERGY if abs(kwh) >= least)
    return f"{number(kwh / _SCALE[unit])} {unit}"


def power(watts: float) -> str:
    """ "312 W", "4.21 kW"."""
    scale, unit = next((scale, unit) for least, scale, unit in _POWER if abs(watts) >= least)
    return f"{number(watts / scale)} {unit}"


def percent(share: float) -> str:
    """0.123 is “12 %”; small shares keep a digit."""
    value = abs(share) * 100
    return f"{value:.0f} %" if value >= 9.5 else f"{value:.1f} %"


def money(amount: Decimal, currency: str) -> str:
    """€123.40, rounded to what the currency has: these are reckonings, not bills."""
    return amounts.show(round(amount, amounts.digits(currency)), currency)


def price(amount: Decimal, currency: str) -> str:
    """€0.2951 for a kilowatt-hour."""
    return amounts.show(round(amount, 4), currency)


def hour(at: int) -> str:
    """18 is 18:00."""
    return f"{at % 24 or (24 if at else 0):02}:00"


def days(first: date, last: date) -> str:
    """ "1 January 2014 to 31 December 2014"."""
    return f"{first:%-d %B %Y} to {last:%-d %B %Y}"


def count(many: int, thing: str) -> str:
    """ "1 day", "1,200 days"."""
    return f"{many:,} {thing}" if many == 1 else f"{many:,} {thing}s"


def sentence(*parts: str) -> str:
    """Sentences, one behind the other; those that are empty are left out."""
    return " ".join(part for part in parts if part)


def digits(value: float) -> float:
    """Six digits that count: JSON need not tell more."""
    return float(f"{value:.6g}")


def nice(value: float) -> float:
    """1, 2 or 5 and zeros behind, not above the value: 31 is 20."""
    power_of_ten: float = 10.0 ** int(f"{value:e}".partition("e")[2])
    return max(step * power_of_ten for step in (1, 2, 5) if step * power_of_ten <= value * (1 + 1e-9))
