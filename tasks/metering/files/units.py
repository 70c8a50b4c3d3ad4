"""Units as files write them, and what one of each is in milliwatt-hours."""

import re

ENERGY = {"wh": 1e3, "kwh": 1e6, "mwh": 1e9, "gwh": 1e12, "mu": 1e12}
POWER = {"w": 1e3, "kw": 1e6, "mw": 1e9, "gw": 1e12}  # mWh in an hour
NAMES = {
    "wh": "Wh", "kwh": "kWh", "mwh": "MWh", "gwh": "GWh", "mu": "GWh", "w": "W", "kw": "kW", "mw": "MW", "gw": "GW",
}  # fmt: skip
DEGREES = {"°c": 1.0, "c": 1.0, "celsius": 1.0, "degc": 1.0, "℃": 1.0, "°f": 5 / 9, "f": 5 / 9, "fahrenheit": 5 / 9,
           "degf": 5 / 9, "℉": 5 / 9}  # fmt: skip
FAHRENHEIT = {"°f", "f", "fahrenheit", "degf", "℉"}
OTHER = {"€", "eur", "usd", "$", "gbp", "£", "ct", "cent", "m³", "m3", "l", "%", "v", "a", "hz", "kvarh", "kvar",
         "kvah", "var", "va", "varh", "lux", "hpa", "mm", "ppm", "kg", "ft³", "ccf", "therm", "therms"}  # fmt: skip


def plain(text: str) -> str:
    """A unit without brackets, dots and blanks; "" for what is none that is known, of energy or power."""
    bare = text.strip(" ()[]{}.:/").casefold().replace("kilowatt hours", "kwh").replace("·", "")
    bare = {"kw h": "kwh", "kw/h": "kwh", "kilowattstunden": "kwh", "kilowatthours": "kwh", "watt": "w",
            "watts": "w", "watt-hours": "wh", "wattstunden": "wh", "kilowatt": "kw"}.get(bare, bare)  # fmt: skip
    return NAMES.get(bare, "")


def in_header(text: str) -> str:
    """The unit that a column's header names: “Verbrauch (kWh)”, “energy_wh”, “Import kWh”, “Demand [MW]”; or ""."""
    for word in re.findall(r"[A-Za-z]+(?: h\b)?", re.sub(r"[_\W]+", " ", text)):
        found = plain(word)
        if found and not (len(word) <= 2 and word.islower() and word not in ("kw", "wh", "mw")):
            return found
    return ""


def is_power(unit: str) -> bool:
    return unit.casefold() in POWER


def factor(unit: str) -> float:
    """How many mWh one is; of power, in an hour."""
    low = unit.casefold()
    return ENERGY.get(low) or POWER[low]


def degrees(text: str) -> str:
    """ "C" or "F" where a header names degrees."""
    words = set(re.findall(r"°?[a-zµ℃℉]+", text.casefold().replace("_", " ")))
    if words & FAHRENHEIT:
        return "F"
    return "C" if words & set(DEGREES) else ""


def foreign(text: str) -> bool:
    """Whether a header or a unit names what is no energy: money, litres, volts."""
    words = set(re.findall(r"[^\W\d_]+³?\d?|[€$£%]", text.casefold().replace("_", " ")))
    return bool(words & OTHER)
