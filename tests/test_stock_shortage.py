"""What is short, by which limit, when it is over, and how much to order: the rules alone, without a database."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from tasks.stock import reorder, shortage
from tasks.stock.kinds import FINE, NOTHING, REORDER, SHORT


@dataclass
class Judged:
    level: int
    fires: bool
    clear: bool


def judge(
    on_hand: float = 0, on_order: float = 0, level: float = 0, daily: float = 0, lead: float = 7,
    discontinued: bool = False, negative_allowed: bool = False,
) -> Judged:  # fmt: skip
    a, b, c, d, e = (np.array([float(each)]) for each in (on_hand, on_order, level, daily, lead))
    found = shortage.judge(a, b, c, d, e, np.array([discontinued]), np.array([negative_allowed]))
    return Judged(int(found.level[0]), bool(found.fires[0]), bool(found.clear[0]))


def test_on_hand_and_on_order_together_are_held_against_the_reorder_level() -> None:
    assert judge(on_hand=10, level=15) == Judged(REORDER, True, False)
    assert judge(on_hand=15, level=15) == Judged(REORDER, True, False), "down to it is enough"
    assert judge(on_hand=10, on_order=20, level=15) == Judged(FINE, False, True)
    assert judge(on_hand=15, on_order=10, level=30) == Judged(REORDER, True, False)


def test_an_alert_ends_a_tenth_above_the_limit_and_none_opens_below_that() -> None:
    assert judge(on_hand=16, level=15) == Judged(FINE, False, False)
    assert judge(on_hand=17, level=15) == Judged(FINE, False, True)
    assert judge(on_hand=71, daily=10, lead=7) == Judged(FINE, False, False)
    assert judge(on_hand=77, daily=10, lead=7) == Judged(FINE, False, True)


def test_cover_is_short_when_it_ends_before_an_order_would_come() -> None:
    assert judge(on_hand=69, daily=10, lead=7) == Judged(SHORT, True, False)
    assert judge(on_hand=70, daily=10, lead=7) == Judged(FINE, False, False), "just long enough"
    assert judge(on_hand=20, on_order=60, daily=10, lead=7) == Judged(FINE, False, True)
    assert judge(on_hand=20, level=30, daily=10, lead=7).level == SHORT, "the worse of two"


def test_nothing_left_is_the_worst_but_only_pending_when_enough_is_on_order() -> None:
    assert judge(level=20) == Judged(NOTHING, True, False)
    assert judge(on_order=70, level=20) == Judged(NOTHING, False, False)
    assert judge(on_order=10, level=20) == Judged(NOTHING, True, False)
    assert judge(daily=1, lead=7) == Judged(NOTHING, True, False)
    assert judge(daily=1, lead=0) == Judged(NOTHING, True, False)


def test_what_is_discontinued_is_never_short_and_ends_its_alert() -> None:
    assert judge(level=20, daily=3, discontinued=True) == Judged(FINE, False, True)
    assert judge(on_hand=-3, discontinued=True) == Judged(FINE, False, True)


def test_of_what_has_no_level_and_does_not_sell_there_is_nothing_to_say() -> None:
    assert judge() == Judged(FINE, False, True)


def test_less_than_nothing_is_a_mistake_unless_the_workspace_allows_it() -> None:
    assert judge(on_hand=-2) == Judged(NOTHING, True, False)
    assert judge(on_hand=-2, negative_allowed=True) == Judged(FINE, False, True)
    assert judge(on_hand=-2, level=5, negative_allowed=True) == Judged(NOTHING, True, False)


def plan(**more: Any) -> reorder.Plan:
    told = {"projected": 0.0, "level": 0.0, "target": np.nan, "pack": 1.0, "daily": 0.0, "spread": 0.0, "lead": 7.0}
    a, b, c, d, e, f, g = (np.array([float(each)]) for each in (told | more).values())
    return reorder.plan(a, b, c, d, e, f, g)


def test_it_is_ordered_up_to_the_target_in_whole_packs() -> None:
    assert plan(projected=4, target=28, pack=1).order[0] == 24
    assert plan(projected=4, target=28, pack=10).order[0] == 30
    assert plan(projected=4, target=28, pack=24).order[0] == 24
    assert plan(projected=28, target=28).order[0] == 0
    assert plan(projected=0.5, target=2, pack=0.3).order[0] == pytest.approx(1.5), "no sixth pack for a rounding error"


def test_without_a_target_it_lasts_until_the_next_order_has_come() -> None:
    # 2 a day: 14 in the lead time, 14 until somebody orders again, and 1.65 * 3 * sqrt(14 / 7) for safety.
    found = plan(daily=2, spread=3)
    assert found.safety[0] == pytest.approx(1.65 * 3 * 2**0.5)
    assert found.up_to[0] == pytest.approx(28 + 1.65 * 3 * 2**0.5)
    assert found.order[0] == 36


def test_a_reorder_level_that_is_higher_counts_in_its_place() -> None:
    assert plan(level=100, daily=2, spread=3).up_to[0] == pytest.approx(114)


def test_what_does_not_sell_is_ordered_up_to_twice_its_reorder_level() -> None:
    assert plan(projected=10, level=15).order[0] == 20


def test_what_is_ordered_always_ends_the_alert() -> None:
    assert plan(projected=10, level=15, target=12).order[0] == 7, "a target below the reorder level would not"
    chance = np.random.default_rng(3)
    for _ in range(200):
        level, on_hand, pack = (
            float(chance.integers(1, 60)),
            float(chance.integers(0, 60)),
            float(chance.integers(1, 9)),
        )
        if judge(on_hand=on_hand, level=level).fires:
            order = float(plan(projected=on_hand, level=level, pack=pack).order[0])
            assert order % pack == 0
            assert judge(on_hand=on_hand, on_order=order, level=level).level in (FINE, NOTHING)
            assert judge(on_hand=on_hand + order, level=level).clear


def test_a_pack_of_nothing_is_a_piece() -> None:
    assert plan(projected=4, target=28, pack=0).order[0] == 24
    assert plan(projected=4, target=28, pack=-5).order[0] == 24
