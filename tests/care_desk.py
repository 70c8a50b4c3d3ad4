"""A help desk for tests: teams with their people, topics and policies, and a customer who asks."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models.account import Account
from models.alert import TOLD, Alert, Move, Notice
from models.base import new_id
from models.delivery import Delivery
from models.desk import Policy, Team, TeamMember, Topic
from models.session import EVERYONE
from models.ticket import Ticket, TicketEvent, TicketMessage
from models.workspace import Membership
from tasks.care import tickets
from tasks.care.tickets import By, New
from tests.conftest import Person
from workers.runtime import Runtime

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
WEEK = [[[540, 720], [780, 1020]]] * 5 + [[], []]  # 9 to 12, 13 to 17
ZOE = "zoe@customer.example"
CUSTOMER = By("customer")


def at(day: int, hour: int = 0, minute: int = 0) -> int:
    """In June 2026, which begins with a Monday; by the clock of Berlin."""
    return round(datetime(2026, 6, day, hour, minute, tzinfo=ZoneInfo("Europe/Berlin")).timestamp() * 1000)


@dataclass
class HelpDesk:
    """One workspace's; `now` is the clock that its deeds go by."""

    runtime: Runtime
    place: str
    owner: str
    now: int = field(default_factory=lambda: at(1, 9))

    @contextmanager
    def writing(self) -> Iterator[Session]:
        with self.runtime.database.write(self.place) as session:
            yield session

    def add(self, *rows: Any) -> None:
        with self.runtime.database.write(EVERYONE) as session:
            for row in rows:
                if hasattr(row, "workspace_id") and row.workspace_id is None:
                    row.workspace_id = self.place
                session.add(row)
                session.flush()

    def team(self, name: str = "Help", **more: Any) -> str:
        made = Team(id=new_id(), name=name, **{"time_zone": "Europe/Berlin", "hours": {"week": WEEK}, **more})
        self.add(made)
        return made.id

    def person(self, name: str, role: str = "agent", team: str | None = None, **more: Any) -> str:
        """Somebody of the desk, and of a team."""
        known = new_id()
        self.add(Account(id=known, email=f"{name}@desk.example", name=name.title()))
        self.add(Membership(workspace_id=self.place, account_id=known, role=role))
        if team:
            self.add(TeamMember(team_id=team, account_id=known, **more))
        return known

    def topic(self, name: str, team: str | None = None) -> str:
        made = Topic(id=new_id(), name=name, team_id=team)
        self.add(made)
        return made.id

    def policy(self, first: int | None = 60, solve: int | None = 480, **more: Any) -> None:
        self.add(Policy(name="All", first_minutes=first, solve_minutes=solve, **more))

    def opened(self, subject: str = "The printer burns", email: str = ZOE, **more: Any) -> str:
        """A ticket; its id."""
        with self.writing() as session:
            new = New(subject, more.pop("text", "It smokes."), email, **{"name": "Zoe", **more})
            return tickets.open_ticket(session, new, CUSTOMER, self.now).id

    def by(self, account: str | None = None) -> By:
        return By("agent", account or self.owner)

    def asks(self, ticket: str, text: str = "Still smoking.", **more: Any) -> TicketMessage:
        with self.writing() as session:
            return tickets.say(session, session.get_one(Ticket, ticket), "question", text, CUSTOMER, self.now, **more)

    def answers(self, ticket: str, text: str = "Use water.", by: By | None = None, **more: Any) -> TicketMessage:
        with self.writing() as session:
            row = session.get_one(Ticket, ticket)
            return tickets.say(session, row, "answer", text, by or self.by(), self.now, **more)

    def notes(self, ticket: str, text: str = "Careful.", **more: Any) -> TicketMessage:
        with self.writing() as session:
            return tickets.say(session, session.get_one(Ticket, ticket), "note", text, self.by(), self.now, **more)

    def changes(self, ticket: str, by: By | None = None, **more: Any) -> list[TicketEvent]:
        with self.writing() as session:
            return tickets.change(session, session.get_one(Ticket, ticket), by or self.by(), self.now, **more)

    def ticket(self, ticket: str) -> Ticket:
        with self.runtime.database.read(self.place) as session:
            return session.get_one(Ticket, ticket)

    def rows(self, table: type[Any], **where: Any) -> list[Any]:
        """The workspace's rows of a table, in the order in which they were made."""
        with self.runtime.database.read(self.place) as session:
            found = session.scalars(select(table).filter_by(**where)).all()
        return sorted(found, key=lambda row: getattr(row, "id", ""))

    def history(self, ticket: str) -> list[tuple[str, str, str]]:
        return [(each.what, each.before, each.after) for each in self.rows(TicketEvent, ticket_id=ticket)]

    def mails(self, to: str = ZOE) -> list[Delivery]:
        return self.rows(Delivery, to=to)

    def sends(self) -> None:
        """All that waits leaves."""
        with self.writing() as session:
            session.execute(update(Delivery).values(state="sent"))

    def titles(self, to: str = ZOE) -> list[str]:
        """Of the mails to somebody: their first lines behind the greeting."""
        texts = [mail.text.split("\n\n") for mail in self.mails(to)]
        return [parts[1] if parts[0].startswith("Hello") else parts[0] for parts in texts]

    def alerts(self, **where: Any) -> list[Alert]:
        """What scans found."""
        return [each for each in self.rows(Alert, **where) if each.state != TOLD]

    def told(self, account: str) -> list[tuple[str, int, str]]:
        """What alerts of scans told somebody: the step, its level, its words."""
        with self.runtime.database.read(EVERYONE) as session:
            asked = select(Move.what, Move.level, Move.title).join(Notice, Notice.move_id == Move.id)
            asked = asked.join(Alert, Alert.id == Move.alert_id).where(Alert.state != TOLD)
            rows = session.execute(asked.where(Notice.account_id == account).order_by(Move.at, Move.id))
            return [(what, level, title) for what, level, title in rows]


def desk(runtime: Runtime, person: Person) -> HelpDesk:
    return HelpDesk(runtime, person.workspace_id, person.account_id)
