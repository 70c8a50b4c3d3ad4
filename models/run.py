"""Runs: the truth about all work. The broker only wakes workers up; what was asked, tried and found stands here."""

from sqlalchemy import BigInteger, Boolean, Double, ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.account import Account
from models.base import ID, Base, Json, LongText, Owned, db_now, new_id

BLOCKED, QUEUED, RUNNING, SUCCEEDED, FAILED, CANCELLED = STATES = (
    "blocked",
    "queued",
    "running",
    "succeeded",
    "failed",
    "cancelled",
)
END_STATES = (SUCCEEDED, FAILED, CANCELLED)

# (from, to): why. Every change of a run's state is one of these; the README's diagram is drawn from them.
MOVES: dict[tuple[str, str], str] = {
    (BLOCKED, QUEUED): "what it waited for is done",
    (BLOCKED, CANCELLED): "cancelled",
    (BLOCKED, FAILED): "what it waited for failed",
    (QUEUED, RUNNING): "claimed by a worker",
    (QUEUED, CANCELLED): "cancelled",
    (RUNNING, QUEUED): "lost worker, try later, or handed back",
    (RUNNING, BLOCKED): "waits for its children",
    (RUNNING, SUCCEEDED): "finished",
    (RUNNING, FAILED): "failed, or out of tries",
    (RUNNING, CANCELLED): "cancelled",
    (FAILED, QUEUED): "retry",
    (FAILED, BLOCKED): "retry, after the failed children",
    (CANCELLED, QUEUED): "retry of its parent",
}


class Run(Owned, Base):
    """One execution of a job. Times are epoch milliseconds of the database's clock.

    `attempt` is the fence: it grows with each claim, and only the holder of the newest may write. `tries` counts what
    went wrong (a lost worker, a TryLater) and only it is capped. `published_at` says that a message is out on the
    broker which will wake a worker for it: its own, or one for a chunk of children.
    """

    __tablename__ = "run"
    __table_args__ = (
        Index("ix_run_waiting", "queue", "state", "published_at", "priority", "lane", "due_at"),
        Index("ix_run_lease", "state", "lease_until"),
        Index("ix_run_ended", "state", "finished_at"),
        Index("ix_run_children", "parent_id", "state"),
        Index("ix_run_list", "workspace_id", "listed", "id"),
        Index("ix_run_state", "workspace_id", "state", "id"),
    )

    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_id)
    workspace_id: Mapped[str] = mapped_column(ID, ForeignKey("workspace.id", ondelete="CASCADE"))  # indexed above
    kind: Mapped[str] = mapped_column(String(40))
    queue: Mapped[str] = mapped_column(String(40))
    account_id: Mapped[str | None] = mapped_column(ID, ForeignKey("account.id", ondelete="SET NULL"))
    params: Mapped[dict[str, object]] = mapped_column(Json)
    summary: Mapped[str] = mapped_column(String(200), default="")  # what a person searches for: the params in a line
    state: Mapped[str] = mapped_column(String(12), default=QUEUED)
    priority: Mapped[int] = mapped_column(Integer, default=0)  # -1 low, 0, 1 high; a rescued run has 100 more
    lane: Mapped[str] = mapped_column(ID, default="", server_default="")  # who is served in turn: account, or workspace
    created_at: Mapped[int] = mapped_column(BigInteger, default=db_now())
    due_at: Mapped[int] = mapped_column(BigInteger, default=db_now())
    published_at: Mapped[int | None] = mapped_column(BigInteger)
    attempt: Mapped[int] = mapped_column(Integer, default=0)
    tries: Mapped[int] = mapped_column(Integer, default=0)
    attempts: Mapped[int] = mapped_column(Integer, default=3)  # how many tries it is allowed
    lease_until: Mapped[int | None] = mapped_column(BigInteger)
    worker: Mapped[str | None] = mapped_column(String(120))
    started_at: Mapped[int | None] = mapped_column(BigInteger)
    finished_at: Mapped[int | None] = mapped_column(BigInteger)
    progress: Mapped[float] = mapped_column(Double, default=0.0)  # 0 to 1
    message: Mapped[str] = mapped_column(String(300), default="")
    cancel_at: Mapped[int | None] = mapped_column(BigInteger)  # when somebody asked for it
    result: Mapped[dict[str, object] | None] = mapped_column(Json)
    headline: Mapped[str] = mapped_column(String(200), default="")
    error: Mapped[str | None] = mapped_column(LongText)  # for the run's owner
    checkpoint: Mapped[dict[str, object] | None] = mapped_column(Json)
    origin_id: Mapped[str | None] = mapped_column(ID)  # run again: the run it repeats
    parent_id: Mapped[str | None] = mapped_column(ID)
    children: Mapped[int] = mapped_column(Integer, default=0, server_default="0")  # how many it was split into
    schedule_id: Mapped[str | None] = mapped_column(ID)
    listed: Mapped[bool] = mapped_column(Boolean, default=True)  # False: machinery, not shown among a person's runs
    account: Mapped[Account | None] = relationship()

    @property
    def ended(self) -> bool:
        """Whether no worker will touch it any more, unless somebody tries it again."""
        return self.state in END_STATES


class RunEvent(Owned, Base):
    """One line of a run's timeline: what happened, in which attempt, in words for its owner."""

    __tablename__ = "run_event"

    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_id)
    run_id: Mapped[str] = mapped_column(ID, ForeignKey("run.id", ondelete="CASCADE"), index=True)
    at: Mapped[int] = mapped_column(BigInteger, default=db_now())
    attempt: Mapped[int] = mapped_column(Integer, default=0)
    what: Mapped[str] = mapped_column(String(20))
    detail: Mapped[str] = mapped_column(String(500), default="")


class Dependency(Base):
    """`run_id` starts when `needs_id` is done."""

    __tablename__ = "dependency"

    run_id: Mapped[str] = mapped_column(ID, ForeignKey("run.id", ondelete="CASCADE"), primary_key=True)
    needs_id: Mapped[str] = mapped_column(ID, ForeignKey("run.id", ondelete="CASCADE"), primary_key=True, index=True)


class Idempotency(Base):
    """The same key gives the same run back; with other parameters it is a conflict."""

    __tablename__ = "idempotency"

    workspace_id: Mapped[str] = mapped_column(ID, ForeignKey("workspace.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(String(120), primary_key=True)
    params_hash: Mapped[str] = mapped_column(String(64))
    run_id: Mapped[str] = mapped_column(ID, index=True)
    created_at: Mapped[int] = mapped_column(BigInteger, default=db_now())


class Queue(Base):
    """What people set for a queue; a queue without a row has the defaults."""

    __tablename__ = "queue"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    paused_at: Mapped[int | None] = mapped_column(BigInteger)
    paused_by: Mapped[str | None] = mapped_column(ID)  # an account's id


class Limit(Base):
    """What may run at once, and start in a minute. The scope is "queue:NAME", "person:ACCOUNT", or "person:*" for
    everyone without a row of their own.
    """

    __tablename__ = "run_limit"

    scope: Mapped[str] = mapped_column(String(80), primary_key=True)
    running: Mapped[int | None] = mapped_column(Integer)
    per_minute: Mapped[int | None] = mapped_column(Integer)


class Rate(Base):
    """When a scope with a limit per minute may start the next run; moved on by a conditional UPDATE."""

    __tablename__ = "run_rate"

    scope: Mapped[str] = mapped_column(String(80), primary_key=True)
    next_at: Mapped[int] = mapped_column(BigInteger, default=0)


class Permit(Base):
    """A right to run one at a time within a limit (of a queue, a person), taken by a conditional UPDATE."""

    __tablename__ = "permit"

    scope: Mapped[str] = mapped_column(String(80), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    run_id: Mapped[str | None] = mapped_column(ID, index=True)


class Pulse(Base):
    """The last sign of life of a part of the machinery: beat, a worker, a queue's canary."""

    __tablename__ = "pulse"

    name: Mapped[str] = mapped_column(String(120), primary_key=True)
    at: Mapped[int] = mapped_column(BigInteger)
    detail: Mapped[dict[str, object] | None] = mapped_column(Json)


class Tally(Base):
    """A counter that only grows, for /metrics: it outlives the rows that it counted."""

    __tablename__ = "tally"

    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    labels: Mapped[str] = mapped_column(String(160), primary_key=True, default="")
    value: Mapped[float] = mapped_column(Double, default=0.0)
