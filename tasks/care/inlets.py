"""The rows of mailboxes: whose turn it is, how far each was read, and which mails of it are tried again.

A look counts as failed from its beginning until it ends well, and a mail as tried before anything is done with it: so
whatever ends a look, a worker that is killed as well, leaves its trace, and the mailbox's page and its alert tell it.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from models.desk import Inlet
from models.statements import changed
from tasks.care.boxes import Door, Lying

ASIDE = "set aside"  # the outcome of a mail that could not be read, and waits for a person
MINUTE = 60_000
CLAIM_MS = 45_000  # a mailbox that was seen to so lately is another run's; each mail renews it
LONGEST_WAIT = 60  # minutes between two tries of one in trouble
HEAVY = 1_000_000  # bytes of a mail that may cost a worker its memory
DEADLY, DEADLY_HEAVY = 3, 2  # so many tries that did not end, and it is put aside
NOT_FETCHED = 0.5  # of a try: it was the server that did not hand it out
MOST_TRIED = 100  # mails that are kept for another try; one more is put aside at once


def due(session: Session, now: int) -> list[str]:
    """Each a minute after its last look; one in trouble after 2, 4, 8 … minutes, and an hour at most."""
    asked = select(Inlet.id, Inlet.checked_at, Inlet.failures).where(Inlet.enabled).order_by(Inlet.checked_at, Inlet.id)
    return [row.id for row in session.execute(asked) if waited(row.checked_at, row.failures, now)]


def waited(checked_at: int | None, failures: int, now: int) -> bool:
    """Whether its next look is due."""
    minutes = min(2 ** min(failures, 10), LONGEST_WAIT) if failures else 1
    return checked_at is None or now - checked_at >= minutes * MINUTE - 15_000


def claim(session: Session, inlet_id: str, now: int) -> Door | None:
    """Take a mailbox for a look; None: another run has it, or it is paused or gone."""
    free = or_(Inlet.checked_at.is_(None), Inlet.checked_at < now - CLAIM_MS, Inlet.checked_at > now + MINUTE)
    before = session.scalar(select(Inlet.checked_at).where(Inlet.id == inlet_id))
    mine = update(Inlet).where(Inlet.id == inlet_id, Inlet.enabled, free)
    taken = mine.values(checked_at=now, failures=Inlet.failures + 1).execution_options(synchronize_session=False)
    if not changed(session, taken):
        return None
    one = session.scalars(select(Inlet).where(Inlet.id == inlet_id)).one()
    return Door(
        one.kind, one.workspace_id, one.host, one.port, one.security, one.user, one.sealed_password, one.folder,
        one.uid_validity, one.last_uid, before or one.created_at, tuple(one.tried or ()),
    )  # fmt: skip


def again(inlet: Inlet, key: str) -> None:
    """Read this mail once more, with the next look."""
    inlet.tried = {**(inlet.tried or {}), key: 0}
    inlet.checked_at = None


@dataclass
class Look:
    """One look into one mailbox, and what of it stands in its row.

    Attributes:
        write: opens a transaction in the mailbox's workspace.
        now: the time, in epoch milliseconds.
        validity: the server's, of its numbers; 0 in a maildir.
    """

    inlet_id: str
    door: Door
    write: Callable[[], AbstractContextManager[Session]]
    now: Callable[[], int]
    validity: int = 0
    last_uid: int = 0
    tried: dict[str, float] = field(default_factory=dict)
    _written: dict[str, float] = field(default_factory=dict)

    def opened(self, validity: int) -> None:
        """The box is open: what is known of its mails."""
        self.validity, self.last_uid = validity, self.door.last_uid if self.door.uid_validity == validity else 0
        with self.write() as session:
            self.tried = session.scalar(select(Inlet.tried).where(Inlet.id == self.inlet_id)) or {}
        self._written = dict(self.tried)

    def key(self, lying: Lying) -> str:
        """What a mail is known by, as long as it lies where it does."""
        return lying.key(self.validity)

    def begin(self, lying: Lying) -> bool:
        """Count a try before it is made. Whether there were so many that this mail is only put aside."""
        before = self.tried.get(self.key(lying), 0)
        self.tried[self.key(lying)] = before + 1
        self.last_uid = max(self.last_uid, lying.uid - 1)  # all below are read, or kept for another try
        self.keep()
        return before >= (DEADLY_HEAVY if lying.size > HEAVY else DEADLY)

    def end(self, lying: Lying) -> None:
        """It was read, or put aside; written with the next step."""
        self.tried.pop(self.key(lying), None)
        self.last_uid = max(self.last_uid, lying.uid)

    def pass_over(self, lying: Lying) -> bool:
        """Leave it for another look, and go on behind it; False: there are too many of these."""
        self.last_uid = max(self.last_uid, lying.uid)
        return len(self.tried) <= MOST_TRIED

    def forgive(self, lying: Lying, share: float = 0) -> None:
        """The mail was not at fault: this try counts as so much of one."""
        self.tried[self.key(lying)] = max(0, self.tried.get(self.key(lying), 0) - 1 + share)
        self.keep()

    def read_to(self, last_uid: int, there: set[str] | None = None) -> None:
        """All was looked at. What is not `there` any more is not tried again."""
        self.last_uid = max(self.last_uid, last_uid)
        if there is not None:
            self.tried = {key: count for key, count in self.tried.items() if key in there}
        self.keep()

    def keep(self) -> None:
        """Write down how far it is; the claim is renewed. What somebody wants to be tried again meanwhile stays."""
        values: dict[str, Any] = {"checked_at": self.now()}
        if self.door.kind == "imap" and self.validity:
            values |= {"uid_validity": self.validity, "last_uid": self.last_uid}
        mine = update(Inlet).where(Inlet.id == self.inlet_id).execution_options(synchronize_session=False)
        with self.write() as session:
            session.execute(mine.values(values))  # from here on the row is ours
            there = session.scalar(select(Inlet.tried).where(Inlet.id == self.inlet_id)) or {}
            wanted = {key: count for key, count in there.items() if self._written.get(key) != count}
            session.execute(mine.values(tried={**wanted, **self.tried} or None))
        self._written = dict(self.tried)

    def tell(self, trouble: str) -> None:
        """How it ended, for the mailbox's page."""
        values: dict[str, Any] = {"trouble": trouble[:500], "checked_at": self.now()}
        if not trouble:
            values |= {"failures": 0, "read_at": values["checked_at"]}
        mine = update(Inlet).where(Inlet.id == self.inlet_id)
        with self.write() as session:
            session.execute(mine.values(values).execution_options(synchronize_session=False))
