"""Which rows are a workspace's and which a person's, found from the tables themselves: export and erasure ask here.

A new table of a workspace is covered without an edit. One that is neither a workspace's nor a person's stands in
LEFT_OUT with its reason; a test fails for one that stands nowhere.
"""

from collections.abc import Callable
from typing import cast

from sqlalchemy import Column, ColumnElement, Select, Table, or_, select, type_coerce
from sqlalchemy.types import String

from models.account import Account
from models.alert import Notice
from models.base import Base, Owned
from models.delivery import Delivery, Picture
from models.ticket import NOTE, Customer, Rating, Ticket, TicketFile, TicketMessage
from models.workspace import AuditEntry, Membership, Workspace

LEFT_OUT = {
    "link": "single-use links that were mailed: of their secrets only fingerprints are kept, for half an hour",
    "idempotency": "keys that keep a form sent twice from counting twice, for a week",
    "throttle": "counts of tries, under fingerprints that name nobody",
    "queue": "the machinery's queues",
    "run_limit": "what administrators set for queues and people",
    "run_rate": "the machinery's own reckoning for these limits",
    "permit": "the machinery's own reckoning for these limits",
    "pulse": "signs of life of the machinery",
    "tally": "counters of the machinery",
    "bounced": "addresses that mail does not reach, kept so that none is sent there",
    "mail_event": "ids of a mail provider's events, so that each counts once",
}
OF_PEOPLE = (
    "account", "membership", "sign_in", "token", "wish", "channel", "notice", "delivery", "picture", "audit_entry",
    "customer", "ticket", "ticket_message", "ticket_file", "rating",
)  # fmt: skip
# Names of machines, secrets that must stay usable, and where files stand.
UNTOLD = ("worker", "sealed_url", "sealed_password", "index_key")
KEYS = ("key", "index_key")  # columns that name a file in storage
# What a customer is given of their tickets: not how the desk works at them.
OF_CUSTOMERS = {
    "customer": ("id", "email", "name", "created_at"),
    "ticket": ("id", "number", "subject", "status", "source", "created_at", "answered_at", "solved_at", "closed_at"),
    "ticket_message": ("id", "ticket_id", "kind", "text", "quoted", "source", "remarks", "at"),
}
workspace, account = cast(Table, Workspace.__table__), cast(Table, Account.__table__)
_audit = cast(Table, AuditEntry.__table__)
_notice = cast(Table, Notice.__table__)
delivery, picture = cast(Table, Delivery.__table__), cast(Table, Picture.__table__)
_customer, _ticket = cast(Table, Customer.__table__), cast(Table, Ticket.__table__)
_message, _rating = cast(Table, TicketMessage.__table__), cast(Table, Rating.__table__)
ticket_file, ticket = cast(Table, TicketFile.__table__), _ticket


def owned() -> list[Table]:
    """The tables whose rows belong to a workspace; those that point at others first."""
    mine = {mapper.local_table for mapper in Base.registry.mappers if issubclass(mapper.class_, Owned)}
    return [table for table in reversed(Base.metadata.sorted_tables) if table in mine]


def files() -> list[Table]:
    """Those of them whose rows each name a file by its key in storage: an upload, an artifact, a mail's picture."""
    return [table for table in owned() if "key" in table.c]


def is_packed(table: Table) -> bool:
    """Whether its rows are packed days (`tasks.metering.packing`), which nobody can read as they are."""
    return "packed" in table.c


def of_runs() -> list[Table]:
    """Those of the files that hang on runs."""
    return [table for table in files() if "run_id" in table.c]


def of_workspace(table: Table, workspace_id: str) -> ColumnElement[bool] | None:
    """The condition of a workspace's rows in a table; None where it has none of its own."""
    if table is workspace:
        return table.c.id == workspace_id
    mine = owned()
    if table in mine or table is Membership.__table__:
        return table.c.workspace_id == workspace_id
    if table.name in LEFT_OUT:
        return None
    for key in table.foreign_keys:  # as a slot belongs to its schedule
        if key.column.table in mine:
            theirs = select(key.column).where(key.column.table.c.workspace_id == workspace_id)
            return cast(ColumnElement[bool], key.parent.in_(theirs))
    return None


def keys(table: Table) -> list[Column[object]]:
    """The columns of a table that name files in storage."""
    return [each for each in table.c if each.name in KEYS]


def of_account(table: Table, account_id: str) -> ColumnElement[bool] | None:
    """The condition of the rows about a person; None where there are none."""
    if table.name not in OF_PEOPLE:
        return None
    if table is account:
        return table.c.id == account_id
    if table.name in _CUSTOMER_S:
        return _CUSTOMER_S[table.name](account_id)
    if table is picture:
        mails = select(delivery.c.id).where(delivery.c.account_id == account_id)
        return cast(ColumnElement[bool], picture.c.delivery_id.in_(mails))
    if table is _audit:
        about = type_coerce(_audit.c.detail, String).contains(f'"whose":"{account_id}"')
        return or_(_audit.c.account_id == account_id, about)
    return table.c.account_id == account_id


def _tickets(account_id: str) -> Select[str]:
    """The tickets whose customer somebody is."""
    mine = select(_customer.c.id).where(_customer.c.account_id == account_id)
    return select(_ticket.c.id).where(_ticket.c.customer_id.in_(mine))


def _words(account_id: str) -> Select[str]:
    """What was said in them, but for the desk's own notes; and their own words in others', as what became a note of
    another customer's ticket that theirs was merged into."""
    mine = select(_customer.c.id).where(_customer.c.account_id == account_id)
    public = _message.c.ticket_id.in_(_tickets(account_id)) & (_message.c.kind != NOTE)
    return select(_message.c.id).where(or_(public, _message.c.customer_id.in_(mine)))


_CUSTOMER_S: dict[str, Callable[[str], ColumnElement[bool]]] = {
    "customer": lambda account_id: _customer.c.account_id == account_id,
    "ticket": lambda account_id: _ticket.c.id.in_(_tickets(account_id)),
    "ticket_message": lambda account_id: _message.c.id.in_(_words(account_id)),
    "ticket_file": lambda account_id: ticket_file.c.message_id.in_(_words(account_id)),
    "rating": lambda account_id: _rating.c.ticket_id.in_(_tickets(account_id)),
}


def shared(table: Table, account_id: str) -> ColumnElement[bool] | None:
    """Which of a workspace's rows one of its people may be given: not what was written or told to another of them.

    Mails to nobody's account, as invitations are, are the workspace's. None where all rows are everybody's.
    """
    theirs = or_(delivery.c.account_id == account_id, delivery.c.account_id.is_(None))
    if table is delivery:
        return theirs
    if table is picture:
        return cast(ColumnElement[bool], picture.c.delivery_id.in_(select(delivery.c.id).where(theirs)))
    return _notice.c.account_id == account_id if table is _notice else None


def told(table: Table, to_person: bool = False) -> list[Column[object]]:
    """The columns that a person is given: no fingerprints of passwords and secrets, no keys of the storage.

    Args:
        to_person: of rows about them in workspaces that are not theirs.
    """
    if to_person and table.name in OF_CUSTOMERS:
        return [table.c[name] for name in OF_CUSTOMERS[table.name]]
    return [each for each in table.c if not each.name.endswith("_hash") and each.name not in ("key", *UNTOLD)]
