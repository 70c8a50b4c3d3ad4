"""The reports' pages and files: who may see them, what is asked, what is wrong in it, and what stands in the files."""

import pytest
from flask import Flask

from tests.conftest import Person
from tests.front import browser_of, member_of
from tests.stock_front import read_csv, text_of
from tests.test_care_figures import HOUR, Desk, at
from tests.web_fixtures import Browser
from workers.runtime import Runtime

SPAN = "from=2026-03-02&to=2026-03-15"
TABLES = ("time", "team", "agent", "topic", "priority", "source", "age", "hours", "words", "reopened")


@pytest.fixture
def desk(runtime: Runtime, ada: Person) -> Desk:
    """A ticket that was answered, solved, reopened, closed and rated, and one that waits."""
    made = Desk(runtime, ada)
    done = made.ticket(
        at(3), "closed", subject="=HYPERLINK(1)", answered_at=at(3, 1), first_taken=HOUR, first_in_time=True,
        solved_at=at(4), solve_taken=5 * HOUR, solve_in_time=False, closed_at=at(11), reopened=1,
        assignee_id=ada.account_id,
    )  # fmt: skip
    made.rate(done, 3, at(5), "<b>Kind & quick</b>")
    made.ticket(at(9), "open", subject="Where is my parcel?", source="mail")
    return made


def test_the_page_says_in_numbers_and_words_how_the_desk_did(desk: Desk, ada_s: Browser) -> None:
    answer = ada_s.get(f"/care/reports?{SPAN}")
    assert answer.status_code == 200
    said = text_of(answer)
    for words in (
        "2 tickets opened, 1 solved, 0 reopened.", "100 % of 1 rating are good.", "1 ticket open now",
        "1: half of them within 1 h, nine of ten within 1 h of working time.", "2 March 2026 to 15 March 2026",
        "100 % of first answers (1 of 1), 0 % of solutions (0 of 1).", "Most come on Mondays from 00:00 to 01:00.",
    ):  # fmt: skip
        assert words in said
    assert "&lt;b&gt;Kind &amp; quick&lt;/b&gt;" in answer.text
    assert "<b>Kind" not in answer.text


def test_the_files_have_the_same_numbers_and_no_formula(desk: Desk, ada_s: Browser) -> None:
    files = {name: read_csv(ada_s.get(f"/care/reports/{name}.csv?{SPAN}&step=week")) for name in (*TABLES, "tickets")}
    assert files["time"][1][:9] == ["2026-03-02", "1", "1", "0", "0", "1", "1", "1", "1"]
    assert [row[:5] for row in files["agent"][1:]] == [["Ada", "1", "1", "0", "0"], ["Nobody", "1", "0", "0", "1"]]
    assert files["words"][1] == ["1", "'=HYPERLINK(1)", "Good", "<b>Kind & quick</b>"]
    assert files["reopened"][1] == ["1", "'=HYPERLINK(1)", "1"]
    assert len(files["hours"]) == 25
    first, second = files["tickets"][1:]
    assert first[:2] == ["1", "'=HYPERLINK(1)"]
    assert first[8:] == ["2026-03-03 00:00", "2026-03-03 01:00", "2026-03-04 00:00", "1", "5", "yes", "no", "1", "Good"]
    assert second[1:4] == ["Where is my parcel?", "Open", "Normal"]
    assert read_csv(ada_s.get(f"/care/reports/tickets.csv?{SPAN}&source=mail"))[1][0] == "2"


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("from=tomorrow", "no day"),
        ("from=2026-03-15&to=2026-03-02", "before the first one"),
        ("from=1900-01-01&to=2026-03-02", "at most thirty years"),
        ("from=2026-02-30", "no such day"),
    ],
)
def test_days_that_are_none_are_told_beside_their_field(desk: Desk, ada_s: Browser, asked: str, said: str) -> None:
    answer = ada_s.get(f"/care/reports?{asked}")
    assert answer.status_code == 422
    assert said in text_of(answer)
    assert 'aria-invalid="true"' in answer.text
    file = ada_s.get(f"/care/reports/time.csv?{asked}")
    assert file.status_code == 422
    assert said in file.text


@pytest.mark.parametrize(
    "asked",
    ["period=all", "period=365&step=day", "period=never", "priority=99", "team=nobody", "by=nothing", "agent=-&topic=-",
     "step=century", "source=pigeon"],
)  # fmt: skip
def test_whatever_else_an_address_asks_there_is_a_page(desk: Desk, ada_s: Browser, asked: str) -> None:
    assert ada_s.get(f"/care/reports?{asked}").status_code == 200


@pytest.mark.parametrize(
    ("asked", "days"),
    [
        ("period=30&was=30&from=2026-03-02&to=2026-03-15", "2 March 2026 to 15 March 2026"),  # days were typed
        ("period=own&from=2.3.2026&to=2026-03-15", "2 March 2026 to 15 March 2026"),
        ("period=all&was=own&from=2026-03-02&to=2026-03-15", "3 March 2026 to"),  # another period was chosen
    ],
)
def test_days_count_unless_another_period_was_chosen(desk: Desk, ada_s: Browser, asked: str, days: str) -> None:
    assert days in text_of(ada_s.get(f"/care/reports?{asked}"))


def test_an_empty_desk_says_where_reports_begin(ada_s: Browser) -> None:
    said = text_of(ada_s.get("/care/reports"))
    assert "Reports begin with the first ticket" in said
    assert ada_s.get("/care/reports/tickets.csv").status_code == 200
    assert ada_s.get("/care/reports/secrets.csv").status_code == 404


@pytest.mark.parametrize(
    ("role", "status"), [("lead", 200), ("member", 200), ("viewer", 200), ("agent", 403), ("customer", 403)]
)
def test_leads_and_the_house_see_reports_and_agents_do_not(
    desk: Desk, app: Flask, runtime: Runtime, ada: Person, role: str, status: int
) -> None:
    browser = browser_of(app, runtime, member_of(runtime, ada, "somebody", role))
    for address in ("/care/reports", "/care/reports/agent.csv", "/care/reports/tickets.csv"):
        assert browser.get(address).status_code == status


def test_another_workspace_s_tickets_are_in_no_number(desk: Desk, app: Flask, runtime: Runtime, grace: Person) -> None:
    browser = browser_of(app, runtime, grace)
    assert "nothing to report" in text_of(browser.get(f"/care/reports?{SPAN}"))
    assert len(read_csv(browser.get(f"/care/reports/tickets.csv?{SPAN}"))) == 1
