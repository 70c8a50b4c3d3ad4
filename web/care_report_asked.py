"""What a report is asked for by an address: a period or two days, steps, and which tickets."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.account import Account
from models.base import clock
from models.desk import Team, TeamMember, Topic
from models.ticket import Ticket
from models.workspace import Membership
from tasks import dates
from tasks.care.report_asked import NONE, STEPS, Asked, span
from tasks.days import today
from web import places
from web.current import current_workspace, everyone

PERIODS = {
    "7": "The last 7 days", "30": "The last 30 days", "90": "The last 90 days", "365": "The last 12 months",
    "all": "Since the first ticket", "own": "Days of your own",
}  # fmt: skip
USUAL = "30"
PRIORITIES = {"1": "Urgent", "2": "High", "3": "Normal", "4": "Low"}
SOURCES = {"web": "Web", "mail": "Mail", "api": "API", "chat": "Chat", "phone": "Phone", "import": "Import"}
FILTERS = ("team", "agent", "topic", "priority", "source")
GROUPS = {"team": "Team", "agent": "Agent", "topic": "Topic", "priority": "Priority", "source": "Source"}
MOST_NAMED = 500  # in a list to choose from


@dataclass(frozen=True)
class Choice:
    """What was asked, as the form shows it again; `errors` by field, then it is the usual period instead."""

    asked: Asked
    values: dict[str, str]
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def narrowed(self) -> bool:
        """Whether only some tickets count."""
        return any(self.values[name] for name in FILTERS)

    def address(self, **other: str) -> dict[str, str]:
        """The values for a link, without what is not filled in."""
        return {name: value for name, value in (self.values | other).items() if value}


def read(session: Session, args: Mapping[str, str]) -> Choice:
    """The address's question. What is wrong stands beside its field; what there is not, is left out."""
    values = {name: args.get(name, "").replace("\0", "")[:40] for name in ("period", "from", "to", "step", *FILTERS)}
    typed = bool(values["from"] or values["to"])
    if values["period"] not in PERIODS or (typed and args.get("was") == values["period"]):
        values["period"] = "own" if typed else USUAL  # days that were typed beside a period that was left as it is
    values["by"] = args.get("by", "") if args.get("by", "") in GROUPS else "team"
    values["step"] = values["step"] if values["step"] in STEPS else ""
    values["priority"] = values["priority"] if values["priority"] in PRIORITIES else ""
    values["source"] = values["source"] if values["source"] in SOURCES else ""
    zone = places.here(session).time_zone
    day = today(zone, clock(session))
    first, last, errors = _days(session, values, zone, day)
    try:
        chosen = span(first, last, zone, values["step"])
    except ValueError as error:
        errors = {"to": str(error)}
        chosen = span(day - timedelta(int(USUAL) - 1), day, zone, values["step"])
    asked = Asked(
        chosen, values["team"], values["agent"], values["topic"], int(values["priority"] or 0), values["source"]
    )  # fmt: skip
    if values["period"] != "own":
        values |= {"from": "", "to": ""}
    return Choice(asked, values, errors)


def _days(session: Session, values: dict[str, str], zone: str, day: date) -> tuple[date, date, dict[str, str]]:
    if values["period"] == "all":
        return _oldest(session, zone, day), day, {}
    if values["period"] != "own":
        return day - timedelta(int(values["period"]) - 1), day, {}
    found, errors = {"from": day - timedelta(int(USUAL) - 1), "to": day}, {}
    for name in found:
        try:
            if values[name]:
                found[name] = dates.parse(values[name])
        except ValueError as error:
            errors[name] = str(error)
    return found["from"], found["to"], errors


def _oldest(session: Session, zone: str, day: date) -> date:
    at = session.scalar(select(func.min(Ticket.created_at)))
    return min(max(today(zone, at), day - timedelta(365 * 30)), day) if at is not None else day


def names(session: Session) -> dict[str, list[tuple[str, str]]]:
    """What each filter can be set to."""
    here = current_workspace()
    teams, topics = (
        [(key, name) for key, name in session.execute(select(t.id, t.name).order_by(t.name).limit(MOST_NAMED))]
        for t in (Team, Topic)
    )
    wanted = select(Account.id, Account.name).order_by(Account.name).limit(MOST_NAMED)
    with everyone() as open_to_all:
        members = select(Membership.account_id).where(Membership.workspace_id == here, Membership.role != "customer")
        in_teams = select(TeamMember.account_id).where(TeamMember.workspace_id == here)
        found = open_to_all.execute(wanted.where(Account.id.in_(members) | Account.id.in_(in_teams)))
        people = [(key, name) for key, name in found]
    return {
        "team": [*teams, (NONE, "No team")], "agent": [*people, (NONE, "Nobody")],
        "topic": [*topics, (NONE, "No topic")], "priority": list(PRIORITIES.items()), "source": list(SOURCES.items()),
    }  # fmt: skip
