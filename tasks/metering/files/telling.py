"""From what was counted to what people read: each oddity with its lines and the rule by which it was dealt with."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np

from tasks.metering.files import units
from tasks.metering.files.found import Found, Hints, Layout, Oddity
from tasks.metering.files.found import of_series as placed
from tasks.metering.files.series import Series
from tasks.metering.files.settling import DAY, MONTH
from tasks.metering.files.swapped import Swapped
from tasks.metering.files.tally import Count, Tally
from tasks.metering.usage import Readings

FEW = 24
LARGEST_DIGITS = 0.98  # of the next power of ten: a counter that falls from there has rolled over
MOST_DIFFERENT = 0.01
RULES = {
    "first": "The first one counts, as you chose.",
    "last": "The last one counts, as you chose.",
    "neither": "None of them counts, as you chose.",
}
REFUSED = "Refused, line by line; the others are read."
FILE = {
    "header": ("Headers that stand again between the readings: {n}.", "Left out."),
    "total": ("Lines with a sum, an average or no time: {n}, such as {words}.", "Left out: they are no readings."),
    "units line": ("Lines that hold units alone: {n}.", "Left out."),
    "comment": ("Remarks between the readings: {n}.", "Left out."),
    "time": ("Lines without a time that can be read: {n}, such as {words}.", REFUSED),
    "width": ("Lines with more cells than there are columns: {n}.", "Refused, line by line: nobody knows which cell is "
              "which. Where commas stand before decimals, export with semicolons between the columns."),
    "number": ("Cells that are no numbers: {n}, such as {words}.", "Refused, line by line; a gap stays there."),
    "empty": ("Values that are missing: {n}.", "A gap stays where they were; nothing is made up."),
    "hot": ("Temperatures below -90 or above 60 °C: {n}.", "Left out."),
    "foreign unit": ("Lines that are no electricity: {n}, in {words}.", "Left out."),
    "left out": ("Readings of days of which day and month may be swapped: {n}.", "Left out, as you chose."),
    "estimated": ("Readings marked as estimated or edited by whoever sent the file: {n}.", "Brought in as they are."),
    "other kind": ("Readings that are no electricity in Wh or W: {n}, in {words}.", "Left out."),
    "24:00": ("Times written as 24:00: {n}.", "Read as the midnight that ends that day."),
}  # fmt: skip

SERIES = {  # of which a file may hold nothing else
    "large": "Values of more than a terawatt-hour: {n}.",
    "future": "Readings more than two days ahead, or from before 1990: {n}.",
    "never": "Readings of the hour that does not exist when clocks are put forward: {n}.",
}


def of_file(
    tally: Tally, layout: Layout, hints: Hints, found: Swapped | None, reasons: list[str]
) -> tuple[Oddity, ...]:
    """Oddities of the whole file."""
    told = []
    for kind, (text, rule) in FILE.items():
        if (count := tally.get(kind)) and count.count:
            words = ", ".join(f"“{word}”" for word in count.words[:4])
            told.append(
                Oddity(kind, text.format(n=f"{count.count:,}", words=words), rule, count.count, tuple(count.lines))
            )
    if (count := tally.get("other order")) and count.count:
        told.append(_other_order(count))
    if found:
        rule = "It may not be forecast on, and is not brought in unless you choose to leave those days out."
        told.append(Oddity("swapped", " ".join(reasons), rule, len(found.days), found.lines, asks="swapped"))
    if layout.stamps == "end":
        told.append(Oddity("ends", "Times are the ends of their intervals.", "Moved to where each interval begins."))
    elif tally.get("24:00") and not hints.stamps:
        text = "24:00 is the end of an interval, so all times may be ends."
        told.append(Oddity("ends", text, "Choose whether times are starts or ends.", asks="stamps"))
    return tuple(told)


def _other_order(count: Count) -> Oddity:
    text = (
        f"Dates that are none in the order of the others, and are with day and month changed: {count.count:,}, such as "
    )
    rule = "Refused, line by line. Other lines may be swapped without being seen, so it may not be forecast on."
    return Oddity("other order", text + ", ".join(f"“{word}”" for word in count.words[:4]) + ".", rule, count.count,
                  tuple(count.lines))  # fmt: skip


def of_series(one: Series, hints: Hints, title: str, used: set[str], reasons: list[str]) -> Found:
    """What was found about one series; `title`: what stands above its values."""
    kind, evidence, ask_kind = one.judge(title)
    told = [*_unit(one, used), *_times(one, hints), *_repeats(one, hints, bool(reasons)), *_values(one, kind)]
    if ask_kind:
        text = f"Whether this meter counts on or tells each interval's energy cannot be told: {evidence}."
        told.append(Oddity("kind", text, "Choose which it is.", asks="meter_kind"))
    refusals = [*reasons, *_refusals(one, hints)]
    unit = next(iter(sorted(used - {""})), hints.unit or "kWh")
    return Found(
        key=one.key, name=one.name, kind=kind, evidence=evidence, unit=unit, step=max(one.step, 60) if one.step else 0,
        readings=Readings(np.empty(0, np.int64), np.empty(0, np.int64)), count=one.count, first=one.first or 0,
        last=one.last or 0, oddities=tuple(placed(each, one.key) for each in told), refusals=tuple(refusals),
    )  # fmt: skip


def _odd(one: Series, kind: str, text: str, rule: str, asks: str = "") -> list[Oddity]:
    """One oddity, where it was counted."""
    count = one.tally.get(kind)
    if not count or not count.count:
        return []
    return [Oddity(kind, text.format(n=f"{count.count:,}"), rule, count.count, tuple(count.lines), asks)]


def _unit(one: Series, used: set[str]) -> list[Oddity]:
    known = sorted(used - {""})
    told = []
    if "" in used:
        text = "The file does not say in which unit its values are."
        told.append(Oddity("unit", text, "Read as kWh until you choose.", asks="unit"))
    if len(used) > 1:
        text = f"Its lines are in {', '.join(known)}, each as its unit says."
        told.append(Oddity("units", text, "Each line is converted by its own unit."))
    if one.power:
        text = f"Its values are mean power ({', '.join(unit for unit in known if units.is_power(unit)) or 'W'})."
        step = _span(one.step or 3600)
        told.append(Oddity("power", text, f"Made energy by the time from one reading to the next, {step}."))
    rule = "Brought in as they are, unless you choose to divide the larger by 1000; it may not be forecast on so."
    if one.hints.turns == "divide":
        rule = "The larger ones are divided by 1000, as you chose."
    asks = "" if one.hints.turns else "turns"
    text = "kWh and Wh come by turns: {n} values are a thousand times as large as the others."
    return [*told, *_odd(one, "turns", text, rule, asks)]


def _times(one: Series, hints: Hints) -> list[Oddity]:
    told = []
    if (count := one.tally.get("local")) and count.count:
        how = {"utc": "Read as UTC, as you chose.", "standard": f"Read as {hints.zone} without summer time, as you "
               "chose."}.get(hints.clock, f"Read as local time of {hints.zone}.")  # fmt: skip
        told.append(Oddity("local", "Its times do not say their zone.", how, count.count))
    text = "Readings of the hour that comes twice when clocks are put back: {n}."
    told += _odd(one, "twice", text, "The first run of the hour is summer time, the second is not, by their order.")
    text = SERIES["never"]
    rule = "Refused, line by line. If this meter's clock has no summer time, choose “no summer time” and read it again."
    told += _odd(one, "never", text, rule, "" if hints.clock else "clock")
    told += _odd(one, "order", "Times that lie before the one above them: {n}.", "Sorted by time.")
    if one.newest_first:
        told.append(Oddity("newest first", "The newest reading comes first.", "Turned round."))
    text = "Readings that come some hundred thousand lines late: {n}."
    told += _odd(one, "late", text, "Written where they belong; for a time that comes again, the last line counts.")
    rule = "Refused, line by line. Look whether day and month are read in the right order."
    told += _odd(one, "future", SERIES["future"], rule)
    rule = "Nothing finer than a minute is kept: energy is added up by the minute, of a counter the last reading stays."
    text = "Readings less than a minute after the one before: {n}."
    return [*told, *_odd(one, "minutes", text, rule), *_gaps(one, hints)]


def _gaps(one: Series, hints: Hints) -> list[Oddity]:
    count = one.tally.get("gap")
    if not count or not count.count:
        return []
    first = ", ".join(" to ".join(moment(int(at), hints.zone) for at in word.split("|")) for word in count.words[:2])
    text = f"Gaps: {count.count:,}, in which {count.most:,} readings are missing, such as from {first}."
    rule = "They stay gaps; a forecast fills them and says so."
    return [Oddity("gap", text, rule, count.count, tuple(count.lines))]


def _repeats(one: Series, hints: Hints, explained: bool) -> list[Oddity]:
    rule = RULES.get(hints.repeats, "The last one in the file counts.")
    same = _odd(one, "same", "Lines that repeat a reading that stands there already: {n}.", "Left out.")
    text = "Times that have several different values: {n}."
    asks = "repeats" if _many_differ(one) and not hints.repeats and not explained else ""
    return [*same, *_odd(one, "different", text, rule, asks)]


def _many_differ(one: Series) -> bool:
    """More than by chance: a column may be missing that tells them apart."""
    count = one.tally.get("different")
    return count is not None and count.count > max(3, MOST_DIFFERENT * one.count)


def _values(one: Series, kind: str) -> list[Oddity]:
    told = _odd(one, "large", SERIES["large"], "Refused, line by line.")
    if kind == "counter":
        told += _falls(one)
    rule = "Kept: more was fed in than used, or the meter is wired the other way round."
    told += _odd(one, "negative", "Values below zero: {n}.", rule)
    if one.count and one.zeros == one.count:
        told.append(Oddity("zeros", "All values are zero.", "Brought in as they are."))
    elif one.count > 1 and not one.moves:
        told.append(Oddity("constant", "All values are the same.", "Brought in as they are."))
    if one.count < FEW:
        text = f"There {'is' if one.count == 1 else 'are'} only {one.count} reading{'s' if one.count > 1 else ''}."
        told.append(Oddity("few", text, "Brought in; there is too little to forecast on.", one.count))
    if not one.step and one.count > 2:
        told.append(Oddity("irregular", "Its readings come at no regular times.", "Brought in at their own times."))
    return told


def _falls(one: Series) -> list[Oddity]:
    count = one.tally.get("fall")
    if not count or not count.count:
        return []
    told = [tuple(int(part) for part in word.split("|")) for word in count.words]
    rolled = bool(told) and all(_rolls(before) and after < before / 10 for before, after in told)
    shown = "; ".join(f"from {before / 1e6:,.3f} to {after / 1e6:,.3f} kWh" for before, after in told[:2])
    text = f"How often the counter went back: {count.count:,}, {shown}. It {'rolled over' if rolled else 'was reset'}."
    rule = "Kept as it is; what was used is reckoned on from there."
    return [Oddity("rollover" if rolled else "reset", text, rule, count.count, tuple(count.lines))]


def _rolls(before: int) -> bool:
    digits = int(10 ** len(str(before)))
    return before >= LARGEST_DIGITS * digits


def _refusals(one: Series, hints: Hints) -> list[str]:
    """Why this series may not be forecast on."""
    told = []
    if one.tally.get("turns") and hints.turns != "divide":
        told.append("kWh and Wh come by turns in this file; choose to divide the larger values by 1000.")
    if _many_differ(one):
        many = one.tally["different"].count
        told.append(f"{many:,} times have several different values, so nobody knows which ones are right.")
    checks: tuple[tuple[Callable[[], bool], str], ...] = (
        (lambda: one.count < FEW, f"The file has {one.count} of the {FEW} readings that a forecast needs at least."),
        (lambda: one.zeros == one.count, "All values are zero, so there is nothing to forecast."),
        (lambda: one.moves == 0, "All values are the same, so there is nothing to forecast."),
    )
    found = next((text for holds, text in checks if holds()), "")
    return [*told, found] if found else told


def first_trouble(tally: Tally, series: Iterable[Series]) -> str:
    """What most of a file's lines suffer from, for one of which nothing could be read."""
    told = [(count, FILE[kind][0]) for kind, count in tally.items() if kind in FILE]
    told += [(count, SERIES[kind]) for one in series for kind, count in one.tally.items() if kind in SERIES]
    count, text = max(told, key=lambda each: each[0].count, default=(Count(), ""))
    words = ", ".join(f"“{word}”" for word in count.words[:4])
    return text.format(n=f"{count.count:,}", words=words) if count.count else ""


def moment(at: int, zone: str) -> str:
    return f"{datetime.fromtimestamp(at, UTC).astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}"


def _span(step: int) -> str:
    if step == MONTH:
        return "a month"
    if step % DAY == 0:
        return f"{step // DAY} day{'s' if step > DAY else ''}"
    return f"{step // 60} minutes" if step >= 60 else f"{step} seconds"
