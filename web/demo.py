"""A first account with samples of all five systems: `python -m web demo`, for a stack that is only looked at.

Does nothing once somebody has an account. The password is made by chance and stands in VAR/secrets/demo_password.
"""

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.account import Account
from models.base import clock
from models.session import EVERYONE
from models.workspace import SYSTEM, Membership
from tasks import days, discover
from tasks.books import sample_money
from tasks.care import sample as sample_desk
from tasks.handover import hand_over
from tasks.inventory import stock_sample
from web import people
from web.security import hash_password
from workers.enqueue import submit
from workers.runtime import Runtime

EMAIL = "demo@example.org"
CURRENCY, ZONE = "EUR", "Europe/Berlin"


def make(runtime: Runtime) -> str:
    """The account and its samples; what to tell whoever started it."""
    with runtime.database.read(EVERYONE) as session:
        if people.inhabited(session):
            return "There are accounts already, so nothing was made."
    account_id, place = _account(runtime)
    if not place:
        return "Somebody else makes the first account just now, so nothing was made."
    for fill in (_money, _stock, _meter, _desk):
        with runtime.database.write(place) as session:
            fill(session, place, account_id)
    _heart(runtime, place, account_id)
    return f"Sign in as {EMAIL}; the password stands in {runtime.settings.var}/secrets/demo_password."


def _account(runtime: Runtime) -> tuple[str, str]:
    hashed = hash_password(runtime.settings.secret("demo_password"))
    with runtime.database.write(EVERYONE) as session:
        people.one_at_a_time(session, SYSTEM)
        if people.inhabited(session):
            return "", ""
        account: Account = people.create_account(
            session, name="Demo", email=EMAIL, password_hash=hashed, time_zone=ZONE, confirmed=True
        )
        people.make_admin(session, account)
        mine = select(Membership.workspace_id).where(Membership.account_id == account.id)
        return account.id, session.scalars(mine.where(Membership.workspace_id != SYSTEM)).one()


def _money(session: Session, place: str, account_id: str) -> None:
    sample_money.write(session, days.today(ZONE, clock(session)), CURRENCY, account_id)


def _stock(session: Session, place: str, account_id: str) -> None:
    stock_sample.fill(session, place, CURRENCY, days.today(ZONE, clock(session)), account_id)


def _meter(session: Session, place: str, account_id: str) -> None:
    from tasks.metering import sample_rows  # numpy

    sample_rows.fill(session, ZONE, clock(session) // 1000)


def _desk(session: Session, place: str, account_id: str) -> None:
    sample_desk.fill(session, place, account_id, clock(session))


def _heart(runtime: Runtime, place: str, account_id: str) -> None:
    """The ECG's first sample, as a run: what is looked at is the workers' work."""
    job = discover()["ecg"]
    chosen = job.samples[0]
    files = [(name, job.folder / "sample" / name) for name in chosen.files]
    with ExitStack() as undo:
        handed = hand_over(job, chosen.params, {job.file_fields()[0]: files}, runtime.storage)
        drop: Callable[[str], None] = runtime.storage.delete
        for upload in handed.uploads:
            undo.callback(partial(drop, upload.key))
        with runtime.database.write(place) as session:
            submit(runtime, session, job, handed, place, account_id=account_id)
        undo.pop_all()
