"""Fifty agents at once on loopback: a real gunicorn as `make run` starts it, SQLite, 20,000 tickets.

Each agent has a browser of their own and thinks for two to six seconds between two clicks, which is faster than
people: lists and searches, tickets, their page's question who else is here, answers. What is told is the
time from the request to the whole answer, the 95th percentile of all and of each sort. The clients run on the same
cores. The aim is 200 ms.
"""

import os
import random
import sys
import tempfile
import threading
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import requests

from deploy.processes import WEB
from deploy.settings import Settings
from models import migrate
from models.account import SignIn
from models.base import new_id
from models.session import EVERYONE
from tests.bench.figures import quantile
from tests.bench.front import field, process, until
from tests.bench.scans_load import loading
from tests.bench.tickets import data
from tests.conftest import free_port
from web import create_app
from web.security import digest
from workers.runtime import Runtime

AGENTS, TICKETS, SECONDS, QUICK_SECONDS = 50, 20_000, 60, 15
AIM = 200
FAR = 4_102_444_800_000
THINKS = (2, 6)  # seconds
MIX = {"list": 25, "search": 10, "ticket": 30, "presence": 25, "answer": 10}  # of a hundred clicks


def measure(quick: bool) -> dict[str, Any]:
    """Start it, fill it, let them work."""
    with tempfile.TemporaryDirectory(prefix="nightshift-bench-") as name:
        folder, port = Path(name), free_port()
        var, origin = folder / "var", f"http://127.0.0.1:{port}"
        var.mkdir()
        settings = Settings(var=var, host="127.0.0.1", port=port)
        made, cookies = prepared(settings)
        root = Path(__file__).parents[3]
        environment = {"NIGHTSHIFT_VAR": str(var), "PORT": str(port)}
        with process(list(WEB), environment, root, folder / "web.log"):
            until(f"{origin}/livez")
            return together(origin, made, cookies, QUICK_SECONDS if quick else SECONDS)


def prepared(settings: Settings) -> tuple[data.Made, list[str]]:
    """A database with the desk, and a cookie for each agent."""
    app = create_app(settings)
    runtime: Runtime = app.extensions["nightshift"]
    migrate.upgrade(settings.database)
    loading(runtime.database.engine)
    made = data.fill(runtime.database.engine, TICKETS, time.time_ns() // 1_000_000)
    cookies = []
    for agent in made.agents[:AGENTS]:
        secret = new_id()
        with runtime.database.write(EVERYONE) as session:
            session.add(SignIn(secret_hash=digest(secret), account_id=agent, workspace_id=data.PLACE, expires_at=FAR))
        client = app.test_client()
        with client.session_transaction() as cookie:
            cookie["_user_id"] = secret
        name = app.config["SESSION_COOKIE_NAME"]
        kept = client.get_cookie(name) or sys.exit("The app gave no cookie.")
        cookies.append(f"{name}={kept.value}")
    runtime.database.close()
    return made, cookies


class Agent(threading.Thread):
    """One agent at work until the time is over."""

    def __init__(self, number: int, origin: str, cookie: str, made: data.Made, end: float) -> None:
        super().__init__(daemon=True)
        self.chance = random.Random(number)
        self.origin, self.made, self.end = f"{origin}/care", made, end
        self.browser = requests.Session()
        name, _, value = cookie.partition("=")
        self.browser.cookies.set(name, value, domain="127.0.0.1")
        self.number, self.page = 1, ""
        self.took: defaultdict[str, list[float]] = defaultdict(list)
        self.odd: defaultdict[str, int] = defaultdict(int)

    def run(self) -> None:
        time.sleep(self.chance.uniform(0, THINKS[1]))
        self.click("ticket")
        while time.monotonic() < self.end:
            time.sleep(self.chance.uniform(*THINKS))
            self.click(self.chance.choices(list(MIX), list(MIX.values()))[0])

    def click(self, what: str) -> None:
        began = time.perf_counter()
        try:
            answer: requests.Response = getattr(self, what)()
        except requests.RequestException as error:
            self.odd[type(error).__name__] += 1
            return
        self.took[what].append((time.perf_counter() - began) * 1000)
        if answer.status_code not in (200, 303, 304):
            self.odd[f"{what} {answer.status_code}"] += 1
        if what == "ticket":
            self.page = answer.text

    def list(self) -> requests.Response:
        return self._get("", {"view": self.chance.choice(("mine", "team", "nobody", "overdue", "all"))})

    def search(self) -> requests.Response:
        return self._get("", {"view": "all", "q": self.chance.choice(self.made.words[:5_000])})

    def ticket(self) -> requests.Response:
        self.number = self.chance.randrange(1, self.made.count)
        return self._get(f"/{self.number}")

    def presence(self) -> requests.Response:
        return self._get(f"/{self.number}/presence")

    def answer(self) -> requests.Response:
        if 'name="version"' not in self.page:
            return self.ticket()
        names = {name: field(self.page, name) for name in ("csrf_token", "version")}
        form = {**names, "kind": "answer", "text": f"An answer, {self.chance.random()}."}
        self.page = ""  # the next answer is given to another ticket
        return self.browser.post(f"{self.origin}/{self.number}/answer", data=form, allow_redirects=False, timeout=30)

    def _get(self, path: str, asked: "dict[str, str] | None" = None) -> requests.Response:
        return self.browser.get(f"{self.origin}{path}", params=asked, allow_redirects=False, timeout=30)


def together(origin: str, made: data.Made, cookies: list[str], seconds: int) -> dict[str, Any]:
    """All of them at once."""
    end = time.monotonic() + seconds
    agents = [Agent(number, origin, cookie, made, end) for number, cookie in enumerate(cookies)]
    for agent in agents:
        agent.start()
    for agent in agents:
        agent.join(seconds + 60)
    kinds = {what: [ms for agent in agents for ms in agent.took[what]] for what in MIX}
    every = [ms for took in kinds.values() for ms in took]
    odd: dict[str, int] = defaultdict(int)
    for agent in agents:
        for what, count in agent.odd.items():
            odd[what] += count
    return {
        "agents": len(agents), "tickets": made.count, "requests": len(every),
        "a_second": round(len(every) / seconds, 1),
        "p50": round(quantile(every, 0.5), 1), "p95": round(quantile(every, 0.95), 1), "odd": dict(odd),
        "load": round(os.getloadavg()[0], 1),
        "kinds": {
            what: {"count": len(took), "p50": round(quantile(took, 0.5), 1), "p95": round(quantile(took, 0.95), 1)}
            for what, took in kinds.items()
            if took
        },
    }  # fmt: skip


def lines(figures: dict[str, Any]) -> list[str]:
    """The table."""
    told = [
        f"{figures['agents']} agents at once, {figures['tickets']:,} tickets on SQLite:"
        f" {figures['requests']:,} requests, {figures['a_second']} a second",
        f"    {'all':12} median {figures['p50']:7.1f} ms, p95 {figures['p95']:7.1f} ms (at most {AIM});"
        f" load average {figures['load']}",
    ]
    for what, one in figures["kinds"].items():
        told.append(f"    {what:12} median {one['p50']:7.1f} ms, p95 {one['p95']:7.1f} ms  ({one['count']:,})")
    return [*told, f"    answers that were none: {figures['odd'] or 'none'}"]
