"""The real log replayed: every incident's states and times, beside what pandas reckons of the same file."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from models.session import EVERYONE
from models.ticket import Ticket, TicketEvent
from tests.conftest import Person
from tests.import_files import counts, step
from tests.ticket_files import ABSENT, LOG, found, mails, read, tickets
from workers.runtime import Runtime

pytestmark = pytest.mark.skipif(not LOG.is_file(), reason=ABSENT)
STATES = {
    "New": "new", "Active": "open", "Resolved": "solved", "Closed": "closed", "Awaiting User Info": "waiting",
    "Awaiting Problem": "hold", "Awaiting Vendor": "hold", "Awaiting Evidence": "hold",
}  # fmt: skip
TIMES = ("opened_at", "sys_updated_at", "resolved_at", "closed_at")


def expected() -> Any:
    """One row for each incident, reckoned without any of our code."""
    import pandas as pd

    log = pd.read_csv(LOG)
    for name in TIMES:
        log[name] = pd.to_datetime(log[name], format="%d-%m-%Y %H:%M", errors="coerce").astype("datetime64[ms]")
    log["state"] = log.incident_state.map(STATES)
    log["done"] = log.state.isin(("solved", "closed"))
    log["into"] = log.done & ~log.groupby("number").done.shift(fill_value=False)
    groups = log.groupby("number")
    made = groups.agg(
        opened=("opened_at", "min"), first=("sys_updated_at", "first"), state=("state", "last"),
        resolved=("resolved_at", "last"), closed=("closed_at", "last"), reopened=("reopen_count", "last"),
        sla=("made_sla", "last"), priority=("priority", "last"),
    )  # fmt: skip
    made["into"] = log[log.into].groupby("number").sys_updated_at.last()
    made["created"] = made[["opened", "first"]].min(axis=1)
    made["solved"] = made.resolved.fillna(made["into"])
    made["priority"] = made.priority.str[0].astype(int)
    made["turns"] = groups.state.agg(lambda states: _turns(list(states)))
    return made


def _turns(states: list[str]) -> list[str]:
    """What it became, one after the other, with "reopened" for open after done."""
    told, now = [], "new"
    for state in states:
        back = now in ("solved", "closed", "reopened") and state in ("new", "open")
        state = "reopened" if back else state
        if state != now:
            told.append(state)
        now = state
    return told


def test_every_incident_of_the_real_log_has_its_states_and_times(runtime: Runtime, ada: Person, tmp_path: Path) -> None:
    run = read(runtime, ada, LOG, tmp_path, policy="stated")
    wanted, report = expected(), found(run)["report"]
    assert (found(run)["system"], counts(run)) == ("servicenow", (890, 0, 0, 0))
    assert (report["tickets"], report["events"], report["states"]) == (890, 5998, {"closed": 890})
    assert report["reopened"] == int((wanted.reopened > 0).sum()) == 10
    assert report["theirs"] == {"in_time": int(wanted.sla.sum()), "of": 890}
    minutes = (wanted.solved - wanted.created).dt.total_seconds() / 60
    assert report["elapsed"]["median"] == pytest.approx(minutes.median(), abs=0.06)
    assert report["elapsed"]["p90"] == pytest.approx(minutes.quantile(0.9), abs=0.06)
    step(runtime, ada, run)
    mine = tickets(runtime)
    assert set(mine) == set(wanted.index)
    turns = _told(runtime)
    for key, row in zip(wanted.index, wanted.itertuples(), strict=True):
        ticket = mine[key]
        assert ticket.created_at == _ms(row.created), key
        assert (ticket.solved_at, ticket.closed_at) == (_ms(row.solved), _ms(row.closed)), key
        assert (ticket.status, ticket.reopened) == (row.state, row.reopened), key
        assert turns[ticket.id] == row.turns, key
    assert Counter(ticket.priority for ticket in mine.values()) == dict(wanted.priority.value_counts())
    assert mails(runtime) == 0
    assert counts(read(runtime, ada, LOG, tmp_path)) == (0, 890, 0, 0)


def _ms(moment: Any) -> int:
    return int(moment.timestamp() * 1000)


def _told(runtime: Runtime) -> dict[str, list[str]]:
    told: dict[str, list[str]] = {}
    with runtime.database.read(EVERYONE) as session:
        events = select(TicketEvent.ticket_id, TicketEvent.after).where(TicketEvent.what == "status")
        for ticket_id, after in session.execute(events.order_by(TicketEvent.at, TicketEvent.id)):
            told.setdefault(ticket_id, []).append(after)
        assert not session.scalars(select(Ticket.id).where(Ticket.next_mark_at.is_not(None))).all()
    return told
