"""Schedules and their slots."""

from sqlalchemy import BigInteger, Boolean, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import ID, Base, Json, Owned, db_now, new_id


class Schedule(Owned, Base):
    """When a job runs by itself: a crontab line in a time zone. A job's own default is the row `default-KIND`."""

    __tablename__ = "schedule"

    id: Mapped[str] = mapped_column(String(60), primary_key=True, default=new_id)
    kind: Mapped[str] = mapped_column(String(40))
    params: Mapped[dict[str, object]] = mapped_column(Json)
    cron: Mapped[str] = mapped_column(String(120))
    time_zone: Mapped[str] = mapped_column(String(64), default="UTC")
    account_id: Mapped[str | None] = mapped_column(ID, ForeignKey("account.id", ondelete="SET NULL"))
    enabled: Mapped[bool] = mapped_column(Boolean, default=True)
    next_due: Mapped[int | None] = mapped_column(BigInteger, index=True)
    created_at: Mapped[int] = mapped_column(BigInteger, default=db_now())


class Slot(Base):
    """One due time of a schedule. Its primary key lets any number of beats insert it once; a missed one has no run."""

    __tablename__ = "slot"

    schedule_id: Mapped[str] = mapped_column(
        String(60), ForeignKey("schedule.id", ondelete="CASCADE"), primary_key=True
    )
    due: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    run_id: Mapped[str | None] = mapped_column(ID)
    note: Mapped[str] = mapped_column(String(120), default="")
