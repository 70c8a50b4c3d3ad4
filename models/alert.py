"""Alerts: what scans found, from its opening to its end, and who is to be told of each step."""

from typing import Any

from sqlalchemy import BigInteger, Boolean, ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import ID, Base, Json, Owned, db_now, new_id

PENDING, FIRING, RESOLVED = "pending", "firing", "resolved"
TOLD = "told"  # of something that happened, and that nobody needs to see to: it stands on no list
NOTED, OPENED, LEVELLED, ENDED = "noted", "opened", "levelled", "resolved"
AT_ONCE, GATHERED, NEVER = "at once", "gathered", "never"


class Alert(Owned, Base):
    """One thing that is wrong, once: of a rule, about a subject, in a period, for the n-th time in it (`episode`).

    `area` is the subject's page and what people choose mail for: "expenses", "stock", … `level` only grows while it
    fires; a lower one is not told. `cause` names what it was judged by (a budget's revision): when that changes, the
    next episode begins.
    """

    __tablename__ = "alert"
    __table_args__ = (
        UniqueConstraint("workspace_id", "rule", "subject", "period", "episode"),
        Index("ix_alert_state", "workspace_id", "state", "id"),
        Index("ix_alert_rule", "rule", "state"),
    )

    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_id)
    workspace_id: Mapped[str] = mapped_column(ID, ForeignKey("workspace.id", ondelete="CASCADE"))  # indexed above
    area: Mapped[str] = mapped_column(String(16))
    rule: Mapped[str] = mapped_column(String(24))
    subject: Mapped[str] = mapped_column(String(40))  # the id of a budget, a product, a ticket
    period: Mapped[str] = mapped_column(String(24), default="")
    episode: Mapped[int] = mapped_column(Integer, default=1)
    cause: Mapped[str] = mapped_column(String(64), default="")
    state: Mapped[str] = mapped_column(String(10), default=FIRING)
    level: Mapped[int] = mapped_column(Integer, default=0)
    title: Mapped[str] = mapped_column(String(200))  # the news in a line: “Groceries 92 % used, 9 days left”
    text: Mapped[str] = mapped_column(String(1000), default="")  # why, and what to do
    link: Mapped[str] = mapped_column(String(200), default="")  # a path of ours
    data: Mapped[dict[str, Any] | None] = mapped_column(Json)
    opened_at: Mapped[int] = mapped_column(BigInteger, default=db_now())
    moved_at: Mapped[int] = mapped_column(BigInteger, default=db_now())
    resolved_at: Mapped[int | None] = mapped_column(BigInteger)
    acknowledged_at: Mapped[int | None] = mapped_column(BigInteger)  # somebody sees to it: no nagging
    acknowledged_by: Mapped[str | None] = mapped_column(ID, ForeignKey("account.id", ondelete="SET NULL"))


class Mute(Owned, Base):
    """A subject of a rule that nobody is to be told of; `until` None: for good. The alert itself still opens."""

    __tablename__ = "mute"

    workspace_id: Mapped[str] = mapped_column(ID, ForeignKey("workspace.id", ondelete="CASCADE"), primary_key=True)
    rule: Mapped[str] = mapped_column(String(24), primary_key=True)
    subject: Mapped[str] = mapped_column(String(40), primary_key=True)
    until: Mapped[int | None] = mapped_column(BigInteger)
    account_id: Mapped[str | None] = mapped_column(ID, ForeignKey("account.id", ondelete="SET NULL"))
    created_at: Mapped[int] = mapped_column(BigInteger, default=db_now())


class Move(Owned, Base):
    """A step of an alert: noted (pending, only gathered), opened, levelled, resolved. Its words are of that moment."""

    __tablename__ = "move"

    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_id)
    alert_id: Mapped[str] = mapped_column(ID, ForeignKey("alert.id", ondelete="CASCADE"), index=True)
    what: Mapped[str] = mapped_column(String(10))
    level: Mapped[int] = mapped_column(Integer)
    title: Mapped[str] = mapped_column(String(200))
    at: Mapped[int] = mapped_column(BigInteger, default=db_now())


class Notice(Owned, Base):
    """That one person is to be told of one move: made with it, spent by the mail that tells it (`delivery_id`).

    A row for each, so that nothing is told twice and nothing that commits late is passed over.
    """

    __tablename__ = "notice"
    __table_args__ = (
        Index("ix_notice_open", "account_id", "told_at"),
        Index("ix_notice_wait", "told_at", "workspace_id"),
    )

    move_id: Mapped[str] = mapped_column(ID, ForeignKey("move.id", ondelete="CASCADE"), primary_key=True)
    account_id: Mapped[str] = mapped_column(ID, ForeignKey("account.id", ondelete="CASCADE"), primary_key=True)
    workspace_id: Mapped[str] = mapped_column(ID, ForeignKey("workspace.id", ondelete="CASCADE"), index=True)
    area: Mapped[str] = mapped_column(String(16))
    told_at: Mapped[int | None] = mapped_column(BigInteger)
    delivery_id: Mapped[str | None] = mapped_column(ID)  # None while told_at is set: there was no mail for it


class Wish(Base):
    """How one person wants to be told, everywhere. Without a row: all areas gathered, daily at 7 in their zone.

    `areas` says "at once", "gathered" or "never" for each. In quiet hours (minutes of the day, may wrap round
    midnight) nothing is sent at once: it waits for their end and comes as one mail.
    """

    __tablename__ = "wish"

    account_id: Mapped[str] = mapped_column(ID, ForeignKey("account.id", ondelete="CASCADE"), primary_key=True)
    repeat: Mapped[str] = mapped_column(String(8), default="daily")  # daily, weekly, monthly, never
    hour: Mapped[int] = mapped_column(Integer, default=7)
    weekday: Mapped[int] = mapped_column(Integer, default=1)  # 1 is Monday
    monthday: Mapped[int] = mapped_column(Integer, default=1)
    areas: Mapped[dict[str, Any] | None] = mapped_column(Json)
    quiet_from: Mapped[int | None] = mapped_column(Integer)
    quiet_until: Mapped[int | None] = mapped_column(Integer)
    pictures: Mapped[bool] = mapped_column(Boolean, default=True)
    amounts: Mapped[bool] = mapped_column(Boolean, default=False)  # whether mails may show sums of money
    nag: Mapped[bool] = mapped_column(Boolean, default=False)  # a digest also when nothing is new but much still wrong
    next_due: Mapped[int | None] = mapped_column(BigInteger, index=True)  # of the digest; None: never
    last_slot: Mapped[int | None] = mapped_column(BigInteger)
    links_version: Mapped[int] = mapped_column(Integer, default=1)  # grows: older unsubscribe links end


class Channel(Base):
    """Another way to tell one person: an apprise URL (Slack, Telegram, ntfy, a webhook, …), kept encrypted."""

    __tablename__ = "channel"

    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_id)
    account_id: Mapped[str] = mapped_column(ID, ForeignKey("account.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(80))
    scheme: Mapped[str] = mapped_column(String(20))
    sealed_url: Mapped[str] = mapped_column(String(2000))  # encrypted; never shown, never exported
    enabled: Mapped[bool] = mapped_column(Boolean, default=True)
    reason: Mapped[str] = mapped_column(String(300), default="")  # why the last one failed
    failures: Mapped[int] = mapped_column(Integer, default=0, server_default="0")  # one after the other
    created_at: Mapped[int] = mapped_column(BigInteger, default=db_now())
