"""Writes imported tickets, and takes them back: in portions, so that nobody else waits long for the database.

A portion's lines go with its tickets in one transaction; so a worker may be lost at any moment, and the next attempt
goes on with the lines that are left. Nothing is mailed. What was open gets its deadlines from the import's time on.
"""

from collections.abc import Sequence
from typing import Any, cast

from sqlalchemy import Table, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models import ticket_search
from models.base import clock, new_id
from models.desk import Desk
from models.intake import NEW as NEW_LINE
from models.intake import Intake, IntakeLine
from models.session import touch
from models.ticket import (
    AT_WORK,
    CLOSED,
    DONE,
    NOTE,
    QUESTION,
    SOLVED,
    Ticket,
    TicketEvent,
    TicketMessage,
    TicketTag,
    TicketWords,
)  # fmt: skip
from tasks.care import clocks, desks, import_keys, words
from tasks.care.import_names import Names
from tasks.context import Context

SOURCE = "import"
AT_ONCE = 500
MOST_TRIES = 5
DAY_MS = 86_400_000
PRIORITIES = {1: "urgent", 2: "high", 3: "normal", 4: "low"}
TABLES = (Ticket, TicketEvent, TicketMessage, TicketTag, TicketWords)
OLD = "Solved more than {} days before it was imported"


def apply(ctx: Context, intake: Intake) -> dict[str, Any]:
    """Write what the preview found; counts for `Intake.counts`."""
    total = max(1, int((intake.counts or {}).get(NEW_LINE, 1)))
    written = known = 0
    moment = tries = 0
    with ctx.database.write(ctx.workspace) as session:
        desks.of(session, ctx.workspace)
    while True:
        try:
            portion = _portion(ctx, intake.id)
        except IntegrityError:  # somebody made the same customer, topic or team meanwhile: now it is found
            tries += 1
            if tries > MOST_TRIES:
                raise
            continue
        if portion is None:
            break
        moment, tries = portion[0], 0
        written, known = written + portion[1], known + portion[2]
        ctx.progress(0.9 * min(1, (written + known) / total), f"{written:,} tickets written")
    _set_deadlines(ctx, intake.id, moment)
    return {"written": _there(ctx, intake.id), "known": known}


def _portion(ctx: Context, intake_id: str) -> tuple[int, int, int] | None:
    """The import's moment, how many were written, and how many are known by now; None when no line is left.

    Whoever imports or opens a ticket beside us waits at the desk's row, which is asked for before anything is read:
    so what is known now is all that there is.
    """
    with ctx.database.write(ctx.workspace) as session:
        _numbers(session, ctx.workspace, 0)
        lines = _next(session, intake_id)
        if not lines:
            return None
        writer = Writer(session, ctx.workspace, session.get_one(Intake, intake_id))
        new, old = writer.write([line.what or {} for line in lines])
        _forget(session, intake_id, lines[-1].number)
        return writer.moment, new, old


def _next(session: Session, intake_id: str) -> list[IntakeLine]:
    mine = select(IntakeLine).where(IntakeLine.intake_id == intake_id, IntakeLine.state == NEW_LINE)
    return list(session.scalars(mine.order_by(IntakeLine.number).limit(AT_ONCE)))


def _forget(session: Session, intake_id: str, last: int) -> None:
    mine = (IntakeLine.intake_id == intake_id, IntakeLine.state == NEW_LINE, IntakeLine.number <= last)
    session.execute(delete(IntakeLine).where(*mine).execution_options(synchronize_session=False))


def _there(ctx: Context, intake_id: str) -> int:
    with ctx.read() as session:
        return session.scalar(select(func.count()).select_from(Ticket).where(Ticket.intake_id == intake_id)) or 0


def _set_deadlines(ctx: Context, intake_id: str, moment: int) -> None:
    """Of what was open: by the desk's policies, from the import's time on."""
    with ctx.read() as session:
        mine = select(func.min(Ticket.id)).where(Ticket.intake_id == intake_id, Ticket.status.not_in(DONE))
        least = session.scalar(mine)
    after: str | None = least[:-1] if least and moment else None
    while after is not None:
        with ctx.database.write(ctx.workspace) as session:
            after = clocks.portion(session, ctx.workspace, moment, after=after).after
        ctx.progress(0.95, "Setting deadlines")


class Writer:
    """One portion of tickets, in one transaction."""

    def __init__(self, session: Session, workspace_id: str, intake: Intake) -> None:
        self.session, self.workspace_id, self.intake = session, workspace_id, intake
        layout = intake.layout or {}
        self.system = str(layout.get("system", "other"))
        self.title = str(layout.get("system_title", "another system"))
        self.moment = _moment(session, intake)
        self.desk = desks.of(session, workspace_id)
        self.names = Names(session, workspace_id, str(layout.get("zone", "UTC")), self.moment)
        self.rows: dict[type, list[dict[str, Any]]] = {table: [] for table in TABLES}

    def write(self, found: Sequence[dict[str, Any]]) -> tuple[int, int]:
        """How many were written, and how many are known by now."""
        there = import_keys.known(self.session, [import_keys.of(self.system, one["key"]) for one in found])
        fresh = [one for one in found if import_keys.of(self.system, one["key"]) not in there]
        customers = self.names.customers([one["values"] for one in fresh])
        number = _numbers(self.session, self.workspace_id, len(fresh))
        for at, (one, customer) in enumerate(zip(fresh, customers, strict=True)):
            self._ticket(one, number + at, customer)
        for table in TABLES:
            if self.rows[table]:
                self.session.execute(insert(cast(Table, table.__table__)), self.rows[table])
        touch(self.session, Ticket, self.workspace_id)
        return len(fresh), len(found) - len(fresh)

    def _ticket(self, one: dict[str, Any], number: int, customer: tuple[str, str]) -> None:
        values, ticket_id = one["values"], new_id()
        key = import_keys.of(self.system, one["key"])
        row = self._row(one) | {
            "id": ticket_id, "workspace_id": self.workspace_id, "number": number, "customer_id": customer[0],
            "subject": subject_of(values, one["key"]), "foreign_key": key, "intake_id": self.intake.id,
            "topic_id": self.names.topic(values.get("category", "")),
            "team_id": self.names.team(values.get("team", "")),
            "assignee_id": self.names.account(values.get("assignee", "")),
        }  # fmt: skip
        self.rows[Ticket].append(row)
        self._events(one, ticket_id, row)
        self._messages(one, ticket_id, customer[0], row)
        tags = _tags(values.get("tags", ""))
        self.rows[TicketTag] += [self._of(ticket_id, name=tag) for tag in tags]
        said = [row["subject"], one["key"], customer[1], values.get("email", ""), *tags, values.get("text", "")]
        self.rows[TicketWords].append(
            {**self._of(ticket_id, words=ticket_search.folded("\n".join([*said, one["note"]])))}
        )

    def _of(self, ticket_id: str, **more: Any) -> dict[str, Any]:
        return {"workspace_id": self.workspace_id, "ticket_id": ticket_id, **more}

    def _row(self, one: dict[str, Any]) -> dict[str, Any]:
        """States and times. The clock of what is not done begins now, with nothing spent.

        `told_at`: we told nobody anything, so `letters` lets it be closed in silence.
        """
        status, done, first_minutes = one["status"], one["status"] in DONE, one["minutes"][0]
        closed = one["closed"]
        if status == SOLVED and self._long_solved(one["solved"]):
            status, closed = CLOSED, one["solved"] + self.desk.close_days * DAY_MS
        return {
            "priority": one["priority"], "status": status, "source": SOURCE, "version": 1, "links_version": 1,
            "created_at": one["created"], "changed_at": max(one["changed"], closed or 0) if done else self.moment,
            "answered_at": one["answered"], "heard_at": one["created"] if done else self.moment,
            "told_at": None, "solved_at": one["solved"], "closed_at": closed, "reopened": one["reopened"],
            "policy_id": one["policy"] if done else None, "first_minutes": first_minutes if done else None,
            "solve_minutes": one["minutes"][1] if done else None, "spent": one["solve_taken"] or 0 if done else 0,
            "clock_at": self.moment if status in AT_WORK else None, "first_mark": 0, "solve_mark": 0,
            "first_taken": one["first_taken"], "solve_taken": one["solve_taken"],
            "first_in_time": one["first_in_time"], "solve_in_time": one["solve_in_time"],
        }  # fmt: skip

    def _long_solved(self, solved: int) -> bool:
        days = self.desk.close_days
        return bool(days) and solved < self.moment - days * DAY_MS

    def _events(self, one: dict[str, Any], ticket_id: str, row: dict[str, Any]) -> None:
        found = [(one["created"], "opened", "", SOURCE, f"{one['key']} in {self.title}")]
        found += [(at, *self._words(what, before, after), "") for at, what, before, after in one["changes"]]
        if row["status"] != one["status"]:
            found.append((row["closed_at"], "status", one["status"], row["status"], OLD.format(self.desk.close_days)))
        if one["sla"] is not None:
            in_time = "in time" if one["sla"] else "too late"
            found.append((one["closed"] or one["changed"], "sla", "", in_time, f"As {self.title} has it"))
        self.rows[TicketEvent] += [
            self._of(ticket_id, id=new_id(), what=what, was=before, became=after, why=why[:200], version=1, at=at)
            for at, what, before, after, why in found
        ]

    def _words(self, what: str, before: str, after: str) -> tuple[str, str, str]:
        """As the desk writes its own history."""
        if what == "assignee":
            return what, self.names.account(before) or before, self.names.account(after) or after
        return {"category": "topic"}.get(what, what), before, after

    def _messages(self, one: dict[str, Any], ticket_id: str, customer_id: str, row: dict[str, Any]) -> None:
        said: list[tuple[str, str, str | None, int]]
        said = [(QUESTION, words.plain(one["values"].get("text", ""))[:200_000], customer_id, one["created"])]
        note = f"Imported from {self.title} as {one['key']}."
        said.append((NOTE, f"{note}\n\n{words.plain(one['note'])}".strip(), None, max(self.moment, row["changed_at"])))
        self.rows[TicketMessage] += [
            self._of(
                ticket_id, id=new_id(), kind=kind, text=text, customer_id=who, quoted="", automatic=False,
                source=SOURCE, version=1, at=at,
            )
            for kind, text, who, at in said
            if text
        ]  # fmt: skip


def _moment(session: Session, intake: Intake) -> int:
    """The import's time: the same for all its portions, so that what it made can be told by it."""
    counts = intake.counts or {}
    moment = int(counts.get("moment") or clock(session))
    if "moment" not in counts:
        intake.counts = {**counts, "moment": moment}
    return moment


def _numbers(session: Session, workspace_id: str, many: int) -> int:
    """The first of so many numbers that nobody else gets."""
    mine = update(Desk).where(Desk.workspace_id == workspace_id)
    counted = mine.values(next_number=Desk.next_number + many).execution_options(synchronize_session=False)
    session.execute(counted)
    return session.scalars(select(Desk.next_number).where(Desk.workspace_id == workspace_id)).one() - many


def subject_of(values: dict[str, str], key: str) -> str:
    """Its subject; without one its category, and without that its number."""
    kind = " / ".join(values[name] for name in ("category", "subcategory") if name in values)
    return words.subject(values.get("subject") or (f"{kind} ({key})" if kind else key))


def _tags(text: str) -> list[str]:
    found = (tag.strip(" ,;#").lower()[:40] for tag in text.replace(",", " ").replace(";", " ").split())
    return list(dict.fromkeys(tag for tag in found if tag))[:20]
