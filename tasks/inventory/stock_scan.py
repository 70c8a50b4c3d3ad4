"""One look of the scan at a part of the products: what of it changes an alert, and the writing of that change."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from models.engine import of_data
from models.session import EVERYONE
from tasks.alerting import alerts
from tasks.alerting.alerts import Count, Sight
from tasks.alerting.open_alerts import Key, Open, some_of, standing
from tasks.inventory import stock_figures, stock_lines
from tasks.inventory.stock_figures import Part
from tasks.inventory.stock_lines import Look
from tasks.stock import words
from tasks.stock.words import Line

log = structlog.get_logger()
Opens = Callable[[], AbstractContextManager[Session]]
AREA, RULE = "stock", "stock"


@dataclass
class Seen:
    """The subjects whose alerts would change; and how many products are short, or gone but on their way."""

    products: int = 0
    firing: int = 0
    pending: int = 0
    left_out: int = 0  # workspaces that could not be reckoned
    keys: list[Key] = field(default_factory=list)


def look(session: Session, part: Part, now: int, seen: Seen) -> tuple[Look, list[Line]]:
    """Judge a part of the products; adds to `seen`. Returns the figures and all that is said of what is short."""
    found = stock_lines.look(session, part, now)
    places = _places(session, found.figures.places)
    subjects = (part.from_id, part.to_id)
    opened = standing(session, RULE, places, subjects)
    at = {product: number for number, product in enumerate(found.figures.ids)} if opened else {}
    wanted = {*found.found(), *(at[subject] for _, subject in opened if subject in at)}
    lines = list(stock_lines.lines(session, found, sorted(wanted)))
    seen.keys += alerts.differing(session, RULE, sights(lines, opened), opened=opened)
    seen.products += len(found.figures)
    seen.firing += int(found.standing.fires.sum())
    seen.pending += len(found.found()) - int(found.standing.fires.sum())
    return found, lines


def look_all(read: Opens, part: Part, now: int, seen: Seen) -> None:
    """A part of everybody's products; where one workspace cannot be reckoned, the others are without it."""
    try:
        with read() as session:
            look(session, part, now, seen)
    except DBAPIError as error:
        if not of_data(error):
            raise
        log.warning("stock.not_reckoned", part=part.bounds, exc_info=True)
    else:
        return
    smaller = _halves(read, part, now)
    for each in smaller:
        look_all(read, each, now, seen)
    seen.left_out += 0 if smaller else 1


def _halves(read: Opens, part: Part, now: int) -> list[Part]:
    """Two parts of it, or its only workspace; none where that was all it had."""
    if part.only:
        return []
    with read() as session:
        there = sorted(stock_figures.places(session, part, now))
    if len(there) < 2:
        return [Part(only=place) for place in there]
    middle = there[len(there) // 2 - 1]
    return [Part(part.after, middle), Part(middle, part.until)]


def _places(session: Session, places: Collection[str]) -> Collection[str] | None:
    """Whose alerts are meant: those of these workspaces, or the session's own."""
    return places if session.info["workspace"] == EVERYONE else None


def settle(session: Session, seen: Seen, now: int) -> Count:
    """Look again at the few whose alerts would change, now that nobody else judges them, and write it."""
    alerts.lock(session, {place for place, _ in seen.keys})
    count = Count()
    for some in _portions(seen.keys):
        count += _settle_some(session, some, now)
    return count


def _settle_some(session: Session, keys: list[Key], now: int) -> Count:
    found = stock_lines.look(session, Part(ids=tuple(subject for _, subject in keys)), now)
    opened = standing(session, RULE, {place for place, _ in keys})
    lines = list(stock_lines.lines(session, found, range(len(found.figures))))
    there = {(line.workspace_id, line.product_id) for line in lines}
    return alerts.settle(session, AREA, RULE, sights(lines, opened), [key for key in keys if key not in there])


def sights(lines: Iterable[Line], opened: Mapping[Key, Open]) -> Iterator[Sight]:
    """Lines as the engine of alerts takes them."""
    for line in lines:
        yield sight(line, opened.get((line.workspace_id, line.product_id)))


def sight(line: Line, opened: Open | None) -> Sight:
    """One line. A product a little above its limit keeps its alert, and with it words that are true."""
    cause = str(line.revision)
    title, text, level = words.title(line), words.text(line), line.level
    if not level and not line.clear and opened is not None and opened.cause == cause:
        title, text, level = words.holding(line), words.HELD, opened.level
    data = {"on_hand": str(line.on_hand), "on_order": str(line.on_order), "order": str(line.order)}
    return Sight(
        workspace=line.workspace_id, subject=line.product_id, level=level, fires=line.fires, clear=line.clear,
        cause=cause, title=title if level else "", text=text if level else "", end=words.end(line),
        link=f"/stock/products/{line.product_id}", data=data if level else {},
    )  # fmt: skip


def _portions(keys: Iterable[Key]) -> Iterator[list[Key]]:
    """Some at once; by subject, so that none is in two."""
    place = {subject: workspace for workspace, subject in keys}
    for some in some_of(sorted(place)):
        yield [(place[subject], subject) for subject in some]
