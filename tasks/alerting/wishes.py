"""How people want to be told: the areas there are, their choice for each, and the end of what they do not want.

Everybody has a row of `Wish`, made by the digest's scan or when somebody first looks at their settings. Whoever
tells this person holds it locked, so that nothing is told twice.
"""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models.account import Account
from models.alert import AT_ONCE, GATHERED, NEVER, Wish
from models.base import clock
from tasks import discover
from tasks.alerting.slots import next_due

CHOICES = (AT_ONCE, GATHERED, NEVER)
DIGEST = "digest"
HOUR = 7  # of a digest that nobody chose the hour of


def areas() -> list[str]:
    """What jobs raise alerts about: "expenses", "stock"; a new job's area appears by itself."""
    return sorted({job.area for job in discover().values() if job.area})


def choice(chosen: dict[str, Any] | None, area: str) -> str:
    """What a person wants of an area."""
    return str((chosen or {}).get(area, GATHERED))


def of(session: Session, account_id: str) -> Wish:
    """Somebody's wishes, made with what holds for everybody when there are none yet; in a session that writes."""
    found = session.get(Wish, account_id)
    if found is None:
        make(
            session, [(account_id, session.scalar(select(Account.time_zone).where(Account.id == account_id)) or "UTC")]
        )
        found = session.get_one(Wish, account_id)
    return found


def missing(session: Session, most: int) -> list[tuple[str, str]]:
    """People (account, zone) who have no wishes yet."""
    asked = select(Account.id, Account.time_zone).outerjoin(Wish, Wish.account_id == Account.id)
    return [(row.id, row.time_zone) for row in session.execute(asked.where(Wish.account_id.is_(None)).limit(most))]


def make(session: Session, people: Sequence[tuple[str, str]]) -> None:
    """Their rows; where somebody else makes one at the same moment, theirs stays."""
    now = clock(session)
    due = {zone: next_due("daily", HOUR, 1, 1, zone, now) for zone in {zone for _, zone in people}}
    try:
        with session.begin_nested():
            session.execute(insert(Wish), [_plain(account, due[zone]) for account, zone in people])
    except IntegrityError:
        for each in people if len(people) > 1 else ():
            make(session, [each])


def _plain(account_id: str, due: int | None) -> dict[str, Any]:
    return {
        "account_id": account_id, "next_due": due, "repeat": "daily", "hour": HOUR, "weekday": 1, "monthday": 1,
        "pictures": True, "amounts": False, "nag": False, "links_version": 1,
    }  # fmt: skip


def lock(session: Session, accounts: Collection[str]) -> None:
    """Whoever tells these people waits here for another who does. Takes the rows' locks until the commit."""
    session.execute(update(Wish).where(Wish.account_id.in_(sorted(accounts))).values(hour=Wish.hour))


def reckon(session: Session, wish: Wish, zone: str) -> None:
    """When the next digest is due, after the wishes or the zone changed."""
    wish.next_due = next_due(wish.repeat, wish.hour, wish.weekday, wish.monthday, zone, clock(session))


def moved(session: Session, account_id: str, zone: str) -> None:
    """The person lives by another clock now."""
    if (wish := session.get(Wish, account_id)) is not None:
        reckon(session, wish, zone)


def stop(session: Session, account_id: str, what: str) -> str | None:
    """End what a mail's link ends: "digest", or "at once:AREA,AREA", whose news are gathered from then on.

    Returns:
        A sentence that says what holds now; None where `what` is nothing that can be stopped.
    """
    kind, _, named = what.partition(":")
    if what == DIGEST:
        wish = of(session, account_id)
        wish.repeat, wish.next_due = "never", None
        return "You get no more digests."
    if kind != AT_ONCE:
        return None
    wish = of(session, account_id)
    chosen = wish.areas or {}
    names = named.split(",") if named else [area for area in chosen if chosen[area] == AT_ONCE]
    wish.areas = {**chosen, **dict.fromkeys(names, NEVER if wish.repeat == "never" else GATHERED)}
    if wish.repeat == "never":
        return f"You get no more mails about {' and '.join(names)}."
    return f"News of {' and '.join(names)} come in your digest from now on, and no longer at once."
