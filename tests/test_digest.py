"""Digests and mails at once: everything is told, nothing twice, and never to somebody who should not hear of it."""

import pytest
from sqlalchemy import delete, select, update

from models.account import Account
from models.alert import AT_ONCE, NEVER, Alert, Channel, Move, Mute, Notice
from models.delivery import Delivery
from models.run import Run
from models.session import EVERYONE
from models.workspace import Membership, Workspace
from tasks.alerting import alert_expiry, wishes
from tests.conftest import Person, at_once, new_person
from tests.news import (
    digest_run,
    due,
    error_of,
    join,
    live_in,
    mails,
    mute,
    new_run,
    now,
    over,
    result_of,
    rows,
    see,
    tell,
    untold,
    wish,
    wish_of,
)  # fmt: skip
from tests.servers import DATABASES
from workers.execute import execute
from workers.runtime import Runtime

HOUR = 3_600_000
DAY = 24 * HOUR


def test_a_digest_says_first_what_needs_doing_and_marks_it_told(runtime: Runtime, ada: Person) -> None:
    place = ada.workspace_id
    see(runtime, over(place, 80), over(place, 100, subject="fuel"), over(place, 90, subject="rent"))
    see(runtime, over(place, 10, subject="rent"), over(place, 55, subject="shoes"))
    due(runtime, ada)
    assert tell(runtime) == {"digests": 1, "at_once": 0, "silent": 0}
    (mail,) = mails(runtime, ada)
    assert mail.subject == "2 things need you: Fuel 100 % used; Food 80 % used"
    order = [mail.text.index(words) for words in ("Fuel 100 %", "Food 80 %", "Shoes 55 %", "Rent is back at 10 %")]
    assert order == sorted(order)
    assert (
        mail.text.index("What needs doing first") < mail.text.index("What changed") < mail.text.index("What resolved")
    )
    assert f"{runtime.settings.origin}/expenses/fuel" in mail.html
    assert (mail.stop, mail.workspace_id, mail.to) == ("digest", place, "ada@example.org")
    assert "{unsubscribe}" in mail.text
    assert "{unsubscribe}" in mail.html
    assert untold(runtime, ada) == 0
    assert {each.delivery_id for each in rows(runtime, Notice)} == {mail.id}


def test_with_nothing_to_say_there_is_no_mail_and_the_run_says_so(runtime: Runtime, ada: Person) -> None:
    due(runtime, ada)
    slot = wish_of(runtime, ada).next_due
    assert tell(runtime) == {"digests": 0, "at_once": 0, "silent": 1}
    assert mails(runtime) == []
    found = wish_of(runtime, ada)
    assert found.last_slot == slot
    assert (found.next_due or 0) > now(runtime)


def test_what_was_told_is_not_told_again_and_a_nag_is_only_for_who_wants_it(runtime: Runtime, ada: Person) -> None:
    see(runtime, over(ada.workspace_id))
    due(runtime, ada)
    tell(runtime)
    due(runtime, ada)
    assert tell(runtime)["silent"] == 1
    wish(runtime, ada, nag=True, next_due=now(runtime) - 1)
    assert tell(runtime)["digests"] == 1
    assert [mail.subject for mail in mails(runtime)] == ["Food 80 % used"] * 2


def test_a_digest_after_an_outage_of_two_days_is_one(runtime: Runtime, ada: Person) -> None:
    see(runtime, over(ada.workspace_id))
    due(runtime, ada, ago=2 * DAY)
    assert tell(runtime)["digests"] == 1
    assert tell(runtime) == {"digests": 0, "at_once": 0, "silent": 0}
    assert 0 < (wish_of(runtime, ada).next_due or 0) - now(runtime) <= DAY


def test_who_never_chose_gets_a_digest_at_seven_in_their_own_zone(runtime: Runtime, ada: Person, grace: Person) -> None:
    live_in(runtime, ada, "Asia/Tokyo")
    live_in(runtime, grace, "America/New_York")
    assert tell(runtime) == {"digests": 0, "at_once": 0, "silent": 0}
    tokyo, new_york = (wish_of(runtime, person).next_due or 0 for person in (ada, grace))
    assert tokyo % DAY == 22 * HOUR
    assert new_york % DAY in (11 * HOUR, 12 * HOUR)  # summer and winter


@pytest.mark.parametrize("settings", ["sqlite", *DATABASES], indirect=True)
def test_two_runs_at_once_write_each_digest_once(runtime: Runtime) -> None:
    people = [new_person(runtime, f"reader{number}") for number in range(7)]
    see(runtime, *[over(person.workspace_id) for person in people])
    due(runtime, *people)
    found = [new_run(runtime), new_run(runtime)]
    at_once(*[lambda each=each: execute(runtime, each, f"worker{each}") for each in found])
    assert [error_of(runtime, each) for each in found] == [None, None]
    results = [result_of(runtime, each) for each in found]
    assert sum(each["digests"] for each in results) == len(people) == len(mails(runtime))
    assert all(untold(runtime, person) == 0 for person in people)


def test_news_come_at_once_for_who_wants_that_and_gathered_for_the_others(
    runtime: Runtime, ada: Person, grace: Person
) -> None:
    join(runtime, grace, ada.workspace_id)
    wish(runtime, ada, areas={"expenses": AT_ONCE})
    see(runtime, over(ada.workspace_id), over(ada.workspace_id, 55, subject="shoes"))
    assert tell(runtime, ada.workspace_id)["at_once"] == 1
    (mail,) = mails(runtime)
    assert (mail.account_id, mail.workspace_id) == (ada.account_id, ada.workspace_id)
    assert (mail.subject, mail.stop) == ("Food 80 % used", "at once:expenses")
    assert "at once" in mail.text
    assert (untold(runtime, ada), untold(runtime, grace)) == (1, 2), "what is pending is only gathered"
    assert tell(runtime, ada.workspace_id)["at_once"] == 0
    assert len(mails(runtime)) == 1


def test_a_new_notice_wakes_the_digest_where_somebody_wants_news_at_once(runtime: Runtime, ada: Person) -> None:
    see(runtime, over(ada.workspace_id))
    assert rows(runtime, Run) == [], "what is gathered waits for its hour"
    wish(runtime, ada, areas={"expenses": AT_ONCE})
    see(runtime, over(ada.workspace_id, 85, subject="shoes"))
    assert [(run.kind, run.workspace_id) for run in rows(runtime, Run)] == [("digest", ada.workspace_id)]


def test_nothing_comes_at_once_in_quiet_hours_and_one_mail_after_them(runtime: Runtime, ada: Person) -> None:
    shop = new_person(runtime, "shop")
    join(runtime, ada, shop.workspace_id)
    minute = now(runtime) // 60_000 % (24 * 60)
    areas = {"expenses": AT_ONCE}
    wish(runtime, ada, areas=areas, quiet_from=(minute - 60) % 1440, quiet_until=(minute + 60) % 1440)
    see(runtime, over(ada.workspace_id), over(shop.workspace_id, 100, subject="till"))
    for place in (ada.workspace_id, shop.workspace_id):
        assert tell(runtime, place)["at_once"] == 0
    assert tell(runtime)["at_once"] == 0
    wish(runtime, ada, quiet_from=(minute + 120) % 1440, quiet_until=(minute + 180) % 1440)
    assert tell(runtime)["at_once"] == 1
    (mail,) = mails(runtime)
    assert mail.subject == "2 things need you: Till 100 % used; Food 80 % used"
    assert mail.workspace_id == ada.workspace_id, "a mail of several workspaces stands in the person's own"
    assert "Shop's workspace" in mail.text


def test_who_left_and_what_was_muted_or_turned_off_is_not_told(runtime: Runtime, ada: Person, grace: Person) -> None:
    join(runtime, grace, ada.workspace_id)
    see(runtime, over(ada.workspace_id), over(ada.workspace_id, subject="fuel"))
    with runtime.database.write(EVERYONE) as session:
        session.execute(
            delete(Membership).where(
                Membership.account_id == grace.account_id, Membership.workspace_id == ada.workspace_id
            )
        )
    mute(runtime, ada.workspace_id, "fuel")
    due(runtime, ada, grace)
    assert tell(runtime) == {"digests": 1, "at_once": 0, "silent": 1}
    (mail,) = mails(runtime)
    assert mail.account_id == ada.account_id
    assert "Fuel" not in mail.text
    assert untold(runtime, ada) == untold(runtime, grace) == 0
    wish(runtime, ada, areas={"expenses": NEVER})
    see(runtime, over(ada.workspace_id, 100))
    assert untold(runtime, ada) == 0


def test_an_erased_workspace_is_in_no_digest(runtime: Runtime, ada: Person, grace: Person) -> None:
    join(runtime, ada, grace.workspace_id)
    see(runtime, over(grace.workspace_id))
    with runtime.database.write(EVERYONE) as session:
        session.execute(delete(Membership).where(Membership.workspace_id == grace.workspace_id))
        session.execute(delete(Workspace).where(Workspace.id == grace.workspace_id))
    due(runtime, ada)
    assert tell(runtime)["silent"] == 1


def test_over_and_back_between_two_digests_is_told_as_resolved_alone(runtime: Runtime, ada: Person) -> None:
    see(runtime, over(ada.workspace_id))
    see(runtime, over(ada.workspace_id, 10))
    due(runtime, ada)
    tell(runtime)
    (mail,) = mails(runtime)
    assert mail.subject == "Resolved: Food is back at 10 %"
    assert "needs doing" not in mail.text
    assert untold(runtime, ada) == 0


def test_names_are_words_in_a_mail_and_never_markup_or_headers(runtime: Runtime, ada: Person) -> None:
    live_in(runtime, ada, "UTC", name="<b>Ada</b>\nBcc: eve@example.org")
    bad = '<img src=x onerror=alert(1)>"'
    see(
        runtime,
        over(
            ada.workspace_id,
            title=f"{bad}\r\nBcc: eve@example.org",
            text="a\n\n-- \nnot the footer",
            link="javascript:x",
        ),
    )
    due(runtime, ada)
    tell(runtime)
    (mail,) = mails(runtime)
    assert "\n" not in mail.subject
    assert "\r" not in mail.subject
    assert "<img" not in mail.html
    assert "<b>Ada" not in mail.html
    assert "javascript:" not in mail.html + mail.text
    assert "\nBcc:" not in mail.text
    assert mail.text.count("\n-- \n") == 1


def test_digests_of_many_are_made_in_batches(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.digest.job.BATCH", 10)
    people = [new_person(runtime, f"reader{number}") for number in range(13)]
    see(runtime, *[over(person.workspace_id) for person in people])
    with runtime.database.write(EVERYONE) as session:
        session.execute(delete(Run))
    tell(runtime)
    due(runtime, *people)
    parent = digest_run(runtime)
    assert execute(runtime, parent, "w") == "blocked"
    children = [run.id for run in rows(runtime, Run) if run.parent_id == parent]
    assert [execute(runtime, child, "w") for child in children] == ["succeeded"] * 2
    assert execute(runtime, parent, "w") == "succeeded"
    assert result_of(runtime, parent) == {"digests": 13, "at_once": 0, "silent": 0}
    assert {mail.account_id for mail in mails(runtime)} == {person.account_id for person in people}


def test_a_digest_of_the_past_is_kept_when_its_reader_asks_for_none_any_more(runtime: Runtime, ada: Person) -> None:
    see(runtime, over(ada.workspace_id))
    wish(runtime, ada, areas={"expenses": AT_ONCE})
    with runtime.database.write(EVERYONE) as session:
        assert wishes.stop(session, ada.account_id, "at once:expenses")
        assert wishes.stop(session, ada.account_id, "a nonsense") is None
    assert wish_of(runtime, ada).areas == {"expenses": "gathered"}
    with runtime.database.write(EVERYONE) as session:
        assert wishes.stop(session, ada.account_id, "digest") == "You get no more digests."
    assert (wish_of(runtime, ada).repeat, wish_of(runtime, ada).next_due) == ("never", None)
    assert tell(runtime)["digests"] == 0
    assert mails(runtime) == []
    with runtime.database.read(EVERYONE) as session:
        assert session.get(Account, ada.account_id)
        assert session.query(Delivery).count() == 0


def test_who_wants_it_is_told_through_their_channels_too(runtime: Runtime, ada: Person, grace: Person) -> None:
    with runtime.database.write(EVERYONE) as session:
        for person, enabled in ((ada, True), (ada, False), (grace, True)):
            named = {"name": "Phone", "scheme": "ntfy", "sealed_url": "sealed", "enabled": enabled}
            session.add(Channel(account_id=person.account_id, **named))
    see(runtime, over(ada.workspace_id))
    due(runtime, ada)
    assert tell(runtime)["digests"] == 1
    mail, message = sorted(mails(runtime), key=lambda each: each.channel_id or "")
    assert (message.to, message.subject, message.html, message.stop) == ("Phone", mail.subject, "", "")
    assert "Food 80 % used" in message.text
    assert "{unsubscribe}" not in message.text
    assert "{unsubscribe}" in mail.text


def test_what_nobody_needs_of_alerts_any_more_is_cleared_away(runtime: Runtime, ada: Person) -> None:
    see(runtime, over(ada.workspace_id), over(ada.workspace_id, subject="rent"))
    see(runtime, over(ada.workspace_id, 10))
    mute(runtime, ada.workspace_id, "rent", until=1)
    mute(runtime, ada.workspace_id, "fuel")
    with runtime.database.write(EVERYONE) as session:
        session.execute(update(Alert).where(Alert.state == "resolved").values(resolved_at=1))
        first = session.scalars(select(Notice.move_id).join(Move).join(Alert).where(Alert.subject == "rent")).one()
        session.execute(update(Notice).where(Notice.move_id == first).values(told_at=1))
        for statement in alert_expiry.expired():
            session.execute(statement.execution_options(synchronize_session=False))
    assert [alert.subject for alert in rows(runtime, Alert)] == ["rent"]
    assert len(rows(runtime, Move)) == 1
    assert rows(runtime, Notice) == []
    assert [each.subject for each in rows(runtime, Mute)] == ["fuel"]
