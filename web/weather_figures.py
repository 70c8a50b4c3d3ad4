"""The picture of a place's temperatures: two weeks as measured, and what is foretold."""

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from web.expense_figures import Drawn

DAY = 86_400
BEFORE, AFTER = 14, 8  # days


def drawn(session: Session, place_id: str, now: int, zone: str) -> Drawn | None:
    """What is known at this moment; None without anything."""
    from tasks.metering import weather

    known = weather.known(session, place_id, now - BEFORE * DAY, now + AFTER * DAY, now)
    if not len(known.times):
        return None
    tz = ZoneInfo(zone)
    points = [
        (datetime.fromtimestamp(at, tz), round(degrees, 1), bool(issued))
        for at, degrees, issued in zip(
            known.times.tolist(), known.degrees.tolist(), known.issued.tolist(), strict=True
        )
    ]  # fmt: skip
    return Drawn(_figure(points), _summary(points), ("Day", "Lowest", "Mean", "Highest"), _days(points))


def _figure(points: list[tuple[datetime, float, bool]]) -> dict[str, Any]:
    traces = []
    for foretold, name, line in (
        (False, "Measured", {"color": "--chart-1", "width": 2}),
        (True, "Foretold", {"color": "--chart-2", "width": 2, "dash": "dot"}),
    ):
        mine = [(at, degrees) for at, degrees, ahead in points if ahead == foretold]
        if mine:
            x, y = [at.strftime("%Y-%m-%d %H:%M") for at, _ in mine], [degrees for _, degrees in mine]
            hover = "%{y:.1f} °C<extra>%{x|%a %e %b, %H:%M}</extra>"
            traces.append(
                {"type": "scatter", "mode": "lines", "name": name, "x": x, "y": y, "line": line, "hovertemplate": hover}
            )
    return {
        "data": traces,
        "layout": {"yaxis": {"ticksuffix": " °C"}, "xaxis": {"tickformat": "%-d %b"}},
    }


def _summary(points: list[tuple[datetime, float, bool]]) -> str:
    measured = [point for point in points if not point[2]]
    if not measured:
        return "Nothing was measured in the last two weeks."
    at, degrees, _ = measured[-1]
    lowest, highest = min(point[1] for point in measured), max(point[1] for point in measured)
    return f"{degrees:.1f} °C on {at:%-d %B, %H:%M}; between {lowest:.1f} and {highest:.1f} °C in two weeks."


def _days(points: list[tuple[datetime, float, bool]]) -> list[tuple[str, ...]]:
    days: dict[date, list[tuple[float, bool]]] = {}
    for at, degrees, foretold in points:
        days.setdefault(at.date(), []).append((degrees, foretold))
    return [
        (
            f"{day:%a %-d %b}{', foretold' if all(ahead for _, ahead in hours) else ''}",
            *(f"{each:.1f} °C" for each in _three([degrees for degrees, _ in hours])),
        )
        for day, hours in days.items()
    ]


def _three(degrees: list[float]) -> tuple[float, float, float]:
    return min(degrees), sum(degrees) / len(degrees), max(degrees)
