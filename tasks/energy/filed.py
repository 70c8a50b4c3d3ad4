"""A meter file as material for a look: the same reader as the import's, and nothing of it is stored. Pure."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from tasks.energy import local_days
from tasks.energy.material import Material
from tasks.energy.result import Oddity
from tasks.errors import JobError
from tasks.metering.files import Found, Hints, Parsed, parse
from tasks.metering.files import Oddity as Odd
from tasks.metering.temperatures import Temperatures
from tasks.metering.usage import Readings

SHOWN = {"Wh": "Wh", "kWh": "kWh", "MWh": "MWh", "GWh": "GWh", "W": "Wh", "kW": "kWh", "MW": "MWh"}
SEVERAL = (
    "This file holds {count} meters; only the first of them, “{name}”, was looked at. Import the file to have all."
)
REFUSED = "No forecast is made of this file: {reasons}"
ASKED = "Import the file on the page of the meters to choose."
DEFAULTS = {"unit": "kWh", "zone": "UTC"}
TAKEN = "{rule} Nothing was chosen, so {word} is taken."


def material(path: Path, unit: str, zone: str) -> Material:
    """The first meter of a file.

    Raises:
        JobError: it cannot be read, must not be forecast on, or a choice is needed that only the import offers.
    """
    hints = Hints(name=path.stem, unit=unit, zone=zone or "UTC")
    parsed = parse(path, hints)
    chosen = {ask: word for ask, word in DEFAULTS.items() if ask in parsed.asks}
    if "unit" in chosen:
        parsed = parse(path, replace(hints, unit=DEFAULTS["unit"]))
    if not parsed.series:
        raise JobError(REFUSED.format(reasons="there is no meter in it."))
    found = parsed.series[0]
    _refuse(parsed, found)
    told = [_told(odd) for odd in (*parsed.oddities, *found.oddities)]
    if len(parsed.series) > 1:
        told.insert(0, Oddity(kind="meters", text=SEVERAL.format(count=len(parsed.series), name=found.name)))
    turn = None if zone else local_days.find(path, parsed.layout)
    if turn:
        told.append(Oddity(kind="local days", text=turn.text))
    readings = found.readings
    return Material(
        name=found.name or path.stem, unit=SHOWN.get(found.unit, "kWh"),
        kind="counter" if found.kind == "counter" else "interval", step=found.step,
        zone=turn.zone if turn else hints.zone,
        readings=readings, as_of=_end(readings, found.step), temperature=_weather(found), oddities=tuple(told),
    )  # fmt: skip


def _refuse(parsed: Parsed, found: Found) -> None:
    if found.refusals:
        raise JobError(REFUSED.format(reasons=" ".join(found.refusals)))
    every = (*parsed.oddities, *found.oddities)
    asked = [odd for odd in every if odd.asks and odd.asks not in DEFAULTS]
    if asked:
        raise JobError(REFUSED.format(reasons=f"{' '.join(_words(odd) for odd in asked)} {ASKED}"))


def _words(odd: Odd) -> str:
    return f"{odd.text} (line {', '.join(map(str, odd.lines))})" if odd.lines else odd.text


def _told(odd: Odd) -> Oddity:
    text = f"{odd.text} {odd.rule}"
    if odd.asks in DEFAULTS:
        text = f"{odd.text} {TAKEN.format(rule=odd.rule, word=DEFAULTS[odd.asks])}"
    lines = ", ".join(map(str, odd.lines)) + (" …" if odd.count > len(odd.lines) else "")
    return Oddity(kind=odd.kind, lines=lines if odd.lines else "", steps=odd.count, text=text)


def _end(readings: Readings, step: int) -> int:
    return int(readings.times[-1]) + max(step, 1) if len(readings.times) else 0


def _weather(found: Found) -> Temperatures | None:
    """What was measured by the end of the readings; a file that goes on with temperatures knows the future."""
    if found.temperature is None or not len(found.temperature.times):
        return None
    times, degrees = found.temperature.times, found.temperature.hundredths / 100.0
    return _known(Temperatures(times, degrees, np.zeros(len(times), np.int64)), _end(found.readings, found.step))


def _known(weather: Temperatures, as_of: int) -> Temperatures:
    known = weather.times <= as_of
    return Temperatures(weather.times[known], weather.degrees[known], weather.issued[known])


def cut(whole: Material, until: int) -> Material:
    """The same without anything that came later, as if it were looked at then."""
    kept = whole.readings.times + max(whole.step, 1) <= until
    readings = Readings(whole.readings.times[kept], whole.readings.values[kept])
    as_of = min(_end(readings, whole.step), until)
    weather = _known(whole.temperature, as_of) if whole.temperature is not None else None
    return replace(whole, readings=readings, as_of=as_of, temperature=weather)
