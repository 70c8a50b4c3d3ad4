"""A household's months and a corner shop, so that every page has something to show: long names, HTML, trouble."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models.account import Account
from models.alert import Channel
from models.base import new_id
from models.intake import Intake, IntakeLine
from models.ledger import Budget, Category, Entry, Payee, Purse, Recurring
from models.run import QUEUED, Run
from models.schedule import Schedule
from models.session import EVERYONE
from models.stock import PARTLY, SENT, Location, Product, Purchase, PurchaseLine, Supplier
from tasks import discover
from tasks.handover import HandedOver
from tasks.inventory.movements import record
from tests.adas_readings import meter_file
from tests.browser.sample_care import customer_care
from tests.browser.sample_energy import electricity
from tests.conftest import Person
from tests.front import WORKER
from workers.enqueue import submit
from workers.execute import execute
from workers.runtime import Runtime

SPENT = {
    "Groceries": ("Corner grocer", 31, 3), "Eating out": ("Noodle bar", 18, 4), "Rent": ("Landlady", 950, 30),
    "Transport": ("Tram tickets", 12, 5), "Clothes and shoes for the whole family": ("Second-hand shop", 45, 21),
}  # fmt: skip
SHELF = [
    ("TEA-01", "Green tea, loose, 250 g bag", 4, 20), ("COF-02", "Coffee beans, dark roast, 1 kg", 35, 10),
    ("MUG-<b>7", "Mug “moon” <script>alert(1)</script>", 0, 6), ("HON-11", "Honey from the allotments, jar", 9, 10),
    ("OLD-99", "A product with a name so long that it does not fit on a phone’s line at all", 12, 0),
]  # fmt: skip
HISTORY = 120  # days


def furnish(runtime: Runtime, person: Person, today: date) -> None:
    """Rows of everything, and one round of all scans with what they wake."""
    with runtime.database.write(EVERYONE) as session:
        session.execute(update(Account).where(Account.id == person.account_id).values(is_admin=True))
    _runs(runtime, person)
    with runtime.database.write(person.workspace_id) as session:
        _household(session, today)
        _shop(session, today)
        _intakes(session)
        session.add(Channel(account_id=person.account_id, name="My phone", scheme="ntfy", sealed_url="sealed"))
    electricity(runtime, person)
    customer_care(runtime, person)
    scan(runtime)


def _runs(runtime: Runtime, person: Person) -> None:
    """A run that is done, one that waits, and a schedule."""
    job, me = discover()["health"], person.account_id
    with runtime.database.write(person.workspace_id) as session:
        handed = HandedOver(job.params())
        ids = [submit(runtime, session, job, handed, person.workspace_id, account_id=me).id for _ in range(2)]
        title, zone = "Every morning", "Europe/London"
        session.add(Schedule(kind="health", title=title, params={}, cron="0 7 * * *", time_zone=zone, account_id=me))
    execute(runtime, ids[0], WORKER)


def scan(runtime: Runtime) -> None:
    """What waits is executed, and what that enqueues, as workers do."""
    kinds = {kind for kind, job in discover().items() if job.area or kind in ("digest", "mail")}
    for _ in range(5):
        with runtime.database.read(EVERYONE) as session:
            found = session.scalars(select(Run.id).where(Run.state == QUEUED, Run.kind.in_(kinds))).all()
        for run_id in found:
            execute(runtime, run_id, WORKER)


def _household(session: Session, today: date) -> None:
    bank = Purse(id=new_id(), name="Bank", currency="EUR", opening=Decimal(2800), number="DE02 1203 0000 0000 2020 51")
    cash = Purse(id=new_id(), name="Cash", kind="cash", currency="EUR", opening=Decimal(900))
    session.add_all([bank, cash])
    categories = {name: Category(id=new_id(), name=name) for name in SPENT}
    session.add_all(categories.values())
    session.flush()
    for name, (payee_name, usual, every) in SPENT.items():
        payee = Payee(id=new_id(), name=payee_name, category_id=categories[name].id)
        session.add(payee)
        session.flush()
        purse = cash.id if name == "Eating out" else bank.id
        for ago in range(0, HISTORY, every):
            session.add(
                Entry(
                    purse_id=purse, category_id=categories[name].id, payee_id=payee.id,
                    on=today - timedelta(ago), amount=-Decimal(usual) - Decimal(ago % 7) / 4, currency="EUR",
                    note="<b>not bold</b>" if ago == 0 else "",
                )
            )  # fmt: skip
    salary = {"purse_id": bank.id, "amount": Decimal(2400)}
    session.add_all(Entry(on=today - timedelta(ago), currency="EUR", note="Salary", **salary) for ago in (3, 33, 64))
    session.add(Recurring(name="Salary", every="month", first_on=today, next_on=today + timedelta(27), **salary))
    since = today - timedelta(HISTORY)
    for name, limit, period in (("Groceries", 60, "week"), ("Eating out", 200, "month"), ("Transport", 4000, "year")):
        session.add(
            Budget(
                name=name, category_id=categories[name].id, limit=Decimal(limit), currency="EUR", period=period,
                since=since, rollover=period == "month",
            )
        )  # fmt: skip
    session.add(Budget(name="Everything", limit=Decimal(1500), currency="EUR", period="payday", starts=25, since=since))


def _shop(session: Session, today: date) -> None:
    supplier = Supplier(id=new_id(), name="Wholesale & Sons", email="orders@example.org", lead_days=9)
    shelf, cellar = Location(id=new_id(), name="Shelf"), Location(id=new_id(), name="Cellar")
    session.add_all([supplier, shelf, cellar])
    session.flush()
    products = []
    for number, (sku, name, on_hand, level) in enumerate(SHELF):
        product = Product(
            id=new_id(), sku=sku, name=name, unit="piece", price=Decimal("6.50"), cost=Decimal("3.20"), currency="EUR",
            supplier_id=supplier.id, location_id=shelf.id, reorder_level=Decimal(level), pack_size=Decimal(6),
            perishable=number == 3, barcode=f"400638133393{number}",
        )  # fmt: skip
        session.add(product)
        session.flush()
        products.append(product)
        sold = HISTORY // (number + 2)
        came: dict[str, Any] = {"expires_on": today + timedelta(12)} if product.perishable else {}
        record(session, product, "purchase", Decimal(on_hand + sold), today - timedelta(HISTORY), **came)
        for each in range(sold if number < 4 else 0):
            record(session, product, "sale", Decimal(1), today - timedelta(each * (number + 2)))
    session.add(Purchase(id=new_id(), number=1, supplier_id=supplier.id, note="The usual"))
    for number, state in ((2, SENT), (3, PARTLY)):
        order = Purchase(
            id=new_id(), number=number, supplier_id=supplier.id, state=state, expected_on=today + timedelta(4)
        )
        session.add(order)
        session.flush()
        received = Decimal(0 if state == SENT else 4)
        for product in products[number - 2 :: 3]:
            line = PurchaseLine(purchase_id=order.id, product_id=product.id, quantity=Decimal(12), received=received)
            session.add(line)


def _intakes(session: Session) -> None:
    """One import that waits for its yes, with a line of each state."""
    counts = {"new": 1, "duplicate": 1, "wrong": 1, "skipped": 0}
    intake = Intake(id=new_id(), subject="expenses", name="bank.csv", sha256="0" * 64, counts=counts, layout={})
    session.add(intake)
    session.flush()
    what = {"on": "2026-03-01", "amount": "-12.50", "currency": "EUR", "payee": "Corner grocer", "note": "<i>x</i>"}
    lines = (("new", ""), ("duplicate", "It is there already."), ("wrong", "31/02 is no day."))
    for number, (state, reason) in enumerate(lines, 1):
        session.add(IntakeLine(intake_id=intake.id, number=number, state=state, what=what, reason=reason))
    session.add(meter_file("roof and flats with a rather long name.csv"))
