"""What breaks at one desk stops no other: a scan of all of them works at many at once, and, in trouble, one by one.

A run that met trouble goes on to its end and fails there, so that somebody looks; the next one tries again.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from typing import TypeVar

import structlog
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError

from models.engine import of_data
from tasks.errors import JobError

log = structlog.get_logger()
# What rows or code can bring about; a run that is stopped, out of time or out of memory is none of these.
TROUBLE = (
    ArithmeticError, AssertionError, AttributeError, JobError, LookupError, OSError, RuntimeError, SQLAlchemyError,
    TypeError, ValueError,
)  # fmt: skip
BROKEN = "{} could not be watched: the log of this machine says why. The others were; the next run tries again."
T = TypeVar("T")
One = TypeVar("One")


class Apart:
    """Keeps the troubles of a run.

    Attributes:
        broken: the workspaces where something could not be done; "" for what is nobody's own.
    """

    def __init__(self) -> None:
        self.broken: set[str] = set()

    def each(
        self, parts: Collection[One], place: Callable[[One], str], work: Callable[[Sequence[One]], T], least: T
    ) -> list[T]:
        """Do the work for all of these together; where that breaks, for each workspace's alone.

        Args:
            place: the workspace that one belongs to.
            least: what comes of the work where it cannot be done.
        """
        some = list(parts)
        try:
            return [work(some)]
        except TROUBLE as error:
            passing(error)
            log.warning("care.scan_one_by_one", error=str(error))
        by_place: dict[str, list[One]] = defaultdict(list)
        for one in some:
            by_place[place(one)].append(one)
        return [self.alone(name, lambda mine=mine: work(mine), least) for name, mine in by_place.items()]  # type: ignore[misc]

    def alone(self, place: str, work: Callable[[], T], least: T) -> T:
        """Do the work of one workspace; what breaks is written into the log and kept for the end."""
        try:
            return work()
        except TROUBLE as error:
            passing(error)
            log.exception("care.scan_broke", workspace=place)
            self.broken.add(place)
            return least

    def end(self) -> None:
        """
        Raises:
            JobError: something could not be done.
        """
        if self.broken:
            desks = self.broken - {""}
            which = "One desk" if len(desks) == 1 else f"{len(desks)} desks" if desks else "Some desks"
            raise JobError(BROKEN.format(which))


def passing(error: Exception) -> None:
    """Let the whole run wait where the database is away: that is no desk's own trouble. It raises the error again."""
    if isinstance(error, OperationalError | InterfaceError) and not of_data(error):
        raise error
