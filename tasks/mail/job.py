"""The job that sends a workspace's waiting deliveries. It watches them: a new one wakes it."""

import hashlib
import secrets

import structlog
from pydantic import Field
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models.account import Link
from models.base import db_now
from models.delivery import FAILED, QUEUED, SENDING, SENT, UNSURE, Delivery
from models.statements import changed
from models.workspace import SYSTEM, Invitation
from tasks.context import Context
from tasks.errors import Away, JobError, TryLater
from tasks.job import Job, NoParams, Result

log = structlog.get_logger()
LINK_MS = 30 * 60_000
SENDING_TOO_LONG_MS = 10 * 60_000
TRIES = 8
STALE_MS = 60_000
INVITATION = "invitation"


class Sent(Result):
    """How many mails left, and how many could not."""

    sent: int = Field(title="Sent")
    failed: int = Field(title="Refused for good")


def run(params: NoParams, ctx: Context) -> Sent:
    """Send each waiting delivery: written down as "sending" before, as "sent" after."""
    _give_up_unsure(ctx)
    if ctx.workspace == SYSTEM:
        _wake_others(ctx)
    with ctx.read() as session:
        ids = session.scalars(select(Delivery.id).where(Delivery.state == QUEUED).order_by(Delivery.id)).all()
    outcomes = []
    for number, delivery_id in enumerate(ids):
        ctx.progress(number / len(ids), f"Mail {number + 1} of {len(ids)}")
        outcomes.append(_deliver(ctx, delivery_id))
    if None in outcomes:
        raise TryLater("The mail server said “later”.")
    return Sent(sent=outcomes.count(SENT), failed=outcomes.count(FAILED))


def _wake_others(ctx: Context) -> None:
    """Every few minutes, for mails whose own run ran out of tries while the server was away."""
    with ctx.read_everything() as session:
        stale = select(Delivery.workspace_id).where(
            Delivery.state == QUEUED, Delivery.created_at < db_now() - STALE_MS, Delivery.workspace_id != SYSTEM
        )  # fmt: skip
        for workspace in session.scalars(stale.distinct()):
            ctx.touch(Delivery, workspace)


def _give_up_unsure(ctx: Context) -> None:
    """A worker died between "sending" and "sent": nobody can know, so it is shown and not sent again."""
    old = update(Delivery).where(Delivery.state == SENDING, Delivery.attempted_at < db_now() - SENDING_TOO_LONG_MS)
    with ctx.database.write(ctx.workspace) as session:
        session.execute(old.values(state=UNSURE, reason="The worker was lost while it sent this."))


def _deliver(ctx: Context, delivery_id: str) -> str | None:
    """Send one. Its new state; None when it waits for a better time, "" when another worker has it.

    Raises:
        Away: no mail can be sent now, which is not this one's fault: it keeps its tries.
    """
    if ctx.mailer is None:
        raise JobError("No way to send mail is set up here.")
    with ctx.database.write(ctx.workspace) as session:
        mine = update(Delivery).where(Delivery.id == delivery_id, Delivery.state == QUEUED)
        values = {"state": SENDING, "attempted_at": db_now(), "tries": Delivery.tries + 1}
        if not changed(session, mine.values(values)):
            return ""
        delivery = session.scalars(select(Delivery).where(Delivery.id == delivery_id)).one()
        text = _with_link(session, delivery, ctx.origin)
    try:
        ctx.mailer.send(delivery, text)
    except Away as error:
        _settle(ctx, delivery, QUEUED, str(error), tries=delivery.tries - 1)
        raise
    except TryLater as error:
        return _settle(ctx, delivery, FAILED if delivery.tries >= TRIES else QUEUED, str(error))
    except JobError as error:
        return _settle(ctx, delivery, FAILED, str(error))
    return _settle(ctx, delivery, SENT, "")


def _settle(ctx: Context, delivery: Delivery, state: str, reason: str, **more: int) -> str | None:
    values = {**more, "state": state, "reason": reason[:300], "sent_at": db_now() if state == SENT else None}
    with ctx.database.write(ctx.workspace) as session:
        session.execute(update(Delivery).where(Delivery.id == delivery.id, Delivery.state == SENDING).values(values))
    return None if state == QUEUED else state


def _with_link(session: Session, delivery: Delivery, origin: str) -> str:
    """The text with its single-use link, which is made only now: its secret stands in the mail and nowhere else."""
    if delivery.link is None:
        return delivery.text
    secret = secrets.token_urlsafe(32)
    digest = hashlib.sha256(secret.encode()).hexdigest()
    if delivery.link == INVITATION:  # the mailed secret takes the place of one that nobody has seen
        mine = update(Invitation).where(Invitation.email == delivery.to, Invitation.accepted_at.is_(None))
        session.execute(mine.values(secret_hash=digest))
    elif delivery.account_id:
        expires: int = session.scalar(select(db_now() + LINK_MS)) or 0
        row = Link(secret_hash=digest, purpose=delivery.link, expires_at=expires, email=delivery.to)
        row.account_id = delivery.account_id
        session.add(row)
    return delivery.text.replace("{link}", f"{origin}/{delivery.link}/{secret}")


JOB = Job(
    kind="mail",
    title="Send mail",
    summary="Sends the mails that wait.",
    params=NoParams,
    result=Sent,
    run=run,
    queue="mail",
    schedule="*/5 * * * *",
    time_limit=600,
    attempts=TRIES,
    audience="machinery",
    watches=(Delivery,),
)
