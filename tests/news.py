"""What tests of alerts and digests share: scans that see what a test says, people's wishes, runs of the digest."""

from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import select, update

from models.account import Account
from models.alert import Alert, Move, Mute, Notice, Wish
from models.base import clock
from models.delivery import Delivery
from models.run import QUEUED, Run
from models.session import EVERYONE
from models.workspace import SYSTEM, Membership
from tasks import discover
from tasks.alerting import alerts, wishes
from tasks.alerting.alerts import Count, Sight
from tasks.handover import HandedOver
from tests.conftest import Person
from workers.enqueue import submit
from workers.execute import execute
from workers.runtime import Runtime

WORKER = "test@here:1/2"
RULE = "budget"
Look = Callable[[str], Sight]


def over(place: str, level: int = 80, *, subject: str = "food", **more: Any) -> Sight:
    """A budget's sight as its scan gives it: it fires from 70 on, and is clear below 50."""
    said: dict[str, Any] = {
        "title": f"{subject.title()} {level} % used",
        "text": "Spend less a day.",
        "link": f"/expenses/{subject}",
    }
    said |= {"end": f"{subject.title()} is back at {level} %", "cause": "1", "period": "2026-11-01", **more}
    return Sight(place, subject, level if level >= 50 else 0, level >= 70, level < 50, **said)


def see(
    runtime: Runtime, *sights: Sight, area: str = "expenses", rule: str = RULE, gone: Iterable[tuple[str, str]] = ()
) -> Count:
    """What a scan does when it sees this: look, lock, settle."""
    places = {sight.workspace for sight in sights} | {place for place, _ in gone}
    with runtime.database.write(EVERYONE) as session:
        alerts.lock(session, places)
        return alerts.settle(session, area, rule, sights, gone)


def rows(runtime: Runtime, table: type[Any]) -> list[Any]:
    with runtime.database.read(EVERYONE) as session:
        return list(session.scalars(select(table).order_by(*table.__table__.primary_key)).all())


def moves(runtime: Runtime) -> list[tuple[str, int]]:
    """The steps there were, in their order."""
    return [(move.what, move.level) for move in sorted(rows(runtime, Move), key=lambda move: (move.at, move.id))]


def untold(runtime: Runtime, person: Person) -> int:
    return sum(each.account_id == person.account_id and each.told_at is None for each in rows(runtime, Notice))


def mute(runtime: Runtime, place: str, subject: str = "food", until: int | None = None) -> None:
    with runtime.database.write(EVERYONE) as session:
        session.add(Mute(workspace_id=place, rule=RULE, subject=subject, until=until))


def wish(runtime: Runtime, person: Person, **values: Any) -> None:
    """How somebody wants to be told."""
    with runtime.database.write(EVERYONE) as session:
        wishes.of(session, person.account_id)
        session.execute(update(Wish).where(Wish.account_id == person.account_id).values(**values))


def wish_of(runtime: Runtime, person: Person) -> Wish:
    with runtime.database.read(EVERYONE) as session:
        return session.get_one(Wish, person.account_id)


def now(runtime: Runtime) -> int:
    with runtime.database.read(EVERYONE) as session:
        return clock(session)


def due(runtime: Runtime, *persons: Person, ago: int = 1) -> None:
    """Their digests are due since so many milliseconds."""
    for person in persons:
        wish(runtime, person, next_due=now(runtime) - ago)


def new_run(runtime: Runtime, place: str = SYSTEM) -> str:
    """One more run of the digest; its id."""
    job = discover()["digest"]
    with runtime.database.write(place) as session:
        return submit(runtime, session, job, HandedOver(job.params()), place, account_id=None).id


def digest_run(runtime: Runtime, place: str = SYSTEM) -> str:
    """The run that a new notice made there, or a new one as beat makes it."""
    with runtime.database.read(place) as session:
        waits = session.scalar(select(Run.id).where(Run.kind == "digest", Run.state == QUEUED, Run.parent_id.is_(None)))
    return waits or new_run(runtime, place)


def tell(runtime: Runtime, place: str = SYSTEM) -> dict[str, Any]:
    """Run the digest there; its result."""
    found = digest_run(runtime, place)
    assert execute(runtime, found, WORKER) == "succeeded", error_of(runtime, found)
    return result_of(runtime, found)


def result_of(runtime: Runtime, found: str) -> dict[str, Any]:
    with runtime.database.read(EVERYONE) as session:
        return session.scalars(select(Run.result).where(Run.id == found)).one() or {}


def error_of(runtime: Runtime, found: str) -> str | None:
    with runtime.database.read(EVERYONE) as session:
        return session.scalars(select(Run.error).where(Run.id == found)).one()


def mails(runtime: Runtime, person: Person | None = None) -> list[Delivery]:
    found: list[Delivery] = rows(runtime, Delivery)
    return [mail for mail in found if person is None or mail.account_id == person.account_id]


def join(runtime: Runtime, person: Person, place: str, role: str = "member") -> None:
    with runtime.database.write(EVERYONE) as session:
        session.add(Membership(workspace_id=place, account_id=person.account_id, role=role))


def live_in(runtime: Runtime, person: Person, zone: str, **more: Any) -> None:
    with runtime.database.write(EVERYONE) as session:
        session.execute(update(Account).where(Account.id == person.account_id).values(time_zone=zone, **more))


def the_alert(runtime: Runtime) -> Alert:
    (found,) = rows(runtime, Alert)
    return found  # type: ignore[no-any-return]


def alert_of(runtime: Runtime, person: Person, words: str) -> dict[str, str]:
    """An alert of this person's workspace that says these words; its ids, as routes name them."""
    see(runtime, over(person.workspace_id, title=words, text=words, subject=words[:40]))
    found = next(each for each in rows(runtime, Alert) if each.workspace_id == person.workspace_id)
    return {"alert_id": found.id}
