"""Which tickets a list shows: read from an address, for the queue and the API alike, with what is wrong beside it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from models.ticket import AT_WORK, DONE, HIGH, LOW, NORMAL, STATUSES, STOPPED, URGENT
from tasks import dates

VIEWS = {
    "mine": "Mine", "team": "My teams’", "nobody": "Nobody’s", "waiting": "Waiting", "overdue": "Overdue",
    "solved": "Solved", "all": "All",
}  # fmt: skip
SORTS = {
    "changed": "Last changed first", "oldest": "Longest untouched first", "made": "Newest first",
    "due": "Due next (without a deadline: not listed)", "priority": "Most urgent first",
}  # fmt: skip
DUES = {"overdue": "Overdue", "hour": "Due within an hour", "day": "Due within a day", "none": "Without a deadline"}
AHEAD_MS = {"overdue": 0, "hour": 3_600_000, "day": 86_400_000}
PRIORITIES = {URGENT: "urgent", HIGH: "high", NORMAL: "normal", LOW: "low"}
SOURCES = {"web": "Web", "mail": "Mail", "api": "API", "chat": "Chat", "phone": "Phone", "import": "Import"}
OF_VIEW = {
    "mine": (*AT_WORK, *STOPPED), "team": (*AT_WORK, *STOPPED), "nobody": (*AT_WORK, *STOPPED),
    "waiting": STOPPED, "overdue": AT_WORK, "solved": DONE, "all": STATUSES,
}  # fmt: skip
NOBODY = "nobody"
LONGEST = 200
CHOOSE = "Choose one of {}."
NO_DAY = "Write a day, such as 2026-01-31."


@dataclass(frozen=True)
class Filter:
    """What a list of tickets shows.

    Attributes:
        me, teams: whose "mine" and "my teams’" are meant.
        status, topic, team, assignee, tag, customer, source: only these; "" for any. `assignee` may be "nobody".
        priority: 1 (urgent) to 4 (low); 0 for any.
        due: one of DUES; all but "none" are listed by when they are due.
        since, until: made from this moment on, and before that one (epoch milliseconds).
        text: all of a ticket's words are looked through for it.
    """

    view: str = "all"
    status: str = ""
    priority: int = 0
    topic: str = ""
    team: str = ""
    assignee: str = ""
    tag: str = ""
    customer: str = ""
    due: str = ""
    source: str = ""
    since: int | None = None
    until: int | None = None
    text: str = ""
    sort: str = "changed"
    me: str = ""
    teams: tuple[str, ...] = ()
    given: Mapping[str, str] = field(default_factory=dict, compare=False)

    @property
    def statuses(self) -> tuple[str, ...]:
        """Those that both the view and the choice leave; none where they exclude each other."""
        left = self._chosen
        return tuple(name for name in left if name in AT_WORK) if self.order == "due" else left

    @property
    def _chosen(self) -> tuple[str, ...]:
        return tuple(name for name in OF_VIEW[self.view] if self.status in ("", name))

    @property
    def order(self) -> str:
        """How it is sorted: what asks for due times, or for days, rides their index."""
        if self.view == "overdue" or self.due in AHEAD_MS:
            return "due"
        if self.since is not None or self.until is not None:
            return "made"
        nothing_runs = self.sort == "due" and not set(self._chosen) & set(AT_WORK)
        return "changed" if nothing_runs or (self.text and self.sort == "priority") else self.sort

    @property
    def ahead(self) -> int | None:
        """Due at most so many milliseconds from now; None when that is no matter."""
        named = AHEAD_MS.get(self.due)
        return 0 if self.view == "overdue" else named

    @property
    def narrowed(self) -> bool:
        """Whether more is asked than a view."""
        plain = {"view", "sort", "me", "teams", "given"}
        return any(getattr(self, each.name) for each in fields(self) if each.name not in plain)


def read(
    given: Mapping[str, str], zone: str, me: str = "", teams: Collection[str] = (), view: str = "all"
) -> tuple[Filter, dict[str, str]]:
    """A filter, and a sentence for each field that cannot be read (which is then left out)."""
    texts = {name: _line(given.get(name, "")) for name in NAMES}
    wrong = {name: text for name in CHOICES if (text := _unoffered(name, texts[name]))}
    chosen = {name: "" if name in wrong else texts[name] for name in CHOICES}
    days, unread = _days(texts["from"], texts["to"], zone)
    made = Filter(
        view=chosen["view"] or view, status=chosen["status"], priority=NUMBER_OF.get(chosen["priority"], 0),
        due=chosen["due"], source=chosen["source"], sort=chosen["sort"] or "changed", topic=texts["topic"],
        team=texts["team"], assignee=me if texts["assignee"] == "me" else texts["assignee"],
        tag=texts["tag"].lower(), customer=texts["customer"].lower(), text=texts["q"], me=me, teams=tuple(teams),
        given={name: text for name, text in texts.items() if text},
    )  # fmt: skip
    return replace(made, since=days[0], until=days[1]), wrong | unread


NUMBER_OF = {word: number for number, word in PRIORITIES.items()}
CHOICES: dict[str, Collection[str]] = {
    "view": VIEWS, "status": STATUSES, "priority": NUMBER_OF, "due": DUES, "source": SOURCES, "sort": SORTS,
}  # fmt: skip
IDS = ("topic", "team", "assignee")
NAMES = (*CHOICES, *IDS, "q", "from", "to", "tag", "customer")


def _line(text: str) -> str:
    """No database compares with a NUL or with half a sign."""
    plain = text.replace("\0", "").encode("utf-8", "ignore").decode()
    return " ".join(plain.split())[:LONGEST]


def _unoffered(name: str, text: str) -> str:
    return "" if not text or text in CHOICES[name] else CHOOSE.format(", ".join(CHOICES[name]))


def _days(first: str, last: str, zone: str) -> tuple[tuple[int | None, int | None], dict[str, str]]:
    """From the beginning of the first day to the end of the last, on the clock of this zone."""
    ends: list[int | None] = []
    wrong = {}
    for name, text, more in (("from", first, 0), ("to", last, 1)):
        try:
            ends.append(_midnight(text, zone, more) if text else None)
        except (ValueError, OverflowError) as error:
            ends.append(None)
            wrong[name] = str(error) if isinstance(error, ValueError) else NO_DAY
    return (ends[0], ends[1]), wrong


def _midnight(text: str, zone: str, more: int) -> int:
    day = dates.parse(text) + timedelta(more)
    return int(datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC).timestamp() * 1000)
