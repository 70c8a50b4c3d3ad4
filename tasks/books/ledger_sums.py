"""What entries come to: balances, spending by category, payee and month. Transfers are no spending.

A category that came to less than nothing is spending, one that came to more is income: so a refund makes the
groceries cheaper. What has no category is told apart by its sign.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from sqlalchemy import case, func, literal, select
from sqlalchemy.orm import Session

from models.base import Fixed, total
from models.ledger import Entry, Payee, Purse

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Cell:
    """What went (below zero) and what came on one day in one category and currency."""

    on: date
    category_id: str | None
    currency: str
    gone: Decimal
    come: Decimal


@dataclass(frozen=True, slots=True)
class Flow:
    """Spending and income of a time, both above zero."""

    spent: Decimal = ZERO
    earned: Decimal = ZERO

    @property
    def left(self) -> Decimal:
        return self.earned - self.spent


def cells(session: Session, since: date, until: date) -> list[Cell]:
    """The days of a time, both ends included; answered from one index."""
    nothing = literal(0, Fixed)
    gone, come = (case((side, Entry.amount), else_=nothing) for side in (Entry.amount < 0, Entry.amount > 0))
    keys = (Entry.on, Entry.category_id, Entry.currency)
    asked = select(*keys, total(gone), total(come)).group_by(*keys)
    asked = asked.where(Entry.transfer_id.is_(None), Entry.on >= since, Entry.on <= until)
    return [Cell(*row) for row in session.execute(asked)]


def by_category(found: Iterable[Cell], currency: str) -> dict[str | None, Flow]:
    """Each category's spending or income."""
    nets: dict[str | None, Decimal] = defaultdict(Decimal)
    gone, come = ZERO, ZERO
    for cell in found:
        if cell.currency == currency and cell.category_id is None:
            gone, come = gone - cell.gone, come + cell.come
        elif cell.currency == currency:
            nets[cell.category_id] += cell.gone + cell.come
    flows = {key: Flow(max(-net, ZERO), max(net, ZERO)) for key, net in nets.items() if net}
    return flows | ({None: Flow(gone, come)} if gone or come else {})


def flow(found: Iterable[Cell], currency: str) -> Flow:
    """All categories together."""
    flows = by_category(found, currency).values()
    return Flow(sum((each.spent for each in flows), ZERO), sum((each.earned for each in flows), ZERO))


def by_month(found: Iterable[Cell], currency: str, months: Collection[date]) -> dict[date, Flow]:
    """Each month's spending and income, by its first day."""
    parts: dict[date, list[Cell]] = {month: [] for month in months}
    for cell in found:
        if (month := cell.on.replace(day=1)) in parts:
            parts[month].append(cell)
    return {month: flow(part, currency) for month, part in parts.items()}


def by_payee(
    session: Session, since: date, until: date, currency: str, most: int
) -> list[tuple[Payee | None, Decimal]]:
    """Who got the most, and how much; what names nobody comes as None."""
    spent = total(Entry.amount)
    asked = select(Entry.payee_id, spent).group_by(Entry.payee_id).having(spent < literal(0, Fixed))
    asked = asked.where(Entry.on >= since, Entry.on <= until, Entry.currency == currency, Entry.transfer_id.is_(None))
    rows = session.execute(asked.order_by(spent).limit(most)).all()
    known = {
        one.id: one for one in session.scalars(select(Payee).where(Payee.id.in_([row[0] for row in rows if row[0]])))
    }
    return [(known.get(payee or ""), -amount) for payee, amount in rows]


def balances(session: Session, purses: Collection[Purse], until: date) -> dict[str, Decimal]:
    """What each purse holds at a day's end."""
    # The ids are named so that the index is read and the table is not.
    asked = select(Entry.purse_id, total(Entry.amount)).where(Entry.purse_id.in_([purse.id for purse in purses]))
    rows = session.execute(asked.where(Entry.on <= until).group_by(Entry.purse_id))
    moved: dict[str, Decimal | None] = dict(rows.all())
    return {purse.id: purse.opening + (moved.get(purse.id) or ZERO) for purse in purses}


def month_ends(session: Session, purses: Collection[Purse], months: Collection[date]) -> dict[date, Decimal]:
    """What these purses (of one currency) hold together at the end of each month."""
    first = min(months)
    held = sum(balances(session, purses, first - timedelta(days=1)).values(), ZERO)
    asked = select(Entry.on, total(Entry.amount)).where(Entry.purse_id.in_([purse.id for purse in purses]))
    moved: dict[date, Decimal] = defaultdict(Decimal)
    for on, amount in session.execute(asked.where(Entry.on >= first).group_by(Entry.on)):
        moved[on.replace(day=1)] += amount
    ends = {}
    for month in sorted(months):
        held += moved[month]
        ends[month] = held
    return ends


def currencies(session: Session) -> list[str]:
    """Those of the purses, the commonest first."""
    asked = select(Purse.currency, func.count()).group_by(Purse.currency).order_by(func.count().desc(), Purse.currency)
    return [code for code, _ in session.execute(asked)]


def months(last: date, count: int) -> list[date]:
    """The first days of so many months, the last one's included."""
    found = [last.replace(day=1)]
    while len(found) < count:
        found.insert(0, (found[0] - timedelta(days=1)).replace(day=1))
    return found


def shown(flows: dict[str | None, Flow], names: dict[str, str], none: str) -> Iterator[tuple[str | None, str, Decimal]]:
    """Categories by what was spent in them, the most first."""
    for key, each in sorted(flows.items(), key=lambda pair: -pair[1].spent):
        if each.spent:
            yield key, names.get(key or "", none), each.spent
