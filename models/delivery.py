"""Deliveries: one mail to one address, written down before it is sent."""

from sqlalchemy import BigInteger, Boolean, ForeignKey, Index, Integer, String, false
from sqlalchemy.orm import Mapped, mapped_column

from models.base import ID, Base, LongText, Owned, db_now, new_id

QUEUED, SENDING, SENT, UNSURE, FAILED = "queued", "sending", "sent", "unsure", "failed"


class Delivery(Owned, Base):
    """A mail. A crash between "sending" and "sent" leaves it "unsure": shown, and not sent again.

    `link` names the purpose of a single-use link that is made when the mail is sent, so that its secret is stored
    nowhere; the body has `{link}` in its place. `stop` names what its one-click link unsubscribes from ("digest",
    "at once:stock", …; empty: a mail that cannot be unsubscribed); text and html have `{unsubscribe}` in its place.
    With a `channel_id` it is a message through that channel, and `to` is the channel's name. With a `ticket_id` it is
    a mail to somebody who takes part in that ticket: its body has `{ticket}` where their signed link comes, answers to
    it land in the ticket, and the files of `message_id` go with it. `automatic` tells other machines not to answer.
    """

    __tablename__ = "delivery"
    __table_args__ = (Index("ix_delivery_queue", "state", "workspace_id", "id"),)

    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_id)
    account_id: Mapped[str | None] = mapped_column(ID, ForeignKey("account.id", ondelete="CASCADE"), index=True)
    run_id: Mapped[str | None] = mapped_column(ID, ForeignKey("run.id", ondelete="SET NULL"), index=True)
    channel_id: Mapped[str | None] = mapped_column(ID, ForeignKey("channel.id", ondelete="CASCADE"))
    ticket_id: Mapped[str | None] = mapped_column(ID, index=True)  # no key: what was sent outlives its ticket
    message_id: Mapped[str | None] = mapped_column(ID)
    automatic: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    to: Mapped[str] = mapped_column("to_address", String(254))
    subject: Mapped[str] = mapped_column(String(200))
    text: Mapped[str] = mapped_column(LongText)
    html: Mapped[str] = mapped_column(LongText, default="")
    link: Mapped[str | None] = mapped_column(String(16))
    stop: Mapped[str] = mapped_column(String(40), default="", server_default="")
    state: Mapped[str] = mapped_column(String(12), default=QUEUED)  # indexed above
    tries: Mapped[int] = mapped_column(Integer, default=0)
    reason: Mapped[str] = mapped_column(String(300), default="")
    fate: Mapped[str] = mapped_column(String(12), default="", server_default="")  # told later: delivered, bounced, …
    fate_at: Mapped[int | None] = mapped_column(BigInteger)
    due_at: Mapped[int | None] = mapped_column(BigInteger)  # it waits until then; None: it goes at once
    created_at: Mapped[int] = mapped_column(BigInteger, default=db_now())
    attempted_at: Mapped[int | None] = mapped_column(BigInteger)
    sent_at: Mapped[int | None] = mapped_column(BigInteger)
    read_at: Mapped[int | None] = mapped_column(BigInteger)


class Picture(Owned, Base):
    """A PNG inside a mail: html names it as `cid:NAME`. Its bytes stand in storage under `key`."""

    __tablename__ = "picture"

    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_id)
    delivery_id: Mapped[str] = mapped_column(ID, ForeignKey("delivery.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(40))
    alt: Mapped[str] = mapped_column(String(500))
    size: Mapped[int] = mapped_column(BigInteger)
    key: Mapped[str] = mapped_column(String(80))


class Bounced(Base):
    """An address that mail does not reach: nothing is sent there until its owner confirms it again."""

    __tablename__ = "bounced"

    address: Mapped[str] = mapped_column(String(254), primary_key=True)  # lower case
    reason: Mapped[str] = mapped_column(String(300))
    at: Mapped[int] = mapped_column(BigInteger, default=db_now())


class MailEvent(Base):
    """A provider's event that was heard, by its id: a second telling does nothing."""

    __tablename__ = "mail_event"

    id: Mapped[str] = mapped_column(String(120), primary_key=True)
    at: Mapped[int] = mapped_column(BigInteger, default=db_now(), index=True)
