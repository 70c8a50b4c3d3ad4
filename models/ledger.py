"""The expense tracker's tables: where money lies, what came and went, what it is for, and how much of it may go."""

from datetime import date
from decimal import Decimal

from sqlalchemy import BigInteger, Boolean, Date, ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import ID, Base, Fixed, Owned, db_now, new_id

PERIODS = ("week", "month", "year", "payday")
EVERY = ("week", "month", "year")


class Purse(Owned, Base):
    """Where money lies: a bank account, a card, cash. All its entries are in its currency.

    People read “account”; the word is taken by those of people. `opening` is what it held before its first entry.
    """

    __tablename__ = "purse"
    __table_args__ = (UniqueConstraint("workspace_id", "name"),)

    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(80))
    kind: Mapped[str] = mapped_column(String(12), default="bank")  # bank, card, cash, savings
    currency: Mapped[str] = mapped_column(String(3))
    opening: Mapped[Decimal] = mapped_column(Fixed, default=0)
    number: Mapped[str] = mapped_column(String(40), default="")  # IBAN or the like, to match a bank's file
    closed_at: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[int] = mapped_column(BigInteger, default=db_now())


class Category(Owned, Base):
    """What money is for."""

    __tablename__ = "category"
    __table_args__ = (UniqueConstraint("workspace_id", "name"),)

    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(80))
    hidden_at: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[int] = mapped_column(BigInteger, default=db_now())


class Payee(Owned, Base):
    """Who was paid, or paid. `category_id` is proposed for the next entry."""

    __tablename__ = "payee"
    __table_args__ = (UniqueConstraint("workspace_id", "name"),)

    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(120))
    category_id: Mapped[str | None] = mapped_column(ID, ForeignKey("category.id", ondelete="SET NULL"))
    created_at: Mapped[int] = mapped_column(BigInteger, default=db_now())


class Entry(Owned, Base):
    """An expense (below zero), an income (above), or one side of a transfer between two purses.

    Entries that share `split_id` are the parts of one payment; a part has the category, the sum of all is what the
    bank saw. Those that share `transfer_id` are no spending. `on` is a day of the calendar, as banks write it.
    """

    __tablename__ = "entry"
    __table_args__ = (
        # What comes after the id, or the day, is for sums: they read the index alone.
        Index(
            "ix_entry_list",
            *("workspace_id", "on_day", "id", "currency", "transfer_id", "category_id", "recurring_id", "amount"),
        ),
        Index(
            "ix_entry_spent",
            *("category_id", "on_day", "currency", "transfer_id", "recurring_id", "amount", "workspace_id"),
        ),
        Index("ix_entry_purse", "purse_id", "workspace_id", "on_day", "amount"),  # balances, read from it alone
        Index("ix_entry_payee", "payee_id", "workspace_id", "on_day", "id"),
        Index("ix_entry_fingerprint", "workspace_id", "fingerprint"),  # whatever is asked, the workspace goes along
        UniqueConstraint("recurring_id", "on_day"),
    )

    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_id)
    workspace_id: Mapped[str] = mapped_column(ID, ForeignKey("workspace.id", ondelete="CASCADE"))  # indexed above
    purse_id: Mapped[str] = mapped_column(ID, ForeignKey("purse.id", ondelete="CASCADE"))
    category_id: Mapped[str | None] = mapped_column(ID, ForeignKey("category.id", ondelete="SET NULL"))
    payee_id: Mapped[str | None] = mapped_column(ID, ForeignKey("payee.id", ondelete="SET NULL"))
    on: Mapped[date] = mapped_column("on_day", Date)
    amount: Mapped[Decimal] = mapped_column(Fixed)
    currency: Mapped[str] = mapped_column(String(3))
    note: Mapped[str] = mapped_column(String(500), default="")
    split_id: Mapped[str | None] = mapped_column(ID, index=True)
    transfer_id: Mapped[str | None] = mapped_column(ID, index=True)
    recurring_id: Mapped[str | None] = mapped_column(ID, ForeignKey("recurring.id", ondelete="SET NULL"))
    intake_id: Mapped[str | None] = mapped_column(ID, ForeignKey("intake.id", ondelete="SET NULL"), index=True)
    fingerprint: Mapped[str | None] = mapped_column(String(64))  # of the bank's own line, to know it again
    created_by: Mapped[str | None] = mapped_column(ID, ForeignKey("account.id", ondelete="SET NULL"))
    created_at: Mapped[int] = mapped_column(BigInteger, default=db_now())
    purse: Mapped[Purse] = relationship()
    category: Mapped[Category | None] = relationship()
    payee: Mapped[Payee | None] = relationship()


class Recurring(Owned, Base):
    """What comes again by itself: rent, salary. `next_on` is the next day it is entered; a short month clamps."""

    __tablename__ = "recurring"

    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(80))
    purse_id: Mapped[str] = mapped_column(ID, ForeignKey("purse.id", ondelete="CASCADE"), index=True)
    category_id: Mapped[str | None] = mapped_column(ID, ForeignKey("category.id", ondelete="SET NULL"))
    payee_id: Mapped[str | None] = mapped_column(ID, ForeignKey("payee.id", ondelete="SET NULL"))
    amount: Mapped[Decimal] = mapped_column(Fixed)
    note: Mapped[str] = mapped_column(String(500), default="")
    every: Mapped[str] = mapped_column(String(8))  # one of EVERY
    steps: Mapped[int] = mapped_column(Integer, default=1)  # every so many of them
    first_on: Mapped[date] = mapped_column(Date)  # whose day of the month the others keep
    next_on: Mapped[date | None] = mapped_column(Date, index=True)
    last_on: Mapped[date | None] = mapped_column(Date)  # no later than this
    paused: Mapped[bool] = mapped_column(Boolean, default=False)
    created_by: Mapped[str | None] = mapped_column(ID, ForeignKey("account.id", ondelete="SET NULL"))
    created_at: Mapped[int] = mapped_column(BigInteger, default=db_now())


class Budget(Owned, Base):
    """How much may go in a period: of one category, or (without one) of all together, in one currency.

    `revision` grows when limit, period or category change: then what was said of it is said anew.
    """

    __tablename__ = "budget"

    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(80))
    category_id: Mapped[str | None] = mapped_column(ID, ForeignKey("category.id", ondelete="CASCADE"), index=True)
    limit: Mapped[Decimal] = mapped_column("limit_amount", Fixed)
    currency: Mapped[str] = mapped_column(String(3))
    period: Mapped[str] = mapped_column(String(8), default="month")  # one of PERIODS
    starts: Mapped[int] = mapped_column(Integer, default=1)  # week: 1 Monday to 7; month and payday: day, year: month
    rollover: Mapped[bool] = mapped_column(Boolean, default=False)  # what was left, or overspent, goes to the next
    since: Mapped[date] = mapped_column(Date)  # the first day it counts
    rolls_from: Mapped[date | None] = mapped_column(Date)  # since when its roll-over has this limit; None: `since`
    brought: Mapped[Decimal] = mapped_column(Fixed, default=0, server_default="0")  # what had rolled over by then
    revision: Mapped[int] = mapped_column(Integer, default=1)
    archived_at: Mapped[int | None] = mapped_column(BigInteger)
    created_by: Mapped[str | None] = mapped_column(ID, ForeignKey("account.id", ondelete="SET NULL"))
    created_at: Mapped[int] = mapped_column(BigInteger, default=db_now())
    category: Mapped[Category | None] = relationship()
