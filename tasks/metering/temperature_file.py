"""A file of temperatures: a column of times and one of degrees, as thermometers, stations and services export them.

Pure: it reads with what reads meter files, and says line by line what it left out.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tasks.errors import JobError
from tasks.metering.files import numbers, orders, stamps, zones
from tasks.metering.temperatures import LEAST, MOST
from tasks.tabular import decoding
from tasks.tabular.records import Record, delimiter_of, records

MOST_LINES = 200_000
SHOWN = 5  # lines that are named
TIME = re.compile(r"time|date|zeit|datum|tag|stunde|hour|day|fecha|heure|data|last_changed|^dt$", re.IGNORECASE)
DEGREES = re.compile(r"temp|°|degree|celsius|grad|luft|^t2m$|^tmk$|^tt_tu$|^state$|^value$|^wert$", re.IGNORECASE)
FAHRENHEIT = re.compile(r"°\s*f\b|fahrenheit|\bdeg_?f\b|temp_?f\b", re.IGNORECASE)
WORDS = {"dmy": "day, month, year", "mdy": "month, day, year", "ymd": "year, month, day"}
NO_COLUMNS = (
    "No column of times and no column of temperatures were found. Give the file a first line such as "
    "“time,temperature”, and write times like 2026-01-31T12:00 and temperatures in °C."
)
NOTHING = "No line of this file has a time and a temperature in °C. Look at its first lines, and export it again."
IN_FAHRENHEIT = "The temperatures of this file are in Fahrenheit. Export them in °C."


@dataclass(frozen=True, slots=True)
class TemperatureFile:
    """What a file told.

    Attributes:
        times: [n] int64, epoch seconds, as they came.
        degrees: [n] float64, °C.
        said: for people, what was found odd and what was done.
    """

    times: NDArray[np.int64]
    degrees: NDArray[np.float64]
    said: tuple[str, ...]


def read(path: Path, zone: str) -> TemperatureFile:
    """
    Args:
        zone: IANA name of the zone of times that say none.

    Raises:
        JobError: there are no times and temperatures in it; the message says what to do.
    """
    encoding = decoding.encoding_of(path)
    rows = list(records(path, encoding, delimiter_of(path, encoding), MOST_LINES))
    when, what, body = _columns(rows)
    body = [row for row in body if len(row.cells) > max(when, what)]
    degrees, odd = _degrees(body, what)
    times, said = _times([row.cells[when] for row in body], zone)
    whole = ~np.isnan(degrees) & (times != stamps.NO_TIME)
    if not whole.any():
        raise JobError(NOTHING)
    dropped = [row.number for row, kept in zip(body, whole, strict=True) if not kept]
    return TemperatureFile(times[whole], degrees[whole], (*said, *odd, *_left_out(dropped)))


def _columns(rows: list[Record]) -> tuple[int, int, list[Record]]:
    """Where times and degrees stand, by the heading or by what the cells look like; and the lines under it.

    Raises:
        JobError: see `read`.
    """
    for number, row in enumerate(rows[:30]):
        when = [at for at, cell in enumerate(row.cells) if TIME.search(cell)]
        what = [at for at, cell in enumerate(row.cells) if DEGREES.search(cell) and at not in when[:1]]
        if when and what:
            if FAHRENHEIT.search(row.cells[what[0]]):
                raise JobError(IN_FAHRENHEIT)
            return when[0], what[0], rows[number + 1 :]
    head = rows[0].cells if rows else []
    if len(head) == 2 and numbers.looks_so(head[1]):
        return 0, 1, rows
    raise JobError(NO_COLUMNS)


def _degrees(rows: Sequence[Record], what: int) -> tuple[NDArray[np.float64], list[str]]:
    """[n] °C, NaN for what is none; and a sentence for those that cannot be."""
    texts = [row.cells[what].removesuffix("°C").removesuffix("C").strip() for row in rows]
    decimal, _sure = numbers.decimal_of(texts)
    found = np.full(len(texts), np.nan)
    wrong: list[str] = []
    for at, text in enumerate(texts):
        if numbers.missing(text):
            continue
        try:
            value = numbers.careful(text, decimal)[0]
        except numbers.NoNumber:
            continue
        if LEAST <= value <= MOST:
            found[at] = value
        else:
            wrong.append(f"{value:.4g} °C in line {rows[at].number}")
    if not wrong:
        return found, []
    more = f" and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
    never = f"it was never below {LEAST:.0f} or above {MOST:.0f} °C anywhere"
    return found, [f"Left out what cannot be: {', '.join(wrong[:SHOWN])}{more}; {never}."]


def _times(texts: list[str], zone: str) -> tuple[NDArray[np.int64], list[str]]:
    """[n] epoch seconds, NO_TIME for what is none; and how they were taken."""
    order = orders.order_of([stamps.split(text)[0] for text in texts])
    wall, offset, _day = stamps.Stamps(order.order, stamps.epoch_unit(texts[:200])).read(texts)
    times, bare = wall.copy(), (wall != stamps.NO_TIME) & (offset == stamps.NO_ZONE)
    told = (wall != stamps.NO_TIME) & ~bare
    times[told] = wall[told] - offset[told]
    said = [f"Nothing tells days from months; read as {WORDS[order.order]}."] if order.open else []
    if bare.any():
        times[bare] = zones.utc_of(wall[bare], zone)[0]
        said.append(f"Times without a zone were taken as those of {zone}.")
    return times, said


def _left_out(lines: list[int]) -> list[str]:
    if not lines:
        return []
    named = ", ".join(map(str, lines[:SHOWN]))
    more = f" and {len(lines) - SHOWN} more" if len(lines) > SHOWN else ""
    return [f"Left out line{'s' if len(lines) > 1 else ''} {named}{more}: no time, or no temperature."]
