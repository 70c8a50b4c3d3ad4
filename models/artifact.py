"""Files: what people hand over (uploads) and what runs leave (artifacts). The bytes stand in storage under `key`."""

from sqlalchemy import BigInteger, ForeignKey, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import ID, Base, Owned, db_now, new_id


class Upload(Owned, Base):
    """A file handed over, checked and stripped of metadata. `deleted_at`: its bytes are gone, the row tells so."""

    __tablename__ = "upload"

    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_id)
    run_id: Mapped[str | None] = mapped_column(ID, ForeignKey("run.id", ondelete="CASCADE"), index=True)
    field: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(120))
    media_type: Mapped[str] = mapped_column(String(80))
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))
    key: Mapped[str] = mapped_column(String(80))
    created_at: Mapped[int] = mapped_column(BigInteger, default=db_now())
    deleted_at: Mapped[int | None] = mapped_column(BigInteger)


class Artifact(Owned, Base):
    """A file that a run leaves."""

    __tablename__ = "artifact"

    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_id)
    run_id: Mapped[str] = mapped_column(ID, ForeignKey("run.id", ondelete="CASCADE"), index=True)
    attempt: Mapped[int] = mapped_column(Integer)
    name: Mapped[str] = mapped_column(String(120))
    title: Mapped[str] = mapped_column(String(120))
    media_type: Mapped[str] = mapped_column(String(80))
    size: Mapped[int] = mapped_column(BigInteger)
    key: Mapped[str] = mapped_column(String(80))
    created_at: Mapped[int] = mapped_column(BigInteger, default=db_now())
