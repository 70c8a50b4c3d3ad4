"""The pages of tariffs: the form of the three kinds, holes beside their field and in the picture, examples, the API."""

import html
import json
import re
from decimal import Decimal
from typing import Any

from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from models.meter import Meter, Tariff
from models.session import EVERYONE
from tests.conftest import Person
from tests.energy_rows import meter_of
from tests.front import browser_of, member_of, token_of
from tests.web_fixtures import Browser
from workers.runtime import Runtime

NEW = "/energy/tariffs/new"
FLAT = {"name": "Home", "currency": "EUR", "kind": "flat", "price": "0,2951"}
WORKDAYS = "mon,tue,wed,thu,fri"
TIMES = {
    "name": "Home", "currency": "EUR", "kind": "time of use", "holidays": "weekday",
    "period-0-name": "Peak", "period-0-price": "0.34", "period-0-days": WORKDAYS,
    "period-0-start": "07:00", "period-0-end": "22:00", "period-0-from": "1", "period-0-to": "12",
    "rest_name": "Low", "rest_price": "0.21",
}  # fmt: skip
BLOCKS = {
    "name": "Home", "currency": "EUR", "kind": "tiered", "per": "month", "starts": "1", "block-0-up_to": "300",
    "block-0-price": "0.18", "block-1-price": "0.27",
}  # fmt: skip


def make(browser: Browser, **fields: Any) -> str:
    answer = browser.post(NEW, {"do": "save", **fields})
    assert answer.status_code == 303, words(answer.text)
    return str(answer.location.rpartition("/")[2])


def words(text: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


def told(answer: TestResponse) -> Any:
    return answer.json


def the_tariff(runtime: Runtime) -> Tariff:
    with runtime.database.read(EVERYONE) as session:
        return session.scalars(select(Tariff)).one()


def test_the_three_kinds_are_made_shown_and_come_back_into_their_form(ada_s: Browser, runtime: Runtime) -> None:
    assert "Make the first tariff" in words(ada_s.get("/energy/tariffs").text)
    for fields, seen in ((FLAT, "€0.2951"), (TIMES, "Peak: €0.34"), (BLOCKS, "Up to 300 kWh €0.18")):
        named = {**fields, "name": f"My {fields['kind']}", "standing": "0.4", "tax": "20"}
        found = make(ada_s, **named)
        page = words(ada_s.get(f"/energy/tariffs/{found}").text)
        assert seen in page
        assert "€0.40 a day" in page
        assert "20 %" in page
        again = fields_of(ada_s.get(f"/energy/tariffs/{found}/edit").text)
        assert ada_s.post(f"/energy/tariffs/{found}/edit", {**again, "do": "save"}).status_code == 303
    listed = words(ada_s.get("/energy/tariffs").text)
    assert "€0.21 Low · €0.34 Peak · €0.40 a day no meters" in listed
    with runtime.database.read(EVERYONE) as session:
        kept = {row.kind: row for row in session.scalars(select(Tariff))}
    assert (kept["flat"].rates or {})["price"] == "0.2951"
    assert kept["time of use"].standing == Decimal("0.4")
    assert (kept["time of use"].rates or {})["rest"] == "Low"


def fields_of(page: str) -> dict[str, str]:
    """What a browser would send of the form as it stands."""
    form = page[page.index("data-tariff") :]
    found = {m[1]: html.unescape(m[2]) for m in re.finditer(r'<input[^>]* name="([^"]+)"[^>]* value="([^"]*)"', form)}
    found.pop("below_zero", None)
    for name, options in re.findall(r'<select[^>]* name="([^"]+)"[^>]*>(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', options) or re.search(r'value="([^"]*)"', options)
        found[name] = html.unescape(chosen[1]) if chosen else ""
    return found


def test_the_form_of_a_tariff_comes_back_exactly_as_it_was_kept(ada_s: Browser, runtime: Runtime) -> None:
    winter = {
        **TIMES, "period-1-name": "Peak", "period-1-days": "sat", "period-1-start": "10:00", "period-1-end": "00:00",
        "period-1-from": "10", "period-1-to": "3", "period-4-name": "Night", "period-4-price": "0.1",
        "period-4-start": "23:30", "period-4-end": "05:00", "period-4-days": "sun,holiday", "holidays": "own",
    }  # fmt: skip
    found = make(ada_s, **winter)
    before = the_tariff(runtime).rates
    again = fields_of(ada_s.get(f"/energy/tariffs/{found}/edit").text)
    assert ada_s.post(f"/energy/tariffs/{found}/edit", {**again, "do": "save"}).status_code == 303
    assert the_tariff(runtime).rates == before


WRONG: tuple[tuple[dict[str, str], dict[str, str], str], ...] = (
    (FLAT, {"name": ""}, "Fill this in."), (FLAT, {"price": ""}, "Fill this in."),
    (FLAT, {"price": "12 cents"}, "Write a number like 0.2951"), (FLAT, {"price": "1e3"}, "Write a number"),
    (FLAT, {"price": "0.1234567"}, "at most six decimals"), (FLAT, {"price": "-0.1"}, "below zero"),
    (FLAT, {"price": "9999999"}, "at most a million"), (FLAT, {"currency": "QQQ"}, "There is no currency"),
    (FLAT, {"tax": "120"}, "from 0 to 100 %"), (FLAT, {"standing": "-1"}, "from zero up"),
    (FLAT, {"kind": "weekly"}, "Choose one of these."),
    (TIMES, {"rest_name": "", "rest_price": ""}, "Saturday and Sunday have no price."),
    (TIMES, {"period-1-name": "Late", "period-1-price": "0.5", "period-1-start": "21:00", "period-1-end": "23:00"},
     "Monday to Friday 21:00 to 22:00 has 2 prices: Peak and Late."),
    (TIMES, {"period-1-price": "0.5"}, "Give it a name"), (TIMES, {"period-1-name": "Late"}, "Write its price"),
    (TIMES, {"period-1-name": "Peak", "period-1-price": "0.5"}, "has another price above"),
    (TIMES, {"period-0-start": "25:00"}, "Write a time of day"), (TIMES, {"period-0-from": "13"}, "from 1 to 12"),
    (TIMES, {"period-0-end": "07:00"}, "begins and ends at 07:00"),
    (TIMES, {"period-0-days": "x"}, "Choose the days"),
    (BLOCKS, {"block-1-up_to": "600"}, "Above 600 kWh there is no price"),
    (BLOCKS, {"block-0-price": ""}, "Fill this in."), (BLOCKS, {"block-0-up_to": "0"}, "above zero"),
    (BLOCKS, {"starts": "29"}, "from 1 to 28"),
    ({**BLOCKS, "block-0-up_to": "", "block-0-price": "", "block-1-price": ""}, {}, "at least one price"),
    ({"name": "a", "currency": "EUR", "kind": "time of use"}, {}, "at least one price with its hours"),
)  # fmt: skip


def test_what_is_wrong_is_said_and_nothing_is_kept(ada_s: Browser, runtime: Runtime) -> None:
    for base, fields, said in WRONG:
        answer = ada_s.post(NEW, {**base, **fields, "do": "save"})
        assert (answer.status_code, said in words(answer.text)) == (422, True), (fields, words(answer.text))
    with runtime.database.read(EVERYONE) as session:
        assert session.scalars(select(Tariff)).all() == []


def test_holes_stand_beside_the_hours_and_are_hatched_in_the_picture(ada_s: Browser) -> None:
    answer = ada_s.post(NEW, {**TIMES, "rest_name": "", "rest_price": "", "do": "save"})
    assert 'id="periods-error">Monday to Friday 00:00 to 07:00' in answer.text
    assert 'aria-describedby="periods-help periods-error"' in answer.text
    assert 'rate-hole"><title>Saturday 00:00 to 24:00: no price' in answer.text


def test_without_javascript_a_button_shows_the_week_and_another_gives_more_rows(ada_s: Browser) -> None:
    shown = ada_s.post(NEW, {**TIMES, "do": "picture"})
    assert shown.status_code == 200
    assert '<rect x="291.667" y="1" width="625.0"' in shown.text
    assert "Monday to Friday 07:00 to 22:00 Peak €0.34" in words(shown.text)
    assert 'name="period-2-name"' in shown.text
    assert 'name="period-3-name"' not in shown.text
    assert 'name="period-5-name"' in ada_s.post(NEW, {**TIMES, "period_rows": "3", "do": "rows"}).text
    assert ada_s.post(NEW, {**TIMES, "currency": "<b>", "period_rows": "9" * 40, "do": "picture"}).status_code == 200


def test_an_example_is_one_click_and_says_that_its_prices_are_made_up(ada_s: Browser, runtime: Runtime) -> None:
    page = ada_s.get("/energy/tariffs").text
    for which in re.findall(r'name="which" value="([^"]+)"', page):
        answer = ada_s.post("/energy/tariffs/examples", {"which": html.unescape(which)})
        shown = words(ada_s.get(answer.location).text)
        assert "This is an example with made-up prices" in shown
        assert "Not all hours have one price" not in shown
    assert ada_s.post("/energy/tariffs/examples", {"which": "day and night"}).status_code == 303
    with runtime.database.read(EVERYONE) as session:
        names = session.scalars(select(Tariff.name)).all()
    assert (len(names), all(name.startswith("Example: ") for name in names)) == (5, True)
    assert ada_s.post("/energy/tariffs/examples", {"which": "another"}).status_code == 404
    assert "From October to March" in words(ada_s.get("/energy/tariffs/" + id_of(runtime, "winter and summer")).text)


def id_of(runtime: Runtime, name: str) -> str:
    with runtime.database.read(EVERYONE) as session:
        return session.scalars(select(Tariff.id).where(Tariff.name == f"Example: {name}")).one()


def test_two_tariffs_of_one_name_are_refused(ada_s: Browser) -> None:
    make(ada_s, **FLAT)
    answer = ada_s.post(NEW, {**FLAT, "do": "save"})
    assert (answer.status_code, "of this name already" in answer.text) == (422, True)


def test_a_deleted_tariff_leaves_its_meters_without_one(ada_s: Browser, ada: Person, runtime: Runtime) -> None:
    found = make(ada_s, **{**FLAT, "name": "<i>Home</i>"})
    meter = meter_of(runtime, ada, tariff_id=found, name="Flat 3")
    page = ada_s.get(f"/energy/tariffs/{found}").text
    assert "&lt;i&gt;Home" in page
    assert f'href="/energy/meters/{meter}">Flat 3' in page
    assert "1 meter pays it" in words(ada_s.get(f"/energy/tariffs/{found}/delete").text)
    assert ada_s.post(f"/energy/tariffs/{found}/delete").status_code == 303
    with runtime.database.read(EVERYONE) as session:
        assert session.scalars(select(Meter.tariff_id).where(Meter.id == meter)).one() is None
    assert ada_s.get(f"/energy/tariffs/{found}").status_code == 404


def test_viewers_read_tariffs_and_strangers_find_none(
    app: Flask, runtime: Runtime, ada: Person, grace: Person, ada_s: Browser
) -> None:
    found = make(ada_s, **TIMES)
    viewer = browser_of(app, runtime, member_of(runtime, ada, "bob", "viewer"))
    assert "Peak" in viewer.get(f"/energy/tariffs/{found}").text
    assert "New tariff" not in viewer.get("/energy/tariffs").text
    assert viewer.post(f"/energy/tariffs/{found}/delete").status_code == 403
    assert viewer.post(NEW, {**FLAT, "do": "save"}).status_code == 403
    stranger = browser_of(app, runtime, grace)
    for path in ("", "/edit", "/delete"):
        assert stranger.get(f"/energy/tariffs/{found}{path}").status_code == 404


def test_programs_make_read_change_and_delete_tariffs(app: Flask, runtime: Runtime, ada: Person) -> None:
    client, key = app.test_client(), token_of(runtime, ada)
    given = {
        "name": "Home", "currency": "EUR", "kind": "time of use", "rest": "Low", "standing": 0.4,
        "levels": [{"name": "Peak", "price": "0.34"}, {"name": "Low", "price": 0.21}],
        "periods": [{"level": "Peak", "days": ["mon"], "start": "7:00", "end": "22:00", "months": [10, 3]}],
    }  # fmt: skip
    made = client.post("/api/v1/tariffs", json=given, headers=key)
    assert made.status_code == 201, made.text
    one = made.location
    assert client.get(one, headers=key).json == made.json
    assert told(made)["levels"][1] == {"name": "Low", "price": "0.21"}
    assert told(client.get("/api/v1/tariffs", headers=key))["tariffs"] == [made.json]
    holes = client.patch(one, json={"rest": None}, headers=key)
    assert (holes.status_code, "Tuesday to Sunday have no price" in json.dumps(holes.json)) == (422, True)
    renamed = client.patch(one, json={"name": "Flat", "kind": "flat", "price": "0.3"}, headers=key)
    assert (told(renamed)["levels"], told(renamed)["standing"], told(renamed)["price"]) == ([], "0.4", "0.3")
    assert client.delete(one, headers=key).status_code == 204
    assert client.get(one, headers=key).status_code == 404


REFUSED: tuple[tuple[Any, str], ...] = (
    ([], ""), ({"name": "a", "currency": "EUR"}, "kind"), ({"name": "a", "currency": "EUR", "kind": "x"}, "kind"),
    ({"name": "a", "kind": "flat", "price": "0.3"}, "currency"), ({"name": "a", "prize": 1}, "prize"),
    ({"name": "a", "currency": "EUR", "kind": "flat", "price": "NaN"}, "price"),
    ({"name": "a", "currency": "EUR", "kind": "flat", "price": "1e999999"}, "price"),
    ({"name": 7, "currency": "EUR", "kind": "flat", "price": 1}, "name"),
    ({"name": "a", "currency": "EUR", "kind": "tiered", "blocks": [{"price": 1, "up_to": -1}]}, "blocks.0.up_to"),
    ({"name": "a", "currency": "EUR", "kind": "time of use", "levels": [{"name": "a", "price": 1}] * 13},
     "levels"),
)  # fmt: skip


def test_what_programs_send_wrong_is_refused_by_its_field(app: Flask, runtime: Runtime, ada: Person) -> None:
    client, key = app.test_client(), token_of(runtime, ada)
    for body, field in REFUSED:
        answer = client.post("/api/v1/tariffs", json=body, headers=key)
        assert answer.status_code == 422, answer.text
        assert field in told(answer)["errors"], body
