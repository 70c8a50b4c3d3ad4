"""What each column of a table of readings is: first by what stands in it, then by the words above it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tasks.metering.files import cells, headers, stamps, units
from tasks.metering.files.found import Column, Layout, Oddity

HOME_ASSISTANT = ("sum", "state", "change", "mean")  # the surest column first: sums go on over resets
Cells = list[list[str]]


@dataclass
class Guess:
    """A column while it is thought about."""

    column: Column
    kind: str
    cells: list[str]
    role: str = ""

    @property
    def words(self) -> set[str]:
        return headers.words(self.column.title)


def told(layout: Layout, body: Cells) -> Layout:
    """The layout with a role for each column."""
    guesses = [_guess(column, [row[at] for row in body if at < len(row)]) for at, column in enumerate(layout.columns)]
    for guess in guesses:
        guess.role = _role(guess)
    if layout.form == "clocks":
        _as_clocks(guesses)
    else:
        _settle_values(guesses)
    _settle_times(guesses)
    layout = replace(layout, columns=tuple(replace(guess.column, role=guess.role) for guess in guesses))
    wide = len(layout.all("value")) > 1
    return replace(layout, wide=wide, asks=(*layout.asks, *_left_out(guesses)))


def _guess(column: Column, found: list[str]) -> Guess:
    return Guess(column, cells.kind_of(found), [cell for cell in found if cell])


def _role(guess: Guess) -> str:
    words, title = guess.words, guess.column.title
    if guess.kind == "stamp" or (guess.kind == "epoch" and (words & headers.TIME or title.startswith("Column "))):
        return "end" if headers.is_end(title) else "time"
    if not guess.kind and (guess.column.unit or words & headers.VALUE):
        return "value"  # a column that is empty throughout is told of as such
    if guess.kind in ("date", "clock", "unit"):
        return guess.kind
    if guess.kind in ("number", "epoch"):
        return _role_of_numbers(guess, words, title)
    if guess.kind == "text" and (
        words & headers.SERIES or all("." in cell and " " not in cell for cell in guess.cells)
    ):
        return "series"
    return ""


def _role_of_numbers(guess: Guess, words: set[str], title: str) -> str:
    if words & headers.SURE_SERIES or (words & headers.SERIES and not words & headers.VALUE and _few(guess.cells)):
        return "series"
    if words & {"hour", "stunde", "hr", "heure", "hora", "uur", "he"} and cells.is_hour_column(guess.cells):
        return "clock"
    if words & headers.TEMPERATURE or (units.degrees(title) and not guess.column.unit):
        return "temperature"
    if (words & headers.LEFT_OUT or units.foreign(title)) and not guess.column.unit:
        return ""
    return "value"


def _few(found: list[str]) -> bool:
    """Whether the same numbers come again and again, as those of meters do."""
    return len(set(found)) * 4 <= len(found) or len(set(found)) == 1


def _as_clocks(guesses: Sequence[Guess]) -> None:
    """A line per day: every column headed by a time of day holds values, and nothing else does."""
    for guess in guesses:
        clock = stamps.clock_of(guess.column.title) is not None
        guess.role = "value clock" if clock else "" if guess.role in ("value", "clock") else guess.role


def _settle_values(guesses: Sequence[Guess]) -> None:
    """Columns that name a unit or a word of energy go before those that only hold numbers; energy before power."""
    values = [guess for guess in guesses if guess.role == "value"]
    titles = {guess.column.title.casefold(): guess for guess in values}
    if any(guess.column.title.casefold() in ("statistic_id", "start_ts") for guess in guesses):
        kept = [titles[name] for name in HOME_ASSISTANT if name in titles][:1]
    else:
        kept = [guess for guess in values if guess.column.unit]
        energy = [guess for guess in kept if not units.is_power(guess.column.unit)]
        kept = energy or kept or [guess for guess in values if guess.words & headers.VALUE] or values
    for guess in values:
        if guess not in kept:
            guess.role = ""
    for guess in guesses:
        if guess.role == "unit" and not _is_unit(guess, kept):
            guess.role = ""
    temperatures = [guess for guess in guesses if guess.role == "temperature"]
    for guess in temperatures[1:]:
        guess.role = ""


def _is_unit(guess: Guess, values: Sequence[Guess]) -> bool:
    """A column of units, and not of the letters by which German files say how sure a value is (W, E, F)."""
    if guess.words & headers.UNIT:
        return True
    return not any(value.column.unit for value in values) and any(len(cell) > 1 for cell in guess.cells)


def _settle_times(guesses: Sequence[Guess]) -> None:
    """One column of times, or a day and a time of day. A time that says UTC goes before one that does not."""
    times = [guess for guess in guesses if guess.role == "time"]
    utc = [guess for guess in times if headers.says_utc(guess.column.title)]
    named = [guess for guess in times if guess.words & headers.TIME]
    first = (utc or named or times)[:1]
    for guess in guesses:
        if guess.role in ("time", "end", "date", "clock") and first and guess not in first:
            guess.role = ""
    if not first:
        _one_each(guesses)


def _one_each(guesses: Sequence[Guess]) -> None:
    """Without a whole stamp: its end, or the first day with the first time of day."""
    ends = [guess for guess in guesses if guess.role == "end"]
    for role in ("end", "date", "clock"):
        some = [guess for guess in guesses if guess.role == role]
        for guess in some[0 if ends and role != "end" else 1 :]:
            guess.role = ""


def _left_out(guesses: Sequence[Guess]) -> list[Oddity]:
    names = [guess.column.title for guess in guesses if not guess.role]
    if not names:
        return []
    told_of = ", ".join(f"“{name}”" for name in names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
    one = "This column is" if len(names) == 1 else "These columns are"
    return [Oddity("columns", f"{one} no reading, time or temperature: {told_of}.", "Left out.", len(names))]
