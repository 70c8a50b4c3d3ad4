"""Fifty agents at once on loopback: a real gunicorn as `make run` starts it, SQLite, 20,000 tickets with their words.

The protocol, which is printed beside the figures:

- At work: each agent has a browser of their own and thinks for two to six seconds between two clicks, which is faster
  than people are: lists, searches, tickets, their page's question who else is here, answers. What is told is the time
  from the request to the whole answer, the 95th percentile of all and of each sort. The aim is 200 ms.
- Without a pause: the same fifty click again as soon as an answer is there. What is told is requests a second; how long
  each takes then says how many stand in line, and nothing else.

Clients and server run on the same cores, so it is told what each of them took of these, and what the rest of the
machine did meanwhile. The web process runs alone: no workers, no broker. One round of clicks before warms it up.
"""

import os
import random
import sys
import tempfile
import threading
import time
from collections import defaultdict
from http.client import HTTPConnection, HTTPException
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

import psutil

from deploy.commands import WEB
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

AGENTS, TICKETS, SECONDS, QUICK_SECONDS = 50, 20_000, 60, 20
AIM = 200
FAR = 4_102_444_800_000
THINKS = (2.0, 6.0)  # seconds
NEVER = (0.0, 0.0)
KEPT = 3.0  # seconds that a connection is used again
MIX = {"list": 25, "search": 10, "ticket": 30, "presence": 25, "answer": 10}  # of a hundred clicks


class Answer(NamedTuple):
    status: int
    text: str


def measure(quick: bool) -> dict[str, Any]:
    """Start it, fill it, let them work, then let them press as fast as they can."""
    with tempfile.TemporaryDirectory(prefix="nightshift-bench-") as name:
        folder, port = Path(name), free_port()
        var = folder / "var"
        var.mkdir()
        settings = Settings(var=var, host="127.0.0.1", port=port)
        made, cookies = prepared(settings)
        root = Path(__file__).parents[3]
        environment = {"NIGHTSHIFT_VAR": str(var), "PORT": str(port)}
        with process(list(WEB), environment, root, folder / "web.log") as server:
            until(f"http://127.0.0.1:{port}/livez")
            seconds = QUICK_SECONDS if quick else SECONDS
            together(server.pid, port, made, cookies, 3, NEVER)  # warm
            at_work = together(server.pid, port, made, cookies, seconds, THINKS)
            return {**at_work, "without_pause": together(server.pid, port, made, cookies, seconds // 2, NEVER)}


def prepared(settings: Settings) -> tuple[data.Made, list[str]]:
    """A database with the desk, and a cookie for each agent."""
    app = create_app(settings)
    runtime: Runtime = app.extensions["nightshift"]
    migrate.upgrade(settings.database)
    loading(runtime.database.engine)
    made = data.fill(runtime.database.engine, TICKETS, time.time_ns() // 1_000_000)
    data.talk(runtime.database.engine, made)
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
    """One agent at work until the time is over; a plain client, so that the cores are the server's."""

    def __init__(
        self, number: int, port: int, cookie: str, made: data.Made, end: float, thinks: tuple[float, float]
    ) -> None:
        super().__init__(daemon=True)
        self.chance = random.Random(number)
        self.made, self.end, self.thinks, self.cookie = made, end, thinks, cookie
        self.browser = HTTPConnection("127.0.0.1", port, timeout=30)
        self.asked, self.number, self.page = 0.0, 1, ""
        self.took: defaultdict[str, list[float]] = defaultdict(list)
        self.odd: defaultdict[str, int] = defaultdict(int)

    def run(self) -> None:
        time.sleep(self.chance.uniform(0, self.thinks[1]))
        self.click("ticket")
        while time.monotonic() < self.end:
            time.sleep(self.chance.uniform(*self.thinks))
            self.click(self.chance.choices(list(MIX), list(MIX.values()))[0])
        self.browser.close()

    def click(self, what: str) -> None:
        if what == "answer" and 'name="version"' not in self.page:
            what = "ticket"  # to be answered, one has to be read
        began = time.perf_counter()
        try:
            answer: Answer = getattr(self, what)()
        except (OSError, HTTPException) as error:
            self.odd[type(error).__name__] += 1
            self.browser.close()
            return
        self.took[what].append((time.perf_counter() - began) * 1000)
        if answer.status not in (200, 303, 304):
            self.odd[f"{what} {answer.status}"] += 1
        if what == "ticket":
            self.page = answer.text

    def list(self) -> Answer:
        return self._ask("GET", "", {"view": self.chance.choice(("mine", "team", "nobody", "overdue", "all"))})

    def search(self) -> Answer:
        return self._ask("GET", "", {"view": "all", "q": self.chance.choice(self.made.words[:5_000])})

    def ticket(self) -> Answer:
        self.number = self.chance.randrange(1, self.made.count)
        return self._ask("GET", f"/{self.number}")

    def presence(self) -> Answer:
        return self._ask("GET", f"/{self.number}/presence")

    def answer(self) -> Answer:
        names = {name: field(self.page, name) for name in ("csrf_token", "version")}
        self.page = ""  # the next answer is given to another ticket
        form = {**names, "kind": "answer", "text": f"An answer, {self.chance.random()}."}
        return self._ask("POST", f"/{self.number}/answer", form=form)

    def _ask(
        self, method: str, path: str, asked: dict[str, str] | None = None, form: dict[str, str] | None = None
    ) -> Answer:
        if time.monotonic() - self.asked > KEPT:
            self.browser.close()  # as the server does after 5 seconds; the next request opens it again
        self.asked = time.monotonic()
        target = f"/care{path}" + (f"?{urlencode(asked)}" if asked else "")
        headers = {"Cookie": self.cookie} | ({"Content-Type": "application/x-www-form-urlencoded"} if form else {})
        self.browser.request(method, target, urlencode(form) if form else None, headers)
        given = self.browser.getresponse()
        for name, morsel in SimpleCookie(given.getheader("Set-Cookie", "")).items():
            self.cookie = f"{name}={morsel.value}"
        return Answer(given.status, given.read().decode())


def together(
    server: int, port: int, made: data.Made, cookies: list[str], seconds: int, thinks: tuple[float, float]
) -> dict[str, Any]:
    """All of them at once."""
    before, began = _used(server), time.monotonic()
    agents = [Agent(number, port, cookie, made, began + seconds, thinks) for number, cookie in enumerate(cookies)]
    for agent in agents:
        agent.start()
    for agent in agents:
        agent.join(seconds + 60)
    whole, after = time.monotonic() - began, _used(server)
    kinds = {what: [ms for agent in agents for ms in agent.took[what]] for what in MIX}
    every = [ms for took in kinds.values() for ms in took]
    odd: dict[str, int] = defaultdict(int)
    for agent in agents:
        for what, count in agent.odd.items():
            odd[what] += count
    return {
        "agents": len(agents), "tickets": made.count, "requests": len(every), "seconds": round(whole, 1),
        "a_second": round(len(every) / whole, 1), "thinks": list(thinks),
        "p50": round(quantile(every, 0.5), 1), "p95": round(quantile(every, 0.95), 1), "odd": dict(odd),
        "cores": {name: round((after[name] - before[name]) / whole, 2) for name in after},
        "load": round(os.getloadavg()[0], 1),
        "kinds": {
            what: {"count": len(took), "p50": round(quantile(took, 0.5), 1), "p95": round(quantile(took, 0.95), 1)}
            for what, took in kinds.items()
            if took
        },
    }  # fmt: skip


def _used(server: int) -> dict[str, float]:
    """Seconds of a core that the server, these clients and all of the machine have taken so far."""
    web = psutil.Process(server)
    times = [each.cpu_times() for each in (web, *web.children(recursive=True))]
    all_of_it = psutil.cpu_times()
    mine = time.process_time()
    served = sum(each.user + each.system for each in times)
    busy = sum(all_of_it) - all_of_it.idle - getattr(all_of_it, "iowait", 0.0) - getattr(all_of_it, "guest", 0.0)
    return {"server": served, "clients": mine, "others": busy - served - mine}


def lines(figures: dict[str, Any]) -> list[str]:
    """The table, with how it was measured."""
    first, last = figures["thinks"]
    told = [
        f"{figures['agents']} agents at once, {figures['tickets']:,} tickets on SQLite, each thinks for {first:.0f} to"
        f" {last:.0f} s between clicks: {figures['requests']:,} requests, {figures['a_second']} a second",
        f"    {'all':12} median {figures['p50']:7.1f} ms, p95 {figures['p95']:7.1f} ms (at most {AIM})",
    ]
    for what, one in figures["kinds"].items():
        told.append(f"    {what:12} median {one['p50']:7.1f} ms, p95 {one['p95']:7.1f} ms  ({one['count']:,})")
    told += [f"    {_cores(figures)}", f"    answers that were none: {figures['odd'] or 'none'}"]
    rush = figures["without_pause"]
    return [
        *told,
        f"    without a pause: {rush['a_second']} requests a second; a click takes {rush['p50']:.0f} ms then, most"
        f" of it in line (p95 {rush['p95']:.0f} ms)",
        f"    {_cores(rush)}; answers that were none: {rush['odd'] or 'none'}",
    ]


def _cores(figures: dict[str, Any]) -> str:
    """Who took how much of the machine."""
    used = figures["cores"]
    return (
        f"of {os.cpu_count()} cores the server took {used['server']}, the clients {used['clients']}, all others"
        f" {used['others']}; load average {figures['load']}"
    )
