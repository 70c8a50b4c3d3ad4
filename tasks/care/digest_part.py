"""What customer care adds to a digest: an agent's own tickets, and for leads once a week how the desk did.

Agents are whoever has open tickets or is in a team. Leads are those of the desk and of its teams; where there is none
of them, the owners. Nobody else reads of the desk here: viewers and customers have no part in it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from models.base import clock
from models.desk import Desk, TeamMember
from models.ticket import AT_WORK, DONE, Rating, Ticket
from models.workspace import Membership, Workspace
from tasks.care import report_words as words
from tasks.care.by import ANSWERS
from tasks.care.report_asked import WEEK, Asked, Span, midnight
from tasks.days import today
from tasks.sections import Figure, Reader, Section

if TYPE_CHECKING:
    from tasks.care.figures import Report
    from tasks.care.report_sums import Part

NAMED, TEAMS, WEEKS = 5, 6, 8
DAY = 86_400_000
TITLE = "Customer care"


@dataclass(frozen=True, slots=True)
class Mine:
    """An open ticket of a reader, and when what comes next is due (None: its clock stands, or nothing is promised)."""

    number: int
    subject: str
    due: int | None
    forgotten: bool


def section(session: Session, workspace_id: str, reader: Reader) -> Section | None:
    """None for people who have no part in the desk, or nothing to read of."""
    now = clock(session)
    role = _role(session, workspace_id, reader.account_id)
    if role not in ANSWERS:
        return None
    own = _own(session, reader, now)
    zone = session.scalars(select(Workspace.time_zone).where(Workspace.id == workspace_id)).one()
    week = last_week(zone, now, reader.since)
    if week is None or not _leads(session, workspace_id, reader.account_id, role):
        return Section(TITLE, "/care", own) if own else None
    report = _report(session, week, now)
    told = weekly(report)
    if not own and not told:
        return None
    figures = [_figure(session, week, now)] if told and reader.pictures else []
    link = "/care/reports?period=7" if told else "/care"
    return Section(TITLE, link, [*own, *told], figures, headline(report))


def news(session: Session, readers: Mapping[str, Sequence[Reader]]) -> set[tuple[str, str]]:
    """Whom the desk's week is worth a mail by itself, as `section` will say it: (workspace id, account id)."""
    now, zones = clock(session), select(Workspace.id, Workspace.time_zone).where(Workspace.id.in_(readers))
    found: set[tuple[str, str]] = set()
    for place, zone in session.execute(zones).all():
        weeks = {each.account_id: last_week(zone, now, each.since) for each in readers[place]}
        week = next((each for each in weeks.values() if each is not None), None)
        if week is not None and _busy(session, place, week):
            found |= {(place, account) for account, told in weeks.items() if told and _hears(session, place, account)}
    return found


def _hears(session: Session, workspace_id: str, account_id: str) -> bool:
    role = _role(session, workspace_id, account_id)
    return role in ANSWERS and _leads(session, workspace_id, account_id, role)


def _busy(session: Session, workspace_id: str, week: Span) -> bool:
    """Whether anything was opened, solved or rated in a week; each is looked up in an index."""
    begin, end = midnight(week.first, week.zone), midnight(week.last + timedelta(1), week.zone)
    mine = Ticket.workspace_id == workspace_id
    asked = (
        select(Ticket.id).where(mine, Ticket.created_at >= begin, Ticket.created_at < end),
        select(Ticket.id).where(mine, Ticket.changed_at >= begin, Ticket.solved_at >= begin, Ticket.solved_at < end),
        select(Rating.ticket_id).where(Rating.workspace_id == workspace_id, Rating.at >= begin, Rating.at < end),
    )
    return any(session.scalars(each.limit(1)).first() is not None for each in asked)


def _role(session: Session, workspace_id: str, account_id: str) -> str:
    mine = (Membership.workspace_id == workspace_id, Membership.account_id == account_id)
    return session.scalars(select(Membership.role).where(*mine)).first() or ""


def _leads(session: Session, workspace_id: str, account_id: str, role: str) -> bool:
    """Whether somebody reads how the whole desk did."""
    leading = select(TeamMember.account_id).where(TeamMember.workspace_id == workspace_id, TeamMember.lead)
    if role == "lead" or account_id in set(session.scalars(leading)):
        return True
    others = exists().where(Membership.workspace_id == workspace_id, Membership.role == "lead")
    return role == "owner" and not session.scalar(select(others | leading.exists()))


def _own(session: Session, reader: Reader, now: int) -> list[str]:
    """A line with counts, and one for each of the most pressing."""
    found = sorted(_mine(session, reader.account_id, now), key=lambda one: (one.due is None, one.due or 0, one.number))
    if not found:
        return []
    tonight = midnight(today(reader.zone, now) + timedelta(1), reader.zone)
    overdue = [one for one in found if one.due is not None and one.due < now]
    due = [one for one in found if one.due is not None and now <= one.due < tonight]
    forgotten = [one for one in found if one.forgotten]
    counts = ((overdue, "overdue"), (due, "due today"), (forgotten, "not touched for days"))
    told = ", ".join(f"{len(some)} {word}" for some, word in counts if some)
    lines = [f"You have {words.count(len(found), 'open ticket')}{': ' + told if told else ''}."]
    pressing = list({one.number: one for one in (*overdue, *due, *forgotten)}.values())
    lines += [_line(one, reader.zone, now) for one in pressing[:NAMED]]
    if len(pressing) > NAMED:
        lines.append(f"{len(pressing) - NAMED} more of them stand in your list.")
    return lines


def _line(one: Mine, zone: str, now: int) -> str:
    if one.due is None or (one.forgotten and one.due >= now + DAY):
        return f"#{one.number} {one.subject}: nobody has touched it for days"
    at = datetime.fromtimestamp(one.due / 1000, ZoneInfo(zone))
    word = "was due" if one.due < now else "is due"
    return f"#{one.number} {one.subject}: {word} {at:%A %-d %B, %H:%M}"


def _mine(session: Session, account_id: str, now: int) -> list[Mine]:
    days = session.scalar(select(Desk.forgotten_days).limit(1)) or 0
    columns = (
        Ticket.number, Ticket.subject, Ticket.status, Ticket.answered_at, Ticket.first_due_at, Ticket.solve_due_at,
        Ticket.changed_at,
    )  # fmt: skip
    asked = select(*columns).where(Ticket.assignee_id == account_id, Ticket.status.not_in(DONE))
    found = []
    for number, subject, status, answered, first, solve, changed in session.execute(asked):
        runs = status in AT_WORK
        dues = [due for due in (first if answered is None else None, solve) if due is not None and runs]
        old = bool(days) and runs and changed <= now - days * DAY
        found.append(Mine(number, subject, min(dues, default=None), old))
    return found


def last_week(zone: str, now: int, since: int) -> Span | None:
    """The last whole week, Monday to Sunday, if no digest was written yet in this one; so it is told once a week."""
    monday = _monday(today(zone, now))
    if since and _monday(today(zone, since)) == monday:
        return None
    return Span(monday - timedelta(7), monday - timedelta(1), zone, WEEK)


def _monday(day: date) -> date:
    return day - timedelta(day.weekday())


def _report(session: Session, span: Span, now: int) -> "Report":
    from tasks.care import figures  # numpy, which a digest without a desk does not need

    return figures.report(session, Asked(span), now)


def weekly(report: "Report") -> list[str]:
    """A week in sentences; nothing for one in which nothing was, and nothing is."""
    whole, span = report.whole, report.asked.span
    if not (whole.opened or whole.solved or whole.backlog or whole.rated):
        return []
    days = f"{span.first:%-d %B} to {span.last:%-d %B}"
    lines = [
        f"The desk from {days}: {whole.opened:,} opened, {whole.solved:,} solved, {whole.reopened:,} reopened.",
        *_times("First answers", whole.first), *_times("Solutions", whole.solve), *_left(report),
    ]  # fmt: skip
    if whole.rated:
        lines.append(f"{words.percent(whole.good)} of {words.count(whole.rated, 'rating')} are good.")
    teams = [one for one in report.by["team"] if one.part.opened or one.part.solved]
    if len(teams) > 1:
        lines += [_of_team(one.name or words.NOBODY["team"], one.part) for one in teams[:TEAMS]]
    return lines


def headline(report: "Report") -> str:
    """The week in a line, if anything was in it; what lies there for longer is no news."""
    whole = report.whole
    if not (whole.opened or whole.solved or whole.rated):
        return ""
    return f"Your desk's week: {whole.opened:,} opened, {whole.solved:,} solved"


def _times(title: str, times: Any) -> list[str]:
    if not times.count and not times.judged:
        return []
    parts = []
    if times.count:
        parts.append(f"half within {words.took(times.median)}, nine of ten within {words.took(times.p90)}")
    if times.judged:
        parts.append(f"{words.percent(times.share)} in time")
    return [f"{title}: {'; '.join(parts)}."]


def _left(report: "Report") -> list[str]:
    """The backlog of now, and how old it is."""
    whole, ages = report.whole, [sum(each) for each in zip(*report.ages.values(), strict=True)]
    if not whole.backlog:
        return ["Nothing is open."]
    old = [(sum(ages[3:]), "a week"), (sum(ages[4:]), "30 days")]
    told = ", ".join(f"{many:,} for more than {long}" for many, long in old if many)
    late = f", {whole.overdue:,} overdue" if whole.overdue else ""
    return [f"{words.count(whole.backlog, 'ticket')} open now{late}{', ' + told if told else ''}."]


def _of_team(name: str, part: "Part") -> str:
    share = f", {words.percent(part.first.share)} of first answers in time" if part.first.judged else ""
    return f"{name}: {part.opened:,} opened, {part.solved:,} solved, {part.backlog:,} open{share}."


def _figure(session: Session, week: Span, now: int) -> Figure:
    from tasks.care import report_picture  # matplotlib, which only who wants pictures needs

    span = Span(week.last - timedelta(7 * WEEKS - 1), week.last, week.zone, WEEK)
    parts: Sequence[Part] = _report(session, span, now).parts
    return Figure("care", report_picture.words(span, parts), report_picture.weeks(span, parts))
