"""Electricity's tables: meters and their readings, tariffs, places and their weather, forecasts and anomalies."""

import secrets
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, Boolean, Double, ForeignKey, Index, Integer, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import ID, Base, Fixed, Json, Owned, db_now, new_id

INTERVAL, COUNTER = "interval", "counter"
OBSERVED = 0  # `WeatherDay.issued_at` of what was measured, not forecast
MADE, REFUSED, BROKEN = "made", "refused", "failed"


def new_address() -> str:
    """An address for a meter's readings by MQTT: 128 bits of chance, for whoever knows it may write them."""
    return secrets.token_urlsafe(16)


class Tariff(Owned, Base):
    """What a kilowatt-hour costs, when, and how much of it. `rates` is read by `tasks.metering.tariffs` alone."""

    __tablename__ = "tariff"
    __table_args__ = (UniqueConstraint("workspace_id", "name"),)

    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(120))
    kind: Mapped[str] = mapped_column(String(12))  # flat, time of use, tiered
    currency: Mapped[str] = mapped_column(String(3))
    standing: Mapped[Decimal] = mapped_column(Fixed, default=0)  # a day
    rates: Mapped[dict[str, Any] | None] = mapped_column(Json)
    created_at: Mapped[int] = mapped_column(BigInteger, default=db_now())


class Place(Owned, Base):
    """Where meters stand, and where its weather comes from."""

    __tablename__ = "place"
    __table_args__ = (UniqueConstraint("workspace_id", "name"),)

    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(120))
    latitude: Mapped[float | None] = mapped_column(Double)  # to a hundredth of a degree: no house is found by it
    longitude: Mapped[float | None] = mapped_column(Double)
    source: Mapped[str] = mapped_column(String(20), default="file")  # or a weather service that is configured
    fetched_at: Mapped[int | None] = mapped_column(BigInteger)  # last asked; milliseconds, as the machinery's `…_at`
    history_from: Mapped[int | None] = mapped_column(BigInteger)  # epoch seconds: its archive was asked from there on
    trouble: Mapped[str] = mapped_column(String(500), default="")  # why the last fetch brought nothing
    created_at: Mapped[int] = mapped_column(BigInteger, default=db_now())


class WeatherDay(Owned, Base):
    """A UTC day of temperatures of a place, packed as readings are, in hundredths of a degree.

    What was measured has `issued_at` 0 and is known from its own time on; a forecast is known from `issued_at` on.
    """

    __tablename__ = "weather_day"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012  # SQLAlchemy's manner

    place_id: Mapped[str] = mapped_column(ID, ForeignKey("place.id", ondelete="CASCADE"), primary_key=True)
    day: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)  # since 1970-01-01
    issued_at: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)  # epoch seconds
    workspace_id: Mapped[str] = mapped_column(ID)  # the place's
    packed: Mapped[bytes] = mapped_column(LargeBinary)


class Meter(Owned, Base):
    """One electricity meter. Times are epoch seconds.

    `kind` interval: each reading is the energy of the `step` seconds that begin at its time. counter: each reading is
    what the counter showed at its time.
    """

    __tablename__ = "meter"
    __table_args__ = (UniqueConstraint("workspace_id", "name"), Index("ix_meter_source", "workspace_id", "source"))

    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(120))
    kind: Mapped[str] = mapped_column(String(8), default=INTERVAL)
    unit: Mapped[str] = mapped_column(String(4), default="kWh")  # that its readings come in, and are shown in
    time_zone: Mapped[str] = mapped_column(String(64), default="UTC")
    holidays: Mapped[str] = mapped_column(String(12), default="")  # country and region, "DE-BY", as ISO 3166-2
    step: Mapped[int] = mapped_column(Integer, default=0)  # seconds; 0: not known before the first readings
    rolls_at: Mapped[int | None] = mapped_column(BigInteger)  # a counter's last value and one more, in mWh
    source: Mapped[str] = mapped_column(String(160), default="")  # its name elsewhere: "sensor.energy", "node:key"
    address: Mapped[str] = mapped_column(String(32), unique=True, default=new_address)  # the end of its MQTT topic
    tariff_id: Mapped[str | None] = mapped_column(ID, ForeignKey("tariff.id", ondelete="SET NULL"), index=True)
    place_id: Mapped[str | None] = mapped_column(ID, ForeignKey("place.id", ondelete="SET NULL"), index=True)
    note: Mapped[str] = mapped_column(String(500), default="")
    trouble: Mapped[str] = mapped_column(String(300), default="")  # why the last message by MQTT was not taken
    archived: Mapped[bool] = mapped_column(Boolean, default=False)
    first_at: Mapped[int | None] = mapped_column(BigInteger)  # of its readings
    last_at: Mapped[int | None] = mapped_column(BigInteger)
    heard_at: Mapped[int | None] = mapped_column(BigInteger)  # epoch ms; None: no device has sent its readings
    created_at: Mapped[int] = mapped_column(BigInteger, default=db_now())
    tariff: Mapped[Tariff | None] = relationship()
    place: Mapped[Place | None] = relationship()


class ReadingDay(Owned, Base):
    """A UTC day of a meter's readings, packed by `tasks.metering.packing`: two or three bytes each.

    A row each would take 17 bytes on SQLite and 70 on PostgreSQL, and a year's would lie scattered over as many pages
    as it has readings. `revision` moves with every write, so that two writers cannot undo each other.
    """

    __tablename__ = "reading_day"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012  # SQLAlchemy's manner

    meter_id: Mapped[str] = mapped_column(ID, ForeignKey("meter.id", ondelete="CASCADE"), primary_key=True)
    day: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)  # since 1970-01-01
    workspace_id: Mapped[str] = mapped_column(ID)  # the meter's
    revision: Mapped[int] = mapped_column(Integer, default=1)
    count: Mapped[int] = mapped_column(Integer)
    packed: Mapped[bytes] = mapped_column(LargeBinary)


class Outlook(Owned, Base):
    """What the last look at a meter came to: its forecast, or why there is none."""

    __tablename__ = "outlook"
    __table_args__ = (Index("ix_outlook_workspace", "workspace_id", "state"),)

    meter_id: Mapped[str] = mapped_column(ID, ForeignKey("meter.id", ondelete="CASCADE"), primary_key=True)
    workspace_id: Mapped[str] = mapped_column(ID, ForeignKey("workspace.id", ondelete="CASCADE"))  # indexed above
    night: Mapped[str] = mapped_column(String(10))  # the day for which it was made: a run taken up again skips those
    state: Mapped[str] = mapped_column(String(8))
    reason: Mapped[str] = mapped_column(String(500), default="")  # why refused or failed
    model: Mapped[str] = mapped_column(String(120), default="")
    data: Mapped[dict[str, Any] | None] = mapped_column(Json)  # the job's result, as its page shows it
    # For the list of meters, which unpacks no readings and reads no `data`: kWh of the last 7 and 30 whole local days
    # before `night`, of as many before those, and of the forecast of tomorrow; empty where too little is known.
    week_kwh: Mapped[float | None] = mapped_column(Double)
    week_before_kwh: Mapped[float | None] = mapped_column(Double)
    month_kwh: Mapped[float | None] = mapped_column(Double)
    month_before_kwh: Mapped[float | None] = mapped_column(Double)
    tomorrow_kwh: Mapped[float | None] = mapped_column(Double)
    seconds: Mapped[float] = mapped_column(Double, default=0.0)  # CPU
    made_at: Mapped[int] = mapped_column(BigInteger, default=db_now())


class Anomaly(Owned, Base):
    """Something wrong in a meter's readings, from its start on; `end` stays empty while it goes on."""

    __tablename__ = "anomaly"
    __table_args__ = (UniqueConstraint("meter_id", "kind", "start"), Index("ix_anomaly_list", "workspace_id", "start"))

    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_id)
    workspace_id: Mapped[str] = mapped_column(ID, ForeignKey("workspace.id", ondelete="CASCADE"))  # indexed above
    meter_id: Mapped[str] = mapped_column(ID, ForeignKey("meter.id", ondelete="CASCADE"))  # indexed above
    kind: Mapped[str] = mapped_column(String(12))
    start: Mapped[int] = mapped_column(BigInteger)
    end: Mapped[int | None] = mapped_column("until", BigInteger)
    kwh: Mapped[Decimal | None] = mapped_column(Fixed)  # more (or less) than expected
    cost: Mapped[Decimal | None] = mapped_column(Fixed)
    currency: Mapped[str] = mapped_column(String(3), default="")
    text: Mapped[str] = mapped_column(String(500), default="")
    dismissed_at: Mapped[int | None] = mapped_column(BigInteger)  # somebody said that it is none
    dismissed_why: Mapped[str] = mapped_column(String(200), default="")
    created_at: Mapped[int] = mapped_column(BigInteger, default=db_now())
