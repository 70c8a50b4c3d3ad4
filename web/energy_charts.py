"""Figures of electricity for Plotly, and the same numbers for those who read them. Nothing is asked here."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask

from tasks.energy.material import PER_KWH
from tasks.energy.result import EnergyResult, short_model

Figure = dict[str, Any]
PAST = 7 * 24  # steps of the past beside a forecast
LASTING = ("shift", "base load")  # they go on for weeks
MOST_ROWS = 400  # of a table under a drawing


@dataclass(slots=True)
class Chart:
    """A drawing with its words."""

    id: str
    title: str
    figure: Figure
    summary: str
    columns: list[str]
    rows: list[list[str]] = field(default_factory=list)
    tall: bool = False


def charts(result: EnergyResult) -> list[Chart]:
    """All drawings of a look, those that it has the numbers for."""
    made = (load(result), heat(result), curve(result), scatter(result))
    return [chart for chart in made if chart is not None]


def number(value: float | None) -> str:
    """A number with as many digits as anybody reads: 12,345; 123.4; 1.234; 0.0123."""
    if value is None:
        return "–"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.4g}"


def amount(kwh: float | None, unit: str) -> str:
    """Energy in a meter's own unit, with it."""
    return "–" if kwh is None else f"{number(kwh * PER_KWH.get(unit, 1.0))} {unit if unit in PER_KWH else 'kWh'}"


def load(result: EnergyResult) -> Chart | None:
    """What was used lately, anomalies marked, and the forecast with its fan of 80 and 95 %."""
    charts, zone = result.charts, ZoneInfo(result.zone)
    times = [_wall(at, zone) for at in charts.load_times[-PAST:]]
    values = charts.load[-PAST:]
    ahead = [step.time[:19] for step in result.forecast]
    if not times and not ahead:
        return None
    join_x, join_y = (times[-1:], values[-1:]) if times and values[-1] is not None else ([], [])
    data: list[Figure] = []
    if ahead:
        data += _band("95 of 100 times in here", ahead, result, "lower_95", "upper_95", "--chart-fan-95")
        data += _band("80 of 100 times in here", ahead, result, "lower_80", "upper_80", "--chart-fan-80")
    data.append(_line("Used", times, values, "--chart-1"))
    if ahead:
        same = charts.load_step == _step_of(result)
        means = [step.mean for step in result.forecast]
        xs, ys = ([*join_x, *ahead], [*join_y, *means]) if same else (ahead, means)
        data.append(_line("Forecast", xs, ys, "--chart-2", dash="dot"))
    data += _wrong(result, times, values)
    layout = {"yaxis": {"title": {"text": _per(result)}, "rangemode": "tozero"}, "hovermode": "x unified"}
    if not ahead:
        rows = [[at.replace("T", " ")[:16], number(value)] for at, value in zip(times, values, strict=True)]
        return Chart("load", "Load", {"data": data, "layout": layout}, "", ["Time", "Used"], rows[-MOST_ROWS:], True)
    columns = ["Time", f"Forecast ({result.unit})", "80 of 100 times from", "to", "95 of 100 times from", "to"]
    rows = [
        [
            step.time.replace("T", " ")[:16],
            *map(number, (step.mean, step.lower_80, step.upper_80, step.lower_95, step.upper_95)),
        ]
        for step in result.forecast
    ]
    return Chart("load", "Load and forecast", {"data": data, "layout": layout}, _said(result), columns, rows, True)


def _said(result: EnergyResult) -> str:
    total = sum(step.mean for step in result.forecast)
    return (
        f"{number(total)} {result.unit} in the next {len(result.forecast)} {result.horizon}s, "
        f"after what was known on {datetime.fromisoformat(result.as_of):%-d %b %Y, %H:%M}."
        if result.as_of
        else ""
    )


def _step_of(result: EnergyResult) -> int:
    return {"hour": 3600, "day": 86_400, "month": 2_629_800}[result.horizon]


def _per(result: EnergyResult) -> str:
    return f"{result.unit} a {result.horizon}"


def _wall(at: int, zone: ZoneInfo) -> str:
    """Plotly shows what the clock on the wall there says."""
    return datetime.fromtimestamp(at, zone).strftime("%Y-%m-%dT%H:%M:%S")


def _line(name: str, x: list[Any], y: list[Any], color: str, dash: str = "solid") -> Figure:
    return {
        "type": "scatter", "mode": "lines", "name": name, "x": x, "y": y, "connectgaps": False,
        "line": {"color": color, "width": 2, "dash": dash},
    }  # fmt: skip


def _band(name: str, x: list[str], result: EnergyResult, low: str, high: str, color: str) -> list[Figure]:
    bare = {"type": "scatter", "mode": "lines", "x": x, "line": {"width": 0, "color": color}, "hoverinfo": "skip"}
    return [
        {**bare, "y": [getattr(step, low) for step in result.forecast], "showlegend": False, "name": name},
        {
            **bare,
            "y": [getattr(step, high) for step in result.forecast],
            "fill": "tonexty",
            "fillcolor": color,
            "name": name,
        },
    ]


def _wrong(result: EnergyResult, times: list[str], values: list[float | None]) -> list[Figure]:
    """What is wrong in the stretch that is shown: short ones as the load in their own colour, lasting ones where they
    began."""
    found: dict[str, tuple[list[str], list[float | None]]] = {}
    for one in result.anomalies:
        start, end = one.start[:19], (one.end or "9999")[:19]
        at = [number for number, time in enumerate(times) if start[:13] <= time[:13] and time < end]
        at = at[:1] if one.kind in LASTING else at
        if at and (one.kind not in LASTING or start >= times[0]):
            xs, ys = found.setdefault(one.kind, ([], []))
            xs += [*(times[each] for each in at), times[at[-1]]]
            ys += [*(values[each] for each in at), None]  # so that no line joins two of them
    return [_marked(kind, xs, ys) for kind, (xs, ys) in found.items()]


def _marked(kind: str, xs: list[str], ys: list[float | None]) -> Figure:
    return {
        "type": "scatter", "mode": "lines+markers", "name": f"Anomaly: {kind}", "x": xs, "y": ys, "connectgaps": False,
        "line": {"color": "--chart-bad", "width": 3}, "marker": {"size": 7, "color": "--chart-bad"},
        "hovertemplate": f"%{{y}}<br>{kind}<extra></extra>",
    }  # fmt: skip


def heat(result: EnergyResult) -> Chart | None:
    """Energy by hour and day."""
    charts = result.charts
    if not charts.heat:
        return None
    known = [value for row in charts.heat for value in row if value is not None]
    if not known:
        return None
    # No colour bar: Plotly gives one style attributes, which our policy refuses. The page has a legend of its own.
    low, high = heat_range(result)
    trace = {
        "type": "heatmap", "x": [f"{hour:02}:00" for hour in range(24)], "y": charts.heat_days, "z": charts.heat,
        "colorscale": [[0, "--chart-heat-0"], [0.5, "--chart-heat-1"], [1, "--chart-heat-2"]], "xgap": 1, "ygap": 1,
        "zmin": low, "zmax": high, "showscale": False,
        "hovertemplate": f"%{{y}}, %{{x}}: %{{z}} {result.unit}<extra></extra>",
    }  # fmt: skip
    by_hour = [[value for row in charts.heat if (value := row[hour]) is not None] for hour in range(24)]
    means = [sum(each) / len(each) if each else None for each in by_hour]
    rows = [[f"{hour:02}:00", number(means[hour]), number(max(by_hour[hour], default=None))] for hour in range(24)]
    top = max(range(24), key=lambda hour: means[hour] or 0.0)
    summary = f"Most is used from {top:02}:00 to {(top + 1) % 24:02}:00, {number(means[top])} {result.unit} on average."
    layout = {
        "yaxis": {"autorange": "reversed", "type": "date", "tickformat": "%a %-d %b"},
        "xaxis": {"type": "category"},
    }
    columns = ["Hour of the day", f"Mean ({result.unit})", "Most"]
    return Chart("heat", "By hour and day", {"data": [trace], "layout": layout}, summary, columns, rows, True)


def heat_range(result: EnergyResult) -> tuple[float, float]:
    """Where the colours begin and end: a single spike does not make all the rest pale."""
    known = sorted(value for row in result.charts.heat for value in row if value is not None)
    if not known:
        return 0.0, 1.0
    return min(0.0, known[0]), known[min(len(known) - 1, round(0.99 * len(known)))]


def curve(result: EnergyResult) -> Chart | None:
    """The load duration curve of the last year."""
    loads = result.charts.curve
    if not loads:
        return None
    trace = _line("Load", list(range(101)), loads, "--chart-1") | {
        "fill": "tozeroy", "fillcolor": "--chart-fan-1",
        "hovertemplate": "%{x} % of the time %{y} kW or more<extra></extra>",
    }  # fmt: skip
    layout = {
        "xaxis": {"title": {"text": "% of the time"}, "range": [0, 100]}, "showlegend": False,
        "yaxis": {"title": {"text": "kW"}, "rangemode": "tozero"},
    }  # fmt: skip
    since = datetime.fromtimestamp(result.charts.curve_since, ZoneInfo(result.zone))
    summary = (
        f"{number(loads[0])} kW at most, {number(loads[50])} kW or more half of the time, and never less than "
        f"{number(loads[100])} kW, since {since:%-d %b %Y}."
    )
    rows = [[f"{share} %", number(loads[share])] for share in range(0, 101, 10)]
    return Chart(
        "curve",
        "Load duration",
        {"data": [trace], "layout": layout},
        summary,
        ["Share of the time", "kW or more"],
        rows,
    )


def scatter(result: EnergyResult) -> Chart | None:
    """Days over their mean temperature, with the line that the weather correction uses."""
    charts = result.charts
    if not charts.scatter:
        return None
    dots = {
        "type": "scatter", "mode": "markers", "name": "Days", "x": charts.scatter_degrees, "y": charts.scatter,
        "text": charts.scatter_days, "hovertemplate": f"%{{text}}: %{{x}} °C, %{{y}} {result.unit}<extra></extra>",
        "marker": {"color": "--chart-1", "size": 6, "opacity": 0.6},
    }  # fmt: skip
    line = _line("What the weather explains", [x for x, _ in charts.line], [y for _, y in charts.line], "--chart-2")
    layout = {
        "xaxis": {"title": {"text": "Mean temperature of the day, °C"}},
        "yaxis": {"title": {"text": f"{result.unit} a day"}, "rangemode": "tozero"},
    }  # fmt: skip
    days = sorted(zip(charts.scatter_days, charts.scatter_degrees, charts.scatter, strict=True), reverse=True)
    rows = [[day, f"{degrees:.1f}", number(value)] for day, degrees, value in days[:MOST_ROWS]]
    columns = ["Day", "°C", result.unit]
    return Chart(
        "scatter", "Use and weather", {"data": [dots, line], "layout": layout}, charts.line_words, columns, rows
    )


def install(app: Flask) -> None:
    app.jinja_env.globals.update(
        energy_charts=charts,
        energy_number=number,
        energy_amount=amount,
        energy_model=short_model,
        energy_heat_range=heat_range,
    )
