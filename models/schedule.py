"""Schedules and their slots."""

from sqlalchemy import BigInteger, Boolean, ForeignKey, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import ID, Base, Json, Owned, db_now, new_id


class Schedule(Owned, Base):
    """When a job runs by itself. A job's own default is the row `default-KIND`.

    `repeat` says how: "once" at `once_at`, "minutes" every `every_minutes`, else by the crontab line `cron` in
    `time_zone` ("daily", "weekly" and "monthly" are such lines that the form wrote).
    """

    __tablename__ = "schedule"

    id: Mapped[str] = mapped_column(String(60), primary_key=True, default=new_id)
    kind: Mapped[str] = mapped_column(String(40))
    params: Mapped[dict[str, object]] = mapped_column(Json)
    title: Mapped[str] = mapped_column(String(120), default="", server_default="")
    repeat: Mapped[str] = mapped_column(String(10), default="cron", server_default="cron")
    cron: Mapped[str] = mapped_column(String(120), default="")
    every_minutes: Mapped[int | None] = mapped_column(Integer)
    once_at: Mapped[int | None] = mapped_column(BigInteger)
    priority: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    time_zone: Mapped[str] = mapped_column(String(64), default="UTC")
    account_id: Mapped[str | None] = mapped_column(ID, ForeignKey("account.id", ondelete="SET NULL"))
    enabled: Mapped[bool] = mapped_column(Boolean, default=True)
    stopped: Mapped[str] = mapped_column(String(300), default="", server_default="")  # why it was, in a sentence
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
