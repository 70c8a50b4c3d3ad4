"""A request that lost against another one in the database is done again, whole, and never twice."""

import io
import re
import threading
import time
from typing import Any

import pytest
from flask import Flask, flash, request
from sqlalchemy import Connection, select, text, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from models.account import Throttle
from models.session import EVERYONE
from models.ticket import Ticket, TicketEvent, TicketLink
from tests.care_people import ticket_of
from tests.conftest import Person
from tests.front import browser_of
from tests.servers import DATABASES
from tests.web_fixtures import Browser, rows
from web import current, throttle
from workers.runtime import Runtime

WAITING = {  # somebody waits for a row
    "postgresql": "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'",
    "mariadb": "SELECT count(*) FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'",
}


def lose() -> None:
    """As MariaDB's driver tells a deadlock in a savepoint."""
    try:
        raise OperationalError("UPDATE", {}, Exception(1213, "Deadlock found when trying to get lock"))
    except OperationalError:
        raise OperationalError("ROLLBACK TO", {}, Exception(1305, "SAVEPOINT does not exist"))  # noqa: B904  # as SQLAlchemy has it


def route(app: Flask, view: Any) -> None:
    app.add_url_rule("/probe", "probe", current.own(view), methods=["POST"])


def held(connection: Connection, name: str) -> bool:
    """Whether a request waits for what this test holds."""
    for _ in range(60):
        time.sleep(0.15)  # MariaDB looks anew only where nobody asked for 100 ms
        if connection.execute(text(WAITING[name])).scalar():
            return True
    return False


@pytest.mark.parametrize("settings", sorted(DATABASES), indirect=True)
def test_a_deed_that_lost_a_deadlock_is_done_once_and_its_agent_sees_nothing_of_it(
    app: Flask, runtime: Runtime, ada: Person, request: pytest.FixtureRequest
) -> None:
    name = request.node.callspec.params["settings"]
    low, high = sorted(ticket_of(runtime, ada, subject=f"{each}" * 50) for each in "ab")
    browser, answers = browser_of(app, runtime, ada), list[TestResponse]()
    browser.get("/care/1")
    thread = threading.Thread(target=lambda: answers.append(browser.post("/care/1/link", {"link": "2"})))
    with runtime.database.engine.connect() as watching, runtime.database.write(EVERYONE) as session:
        made_heavy(session)  # MariaDB lets whoever wrote more go on
        session.execute(update(Ticket).where(Ticket.id == high).values(spent=1))
        thread.start()
        assert held(watching.execution_options(isolation_level="AUTOCOMMIT"), name)
        session.execute(update(Ticket).where(Ticket.id == low).values(spent=1))
    thread.join()
    assert [each.status_code for each in answers] == [303]
    (link,) = rows(runtime.database, TicketLink)
    assert (link.one_id, link.other_id) == (low, high)
    assert [each.what for each in rows(runtime.database, TicketEvent)].count("linked") == 2
    assert {(each.spent, each.version) for each in rows(runtime.database, Ticket)} == {(1, 2)}


def made_heavy(session: Session) -> None:
    for number in range(200):
        session.add(Throttle(key=f"heavy {number}", since=0, count=1))
    session.flush()


def test_the_second_try_meets_the_files_and_the_cookie_of_the_first(app: Flask, runtime: Runtime, ada: Person) -> None:
    seen: list[tuple[bytes, str]] = []

    def probe() -> str:
        seen.append((request.files["file"].read(), request.form["text"]))
        flash("Done.", "success")
        throttle.count("probe", "somebody", 10)
        if len(seen) < 2:
            lose()
        return "done"

    route(app, probe)
    ada_s = browser_of(app, runtime, ada)
    form = {"file": (io.BytesIO(b"x" * 100_000), "a.bin"), "text": "Hello"}
    assert ada_s.post("/probe", form).text == "done"
    assert seen == [(b"x" * 100_000, "Hello")] * 2
    assert len(re.findall(r"Done\.", ada_s.get("/account").text)) == 1


@pytest.mark.parametrize("ends", [True, False])
def test_what_was_partly_committed_or_lost_too_often_is_not_done_again(app: Flask, ada_s: Browser, ends: bool) -> None:
    tries = []

    def probe() -> str:
        tries.append(1)
        with current.writing() as session:
            session.scalars(select(Ticket)).all()
            if not ends:
                lose()
        lose()
        return "never"

    route(app, probe)
    answer = ada_s.post("/probe")
    assert (answer.status_code, len(tries)) == (503, 1 if ends else 3)
    assert "Try again in a minute" in answer.text
