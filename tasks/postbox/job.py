"""The job that reads the mailboxes of help desks: every minute all that are due, each by a run of its own.

A mail is kept, with what it opened, in one transaction; only then it is marked as read, and only then the next one
is fetched. Whoever dies in between reads it again and finds that it is known. A mail at which something breaks is
passed over, tried again with the next looks, and in the end put aside for a person: it never holds up those behind it.
"""

import time
import traceback
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import structlog
from pydantic import Field
from sqlalchemy import select
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, OperationalError, SQLAlchemyError

from models.desk import Inlet
from models.engine import of_data
from tasks.care import inlets, limits, mailbox_alerts
from tasks.care.boxes import Box, Boxes, Lying, Trouble
from tasks.care.inlets import Look
from tasks.context import Context
from tasks.errors import FilesAway, JobError
from tasks.job import Job, Params, Result, hidden_field

if TYPE_CHECKING:
    from tasks.care.mail.reading import Mail
    from tasks.care.taking import Came, First, Outcome

log = structlog.get_logger()
BUSY_SECONDS = 120  # then the next run goes on
PORTION = 200
WHOLE, BEGINNING = 38_000_000, 1_000_000  # bytes: of a larger mail only its beginning is read
LATER, KNOWN, GONE = "later", "known", "gone"
LOST = "It could not be read: a program broke, or was stopped, each time that it tried. Look at it in the mailbox."
NOT_HANDED_OUT = "The mail server did not hand it out, however often it was asked. Look at it in the mailbox."
NOT_KEPT = "The database refused what is in this mail; look at it in the mailbox."
NO_FILES = "The files of this mail could not be looked through, so they were left out; they lie in the mailbox with it."
NO_FILES_NOW = "Files cannot be kept just now, so mail waits in the mailbox until they can."
NO_ROOM = (
    "The files of a mail cannot be kept ({}): whoever runs this Nightshift makes room on its disk, or lets its user "
    "write there. The mail waits in the mailbox until then."
)


class Which(Params):
    """Nothing to fill in; a run for one mailbox names it."""

    inlet: str = hidden_field("")


class Looked(Result):
    """What came in."""

    mailboxes: int = Field(0, title="Mailboxes looked into")
    opened: int = Field(0, title="Tickets opened")
    added: int = Field(0, title="Messages added to tickets")
    aside: int = Field(0, title="Put aside: they could not be read")
    other: int = Field(0, title="Left out, refused, known already, or tried again later")
    troubled: int = Field(0, title="Mailboxes in trouble; their page says with what")


@dataclass(frozen=True, slots=True)
class At:
    """What a look works with."""

    ctx: Context
    boxes: Boxes
    box: Box
    look: Look


def run(params: Which, ctx: Context) -> Looked:
    """All that are due, or the one that is named."""
    if params.inlet:
        return _one(ctx, params.inlet)
    if ctx.children is not None:
        return _together(ctx)
    mailbox_alerts.scan(ctx.read_everything, ctx.write_everything, ctx.now())
    with ctx.read_everything() as session:
        due = inlets.due(session, ctx.now())
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


def _one(ctx: Context, inlet_id: str) -> Looked:
    """Look into one mailbox, unless another run does."""
    if ctx.boxes is None:
        raise JobError("Mailboxes cannot be read from here.")
    with ctx.write_everything() as session:
        limits.release(session, inlet_id, ctx.now())
        door = inlets.claim(session, inlet_id, ctx.now())
    if door is None:
        return Looked()
    found, look = Looked(mailboxes=1), Look(inlet_id, door, partial(ctx.database.write, door.workspace_id), ctx.now)
    try:
        with closing(ctx.boxes.open(door)) as box:
            _read(At(ctx, ctx.boxes, box, look), found)
    except Trouble as error:
        log.warning("postbox.trouble", inlet=inlet_id)
        found.troubled = 1
        look.tell(str(error))
    else:
        look.tell("")
    return found


def _read(at: At, found: Looked) -> None:
    """One mail after the other."""
    seen, until = at.box.look(PORTION), time.monotonic() + BUSY_SECONDS
    at.look.opened(seen.uid_validity)
    for number, lying in enumerate(seen.mails):
        at.ctx.progress(number / len(seen.mails), f"Mail {number + 1} of {len(seen.mails)}")
        outcome = _mail(at, lying)
        field = {"opened": "opened", "added": "added", inlets.ASIDE: "aside"}.get(outcome, "other")
        setattr(found, field, getattr(found, field) + 1)
        if time.monotonic() > until:
            at.look.keep()
            return
    at.look.read_to(seen.last_uid, None if seen.more else {at.look.key(each) for each in seen.mails})


def _mail(at: At, lying: Lying) -> str:
    """Take one mail, or pass it over if something breaks at it, or put it aside if that was so too often."""
    from tasks.care.mail.headers import BROKEN

    deadly = at.look.begin(lying)
    try:
        outcome = _aside(at, lying) if deadly else _taken(at, lying)
    except (*BROKEN, SQLAlchemyError) as error:
        if _of_others(error):
            with suppress(SQLAlchemyError):
                at.look.forgive(lying)
            raise
        frame = traceback.extract_tb(error.__traceback__)[-1]  # never its words, which may be the mail's
        log.warning(
            "postbox.broke", inlet=at.look.inlet_id, error=type(error).__name__, at=f"{frame.name}:{frame.lineno}"
        )
        if deadly or not at.look.pass_over(lying):
            outcome = _aside(at, lying, bare=True)
        else:
            return LATER
    at.look.end(lying)
    return outcome


def _of_others(error: BaseException) -> bool:
    """The database is away, or busy: no mail is at fault, and the run is tried again."""
    if not isinstance(error, DBAPIError):
        return False
    return error.connection_invalidated or (isinstance(error, OperationalError) and not of_data(error))


def _taken(at: At, lying: Lying) -> str:
    from tasks.care import taking
    from tasks.care.mail import reading

    raw = _fetched(at, lying, BEGINNING if lying.size > WHOLE else WHOLE)
    if raw is None:
        return GONE
    mail = reading.read(raw, lying.size or None)
    first, room = _looked_at(at, mail)
    if first.known:
        outcome = KNOWN
    elif first.over:  # nothing of it is stored
        outcome = _kept(at, mail, taking.Came(replace(mail, files=()), lies=at.look.key(lying), over=first.over))
    else:
        outcome = _kept(at, mail, _put_away(at, lying, mail, room))
    (at.box.aside if outcome in limits.HELD else at.box.done)(lying)
    return outcome


def _looked_at(at: At, mail: "Mail") -> "tuple[First, int]":
    """What it is, and how many bytes of files its workspace takes."""
    from tasks.care import taking

    place = at.look.door.workspace_id
    with at.ctx.database.read(place) as session:
        first = taking.first(session, mail, at.boxes.tokens, at.boxes.own, at.ctx.now())
        return first, at.boxes.room(session, place) if mail.files and not first.known else 0


def _fetched(at: At, lying: Lying, most: int) -> bytes | None:
    try:
        return at.box.fetch(lying, most)
    except Trouble:
        at.look.forgive(lying, inlets.NOT_FETCHED)
        raise


def _known(at: At, mail: "Mail") -> bool:
    from tasks.care import taking

    with at.ctx.database.read(at.look.door.workspace_id) as session:
        return taking.known(session, mail)


def _put_away(at: At, lying: Lying, mail: "Mail", room: int) -> "Came":
    """Its files in storage. A file at which a library breaks costs the mail its files, and not its words."""
    from tasks.care import taking
    from tasks.care.mail.headers import BROKEN

    try:
        return taking.put_away(mail, at.ctx.storage, room)
    except FilesAway as error:
        at.look.forgive(lying)
        raise Trouble(NO_FILES_NOW) from error
    except BROKEN as error:
        if isinstance(error, OSError) and error.errno is not None:  # the disk's; libraries of pictures give none
            at.look.forgive(lying)
            raise Trouble(NO_ROOM.format(error.strerror)) from error
        log.warning("postbox.files_broke", inlet=at.look.inlet_id, error=type(error).__name__)
        return taking.put_away(replace(mail, files=(), remarks=(*mail.remarks, NO_FILES)), at.ctx.storage, 0)


def _kept(at: At, mail: "Mail", came: "Came") -> str:
    """Do what the mail wants. Two runs at once meet at its fingerprint: the second finds it known."""
    from tasks.care import taking

    try:
        with at.ctx.database.write(at.look.door.workspace_id) as session:
            inlet = session.scalar(select(Inlet).where(Inlet.id == at.look.inlet_id))
            if inlet is None:
                return GONE
            return taking.take(session, inlet, came, at.boxes.tokens, at.boxes.own, at.ctx.now()).outcome
    except IntegrityError:
        if _known(at, mail):
            return KNOWN
        raise
    except DataError:
        log.warning("postbox.not_kept", inlet=at.look.inlet_id)
        return _written(at, taking.bare(mail), taking.Outcome(taking.REFUSED, NOT_KEPT))


def _aside(at: At, lying: Lying, *, bare: bool = False) -> str:
    """Write down that a mail could not be read, with its head if that can be; a person finds it in the mailbox."""
    from tasks.care import taking
    from tasks.care.mail import reading

    why, trouble, raw = LOST, None, b""
    if not bare:
        try:
            raw = at.box.fetch(lying, BEGINNING) or b""
        except Trouble as error:
            why, trouble = NOT_HANDED_OUT, error
    mail = reading.head_alone(raw or f"{at.look.inlet_id} {at.look.key(lying)}".encode())
    lies = {"lies": at.look.key(lying)}
    outcome = _written(at, taking.bare(mail) if bare else mail, taking.Outcome(inlets.ASIDE, why), lies)
    log.warning("postbox.aside", inlet=at.look.inlet_id)
    if trouble is not None:
        with suppress(Trouble):
            at.box.aside(lying)
        at.look.end(lying)
        at.look.keep()
        raise trouble
    (at.box.aside if outcome == inlets.ASIDE else at.box.done)(lying)
    return outcome


def _written(at: At, mail: "Mail", found: "Outcome", lies: dict[str, str] | None = None) -> str:
    from tasks.care import taking

    try:
        with at.ctx.database.write(at.look.door.workspace_id) as session:
            inlet = session.scalar(select(Inlet).where(Inlet.id == at.look.inlet_id))
            if inlet is None:
                return GONE
            taking.write_down(session, inlet, mail, found, at.ctx.now(), more=lies)
    except IntegrityError:
        if _known(at, mail):
            return KNOWN
        raise
    return found.outcome


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
