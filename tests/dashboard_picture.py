"""A picture of the Grafana dashboard with a Prometheus' own answers, where there is no Grafana to open it in:

python -m tests.dashboard_picture http://127.0.0.1:9090 minutes picture.png [until, in epoch seconds]

It reads deploy/grafana/dashboards/nightshift.json: panels where they lie, each with its questions, unit, thresholds
and names. It draws them plainly; Grafana draws more.
"""

import json
import re
import sys
import time
from pathlib import Path
from typing import Any

import matplotlib as mpl
import requests

from deploy.settings import ROOT

mpl.use("Agg")

import matplotlib.pyplot as plt

BOARD = ROOT / "deploy" / "grafana" / "dashboards" / "nightshift.json"
PAPER, CARD, INK, SOFT = "#111217", "#181b1f", "#d8d9e0", "#9fa3b0"
COLORS = {"green": "#56a64b", "red": "#d0353f", "orange": "#e08a1e", "blue": "#3d71d9"}
COLUMN, LINE = 0.8, 0.42  # inches of one step of the grid
Series = tuple[str, list[float], list[float]]


class Asked:
    """A Prometheus, and the span that is looked at."""

    def __init__(self, url: str, minutes: float, until: float) -> None:
        self.url, self.since, self.until = url, until - 60 * minutes, until

    def now(self, target: dict[str, Any]) -> list[dict[str, Any]]:
        return self._ask("query", query=target["expr"], time=self.until)

    def over_time(self, target: dict[str, Any]) -> list[Series]:
        step = max(5.0, (self.until - self.since) / 200)
        expr = re.sub(r"\[(?:5|15)m\]", "[1m]", target["expr"])  # a short try has no quarters of an hour
        found = self._ask("query_range", query=expr, start=self.since, end=self.until, step=step)
        return [
            (name(target, one["metric"]), [float(at) for at, _ in one["values"]], [float(y) for _, y in one["values"]])
            for one in found
        ]

    def _ask(self, path: str, **query: Any) -> list[dict[str, Any]]:
        answer = requests.get(f"{self.url}/api/v1/{path}", params=query, timeout=20).json()
        found: list[dict[str, Any]] = answer["data"]["result"]
        return found


def name(target: dict[str, Any], metric: dict[str, str]) -> str:
    given = target["legendFormat"]
    return re.sub(r"{{(\w+)}}", lambda found: metric.get(found[1], ""), given) if given != "__auto" else ""


def said(value: float, unit: str) -> str:
    """A value with its unit, as short as it goes."""
    if unit == "s":
        steps = ((86_400, "days"), (3600, "h"), (60, "min"), (1, "s"))
        size, word = next(((size, word) for size, word in steps if value >= size), (0.001, "ms"))
        return f"{value / size:.3g} {word}"
    if unit == "bytes":
        size, word = next(((size, word) for size, word in ((2**30, "GiB"), (2**20, "MiB")) if value >= size), (1, "B"))
        return f"{value / size:.3g} {word}"
    if unit == "percentunit":
        return f"{value * 100:.3g} %"
    return f"{value:.3g}" + (" req/s" if unit == "reqps" else "")


def color(defaults: dict[str, Any], value: float) -> str:
    steps = defaults["thresholds"]["steps"]
    return COLORS[[step["color"] for step in steps if step["value"] is None or value >= step["value"]][-1]]


def stat(axes: Any, panel: dict[str, Any], asked: Asked) -> None:
    defaults, found = panel["fieldConfig"]["defaults"], asked.now(panel["targets"][0])
    axes.set_axis_off()
    if not found:
        axes.text(0.5, 0.5, "no data", color=SOFT, ha="center", va="center")
        return
    value = float(found[0]["value"][1])
    texts = {key: one["text"] for rule in defaults.get("mappings", []) for key, one in rule["options"].items()}
    text = texts.get(f"{value:g}") or name(panel["targets"][0], found[0]["metric"]) or said(value, defaults["unit"])
    axes.add_patch(plt.Rectangle((0, 0), 1, 1, color=color(defaults, value), transform=axes.transAxes))
    axes.text(0.5, 0.5, text, color="white", ha="center", va="center", fontsize=13, weight="bold")


def table(axes: Any, panel: dict[str, Any], asked: Asked) -> None:
    axes.set_axis_off()
    rows = [one["metric"] for one in asked.now(panel["targets"][0])]
    lines = [f"{row['alertname']:<24}{row['severity']:<12}{row.get('queue', '')}" for row in rows] or ["none"]
    axes.text(0.01, 0.9, "\n".join(lines), color=INK, va="top", family="monospace", fontsize=9)


def timeseries(axes: Any, panel: dict[str, Any], asked: Asked) -> None:
    defaults = panel["fieldConfig"]["defaults"]
    found = [one for target in panel["targets"] for one in asked.over_time(target)]
    stacked = defaults["custom"]["stacking"]["mode"] == "normal"
    moments = sorted({at for _, xs, _ in found for at in xs})
    below = dict.fromkeys(moments, 0.0)
    for number, (label, xs, ys) in enumerate(found):
        tint = f"C{number % 10}"
        tops = [below[at] + value for at, value in zip(xs, ys, strict=True)] if stacked else ys
        places = [(at - asked.since) / 60 for at in xs]
        axes.plot(places, tops, lw=1.1, label=label[:34], color=tint)
        axes.fill_between(places, [below[at] for at in xs] if stacked else 0, tops, alpha=0.3 if stacked else 0.07)
        if stacked:
            below |= dict(zip(xs, tops, strict=True))
    axes.set_ylim(bottom=0)
    axes.set_xlim(0, (asked.until - asked.since) / 60)
    axes.yaxis.set_major_formatter(lambda value, _: said(value, defaults["unit"]) if value else "0")
    axes.grid(color="#2c3038", lw=0.5)
    axes.tick_params(colors=SOFT, labelsize=7, length=0)
    if found:
        axes.legend(
            loc="upper left", fontsize=6, ncols=2, labelcolor=INK, facecolor=CARD, edgecolor=CARD, framealpha=0.6
        )


def draw(asked: Asked, picture: Path) -> None:
    panels = json.loads(BOARD.read_text("utf-8"))["panels"]
    height = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in panels)
    figure = plt.figure(figsize=(24 * COLUMN, height * LINE), facecolor=PAPER)
    for panel in panels:
        x, y, w, h = (panel["gridPos"][key] for key in "xywh")
        left, top = (x + 0.1) / 24, 1 - y / height
        if panel["type"] == "row":
            figure.text(left, top - 0.6 / height, panel["title"], color=INK, weight="bold", fontsize=11)
            continue
        margin = 0.75 if panel["type"] == "timeseries" else 0.1
        box = (left + margin / 24, top - (h - 0.75) / height, (w - 0.3 - margin) / 24, (h - 1.6) / height)
        axes = figure.add_axes(box, facecolor=CARD)
        for spine in axes.spines.values():
            spine.set_visible(False)
        {"stat": stat, "table": table, "timeseries": timeseries}[panel["type"]](axes, panel, asked)
        axes.set_title(panel["title"], color=INK, fontsize=8.5, loc="left", pad=4)
    figure.savefig(picture, dpi=70, facecolor=PAPER)
    plt.close(figure)


if __name__ == "__main__":
    where, minutes, file, *until = sys.argv[1:]
    draw(Asked(where, float(minutes), float(until[0]) if until else time.time()), Path(file))
