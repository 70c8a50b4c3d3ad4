"""A regular series of energy and what is known beside it: what every pure module of this job works on."""

from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

HOUR, DAY, MONTH = 3600, 86_400, 2_629_800


@dataclass(frozen=True, slots=True)
class Series:
    """Energy step by step, without holes, and the steps ahead of it.

    Attributes:
        values: [n] energy of each step in `unit`; holes are filled already, and `filled` says where.
        times: [n + horizon] int64, epoch seconds (UTC) at which each step begins, those of the future last. Steps are
            hours and parts of hours in UTC, or days and months of `zone` (so a day may have 23 or 25 hours).
        step: nominal length of a step in seconds: 900, 1800, HOUR, DAY, MONTH.
        calendar: whether `times` are real; False for a series of unknown dates, as the M4 competition's.
        zone: the IANA time zone in which people get up and go to work.
        filled: [n] bool, True where nothing was measured and the cleaning filled in; None: nowhere.
        temperature: [n + horizon] degrees Celsius, the future part as known when the series ended; None: unknown.
        holidays: public holidays, local dates.
        unit: "kWh".
    """

    values: "NDArray[np.float64]"
    times: "NDArray[np.int64]"
    step: int
    calendar: bool = True
    zone: str = "UTC"
    filled: "NDArray[np.bool_] | None" = None
    temperature: "NDArray[np.float64] | None" = None
    holidays: frozenset[date] = field(default=frozenset())
    unit: str = "kWh"

    @property
    def horizon(self) -> int:
        """How many steps lie ahead."""
        return len(self.times) - len(self.values)
