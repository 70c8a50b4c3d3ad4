"""The pages of meters and places: the list, a meter made, changed and deleted, weather brought and asked for."""

import time
from datetime import date

import pytest
from flask import Flask
from sqlalchemy import event, func, insert, select

from models.base import new_id
from models.meter import Anomaly, Meter, Outlook, Place, ReadingDay, Tariff
from models.session import EVERYONE
from models.workspace import AuditEntry
from tasks.metering import readings, sample_meter, weather
from tests.conftest import Person
from tests.energy_front import NOW, meter_of, place_of, rows
from tests.front import browser_of, member_of
from tests.stock_front import text_of
from tests.web_fixtures import Browser
from web.energy import change, kwh
from workers.runtime import Runtime

DAY = 86_400
FORM = {"name": "Main", "kind": "interval", "unit": "kWh", "time_zone": "Europe/Berlin"}


@pytest.fixture
def guest(app: Flask, runtime: Runtime, ada: Person) -> Browser:
    """Somebody who may only look."""
    return browser_of(app, runtime, member_of(runtime, ada, "guest", "viewer"))


# The list


def test_without_a_meter_the_page_says_what_to_do_first(ada_s: Browser, guest: Browser) -> None:
    page = ada_s.get("/energy")
    assert all(words in page.text for words in ("Make a meter", "Try sample data", 'href="/energy/meters/new"'))
    assert "Try sample data" not in guest.get("/energy").text
    assert 'aria-current="page" href="/energy"' in page.text


def test_one_click_makes_a_household_to_look_around_in_and_two_make_no_second(
    ada_s: Browser, guest: Browser, runtime: Runtime, ada: Person
) -> None:
    assert guest.post("/energy/sample").status_code == 403
    answer = ada_s.post("/energy/sample")
    (meter,) = rows(runtime, Meter)
    assert answer.status_code == 303
    assert answer.location == f"/energy/meters/{meter.id}"
    assert ada_s.post("/energy/sample").location == answer.location
    assert (len(rows(runtime, Meter)), len(rows(runtime, Tariff)), len(rows(runtime, Place))) == (1, 1, 1)
    assert 'text-bg-secondary">sample</span>' in ada_s.get("/energy").text
    with runtime.database.read(ada.workspace_id) as session:
        count = session.scalar(select(func.sum(ReadingDay.count)))
        told = weather.known(session, meter.place_id, NOW - 400 * DAY, NOW + 9 * DAY, int(time.time()) + 60)
    assert 34_000 < int(count or 0) < 35_044, "a year of quarter hours, but for a gap"
    assert NOW - 3600 < meter.last_at < time.time() + 60
    assert (told.issued > 0).sum() >= 6 * 24
    assert (told.issued == 0).sum() >= 364 * 24


def test_the_household_is_the_same_each_time_and_holds_what_was_planted() -> None:
    one, other = (sample_meter.household(date(2026, 11, 20)) for _ in range(2))
    assert (one.readings.values == other.readings.values).all()
    assert {planted.kind for planted in one.planted} == {"spike", "flat", "missing", "base load"}
    for planted in one.planted:
        inside = (one.readings.times >= planted.start) & (one.readings.times < planted.end)
        kwh = one.readings.values[inside] / 1e6
        assert (len(kwh) == 0) == (planted.kind == "missing"), planted
        assert (len(set(kwh)) == 1) == (planted.kind == "flat"), planted
    assert 3000 < one.readings.values.sum() / 1e6 < 6000
    spring = sample_meter.household(date(2027, 3, 30)).readings.times
    assert (spring[1:] > spring[:-1]).all()


def test_each_line_says_how_much_how_fresh_and_what_is_wrong(ada_s: Browser, runtime: Runtime, ada: Person) -> None:
    fresh = meter_of(runtime, ada, name="Fresh", last_at=NOW - 3600, step=900)
    meter_of(runtime, ada, name="Quiet", last_at=NOW - 9 * DAY, step=900)
    meter_of(runtime, ada, name="Monthly", last_at=NOW - 40 * DAY, step=31 * DAY)
    meter_of(runtime, ada, name="Old", archived=True)
    refused = meter_of(runtime, ada, name="Odd <b>")
    figures = {"week_kwh": 84.25, "week_before_kwh": 70.0, "month_kwh": 1234.5, "tomorrow_kwh": 12.04}
    with runtime.database.write(ada.workspace_id) as session:
        session.add(Outlook(meter_id=fresh, night="2026-01-01", state="made", **figures))
        session.add(Outlook(meter_id=refused, night="2026-01-01", state="refused", reason="Three readings are few."))
        for number, more in enumerate(({}, {"end": 5}, {"dismissed_at": 1})):
            session.add(Anomaly(meter_id=fresh, kind="spike", start=number, **more))
    page = ada_s.get("/energy")
    text = text_of(page)
    assert "Fresh fresh 1 hour ago 84.2 kWh 20 % more 1,234 kWh 12.0 kWh 1" in text.replace("1,235", "1,234")
    assert "Quiet silent 9 days ago" in text
    assert "Monthly fresh" in text
    assert "Odd <b> Three readings are few. no readings" in text
    assert "Old" not in text
    assert "1 thing is wrong · 1 meter is silent" in text
    assert "Odd <b>" not in page.text

    def shown(query: str) -> list[str]:
        found = text_of(ada_s.get(f"/energy?{query}"))
        return [name for name in ("Fresh", "Quiet", "Monthly", "Old ", "Odd <b>") if f"{name}" in found]

    assert shown("show=silent") == ["Quiet"]
    assert shown("show=wrong") == ["Fresh"]
    assert shown("q=quiet") == ["Quiet"]
    assert shown("q=%25") == []
    assert "No meter is like that" in ada_s.get("/energy?q=zebra").text
    assert "Old" in ada_s.get("/energy?show=archived").text
    for sort in ("name", "-name", "last", "-week", "month", "-tomorrow", "nonsense"):
        assert ada_s.get(f"/energy?sort={sort}&page=99999999999999999999").status_code == 200
    by_week = ada_s.get("/energy?sort=-week").text
    assert by_week.index("Fresh") < by_week.index("Quiet")


@pytest.mark.parametrize(("value", "said"), [(None, "–"), (0, "0.00 kWh"), (12.34, "12.3 kWh"), (-3.2, "−3.20 kWh")])
def test_figures_have_three_digits_that_say_something(value: float | None, said: str) -> None:
    assert kwh(value) == said
    assert kwh(1_234_567.8) == "1,234,568 kWh"
    assert [change(*pair) for pair in ((110, 100), (9, 10), (5, 5), (None, 1), (1, 0), (1, -1), (900, 1))] == [
        "10 % more", "10 % less", "as before", "", "", "", "far more",
    ]  # fmt: skip


def test_the_list_of_ten_thousand_meters_is_a_page_of_fifty_and_unpacks_nothing(
    ada_s: Browser, runtime: Runtime, ada: Person
) -> None:
    ids = [new_id() for _ in range(10_000)]
    here = {"workspace_id": ada.workspace_id}
    with runtime.database.write(EVERYONE) as session:
        session.execute(
            insert(Meter),
            [
                {"id": each, "name": f"Flat {number:05}", "last_at": NOW - number * 60, "address": each, **here}
                for number, each in enumerate(ids)
            ],
        )
        made = {"night": "2026-01-01", "state": "made", "data": {"much": "x" * 300}}
        session.execute(
            insert(Outlook),
            [{"meter_id": each, "week_kwh": n * 0.1, **made, **here} for n, each in enumerate(ids)],
        )
    asked: list[str] = []
    event.listen(
        runtime.database.engine, "before_cursor_execute", lambda _c, _u, statement, *_more: asked.append(statement)
    )
    took = {}
    for query in ("", "?sort=-week&page=3", "?q=flat+09", "?show=silent"):
        began = time.perf_counter()
        answer = ada_s.get(f"/energy{query}")
        took[query] = time.perf_counter() - began
        assert answer.status_code == 200
        assert answer.text.count("/energy/meters/0") == 50, query
    assert not [statement for statement in asked if "reading_day" in statement or "outlook.data" in statement]
    assert min(took.values()) < 1, took
    assert "Page 3 of 200" in ada_s.get("/energy?page=3").text


# A meter


def test_a_meter_is_made_changed_put_away_and_deleted_with_its_readings(
    ada_s: Browser, runtime: Runtime, ada: Person
) -> None:
    assert "New meter" in ada_s.get("/energy/meters/new").text
    answer = ada_s.post("/energy/meters/new", FORM)
    (meter,) = rows(runtime, Meter)
    assert (answer.status_code, answer.location) == (303, f"/energy/meters/{meter.id}")
    path = f"/energy/meters/{meter.id}"
    page = ada_s.get(f"{path}/edit").text
    assert 'value="Europe/Berlin"' in page
    assert meter.address in page
    counter = {**FORM, "name": "Cellar", "kind": "counter", "rolls_at": "100000", "holidays": "de-by", "step": "900"}
    assert ada_s.post(f"{path}/edit", counter).status_code == 303
    (meter,) = rows(runtime, Meter)
    assert (meter.name, meter.rolls_at, meter.holidays, meter.step) == ("Cellar", 10**11, "DE-BY", 900)
    with runtime.database.write(ada.workspace_id) as session:
        made = sample_meter.household(date(2026, 1, 1)).readings
        readings.write(session, session.merge(meter), type(made)(made.times[:200], made.values[:200].cumsum()))
    assert "Its 200 readings of" in text_of(ada_s.get(f"{path}/delete"))
    assert ada_s.post(f"{path}/archive").location == "/energy"
    assert rows(runtime, Meter)[0].archived
    assert ada_s.post(f"{path}/edit", counter).status_code == 303
    assert rows(runtime, Meter)[0].archived, "a form that says nothing of it does not bring it back"
    assert ada_s.post(f"{path}/archive").location == path
    assert ada_s.post(f"{path}/address").status_code == 303
    assert rows(runtime, Meter)[0].address != meter.address
    assert ada_s.post(f"{path}/delete").location == "/energy"
    assert rows(runtime, Meter) == rows(runtime, ReadingDay) == []
    assert [row.what for row in rows(runtime, AuditEntry)] == ["meter address renewed", "meter deleted"]


WRONG = (
    ("name", ""), ("name", "x" * 121), ("kind", "gas"), ("unit", "bananas"), ("time_zone", "Mars/Base"),
    ("holidays", "XX"), ("holidays", "DE-ZZ"), ("tariff_id", "no"), ("place_id", "no"), ("step", "7"),
    ("note", "x" * 501), ("source", "x" * 161),
)  # fmt: skip


def test_what_is_wrong_with_a_meter_stands_beside_its_field(ada_s: Browser, runtime: Runtime) -> None:
    for field, value in WRONG:
        answer = ada_s.post("/energy/meters/new", {**FORM, field: value})
        assert answer.status_code == 422, field
        assert f'id="{field}-error"' in answer.text
        assert f'href="#{field}"' in answer.text
    assert rows(runtime, Meter) == []


def test_two_meters_of_one_name_are_refused(ada_s: Browser) -> None:
    assert ada_s.post("/energy/meters/new", FORM).status_code == 303
    answer = ada_s.post("/energy/meters/new", FORM)
    assert answer.status_code == 422
    assert "There is a meter of this name already" in answer.text


def test_viewers_look_and_change_nothing(guest: Browser, runtime: Runtime, ada: Person) -> None:
    meter, place = meter_of(runtime, ada), place_of(runtime, ada)
    for path in ("/energy", "/energy/places", f"/energy/places/{place}"):
        page = guest.get(path)
        assert page.status_code == 200
        assert "/new" not in page.text
        assert "/edit" not in page.text
    for path in ("new", f"{meter}/edit", f"{meter}/delete"):
        assert guest.get(f"/energy/meters/{path}").status_code == 403
        assert guest.post(f"/energy/meters/{path}", FORM).status_code == 403
    for path in (f"{place}/fetch", f"{place}/bring", f"{place}/forget", f"{place}/delete", f"{place}/edit", "new"):
        assert guest.post(f"/energy/places/{path}", {"name": "x"}).status_code == 403
    assert len(rows(runtime, Meter)) == len(rows(runtime, Place)) == 1
