"""How many requests a minute the API answers.

A minute may begin within a test, and a part of the limit comes back: so a test asks until it is refused, and for more
than the limit only a few times more.
"""

import json
import time
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import event
from werkzeug.test import TestResponse

from deploy.settings import Settings
from tests.conftest import Person
from tests.front import token_of
from web import create_app
from web.rates import PLACES, Rates, network
from workers.runtime import Runtime

MOST = 5
Ask = Callable[..., TestResponse]


@pytest.fixture
def front(runtime: Runtime, settings: Settings) -> Flask:
    """A front whose API answers five requests a minute."""
    made: Flask = create_app(settings.model_copy(update={"api_per_minute": MOST}))
    made.testing = True
    return made


@pytest.fixture
def ask(front: Flask) -> Ask:
    def asked(header: dict[str, str] | None = None, address: str = "127.0.0.1", path: str = "/jobs") -> TestResponse:
        base = {"REMOTE_ADDR": address}
        return front.test_client().get(f"/api/v1{path}", headers=header, environ_base=base)

    return asked


def until_refused(ask: Ask, *given: object) -> tuple[list[int], TestResponse]:
    """What was answered before the limit was met, and the refusal."""
    answered: list[int] = []
    while (answer := ask(*given)).status_code != 429:
        answered.append(answer.status_code)
        assert len(answered) <= 4 * MOST
    return answered, answer


def test_a_token_that_asks_too_often_is_told_when_to_go_on(runtime: Runtime, ada: Person, ask: Ask) -> None:
    answered, refused = until_refused(ask, token_of(runtime, ada))
    assert len(answered) >= MOST
    assert set(answered) == {200}
    assert refused.content_type == "application/problem+json"
    wait = int(refused.headers["Retry-After"])
    assert 1 <= wait <= 120
    told = json.loads(refused.text)
    assert told["status"] == 429
    assert f"At most {MOST} requests a minute" in told["detail"]
    assert f"Wait {wait} seconds" in told["detail"]


def test_each_token_has_a_limit_of_its_own_also_at_one_address(runtime: Runtime, ada: Person, ask: Ask) -> None:
    until_refused(ask, token_of(runtime, ada))
    assert ask(token_of(runtime, ada)).status_code == 200


def test_who_shows_no_valid_token_is_counted_by_address(runtime: Runtime, ada: Person, ask: Ask) -> None:
    valid = token_of(runtime, ada)
    answered, _ = until_refused(ask)
    assert set(answered) == {401}
    assert ask({"Authorization": "Bearer nightshift_guessed"}).status_code == 429, "another guess is no other one"
    assert ask(None, "127.0.0.1", "/openapi.json").status_code == 429
    assert ask(valid).status_code == 200, "a neighbour's token is still good"
    others = [ask(None, f"10.0.0.{number}").status_code for number in range(4)]
    assert 401 in others  # two addresses may share a place, four hardly with the one


def test_a_refusal_costs_a_token_no_trip_to_the_database(runtime: Runtime, ada: Person, front: Flask, ask: Ask) -> None:
    header, statements = token_of(runtime, ada), list[str]()
    engine = front.extensions["nightshift"].database.engine
    event.listen(engine, "before_cursor_execute", lambda *what: statements.append(what[2]))
    costs: dict[int, set[int]] = {200: set(), 429: set()}
    for _ in range(4 * MOST):
        before = len(statements)
        costs[ask(header).status_code].add(len(statements) - before)
    assert min(costs[200]) > 0
    assert costs[429] == {0}


def test_pages_are_not_counted_and_nought_is_no_limit(
    runtime: Runtime, ada: Person, front: Flask, settings: Settings
) -> None:
    client = front.test_client()
    assert {client.get("/livez").status_code for _ in range(3 * MOST)} == {200}
    free, header = create_app(settings.model_copy(update={"api_per_minute": 0})), token_of(runtime, ada)
    assert {free.test_client().get("/api/v1/jobs", headers=header).status_code for _ in range(3 * MOST)} == {200}


def test_what_was_spent_comes_back() -> None:
    rates = Rates(3, seconds=1)
    while not rates.count("ada"):
        pass
    end = time.monotonic() + 30
    while rates.count("ada"):
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_flood_from_many_addresses_takes_a_bounded_number_of_places() -> None:
    rates = Rates(3)
    places = {rates.place(f"10.{first}.{second}.1") for first in range(100) for second in range(256)}
    assert PLACES / 2 < len(places) <= PLACES


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
    ],
)
def test_of_ipv6_a_whole_network_is_one_address(address: str, counted: str) -> None:
    assert network(address) == counted
