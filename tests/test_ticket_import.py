"""Importing tickets: other systems' exports, previewed, written once, known again, taken back."""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select

from models import ticket_search
from models.desk import Policy, Team, Topic
from models.intake import IntakeLine
from models.session import EVERYONE
from models.ticket import Customer, Ticket, TicketEvent, TicketMessage, TicketTag, TicketWords
from tasks.care import tickets as care
from tests.conftest import Person
from tests.import_files import counts, step
from tests.ticket_files import HEADER, OSTICKET, ZENDESK, customers, found, history, mails, read, the_intake, tickets
from workers.runtime import Runtime

TABLES = (Ticket, TicketEvent, TicketMessage, TicketTag, TicketWords, Customer, Team, Topic)


def moment(text: str, zone: str = "UTC") -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


def rows(runtime: Runtime) -> dict[str, int]:
    with runtime.database.read(EVERYONE) as session:
        sizes = {table.__tablename__: session.scalar(select(func.count()).select_from(table)) or 0 for table in TABLES}
    return {name: size for name, size in sizes.items() if size}


def test_a_zendesk_export_is_shown_first_then_written_with_its_times_tags_and_customers(
    runtime: Runtime, ada: Person, tmp_path: Path
) -> None:
    run = read(runtime, ada, ZENDESK, tmp_path, policy="stated")
    assert (found(run)["system"], counts(run), rows(runtime)) == ("zendesk", (2, 0, 0, 1), {})
    unknown = [name for name, role in zip(*_layout(runtime, run), strict=True) if not role]
    assert unknown == ["Requester id", "Via", "Satisfaction Score", "Replies"]
    step(runtime, ada, run)
    one, other = tickets(runtime)["42"], tickets(runtime)["43"]
    assert (one.status, one.priority, one.subject, one.reopened) == ("closed", 2, "Where is my parcel?", 1)
    assert (one.created_at, one.solved_at) == (moment("2025-03-03 09:00"), moment("2025-03-04 10:00"))
    assert (one.answered_at, one.first_taken) == (moment("2025-03-03 09:30"), 30 * 60_000)
    assert (one.solve_taken, one.solve_minutes, one.solve_in_time) == (9 * 3_600_000, 480, False)
    assert [event[:2] for event in history(runtime, one)] == [("new", "solved"), ("solved", "closed")]
    assert (other.status, other.priority, other.solved_at) == ("open", 1, None)
    assert customers(runtime) == {"caller7@example.org": "Caller 7", "caller8@example.org": "Caller 8"}
    with runtime.database.read(ada.workspace_id) as session:
        assert set(session.scalars(select(TicketTag.name))) == {"parcel", "late"}
        assert set(session.scalars(select(Topic.name))) == {"Shipping", "Returns"}
        notes = session.scalars(select(TicketMessage.text).where(TicketMessage.ticket_id == one.id)).all()
        assert any("Satisfaction Score: Good" in text and "Zendesk" in text for text in notes)
        for words in ("parcel", "caller7@example.org", "42", "late"):
            matching = ticket_search.matching(session, words)
            assert session.scalars(select(Ticket.id).where(matching)).first() == one.id, words


def _layout(runtime: Runtime, run: object) -> tuple[list[str], list[str]]:
    layout = the_intake(runtime, run).layout or {}  # type: ignore[arg-type]
    return layout["headers"], layout["roles"]


def test_an_osticket_export_in_german_makes_customers_without_an_address_by_their_names(
    runtime: Runtime, ada: Person, tmp_path: Path
) -> None:
    run = read(runtime, ada, OSTICKET.encode("cp1252"), tmp_path, zone="Europe/Berlin")
    assert (found(run)["system"], counts(run)) == ("osticket", (2, 0, 0, 0))
    step(runtime, ada, run)
    one, other = tickets(runtime)["100200"], tickets(runtime)["100201"]
    assert (one.priority, one.created_at) == (2, moment("2025-02-03 08:15", "Europe/Berlin"))
    assert other.solved_at == other.closed_at == moment("2025-02-13 11:00", "Europe/Berlin")
    names = customers(runtime)
    assert names.pop("cafe@example.org") == "Café"
    address, name = names.popitem()
    assert (name, address.endswith("@invalid"), address.startswith("buro-sud")) == ("Büro Süd", True, True)
    assert one.status == "closed", "solved long before: nobody is asked now how it was"
    assert [event[:2] for event in history(runtime, one)] == [("new", "solved"), ("solved", "closed")]


def test_the_same_file_again_does_nothing_and_nobody_gets_a_mail(runtime: Runtime, ada: Person, tmp_path: Path) -> None:
    step(runtime, ada, read(runtime, ada, ZENDESK, tmp_path))
    before = rows(runtime)
    again = read(runtime, ada, ZENDESK, tmp_path)
    assert counts(again) == (0, 2, 0, 1)
    twice = [read(runtime, ada, OSTICKET, tmp_path) for _ in range(2)]
    assert [step(runtime, ada, run).result["count"] for run in twice] == [2, 0]  # type: ignore[index]
    assert (rows(runtime)["ticket"], before["ticket"], mails(runtime)) == (4, 2, 0)


def test_what_is_open_gets_its_deadlines_from_the_import_on_and_no_mark_is_old(
    runtime: Runtime, ada: Person, tmp_path: Path
) -> None:
    with runtime.database.write(ada.workspace_id) as session:
        session.add(Policy(name="All", solve_minutes=60, first_minutes=30, around_the_clock=True))
    run = read(runtime, ada, ZENDESK, tmp_path)
    assert "own policies" in found(run)["policy"]
    step(runtime, ada, run)
    mine = tickets(runtime)
    moment = (the_intake(runtime, run).counts or {})["moment"]
    assert (mine["43"].solve_due_at, mine["43"].first_due_at) == (moment + 3_600_000, moment + 1_800_000)
    assert (mine["43"].next_mark_at, mine["43"].changed_at) == (moment + 900_000, moment)
    assert (mine["42"].next_mark_at, mine["42"].solve_in_time, mine["42"].first_in_time) == (None, False, True)


def test_undoing_takes_back_what_nobody_touched_and_says_what_stays(
    runtime: Runtime, ada: Person, tmp_path: Path
) -> None:
    run = read(runtime, ada, ZENDESK, tmp_path)
    step(runtime, ada, run)
    with runtime.database.write(ada.workspace_id) as session:
        ticket = session.scalars(select(Ticket).where(Ticket.foreign_key == "zendesk 43")).one()
        care.say(session, ticket, "note", "I look into it", care.By("agent", ada.account_id), 10**13, source="web")
    done = step(runtime, ada, run, "undo")
    assert done.result
    assert (done.result["count"], done.result["kept"]) == (1, 1)
    assert (the_intake(runtime, run).counts or {})["kept_numbers"] == [ticket.number]
    assert list(customers(runtime)) == ["caller8@example.org"]
    left = rows(runtime)
    assert (left["ticket"], left["topic"], left["team"], left["ticket_words"]) == (1, 1, 1, 1)
    assert counts(read(runtime, ada, ZENDESK, tmp_path))[:2] == (1, 1), "what was taken back can come again"


def test_a_log_of_changes_in_any_order_becomes_each_tickets_history(
    runtime: Runtime, ada: Person, tmp_path: Path
) -> None:
    lines = [
        "INC1,New,true,Caller 1,01-02-2016 09:00,01-02-2016 09:05,Mail,3 - Moderate,Desk,Rome",
        "INC1,Active,true,Caller 1,01-02-2016 09:00,01-02-2016 10:00,Mail,2 - High,Desk,Rome",
        "INC1,Awaiting User Info,true,Caller 1,01-02-2016 09:00,01-02-2016 11:00,Mail,2 - High,Desk,Rome",
        "INC1,Active,true,Caller 1,01-02-2016 09:00,02-02-2016 09:00,Mail,2 - High,Network,Rome",
        "INC1,Resolved,true,Caller 1,01-02-2016 09:00,02-02-2016 10:00,Mail,2 - High,Network,Rome",
        "INC1,Active,false,Caller 1,01-02-2016 09:00,13-02-2016 09:00,Mail,2 - High,Network,Rome",
        "INC1,Closed,false,Caller 1,01-02-2016 09:00,15-02-2016 09:00,Mail,2 - High,Network,Oslo",
        "INC2,New,true,?,01-02-2016 09:00,01-02-2016 09:05,?,?,?,?",
    ]
    run = read(runtime, ada, HEADER + "\n".join(reversed(lines)), tmp_path, policy="stated")
    assert counts(run) == (2, 0, 0, 0)
    step(runtime, ada, run)
    one = tickets(runtime)["INC1"]
    assert [event[:2] for event in history(runtime, one)] == [
        ("new", "open"), ("open", "waiting"), ("waiting", "open"), ("open", "solved"), ("solved", "reopened"),
        ("reopened", "closed"),
    ]  # fmt: skip
    assert [event[:2] for event in history(runtime, one, "team")] == [("Desk", "Network")]
    assert [event[:2] for event in history(runtime, one, "priority")] == [("normal", "high")]
    assert history(runtime, one, "sla") == [("", "too late", one.closed_at)]
    worked = 2 + 1 + 8  # Monday 9 to 11, Tuesday 9 to 10, and Monday the 15th comes before work; the 13th is a Saturday
    assert (one.reopened, one.solve_taken) == (1, (worked - 8) * 3_600_000)
    assert (one.solved_at, one.closed_at) == (moment("2016-02-15 09:00"), moment("2016-02-15 09:00"))
    two = tickets(runtime)["INC2"]
    assert (two.status, two.subject, two.priority, two.team_id) == ("new", "INC2", 3, None)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Name,Colour\nx,red\n", "tickets’ numbers"),
        ("Id,Subject\n1,x\n", "when tickets were opened"),
        ("Id,Created at\n", "no line with a ticket"),
        ("", "empty"),
        ("Id;Created at\n1;2025-01-01 10:00\n" + '2;"open', "never closed"),
    ],
)
def test_a_file_without_tickets_is_refused_with_what_to_do(
    runtime: Runtime, ada: Person, tmp_path: Path, text: str, said: str
) -> None:
    with pytest.raises(Exception, match=said):
        read(runtime, ada, text, tmp_path)


def test_lines_that_cannot_be_read_are_told_one_by_one_and_the_rest_comes_in(
    runtime: Runtime, ada: Person, tmp_path: Path
) -> None:
    lines = [
        "Id,Created at,Status,Priority,Subject,Requester",
        ",2025-01-01 10:00,Open,High,no number,a",
        "2,yesterday,Open,High,no date,b",
        "3,,Open,High,no date either,c",
        f"{'9' * 61},2025-01-01 10:00,Open,High,long,d",
        "5,2025-02-30 10:00,Open,High,no such day,e",
        "6,2025-01-01 25:00,Open,High,no such hour,f",
        "7,2025-01-01 10:00,Bogus,Whatever,=HYPERLINK(1),<script>alert(1)</script>",
        "8,2025-01-01T10:00:00Z,Open",
        "9,2999-01-01 10:00,Open,,far,g",
    ]
    run = read(runtime, ada, "\n".join(lines), tmp_path)
    assert counts(run) == (2, 0, 7, 0)
    assert found(run)["report"]["unknown"] == {"Bogus": 1}
    with runtime.database.read(ada.workspace_id) as session:
        wrong = session.scalars(select(IntakeLine).where(IntakeLine.state == "wrong").order_by(IntakeLine.number)).all()
        assert [line.number for line in wrong] == [2, 3, 4, 5, 6, 7, 10]
        assert "“yesterday” is no date and time" in wrong[1].reason
    step(runtime, ada, run)
    mine = tickets(runtime)
    assert (mine["7"].status, mine["7"].priority, mine["7"].subject) == ("new", 3, "=HYPERLINK(1)")
    assert mine["8"].created_at == moment("2025-01-01 10:00")


def test_a_worker_lost_between_two_portions_goes_on_where_it_was(
    runtime: Runtime, ada: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tasks.care import imported

    monkeypatch.setattr(imported, "AT_ONCE", 1)
    run = read(runtime, ada, ZENDESK, tmp_path)
    real, calls = imported.Writer.write, []

    def once(self: imported.Writer, *given: object) -> tuple[int, int]:
        calls.append(1)
        if len(calls) == 2:
            raise RuntimeError("lost")
        return real(self, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(imported.Writer, "write", once)
    assert step(runtime, ada, run).state != "succeeded"
    assert rows(runtime)["ticket"] == 1
    done = step(runtime, ada, run)
    assert (done.state, rows(runtime)["ticket"]) == ("succeeded", 2)
    assert step(runtime, ada, run, "undo").result["count"] == 2  # type: ignore[index]
    assert rows(runtime) == {}


def test_what_one_workspace_imports_another_does_not_know(
    runtime: Runtime, ada: Person, grace: Person, tmp_path: Path
) -> None:
    step(runtime, ada, read(runtime, ada, ZENDESK, tmp_path))
    theirs = read(runtime, grace, ZENDESK, tmp_path)
    assert counts(theirs) == (2, 0, 0, 1)
    step(runtime, grace, theirs)
    step(runtime, ada, found(theirs)["intake"], "undo")
    assert rows(runtime)["ticket"] == 4
