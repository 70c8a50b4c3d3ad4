"""The demo of a stack that is only looked at: one account with samples of all five systems, made once."""

from flask import Flask
from sqlalchemy import func, select

from models.account import Account
from models.ledger import Entry
from models.meter import Meter
from models.run import Run
from models.session import EVERYONE
from models.stock import Product
from models.ticket import Ticket
from tests.front import WORKER
from tests.web_fixtures import Browser
from web import demo
from workers.execute import execute
from workers.runtime import Runtime


def test_the_demo_has_something_of_everything_and_lets_its_owner_in(runtime: Runtime, app: Flask) -> None:
    said = demo.make(runtime)
    password = runtime.settings.secret("demo_password")
    assert password not in said
    with runtime.database.read(EVERYONE) as session:
        counts = {
            table: session.scalar(select(func.count()).select_from(table)) for table in (Entry, Meter, Product, Ticket)
        }
        assert min(count or 0 for count in counts.values()) > 0, counts
        run = session.scalars(select(Run).where(Run.kind == "ecg")).one().id
    execute(runtime, run, WORKER)
    with runtime.database.read(EVERYONE) as session:
        assert session.scalars(select(Run.state).where(Run.id == run)).one() == "succeeded"
    browser = Browser(app)
    browser.sign_in(demo.EMAIL, password)
    assert browser.signed_in()


def test_a_demo_is_made_in_an_empty_system_alone(runtime: Runtime, ada: object) -> None:
    assert demo.make(runtime) == "There are accounts already, so nothing was made."
    assert not (runtime.settings.var / "secrets" / "demo_password").exists()
    with runtime.database.read(EVERYONE) as session:
        assert session.scalars(select(Account).where(Account.email == demo.EMAIL)).first() is None
