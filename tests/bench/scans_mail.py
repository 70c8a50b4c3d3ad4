"""Everybody's digest, composed and handed to a mail server, beside a bare loop that sends the same bytes to it."""

import statistics
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from sqlalchemy import delete, func, select, update

from deploy.settings import Settings
from models.alert import FIRING, OPENED, Alert, Move, Notice, Wish
from models.delivery import SENT, Delivery
from models.engine import make_engine
from models.run import Run
from models.session import EVERYONE
from tests.bench.scans_data import Size, expenses, ids, system
from tests.bench.scans_load import NOW, load, loading
from tests.bench.scans_measure import drained, whole_job
from tests.bench.scans_sink import bare_loop, read, sink
from tests.bench.scans_workers import ROUND, finished, worker
from workers import dispatch
from workers.runtime import Runtime

NEWS = 3  # alerts of each person
ENTRIES = 20  # of each person: their budgets have something to say in the digest
WITH_PICTURES = 100


def measured(made: Runtime, size: Size) -> dict[str, Any]:
    """Mails a second of the digest's job, of the mail job, of both, and of the bare loop."""
    _fill(made, size)
    file = made.settings.var / "mails"
    with sink(file) as port:
        sending = _with_mail(made, port)
        try:
            plain = _round(sending, port, file, size.letters)
            _again(made, size.letters, pictures=False)
            plain["by_workers_s"] = _by_workers(sending, size.letters)
            _again(made, WITH_PICTURES, pictures=True)
            pictured = _round(sending, port, file, WITH_PICTURES)
        finally:
            sending.database.close()
    return {"plain": plain, "pictures": pictured}


def _round(made: Runtime, port: int, file: Any, wanted: int) -> dict[str, Any]:
    file.write_bytes(b"")
    composed, handed = whole_job(made, "digest"), drained(made, "mail")
    mails = read(file)
    if len(mails) != wanted or _sent(made) != wanted:
        raise SystemExit(f"{len(mails)} mails came and {_sent(made)} are marked as sent, not {wanted}")
    bare = [bare_loop(port, mails) for _ in range(3 if wanted <= 1_000 else 2)]
    sizes = [len(content) for _, content in mails]
    _clear(made)
    return {
        "mails": wanted, "bytes": statistics.median(sizes), "compose_s": composed["seconds"],
        "hand_over_s": handed, "bare_s": bare,
    }  # fmt: skip


def _by_workers(made: Runtime, wanted: int) -> float:
    """Seconds from the scan's first row to the last mail, with real workers: two processes compose, two hand over."""
    chosen = made.settings
    environment = {
        "NIGHTSHIFT_BROKER_URL": chosen.broker, "NIGHTSHIFT_VAR": str(chosen.var), "NIGHTSHIFT_LOG_LEVEL": "warning",
        "NIGHTSHIFT_DATABASE_URL": chosen.database, "NIGHTSHIFT_MAIL": "smtp", "NIGHTSHIFT_SMTP_HOST": "127.0.0.1",
        "NIGHTSHIFT_SMTP_PORT": str(chosen.smtp_port), "NIGHTSHIFT_SMTP_SECURITY": "none",
    }  # fmt: skip
    log = chosen.var / "worker.log"
    with worker(2, environment, log), worker(2, environment, log, "mail"):
        finished(made, "health")
        finished(made, "mail")  # all processes are up
        began, end = time.perf_counter(), time.monotonic() + 300
        finished(made, "digest")
        while _sent(made) < wanted and time.monotonic() < end:
            dispatch.everything(made)
            time.sleep(ROUND)
        seconds = time.perf_counter() - began
    if _sent(made) != wanted:
        raise SystemExit(f"{_sent(made)} of {wanted} mails are sent; {log.read_text()[-2000:]}")
    _clear(made)
    return seconds


def _with_mail(made: Runtime, port: int) -> Runtime:
    """The same runtime, whose mail goes to the sink."""
    told: dict[str, Any] = {name: getattr(made.settings, name) for name in ("var", "database_url", "broker_url")}
    told |= {"mail": "smtp", "smtp_host": "127.0.0.1", "smtp_port": port, "smtp_security": "none"}
    return Runtime.from_settings(Settings.model_validate(told))


def _clear(made: Runtime) -> None:
    with made.database.write(EVERYONE) as session:
        session.execute(delete(Delivery))
        session.execute(delete(Run))


def _sent(made: Runtime) -> int:
    with made.database.read(EVERYONE) as session:
        return session.scalar(select(func.count()).select_from(Delivery).where(Delivery.state == SENT)) or 0


def _fill(made: Runtime, size: Size) -> None:
    """People with budgets, alerts that nobody was told of, and a digest that is due."""
    engine, count = make_engine(made.settings.database), size.letters
    loading(engine)
    system(engine)
    expenses(engine, replace(size, people=count, entries=count * ENTRIES), date.today())
    accounts, places = ids("a", count), ids("ba", count)
    owners = _each(places)
    alerts, moves = ids("1", count * NEWS), ids("2", count * NEWS)
    titles = [f"Groceries {number % 100} % used, {number % 30} days left" for number in range(count * NEWS)]
    load(
        engine, Alert, count * NEWS, id=alerts, workspace_id=owners, area="expenses", rule="budget", state=FIRING,
        subject=_subjects(count), title=titles, level=80, link="/expenses/budgets/1", period="2026-01-01",
        text="Four fifths of the limit are used. Look what can wait until the next period.", opened_at=NOW,
        moved_at=NOW,
    )  # fmt: skip
    load(engine, Move, len(moves), id=moves, workspace_id=owners, alert_id=alerts, what=OPENED, level=80, title=titles)
    load(
        engine, Notice, len(moves), move_id=moves, account_id=_each(accounts), workspace_id=owners, area="expenses",
    )  # fmt: skip
    load(engine, Wish, count, account_id=accounts, pictures=False, next_due=NOW)
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")
    engine.dispose()


def _each(owners: Sequence[str]) -> list[str]:
    return [owner for owner in owners for _ in range(NEWS)]


def _subjects(count: int) -> list[str]:
    """The first budgets of each person."""
    budgets = ids("f", count * 10)
    return [budgets[number * 10 + which] for number in range(count) for which in range(NEWS)]


def _again(made: Runtime, count: int, pictures: bool) -> None:
    """The first people's news once more."""
    last = ids("a", count)[-1]
    with made.database.write(EVERYONE) as session:
        session.execute(update(Notice).where(Notice.account_id <= last).values(told_at=None, delivery_id=None))
        due = {"next_due": NOW, "pictures": pictures, "amounts": pictures}
        session.execute(update(Wish).where(Wish.account_id <= last).values(due))
