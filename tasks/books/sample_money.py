"""A small sample data set: three months of an invented household, the same for everybody, up to today."""

from datetime import date, timedelta
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base import new_id
from models.ledger import Category, Entry, Payee, Purse, Recurring
from tasks import money
from tasks.books import labels, ledger, ledger_sums, recurrence, transfers
from tasks.handover import Refused

THERE = "There are accounts here already; the sample is for an empty workspace."
# Day of the month (or every so many days), payee, category, amount, note.
MONTHLY = (
    (1, "Rent Office", "Home", "-720", "Rent"),
    (3, "City Power", "Home", "-64.20", "Electricity"),
    (5, "Tram Company", "Transport", "-49", "Monthly ticket"),
    (12, "Phone Shop", "Home", "-19.99", "Telephone"),
    (25, "Employer", "Income", "2150", "Salary"),
)
OFTEN = (
    (3, "Corner Grocery", "Groceries", ("-23.40", "-41.15", "-12.80", "-36.05")),
    (4, "Bakery", "Groceries", ("-4.60", "-7.20", "-3.90")),
    (6, "Noodle House", "Eating out", ("-18.50", "-26.00")),
    (11, "Cinema", "Leisure", ("-12", "-24")),
    (17, "Pharmacy", "Health", ("-8.45", "-15.30")),
)
BACK = timedelta(days=95)


def write(session: Session, today: date, currency: str, account_id: str | None) -> int:
    """How many entries were made.

    Raises:
        Refused: there is something already.
    """
    if session.scalar(select(Purse.id).limit(1)) is not None:
        raise Refused({"": THERE})
    bank, savings = (
        Purse(id=new_id(), name=f"Sample {name}", kind=kind, currency=currency, opening=Decimal(opening))
        for name, kind, opening in (("bank account", "bank", 1850), ("savings", "savings", 4000))
    )
    session.add_all([bank, savings])
    session.flush()
    rows = [*_monthly(session, bank, today), *_often(session, bank, today)]
    for row in rows:
        row.created_by = account_id
    session.add_all(rows)
    for month in ledger_sums.months(today, 3):
        if month.replace(day=26) <= today:
            moved = transfers.Transfer(bank.id, savings.id, month.replace(day=26), Decimal(250), note="Put aside")
            transfers.transfer(session, moved, account_id)
    bare = _entry(session, bank, today - timedelta(days=1), "Market Hall", "", "-31.70", "What was this for?")
    session.add(bare)
    session.flush()
    return len(rows) + 1


def _monthly(session: Session, bank: Purse, today: date) -> list[Entry]:
    rows = []
    for day, payee, category, amount, note in MONTHLY:
        first = ledger_sums.months(today, 4)[0].replace(day=day)
        coming = next(each for each in recurrence.days(first, "month", 1) if each > today)
        one = Recurring(
            id=new_id(), name=note, purse_id=bank.id, amount=_round(amount, bank.currency), every="month", steps=1,
            first_on=first, next_on=coming, payee_id=_payee(session, payee).id,
            category_id=_category(session, category).id,
        )  # fmt: skip
        session.add(one)
        session.flush()
        for each in recurrence.days(first, "month", 1, today):
            row = _entry(session, bank, each, payee, category, amount, note)
            row.recurring_id = one.id
            rows.append(row)
    return rows


def _often(session: Session, bank: Purse, today: date) -> list[Entry]:
    rows = []
    for gap, payee, category, amounts in OFTEN:
        for number in range(BACK.days // gap):
            day = today - timedelta(days=number * gap)
            rows.append(_entry(session, bank, day, payee, category, amounts[number % len(amounts)], ""))
    return rows


def _entry(session: Session, purse: Purse, on: date, payee: str, category: str, amount: str, note: str) -> Entry:
    return Entry(
        id=new_id(), purse_id=purse.id, on=on, amount=_round(amount, purse.currency), currency=purse.currency,
        note=note, payee_id=_payee(session, payee).id,
        category_id=_category(session, category).id if category else None,
    )  # fmt: skip


def _round(amount: str, currency: str) -> Decimal:
    return round(Decimal(amount), money.digits(currency)) + 0


def _payee(session: Session, name: str) -> Payee:
    found = ledger.payee_named(session, name)
    assert found
    return found


def _category(session: Session, name: str) -> Category:
    found = labels.named(session, Category, name)
    if found is None:
        found = Category(id=new_id(), name=name)
        session.add(found)
        session.flush()
    return found
