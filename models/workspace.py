"""Workspaces own everything; people are their members."""

from sqlalchemy import BigInteger, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.account import Account
from models.base import ID, Base, Json, Owned, db_now, new_id

HOUSE = ("owner", "member", "viewer")  # they see all that the workspace has
DESK = ("lead", "agent")  # customer care and nothing else
CUSTOMER = "customer"  # their own tickets and nothing else
ROLES = (*HOUSE, *DESK, CUSTOMER)
CARE = "care"  # the one area of alerts that the desk's people hear of
SYSTEM = "system"  # the workspace of the machinery's own runs; administrators are its members


class Workspace(Base):
    """What rows, files, runs, schedules and mails belong to."""

    __tablename__ = "workspace"

    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(120))
    time_zone: Mapped[str] = mapped_column(String(64), default="UTC", server_default="UTC")  # whose days its days are
    currency: Mapped[str] = mapped_column(String(3), default="EUR", server_default="EUR")  # proposed for what is new
    negative_stock: Mapped[str] = mapped_column(String(8), default="flag", server_default="flag")  # allow, flag, refuse
    created_at: Mapped[int] = mapped_column(BigInteger, default=db_now())


class Membership(Base):
    """A person's role in a workspace. Not narrowed: it is what decides the narrowing."""

    __tablename__ = "membership"

    workspace_id: Mapped[str] = mapped_column(ID, ForeignKey("workspace.id", ondelete="CASCADE"), primary_key=True)
    account_id: Mapped[str] = mapped_column(
        ID, ForeignKey("account.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    role: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[int] = mapped_column(BigInteger, default=db_now())
    workspace: Mapped[Workspace] = relationship()
    account: Mapped[Account] = relationship()


class Invitation(Owned, Base):
    """An open door for one address; the link's secret is stored hashed and works once."""

    __tablename__ = "invitation"

    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_id)
    email: Mapped[str] = mapped_column(String(254))
    role: Mapped[str] = mapped_column(String(16))
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    invited_by: Mapped[str | None] = mapped_column(ID, ForeignKey("account.id", ondelete="SET NULL"))
    expires_at: Mapped[int] = mapped_column(BigInteger)
    accepted_at: Mapped[int | None] = mapped_column(BigInteger)
    workspace: Mapped[Workspace] = relationship()


def hears(role: str, area: str) -> bool:
    """Whether somebody of this role is told of alerts of an area, and may look at them."""
    return role in HOUSE or (area == CARE and role in DESK)


class AuditEntry(Base):
    """Who did what to whose: sign-ins, roles, exports, deletions, settings. Kept when its account goes."""

    __tablename__ = "audit_entry"

    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_id)
    at: Mapped[int] = mapped_column(BigInteger, default=db_now(), index=True)
    account_id: Mapped[str | None] = mapped_column(ID)
    workspace_id: Mapped[str | None] = mapped_column(ID, index=True)
    what: Mapped[str] = mapped_column(String(60))
    detail: Mapped[dict[str, object] | None] = mapped_column(Json)
