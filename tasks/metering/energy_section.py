"""What electricity adds to a digest: last week beside the one before, tomorrow, the coming week's cost, one tip."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base import clock
from models.meter import MADE, Meter, Outlook
from tasks.energy.result import Ahead, EnergyResult
from tasks.metering import anomaly_log
from tasks.money import show
from tasks.sections import Figure, Reader, Section

NAMED = 5  # meters that have a line of their own
FRESH = timedelta(days=3)  # an older look says nothing of this week
LINK = "/energy"


@dataclass(frozen=True, slots=True)
class Line:
    """The few figures of one meter, kWh."""

    id: str
    name: str
    week: float | None
    before: float | None
    tomorrow: float | None


def section(session: Session, workspace: str, reader: Reader) -> Section | None:
    """None where no meter was looked at lately, and nothing is wrong."""
    lines = _lines(session, workspace, clock(session))
    wrong = anomaly_log.news(session, workspace, reader.since, amounts=reader.amounts)
    if not lines and not wrong:
        return None
    said, figures = [_used(each) for each in lines[:NAMED]], []
    if len(lines) > NAMED:
        said.insert(0, _together(lines))
        said.append(f"{len(lines) - NAMED} more meters are on their page.")
    if lines:
        seen = _seen(session, lines[0].id)
        said += _ahead(lines[0], seen, reader)
        figures = _figures(lines[0], seen) if reader.pictures else []
    return Section("Electricity", LINK, [*said, *wrong], figures)


def _lines(session: Session, workspace: str, now: int) -> list[Line]:
    """The meters that were looked at lately, those that use most first."""
    since = now - int(FRESH.total_seconds() * 1000)
    asked = select(Meter.id, Meter.name, Outlook.week_kwh, Outlook.week_before_kwh, Outlook.tomorrow_kwh)
    asked = asked.join(Outlook, Outlook.meter_id == Meter.id).where(
        Meter.workspace_id == workspace, Meter.archived.is_(False), Outlook.state == MADE, Outlook.made_at > since,
        Meter.last_at > since // 1000,
    )  # fmt: skip
    found = [Line(*row) for row in session.execute(asked)]
    return sorted(found, key=lambda each: (-(each.week or 0.0), each.name))


def _used(each: Line) -> str:
    """ "House: 154 kWh in the last 7 days, 5 % less than in the 7 before; about 21 kWh tomorrow." """
    said = [f"{energy(each.week)} in the last 7 days{_change(each.week, each.before)}"] if each.week is not None else []
    said += [f"about {energy(each.tomorrow)} tomorrow"] if each.tomorrow is not None else []
    return f"{each.name}: {'; '.join(said) or 'too little is known of this week'}."


def _together(lines: list[Line]) -> str:
    weeks = [(each.week, each.before) for each in lines if each.week is not None and each.before is not None]
    now, before = sum(week for week, _ in weeks), sum(week for _, week in weeks)
    return f"All {len(lines)} meters: {energy(now)} in the last 7 days{_change(now, before)}."


def _change(now: float | None, before: float | None) -> str:
    if now is None or before is None or before <= 0:
        return ""
    percent = round(100 * (now - before) / before)
    if percent == 0:
        return ", as much as in the 7 before"
    return f", {abs(percent):,} % {'more' if percent > 0 else 'less'} than in the 7 before"


def energy(kwh: float) -> str:
    """Three digits that say something: 0.42 kWh, 154 kWh, 12.3 MWh."""
    if abs(kwh) >= 10_000:
        return f"{kwh / 1000:,.3g} MWh" if abs(kwh) < 1e6 else f"{kwh / 1e6:,.4g} GWh"
    return f"{kwh:,.0f} kWh" if abs(kwh) >= 100 else f"{kwh:.3g} kWh"


def _seen(session: Session, meter_id: str) -> dict[str, Any]:
    return session.scalar(select(Outlook.data).where(Outlook.meter_id == meter_id)) or {}


def _ahead(each: Line, seen: dict[str, Any], reader: Reader) -> list[str]:
    """Of the meter that uses most: the coming week with its cost, and the tip that is worth most."""
    told: list[str] = []
    try:
        days = Ahead.model_validate((seen.get("aheads") or {}).get("day") or {})
        whole = EnergyResult.model_validate(seen.get("whole") or {})
    except ValidationError:
        return told  # of an older form; the next look replaces it
    if days.week_kwh is not None:
        cost = f", {show_cost(days.week_cost, days.currency)}" if reader.amounts and days.week_cost is not None else ""
        told.append(f"{each.name} in the 7 days ahead: about {energy(days.week_kwh)}{cost}.")
    if whole.advice is not None and whole.advice.tips:
        tip = whole.advice.tips[0]
        worth = " or ".join(part for part in (tip.energy, tip.money_text if reader.amounts else "") if part)
        told.append(f"Worth {worth} in {tip.per}: {tip.title}." if worth else f"{tip.title}.")
    return told


def show_cost(cost: float, currency: str) -> str:
    """A sum of money of a result."""
    return show(Decimal(str(round(cost, 2))), currency)


def _figures(each: Line, seen: dict[str, Any]) -> list[Figure]:
    from tasks.energy import drawing  # matplotlib, which only pictures need

    try:
        whole = EnergyResult.model_validate((seen.get("whole") or {}) | (seen.get("aheads") or {})["hour"])
    except (ValidationError, KeyError):
        return []
    return [Figure(f"energy-{each.id}", drawing.alt(whole), drawing.fan(whole))]
