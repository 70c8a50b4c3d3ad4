"""What the subjects add to a digest: lines, sums for who wants them, pictures; and nobody waits for a bad one."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select

from models.delivery import Picture
from models.session import EVERYONE
from tasks import discover
from tasks.alerting import adding, telling, wishes
from tasks.books import budget_news
from tasks.job import Job
from tasks.sections import Figure, Section
from tests.buckets import nowhere
from tests.conftest import Person, new_person
from tests.ledger_rows import household
from tests.news import due, join, mails, now, over, see, tell, wish
from workers.runtime import Runtime


@pytest.fixture
def spent(runtime: Runtime, ada: Person) -> Person:
    """Ada, who has spent most of a year's budget, and was warned of something."""
    home, today = household(runtime, ada), datetime.now(UTC).date()
    home.budget(100, "Groceries", period="year")
    home.budget(100, "Books", period="year")
    home.entry(-95, today, "Groceries")
    home.entry(-1, today, "Books")
    see(runtime, over(ada.workspace_id))
    return ada


def test_a_budgets_line_has_sums_of_money_only_for_who_wants_them(runtime: Runtime, spent: Person) -> None:
    wish(runtime, spent, pictures=False)
    due(runtime, spent)
    tell(runtime)
    wish(runtime, spent, amounts=True, nag=True)
    due(runtime, spent)
    tell(runtime)
    without, with_sums = mails(runtime, spent)
    assert "Groceries: 95 % used" in without.text
    assert "Books:" not in without.text
    assert "95.00" not in without.text + without.html
    assert "€95.00 of €100.00 used (95 %)" in with_sums.text
    assert "95.00" in with_sums.html


def test_with_pictures_each_stands_in_storage_and_in_the_mail_under_one_name(runtime: Runtime, spent: Person) -> None:
    wish(runtime, spent, pictures=True)
    due(runtime, spent)
    tell(runtime)
    (mail,) = mails(runtime, spent)
    with runtime.database.read(EVERYONE) as session:
        (picture,) = session.scalars(select(Picture)).all()
    assert (picture.delivery_id, picture.workspace_id) == (mail.id, spent.workspace_id)
    assert f'src="cid:{picture.name}"' in mail.html
    assert picture.alt
    assert picture.alt in mail.text
    with runtime.storage.open(picture.key) as stream:
        assert stream.read(8) == b"\x89PNG\r\n\x1a\n"


def test_many_people_at_once_are_told_the_same_as_each_alone(runtime: Runtime, spent: Person, grace: Person) -> None:
    """The quick way and the plain one: the same sections."""
    join(runtime, grace, spent.workspace_id)
    home, today = household(runtime, grace), datetime.now(UTC).date()
    home.budget(0, "Nothing may go", period="year")
    home.budget(50, None, period="month", rollover=True)
    home.entry(-45, today, "Nothing may go")
    for person in (spent, grace):
        wish(runtime, person, amounts=person is grace, pictures=False)
    with runtime.database.read(EVERYONE) as session:
        bags = telling.bags(session, telling.people(session, [spent.account_id, grace.account_id]))
    adding.add_sections(runtime.database.read, bags)
    job = discover()["budget"]
    assert job.section
    for bag in bags:
        alone = []
        for place, name in bag.person.places.items():
            with runtime.database.read(place) as session:
                alone.append((name, job.section(session, place, adding.reader(bag.person))))
        assert bag.sections == [(name, part) for name, part in alone if part]
        assert bag.sections


@pytest.mark.parametrize("which", [(0, 1, 2), (0, 5)], ids=["one after the other", "far apart"])
def test_budgets_of_many_workspaces_are_each_told_where_they_belong(runtime: Runtime, which: tuple[int, ...]) -> None:
    people, today = [new_person(runtime, f"reader{number}") for number in range(6)], datetime.now(UTC).date()
    for number, person in enumerate(people):
        home = household(runtime, person)
        home.budget(100, "Groceries", period="year", name=f"Groceries of {number}")
        home.budget(100, "Old", period="year", archived_at=1)
        home.entry(-90 - number, today, "Groceries")
        home.entry(-90, today, "Old")
    places = {people[number].workspace_id for number in which}
    with runtime.database.read(EVERYONE) as session:
        found = budget_news.pressing(session, now(runtime), places)
    assert {place: [one.name for one in some] for place, some in found.items()} == {
        people[number].workspace_id: [f"Groceries of {number}"] for number in which
    }


def test_a_subject_in_trouble_keeps_nobodys_news_back(
    runtime: Runtime, spent: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> Any:
        raise ValueError("a section that cannot be made")

    budget = replace(discover()["budget"], section=broken, sections=None)
    other = _job_with(Section("Another subject", "/x", ["All is well."]))
    monkeypatch.setattr(adding, "discover", lambda: {"budget": budget, "other": other})
    due(runtime, spent)
    assert tell(runtime)["digests"] == 1
    (mail,) = mails(runtime, spent)
    assert "Food 80 % used" in mail.text
    assert "All is well." in mail.text


def test_pictures_of_a_digest_that_another_run_has_told_are_not_left_behind(
    runtime: Runtime, spent: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def in_the_meantime(session: Any, place: str, reader: Any) -> Section:
        with runtime.database.write(EVERYONE) as other:  # as if another run had been quicker
            wishes.of(other, spent.account_id).next_due = 4_102_444_800_000
        return Section("Slow", "/x", figures=[Figure("one", "A picture", b"\x89PNG")])

    slow = replace(_job_with(None), section=in_the_meantime)
    monkeypatch.setattr(adding, "discover", lambda: {"slow": slow})
    due(runtime, spent)
    assert tell(runtime) == {"digests": 0, "at_once": 0, "silent": 0}
    assert mails(runtime) == []
    assert list(runtime.storage.listed()) == []


def test_a_bucket_that_is_away_costs_a_digest_its_pictures_and_nobody_their_news(
    runtime: Runtime, spent: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    object.__setattr__(runtime, "storage", nowhere())
    drawn = _job_with(Section("Drawn", "/x", ["All is well."], figures=[Figure("one", "A picture", b"\x89PNG")]))
    monkeypatch.setattr(adding, "discover", lambda: {"drawn": drawn})
    due(runtime, spent)
    assert tell(runtime)["digests"] == 1
    (mail,) = mails(runtime, spent)
    assert "Food 80 % used" in mail.text
    assert "All is well." in mail.text


def test_two_workspaces_are_told_apart(runtime: Runtime, spent: Person) -> None:
    shop = new_person(runtime, "shop")
    join(runtime, spent, shop.workspace_id)
    see(runtime, over(shop.workspace_id, subject="till"))
    wish(runtime, spent, pictures=False)
    due(runtime, spent)
    tell(runtime)
    (mail,) = mails(runtime, spent)
    assert "Budgets · Ada's workspace" in mail.text
    assert "Shop's workspace · new, since" in mail.text


def _job_with(part: Section | None) -> Job:
    return replace(discover()["budget"], watches=(), sections=None, section=lambda *_: part)
