"""How sure the assistant says that it is: measured on the desk's own tickets in other words, and never more."""

import random
from collections.abc import Sequence
from dataclasses import replace

import pytest

from tasks.care.suggestions import asking, checking, index
from tasks.care.suggestions.checking import Told
from tasks.care.suggestions.index import NEVER, Index
from tasks.care.suggestions.said import LIKELY, UNSURE
from tasks.care.suggestions.texts import Solved
from tests.bench.tickets.assistant_texts import Made
from tests.bench.tickets.assistant_texts import tickets as made_tickets
from tests.test_suggestions import kept


def learned_from(said: Sequence[Made]) -> Index:
    solved = [
        Solved(f"{place:028x}", one.question, one.answer, one.topic, one.priority) for place, one in enumerate(said)
    ]
    made = index.build(solved, [])
    return index.rebound(made, checking.check(made, [each.question for each in solved]))


def test_what_is_called_likely_is_right_four_times_in_five_in_phrasings_that_were_never_seen() -> None:
    said = made_tickets(400, 1, most=6)
    made = learned_from(said)
    assert (made.bounds.checked, made.bounds.right >= checking.OFTEN) == (400, True)
    told = [(asking.suggest(made, one.question), one) for one in made_tickets(200, 2, asked=True, most=6)]
    for some in (told, [pair for pair in told if pair[1].anew]):
        firsts = [(found.hits[0], one) for found, one in some]
        sure = [said[int(hit.id, 16)].right == one.right for hit, one in firsts if hit.sure == LIKELY]
        topics = [found.topics[0].value == one.topic for found, one in some if found.topics[0].sure == LIKELY]
        assert len(sure) > 5
        assert sum(sure) >= checking.OFTEN * len(sure)
        assert sum(topics) >= checking.OFTEN * len(topics)
    assert kept(made).bounds == made.bounds


def test_too_few_tickets_measure_nothing_and_answers_that_are_all_new_are_never_likely() -> None:
    said = made_tickets(200, 3)
    assert learned_from(said[:50]).bounds == index.Bounds()
    each_anew = [replace(one, answer=f"Answer {'abcdefghij'[n % 10] * (n + 1)}") for n, one in enumerate(said)]
    assert learned_from(each_anew).bounds.likely == NEVER


def test_a_suggestion_that_does_not_beat_the_most_common_one_is_never_shown() -> None:
    chance = random.Random(5)
    said = [replace(one, priority=chance.choice((3, 3, 3, 3, 2))) for one in made_tickets(200, 4)]
    made = learned_from(said)
    assert (made.bounds.priority_likely, made.bounds.priority_perhaps) == (NEVER, NEVER)
    assert {asking.suggest(made, one.question).priorities[0].sure for one in said[:20]} == {UNSURE}


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ([Told(0.9, True, False)] * 40, True),
        ([Told(0.9, True, True)] * 40, False),
        ([Told(0.9, True, False)] * 2 + [Told(0.9, True, True)] * 60, False),
        ([Told(0.9, True, False)] * 20 + [Told(0.9, False, True)] * 15, False),
        ([], False),
    ],
)
def test_it_is_shown_only_when_it_is_right_more_often_by_more_than_chance(told: list[Told], shown: bool) -> None:
    assert (checking.beating(told)[1] < NEVER) is shown


@pytest.mark.parametrize(
    ("seen", "often", "other"),
    [
        ([(1 - n / 100, n < 40) for n in range(100)], 0.56, 0.32),
        ([(1 - n / 100, False) for n in range(100)], NEVER, NEVER),
        ([(0.9, True)] * 19, NEVER, NEVER),
        ([(0.9, True)] * 50 + [(0.9, False)] * 50, NEVER, NEVER),  # of equal ones all are above a bound, or none
        ([], NEVER, NEVER),
    ],
)
def test_a_bound_is_where_enough_are_right_and_never_where_too_few_were_seen(
    seen: list[tuple[float, bool]], often: float, other: float
) -> None:
    assert checking.measured(seen)[:2] == pytest.approx((often, other))


def test_few_cases_promise_less_than_many_of_the_same_share() -> None:
    assert checking.at_least(18, 20) < checking.at_least(180, 200) < 0.9


def test_in_other_words_is_without_those_that_another_one_shares() -> None:
    assert checking.said_anew("My Router is dead today", {"router", "dead"}) == "My is today"
    some = checking.said_anew("a b c d e f g h", set("abcdefgh"), random.Random(1))
    assert 0 < len(some.split()) < 8
