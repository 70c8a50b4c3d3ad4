"""How far ahead: steps by the hour, the day and the month, how many of each, and the times at which they begin."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo

from tasks.energy.series import DAY, HOUR, MONTH

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Word = Literal["hour", "day", "month"]


@dataclass(frozen=True, slots=True)
class Horizon:
    """A way to look ahead.

    Attributes:
        word: as people choose it.
        step: seconds of a step, as a Series has it.
        usual: how many steps when nobody says.
        most: beyond this the intervals say nothing.
        past: seconds of readings that are worth reading for it.
    """

    word: Word
    step: int
    usual: int
    most: int
    past: int

    @property
    def words(self) -> str:
        """Its bound, for people."""
        return f"{self.most} {self.word}s"


HORIZONS: dict[str, Horizon] = {
    "hour": Horizon("hour", HOUR, 48, 14 * 24, 800 * DAY),
    "day": Horizon("day", DAY, 30, 366, 4 * 366 * DAY),
    "month": Horizon("month", MONTH, 12, 36, 12 * 366 * DAY),
}
TOO_FAR = (
    "A forecast by the {word} looks at most {bound} ahead: what lies further is a guess with a number on it. "
    "Choose {most} or fewer, or longer steps."
)
NO_FURTHER = "Nobody can foretell a meter {years:.0f} years ahead. Choose {most} months or fewer."


def refusal(word: str, ahead: int) -> str:
    """Why so many steps are too many; "" when they are not."""
    chosen = HORIZONS[word]
    if ahead <= chosen.most:
        return ""
    if word == "month":
        return NO_FURTHER.format(years=ahead / 12, most=chosen.most)
    return TOO_FAR.format(word=word, bound=chosen.words, most=chosen.most)


def following(last: int, count: int, step: int, zone: str) -> "NDArray[np.int64]":
    """Where the steps after one begin: [count] epoch seconds. Days and months begin at local midnight.

    Args:
        last: where the last known step begins.
    """
    import numpy as np

    if step not in (DAY, MONTH):
        return last + step * np.arange(1, count + 1, dtype=np.int64)
    local = ZoneInfo(zone)
    first = datetime.fromtimestamp(last, local).date()
    days = [_later(first, number, step) for number in range(1, count + 1)]
    return np.array([midnight(day, local) for day in days], dtype=np.int64)


def _later(first: date, number: int, step: int) -> date:
    if step == DAY:
        return first + timedelta(days=number)
    months = first.year * 12 + first.month - 1 + number
    return date(months // 12, months % 12 + 1, 1)


def midnight(day: date, local: ZoneInfo) -> int:
    """When a local day begins, epoch seconds; where the clocks leave midnight out, at its first moment."""
    return int(datetime(day.year, day.month, day.day, tzinfo=local).timestamp())
