"""Deliveries: one mail to one address, written down before it is sent."""

from sqlalchemy import BigInteger, ForeignKey, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import ID, Base, LongText, Owned, db_now, new_id

QUEUED, SENDING, SENT, UNSURE, FAILED = "queued", "sending", "sent", "unsure", "failed"


class Delivery(Owned, Base):
    """A mail. A crash between "sending" and "sent" leaves it "unsure": shown, and not sent again.

    `link` names the purpose of a single-use link that is made when the mail is sent, so that its secret is stored
    nowhere; the body has `{link}` in its place.
    """

    __tablename__ = "delivery"

    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_id)
    account_id: Mapped[str | None] = mapped_column(ID, ForeignKey("account.id", ondelete="CASCADE"), index=True)
    run_id: Mapped[str | None] = mapped_column(ID, ForeignKey("run.id", ondelete="SET NULL"), index=True)
    to: Mapped[str] = mapped_column("to_address", String(254))
    subject: Mapped[str] = mapped_column(String(200))
    text: Mapped[str] = mapped_column(LongText)
    html: Mapped[str] = mapped_column(LongText, default="")
    link: Mapped[str | None] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(12), default=QUEUED, index=True)
    tries: Mapped[int] = mapped_column(Integer, default=0)
    reason: Mapped[str] = mapped_column(String(300), default="")
    created_at: Mapped[int] = mapped_column(BigInteger, default=db_now())
    attempted_at: Mapped[int | None] = mapped_column(BigInteger)
    sent_at: Mapped[int | None] = mapped_column(BigInteger)
    read_at: Mapped[int | None] = mapped_column(BigInteger)
