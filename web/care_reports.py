"""Reports of the desk: volume, times, share in time, backlog, satisfaction; as charts, tables and CSV files.

For leads and for the members of the workspace; agents see their own tickets and not each other's numbers.
"""

import time
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, abort, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Select, and_, or_, select
from sqlalchemy.orm import Session

from models.account import Account
from models.base import clock
from models.desk import Team, Topic
from models.session import Database
from models.ticket import DONE, Rating, Ticket
from tasks.care import report_tables, report_words
from tasks.care.report_asked import Asked
from tasks.tables import Cell, csv_lines
from web import care_report_asked, care_report_charts
from web.care_report_asked import Choice
from web.current import current_workspace, may, may_lead, reading, require_desk, runtime

if TYPE_CHECKING:
    from tasks.care.figures import Report

bp = Blueprint("care_reports", __name__, url_prefix="/care/reports")
SLOW, KEPT, MOST_KEPT = 1.0, 300.0, 32  # seconds that make a report slow, and for which it is then shown again
MOST_SHOWN = 50  # groups on a page; the file has all of them
HEAD = (
    "Number", "Subject", "Status", "Priority", "Topic", "Team", "Assignee", "Source", "Opened", "First answer",
    "Solved", "Hours to the first answer", "Hours to the solution", "First answer in time", "Solved in time",
    "Reopened", "Rating",
)  # fmt: skip
_kept: dict[tuple[str, Asked], tuple[float, "Report"]] = {}


def _open() -> None:
    """Owners, members, viewers and leads; 403 for agents."""
    if not (may_lead() or may("viewer")):
        abort(403)


@bp.get("")
@require_desk("look")
def index() -> ResponseReturnValue:
    _open()
    with reading() as session:
        choice = care_report_asked.read(session, request.args)
        report = _report(session, choice.asked)
        names = care_report_asked.names(session)
    named = report.by[choice.values["by"]]
    return render_template(
        "care/reports.html", report=report, choice=choice, names=names, named=named[:MOST_SHOWN],
        more=max(0, len(named) - MOST_SHOWN), compared=care_report_charts.compared(named, choice.values["by"]),
        over_time=care_report_charts.over_time(report), ages=care_report_charts.ages(report),
        busiest=care_report_charts.busiest(report), rated=care_report_charts.satisfaction(report),
        empty=not (report.whole.opened or report.whole.solved or report.whole.backlog or report.whole.rated),
        periods=care_report_asked.PERIODS, groups=care_report_asked.GROUPS, words=report_words,
    ), 422 if choice.errors else 200  # fmt: skip


@bp.get("/<name>.csv")
@require_desk("look")
def file(name: str) -> ResponseReturnValue:
    """One of the tables, or the tickets behind all of them."""
    _open()
    if name != "tickets" and name not in report_tables.NAMES:
        abort(404)
    with reading() as session:
        choice = care_report_asked.read(session, request.args)
        if choice.errors:
            return "; ".join(choice.errors.values()), 422, {"Content-Type": "text/plain; charset=utf-8"}
        if name != "tickets":
            head, rows = report_tables.table(_report(session, choice.asked), name)
            return _sent(f"care-{name}", csv_lines(head, rows), choice)
    return _sent(
        "care-tickets", csv_lines(HEAD, _tickets(runtime().database, current_workspace(), choice.asked)), choice
    )


def _sent(name: str, lines: Iterator[bytes], choice: Choice) -> Response:
    span = choice.asked.span
    head = {"Content-Disposition": f'attachment; filename="{name}-{span.first}-{span.last}.csv"'}
    return Response(lines, content_type="text/csv; charset=utf-8", headers=head)


def _report(session: Session, asked: Asked) -> "Report":
    """The numbers of now; of a desk so large that they take a while, those of the last five minutes."""
    key, begun = (current_workspace(), asked), time.monotonic()
    until, report = _kept.get(key, (0.0, None))
    if report is not None and begun < until:
        return report
    from tasks.care import figures  # numpy, which no other page needs

    report = figures.report(session, asked, clock(session))
    if (done := time.monotonic()) - begun > SLOW:
        for old in [each for each, (end, _) in list(_kept.items()) if end < done]:
            _kept.pop(old, None)
        if len(_kept) < MOST_KEPT:
            _kept[key] = (done + KEPT, report)
    return report


def _tickets(database: Database, workspace: str, asked: Asked) -> Iterator[tuple[Cell, ...]]:
    """Those that were opened or solved in the span, and those that are open; read while they are sent."""
    zone = ZoneInfo(asked.span.zone)

    def at(milliseconds: int | None) -> str | None:
        if milliseconds is None:
            return None
        return datetime.fromtimestamp(milliseconds / 1000, zone).strftime("%Y-%m-%d %H:%M")

    with database.read(workspace) as session:
        for row in session.execute(_wanted(asked).execution_options(yield_per=1000)):
            number, subject, status, priority, topic, team, agent, source, made, answered, solved = row[:11]
            first, solve, first_in, solve_in, reopened, score = row[11:]
            yield (
                number, subject, report_words.STATUSES[status], care_report_asked.PRIORITIES.get(str(priority)), topic,
                team, agent, source, at(made), at(answered), at(solved), report_words.hours(first),
                report_words.hours(solve), first_in, solve_in, reopened,
                report_words.SCORES[score - 1] if score else None,
            )  # fmt: skip


def _wanted(asked: Asked) -> Select[Any]:
    from tasks.care import figures  # numpy, which no other page needs

    span = asked.span

    def within(column: Any) -> Any:
        return and_(column >= span.start, column < span.end)

    told = (
        Ticket.number, Ticket.subject, Ticket.status, Ticket.priority, Topic.name, Team.name.label("team"),
        Account.name.label("agent"), Ticket.source, Ticket.created_at, Ticket.answered_at, Ticket.solved_at,
        Ticket.first_taken, Ticket.solve_taken, Ticket.first_in_time, Ticket.solve_in_time, Ticket.reopened,
        Rating.score,
    )  # fmt: skip
    beside = ((Topic, Topic.id == Ticket.topic_id), (Team, Team.id == Ticket.team_id),
              (Account, Account.id == Ticket.assignee_id), (Rating, Rating.ticket_id == Ticket.id))  # fmt: skip
    found: Any = select(*told).select_from(Ticket)
    for table, on in beside:
        found = found.outerjoin(table, on)
    when = or_(within(Ticket.created_at), within(Ticket.solved_at), Ticket.status.not_in(DONE))
    found = found.where(figures.concerned(span), when, *figures.chosen(asked)).order_by(Ticket.number)
    return cast(Select[Any], found)
