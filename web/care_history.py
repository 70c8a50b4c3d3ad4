"""A ticket's history in words: one line for each event of tasks/care/history.py."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from models.ticket import STATUSES, TicketEvent
from tasks.care import history, links
from tasks.care.history import Since
from tasks.care.moves import name

FROM = {
    "web": "on the web",
    "mail": "by mail",
    "api": "by a program",
    "chat": "in the chat",
    "phone": "by phone",
    "import": "by an import",
}
SAID = {"question": "the customer wrote", "answer": "answered the customer", "note": "took an internal note"}

# Each with what it was and became, with what it became alone, and with what it was alone.
WORDS = {
    history.OPENED: ("Raised {1}",) * 3,
    history.STATUS: ("Status: {0} → {1}", "Status: {1}", "Status: {0}"),
    history.ASSIGNEE: ("Given to {1}, before {0}", "Given to {1}", "Taken from {0}"),
    history.TAG: ("Tag “{0}” became “{1}”", "Tag “{1}” put on", "Tag “{0}” taken off"),
    history.LINKED: ("Linked with {1}",) * 3,
    history.UNLINKED: ("Link with {0} taken off",) * 3,
    history.MERGED: ("{0} was merged into {1}",) * 3,
    history.COPY: ("{0} became {1}", "{1} takes part", "{0} takes part no more"),
    history.READS: ("{1} may read all of it",) * 3,
    history.MARK: ("{0}: {1} % of the time allowed used", "{1} % of the time allowed used", "{0}"),
    links.LINKS: ("Links in mails ended",) * 3,
    history.MAIL: ("Mail to the customer: {1}", "Mail to the customer: {1}", "Mail to the customer: {0}"),
}
DEADLINES = {"first": "First answer", "solve": "Solution"}


@dataclass(frozen=True)
class Line:
    """What happened, who did it ("" for Nightshift itself), why, and when (epoch milliseconds)."""

    text: str
    who: str
    why: str
    at: int


def accounts(events: Iterable[TicketEvent]) -> list[str | None]:
    """Whose names the lines need."""
    found: list[str | None] = []
    for each in events:
        found.append(each.account_id)
        if each.what == history.ASSIGNEE:
            found += [each.before, each.after]
    return found


def lines(events: Sequence[TicketEvent], names: Mapping[str, str]) -> list[Line]:
    return [Line(words(each, names), names.get(each.account_id or "", ""), each.why, each.at) for each in events]


def came(since: Sequence[Since], names: Mapping[str, str]) -> list[Line]:
    """What somebody is told who was too slow."""
    return [
        Line(SAID.get(each.what) or words(each, names), names.get(each.account_id or "", ""), "", each.at)
        for each in since
    ]


def words(event: TicketEvent | Since, names: Mapping[str, str]) -> str:
    """One event, without who did it."""
    before, after = _plain(event.what, event.before, names), _plain(event.what, event.after, names)
    both, only_after, only_before = WORDS.get(event.what, (f"{event.what.capitalize()}: {{0}} → {{1}}",) * 3)
    pattern = both if before and after else only_after if after else only_before
    return pattern.format(before or "none", after or "none")


def _plain(what: str, value: str, names: Mapping[str, str]) -> str:
    if what == history.ASSIGNEE and value:
        return names.get(value, "somebody who has left")
    if what == history.STATUS and value in STATUSES:
        return name(value)
    return (FROM if what == history.OPENED else DEADLINES if what == history.MARK else {}).get(value, value)
