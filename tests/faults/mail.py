"""Fault 11: the mail server is down, slow, says later, refuses, or hangs up after DATA. Other queues notice nothing."""

import asyncio
import threading
import time
from collections import Counter
from typing import Any, AnyStr

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from sqlalchemy import func, select

from models.delivery import FAILED, QUEUED, SENDING, SENT, Delivery
from models.run import Run
from models.session import EVERYONE
from tests.bench.figures import quantile
from tests.faults.stage import Stage, Verdict
from workers.broker import free_ports

STAGE = {"product": ("mail",)}
MAILS = 500
TROUBLES = ("down", "slow", "later", "refused", "hangs up")
EACH_S, LOAD_PER_S, SHARE = 20.0, 10.0, 1.2
NOISE_S = 0.005  # two quiet phases differ by that much on a shared machine


class Server:
    """A mail server whose mood can be set. It counts what it took, by recipient."""

    def __init__(self) -> None:
        (self.port,) = free_ports(1)
        self.mood = "well"
        self.taken: Counter[str] = Counter()
        self._controller: Controller | None = None
        self.up()

    def up(self) -> None:
        self._controller = Moody(self, hostname="127.0.0.1", port=self.port)
        self._controller.start()

    def down(self) -> None:
        if self._controller:
            self._controller.stop()
            self._controller = None

    def become(self, mood: str) -> None:
        """Another mood; being down is the listener gone."""
        if mood == "down":
            self.down()
        elif self._controller is None:
            self.up()
        self.mood = mood

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        said = {"later": "451 4.3.0 Try again later", "refused": "550 5.1.1 No such mailbox"}.get(self.mood)
        if said is None:
            envelope.rcpt_tos.append(address)
        return said or "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.taken.update(envelope.rcpt_tos)
        if self.mood == "hangs up" and server.transport is not None:
            server.transport.close()
        return "250 Taken"


class Slow(SMTP):
    """Says one byte a second."""

    async def push(self, status: AnyStr) -> None:
        words = status.encode() if isinstance(status, str) else status
        if self.event_handler.mood != "slow":
            await super().push(status)
            return
        words += b"\r\n"
        while words and self._writer is not None and not self._writer.is_closing():
            count = 1 if self.event_handler.mood == "slow" else len(words)
            self._writer.write(words[:count])
            words = words[count:]
            await asyncio.sleep(1 if words else 0)


class Moody(Controller):
    def factory(self) -> SMTP:
        return Slow(self.handler, **self.SMTP_kwargs)


class Load:
    """Runs of another queue at an even pace, in a thread; how long each took from its submit to its end."""

    def __init__(self, stage: Stage) -> None:
        self._stage, self._over = stage, threading.Event()
        self.ids: list[tuple[float, str]] = []
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        start = time.monotonic()
        while not self._over.wait(max(0.0, start + len(self.ids) / LOAD_PER_S - time.monotonic())):
            began = time.monotonic()
            self.ids.append((began, self._stage.submit(1, milliseconds=5)[0]))

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    def took(self, phases: list[tuple[float, float]]) -> list[float]:
        """Seconds of the runs that were submitted in one of these phases."""
        with self._stage.runtime.database.read(EVERYONE) as session:
            rows = session.execute(select(Run.id, Run.created_at, Run.finished_at)).all()
        times = {row.id: (row.finished_at - row.created_at) / 1000 for row in rows if row.finished_at}
        return [times[one] for at, one in self.ids if one in times and any(a <= at < b for a, b in phases)]


def run(stage: Stage) -> Verdict:
    """A quiet phase with a server that is well before each trouble, so that both sorts see the same machine."""
    server, mails, each = Server(), stage.size(MAILS), stage.size(int(EACH_S), least=5)
    more = {"NIGHTSHIFT_MAIL": "smtp", "NIGHTSHIFT_SMTP_HOST": "127.0.0.1", "NIGHTSHIFT_SMTP_SECURITY": "none"}
    stage.beat()
    sender = stage.worker("mail", 1, "mail", {**more, "NIGHTSHIFT_SMTP_PORT": str(server.port)})
    stage.workers(1)
    sender.until_ready()
    stage.submit(20)
    time.sleep(2)  # the first runs of a process open connections
    load, well, ill = Load(stage), [], []
    try:
        for trouble in TROUBLES:
            well.append(_phase(stage, server, "well", "well", mails // 10, each / 2))
            ill.append(_phase(stage, server, trouble, trouble, mails // 10, each))
        server.become("well")
        drained = stage.until(lambda: not _open(stage), 240, 0.5)
    finally:
        load.stop()
        server.down()
    complaints = [] if stage.settles(60) else ["the other queue's runs did not end within 60 s"]
    complaints += [] if drained else [f"{_open(stage)} mails still wait 240 s after the server was well again"]
    complaints += _right(stage, server)
    quiet, troubled = (quantile(load.took(phases), 0.99) for phases in (well, ill))
    if troubled > SHARE * quiet + NOISE_S:
        complaints.append(f"other queues' p99 was {troubled * 1000:.0f} ms instead of {quiet * 1000:.0f}")
    twice = sum(count > 1 for count in server.taken.values())
    figures = {
        "p99_well_ms": round(quiet * 1000), "p99_ill_ms": round(troubled * 1000), "mails": dict(_outcomes(stage)),
        "taken_twice_after_it_hung_up": twice,
    }  # fmt: skip
    return stage.verdict(11, "mail server in trouble", {"mails": mails}, complaints, figures=figures)


def _phase(stage: Stage, server: Server, mood: str, name: str, mails: int, seconds: float) -> tuple[float, float]:
    """So many mails while the server is in a mood; when that was."""
    server.become(mood)
    began = time.monotonic()
    with stage.runtime.database.write(stage.workspace) as session:
        marked = f"{name.replace(' ', '-')}-{began:.0f}"
        session.add_all([Delivery(to=f"{marked}-{n}@example.org", subject=name, text="Hello") for n in range(mails)])
    time.sleep(seconds)
    return began, time.monotonic()


def _outcomes(stage: Stage) -> Counter[str]:
    with stage.runtime.database.read(EVERYONE) as session:
        rows = session.execute(select(Delivery.state, func.count()).group_by(Delivery.state)).all()
    return Counter({row[0]: row[1] for row in rows})


def _open(stage: Stage) -> int:
    found = _outcomes(stage)
    return found[QUEUED] + found[SENDING]


def _right(stage: Stage, server: Server) -> list[str]:
    """At most one mail for each recipient, but where the server hung up; what is called sent was taken."""
    with stage.runtime.database.read(EVERYONE) as session:
        rows: list[Any] = list(session.execute(select(Delivery.to, Delivery.subject, Delivery.state)))
    taken = server.taken
    doubled = [row for row in rows if taken[row.to] > 1 and row.subject != "hangs up"]
    unsent = [row for row in rows if row.state == SENT and not taken[row.to]]
    lost = [row for row in rows if row.state == FAILED and row.subject not in ("refused", "hangs up")]
    counts = {"were taken twice": doubled, "are called sent and were never taken": unsent, "were given up": lost}
    return [f"{len(found)} mails {words}" for words, found in counts.items() if found]
