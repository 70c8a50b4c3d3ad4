"""Imports: a file that was handed over, what each of its lines would become, and what it became."""

from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import ID, Base, Json, Owned, db_now, new_id

READING, PREVIEWED, APPLYING, APPLIED = "reading", "previewed", "applying", "applied"
UNDOING, UNDONE = "undoing", "undone"
NEW, DUPLICATE, WRONG, SKIPPED = "new", "duplicate", "wrong", "skipped"


class Intake(Owned, Base):
    """One import, from its preview to its undoing. `subject`: expenses, products, movements, …"""

    __tablename__ = "intake"

    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_id)
    run_id: Mapped[str | None] = mapped_column(ID, ForeignKey("run.id", ondelete="SET NULL"), index=True)  # the preview
    subject: Mapped[str] = mapped_column(String(16))
    name: Mapped[str] = mapped_column(String(120))  # of the file
    sha256: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(12), default=PREVIEWED)
    layout: Mapped[dict[str, Any] | None] = mapped_column(Json)  # what each column is, delimiter, encoding, formats
    counts: Mapped[dict[str, Any] | None] = mapped_column(Json)  # how many lines are new, duplicate, wrong, skipped
    created_by: Mapped[str | None] = mapped_column(ID, ForeignKey("account.id", ondelete="SET NULL"))
    created_at: Mapped[int] = mapped_column(BigInteger, default=db_now())
    applied_at: Mapped[int | None] = mapped_column(BigInteger)
    undone_at: Mapped[int | None] = mapped_column(BigInteger)


class IntakeLine(Owned, Base):
    """One line of a file: what it says, what it becomes, or what is wrong with it. Kept until the import is applied."""

    __tablename__ = "intake_line"

    intake_id: Mapped[str] = mapped_column(ID, ForeignKey("intake.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True)  # of the line in the file, from 1
    state: Mapped[str] = mapped_column(String(10))  # NEW, DUPLICATE, WRONG or SKIPPED
    what: Mapped[dict[str, Any] | None] = mapped_column(Json)  # the fields as they would be written
    reason: Mapped[str] = mapped_column(String(300), default="")
