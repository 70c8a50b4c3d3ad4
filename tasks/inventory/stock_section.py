"""What the stock adds to a digest, and the products that last the shortest: for its chart, and the one on the web."""

import heapq
from decimal import Decimal
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from models.base import clock
from tasks.inventory import stock_figures, stock_lines
from tasks.money import show
from tasks.sections import Figure, Reader, Section
from tasks.stock import words
from tasks.stock.words import Line

if TYPE_CHECKING:
    from tasks.inventory.stock_lines import Look

SHOWN = 12  # bars of the chart
NAMED = 8  # products that are named in a mail; the reorder list has all


def shortest(session: Session, now: int, most: int = SHOWN) -> list[Line]:
    """The products of the session's workspace that sell and last the shortest, with what is on order."""
    best: list[tuple[float, Line]] = []
    for part in stock_figures.parts(session):
        best += [
            (line.cover_projected or 0.0, line) for line in _few(session, stock_lines.look(session, part, now), most)
        ]
    return [line for _, line in heapq.nsmallest(most, best, key=lambda one: (one[0], one[1].name))]


def _few(session: Session, seen: "Look", most: int) -> list[Line]:
    """Of one part: more of it cannot be among the shortest of all."""
    import numpy as np

    figures = seen.figures
    sells = np.flatnonzero((seen.demand.daily > 0) & ~figures.discontinued)
    lasts = np.maximum((figures.on_hand + figures.on_order)[sells], 0) / seen.demand.daily[sells]
    return list(stock_lines.lines(session, seen, sells[np.argsort(lasts, kind="stable")[:most]].tolist()))


def section(session: Session, workspace_id: str, reader: Reader) -> Section | None:
    """What is to be ordered, and what it costs if they want to read that; None when nothing is short."""
    now = clock(session)
    short = list(stock_lines.short(session, now))
    if not short:
        return None
    short.sort(key=lambda line: (-line.level, line.cover_projected is None, line.cover_projected or 0.0, line.name))
    said = [words.title(line) for line in short[:NAMED]]
    if len(short) > NAMED:
        said.append(f"{len(short) - NAMED} more are to be ordered; the reorder list has all of them.")
    if reader.amounts:
        said += _costs(short)
    return Section("Stock: to be ordered", "/stock/reorder", said, _figures(session, now) if reader.pictures else [])


def _costs(short: list[Line]) -> list[str]:
    """What the orders cost, by currency; never different ones in one sum."""
    sums: dict[str, Decimal] = {}
    for line in short:
        if line.total is not None:
            sums[line.currency] = sums.get(line.currency, Decimal(0)) + line.total
    if not sums:
        return []
    unknown = sum(line.total is None for line in short)
    without = f", without {unknown} whose cost is not known" if unknown else ""
    told = " and ".join(show(amount, each) for each, amount in sorted(sums.items()))
    return [f"To order all of it costs {told}{without}."]


def _figures(session: Session, now: int) -> list[Figure]:
    lines = shortest(session, now)
    if not lines:
        return []
    from tasks.stock import drawing  # matplotlib, which a scan does not need

    return [Figure("cover", drawing.words(lines), drawing.cover(lines))]
