"""The table of `make bench-scans`: each figure with what is asked of it, met or missed."""

import statistics
from collections.abc import Mapping
from typing import Any

from tests.bench.figures import table

Figures = Mapping[str, Any]
TITLES = {"budget": "budgets", "stock": "products"}
RATIO, SPREAD, MAILS = 1.5, 1.6, 0.5


def tell(figures: Figures) -> None:
    """Print it all."""
    for name in ("sqlite", "postgresql"):
        if name in figures:
            _database(name, figures[name], figures["size"])
    print(f"\nTook {figures['seconds']:.0f} s.")


def _database(name: str, found: Figures, size: Figures) -> None:
    if "scans" in found:
        table(
            f"{name}: {size['entries']:,} expenses in {10 * size['people']:,} budgets of {size['people']:,} people;"
            f" {size['products']:,} products with {size['movements']:,} movements",
            [row for kind in TITLES for row in _scan(kind, found)],
        )
    if "workers" in found:
        table(f"{name}: batches over worker processes", [row for kind in TITLES for row in _workers(kind, found)])
    if "mail" in found:
        table(f"{name}: digests", [row for what in ("plain", "pictures") for row in _mail(what, found["mail"][what])])


def _scan(kind: str, found: Figures) -> list[tuple[str, str, str]]:
    times, title = found["scans"][kind], TITLES[kind]
    plain, whole, again = (statistics.median(times[name]) for name in ("plain", "whole", "again"))
    first = times["first"]["seconds"]
    opened = ", ".join(f"{count} {state}" for state, count in sorted(times["opened"].items())) or "nothing"
    return [
        (f"{title}: the query by hand, plain sums", f"{plain:.2f} s", ""),
        ("  the query by hand, all that the scan judges by", f"{whole:.2f} s", ""),
        (
            "  the job, nothing changes",
            f"{again:.2f} s",
            f"{_asked(again / whole, RATIO, 'at most')} ({again / plain:.2f} of plain)",
        ),
        ("  the job, everything opens", f"{first:.2f} s", f"{first / whole:.2f} times; {opened}"),
        *(_memory(what, kind, found) for what in ("again", "first")),
    ]


def _memory(what: str, kind: str, found: Figures) -> tuple[str, str, str]:
    """The peaks at a tenth of the size and at all of it."""
    tenth, whole = (found[size][kind][what] for size in ("tenth", "whole"))
    words = "nothing changes" if what == "again" else "everything opens"
    figure = f"{tenth['mb']:.0f}, {whole['mb']:.0f} MB"
    return (f"  peak memory at 10 % and 100 %, {words}", figure, f"{whole['before_mb']:.0f} MB before it")


def _workers(kind: str, found: Figures) -> list[tuple[str, str, str]]:
    rows = []
    for what, words in (("again", "nothing changes"), ("first", "everything opens")):
        one, two = (_seconds(found["workers"][kind][count], what) for count in ("1", "2"))
        rows.append(
            (
                f"{TITLES[kind]}, {words}: one process, two",
                f"{one:.2f}, {two:.2f} s",
                _asked(one / two, SPREAD, "at least"),
            )
        )
        busy = found["workers"][kind]["1"]
        rows.append(
            (
                "  CPU with one process: worker, database server",
                f"{busy[f'{what}_worker_cpu']:.1f}, {busy.get(f'{what}_database_cpu', 0):.1f} s",
                "",
            )
        )
    return rows


def _seconds(found: Figures, what: str) -> float:
    names = (what, f"{what}_2", f"{what}_3")
    return statistics.median([float(value) for name, value in found.items() if name in names])


def _mail(what: str, found: Figures) -> list[tuple[str, str, str]]:
    count, bare = found["mails"], found["mails"] / statistics.median(found["bare_s"])
    handed, both = count / found["hand_over_s"], count / (found["compose_s"] + found["hand_over_s"])
    words = "without pictures" if what == "plain" else "with pictures"
    ratios = [each / bare for each in (handed, both)]
    told = [_asked(each, MAILS, "at least") if what == "plain" else f"{each:.2f} times" for each in ratios]
    rows = [
        (f"{count:,} {words} ({found['bytes'] / 1000:.0f} kB): bare smtplib loop", f"{bare:.0f}/s", ""),
        ("  composed", f"{count / found['compose_s']:.0f}/s", ""),
        ("  handed over by the mail job", f"{handed:.0f}/s", told[0]),
        ("  composed and handed over, one process after the other", f"{both:.0f}/s", told[1]),
    ]
    if seconds := found.get("by_workers_s"):
        rate = count / seconds
        rows.append(
            (
                "  by two processes that compose and two that hand over",
                f"{rate:.0f}/s",
                _asked(rate / bare, MAILS, "at least"),
            )
        )
    return rows


def _asked(ratio: float, limit: float, how: str) -> str:
    met = ratio <= limit if how == "at most" else ratio >= limit
    return f"{ratio:.2f} times, {how} {limit:g}: {'met' if met else 'MISSED'}"
