"""The job that reads the mailboxes of help desks: every minute all that are due, each by a run of its own.

A mail is kept, with what it opened, in one transaction; only then it is marked as read, and only then the next one
is fetched. Whoever dies in between reads it again and finds that it is known.
"""

import time
from contextlib import closing
from typing import TYPE_CHECKING

import structlog
from pydantic import Field
from sqlalchemy import or_, select, update
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import Session

from models.desk import Inlet
from models.statements import changed
from tasks.care.boxes import Box, Door, Lying, Trouble
from tasks.context import Context
from tasks.errors import JobError
from tasks.job import Job, Params, Result, hidden_field

if TYPE_CHECKING:
    from tasks.care.mail.reading import Mail
    from tasks.care.taking import Came

log = structlog.get_logger()
MINUTE = 60_000
BUSY_SECONDS = 120  # then the next run goes on
CLAIM_MS = 45_000  # a mailbox that was seen to so lately is another run's; each mail renews it
LONGEST_WAIT = 60  # minutes between two tries of one in trouble
PORTION = 200
WHOLE, BEGINNING = 38_000_000, 1_000_000  # bytes: of a larger mail only its beginning is read
HEAVY = 1_000_000  # one that may cost a worker its memory
DEADLY = 2  # so many workers were lost over it: it is left alone
LOST = "Workers were lost while they read this mail, so it is left in the mailbox; look at it there."
NOT_KEPT = "The database refused what is in this mail; look at it in the mailbox."


class Which(Params):
    """Nothing to fill in; a run for one mailbox names it."""

    inlet: str = hidden_field("")


class Looked(Result):
    """What came in."""

    mailboxes: int = Field(0, title="Mailboxes looked into")
    opened: int = Field(0, title="Tickets opened")
    added: int = Field(0, title="Messages added to tickets")
    other: int = Field(0, title="Left out, refused, or known already")
    troubled: int = Field(0, title="Mailboxes in trouble; their page says with what")


def run(params: Which, ctx: Context) -> Looked:
    """All that are due, or the one that is named."""
    if params.inlet:
        return _one(ctx, params.inlet)
    if ctx.children is not None:
        return _together(ctx)
    with ctx.read_everything() as session:
        due = _due(session, ctx.now())
    if len(due) > 1:
        ctx.fan_out(JOB.kind, [Which(inlet=each) for each in due])
    return _one(ctx, due[0]) if due else Looked()


def _together(ctx: Context) -> Looked:
    found = Looked()
    for child in ctx.children or ():
        one = Looked.model_validate(child.result) if child.result else Looked(mailboxes=1, troubled=1)
        for name in Looked.model_fields:
            setattr(found, name, getattr(found, name) + getattr(one, name))
    return found


def _due(session: Session, now: int) -> list[str]:
    """Each a minute after its last look; one in trouble after 2, 4, 8 … minutes, and an hour at most."""
    asked = select(Inlet.id, Inlet.checked_at, Inlet.failures).where(Inlet.enabled).order_by(Inlet.checked_at, Inlet.id)
    return [row.id for row in session.execute(asked) if _waited(row.checked_at, row.failures, now)]


def _waited(checked_at: int | None, failures: int, now: int) -> bool:
    minutes = min(2 ** min(failures, 10), LONGEST_WAIT) if failures else 1
    return checked_at is None or now - checked_at >= minutes * MINUTE - 15_000


def _one(ctx: Context, inlet_id: str) -> Looked:
    """Look into one mailbox, unless another run does."""
    if ctx.boxes is None:
        raise JobError("Mailboxes cannot be read from here.")
    door = _claim(ctx, inlet_id)
    if door is None:
        return Looked()
    found = Looked(mailboxes=1)
    try:
        with closing(ctx.boxes.open(door)) as box:
            _read(ctx, inlet_id, door, box, found)
    except Trouble as error:
        log.warning("postbox.trouble", inlet=inlet_id)
        found.troubled = 1
        _tell(ctx, door, inlet_id, str(error))
    else:
        _tell(ctx, door, inlet_id, "")
    return found


def _claim(ctx: Context, inlet_id: str) -> Door | None:
    now = ctx.now()
    with ctx.write_everything() as session:
        free = or_(Inlet.checked_at.is_(None), Inlet.checked_at < now - CLAIM_MS, Inlet.checked_at > now + MINUTE)
        before = session.scalar(select(Inlet.checked_at).where(Inlet.id == inlet_id))
        mine = update(Inlet).where(Inlet.id == inlet_id, Inlet.enabled, free).values(checked_at=now)
        if not changed(session, mine.execution_options(synchronize_session=False)):
            return None
        one = session.scalars(select(Inlet).where(Inlet.id == inlet_id)).one()
        return Door(
            one.kind, one.workspace_id, one.host, one.port, one.security, one.user, one.sealed_password, one.folder,
            one.uid_validity, one.last_uid, before or one.created_at,
        )  # fmt: skip


def _read(ctx: Context, inlet_id: str, door: Door, box: Box, found: Looked) -> None:
    """One mail after the other."""
    seen, until = box.look(PORTION), time.monotonic() + BUSY_SECONDS
    for number, mail in enumerate(seen.mails):
        ctx.progress(number / len(seen.mails), f"Mail {number + 1} of {len(seen.mails)}")
        outcome = _mail(ctx, inlet_id, door, box, mail, seen.uid_validity)
        field = outcome if outcome in ("opened", "added") else "other"
        setattr(found, field, getattr(found, field) + 1)
        if time.monotonic() > until:
            return
    _advance(ctx, inlet_id, door, seen.uid_validity, seen.last_uid)


def _mail(ctx: Context, inlet_id: str, door: Door, box: Box, lying: Lying, validity: int) -> str:
    from tasks.care import taking
    from tasks.care.mail import reading

    deadly = lying.size > HEAVY and _tried(ctx, lying) >= DEADLY
    most = BEGINNING if deadly or lying.size > WHOLE else WHOLE
    raw = box.fetch(lying, most)
    if raw is None:
        return "gone"
    mail = reading.read(raw, lying.size or None)
    with ctx.database.read(door.workspace_id) as session:
        known = taking.known(session, mail)
    came = None if known or deadly else taking.put_away(mail, ctx.storage)
    outcome = "known" if known else _kept(ctx, inlet_id, door, mail, came)
    _advance(ctx, inlet_id, door, validity, lying.uid)
    box.done(lying)
    return outcome


def _tried(ctx: Context, lying: Lying) -> int:
    """How many attempts of this run died over this mail; this one is counted, too."""
    key = f"{lying.uid} {lying.name}"
    before = (ctx.checkpoint or {}).get(key, 0)
    ctx.save_checkpoint({key: before + 1})
    return int(before)


def _kept(ctx: Context, inlet_id: str, door: Door, mail: "Mail", came: "Came | None") -> str:
    """Do what the mail wants. Two runs at once meet at its fingerprint: the second finds it known."""
    from tasks.care import taking

    assert ctx.boxes is not None
    try:
        with ctx.database.write(door.workspace_id) as session:
            inlet = session.scalar(select(Inlet).where(Inlet.id == inlet_id))
            if inlet is None:
                return "gone"
            if came is not None:
                return taking.take(session, inlet, came, ctx.boxes.tokens, ctx.boxes.own, ctx.now()).outcome
            taking.write_down(session, inlet, mail, taking.Outcome(taking.REFUSED, LOST), ctx.now())
            return taking.REFUSED
    except IntegrityError:
        with ctx.database.read(door.workspace_id) as session:
            if taking.known(session, mail):
                return "known"
        raise
    except DataError:
        log.warning("postbox.not_kept", inlet=inlet_id)
        return _refused(ctx, inlet_id, door, mail)


def _refused(ctx: Context, inlet_id: str, door: Door, mail: "Mail") -> str:
    from tasks.care import taking

    with ctx.database.write(door.workspace_id) as session:
        inlet = session.scalars(select(Inlet).where(Inlet.id == inlet_id)).one()
        bare = taking.bare(mail)
        taking.write_down(session, inlet, bare, taking.Outcome(taking.REFUSED, NOT_KEPT), ctx.now())
    return taking.REFUSED


def _advance(ctx: Context, inlet_id: str, door: Door, validity: int, uid: int) -> None:
    """How far it was read; the claim is renewed."""
    values = {"checked_at": ctx.now(), "uid_validity": validity, "last_uid": uid} if door.kind == "imap" else {}
    with ctx.database.write(door.workspace_id) as session:
        mine = update(Inlet).where(Inlet.id == inlet_id).values(values or {"checked_at": ctx.now()})
        session.execute(mine.execution_options(synchronize_session=False))


def _tell(ctx: Context, door: Door, inlet_id: str, trouble: str) -> None:
    with ctx.database.write(door.workspace_id) as session:
        failures = Inlet.failures + 1 if trouble else 0
        mine = update(Inlet).where(Inlet.id == inlet_id)
        values = {"trouble": trouble[:500], "failures": failures, "checked_at": ctx.now()}
        session.execute(mine.values(values).execution_options(synchronize_session=False))


JOB = Job(
    kind="postbox",
    title="Read mailboxes",
    summary="Reads the mail of help desks: it becomes tickets, and answers in them.",
    params=Which,
    result=Looked,
    run=run,
    queue="default",
    schedule="* * * * *",
    time_limit=600,
    audience="machinery",
)
