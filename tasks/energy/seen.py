"""What the last look at a meter came to, as its outlook keeps it: for the meter's page and for files of it."""

from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from models.meter import Outlook
from tasks.energy.result import EnergyResult

WORDS = {"hour": "By the hour", "day": "By the day", "month": "By the month"}


@dataclass(frozen=True, slots=True)
class Shown:
    """What the last look at a meter came to.

    Attributes:
        result: None where there is none, or one of an older form.
        horizon: which forecast of it; horizons: the others that there are.
    """

    result: EnergyResult | None = None
    horizon: str = "hour"
    horizons: tuple[str, ...] = ()


def seen(outlook: Outlook | None, horizon: str = "") -> Shown:
    """The result that an outlook holds, with the forecast of a horizon or the first that there is."""
    data: dict[str, Any] = (outlook.data if outlook is not None else None) or {}
    aheads: dict[str, Any] = data.get("aheads") or {}
    there = tuple(word for word in WORDS if word in aheads)
    if not there:
        return Shown()
    chosen = horizon if horizon in there else there[0]
    try:
        return Shown(EnergyResult.model_validate(data["whole"] | aheads[chosen]), chosen, there)
    except (ValidationError, KeyError, TypeError):
        return Shown()  # written by an older form of the job: the next look replaces it
