"""Figures of the desk's reports for Plotly, and the same numbers for those who read them. Nothing is asked here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tasks.care import report_words as words

if TYPE_CHECKING:
    from tasks.care.figures import Named, Report
    from tasks.care.report_sums import Part, Times

Figure = dict[str, Any]
MOST_ROWS = 400  # of a table under a drawing
MOST_BARS = 15
COLOURS = {
    "new": "--chart-6",
    "open": "--chart-1",
    "reopened": "--chart-4",
    "waiting": "--chart-8",
    "hold": "--chart-5",
}
SCORES = ("--chart-bad", "--chart-quiet", "--chart-good")


@dataclass(slots=True)
class Chart:
    """A drawing with its words; `file` is its table's name in `report_tables`."""

    id: str
    title: str
    summary: str
    figure: Figure
    file: str
    columns: list[str]
    rows: list[list[str]] = field(default_factory=list)
    tall: bool = False


def over_time(report: "Report") -> list[Chart]:
    """What the parts of the span have: volume, backlog, times, share in time, satisfaction."""
    made = [_volume(report), _backlog(report)]
    made += [_times(report, "first", "First answers", lambda part: part.first)]
    made += [_times(report, "solve", "Solutions", lambda part: part.solve)]
    return [*made, _in_time(report)]


def _chart(report: "Report", id: str, title: str, summary: str, data: list[Figure], columns: Sequence[str],
           cells: "Callable[[Part], Sequence[str]]", axis: Figure) -> Chart:  # fmt: skip
    """One drawing over the parts of the span."""
    span = report.asked.span
    names = words.parts(span)
    for trace in data:
        trace["x"] = [day.isoformat() for day in span.starts]
        trace.setdefault("hovertemplate", "%{y}<extra>%{fullData.name}</extra>")
    most = max((each or 0 for trace in data for each in trace["y"]), default=0)
    whole = {"dtick": 1, "range": [0, most + 0.5]} if most <= 5 and not axis else {}  # there is no half ticket
    layout = {"yaxis": {"rangemode": "tozero"} | whole | axis, "xaxis": {"type": "date"}, "hovermode": "x unified"}
    if len(names) < 14:  # then Plotly would put hours between the days
        layout["xaxis"] = {"type": "date", "tickvals": data[0]["x"], "ticktext": [_short(name) for name in names]}
    rows = [[name, *cells(part)] for name, part in zip(names, report.parts, strict=True)]
    rows.reverse()
    head = [words.part_of(span), *columns]
    return Chart(id, title, summary, {"data": data, "layout": layout}, "time", head, rows[:MOST_ROWS])


def _short(name: str) -> str:
    """A day without its year; a month keeps it."""
    return name.rpartition(" ")[0] if name[0].isdigit() else name


def _bars(name: str, values: Sequence[Any], colour: str) -> Figure:
    return {"type": "bar", "name": name, "y": list(values), "marker": {"color": colour}}


def _line(name: str, values: Sequence[Any], colour: str, **more: Any) -> Figure:
    mode = "lines+markers" if len(values) < 40 else "lines"
    line = {"color": colour, "width": 2.5} | more
    return {"type": "scatter", "mode": mode, "name": name, "y": list(values), "line": line, "connectgaps": True}


def _volume(report: "Report") -> Chart:
    parts, whole = report.parts, report.whole
    data = [
        _bars("Opened", [part.opened for part in parts], "--chart-1"),
        _bars("Solved", [part.solved for part in parts], "--chart-3"),
        _bars("Reopened", [part.reopened for part in parts], "--chart-2"),
    ]
    summary = f"{words.count(whole.opened, 'ticket')} opened, {whole.solved:,} solved, {whole.reopened:,} reopened."
    return _chart(report, "volume", "Tickets", summary, data, ["Opened", "Solved", "Reopened"],
                  lambda part: [f"{each:,}" for each in (part.opened, part.solved, part.reopened)], {})  # fmt: skip


def _backlog(report: "Report") -> Chart:
    span, values = report.asked.span, [part.backlog for part in report.parts]
    ahead = sum(edge >= report.now for edge in span.edges[:-1])  # parts that have not begun
    known = values[: len(values) - ahead]
    data = [_line("Open", known, "--chart-1") | {"fill": "tozeroy", "fillcolor": "--chart-fan-1"}]
    summary = "Nothing is known yet."
    if known:
        turn = "more" if known[-1] > known[0] else "fewer"
        change = f", {abs(known[-1] - known[0]):,} {turn} than at its beginning" if known[-1] != known[0] else ""
        summary = f"{known[-1]:,} open at the end of this time{change}."
    return _chart(report, "backlog", "Open tickets", summary, data, ["Open at its end"],
                  lambda part: [f"{part.backlog:,}"], {})  # fmt: skip


def _times(report: "Report", id: str, title: str, of: "Callable[[Part], Times]") -> Chart:
    found, whole = [of(part) for part in report.parts], of(report.whole)
    data = [
        _line("Half of them within", [words.hours(each.median) for each in found], "--chart-1"),
        _line("Nine of ten within", [words.hours(each.p90) for each in found], "--chart-2", dash="dot"),
    ]
    for trace in data:
        trace["hovertemplate"] = "%{y:,.1f} h<extra>%{fullData.name}</extra>"
    summary = "There is none in this time."
    if whole.count:
        summary = (f"{whole.count:,}: half of them within {words.took(whole.median)}, nine of ten within "
                   f"{words.took(whole.p90)} of working time.")  # fmt: skip

    def cells(part: "Part") -> list[str]:
        times = of(part)
        return [f"{times.count:,}", words.took(times.median), words.took(times.p90)]

    return _chart(report, id, title, summary, data, ["How many", "Median", "90 % within"], cells,
                  {"title": {"text": "hours of working time"}})  # fmt: skip


def _in_time(report: "Report") -> Chart:
    def share(times: "Times") -> float | None:
        return None if times.share is None else round(times.share * 100, 1)

    data = [
        _line("First answers", [share(part.first) for part in report.parts], "--chart-1"),
        _line("Solutions", [share(part.solve) for part in report.parts], "--chart-3"),
    ]
    for trace in data:
        trace["hovertemplate"] = "%{y} %<extra>%{fullData.name}</extra>"
    whole = report.whole
    summary = "Nothing with a deadline was due in this time."
    if whole.first.judged or whole.solve.judged:
        summary = (f"{words.percent(whole.first.share)} of first answers ({whole.first.in_time:,} of "
                   f"{whole.first.judged:,}), {words.percent(whole.solve.share)} of solutions "
                   f"({whole.solve.in_time:,} of {whole.solve.judged:,}).")  # fmt: skip
    axis = {"range": [0, 102], "ticksuffix": " %"}
    return _chart(report, "intime", "In time", summary, data, ["First answers", "Solutions"],
                  lambda part: [words.percent(part.first.share), words.percent(part.solve.share)], axis)  # fmt: skip


def satisfaction(report: "Report") -> Chart | None:
    """Ratings by part of the span; None without any."""
    whole = report.whole
    if not whole.rated:
        return None
    data = [_bars(name, [part.scores[at] for part in report.parts], SCORES[at])
            for at, name in enumerate(words.SCORES)]  # fmt: skip
    summary = f"{words.percent(whole.good)} of {words.count(whole.rated, 'rating')} are good."
    if report.closed:
        share = words.percent(report.answered / report.closed)
        summary += f" Of {report.closed:,} that were solved in this time and are closed, {share} were rated."
    chart = _chart(report, "rated", "How customers found it", summary, data, [*words.SCORES, "Share good"],
                   lambda part: [*(f"{each:,}" for each in part.scores), words.percent(part.good)], {})  # fmt: skip
    few = {"dtick": 1} if max(sum(part.scores) for part in report.parts) <= 5 else {}  # there is no half rating
    chart.figure["layout"] |= {"barmode": "stack", "yaxis": {"rangemode": "tozero"} | few}
    return chart


def ages(report: "Report") -> Chart | None:
    """What is open now, by age and status."""
    found = {status: row for status, row in report.ages.items() if any(row)}
    if not found:
        return None
    data = [{**_bars(words.STATUSES[status], row, COLOURS[status]), "x": list(words.AGES),
             "hovertemplate": "%{y}<extra>%{fullData.name}</extra>"} for status, row in found.items()]  # fmt: skip
    layout = {"barmode": "stack", "xaxis": {"type": "category"}, "hovermode": "x unified"}
    sums = [sum(each) for each in zip(*found.values(), strict=True)]
    old = sum(sums[3:])
    summary = f"{words.count(sum(sums), 'ticket')} open now, {old:,} of them for more than a week."
    columns = ["Age", *(words.STATUSES[status] for status in found), "Together"]
    rows = [[age, *(f"{row[at]:,}" for row in found.values()), f"{sums[at]:,}"] for at, age in enumerate(words.AGES)]
    return Chart("ages", "How old they are", summary, {"data": data, "layout": layout}, "age", columns, rows)


def busiest(report: "Report") -> Chart | None:
    """When tickets are opened."""
    counts = report.busiest
    most = max(max(row) for row in counts)
    if not most:
        return None
    trace = {
        "type": "heatmap", "x": list(words.HOURS), "y": list(words.WEEKDAYS), "z": counts, "showscale": False,
        "colorscale": [[0, "--chart-heat-0"], [0.5, "--chart-heat-1"], [1, "--chart-heat-2"]], "xgap": 1, "ygap": 1,
        "hovertemplate": "%{y}, %{x}: %{z}<extra></extra>",
    }  # fmt: skip
    day, hour = next((d, h) for d in range(7) for h in range(24) if counts[d][h] == most)
    summary = f"Most come on {words.WEEKDAYS[day]}s from {words.HOURS[hour]} to {words.HOURS[(hour + 1) % 24]}."
    layout = {"yaxis": {"autorange": "reversed"}, "xaxis": {"type": "category"}}
    rows = [[at, *(f"{day[hour]:,}" for day in counts)] for hour, at in enumerate(words.HOURS)]
    figure = {"data": [trace], "layout": layout}
    return Chart("busiest", "When tickets come", summary, figure, "hours", ["Hour", *words.WEEKDAYS], rows)


def compared(named: "Sequence[Named]", by: str) -> Figure | None:
    """How much is in time in each group, the largest groups first; None where nothing had a deadline."""
    wanted = [one for one in named if one.part.first.judged or one.part.solve.judged]
    wanted = sorted(wanted, key=lambda one: -one.part.opened)[:MOST_BARS]
    if len(wanted) < 2:
        return None
    data = []
    for name, colour, kind in (("First answers", "--chart-1", "first"), ("Solutions", "--chart-3", "solve")):
        shares = [getattr(one.part, kind).share for one in wanted]
        data.append({
            "type": "bar", "orientation": "h", "name": name, "y": list(range(len(wanted))),
            "x": [None if share is None else round(share * 100, 1) for share in shares], "marker": {"color": colour},
            "hovertemplate": "%{x} % in time<extra>%{fullData.name}</extra>",
        })  # fmt: skip
    axis = {
        "tickvals": list(range(len(wanted))), "autorange": "reversed", "automargin": True,
        "ticktext": [_clipped(one.name or words.NOBODY[by]) for one in wanted],
    }  # fmt: skip
    return {"data": data, "layout": {"yaxis": axis, "xaxis": {"range": [0, 102], "ticksuffix": " %"}}}


def _clipped(name: str) -> str:
    """Plotly reads some HTML in names: no sign of it is left."""
    text = name if len(name) <= 24 else f"{name[:23]}…"
    return text.replace("&", "&amp;").replace("<", "&lt;")
