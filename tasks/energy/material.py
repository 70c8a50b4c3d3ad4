"""What is known of a meter when it is looked at, and what is wanted: plain data, from a file or from the database."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from tasks.energy.horizons import HORIZONS, Word

if TYPE_CHECKING:
    from tasks.energy.result import Oddity
    from tasks.metering.tariffs import TariffFacts
    from tasks.metering.temperatures import Temperatures
    from tasks.metering.usage import Readings

PER_KWH = {"Wh": 1000.0, "kWh": 1.0, "MWh": 1e-3, "GWh": 1e-6}


@dataclass(frozen=True, slots=True)
class Material:
    """A meter and all that was known of it at `as_of`.

    Attributes:
        name: for pictures and sentences.
        unit: that its numbers are shown in.
        kind, step, rolls_at, zone: as a Meter has them; step 0 is found in the readings.
        readings: up to `as_of`, as they came.
        as_of: epoch seconds; nothing later is in here.
        holidays: country and region, "DE-BY".
        temperature: what was known of the weather, past and future; None: nothing.
        service: whether a weather service tells of its place; trouble: why it brought nothing the last time.
        tariff: the meter's own; None: no money is reckoned.
        tariffs: all of the workspace, to compare with.
        oddities: what a file's reader found, before the cleaning.
        meter: its id; "" of a file's.
    """

    name: str
    unit: str
    kind: Literal["interval", "counter"]
    step: int
    zone: str
    readings: "Readings"
    as_of: int
    rolls_at: int | None = None
    holidays: str = ""
    temperature: "Temperatures | None" = None
    service: bool = False
    trouble: str = ""
    tariff: "TariffFacts | None" = None
    tariffs: "tuple[TariffFacts, ...]" = ()
    oddities: "tuple[Oddity, ...]" = ()
    meter: str = ""

    @property
    def scale(self) -> float:
        """Shown units in a kWh."""
        return PER_KWH.get(self.unit, 1.0)


@dataclass(frozen=True, slots=True)
class Wish:
    """What to foretell.

    Attributes:
        horizon: by the hour, day or month.
        ahead: how many steps.
        budget: CPU seconds for fitting models, all horizons together.
        further: other horizons to look at too, where the past is long enough.
    """

    horizon: Word = "hour"
    ahead: int = HORIZONS["hour"].usual
    budget: float = 1.0
    further: tuple[Word, ...] = field(default=())
