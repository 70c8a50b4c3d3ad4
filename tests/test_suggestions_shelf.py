"""Indexes in memory: loaded once each, nobody waits for another desk's, and large ones do not drive each other out."""

import io
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tasks.care.suggestions import index
from tasks.care.suggestions.index import Unreadable
from tasks.care.suggestions.shelf import STAYS, Shelf
from tests.test_suggestions import an_index

DATA = index.dump(an_index())
SIZE = an_index().size


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def reading(opened: list[str]) -> Callable[[str], io.BytesIO]:
    def fetch(key: str) -> io.BytesIO:
        opened.append(key)
        return io.BytesIO(DATA)

    return fetch


def test_an_index_is_loaded_once_and_the_least_used_goes_when_memory_is_short() -> None:
    opened: list[str] = []
    clock = Clock()
    shelf = Shelf(reading(opened), most_bytes=2 * SIZE, now=clock)
    assert shelf.get("one") is shelf.get("one")
    shelf.get("two")
    shelf.get("one")
    clock.now = STAYS
    shelf.get("three")
    assert (opened, shelf.held()) == (["one", "two", "three"], [("one", False), ("three", False)])


def test_two_large_ones_asked_in_turn_do_not_throw_each_other_out_at_each_question() -> None:
    opened: list[str] = []
    clock = Clock()
    shelf = Shelf(reading(opened), most_bytes=SIZE + 10, now=clock)
    for _ in range(5):
        shelf.get("one")
        shelf.get("two")
    assert opened.count("one") == 1, "one stays for its time, the other is read for each question"
    clock.now = STAYS
    shelf.get("two")
    shelf.get("two")
    assert shelf.held() == [("two", False)], "then the other has its turn"


def test_what_customers_ask_has_a_shelf_of_its_own() -> None:
    shelf = Shelf(reading([]), most_bytes=1)
    assert shelf.get("one") is not shelf.get("one", articles_alone=True)
    for number in range(5):
        shelf.get(f"other {number}")
    assert ("one", True) in shelf.held()


def test_nobody_waits_while_another_desk_s_index_loads_and_two_of_one_load_it_once() -> None:
    opened: list[str] = []
    loading, go_on = threading.Event(), threading.Event()

    def fetch(key: str) -> io.BytesIO:
        opened.append(key)
        if key == "slow":
            loading.set()
            assert go_on.wait(20)
        return io.BytesIO(DATA)

    shelf = Shelf(fetch)
    with ThreadPoolExecutor(2) as pool:
        slow = [pool.submit(shelf.get, "slow") for _ in range(2)]
        try:
            assert loading.wait(20)
            assert shelf.get("quick").made_at == 0
        finally:
            go_on.set()
        assert slow[0].result(20) is slow[1].result(20)
    assert opened.count("slow") == 1


def test_one_that_cannot_be_read_is_told_each_time_and_keeps_nobody_waiting() -> None:
    shelf = Shelf(lambda key: io.BytesIO(b"PK"))
    for _ in range(3):
        with pytest.raises(Unreadable):
            shelf.get("broken")
    assert shelf.held() == []
