"""Alerts: what opens, rises, resolves and is told; each step once, whatever scans see and however many look."""

import random
from collections import Counter

import pytest
from sqlalchemy import select

from models.alert import (
    ENDED,
    FIRING,
    LEVELLED,
    NEVER,
    NOTED,
    OPENED,
    PENDING,
    RESOLVED,
    Alert,
    Move,
    Mute,
    Notice,
)  # fmt: skip
from models.base import clock
from models.session import EVERYONE
from tasks.alerting import alerts
from tasks.alerting.alerts import Sight
from tests.conftest import Person, at_once, new_person
from tests.news import RULE, join, moves, mute, over, rows, see, the_alert, untold, wish
from tests.servers import DATABASES
from workers.runtime import Runtime


def test_a_level_is_told_once_and_a_higher_one_once_more(runtime: Runtime, ada: Person) -> None:
    for level in (80, 80, 85, 100, 100, 80, 100):
        see(runtime, over(ada.workspace_id, 100 if level >= 100 else 80))
    assert moves(runtime) == [(OPENED, 80), (LEVELLED, 100)]
    assert untold(runtime, ada) == 2


def test_it_resolves_only_past_the_margin(runtime: Runtime, ada: Person) -> None:
    place = ada.workspace_id
    see(runtime, over(place, 80))
    assert see(runtime, over(place, 60)).resolved == 0
    assert the_alert(runtime).state == FIRING
    assert see(runtime, over(place, 40)).resolved == 1
    found = the_alert(runtime)
    assert (found.state, found.title) == (RESOLVED, "Food is back at 40 %")
    assert see(runtime, over(place, 40)) == alerts.Count()
    assert moves(runtime) == [(OPENED, 80), (ENDED, 80)]


def test_what_is_wrong_again_is_the_next_episode(runtime: Runtime, ada: Person) -> None:
    for level in (80, 40, 80):
        see(runtime, over(ada.workspace_id, level))
    assert [(one.episode, one.state) for one in sorted(rows(runtime, Alert), key=lambda one: one.episode)] == [
        (1, RESOLVED), (2, FIRING),
    ]  # fmt: skip
    assert moves(runtime) == [(OPENED, 80), (ENDED, 80), (OPENED, 80)]


@pytest.mark.parametrize("other", [{"period": "2026-12-01"}, {"cause": "2"}])
def test_another_period_or_limit_begins_anew_without_a_word_of_the_old_one(
    runtime: Runtime, ada: Person, other: dict[str, str]
) -> None:
    see(runtime, over(ada.workspace_id, 80))
    see(runtime, over(ada.workspace_id, 80, **other))
    assert sorted(one.state for one in rows(runtime, Alert)) == [FIRING, RESOLVED]
    assert moves(runtime) == [(OPENED, 80), (OPENED, 80)]


def test_a_raised_limit_that_ends_the_trouble_resolves_it_and_a_new_month_does_not(
    runtime: Runtime, ada: Person
) -> None:
    place = ada.workspace_id
    see(runtime, over(place, 80), over(place, 80, subject="rent"))
    see(runtime, over(place, 40, cause="2"), over(place, 40, subject="rent", period="2026-12-01"))
    assert {one.state for one in rows(runtime, Alert)} == {RESOLVED}
    assert sorted(moves(runtime)) == [(OPENED, 80), (OPENED, 80), (ENDED, 80)]


def test_what_is_pending_is_noted_once_and_ends_without_a_word(runtime: Runtime, ada: Person) -> None:
    place = ada.workspace_id
    see(runtime, over(place, 55))
    assert the_alert(runtime).state == PENDING
    see(runtime, over(place, 60))
    see(runtime, over(place, 40))
    see(runtime, over(place, 55))  # half of it, less, half of it again
    assert moves(runtime) == [(NOTED, 55)]


def test_what_was_pending_opens_when_it_fires(runtime: Runtime, ada: Person) -> None:
    see(runtime, over(ada.workspace_id, 55))
    see(runtime, over(ada.workspace_id, 80))
    assert moves(runtime) == [(NOTED, 55), (OPENED, 80)]
    assert the_alert(runtime).episode == 1


def test_a_limit_changed_while_it_was_pending_resolves_nothing_that_was_never_told(
    runtime: Runtime, ada: Person
) -> None:
    see(runtime, over(ada.workspace_id, 55))
    see(runtime, over(ada.workspace_id, 40, cause="2"))
    assert the_alert(runtime).state == RESOLVED
    assert moves(runtime) == [(NOTED, 55)]


def test_words_change_without_a_move(runtime: Runtime, ada: Person) -> None:
    see(runtime, over(ada.workspace_id, 80, title="9 days left"))
    see(runtime, over(ada.workspace_id, 80, title="8 days left"))
    assert the_alert(runtime).title == "8 days left"
    assert moves(runtime) == [(OPENED, 80)]


def test_a_subject_that_is_gone_ends_without_a_word(runtime: Runtime, ada: Person) -> None:
    see(runtime, over(ada.workspace_id))
    see(runtime, gone=[(ada.workspace_id, "food"), (ada.workspace_id, "never was")])
    assert the_alert(runtime).state == RESOLVED
    assert moves(runtime) == [(OPENED, 80)]


def test_a_worse_level_takes_an_acknowledgement_back_and_the_same_one_does_not(runtime: Runtime, ada: Person) -> None:
    see(runtime, over(ada.workspace_id))
    with runtime.database.write(EVERYONE) as session:
        alert = session.scalars(select(Alert)).one()
        alert.acknowledged_at, alert.acknowledged_by = clock(session), ada.account_id
    see(runtime, over(ada.workspace_id, title="8 days left"))
    assert the_alert(runtime).acknowledged_at
    see(runtime, over(ada.workspace_id, 100))
    assert (the_alert(runtime).acknowledged_at, the_alert(runtime).acknowledged_by) == (None, None)


def test_of_what_is_muted_nobody_is_told_until_the_time_is_over(runtime: Runtime, ada: Person) -> None:
    place = ada.workspace_id
    mute(runtime, place, "food")
    mute(runtime, place, "rent", until=1)
    see(runtime, over(place), over(place, subject="rent"))
    assert moves(runtime) == [(OPENED, 80)] * 2, "it opens all the same, and the page shows it"
    assert untold(runtime, ada) == 1
    with runtime.database.write(EVERYONE) as session:
        session.delete(session.scalars(select(Mute).where(Mute.subject == "food")).one())
    see(runtime, over(place, 100))
    assert untold(runtime, ada) == 2


def test_each_member_is_told_but_not_who_wants_nothing_of_the_area(
    runtime: Runtime, ada: Person, grace: Person
) -> None:
    join(runtime, grace, ada.workspace_id, "viewer")
    wish(runtime, grace, areas={"stock": NEVER})
    see(runtime, over(ada.workspace_id))
    see(runtime, over(ada.workspace_id, subject="chai"), area="stock", rule="stock")
    assert (untold(runtime, ada), untold(runtime, grace)) == (2, 1)


def test_the_same_subject_seen_twice_in_one_look_opens_once(runtime: Runtime, ada: Person) -> None:
    see(runtime, over(ada.workspace_id, 80), over(ada.workspace_id, 100))
    assert moves(runtime) == [(OPENED, 100)]


def test_a_look_names_only_what_would_change(runtime: Runtime, ada: Person, grace: Person) -> None:
    place = ada.workspace_id
    see(runtime, over(place), over(place, subject="rent"), over(place, 55, subject="fuel"), over(grace.workspace_id))
    see(runtime, over(place, 40, subject="fuel"))
    sights = [over(place), over(place, 100, subject="shoes"), over(place, 55, subject="fuel")]
    with runtime.database.read(place) as session:
        found = alerts.differing(session, RULE, iter(sights))
    assert found == [(place, "shoes"), (place, "rent")], "rent has lost its subject, half of the fuel is noted already"


@pytest.mark.parametrize("settings", ["sqlite", *DATABASES], indirect=True)
def test_two_judges_at_once_open_and_tell_each_thing_once(runtime: Runtime, ada: Person, grace: Person) -> None:
    places = [ada.workspace_id, grace.workspace_id]
    sights = [over(place, subject=f"budget{number}") for place in places for number in range(20)]
    at_once(*[lambda mine=mine: see(runtime, *mine) for mine in (sights, sights[::-1], sights[5:])])
    assert Counter(move.what for move in rows(runtime, Move)) == {OPENED: len(sights)}
    assert len(rows(runtime, Alert)) == len(rows(runtime, Notice)) == len(sights)


@pytest.mark.parametrize("seed", range(6))
def test_whatever_scans_see_each_level_is_told_once_and_only_what_opened_resolves(runtime: Runtime, seed: int) -> None:
    chance = random.Random(seed)
    person = new_person(runtime, "reader")
    for _ in range(120):
        see(runtime, *_some_sights(chance, person.workspace_id))
    found = {one.id: one for one in rows(runtime, Alert)}
    steps: dict[str, list[Move]] = {key: [] for key in found}
    for move in sorted(rows(runtime, Move), key=lambda move: move.id):
        steps[move.alert_id].append(move)
    for key, told in steps.items():
        assert_a_life(found[key], told)
    open_ = [(one.subject, one.state) for one in found.values() if one.state != RESOLVED]
    assert len({subject for subject, _ in open_}) == len(open_), "one open alert of a subject"
    noted = Counter((found[m.alert_id].subject, found[m.alert_id].period, found[m.alert_id].cause)
                    for told in steps.values() for m in told if m.what == NOTED)  # fmt: skip
    assert set(noted.values()) <= {1}
    assert sum(map(len, steps.values())) == len(rows(runtime, Notice)), "each step is one notice for the one member"


def _some_sights(chance: random.Random, place: str) -> list[Sight]:
    subjects = chance.sample(["food", "rent", "fuel"], chance.randint(1, 3))
    period, cause = chance.choice(["11"] * 9 + ["12"]), chance.choice(["1"] * 9 + ["2"])
    return [
        over(place, chance.choice([0, 30, 49, 50, 55, 69, 70, 80, 100, 140]), subject=each, period=period, cause=cause)
        for each in subjects
    ]


def assert_a_life(alert: Alert, told: list[Move]) -> None:
    """Noted, then opened, then each level higher than the one before, then resolved; each at most once."""
    whats = [move.what for move in told]
    assert whats == sorted(whats, key=[NOTED, OPENED, LEVELLED, ENDED].index), whats
    assert all(whats.count(what) <= 1 for what in (NOTED, OPENED, ENDED))
    rising = [move.level for move in told if move.what in (OPENED, LEVELLED)]
    assert rising == sorted(set(rising)), "each level once, and only upwards"
    if ENDED in whats:
        assert OPENED in whats, "nothing resolves that nobody was told of"
        assert alert.state == RESOLVED
    if alert.state == FIRING:
        assert OPENED in whats
    if alert.state == PENDING:
        assert whats == [NOTED]


def test_a_sight_may_name_who_is_told_of_it_and_nobody_else_is(runtime: Runtime, ada: Person, grace: Person) -> None:
    join(runtime, grace, ada.workspace_id)
    see(runtime, over(ada.workspace_id, 80, to=frozenset({grace.account_id})))
    assert (untold(runtime, ada), untold(runtime, grace)) == (0, 1)
