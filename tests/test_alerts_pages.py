"""Pages and API of alerts, and of how somebody wants to be told."""

import html
import re

import pytest
from flask import Flask
from sqlalchemy import select

from models.alert import AT_ONCE, GATHERED, Alert, Mute
from models.run import Run
from models.session import EVERYONE
from tasks.alerting import wishes
from tests.conftest import Person
from tests.front import browser_of, member_of, token_of
from tests.news import due, join, mails, now, over, rows, see, tell, the_alert, untold, wish, wish_of
from tests.web_fixtures import Browser
from workers.runtime import Runtime

DAY = 86_400_000


def settings_form(**more: str) -> dict[str, str]:
    areas = {f"area-{area}": GATHERED for area in wishes.areas()}
    return {**areas, "repeat": "daily", "hour": "7", "weekday": "1", "monthday": "1", **more}


def words(page: str) -> str:
    return html.unescape(" ".join(re.sub(r"<[^>]+>", " ", page).split()))


def test_all_my_workspaces_stand_on_one_page_the_worst_first(
    runtime: Runtime, ada: Person, grace: Person, ada_s: Browser
) -> None:
    join(runtime, ada, grace.workspace_id, "viewer")
    see(
        runtime,
        over(ada.workspace_id),
        over(grace.workspace_id, 100, subject="till"),
        over(ada.workspace_id, 55, subject="shoes"),
    )
    page = words(ada_s.get("/alerts").text)
    assert page.index("Till 100 % used") < page.index("Food 80 % used") < page.index("Shoes 55 % used")
    assert "2 things need somebody" in page
    assert "Grace's workspace" in page
    only = words(ada_s.get(f"/alerts?workspace={ada.workspace_id}").text)
    assert "Till" not in only
    assert ada_s.get("/alerts?workspace=nonsense").status_code == 404


def test_the_navigation_counts_what_waits_for_somebody(runtime: Runtime, ada: Person, ada_s: Browser) -> None:
    assert "nav-count" not in ada_s.get("/jobs").text
    see(
        runtime, over(ada.workspace_id), over(ada.workspace_id, subject="rent"), over(ada.workspace_id, 55, subject="a")
    )
    assert '<span class="nav-count" title="2 wait for somebody">2</span>' in ada_s.get("/jobs").text
    first, second = (each.id for each in rows(runtime, Alert) if each.state == "firing")
    ada_s.post(f"/alerts/{first}/acknowledge")
    ada_s.post(f"/alerts/{second}/mute", {"for": "day"})
    assert "nav-count" not in ada_s.get("/jobs").text


def test_the_empty_page_says_what_to_do_first(ada_s: Browser) -> None:
    page = words(ada_s.get("/alerts").text)
    assert "Nothing needs you" in page
    assert "until a budget has a limit or a product has a reorder level" in page


def test_an_alert_has_its_history_and_a_way_to_its_subject(
    runtime: Runtime, ada: Person, grace: Person, ada_s: Browser
) -> None:
    see(runtime, over(ada.workspace_id))
    see(runtime, over(ada.workspace_id, 100))
    page = ada_s.get(f"/alerts/{the_alert(runtime).id}").text
    assert 'href="/expenses/food"' in page
    assert "opened: Food 80 % used" in words(page)
    assert "got worse: Food 100 % used" in words(page)
    join(runtime, ada, grace.workspace_id)
    see(runtime, over(grace.workspace_id, subject="till"))
    other = next(each for each in rows(runtime, Alert) if each.subject == "till")
    page = ada_s.get(f"/alerts/{other.id}").text
    assert f'name="workspace" value="{grace.workspace_id}"' in page, "the subject's page stands in the other workspace"


def test_somebody_sees_to_it_hands_it_back_mutes_and_unmutes(runtime: Runtime, ada: Person, ada_s: Browser) -> None:
    see(runtime, over(ada.workspace_id))
    found = the_alert(runtime).id
    answer = ada_s.post(f"/alerts/{found}/acknowledge", {"next": f"/alerts/{found}"})
    assert (answer.status_code, answer.location) == (303, f"/alerts/{found}")
    assert "Ada sees to it" in words(ada_s.get("/alerts").text)
    assert the_alert(runtime).acknowledged_by == ada.account_id
    ada_s.post(f"/alerts/{found}/hand-back")
    assert the_alert(runtime).acknowledged_at is None
    for chosen, length in (("day", DAY), ("week", 7 * DAY), ("good", None)):
        ada_s.post(f"/alerts/{found}/mute", {"for": chosen})
        (mute,) = rows(runtime, Mute)
        assert mute.until is None if length is None else abs(mute.until - now(runtime) - length) < 60_000
    assert "muted for good" in words(ada_s.get("/alerts").text)
    assert ada_s.post(f"/alerts/{found}/mute", {"for": "a while"}).status_code == 303
    ada_s.post(f"/alerts/{found}/unmute")
    assert rows(runtime, Mute) == []
    assert ada_s.post(f"/alerts/{found}/acknowledge", {"next": "//elsewhere.example"}).location == "/alerts"


def test_a_viewer_may_only_look_and_a_stranger_finds_nothing(
    app: Flask, runtime: Runtime, ada: Person, grace: Person
) -> None:
    see(runtime, over(ada.workspace_id))
    found = the_alert(runtime).id
    viewer = browser_of(app, runtime, member_of(runtime, ada, "vera", "viewer"))
    stranger = browser_of(app, runtime, grace)
    assert "I see to it" not in viewer.get(f"/alerts/{found}").text
    assert stranger.get(f"/alerts/{found}").status_code == 404
    for deed in ("acknowledge", "hand-back", "mute", "unmute"):
        assert viewer.post(f"/alerts/{found}/{deed}", {"for": "day"}).status_code == 403
        assert stranger.post(f"/alerts/{found}/{deed}", {"for": "day"}).status_code == 404
    assert the_alert(runtime).acknowledged_at is None
    assert rows(runtime, Mute) == []


def test_a_member_of_another_workspace_acts_there_without_going_there(
    runtime: Runtime, ada: Person, grace: Person, ada_s: Browser
) -> None:
    join(runtime, ada, grace.workspace_id, "member")
    see(runtime, over(grace.workspace_id))
    ada_s.post(f"/alerts/{the_alert(runtime).id}/acknowledge")
    assert the_alert(runtime).acknowledged_by == ada.account_id


def test_hundreds_of_alerts_are_paged(runtime: Runtime, ada: Person, ada_s: Browser) -> None:
    see(runtime, *[over(ada.workspace_id, 70 + number % 60, subject=f"budget{number:03}") for number in range(120)])
    every = ada_s.get("/alerts").text
    assert every.count('<li class="alert-line') == 50
    assert "And 70 more" in words(every)
    pages = [ada_s.get(f"/alerts?workspace={ada.workspace_id}&page={page}").text for page in (1, 2, 3)]
    assert [page.count('<li class="alert-line') for page in pages] == [50, 50, 20]
    assert "99+" in every


def test_names_with_markup_stay_words(runtime: Runtime, ada: Person, ada_s: Browser) -> None:
    see(runtime, over(ada.workspace_id, title="<script>alert(1)</script>", link=""))
    assert "<script>alert(1)" not in ada_s.get("/alerts").text
    assert "<script>alert(1)" not in ada_s.get("/digest").text
    assert "<script>alert(1)" not in ada_s.get("/digest/html").text


def test_settings_are_kept_and_the_next_digest_follows_them(runtime: Runtime, ada: Person, ada_s: Browser) -> None:
    form = settings_form(
        repeat="weekly", hour="18", weekday="5", quiet_from="22:00", quiet_until="06:30", amounts="yes",
        **{"area-expenses": AT_ONCE},
    )  # fmt: skip
    assert ada_s.post("/account/notifications", form).status_code == 303
    found = wish_of(runtime, ada)
    assert (found.repeat, found.hour, found.weekday, found.quiet_from, found.quiet_until) == (
        "weekly",
        18,
        5,
        1320,
        390,
    )
    assert (found.pictures, found.amounts, found.nag) == (False, True, False)
    assert (found.areas or {})["expenses"] == AT_ONCE
    assert 0 < (found.next_due or 0) - now(runtime) <= 7 * DAY
    page = ada_s.get("/account/notifications").text
    assert "on Friday" in page
    assert 'value="22:00"' in page
    ada_s.post("/account/notifications", settings_form(repeat="never"))
    assert wish_of(runtime, ada).next_due is None
    assert "You get no digest" in ada_s.get("/account/notifications").text


@pytest.mark.parametrize(
    ("field", "given", "said"),
    [
        ("hour", "24", "Choose an hour from the list."),
        ("hour", "noon", "Choose an hour from the list."),
        ("weekday", "0", "Choose a day from the list."),
        ("monthday", "32", "Choose a day from the list."),
        ("repeat", "hourly", "Choose one of these."),
        ("quiet_from", "25:00", "Give a time of day"),
        ("quiet_from", "22:00", "Give both"),
        ("area-expenses", "shout", "Choose one of these."),
    ],
)
def test_what_is_wrong_in_the_settings_stands_beside_its_field(
    ada_s: Browser, runtime: Runtime, ada: Person, field: str, given: str, said: str
) -> None:
    if field.startswith("area-") and 'name="area-expenses"' not in ada_s.get("/account/notifications").text:
        pytest.skip("no job has this area yet")
    answer = ada_s.post("/account/notifications", settings_form(**{field: given}))
    assert answer.status_code == 422
    assert said in answer.text
    assert "invalid-feedback" in answer.text


def test_another_time_zone_moves_the_next_digest(runtime: Runtime, ada: Person, ada_s: Browser) -> None:
    wish(runtime, ada, next_due=1)
    ada_s.post("/account/profile", {"name": "Ada", "time_zone": "Asia/Tokyo"})
    assert (wish_of(runtime, ada).next_due or 0) % DAY == 22 * 3_600_000


def test_the_preview_shows_the_next_digest_and_marks_nothing_told(
    runtime: Runtime, ada: Person, ada_s: Browser
) -> None:
    assert "Nothing to say" in ada_s.get("/digest").text
    assert ada_s.get("/digest/html").text == ""
    see(runtime, over(ada.workspace_id))
    page = ada_s.get("/digest")
    assert "Food 80 % used" in page.text
    assert "sandbox" in ada_s.get("/digest/html").headers["Content-Security-Policy"]
    assert "Food 80 % used" in ada_s.get("/digest/html").text
    assert untold(runtime, ada) == 1
    assert mails(runtime) == []


def test_send_it_now_wakes_the_digest_and_nothing_to_say_sends_nothing(
    runtime: Runtime, ada: Person, ada_s: Browser
) -> None:
    assert ada_s.post("/digest/send").location == "/digest"
    see(runtime, over(ada.workspace_id))
    assert ada_s.post("/digest/send").location == "/mailbox"
    with runtime.database.read(EVERYONE) as session:
        assert session.scalars(select(Run.workspace_id).where(Run.kind == "digest")).all().count("system") == 1
    assert tell(runtime)["digests"] == 1
    assert (wish_of(runtime, ada).next_due or 0) > now(runtime)
    assert mails(runtime, ada)[0].subject in ada_s.get("/mailbox").text


def test_a_mail_to_who_has_several_workspaces_links_to_the_alerts_own_page(
    runtime: Runtime, ada: Person, grace: Person
) -> None:
    join(runtime, ada, grace.workspace_id)
    see(runtime, over(grace.workspace_id))
    due(runtime, ada, grace)
    tell(runtime)
    (to_ada,), (to_grace,) = mails(runtime, ada), mails(runtime, grace)
    assert f"/alerts/{the_alert(runtime).id}" in to_ada.html
    assert "/expenses/food" in to_grace.html


def test_the_api_lists_acknowledges_and_mutes(app: Flask, runtime: Runtime, ada: Person, grace: Person) -> None:
    see(runtime, over(ada.workspace_id), over(ada.workspace_id, 55, subject="shoes"), over(grace.workspace_id))
    client, token = app.test_client(), token_of(runtime, ada)
    listed = client.get("/api/v1/alerts", headers=token).get_json()
    assert [each["title"] for each in listed["alerts"]] == ["Food 80 % used"]
    assert client.get("/api/v1/alerts?state=pending", headers=token).get_json()["alerts"][0]["subject"] == "shoes"
    assert client.get("/api/v1/alerts?state=strange", headers=token).status_code == 422
    one = f"/api/v1/alerts/{listed['alerts'][0]['id']}"
    assert [move["what"] for move in client.get(one, headers=token).get_json()["moves"]] == ["opened"]
    answer = client.post(f"{one}/acknowledge", headers=token)
    assert answer.get_json()["acknowledged_at"]
    assert client.post(f"{one}/acknowledge", headers=token).status_code == 409
    assert client.delete(f"{one}/acknowledge", headers=token).get_json()["acknowledged_at"] is None
    assert client.put(f"{one}/mute", headers=token, json={"days": 7}).get_json()["muted"] is True
    assert client.put(f"{one}/mute", headers=token, json={"days": None}).get_json()["muted_until"] is None
    bad: tuple[object, ...] = ({"days": 0}, {"days": "x"}, {"hours": 1}, [], {"days": 10**9})
    for wrong in bad:
        assert client.put(f"{one}/mute", headers=token, json=wrong).status_code == 422, wrong
    assert client.delete(f"{one}/mute", headers=token).get_json()["muted"] is False
    reader = token_of(runtime, ada, "read")
    assert client.post(f"{one}/acknowledge", headers=reader).status_code == 403
    assert client.get(one, headers=token_of(runtime, grace)).status_code == 404


def test_a_listing_of_the_api_goes_on_where_it_ended(app: Flask, runtime: Runtime, ada: Person) -> None:
    see(runtime, *[over(ada.workspace_id, subject=f"budget{number:03}") for number in range(120)])
    client, token, found = app.test_client(), token_of(runtime, ada), set()
    path = "/api/v1/alerts"
    while path:
        answer = client.get(path, headers=token).get_json()
        found |= {each["subject"] for each in answer["alerts"]}
        path = answer["next"]
    assert len(found) == 120
