"""What expires soon, or has expired, and is still there: of each product the lots that first expired first out leaves.

Of most products whose lots expire, these were sold long ago. So two statements over indexes first pass over those of
which, since the last such lot came, at least as much was sold as came in them; only the others are walked through.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Date, and_, func, select, type_coerce
from sqlalchemy.orm import Session

from models.base import Fixed, total
from models.session import EVERYONE
from models.stock import Movement, Product
from tasks.alerting import alerts
from tasks.alerting.alerts import Count, Sight
from tasks.alerting.open_alerts import Key, some_of, standing
from tasks.inventory import stock_figures
from tasks.inventory.lots import Lot, Step, expiring, left
from tasks.inventory.stock_figures import Part, Place
from tasks.stock.words import clip, plain

AREA, RULE = "stock", "expiry"
WITHIN = 14  # days before its date that a lot is warned of
LOOK_BACK = 365  # what expired longer ago is not warned of: nobody will find it on the shelf
SOON, EXPIRED = 1, 2


@dataclass(frozen=True, slots=True)
class Ageing:
    """A product of which something expires: the lots that do, and of what day that is said."""

    workspace_id: str
    product_id: str
    name: str
    unit: str
    lots: list[Lot]
    day: date

    @property
    def first(self) -> date:
        return self.lots[0].expires_on or date.max


def ageing(session: Session, part: Part, places: dict[str, Place]) -> Iterator[Ageing]:
    """The products of a part of which something expires within `WITHIN` days, or has."""
    if not places:
        return
    days = [place.day for place in places.values()]
    kept = _may_be_left(session, part, min(days) - timedelta(LOOK_BACK), max(days) + timedelta(WITHIN))
    for some in some_of(sorted(kept)):
        lots = lots_of(session, some)
        named = select(Product.workspace_id, Product.id, Product.name, Product.unit).where(Product.id.in_(some))
        for row in session.execute(named):
            place = places.get(row.workspace_id)
            if place is None:
                continue
            late = [
                lot
                for lot in expiring(lots.get(row.id, ()), place.day, WITHIN)
                if lot.expires_on and lot.expires_on >= place.day - timedelta(LOOK_BACK)
            ]
            if late:
                yield Ageing(row.workspace_id, row.id, row.name, row.unit, late, place.day)


def lots_of(session: Session, product_ids: Iterable[str]) -> dict[str, list[Lot]]:
    """The lots of some products that are left, by product. What was reversed is as if it had never been written."""
    steps: dict[str, list[tuple[str, str | None, Step]]] = defaultdict(list)
    asked = select(
        Movement.product_id, Movement.id, Movement.reverses_id, Movement.on, Movement.quantity, Movement.expires_on
    ).where(Movement.kind != "transfer")
    for some in some_of(product_ids):
        for product, movement, reverses, on, quantity, expires_on in session.execute(
            asked.where(Movement.product_id.in_(some))
        ):
            steps[product].append((movement, reverses, Step(on, quantity, expires_on)))
    return {product: left(_standing(told)) for product, told in steps.items()}


def _standing(told: list[tuple[str, str | None, Step]]) -> Iterator[Step]:
    wrong = {reverses for _, reverses, _ in told if reverses}
    return (step for movement, reverses, step in told if not reverses and movement not in wrong)


def _may_be_left(session: Session, part: Part, since: date, until: date) -> set[str]:
    came = (
        select(
            Movement.product_id,
            total(Movement.quantity).label("amount"),
            func.max(Movement.on).label("last"),
        )
        .join(Product, Product.id == Movement.product_id)
        .where(
            Movement.expires_on >= since, Movement.expires_on <= until, Movement.quantity > 0,
            Movement.kind != "transfer", Product.on_hand > 0, *part.where(Movement.workspace_id, Movement.product_id),
        )
        .group_by(Movement.product_id)
        .subquery()
    )  # fmt: skip
    sold = Movement.__table__.alias("sold")
    since_then = and_(
        sold.c.product_id == came.c.product_id, sold.c.kind == "sale", sold.c.on_day >= type_coerce(came.c.last, Date)
    )
    went = select(came.c.product_id, func.max(came.c.amount), total(type_coerce(sold.c.quantity, Fixed)))
    asked: Any = went.select_from(came).outerjoin(sold, since_then).group_by(came.c.product_id)
    return {product for product, amount, gone in session.execute(asked) if amount + (gone or 0) > 0}


def look(session: Session, part: Part, now: int) -> tuple[list[Ageing], list[Key]]:
    """What expires in a part of the products, and the subjects whose alerts would change by it."""
    places = stock_figures.places(session, part, now)
    whose = places if session.info["workspace"] == EVERYONE else None
    opened = standing(session, RULE, whose, (part.from_id, part.to_id))
    found = list(ageing(session, part, places))
    return found, alerts.differing(session, RULE, _sights(session, found, opened), opened=opened)


def settle(session: Session, keys: list[Key], now: int) -> Count:
    """Look again at the few whose alerts would change, now that nobody else judges them, and write it."""
    alerts.lock(session, {place for place, _ in keys})
    count = Count()
    for some in some_of(sorted({subject for _, subject in keys})):
        part = Part(ids=tuple(some))
        found = list(ageing(session, part, stock_figures.places(session, part, now)))
        mine = [key for key in keys if key[1] in part.ids]
        sights = list(_sights(session, found, mine))
        gone = set(mine) - {each.key for each in sights}
        count += alerts.settle(session, AREA, RULE, sights, gone)
    return count


def _sights(session: Session, found: list[Ageing], keys: Iterable[Key]) -> Iterator[Sight]:
    """Of what expires; and of the others among some, that nothing does."""
    late = {(each.workspace_id, each.product_id) for each in found}
    yield from map(sight, found)
    yield from over(session, [key for key in keys if key not in late])


def sight(seen: Ageing) -> Sight:
    """As the engine of alerts takes it: the first date is what it is judged by."""
    late = seen.lots[0].expired(seen.day)
    return Sight(
        workspace=seen.workspace_id, subject=seen.product_id, level=EXPIRED if late else SOON, title=_title(seen),
        text=_text(seen), cause=seen.first.isoformat(), link=f"/stock/products/{seen.product_id}",
        data={"lots": [[str(lot.expires_on), str(lot.quantity)] for lot in seen.lots[:10]]},
    )  # fmt: skip


def over(session: Session, keys: Iterable[Key]) -> Iterator[Sight]:
    """Sights of products of which nothing expires any more, for those whose alerts are open."""
    for some in some_of([subject for _, subject in keys]):
        asked = select(Product.workspace_id, Product.id, Product.name).where(Product.id.in_(some))
        for row in session.execute(asked):
            end = f"{clip(row.name, 80)}: nothing that is left expires soon"
            yield Sight(row.workspace_id, row.id, clear=True, end=end)


def _title(seen: Ageing) -> str:
    gone = [lot for lot in seen.lots if lot.expired(seen.day)]
    some = gone or [lot for lot in seen.lots if lot.expires_on == seen.first]
    amount = plain(sum((lot.quantity for lot in some), Decimal(0)))
    name = clip(seen.name, 80)
    if gone:
        return f"{name}: {amount} expired, since {say(seen.first, seen.day)}"
    return f"{name}: {amount} {'expires' if amount == '1' else 'expire'} on {say(seen.first, seen.day)}"


def _text(seen: Ageing) -> str:
    listed = ", ".join(f"{plain(lot.quantity)} on {say(lot.expires_on or date.max, seen.day)}" for lot in seen.lots[:5])
    more = f" and {len(seen.lots) - 5} lots more" if len(seen.lots) > 5 else ""
    todo = "Take out what is expired and record it as a loss" if seen.lots[0].expired(seen.day) else "Sell it first"
    return f"By first expired, first out: {listed}{more}. {todo}; if it is gone already, record that."


def say(day: date, today: date) -> str:
    return f"{day.day} {day:%B}" + (f" {day.year}" if day.year != today.year else "")
