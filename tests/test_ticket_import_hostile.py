"""Exports that mean harm, or are of something else: a sentence before anything is written, or words that stay words."""

import re
import threading
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from models.desk import Topic
from models.intake import IntakeLine
from models.session import EVERYONE
from models.ticket import Customer, Ticket, TicketMessage
from tasks.care import tickets as care
from tasks.care.import_names import Names
from tasks.handover import Refused
from tests.conftest import Person
from tests.import_files import counts, step
from tests.ticket_files import ZENDESK, customers, found, read, the_intake, tickets
from workers.runtime import Runtime

HEAD = "Id,Created at,Updated at,Status,Subject,Requester,Requester email,Description,Reopens,Ticket Category\n"


def line(key: str, subject: str = "x", who: str = "A", email: str = "a@example.org", **more: str) -> str:
    cells = (
        key, more.get("created", "2025-01-01 10:00"), more.get("updated", ""), more.get("state", "Open"), subject, who,
        email, more.get("text", ""), more.get("reopens", ""), more.get("topic", ""),
    )  # fmt: skip
    return ",".join('"' + cell.replace('"', '""') + '"' for cell in cells) + "\n"


def written(runtime: Runtime) -> int:
    with runtime.database.read(EVERYONE) as session:
        return session.scalar(select(func.count()).select_from(Ticket)) or 0


REFUSED: tuple[tuple[bytes, dict[str, Any], str], ...] = (
    (HEAD.encode() + line("1", "Zoë").encode("cp1252"), {"encoding": "utf-8-sig"}, "not written in UTF-8"),
    ((HEAD + line("1")).encode("utf-16-le") + b"\xd8", {"encoding": "utf-16"}, "not written in UTF-16"),
    (HEAD.encode() + line("1").encode() + b"\xff\xfe\x00\x01\x00\x00", {}, "NUL bytes|not written in"),
    ((HEAD + line("1")).encode() + b"2,\x00,", {}, "NUL bytes"),
    ((HEAD + line("1", "w" * 60_000)).encode(), {}, "more than 50,000 signs"),
    ((HEAD + '"1","2025-01-01 10:00","' + "line\n" * 300).encode(), {}, "never closed"),
    ((HEAD + line("1") * 3 + "\n" * 500_001).encode(), {}, "more than 500,000 lines"),
    ((",".join(f"c{n}" for n in range(300)) + "\n" + ",".join("1" * 300)).encode(), {}, "300 columns"),
    (b"Booking date;Payee;Amount\n01.02.2025;Bakery;-3,20\n", {}, "tickets\u2019 numbers"),
    (b"id,subject\n1,x\n2,y\n", {}, "when tickets were opened"),
    (b"\x1f\x8b\x08\x00" + b"x" * 100, {}, "packed|no CSV|no text"),
    (b"%PDF-1.7\n1 0 obj\n", {}, "PDF"),
    (b"<!doctype html><html><table><tr><td>Id</table>", {}, "web page"),
    (HEAD.encode() + line("1").encode(), {"zone": "../../etc/passwd"}, "no such time zone"),
    (HEAD.encode() + line("1").encode(), {"columns": "number|<script>"}, "no meaning of a column"),
    (HEAD.encode() + line("1").encode(), {"allowed": "nan 1 1 1"}, "four numbers"),
)


def test_a_file_that_cannot_be_read_is_refused_in_a_sentence_and_nothing_is_written(
    runtime: Runtime, ada: Person, tmp_path: Path
) -> None:
    for data, params, said in REFUSED:
        try:
            told = read(runtime, ada, data, tmp_path, **params).error or ""
        except Refused as error:  # at the form already
            told = " ".join(error.errors.values())
        assert re.search(said, told), (data[:80], told)
        assert "Traceback" not in told
    with runtime.database.read(EVERYONE) as session:
        assert (written(runtime), session.scalar(select(func.count()).select_from(IntakeLine))) == (0, 0)


def test_what_is_odd_in_a_line_is_told_or_stays_words(runtime: Runtime, ada: Person, tmp_path: Path) -> None:
    lines = [
        line("1", "=cmd|' /C calc'!A0", "@SUM(1+1)", text="<script>alert(1)</script><b>bold</b>"),
        line("2", "\u202egnp.exe \x07 \x1b[31m red", "\ufeffBob\u2028", text="a\x0bb\u0000c".replace("\u0000", "")),
        line("3", "\U0001f525 \u4e2d\u6587 \u0645\u0631\u062d\u0628\u0627", "Zo\u00eb", f"{'x' * 300}@example.org"),
        line("4", "s" * 3000, "n" * 3000, "not an address", text="t" * 20_000, topic="T" * 500),
        line("5", reopens="9" * 5000),
        line("6", reopens="-1", created="1969-12-31 23:00"),
        line("7", created="2400-01-01 00:00"),
        line("8", created="1970-01-02 00:00"),
        line("9", created="2025-03-30 02:30"),
        line("10", created="2025-01-01 10:00+99:99"),
        line("11", created="2025-05-01 10:00", updated="2024-01-01 10:00", state="Closed"),
        line("12", email="a@example.org,b@example.org"),
        line("13", email="desk@\u0435xample.org"),
        line("14", who="Eve <eve@example.org>\r\nBcc: all@example.org", email=""),
        line(" 15 ", state="\u0130stanbul"),
        line("k\u00e9", state=""),
    ]
    run = read(runtime, ada, (HEAD + "".join(lines)).encode(), tmp_path, zone="Europe/Berlin")
    assert counts(run)[2] == 3, run.result
    done = step(runtime, ada, run)
    assert done.state == "succeeded", done.error
    mine = tickets(runtime)
    assert mine["1"].subject == "=cmd|' /C calc'!A0"
    assert (mine["5"].reopened, mine["8"].created_at) == (9999, 82_800_000)
    assert len(mine["4"].subject) <= 200
    assert "\x07" not in mine["2"].subject
    assert mine["11"].created_at <= (mine["11"].closed_at or 0)
    with runtime.database.read(EVERYONE) as session:
        texts = session.scalars(select(TicketMessage.text).where(TicketMessage.ticket_id == mine["1"].id)).all()
        assert "<script>alert(1)</script><b>bold</b>" in texts, "as it was; pages escape it"
        assert all(len(row) <= 254 for row in session.scalars(select(Customer.email)))
        assert all(len(row) <= 120 for row in session.scalars(select(Topic.name)))
    names = customers(runtime)
    assert "all@example.org" not in names
    assert sum(address.endswith("@invalid") for address in names) >= 2


def test_numbers_names_and_addresses_that_databases_take_for_the_same_are_kept_apart_or_are_one(
    runtime: Runtime, ada: Person, tmp_path: Path
) -> None:
    pairs = [("A1", "a1"), ("CAF\u00c9", "CAFE"), ("stra\u00dfe", "strasse"), ("e\u0301", "\u00e9")]
    lines = [line(word, who=word, email=f"{word}@example.org", topic=word) for pair in pairs for word in pair]
    run = read(runtime, ada, (HEAD + "".join(lines)).encode(), tmp_path)
    assert counts(run) == (8, 0, 0, 0)
    done = step(runtime, ada, run)
    assert (done.state, written(runtime)) == ("succeeded", 8), done.error
    assert counts(read(runtime, ada, (HEAD + "".join(lines)).encode(), tmp_path)) == (0, 8, 0, 0)
    undone = step(runtime, ada, found(run)["intake"], "undo")
    assert (undone.state, written(runtime)) == ("succeeded", 0), undone.error


def test_a_circle_of_parents_is_words_in_notes_and_the_same_number_twice_is_one_ticket(
    runtime: Runtime, ada: Person, tmp_path: Path
) -> None:
    text = (
        "Id,Created at,Status,Parent,Child,Child\n1,2025-01-01 10:00,Open,2,2,3\n2,2025-01-01 10:00,Open,1,1,\n"
        "2,2025-01-02 10:00,Closed,2,2,2\n"
    )
    run = read(runtime, ada, text, tmp_path)
    assert counts(run) == (2, 0, 0, 0)
    step(runtime, ada, run)
    mine = tickets(runtime)
    assert (mine["1"].status, mine["2"].status, written(runtime)) == ("open", "closed", 2)


def test_two_that_write_the_same_tickets_at_once_write_them_once(runtime: Runtime, ada: Person, tmp_path: Path) -> None:
    runs = [read(runtime, ada, ZENDESK, tmp_path) for _ in range(2)]
    done: list[Any] = []
    both = threading.Barrier(2)

    def write(run: Any) -> None:
        both.wait(20)
        done.append(step(runtime, ada, run))

    threads = [threading.Thread(target=write, args=(run,)) for run in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [run.state for run in done] == ["succeeded", "succeeded"], [run.error for run in done]
    assert sum(run.result["count"] for run in done) == written(runtime) == 2


def test_the_file_that_was_shown_is_what_is_written_whatever_became_of_it(
    runtime: Runtime, ada: Person, tmp_path: Path
) -> None:
    run = read(runtime, ada, ZENDESK, tmp_path)
    (tmp_path / "tickets.csv").write_text(ZENDESK.replace("Lamp", "Evil"))
    for path in runtime.settings.var.glob("files/*/*"):
        path.write_bytes(path.read_bytes().replace(b"Lamp", b"Evil"))
    step(runtime, ada, run)
    assert tickets(runtime)["43"].subject == "Lamp broken"


def test_undoing_leaves_what_an_agent_answered_and_twice_is_once(runtime: Runtime, ada: Person, tmp_path: Path) -> None:
    run = read(runtime, ada, ZENDESK, tmp_path)
    step(runtime, ada, run)
    with runtime.database.write(ada.workspace_id) as session:
        ticket = session.scalars(select(Ticket).where(Ticket.foreign_key == "zendesk 43")).one()
        by = care.By("agent", ada.account_id)
        care.say(session, ticket, "answer", "A new lamp is on its way.", by, 10**13, source="web")
    step(runtime, ada, run, "undo")
    assert list(tickets(runtime)) == ["43"]
    again = step(runtime, ada, found(run)["intake"], "undo")
    assert (list(tickets(runtime)), again.state) == (["43"], again.state)
    late = step(runtime, ada, found(run)["intake"])
    assert (list(tickets(runtime)), the_intake(runtime, run).state) == (["43"], the_intake(runtime, run).state), late


def test_a_customer_whom_somebody_else_made_at_that_moment_is_found_at_the_next_try(
    runtime: Runtime, ada: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = read(runtime, ada, ZENDESK, tmp_path)
    with runtime.database.write(ada.workspace_id) as session:
        session.add(Customer(email="caller7@example.org", name="Mailed us just now"))
    real, tries = Names._known, []

    def too_early(self: Names, emails: list[str]) -> dict[str, tuple[str, str]]:
        tries.append(1)
        return {} if len(tries) == 1 else real(self, emails)

    monkeypatch.setattr(Names, "_known", too_early)
    assert (step(runtime, ada, run).state, written(runtime), len(tries)) == ("succeeded", 2, 2)
    assert customers(runtime)["caller7@example.org"] == "Mailed us just now"
