"""What an import of expenses writes, and how it is taken back. All of it in the caller's one transaction."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, cast

from sqlalchemy import Table, delete, exists, func, insert, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from models.base import new_id
from models.intake import NEW, Intake, IntakeLine
from models.ledger import Budget, Category, Entry, Payee, Purse, Recurring
from models.session import touch
from tasks.imports.fingerprints import LENGTH, fingerprint, key_of_entry, stem
from tasks.imports.matching import AT_ONCE, held, purse_of

UNSEEN: dict[str, Any] = {"synchronize_session": False}
entries = cast(Table, Entry.__table__)
What = dict[str, Any]


@dataclass
class Writer:
    """Writes the new lines of an import.

    Attributes:
        moment: when it is written; what it makes beside entries carries it, and is known by it when it is taken back.
    """

    session: Session
    intake: Intake
    moment: int
    by: str | None
    purses: list[Purse] = field(default_factory=list)
    categories: dict[str, str] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)
    open_transfers: dict[str, str] = field(default_factory=dict)
    written: int = 0
    known: int = 0

    def write(self) -> dict[str, int]:
        """Batch after batch; how many entries were written, and how many lines another import had written meanwhile."""
        self.purses = list(self.session.scalars(select(Purse).order_by(Purse.id)))
        self.categories = {row.name: row.id for row in self.session.execute(select(Category.name, Category.id))}
        for some in new_lines(self.session, self.intake.id):
            self._batch(some)
        touch(self.session, Entry, self.intake.workspace_id)
        return {"written": self.written, "known": self.known}

    def _batch(self, lines: list[What]) -> None:
        prints = [fingerprint(self._purse(what).id, what["key"], what["n"]) for what in lines]
        before = held(self.session, Entry.fingerprint, prints)
        fresh = [(what, mark) for what, mark in zip(lines, prints, strict=True) if mark not in before]
        payees = self._payees([what for what, _mark in fresh])
        rows = [row for what, mark in fresh for row in self._entries(what, mark, payees)]
        self.known += len(lines) - len(fresh)
        self.written += len(rows)
        if rows:
            self.session.execute(insert(entries), rows)

    def _entries(self, what: What, mark: str, payees: dict[str, str]) -> Iterator[What]:
        """One line is one entry, several parts of a payment, or both sides of a transfer."""
        purse, payee = self._purse(what), payees.get(what.get("payee", ""))
        parts = what.get("parts") or [what]
        split = new_id() if len(parts) > 1 else self._group(what)
        transfer = self._transfer(what)
        for place, part in enumerate(parts):
            note = part.get("note") or what.get("note", "")
            row = self._row(what, purse, Decimal(part["amount"]), note, mark if place == 0 else None)
            yield row | {
                "category_id": self._category(part.get("category", "")), "payee_id": payee, "split_id": split,
                "transfer_id": transfer,
            }  # fmt: skip
        if "other" in what:
            other = self._purse({"purse": what["other"], "currency": what.get("other_currency")})
            row = self._row(what, other, Decimal(what["other_amount"]), what.get("note", ""), None)
            yield row | {"category_id": None, "payee_id": None, "split_id": None, "transfer_id": transfer}

    def _row(self, what: What, purse: Purse, amount: Decimal, note: str, mark: str | None) -> What:
        return {
            "id": new_id(), "workspace_id": self.intake.workspace_id, "purse_id": purse.id,
            "on_day": date.fromisoformat(what["on"]), "amount": amount, "currency": purse.currency, "note": note,
            "intake_id": self.intake.id, "fingerprint": mark, "created_by": self.by, "recurring_id": None,
        }  # fmt: skip

    def _group(self, what: What) -> str | None:
        """Lines of a file that are parts of one payment share their group."""
        group = what.get("group")
        return self.groups.setdefault(group, new_id()) if group else None

    def _transfer(self, what: What) -> str | None:
        """Both sides share an id; where a file holds one side only, that one is still no spending."""
        if "other" in what:
            return new_id()
        pair = what.get("transfer")
        if not pair:
            return None
        if pair in self.open_transfers:
            return self.open_transfers.pop(pair)
        self.open_transfers[pair] = new_id()
        return self.open_transfers[pair]

    def _purse(self, what: What) -> Purse:
        purse = purse_of(self.purses, what["purse"])
        if purse is None:
            number = what["purse"] if sum(sign.isdigit() for sign in what["purse"]) > 5 else ""
            purse = Purse(
                id=new_id(), name=what["purse"][:80], currency=what.get("currency") or "EUR", number=number[:40],
                created_at=self.moment,
            )  # fmt: skip
            self.session.add(purse)
            self.session.flush()
            self.purses.append(purse)
        return purse

    def _category(self, name: str) -> str | None:
        if not name:
            return None
        if name not in self.categories:
            row = Category(id=new_id(), name=name, created_at=self.moment)
            self.session.add(row)
            self.session.flush()
            self.categories[name] = row.id
        return self.categories[name]

    def _payees(self, lines: Sequence[What]) -> dict[str, str]:
        """The payees of a batch by name; those who are new keep the category that the file gave them first."""
        wanted = {what["payee"]: what.get("category", "") for what in reversed(lines) if what.get("payee")}
        asked = select(Payee.name, Payee.id).where(Payee.name.in_(sorted(wanted)))
        found = {row.name: row.id for row in self.session.execute(asked)} if wanted else {}
        fresh = [
            {
                "id": new_id(), "workspace_id": self.intake.workspace_id, "name": name,
                "category_id": self._category(category), "created_at": self.moment,
            }
            for name, category in wanted.items()
            if name not in found
        ]  # fmt: skip
        if fresh:
            self.session.execute(insert(cast(Table, Payee.__table__)), fresh)
        return found | {row["name"]: row["id"] for row in fresh}


def new_lines(session: Session, intake_id: str) -> Iterator[list[What]]:
    """The lines that are to be written, a batch at a time, in the order of the file."""
    last = 0
    mine = select(IntakeLine.number, IntakeLine.what).where(IntakeLine.intake_id == intake_id, IntakeLine.state == NEW)
    while rows := session.execute(
        mine.where(IntakeLine.number > last).order_by(IntakeLine.number).limit(AT_ONCE)
    ).all():
        yield [row.what for row in rows]
        last = rows[-1].number


def changed_since(session: Session, intake_id: str) -> list[str]:
    """The entries of an import whose day, amount, payee or note somebody changed, or whose payment was split."""
    alien = _split_by_hand(session, intake_id)
    asked = (
        select(Entry.id, Entry.purse_id, Entry.on, Entry.amount, Entry.note, Entry.fingerprint, Entry.split_id)
        .add_columns(Payee.name)
        .outerjoin(Payee, Payee.id == Entry.payee_id)
        .where(Entry.intake_id == intake_id)
    )
    with session.execute(asked.execution_options(yield_per=AT_ONCE)) as rows:
        return [row.id for row in rows if _is_changed(row, alien)]


def _is_changed(row: Any, alien: set[str]) -> bool:
    """Parts of a split payment, and the other side of a transfer, have no words of their own to be known by."""
    if row.split_id:
        return row.split_id in alien
    if not row.fingerprint:
        return False
    mark = stem(row.purse_id, key_of_entry(row.on.isoformat(), row.amount, row.name or "", row.note))
    return bool(mark != row.fingerprint[:LENGTH])


def _split_by_hand(session: Session, intake_id: str) -> set[str]:
    """Payments of this import of which a part is not of it."""
    ours = aliased(Entry)
    alien = select(Entry.split_id).join(ours, ours.split_id == Entry.split_id).where(ours.intake_id == intake_id)
    others = alien.where((Entry.intake_id != intake_id) | Entry.intake_id.is_(None)).distinct()
    return {split for split in session.scalars(others) if split}


def undo(session: Session, intake: Intake, *, also: bool) -> dict[str, int]:
    """Delete what the import wrote. What was changed since stays, unless that is to go `also`."""
    changed = changed_since(session, intake.id)
    there = session.scalar(select(func.count()).select_from(Entry).where(Entry.intake_id == intake.id)) or 0
    if not also:
        for start in range(0, len(changed), AT_ONCE):
            some = changed[start : start + AT_ONCE]
            session.execute(update(Entry).where(Entry.id.in_(some)).values(intake_id=None).execution_options(**UNSEEN))
    session.execute(delete(Entry).where(Entry.intake_id == intake.id).execution_options(**UNSEEN))
    touch(session, Entry, intake.workspace_id)
    made = _unmake(session, intake)
    kept = 0 if also else len(changed)
    return {"deleted": there - kept, "kept": kept, "made": made}


def _unmake(session: Session, intake: Intake) -> int:
    """Payees, categories and accounts that it made and that nothing uses now."""
    unused: tuple[tuple[type[Any], tuple[InstrumentedAttribute[Any], ...]], ...] = (
        (Payee, (Entry.payee_id, Recurring.payee_id)),
        (Category, (Entry.category_id, Recurring.category_id, Budget.category_id, Payee.category_id)),
        (Purse, (Entry.purse_id, Recurring.purse_id)),
    )
    return sum(drop_unused(session, table, users, intake.applied_at) for table, users in unused)


def drop_unused(
    session: Session, table: type[Any], users: Sequence[InstrumentedAttribute[Any]], moment: int | None
) -> int:
    """Delete rows that were made at this very moment, unless one of `users` points at them."""
    free = [~exists().where(user == table.id) for user in users]
    gone = delete(table).where(table.created_at == moment, *free).execution_options(**UNSEEN)
    return cast(Any, session.execute(gone)).rowcount or 0
