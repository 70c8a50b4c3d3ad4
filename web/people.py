"""What is written about people: accounts with a workspace of their own, memberships, mails to them, the audit log."""

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models.account import Account
from models.base import clock, new_id
from models.delivery import Delivery
from models.workspace import SYSTEM, AuditEntry, Membership, Workspace
from tasks import money
from tasks.mailing.homes import home
from tasks.mailing.letters import Button, Part, letter


def inhabited(session: Session) -> bool:
    """Whether anybody has an account yet."""
    return session.scalar(select(Account.id).limit(1)) is not None


def one_at_a_time(session: Session, workspace_id: str) -> None:
    """Whoever changes who has a say in a workspace waits here for others who do: two owners cannot both leave.

    An UPDATE that changes nothing takes the row's lock until the commit, on every database.
    """
    session.execute(update(Workspace).where(Workspace.id == workspace_id).values(name=Workspace.name))


def find(session: Session, email: str) -> Account | None:
    """The account with this address (lower case)."""
    return session.scalar(select(Account).where(Account.email == email))


def create_account(
    session: Session, *, name: str, email: str, password_hash: str, time_zone: str, confirmed: bool
) -> Account:
    """A person with a workspace of their own."""
    account = Account(id=new_id(), name=name, email=email, password_hash=password_hash, time_zone=time_zone)
    account.confirmed_at = clock(session) if confirmed else None
    session.add(account)
    session.flush()
    create_workspace(session, f"{name[:100]}’s workspace", account.id)
    audit(session, "account made", account.id)
    return account


def create_workspace(session: Session, name: str, owner_id: str, workspace_id: str = "") -> Workspace:
    """A workspace with its first owner, whose days and currency it takes until somebody chooses others."""
    zone = session.scalar(select(Account.time_zone).where(Account.id == owner_id)) or "UTC"
    workspace = Workspace(id=workspace_id or new_id(), name=name, time_zone=zone, currency=money.of_zone(zone))
    session.add(workspace)
    session.flush()
    join(session, owner_id, workspace.id, "owner")
    return workspace


def make_admin(session: Session, account: Account) -> None:
    """Who runs the system: an administrator, and a member of the machinery's workspace."""
    account.is_admin = True
    if session.get(Workspace, SYSTEM) is None:
        create_workspace(session, "System", account.id, SYSTEM)
    else:
        join(session, account.id, SYSTEM, "owner")


def join(session: Session, account_id: str, workspace_id: str, role: str) -> bool:
    """Make somebody a member; False when they are one already, whose role then stays."""
    if session.get(Membership, (workspace_id, account_id)) is not None:
        return False
    session.add(Membership(workspace_id=workspace_id, account_id=account_id, role=role))
    session.flush()
    return True


def mail(session: Session, account: Account, subject: str, text: str, *, link: str | None = None, to: str = "") -> None:
    """Queue a mail about an account itself.

    Args:
        link: purpose of a single-use link ("reset", "confirm", "address") that the mail job puts where `{link}` stands
            when it sends, so that the secret is stored nowhere.
        to: another address than the account's.
    """
    if place := home(session, account.id):
        row = Delivery(workspace_id=place, account_id=account.id, to=to or account.email, subject=subject, text=text)
        row.link, row.html = link, page(subject, text)
        session.add(row)


def page(subject: str, text: str) -> str:
    """A short mail in the look of all mails; where `{link}` stands in its text there is a button."""
    before, found, after = text.partition("{link}")
    rest = [Part("", lines=[" ".join(after.split())])] if after.strip() else []
    button = Button(subject, "{link}") if found else None
    return letter(subject, lead=" ".join(before.split()), parts=rest, button=button)[1]


def audit(
    session: Session, what: str, account_id: str | None = None, workspace_id: str | None = None, **detail: object
) -> None:
    """Write down who did what to whose. `detail` holds ids and words, never an address or a secret."""
    session.add(AuditEntry(what=what, account_id=account_id, workspace_id=workspace_id, detail=detail or None))
