"""Steady work while things are broken: runs submitted by API, each with a key of its own, and pages looked at."""

import json
import secrets
import threading
import time
from dataclasses import dataclass, field
from functools import partial
from itertools import cycle
from typing import Any

import requests

from deploy.settings import ROOT
from tests.stack.compose import Stack, Trouble
from tests.stack.report import Report
from tests.stack.visitor import TIMEOUT, Front, Program

CHEAP = "budget"  # a scan of this workspace's budgets: real, started by people and by API, and done in a moment
# Seconds of work each, in queues of their own.
SAMPLES = {"ecg": ROOT / "tasks/ecg/sample/recording-250hz.csv", "energy": ROOT / "tasks/energy/sample/household.csv"}
PARAMS = {"ecg": {"sampling_rate": "250"}, "energy": {"budget": "1"}}
LONG_S = 4  # between two of these
PAUSE_S = 0.5  # before what was refused is sent once more
LONGEST_S = 180  # that one run may need until it is accepted


@dataclass
class Heard:
    """What the clients of the load were told."""

    accepted: dict[str, str] = field(default_factory=dict)  # key: run
    requests: int = 0
    refused: list[tuple[float, str]] = field(default_factory=list)  # when, and how
    forked: list[str] = field(default_factory=list)  # keys that became two runs


def hand_over(program: Program, kind: str, key: str) -> str:
    """A run of a job with its sample; the run's id."""
    return program.start(kind, key, PARAMS.get(kind), SAMPLES.get(kind))


class Load:
    """Three clients (cheap runs, long runs, pages), used as `with Load(…) as load:`.

    Whoever gets no answer asks again with the same key, as clients should: whatever was accepted before the answer
    got lost is not submitted twice.
    """

    def __init__(self, front: Front, token: str, every: float = 0.5, path: str = "/livez") -> None:
        self.front, self.token, self.every, self.path = front, token, every, path
        self.heard, self.prefix = Heard(), f"load-{secrets.token_hex(4)}-"
        self._over, self._lock = threading.Event(), threading.Lock()
        clients = (
            partial(self._submit, "a", (CHEAP,), every),
            partial(self._submit, "b", tuple(SAMPLES), LONG_S),
            self._look,
        )
        self._threads = [threading.Thread(target=each, daemon=True) for each in clients]

    def __enter__(self) -> "Load":
        for each in self._threads:
            each.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for each in self._threads:
            each.join(LONGEST_S)

    def _submit(self, name: str, kinds: tuple[str, ...], every: float) -> None:
        program = Program(self.front, self.token)
        for number, kind in enumerate(cycle(kinds)):
            key, end = f"{self.prefix}{name}{number}", time.monotonic() + LONGEST_S
            while not self._accepted(program, kind, key) and time.monotonic() < end and not self._over.wait(PAUSE_S):
                pass
            if self._over.wait(every):
                return

    def _accepted(self, program: Program, kind: str, key: str) -> bool:
        run_id = self._asked(lambda: hand_over(program, kind, key))
        if run_id and self.heard.accepted.setdefault(key, run_id) != run_id:
            self.heard.forked.append(key)
        return bool(run_id)

    def _look(self) -> None:
        session = self.front.session()
        while not self._over.wait(self.every):
            self._asked(lambda: _page(session, self.front.url + self.path))

    def _asked(self, question: Any) -> Any:
        """The answer to one request; None for none, which is noted."""
        try:
            answer = question()
            trouble = ""
        except (requests.RequestException, Trouble, ValueError) as error:
            answer, trouble = None, str(error)[:200]
        with self._lock:
            self.heard.requests += 1
            if trouble:
                self.heard.refused.append((time.time(), trouble))
        return answer


def _page(session: requests.Session, url: str) -> bool:
    answer = session.get(url, timeout=TIMEOUT)
    if answer.status_code != 200:
        raise Trouble(f"{url} answered {answer.status_code}")
    return True


# What the tables say, asked in the front's own container: no port of the database is open to this machine.
ASK = """
import json, sys
from collections import Counter
from sqlalchemy import select
from deploy.settings import settings
from models.delivery import Delivery
from models.run import Idempotency, Run
from models.session import EVERYONE
from workers.runtime import Runtime
runtime = Runtime.from_settings(settings())
with runtime.database.read(EVERYONE) as session:
    keys = select(Idempotency.key, Run.id, Run.state, Run.tries, Run.attempt).join(Run, Run.id == Idempotency.run_id)
    found = session.execute(keys.where(Idempotency.key.like("api:" + sys.argv[1] + "%"))).all()
    ids = [row.id for row in found]
    ends = Counter()
    for start in range(0, len(ids), 500):
        ends.update(session.scalars(select(Delivery.run_id).where(Delivery.run_id.in_(ids[start:start + 500]))))
print(json.dumps([[row.key[4:], row.id, row.state, row.tries, row.attempt, ends[row.id]] for row in found]))
runtime.database.close()
"""


@dataclass(frozen=True)
class Kept:
    """A run of the load as the tables have it."""

    key: str
    id: str
    state: str
    tries: int
    attempt: int
    mails: int  # that tell of its end: each is written in the very transaction that ends a run


def kept(stack: Stack, prefix: str) -> list[Kept]:
    """All runs whose key begins so."""
    said = stack.inside("web", "python", "-", prefix, given=ASK)
    return [Kept(*row) for row in json.loads(said.strip().splitlines()[-1])]


def settled(stack: Stack, load: Load, limit: float = 120) -> list[Kept]:
    """The same, once all of them have ended (or the time is over)."""
    end = time.monotonic() + limit
    while True:
        found = kept(stack, load.prefix)
        going = [each for each in found if each.state not in ("succeeded", "failed", "cancelled")]
        if not going or time.monotonic() > end:
            return found
        time.sleep(1)


def judge(report: Report, load: Load, found: list[Kept]) -> None:
    """What was promised: whatever was accepted is there, has ended well, and was done once."""
    rows = {each.key: each for each in found}
    heard = load.heard
    lost = [key for key, run_id in heard.accepted.items() if key not in rows or rows[key].id != run_id]
    open_ = [each.key for each in found if each.state != "succeeded"]
    report.holds("runs accepted, and succeeded", True, f"{len(heard.accepted)}, {len(found) - len(open_)}")
    report.none_of("runs lost, not ended or failed", len(lost) + len(open_))
    report.none_of(
        "runs done twice (keys with two runs, ends without exactly one mail)",
        len(heard.forked) + sum(each.mails != 1 for each in found),
    )
