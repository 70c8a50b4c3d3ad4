"""Whether day and month are swapped in a part of a file: its other days follow one another, and these do not.

Nothing in such a line is wrong by itself. What tells is the calendar: days stand where nothing leads to them, and the
days that they would be with day and month changed are missing.
"""

from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise

LEAST = 3
DENSE = 0.3  # of all days in the file's span that must be there, before anything is said
EPOCH = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True)
class Swapped:
    """What was found.

    Attributes:
        days: since 1970, as written, that must not be trusted.
        after: the last day of the span that is without such days; beyond: how many days are written after it.
        twice: days that stand for two days; jumps: (before, after) where days are missing before a written one.
        filled: how many missing days there would be readings for with day and month changed back.
        lines: (first, last) line of what stands beyond.
    """

    days: frozenset[int]
    after: int = 0
    beyond: int = 0
    twice: tuple[int, ...] = ()
    jumps: tuple[tuple[int, int], ...] = ()
    filled: int = 0
    lines: tuple[int, int] = (0, 0)
    order: bool = False


@dataclass(slots=True)
class Days:
    """The days of a file as it goes: each run of equal days with its first line."""

    runs: list[tuple[int, int]] = field(default_factory=list)
    most: int = 200_000

    def add(self, day: int, line: int) -> None:
        if len(self.runs) < self.most and (not self.runs or self.runs[-1][0] != day):
            self.runs.append((day, line))


def changed(day: int) -> int | None:
    """The day with day and month changed; None where there is none, or it is the same."""
    on = date.fromordinal(day + EPOCH)
    if on.day > 12 or on.day == on.month:
        return None
    return on.replace(month=on.day, day=on.month).toordinal() - EPOCH


def find(days: Days, twice: dict[int, set[int]]) -> Swapped | None:
    """What is swapped; None where nothing tells so.

    Args:
        days: all of the file.
        twice: days with several different readings for one time, and their lines.
    """
    return _by_holes(days, twice) or _by_order(days)


def _by_holes(days: Days, twice: dict[int, set[int]]) -> Swapped | None:
    written = sorted({day for day, _line in days.runs})
    if len(written) < 2 * LEAST or len(written) < DENSE * (written[-1] - written[0] + 1):
        return None
    known = set(written)
    lone = [day for block in _blocks(written) if all(_fits(day, known) for day in block) for day in block]
    doubled = [day for day in sorted(twice) if _fits(day, known)]
    if len(lone) + len(doubled) < LEAST or len(lone) == len(written):
        return None
    moved = (known - set(lone)) | {changed(day) or day for day in (*lone, *doubled)}
    before, after = _missing(known), _missing(moved)
    if before - after < LEAST or after * 2 > before:
        return None
    rest = sorted(known - set(lone))
    beyond = {day for day in lone if day > rest[-1]}
    where = [line for day, line in days.runs if day in beyond] or [0]
    return Swapped(
        days=frozenset({*lone, *doubled}),
        after=rest[-1],
        beyond=len(beyond),
        twice=tuple(doubled),
        jumps=tuple((a, b) for a, b in pairwise(written) if b - a > 1),
        filled=len(lone) + len(doubled),
        lines=(min(where), max(where)),
    )


def _fits(day: int, known: set[int]) -> bool:
    other = changed(day)
    return other is not None and other not in known


def _blocks(written: list[int]) -> list[list[int]]:
    """Days that follow one another."""
    blocks = [[written[0]]]
    for day in written[1:]:
        if day == blocks[-1][-1] + 1:
            blocks[-1].append(day)
        else:
            blocks.append([day])
    return blocks


def _missing(known: set[int]) -> int:
    return max(known) - min(known) + 1 - len(known)


def _by_order(days: Days) -> Swapped | None:
    """In the file's own order its days jump about, and do not when those that can be are changed."""
    runs = [day for day, _line in days.runs]
    other = [changed(day) or day for day in runs]
    breaks, left = _breaks(runs), _breaks(other)
    if breaks < 2 * LEAST or left * 4 > breaks:
        return None
    odd = frozenset(day for day in runs if changed(day) is not None)
    lines = [line for day, line in days.runs if day in odd]
    jumps = tuple((a, b) for a, b in pairwise(runs) if b - a not in (1, -1))
    return Swapped(odd, jumps=jumps, filled=len(odd), lines=(min(lines), max(lines)), order=True)


def _breaks(runs: list[int]) -> int:
    steps = [b - a for a, b in pairwise(runs)]
    forward = sum(step > 0 for step in steps) * 2 >= len(steps)
    return sum(step != (1 if forward else -1) for step in steps)


def day_name(day: int) -> str:
    on = date.fromordinal(day + EPOCH)
    return f"{on.day} {on:%B %Y}"


def reasons(found: Swapped, twice: dict[int, set[int]]) -> list[str]:
    """Why nothing may be forecast on this file, in sentences."""
    told = ["Day and month are swapped in a part of this file, so the order of its dates is broken."]
    if found.beyond:
        told.append(
            f"{found.beyond} days are dated after {day_name(found.after)}, where the data end (lines {found.lines[0]} "
            f"to {found.lines[1]}): with day and month changed back they are days that are missing."
        )
    if found.twice:
        names = ", ".join(day_name(day) for day in found.twice[:6])
        lines = sorted(line for day in found.twice for line in twice.get(day, ()))
        where = f" (lines {', '.join(map(str, lines[:12]))})" if lines else ""
        told.append(f"{len(found.twice)} dates stand twice with different values: {names}{where}.")
    if found.order:
        told.append(
            f"The dates of {found.filled} days jump to and fro from line to line, and would not if changed back."
        )
    if found.jumps:
        told.append(_jumps(found.jumps))
    return told


def _jumps(jumps: tuple[tuple[int, int], ...]) -> str:
    seven = sum(b - a - 1 == 7 for a, b in jumps)
    some = [jump for jump in jumps if jump[1] - jump[0] > 7][:3] or list(jumps[:3])
    shown = "; ".join(f"after {day_name(a)} comes {day_name(b)} ({abs(b - a) - 1} days between)" for a, b in some)
    also = f", {seven} times over 7 missing days" if seven else ""
    return f"The dates jump {len(jumps)} times{also}: {shown}."
