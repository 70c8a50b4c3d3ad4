"""How a kept anomaly is told: in an alert, in a list, in a digest. Loads no numpy."""

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from tasks import money
from tasks.metering import wording

if TYPE_CHECKING:
    from models.meter import Anomaly

KINDS = {
    "spike": "Spike", "flat": "Flat line", "shift": "Change of level", "missing": "No readings",
    "base load": "Base load at night", "reset": "Counter began again",
}  # fmt: skip
LEVELS = {"missing": 2, "flat": 2, "shift": 2, "base load": 2, "spike": 1, "reset": 1}


def zone_of(name: str) -> str:
    """The meter's zone, UTC where that is none."""
    try:
        return ZoneInfo(name).key
    except (KeyError, ValueError, OSError):
        return "UTC"


def when(row: "Anomaly", zone: str) -> str:
    """ "on 12 March 2014", "since 3 March 2014"."""
    zone = zone_of(zone)
    return f"since {wording.moment(row.start, zone)}" if row.end is None else wording.span(row.start, row.end, zone)


def what(row: "Anomaly", zone: str) -> str:
    """The news without the meter's name: "43 kWh more than expected on 12 March 2014"."""
    zone = zone_of(zone)
    day, at = wording.day(row.start, zone), when(row, zone)
    higher = row.kwh is None or row.kwh >= 0
    if row.kind == "spike":
        return f"{wording.energy(abs(float(row.kwh or 0)))} {'more' if higher else 'less'} than expected {at}"
    return {
        "flat": f"always the same value {at}",
        "missing": f"no readings {at}",
        "shift": f"uses {'more' if higher else 'less'} than before since {day}",
        "base load": f"uses more at night since about {day}",
        "reset": f"the counter began again on {day}",
    }.get(row.kind, f"something is odd {at}")


def title(row: "Anomaly", name: str, zone: str) -> str:
    """ "Workshop: 43 kWh more than expected on 12 March 2014"."""
    return f"{name}: {what(row, zone)}"[:200]


def over(row: "Anomaly", name: str, zone: str) -> str:
    """What is said when what went on has ended."""
    day = wording.moment(row.end or row.start, zone_of(zone))
    said = {
        "missing": f"readings come again since {day}", "flat": f"its values vary again since {day}",
        "shift": f"back to the usual, or taken as usual now, since {day}",
        "base load": f"the base load is down again, or taken as usual now, since {day}",
    }  # fmt: skip
    return f"{name}: {said.get(row.kind, 'nothing new for a week')}"[:200]


def size(row: "Anomaly") -> str:
    """ "43.0 kWh more"; of what is missing what was probably used; "" where that cannot be said."""
    if row.kwh is None:
        return ""
    if row.kind == "missing":
        return f"about {wording.energy(float(row.kwh))} not measured"
    return f"{wording.energy(abs(float(row.kwh)))} {'more' if row.kwh >= 0 else 'less'}"


def cost(row: "Anomaly") -> str:
    """ "12.30 EUR more", "" where nothing is known."""
    if row.cost is None or not row.currency:
        return ""
    amount = money.show(round(abs(row.cost), money.digits(row.currency)), row.currency)
    return f"about {amount}" if row.kind == "missing" else f"{amount} {'more' if row.cost >= 0 else 'less'}"


def line(row: "Anomaly", name: str, zone: str, amounts: bool) -> str:
    """A line of a digest."""
    said = f"{name}: {what(row, zone)}"
    return f"{said} ({cost(row)})." if amounts and cost(row) else f"{said}."
