"""A first account with samples of all five systems: `python -m web demo`, for a stack that is only looked at.

Does nothing once somebody has an account, but for a demo that was stopped half way: each part of it is written together
with a mark in the audit log, which outlives whatever people change or delete, and a part without its mark is made by
the next start. The password is made by chance and stands in VAR/secrets/demo_password.
"""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

from sqlalchemy import and_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models.account import Account
from models.base import clock
from models.session import EVERYONE
from models.workspace import SYSTEM, AuditEntry, Membership
from tasks import days, discover
from tasks.books import sample_money
from tasks.care import by
from tasks.care import sample as sample_desk
from tasks.handover import Refused, hand_over
from tasks.inventory import stock_sample
from web import people
from web.security import hash_password
from workers.enqueue import submit
from workers.runtime import Runtime

EMAIL = "demo@example.org"
CURRENCY, ZONE = "EUR", "Europe/Berlin"
BEGUN, MADE = "demo begun", "demo sample made: {}"
NOTHING = "There are accounts already, so nothing was made."
OCCUPIED = (Refused, by.Refused, IntegrityError)


@dataclass(frozen=True)
class Home:
    """Whose the samples are, and the workspace that they go into."""

    account_id: str
    place: str


Fill = Callable[[Runtime, Session, Home, ExitStack], None]


def make(runtime: Runtime) -> str:
    """The account and its samples, or what is missing of them; what to tell whoever started it."""
    home = _home(runtime)
    if not home or not [name for name in PARTS if _fill(runtime, home, name)]:
        return NOTHING
    return f"Sign in as {EMAIL}; the password stands in {runtime.settings.var}/secrets/demo_password."


def _home(runtime: Runtime) -> Home | None:
    """The demo's, new or begun earlier; nothing where people have accounts and no demo was begun."""
    with runtime.database.read(EVERYONE) as session:
        inhabited, begun = people.inhabited(session), _begun(session)
    return begun if inhabited else _account(runtime)


def _begun(session: Session) -> Home | None:
    still = and_(Membership.account_id == AuditEntry.account_id, Membership.workspace_id == AuditEntry.workspace_id)
    row = session.execute(
        select(Membership.account_id, Membership.workspace_id).join(AuditEntry, still).where(AuditEntry.what == BEGUN)
    ).first()
    return Home(*row) if row else None


def _account(runtime: Runtime) -> Home | None:
    hashed = hash_password(runtime.settings.secret("demo_password"))
    with runtime.database.write(EVERYONE) as session:
        people.one_at_a_time(session, SYSTEM)
        if people.inhabited(session):
            return None
        account: Account = people.create_account(
            session, name="Demo", email=EMAIL, password_hash=hashed, time_zone=ZONE, confirmed=True
        )
        people.make_admin(session, account)
        mine = select(Membership.workspace_id).where(Membership.account_id == account.id)
        home = Home(account.id, session.scalars(mine.where(Membership.workspace_id != SYSTEM)).one())
        people.audit(session, BEGUN, home.account_id, home.place)
        return home


def _fill(runtime: Runtime, home: Home, name: str) -> bool:
    """Whether this part was missing, and is there now; where its owner began with their own, that stays alone."""
    try:
        return _once(runtime, home, name, PARTS[name])
    except OCCUPIED:
        if PARTS[name] is _heart:  # what is in its way is another thing, such as a full disk
            raise
        return _once(runtime, home, name, None)


def _once(runtime: Runtime, home: Home, name: str, fill: Fill | None) -> bool:
    with ExitStack() as undo:
        with runtime.database.write(home.place) as session:
            people.one_at_a_time(session, SYSTEM)
            mark = MADE.format(name)
            marked = select(AuditEntry.id).where(AuditEntry.what == mark, AuditEntry.workspace_id == home.place)
            if session.scalar(marked) is not None:
                return False
            people.audit(session, mark, home.account_id, home.place)
            if fill:
                fill(runtime, session, home, undo)
        undo.pop_all()
    return True


def _money(runtime: Runtime, session: Session, home: Home, undo: ExitStack) -> None:
    sample_money.write(session, days.today(ZONE, clock(session)), CURRENCY, home.account_id)


def _stock(runtime: Runtime, session: Session, home: Home, undo: ExitStack) -> None:
    stock_sample.fill(session, home.place, CURRENCY, days.today(ZONE, clock(session)), home.account_id)


def _meter(runtime: Runtime, session: Session, home: Home, undo: ExitStack) -> None:
    from tasks.metering import sample_rows  # numpy

    sample_rows.fill(session, ZONE, clock(session) // 1000)


def _desk(runtime: Runtime, session: Session, home: Home, undo: ExitStack) -> None:
    sample_desk.fill(session, home.place, home.account_id, clock(session))


def _heart(runtime: Runtime, session: Session, home: Home, undo: ExitStack) -> None:
    """The ECG's first sample, as a run: what is looked at is the workers' work."""
    job = discover()["ecg"]
    chosen = job.samples[0]
    files = [(name, job.folder / "sample" / name) for name in chosen.files]
    handed = hand_over(job, chosen.params, {job.file_fields()[0]: files}, runtime.storage)
    drop: Callable[[str], None] = runtime.storage.delete
    for upload in handed.uploads:
        undo.callback(partial(drop, upload.key))
    submit(runtime, session, job, handed, home.place, account_id=home.account_id)


PARTS: dict[str, Fill] = {"money": _money, "stock": _stock, "meter": _meter, "desk": _desk, "heart": _heart}
