"""The demo of a stack that is only looked at: one account with samples of all five systems, made once."""

import pytest
from flask import Flask
from sqlalchemy import delete, func, select, update

from models.account import Account
from models.artifact import Upload
from models.ledger import Entry, Purse
from models.meter import Meter
from models.run import Run
from models.session import EVERYONE
from models.stock import Product
from models.ticket import Ticket
from models.workspace import SYSTEM, Membership
from tasks.books import sample_money
from tasks.care import sample
from tasks.inventory import purchases, stock_sample
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


PARTS = (Account, Purse, Product, Meter, Ticket, Upload)


def counts(runtime: Runtime) -> list[int]:
    with runtime.database.read(EVERYONE) as session:
        of_all = [session.scalar(select(func.count()).select_from(each)) or 0 for each in PARTS]
        return [*of_all, session.scalar(select(func.count()).where(Run.kind == "ecg")) or 0]


def killed(*given: object) -> None:
    raise KeyboardInterrupt


def test_a_demo_that_was_killed_half_way_is_finished_by_the_next_start_and_then_left_alone(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as then:
        then.setattr(purchases, "send", killed)  # in the middle of the goods
        with pytest.raises(KeyboardInterrupt):
            demo.make(runtime)
    assert counts(runtime) == [1, 2, 0, 0, 0, 0, 0]
    assert "Sign in as" in demo.make(runtime)
    assert counts(runtime) == [1, 2, len(stock_sample.GOODS), 1, len(sample.stories()), 1, 1]
    with runtime.database.write(EVERYONE) as session:
        session.execute(delete(Run))
        session.execute(delete(Meter))
        session.execute(update(Account).values(email="ada@example.org"))
    kept = counts(runtime)
    assert demo.make(runtime) == demo.NOTHING
    assert counts(runtime) == kept


def test_what_its_owner_began_meanwhile_stays_alone_and_the_rest_is_made(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as then:
        then.setattr(sample_money, "write", killed)
        with pytest.raises(KeyboardInterrupt):
            demo.make(runtime)
    with runtime.database.read(EVERYONE) as session:
        place = session.scalars(select(Membership.workspace_id).where(Membership.workspace_id != SYSTEM)).one()
    with runtime.database.write(place) as session:
        session.add(Purse(name="Mine", currency="EUR"))
        session.add(Product(name="Mine", sku=stock_sample.GOODS[0][1], currency="EUR"))
    assert "Sign in as" in demo.make(runtime)
    assert counts(runtime) == [1, 1, 1, 1, len(sample.stories()), 1, 1]
    assert demo.make(runtime) == demo.NOTHING


def test_a_demo_is_made_in_an_empty_system_alone(runtime: Runtime, ada: object) -> None:
    assert demo.make(runtime) == "There are accounts already, so nothing was made."
    assert not (runtime.settings.var / "secrets" / "demo_password").exists()
    with runtime.database.read(EVERYONE) as session:
        assert session.scalars(select(Account).where(Account.email == demo.EMAIL)).first() is None
