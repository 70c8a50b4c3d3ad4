"""Whom and what imported tickets name: customers, topics and teams, found or made; agents, found or left out."""

import hashlib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, cast

from sqlalchemy import Table, insert, select
from sqlalchemy.orm import Session

from models.account import Account
from models.base import new_id
from models.desk import Team, Topic
from models.ticket import Customer
from models.workspace import Membership
from tasks.care.by import ANSWERS, Refused
from tasks.care.customers import NOWHERE, plain

MOST_NAME = 120
_IN_TEXT = re.compile(r"<?([^\s<>\"]+@[^\s<>\"]+)>?")


class Names:
    """What a portion of tickets names. What it makes bears the import's moment, by which an undoing tells it."""

    def __init__(self, session: Session, workspace_id: str, zone: str, moment: int) -> None:
        self.session, self.workspace_id, self.zone, self.moment = session, workspace_id, zone, moment
        self._topics = {name.casefold(): one for name, one in session.execute(select(Topic.name, Topic.id))}
        self._teams = {name.casefold(): one for name, one in session.execute(select(Team.name, Team.id))}
        self._accounts = self._agents()

    def _agents(self) -> dict[str, str]:
        asked = select(Account.id, Account.name, Account.email).join(Membership, Membership.account_id == Account.id)
        mine = asked.where(Membership.workspace_id == self.workspace_id, Membership.role.in_(ANSWERS))
        found: dict[str, str] = {}
        for row in self.session.execute(mine):
            found |= {row.name.casefold(): row.id, row.email.casefold(): row.id}
        return found

    def account(self, text: str) -> str | None:
        """The agent of this name or address, if there is one here."""
        return self._accounts.get(text.strip().casefold()) if text else None

    def topic(self, text: str) -> str | None:
        name = _line(text)
        if not name:
            return None
        if name.casefold() not in self._topics:
            made = Topic(id=new_id(), workspace_id=self.workspace_id, name=name, created_at=self.moment)
            self._add(made)
            self._topics[name.casefold()] = made.id
        return self._topics[name.casefold()]

    def team(self, text: str) -> str | None:
        name = _line(text)
        if not name:
            return None
        if name.casefold() not in self._teams:
            made = Team(
                id=new_id(), workspace_id=self.workspace_id, name=name, time_zone=self.zone, created_at=self.moment
            )
            self._add(made)
            self._teams[name.casefold()] = made.id
        return self._teams[name.casefold()]

    def _add(self, row: Any) -> None:
        self.session.add(row)
        self.session.flush()

    def customers(self, found: Sequence[Mapping[str, str]]) -> list[tuple[str, str]]:
        """The id and name of each ticket's customer, in their order."""
        wanted = [address_of(values) for values in found]
        known = self._known(sorted({email for email, _name in wanted}))
        rows = []
        for email, name in wanted:
            if email not in known:
                known[email] = (new_id(), name)
                rows.append({
                    "id": known[email][0], "workspace_id": self.workspace_id, "email": email, "name": name,
                    "mailed_at": 0, "mailed_count": 0, "created_at": self.moment,
                })  # fmt: skip
        if rows:
            self.session.execute(insert(cast(Table, Customer.__table__)), rows)
        return [known[email] for email, _name in wanted]

    def _known(self, emails: Sequence[str]) -> dict[str, tuple[str, str]]:
        asked = select(Customer.email, Customer.id, Customer.name).where(Customer.email.in_(emails))
        return {row.email: (row.id, row.name) for row in self.session.execute(asked)}


def address_of(values: Mapping[str, str]) -> tuple[str, str]:
    """A customer's address and name. One who has no address gets ID@invalid, to which nothing is ever sent."""
    name = _line(values.get("customer", ""))
    for text in (values.get("email", ""), name):
        if found := _IN_TEXT.search(text):
            try:
                return plain(found[1]), _line(_IN_TEXT.sub("", name)) or ""
            except Refused:
                continue
    return f"{_slug(name or 'unknown')}{NOWHERE}", name or "Unknown"


def _slug(name: str) -> str:
    """Letters and digits of a name; where that leaves something out, a few digits of its hash, so that two stay two."""
    plain_name = unicodedata.normalize("NFKD", name.casefold())
    slug = re.sub(r"[^a-z0-9]+", "-", plain_name.encode("ascii", "ignore").decode()).strip("-")[:40]
    lossless = re.fullmatch(r"[A-Za-z0-9 ]{1,40}", name) is not None
    short = hashlib.sha256(" ".join(name.casefold().split()).encode()).hexdigest()[:8]
    return slug if lossless and slug else f"{slug or 'customer'}-{short}"


def _line(text: str) -> str:
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())[:MOST_NAME].strip()
