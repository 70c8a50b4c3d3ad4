"""The job that tells people what scans found: at once where they chose so, else gathered in their digest.

A workspace's new notices wake it there. Every five minutes it looks in the system's workspace who is due: digests, and
what waited for the end of quiet hours.
"""

import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from itertools import islice

from pydantic import Field
from sqlalchemy import String, exists, select, type_coerce

from models.alert import AT_ONCE, Notice, Wish
from models.base import clock
from models.engine import again
from models.workspace import SYSTEM, Membership
from tasks.alerting import adding, slots, telling, wishes
from tasks.alerting.telling import Bag, Person
from tasks.context import Child, Context
from tasks.digest.words import Digest, Mail, compose
from tasks.errors import FilesAway, JobError
from tasks.job import Job, Params, Result, hidden_field
from tasks.mailing import homes
from tasks.mailing.posting import Kept, Post, post
from tasks.storage import drop

BATCH = 200  # people whose digests are made together
ROWS = 2_000  # wishes that one scan makes in one transaction


class Digests(Params):
    """Whose; without it, everybody's who is due. Heeded in the system's workspace alone."""

    first: str = hidden_field("")
    last: str = hidden_field("")


class Told(Result):
    """What went out."""

    digests: int = Field(0, title="Digests")
    at_once: int = Field(0, title="Mails at once")
    silent: int = Field(0, title="People whose digest had nothing to say")


def run(params: Digests, ctx: Context) -> Told:
    """In a workspace what is to be told at once; in the system's whoever is due."""
    if ctx.workspace != SYSTEM:
        return _woken(ctx)
    if params.first:
        return _gathered(ctx, params.first, params.last)
    if ctx.children is not None:
        return _sum(ctx.children)
    _make_wishes(ctx)
    told = Told(at_once=_after_quiet(ctx))
    batches = list(_some(_due(ctx)))
    if len(batches) > 1:
        ctx.fan_out(JOB.kind, [Digests(first=some[0], last=some[-1]) for some in batches])
    if batches:
        found = _gathered(ctx, batches[0][0], batches[0][-1])
        told.digests, told.silent = found.digests, found.silent
    return told


def _sum(children: list[Child]) -> Told:
    done = [Told.model_validate(child.result) for child in children if child.result]
    if len(done) < len(children):
        raise JobError("Some digests could not be written; the parts of this run say why. They are tried again soon.")
    return Told(digests=sum(each.digests for each in done), silent=sum(each.silent for each in done))


def _woken(ctx: Context) -> Told:
    """One mail for each member who wants this workspace's news at once and has no quiet hours now."""
    with ctx.read() as session:
        now = clock(session)
        ids = session.scalars(select(Membership.account_id).where(Membership.workspace_id == ctx.workspace)).all()
        persons = [each for some in _some(ids) for each in telling.people(session, some, ctx.workspace)]
        bags = telling.bags(session, _awake(persons, now), at_once=True, place=ctx.workspace)
    posts = [_at_once(bag, ctx.origin, ctx.workspace) for bag in bags if bag.news or bag.spent]
    if not posts:
        return Told()
    return Told(at_once=sum(each.is_mail for each in post(ctx.session, posts, now)))


def _awake(persons: Iterable[Person], now: int) -> list[Person]:
    return [one for one in persons if not slots.quiet(one.wish.quiet_from, one.wish.quiet_until, one.zone, now)]


def _after_quiet(ctx: Context) -> int:
    """What waited for the end of quiet hours, of all workspaces in one mail; and what a failed run left untold."""
    count = 0
    chosen = type_coerce(Wish.areas, String).contains(f'"{AT_ONCE}"')
    waiting = exists().where(Notice.account_id == Wish.account_id, Notice.told_at.is_(None))
    with ctx.read_everything() as session:
        ids = session.scalars(select(Wish.account_id).where(chosen, waiting).order_by(Wish.account_id)).all()
    for some in _some(ids):
        with ctx.read_everything() as session:
            now, home = clock(session), homes.homes(session, some)
            bags = telling.bags(session, _awake(telling.people(session, some), now), at_once=True)
        posts = [_at_once(bag, ctx.origin, home.get(bag.person.id, "")) for bag in bags if bag.news or bag.spent]
        count += sum(each.is_mail for each in _post(ctx, posts, now))
    return count


def _at_once(bag: Bag, origin: str, place: str) -> Post:
    person = bag.person
    found = Post(person.id, person.email, place, moves=bag.moves, spent=bag.spent)
    if bag.news:
        areas = tuple(sorted({each.area for each in bag.news}))
        _fill(found, mail_of(bag, origin, areas))
    return found


def _make_wishes(ctx: Context) -> None:
    """Rows for people who are new, a few thousand at a time."""
    new: list[tuple[str, str]] = []
    while True:
        before = new
        with ctx.read_everything() as session:
            new = wishes.missing(session, ROWS)
        if not new or new == before:  # these cannot be made now: the next run tries again
            return
        with ctx.write_everything() as session:
            wishes.make(session, new)


def _due(ctx: Context) -> Sequence[str]:
    with ctx.read_everything() as session:
        due = select(Wish.account_id).where(Wish.next_due <= clock(session)).order_by(Wish.account_id)
        return session.scalars(due).all()


def _gathered(ctx: Context, first: str, last: str) -> Told:
    """The digests of those who are due among a batch of people."""
    with ctx.read_everything() as session:
        now = clock(session)
        mine = select(Wish.account_id).where(Wish.account_id.between(first, last), Wish.next_due <= now)
        persons = telling.people(session, session.scalars(mine).all())
        bags, home = telling.bags(session, persons), homes.homes(session, [each.id for each in persons])
    worth = [bag for bag in bags if bag.worth_it]
    worth += adding.called(ctx.database.read, [bag for bag in bags if not bag.worth_it])
    looking = partial(ctx.progress, 0.1, "Looking at what the subjects add")
    adding.add_sections(ctx.database.read, worth, progress=looking)
    posts, told = [], Told()
    for number, bag in enumerate(bags):
        ctx.progress(number / len(bags), f"Digest {number + 1} of {len(bags)}")
        posts.append(_digest(ctx, bag, home.get(bag.person.id, ""), now))
    written = _post(ctx, posts, now)
    _forget(ctx, posts, written)
    told.digests = sum(each.is_mail for each in written)
    told.silent = len(written) - told.digests
    return told


def _digest(ctx: Context, bag: Bag, place: str, now: int) -> Post:
    person, wish = bag.person, bag.person.wish
    found = Post(person.id, person.email, place, moves=bag.moves, spent=bag.spent, slot=wish.next_due)
    found.then = slots.next_due(wish.repeat, wish.hour, wish.weekday, wish.monthday, person.zone, now)
    if bag.worth_it and place:
        mail = mail_of(bag, ctx.origin)
        _fill(found, mail)
        with suppress(FilesAway):  # news need no pictures: the mail says in words what they show
            for figure in mail.figures:
                key, size = ctx.storage.put(io.BytesIO(figure.png))
                found.pictures.append(Kept(figure.name, figure.alt, key, size))
    return found


def mail_of(bag: Bag, origin: str, at_once: Sequence[str] = ()) -> Mail:
    """The words for what is in a bag; the preview on the web shows the same."""
    person = bag.person
    said = Digest(
        person.name, person.zone, origin, bag.firing, bag.changed, bag.resolved, person.places, bag.sections,
        at_once=at_once, repeat=person.wish.repeat, several=person.several,
    )  # fmt: skip
    return compose(said)


def _fill(found: Post, mail: Mail) -> None:
    found.subject, found.text, found.html, found.stop = mail.subject, mail.text, mail.html, mail.stop


@again
def _post(ctx: Context, posts: list[Post], now: int) -> list[Post]:
    if not posts:
        return []
    with ctx.write_everything() as session:
        return post(session, posts, now)


def _forget(ctx: Context, posts: list[Post], written: list[Post]) -> None:
    """The pictures of mails that another run has told already."""
    known = {each.id for each in written}
    for each in posts:
        for kept in each.pictures if each.id not in known else ():
            drop(ctx.storage, [kept.key])


def _some(many: Iterable[str]) -> Iterator[list[str]]:
    walk = iter(many)
    while part := list(islice(walk, BATCH)):
        yield part


def headline(told: Told) -> str:
    mails = told.digests + told.at_once
    if not mails:
        return "nothing to say, so no mail"
    return f"{mails} mail{'' if mails == 1 else 's'}"


JOB = Job(
    kind="digest",
    title="Tell people the news",
    summary="Writes mails about alerts: at once where people chose so, else gathered in their digest.",
    params=Digests,
    result=Told,
    run=run,
    queue="scans",
    schedule="*/5 * * * *",
    time_limit=600,
    audience="machinery",
    watches=(Notice,),
    headline=headline,
)
