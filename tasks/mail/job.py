"""The job that sends a workspace's waiting deliveries. It watches them: a new one wakes it. The system's sends all.

Many are split into portions, which the workers of the mail queue take side by side; each keeps one connection.
"""

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from html import escape
from itertools import zip_longest

import structlog
from pydantic import Field
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models.base import db_now
from models.delivery import FAILED, QUEUED, SENDING, SENT, UNSURE, Delivery
from models.run import BLOCKED, RUNNING, Run
from models.workspace import SYSTEM
from tasks.context import Context
from tasks.errors import Away, FilesAway, JobError, NoSuchAddress, TryLater
from tasks.job import Job, Params, Result, hidden_field
from tasks.mailing import outbox, ticket_mail
from tasks.mailing.outbox import Ended, Waiting
from tasks.mailing.outgoing import Inline, Mailer, Outgoing, Thread

log = structlog.get_logger()
SENDING_TOO_LONG_MS = 10 * 60_000
TRIES = 8
PORTION, AT_ONCE, MOST_PORTIONS = 250, 50, 200
BUSY_SECONDS = 240  # then another run goes on: a slow server must not use up this one's time limit
CHANNEL_FAILURES = 5  # in a row, then it is off
STOPPED = "This channel is off; turn it on again on the page of your channels."
STOP, LINK = "{unsubscribe}", "{link}"


class Portion(Params):
    """Which of the workspace's deliveries; all of them without a last one."""

    past: str = hidden_field("")
    last: str = hidden_field("")


class Sent(Result):
    """How many mails left, and how many could not."""

    sent: int = Field(title="Sent")
    failed: int = Field(title="Refused for good")


def run(params: Portion, ctx: Context) -> Sent:
    """Send each waiting delivery: written down as "sending" before, as "sent" after."""
    if ctx.mailer is None:
        raise JobError("No way to send mail is set up here.")
    _give_up_unsure(ctx)
    after = params.past if params.last else _beyond_others(ctx)
    if not params.last and not ctx.split_into:
        _split(ctx, after)
    with closing(ctx.mailer) as mailer:
        outcomes = _send(ctx, mailer, after, params.last)
    if QUEUED in outcomes:
        raise TryLater("The mail server said “later”.")
    found = Sent(sent=outcomes.count(SENT), failed=outcomes.count(FAILED))
    for child in ctx.children or ():
        found.sent += (child.result or {}).get("sent", 0)
        found.failed += (child.result or {}).get("failed", 0)
    return found


def _read(ctx: Context) -> AbstractContextManager[Session]:
    """The workspace's deliveries; in the system's run those of all.

    So ten thousand people's digests are some portions, and not ten thousand runs; and so mails whose own run ran out of
    tries, while the server was away, leave within minutes.
    """
    return ctx.read_everything() if ctx.workspace == SYSTEM else ctx.read()


def _give_up_unsure(ctx: Context) -> None:
    """A worker died between "sending" and "sent": nobody can know, so it is shown and not sent again."""
    old = (Delivery.state == SENDING, Delivery.attempted_at < db_now() - SENDING_TOO_LONG_MS)
    with _read(ctx) as session:
        if session.scalar(select(Delivery.id).where(*old).limit(1)) is None:
            return
    with ctx.write_everything() if ctx.workspace == SYSTEM else ctx.database.write(ctx.workspace) as session:
        session.execute(
            update(Delivery).where(*old).values(state=UNSURE, reason="The worker was lost while it sent this.")
        )


def _beyond_others(ctx: Context) -> str:
    """The last delivery that the portions of another run of this workspace have: those are seen to."""
    going = Run.state.in_((QUEUED, RUNNING, BLOCKED))
    theirs = select(Run.params).where(Run.kind == JOB.kind, Run.parent_id.is_not(None), going)
    with ctx.read() as session:
        found = session.scalars(theirs.where(Run.parent_id != ctx.run_id)).all()
    return max((str(params.get("last", "")) for params in found), default="")


def _split(ctx: Context, after: str) -> None:
    """Never returns where there is enough for two portions."""
    with _read(ctx) as session:
        edges = outbox.edges(session, after, PORTION, MOST_PORTIONS)
    if len(edges) > 1:
        ctx.fan_out(JOB.kind, [Portion(past=a, last=b) for a, b in zip([after, *edges], edges, strict=False)])


def _send(ctx: Context, mailer: Mailer, after: str, last: str) -> list[str]:
    """Send what waits, one after the other; their new states. What is left wakes the next run."""
    most = PORTION if last else 2 * PORTION
    with _read(ctx) as session:
        ids = outbox.portion(session, after, last, most + 1)
    outcomes: list[str] = []
    done: Ended | None = None
    trip, until = Trip(ctx, mailer), time.monotonic() + BUSY_SECONDS
    try:
        for number, (waiting, following) in enumerate(_loaded(ctx, ids[:most])):
            ctx.progress(number / len(ids), f"Mail {number + 1} of {len(ids)}")
            mine, link = outbox.step(ctx.database, done, waiting)
            done = None
            if mine:
                done, away = trip.go(waiting, link, following)
                if away:
                    raise away
                outcomes.append(done.state)
            if time.monotonic() > until:
                break
    finally:
        if done:
            outbox.step(ctx.database, done, None)
    if not last and len(ids) > len(outcomes):
        ctx.touch(Delivery, ctx.workspace)
    return outcomes


def _loaded(ctx: Context, ids: list[str]) -> Iterator[tuple[Waiting, Waiting | None]]:
    """Each with the one after it. A few at a time, so that memory stays flat; their pictures only with each."""
    for first in range(0, len(ids), AT_ONCE):
        with _read(ctx) as session:
            some = outbox.load(session, ids[first : first + AT_ONCE])
        yield from zip_longest(some, some[1:])


@dataclass
class Trip:
    """One mail after the other; while the server thinks about one, the next is made ready."""

    ctx: Context
    mailer: Mailer
    ready: Outgoing | None = None

    def go(self, waiting: Waiting, link: str, following: Waiting | None) -> tuple[Ended, Away | None]:
        """Hand one over. What became of it; and Away, when no mail can be sent now: then this one keeps its tries."""
        row = waiting.row
        try:
            if waiting.bounced or (row.channel_id and not waiting.sealed_url):
                raise JobError(outbox.CAME_BACK if waiting.bounced else STOPPED)
            ready, self.ready = self.ready, None
            mail = ready if ready and ready.id == row.id else _outgoing(self.ctx, self.mailer, waiting, link)
            self.mailer.send(mail, lambda: self._ahead(following))
        except FilesAway as error:  # those without files go on
            return Ended(row.id, QUEUED, str(error), row.tries), None
        except Away as error:
            return Ended(row.id, QUEUED, str(error), row.tries), error
        except TryLater as error:
            state = FAILED if row.tries + 1 >= TRIES else QUEUED
            _channel(self.ctx, waiting, str(error) if state == FAILED else None)
            return Ended(row.id, state, str(error), row.tries + 1), None
        except JobError as error:
            if isinstance(error, NoSuchAddress):
                self._came_back(waiting, str(error))
            _channel(self.ctx, waiting, str(error))
            return Ended(row.id, FAILED, str(error), row.tries + 1), None
        _channel(self.ctx, waiting, "")
        return Ended(row.id, SENT), None

    def _came_back(self, waiting: Waiting, reason: str) -> None:
        with self.ctx.write_everything() as session:
            outbox.came_back(session, waiting.row.to, reason)

    def _ahead(self, following: Waiting | None) -> None:
        """What needs neither database nor storage: their failure must not fall between a mail and its end."""
        if following is None or following.bounced or following.pictures:
            return
        if not following.row.link and not following.row.channel_id and not following.row.ticket_id:
            self.ready = _outgoing(self.ctx, self.mailer, following, "")
            self.mailer.prepare(self.ready)


def _channel(ctx: Context, waiting: Waiting, error: str | None) -> None:
    """A channel's page tells how its last message fared."""
    if waiting.row.channel_id and waiting.sealed_url and error is not None:
        with ctx.write_everything() as session:
            outbox.told_of_channel(session, waiting.row.channel_id, error, CHANNEL_FAILURES)


def _outgoing(ctx: Context, mailer: Mailer, waiting: Waiting, link: str) -> Outgoing:
    row, stop = waiting.row, ""
    if row.stop and row.account_id and not row.channel_id:
        stop = mailer.stop_url(row.account_id, row.stop, waiting.version)
    text = row.text.replace(LINK, ctx.origin + link) if link else row.text
    html = row.html.replace(LINK, escape(ctx.origin + link)) if link else row.html
    if stop and STOP not in text:
        text = f"{text.rstrip()}\n\nGet no more mails like this one: {STOP}\n"
    instead = stop or f"{ctx.origin}/account"
    text, html = text.replace(STOP, instead), html.replace(STOP, escape(instead))
    thread: Thread | None = None
    if row.ticket_id and not row.channel_id:
        text, html, thread = _of_ticket(ctx, mailer, waiting, text, html)
    pictures = tuple(_pictures(ctx, waiting)) if html else ()
    kind = row.stop if stop else ""
    return Outgoing(row.id, row.to, row.subject, text, html, pictures, kind, stop, waiting.sealed_url, thread)


def _of_ticket(ctx: Context, mailer: Mailer, waiting: Waiting, text: str, html: str) -> tuple[str, str, Thread | None]:
    """With its signed links, and what brings an answer to its ticket."""
    about, tokens = waiting.about, mailer.tokens
    found = ticket_mail.links(about, tokens, ctx.origin)
    text, html = found.into(text), found.into_html(html)
    if about is None:
        return text, html, None
    thread = ticket_mail.thread(about, tokens, ctx.storage, waiting.row)
    return *ticket_mail.below(text, html, ticket_mail.feet(about, thread.token)), thread


def _pictures(ctx: Context, waiting: Waiting) -> Iterator[Inline]:
    """One whose bytes are gone is left out: the mail says in words what it showed."""
    for name, key in waiting.pictures:
        try:
            with ctx.storage.open(key) as stream:
                yield Inline(name, stream.read())
        except FileNotFoundError:
            log.warning("mail.picture_gone", delivery=waiting.row.id)


JOB = Job(
    kind="mail",
    title="Send mail",
    summary="Sends the mails that wait.",
    params=Portion,
    result=Sent,
    run=run,
    queue="mail",
    schedule="*/5 * * * *",
    time_limit=600,
    attempts=TRIES,
    audience="machinery",
    watches=(Delivery,),
)
