"""People: accounts, what they are signed in with, and the limits on guessing."""

from sqlalchemy import BigInteger, Boolean, ForeignKey, Integer, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import ID, Base, db_now, new_id


class Account(Base):
    """A person. `password_hash` is argon2id; an account without one cannot sign in yet."""

    __tablename__ = "account"

    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_id)
    email: Mapped[str] = mapped_column(String(254), unique=True)  # lower case
    name: Mapped[str] = mapped_column(String(120))
    password_hash: Mapped[str | None] = mapped_column(String(200))
    is_admin: Mapped[bool] = mapped_column(Boolean, default=False)
    confirmed_at: Mapped[int | None] = mapped_column(BigInteger)
    time_zone: Mapped[str] = mapped_column(String(64), default="UTC")
    mail_results: Mapped[bool] = mapped_column(Boolean, default=True)
    created_at: Mapped[int] = mapped_column(BigInteger, default=db_now())


class SignIn(Base):
    """One signed-in browser. The cookie holds the secret, the row its hash: deleting the row signs out."""

    __tablename__ = "sign_in"

    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_id)
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    account_id: Mapped[str] = mapped_column(ID, ForeignKey("account.id", ondelete="CASCADE"), index=True)
    workspace_id: Mapped[str | None] = mapped_column(ID)  # the one last looked at
    created_at: Mapped[int] = mapped_column(BigInteger, default=db_now())
    seen_at: Mapped[int] = mapped_column(BigInteger, default=db_now())
    expires_at: Mapped[int] = mapped_column(BigInteger)
    account: Mapped[Account] = relationship()


class Token(Base):
    """A personal API token for one workspace, stored hashed; `scope` is "read" or "write"."""

    __tablename__ = "token"

    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(80))
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    account_id: Mapped[str] = mapped_column(ID, ForeignKey("account.id", ondelete="CASCADE"), index=True)
    workspace_id: Mapped[str] = mapped_column(ID, ForeignKey("workspace.id", ondelete="CASCADE"))
    scope: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[int] = mapped_column(BigInteger, default=db_now())
    used_at: Mapped[int | None] = mapped_column(BigInteger)
    expires_at: Mapped[int] = mapped_column(BigInteger)
    account: Mapped[Account] = relationship()


class Link(Base):
    """A single-use link in a mail (purpose "reset", "confirm" or "address"), stored hashed, good for 30 minutes.

    `email` is where it went: of "address" it is the new one, else the link ends when the account has another.
    """

    __tablename__ = "link"

    secret_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    purpose: Mapped[str] = mapped_column(String(16))
    account_id: Mapped[str] = mapped_column(ID, ForeignKey("account.id", ondelete="CASCADE"), index=True)
    expires_at: Mapped[int] = mapped_column(BigInteger)
    used_at: Mapped[int | None] = mapped_column(BigInteger)
    email: Mapped[str | None] = mapped_column(String(254))
    account: Mapped[Account] = relationship()


class Throttle(Base):
    """How often something was tried in one stretch of time, by a key such as "sign-in:address"."""

    __tablename__ = "throttle"

    key: Mapped[str] = mapped_column(String(120), primary_key=True)
    since: Mapped[int] = mapped_column(BigInteger)
    count: Mapped[int] = mapped_column(Integer, default=0)
