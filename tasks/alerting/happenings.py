"""News that are nobody's to see to: something happened, some people are to know of it, and that is all.

Each is written as an alert that is over from its first moment (`TOLD`): so it is told as people wish, at once or
gathered, waits for the end of quiet hours, and is told once; but it stands on no list of what is wrong.
"""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import func, insert, or_, select, update
from sqlalchemy.orm import Session

from models.alert import AT_ONCE, GATHERED, NEVER, OPENED, TOLD, Alert, Move, Mute, Notice, Wish
from models.base import clock, db_now, new_id
from models.session import touch
from models.workspace import Membership, hears


@dataclass(frozen=True, slots=True)
class Happening:
    """What happened to a subject.

    Attributes:
        subject: the id of a ticket. title: the news in a line. text: what to do. link: a path of ours.
        to: the accounts to tell, as far as they are members and want to hear of the area.
    """

    subject: str
    title: str
    text: str
    link: str
    to: frozenset[str]


def tell(session: Session, workspace_id: str, area: str, rule: str, happened: Happening) -> int:
    """Write it down for those who are to know; how many they are. Whoever calls holds the subject's own row."""
    people = _people(session, workspace_id, area, happened.to)
    if not people or _muted(session, workspace_id, rule, happened.subject):
        return 0
    now, alert, move = clock(session), new_id(), new_id()
    row = {
        "id": alert, "workspace_id": workspace_id, "area": area, "rule": rule, "subject": happened.subject,
        "episode": _episode(session, workspace_id, rule, happened.subject), "period": "", "cause": "", "state": TOLD,
        "level": 0, "title": happened.title[:200], "text": happened.text[:1000], "link": happened.link,
        "opened_at": now, "moved_at": now,
    }  # fmt: skip
    step = {"id": move, "workspace_id": workspace_id, "alert_id": alert, "what": OPENED, "level": 0,
            "title": happened.title[:200], "at": now}  # fmt: skip
    session.execute(insert(Alert), [row])
    session.execute(insert(Move), [step])
    notice = {"move_id": move, "workspace_id": workspace_id, "area": area}
    session.execute(insert(Notice), [notice | {"account_id": each} for each in sorted(people)])
    if AT_ONCE in people.values():
        touch(session, Notice, workspace_id)
    return len(people)


def known(
    session: Session, workspace_id: str, rules: Collection[str], subject: str, account_id: str | None = None
) -> None:
    """What happened to a subject needs no telling any more: to nobody, or to this one, who knows it."""
    asked = select(Notice.move_id, Notice.account_id).join(Move, Move.id == Notice.move_id)
    asked = asked.join(Alert, Alert.id == Move.alert_id).where(
        Alert.workspace_id == workspace_id, Alert.rule.in_(rules), Alert.subject == subject, Notice.told_at.is_(None)
    )
    rows = session.execute(asked.where(Notice.account_id == account_id) if account_id else asked).all()
    if rows:
        moves, accounts = {row.move_id for row in rows}, {row.account_id for row in rows}
        mine = (Notice.move_id.in_(moves), Notice.account_id.in_(accounts), Notice.told_at.is_(None))
        spent = update(Notice).where(*mine).values(told_at=clock(session))
        session.execute(spent, execution_options={"synchronize_session": False})


def _people(session: Session, workspace_id: str, area: str, to: Collection[str]) -> dict[str, str]:
    """Who of them is told, and how."""
    asked = select(Membership.account_id, Membership.role, Wish.areas)
    asked = asked.outerjoin(Wish, Wish.account_id == Membership.account_id)
    asked = asked.where(Membership.workspace_id == workspace_id, Membership.account_id.in_(to))
    found = {
        account: str((areas or {}).get(area, GATHERED))
        for account, role, areas in (session.execute(asked) if to else ())
        if hears(role, area)
    }
    return {account: how for account, how in found.items() if how != NEVER}


def _muted(session: Session, workspace_id: str, rule: str, subject: str) -> bool:
    same = (Mute.workspace_id == workspace_id, Mute.rule == rule, Mute.subject == subject)
    still = or_(Mute.until.is_(None), Mute.until > db_now())
    return session.scalar(select(Mute.subject).where(*same, still)) is not None


def _episode(session: Session, workspace_id: str, rule: str, subject: str) -> int:
    same = (Alert.workspace_id == workspace_id, Alert.rule == rule, Alert.subject == subject)
    return (session.scalar(select(func.max(Alert.episode)).where(*same)) or 0) + 1
