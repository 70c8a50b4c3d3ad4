"""A row of every table that the subjects, the alerts and the mail have, for the tests of export and erasure."""

import io
from datetime import date
from decimal import Decimal
from itertools import count

import numpy as np
from sqlalchemy.orm import Session

from models.alert import Alert, Channel, Move, Mute, Notice, Wish
from models.base import Base, new_id
from models.delivery import Bounced, Delivery, Picture
from models.intake import Intake, IntakeLine
from models.ledger import Budget, Category, Entry, Payee, Purse, Recurring
from models.meter import MADE, Anomaly, Meter, Outlook, Place, ReadingDay, Tariff, WeatherDay
from models.stock import Location, Movement, Product, Purchase, PurchaseLine, Supplier
from tasks.metering.packing import pack
from tasks.storage import Storage
from tests.adas_teams import team_rows
from tests.care_rows import with_care
from tests.conftest import Person

DAY = date(2026, 3, 1)
NUMBERS = count(1)  # of purchase orders
SEALED = "a sealed address that leaves in no export"


def with_subjects(session: Session, storage: Storage, person: Person, email: str, secret: str) -> None:
    """One row of each, and none without what it points at."""
    for make in (_money, _stock, _intake, _alerts, _energy, team_rows):
        for row in make(person, secret):
            session.merge(row)
            session.flush()
    with_care(session, storage, person, secret, SEALED)
    _mail(session, storage, person, email)


def _money(person: Person, secret: str) -> list[Base]:
    here = {"workspace_id": person.workspace_id}
    purse, category, payee = new_id(), new_id(), new_id()
    points = {"purse_id": purse, "category_id": category, "payee_id": payee}
    amount = Decimal("12.50")
    return [
        Purse(id=purse, name=f"Bank {purse}", currency="EUR", opening=amount, number=secret, **here),
        Category(id=category, name=f"Groceries {category}", **here),
        Payee(id=payee, name=f"Baker {payee}", category_id=category, **here),
        Recurring(id=new_id(), name=secret, amount=amount, every="month", first_on=DAY, **points, **here),
        Entry(id=new_id(), on=DAY, amount=-amount, currency="EUR", note=secret, **points, **here),
        Budget(
            id=new_id(), name=secret, category_id=category, limit=amount, currency="EUR", since=DAY,
            created_by=person.account_id, **here,
        ),
    ]  # fmt: skip


def _stock(person: Person, secret: str) -> list[Base]:
    here = {"workspace_id": person.workspace_id}
    supplier, shelf, product, order, line = (new_id() for _ in range(5))
    one = Decimal(1)
    return [
        Supplier(id=supplier, name=f"Mill {supplier}", note=secret, **here),
        Location(id=shelf, name=f"Shelf {shelf}", note=secret, **here),
        Product(id=product, sku=product, name=secret, currency="EUR", supplier_id=supplier, location_id=shelf, **here),
        Purchase(id=order, number=next(NUMBERS), supplier_id=supplier, note=secret, **here),
        PurchaseLine(id=line, purchase_id=order, product_id=product, quantity=one, **here),
        Movement(
            id=new_id(), product_id=product, kind="purchase", quantity=one, on=DAY, line_id=line, note=secret,
            created_by=person.account_id, **here,
        ),
    ]  # fmt: skip


def _intake(person: Person, secret: str) -> list[Base]:
    here = {"workspace_id": person.workspace_id}
    intake = new_id()
    lines = [IntakeLine(intake_id=intake, number=n, state="new", what={"note": secret}, **here) for n in range(1, 4)]
    return [Intake(id=intake, subject="expenses", name=secret, sha256="0" * 64, **here), *lines]


def _alerts(person: Person, secret: str) -> list[Base]:
    here, mine = {"workspace_id": person.workspace_id}, {"account_id": person.account_id}
    alert, move, subject = new_id(), new_id(), new_id()
    return [
        Alert(id=alert, area="stock", rule="stock", subject=subject, title=secret, **here),
        Move(id=move, alert_id=alert, what="opened", level=1, title=secret, **here),
        Mute(rule="stock", subject=subject, **mine, **here),
        Notice(move_id=move, area="stock", **mine, **here),
        Wish(areas={"stock": "at once"}, **mine),
        Channel(id=new_id(), name="My phone", scheme="ntfy", sealed_url=SEALED, **mine),
    ]


def _energy(person: Person, secret: str) -> list[Base]:
    here = {"workspace_id": person.workspace_id}
    place, tariff, meter = new_id(), new_id(), new_id()
    packed = pack(np.array([86_400, 90_000]), np.array([1_000_000, 2_000_000]))
    return [
        Place(id=place, name=f"Home {place}", trouble=secret, **here),
        Tariff(id=tariff, name=f"Flat {tariff}", kind="flat", currency="EUR", rates={"note": secret}, **here),
        Meter(id=meter, name=f"Main {meter}", note=secret, place_id=place, tariff_id=tariff, **here),
        ReadingDay(meter_id=meter, day=1, count=2, packed=packed, **here),
        WeatherDay(place_id=place, day=1, issued_at=0, packed=packed, **here),
        Outlook(meter_id=meter, night="2026-03-02", state=MADE, data={"note": secret}, **here),
        Anomaly(id=new_id(), meter_id=meter, kind="spike", start=86_400, kwh=Decimal(3), text=secret, **here),
    ]


def _mail(session: Session, storage: Storage, person: Person, email: str) -> None:
    """A mail with a picture, one through a channel's way, and an address that one did not reach."""
    here, mail = {"workspace_id": person.workspace_id}, new_id()
    words = {"to": email, "subject": "Your digest", "text": "News"}
    session.add(Delivery(id=mail, account_id=person.account_id, **words, **here))
    session.flush()
    key, size = storage.put(io.BytesIO(b"picture"))
    session.add(Picture(id=new_id(), delivery_id=mail, name="spending", alt="What went", size=size, key=key, **here))
    session.merge(Bounced(address=email, reason="550 No such mailbox"))
