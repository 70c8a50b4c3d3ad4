"""What the scans look at: 1,000 people's budgets and expenses over 13 months, and shops' products and movements.

Rows come day by day, those of all workspaces mixed, as they would have been written: so the rows of one workspace lie
apart in the table. Everything is drawn from one seed; days are reckoned from the day it is made.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Engine

from models.account import Account
from models.ledger import Budget, Category, Entry, Payee, Purse, Recurring
from models.workspace import SYSTEM, Membership, Workspace
from tests.bench.scans_load import NOW, bulk, load

ONE = 10_000  # of a column `Fixed`
ENTRY_DAYS, MOVEMENT_DAYS = 395, 730
ZONES = ["Europe/London", "Europe/Berlin", "Europe/Paris", "America/New_York", "America/Chicago", "Asia/Tokyo", "UTC"]
# What money goes for: its share of the entries, and a usual amount.
SPENT = {
    "Groceries": (0.28, 32), "Eating out": (0.16, 18), "Transport": (0.12, 12), "Household": (0.08, 24),
    "Leisure": (0.08, 28), "Clothing": (0.05, 45), "Health": (0.05, 22), "Children": (0.05, 26), "Gifts": (0.03, 35),
    "Rent": (0.02, 850), "Electricity": (0.02, 70), "Other": (0.06, 15),
}  # fmt: skip
PERIODS = ("month",) * 5 + ("week", "week", "year", "payday")  # of the nine budgets of a category; the tenth is of all
DAYS = {"week": 7, "month": 30.4, "year": 365, "payday": 30.4}


@dataclass(frozen=True)
class Size:
    """How much there is."""

    people: int
    entries: int
    products: int
    movements: int
    letters: int

    def part(self, share: float) -> "Size":
        return Size(*(int(each * share) for each in vars(self).values()))


FULL = Size(people=1_000, entries=1_000_000, products=100_000, movements=2_000_000, letters=10_000)


def ids(mark: str, count: int) -> list[str]:
    """As long as real ones, and in order."""
    return [f"{mark}{number:0{28 - len(mark)}x}" for number in range(count)]


def days(chance: np.random.Generator, count: int, span: int, today: date) -> tuple[NDArray[np.int64], list[str]]:
    """Days before today, oldest first, as offsets and as they are written."""
    ago = np.sort(chance.integers(0, span, count))[::-1]
    names = [(today - timedelta(days=each)).isoformat() for each in range(span)]
    return ago, [names[each] for each in ago.tolist()]


def pick(names: list[str], which: NDArray[np.int64]) -> list[str]:
    return [names[each] for each in which.tolist()]


def people(engine: Engine, count: int, mark: str = "a") -> tuple[list[str], list[str]]:
    """Accounts with a workspace of their own each → (accounts, workspaces)."""
    accounts, places = ids(mark, count), ids("b" + mark, count)
    zones = [ZONES[number % len(ZONES)] for number in range(count)]
    mails = [f"{mark}{number}@example.org" for number in range(count)]
    load(engine, Account, count, id=accounts, email=mails, name="Somebody", time_zone=zones, confirmed_at=NOW)
    load(engine, Workspace, count, id=places, name="Home", time_zone=zones, currency="EUR")
    load(engine, Membership, count, workspace_id=places, account_id=accounts, role="owner")
    return accounts, places


def system(engine: Engine) -> None:
    load(engine, Workspace, 1, id=[SYSTEM], name="System")


def expenses(engine: Engine, size: Size, today: date, seed: int = 1) -> None:
    """People with ten budgets each, and what they spent."""
    chance, names = np.random.default_rng(seed), list(SPENT)
    _, places = people(engine, size.people)
    kinds = len(names)
    of_category = [place for place in places for _ in names]
    categories, purses, payees = ids("c", len(of_category)), ids("d", 2 * size.people), ids("e", 10 * size.people)
    load(engine, Category, len(of_category), id=categories, workspace_id=of_category, name=names * size.people)
    load(
        engine, Purse, len(purses), id=purses, workspace_id=[place for place in places for _ in range(2)],
        name=["Bank", "Card"] * size.people, currency="EUR", opening=0,
    )  # fmt: skip
    load(
        engine, Payee, len(payees), id=payees, workspace_id=[place for place in places for _ in range(10)],
        name=[f"Shop {number}" for number in range(10)] * size.people,
    )  # fmt: skip
    _budgets(engine, size, chance, places, categories, today)
    with bulk(engine, Entry):
        _entries(engine, size, chance, (places, categories, purses, payees), kinds, today)


def _budgets(
    engine: Engine, size: Size, chance: np.random.Generator, places: list[str], categories: list[str], today: date
) -> None:
    """Nine of a category in all kinds of periods, one of everything; most hold, some are used up."""
    shares, amounts = zip(*SPENT.values(), strict=True)
    a_day = size.entries / size.people / ENTRY_DAYS * np.array(shares) * np.array(amounts) * 1.13  # mean of lognormal
    rows: dict[str, list[Any]] = {name: [] for name in ("workspace_id", "category_id", "limit", "period", "starts")}
    for number, place in enumerate(places):
        for which in range(10):
            period = "month" if which == 9 else PERIODS[(which + number) % 9]
            usual = (a_day.sum() if which == 9 else a_day[which]) * DAYS[period]
            rows["workspace_id"].append(place)
            rows["category_id"].append(None if which == 9 else categories[number * len(SPENT) + which])
            rows["limit"].append(int(usual * chance.uniform(0.9, 2.2)) * ONE)
            rows["period"].append(period)
            most = {"week": 7, "month": 28, "year": 12, "payday": 28}[period]
            rows["starts"].append(int(chance.integers(1, most + 1)) if chance.random() < 0.5 else 1)
    count = len(places) * 10
    rolls = [bool(each) for each in chance.random(count) < 0.1]
    since = (today - timedelta(days=ENTRY_DAYS)).isoformat()
    load(
        engine, Budget, count, id=ids("f", count), name="A budget", currency="EUR", since=since, rollover=rolls, **rows
    )


def _entries(
    engine: Engine,
    size: Size,
    chance: np.random.Generator,
    owned: tuple[list[str], list[str], list[str], list[str]],
    kinds: int,
    today: date,
) -> None:
    places, categories, purses, payees = owned
    count = size.entries
    ago, on = days(chance, count, ENTRY_DAYS, today)
    names = list(SPENT)
    who = chance.integers(0, size.people, count)
    shares, amounts = (np.array(each, dtype=float) for each in zip(*SPENT.values(), strict=True))
    what = chance.choice(kinds, count, p=shares / shares.sum())
    cents = np.maximum(1, (amounts[what] * chance.lognormal(0, 0.5, count) * 100).astype(np.int64))
    signs = np.where(chance.random(count) < 0.02, 1, -1)  # what was given back
    income, transfer = chance.random(count) < 0.02, chance.random(count) < 0.02
    cents = np.where(income, 200_000, cents * signs)
    rent = (what == names.index("Rent")) & ~income & ~transfer
    once = np.unique(np.where(rent, who * ENTRY_DAYS + ago, -1), return_index=True)[1]  # one of a day
    regular = np.isin(np.arange(count), once) & rent
    recurring = _recurring(engine, size, owned, kinds, today)
    category = pick(categories, who * kinds + what)
    load(
        engine, Entry, count, id=ids("0", count), workspace_id=pick(places, who), on=on,
        purse_id=pick(purses, 2 * who + chance.integers(0, 2, count)),
        category_id=[None if none else one for one, none in zip(category, (income | transfer).tolist(), strict=True)],
        payee_id=pick(payees, 10 * who + chance.integers(0, 10, count)),
        recurring_id=[
            recurring[each] if comes else None for each, comes in zip(who.tolist(), regular.tolist(), strict=True)
        ],
        amount=(cents * (ONE // 100)).tolist(), currency="EUR", note="Card payment",
        transfer_id=[f"t{number}" if moved else None for number, moved in enumerate(transfer.tolist())],
    )  # fmt: skip


def _recurring(
    engine: Engine, size: Size, owned: tuple[list[str], list[str], list[str], list[str]], kinds: int, today: date
) -> list[str]:
    """Everybody's rent comes by itself, and is due again."""
    places, categories, purses, _ = owned
    found, rent = ids("r", size.people), list(SPENT).index("Rent")
    load(
        engine, Recurring, size.people, id=found, workspace_id=places, name="Rent", every="month",
        purse_id=purses[::2], category_id=categories[rent::kinds], amount=-850 * ONE,
        first_on=(today - timedelta(days=ENTRY_DAYS)).isoformat(), next_on=(today + timedelta(days=9)).isoformat(),
    )  # fmt: skip
    return found
