"""What the subjects add to digests beside their alerts: a few lines, and pictures for who wants them.

A subject in trouble keeps nobody's news back: its part is left out, and the log says so.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import structlog
from sqlalchemy import exists, or_, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from models.alert import NEVER
from models.engine import of_data
from models.session import EVERYONE
from models.workspace import Workspace
from tasks import discover
from tasks.alerting.telling import Bag, Person
from tasks.job import Job
from tasks.sections import Reader, Section

log = structlog.get_logger()
TROUBLE = (ArithmeticError, DBAPIError, LookupError, OSError, TypeError, ValueError)
Open = Callable[[str], AbstractContextManager[Session]]  # a session for reading a workspace, or EVERYONE
Parts = dict[tuple[str, str], dict[str, Section]]  # by workspace and account, then by the job's kind
Readers = dict[str, list[Reader]]


def reader(person: Person, *, pictures: bool = True) -> Reader:
    wish = person.wish
    return Reader(
        person.id, person.name, person.zone, bool(wish.amounts), pictures and bool(wish.pictures), person.since
    )


def add_sections(open_: Open, bags: Sequence[Bag], *, pictures: bool = True, progress: Any = None) -> None:
    """Put them into the bags, in the order of the workspaces and of the jobs."""
    found: Parts = defaultdict(dict)
    for job in discover().values():
        if job.section is not None:
            _of_job(open_, job, _readers(open_, job, bags, pictures), found, progress or (lambda: None))
    for bag in bags:
        for place, name in bag.person.places.items():
            bag.sections += [(name, part) for _, part in sorted(found.get((place, bag.person.id), {}).items())]


def called(open_: Open, bags: Sequence[Bag]) -> list[Bag]:
    """Those of whom a subject says that what it adds is worth a mail by itself. Cheap: it is asked for everybody."""
    mine: set[str] = set()
    for job in discover().values():
        if job.news is not None and (readers := _readers(open_, job, bags, pictures=False)):
            mine |= {account for _, account in _news(open_, job, readers)}
    return [bag for bag in bags if bag.person.id in mine]


def _news(open_: Open, job: Job, readers: Readers) -> set[tuple[str, str]]:
    if job.news is None:
        return set()
    try:
        with open_(EVERYONE) as session:
            return job.news(session, readers)
    except TROUBLE as error:
        _known(error)
        log.exception("digests without a subject's news", kind=job.kind)
        return set()


def _readers(open_: Open, job: Job, bags: Sequence[Bag], pictures: bool) -> Readers:
    """Who wants to read of the job's subject, by the workspaces that have any of it."""
    wanted: Readers = defaultdict(list)
    for bag in bags:
        if not job.area or bag.person.wants(job.area) != NEVER:
            for place in bag.person.places:
                if bag.person.sees(place, job.area):
                    wanted[place].append(reader(bag.person, pictures=pictures))
    with open_(EVERYONE) as session:
        used = _used(session, job, wanted)
    return {place: readers for place, readers in wanted.items() if place in used}


def _used(session: Session, job: Job, places: Collection[str]) -> set[str]:
    if not job.watches:
        return set(places)
    rows = or_(*(exists().where(table.workspace_id == Workspace.id) for table in job.watches))  # type: ignore[attr-defined]
    return set(session.scalars(select(Workspace.id).where(Workspace.id.in_(places), rows)))


def _of_job(open_: Open, job: Job, readers: Readers, found: Parts, progress: Any) -> None:
    if job.sections is not None:
        plain = {place: [each for each in some if not each.pictures] for place, some in readers.items()}
        readers = {place: [each for each in some if each.pictures] for place, some in readers.items()}
        _together(open_, job, {place: some for place, some in plain.items() if some}, found)
    for place, some in readers.items():
        if some:
            progress()
            _one_by_one(open_, job, place, some, found)


def _together(open_: Open, job: Job, readers: Mapping[str, Sequence[Reader]], found: Parts) -> None:
    if job.sections is None or not readers:
        return
    try:
        with open_(EVERYONE) as session:
            parts = job.sections(session, readers)
    except TROUBLE as error:
        _known(error)
        log.exception("digests: a part is made one by one", kind=job.kind)
        for place, some in readers.items():
            _one_by_one(open_, job, place, some, found)
        return
    for key, part in parts.items():
        found[key][job.kind] = part


def _one_by_one(open_: Open, job: Job, place: str, some: Sequence[Reader], found: Parts) -> None:
    for each in some:
        try:
            with open_(place) as session:  # its own: after an error of the database, it is of no use
                part = job.section(session, place, each) if job.section else None
        except TROUBLE as error:
            _known(error)
            log.exception("a digest without a part", kind=job.kind, workspace=place)
            continue
        if part is not None:
            found[place, each.account_id][job.kind] = part


def _known(error: Exception) -> None:
    """The whole digest waits where the database is away: that is nobody's own trouble."""
    if isinstance(error, DBAPIError) and not of_data(error):
        raise error
