"""A ticket's history out of the lines of an export: its states, changes and times, and the working time that it took.

A file of snapshots has one line for each ticket, an event log one for each change; both are read the same way. The
clock runs while a ticket is new, open or opened again, and stands still while the customer is waited for and on hold.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tasks.ticket_import import wording
from tasks.ticket_import.reading import Seen
from tasks.ticket_import.wording import AT_WORK, CLOSED, DONE, NEW, OPEN, SOLVED

if TYPE_CHECKING:
    from tasks.care.working_time import WorkingTime

REOPENED = "reopened"
MINUTE = 60_000
MOST_LINES = 2_000  # of one ticket
FOLLOWED = ("priority", "category", "team", "assignee")  # what a history tells besides states
MOST_NOTE = 4_000


@dataclass(frozen=True)
class Rule:
    """How much working time a ticket may take, in minutes (None: no deadline), and when it runs."""

    name: str
    first: int | None
    solve: int | None
    time: "WorkingTime"
    policy_id: str | None = None


Rules = Callable[[int, str, str], Rule]  # of a priority, a category and a team


@dataclass(frozen=True, slots=True)
class Change:
    """What became what, and when. `what` is status, priority, category, team or assignee."""

    at: int
    what: str
    before: str
    after: str


@dataclass(slots=True)
class Built:
    """A ticket with its history; moments are epoch milliseconds, what was taken is working time in milliseconds."""

    key: str
    line: int
    lines: int
    status: str
    priority: int
    values: dict[str, str]
    rest: dict[str, str]
    created: int
    changed: int
    answered: int | None = None
    solved: int | None = None
    closed: int | None = None
    reopened: int = 0
    first_taken: int | None = None
    solve_taken: int | None = None
    rule: Rule | None = None
    sla: bool | None = None
    unknown: list[str] = field(default_factory=list)  # states that nobody knows
    changes: list[Change] = field(default_factory=list)

    def in_time(self, taken: int | None, minutes: int | None) -> bool | None:
        return None if taken is None or minutes is None else taken <= minutes * MINUTE

    @property
    def first_in_time(self) -> bool | None:
        return self.in_time(self.first_taken, self.rule.first if self.rule else None)

    @property
    def solve_in_time(self) -> bool | None:
        return self.in_time(self.solve_taken, self.rule.solve if self.rule else None)

    @property
    def note(self) -> str:
        """What the columns hold that have no place of their own."""
        return "\n".join(f"{name}: {cell}" for name, cell in self.rest.items())[:MOST_NOTE]


def build(seen: Sequence[Seen], system: str, rules: Rules) -> Built:
    """What one ticket was and became.

    Args:
        seen: its lines, in any order; at least one.
        system: whose words they are, see `headers.SYSTEMS`.
        rules: the policy that its times are held against.
    """
    seen = ordered(seen)
    first, last = seen[0], seen[-1]
    values: dict[str, str] = {}
    rest: dict[str, str] = {}
    for each in seen:
        values |= each.values
        rest |= each.rest
    created = min(min(each.moments.get("created", each.at), each.at) for each in seen)
    found = Built(
        key=first.key, line=min(each.line for each in seen), lines=len(seen), status=NEW, values=values, rest=rest,
        priority=_priority(values), created=created, changed=max(last.at, created),
        sla=wording.truth(values.get("sla", "")),
    )  # fmt: skip
    _follow(found, seen, system)
    if len(seen) == 1:
        _snapshot(found, first)
    _end(found, last)
    _first_answer(found, last)
    _reckon(found, rules(found.priority, values.get("category", ""), values.get("team", "")))
    return found


def ordered(seen: Sequence[Seen]) -> list[Seen]:
    """A ticket's lines, oldest first.

    Real logs have a wrong clock here and a wrong counter there. So the file's own order, or its reverse, counts where
    the counters of changes agree with it, else where the times do; where neither does, the times alone.
    """
    found = sorted(seen, key=lambda each: each.line)
    counters, times = [each.order for each in found], [each.at for each in found]
    for keys in (counters, times) if any(counters) else (times,):
        if keys == sorted(keys):
            return found
        if keys == sorted(keys, reverse=True):
            return found[::-1]
    return sorted(found, key=lambda each: each.at)


def _priority(values: dict[str, str]) -> int:
    known = wording.priority(values.get("priority", ""), values.get("impact", ""), values.get("urgency", ""))
    return known or wording.NORMAL


def _follow(found: Built, seen: Sequence[Seen], system: str) -> None:
    """Line by line: what is other than before is a change."""
    before: dict[str, str] = {}
    for each in seen:
        word = each.values.get("state", "")
        state = wording.state(word, system) if word else None
        if word and state is None:
            found.unknown.append(word)
        if state is not None:
            _turn(found, state, each.at)
        for what in FOLLOWED:
            after = _level(each.values) if what == "priority" else each.values.get(what, "")
            if what in before and after and after != before[what]:
                found.changes.append(Change(each.at, what, before[what], after))
            if after or what not in before:
                before[what] = after


def _level(values: dict[str, str]) -> str:
    """The priority in our words; "" for none that is known."""
    known = wording.priority(values.get("priority", ""), values.get("impact", ""), values.get("urgency", ""))
    return wording.LEVELS[known] if known else ""


def _turn(found: Built, state: str, at: int) -> None:
    """Into another state. What was done and is not any more was opened again."""
    back = found.status in DONE and state not in DONE
    if state in AT_WORK and (back or found.status == REOPENED):
        state = REOPENED
    found.reopened += back
    if state != found.status:
        turns = [change.at for change in found.changes if change.what == "status"]
        found.changes.append(Change(max(at, found.created, *turns[-1:]), "status", found.status, state))
        found.status = state


def _snapshot(found: Built, only: Seen) -> None:
    """One line tells only where it ended, and perhaps when it was solved on the way there."""
    if found.status not in DONE:
        return
    solved = only.moments.get("solved") or only.moments.get("closed") or only.at
    closed = only.moments.get("closed") or max(only.at, solved)
    found.changes = [change for change in found.changes if change.what != "status"]
    if found.status == SOLVED or "solved" in only.moments:
        found.changes.append(Change(max(solved, found.created), "status", NEW, SOLVED))
    if found.status == CLOSED:
        before = SOLVED if "solved" in only.moments else NEW
        found.changes.append(Change(max(closed, found.created), "status", before, CLOSED))


def _end(found: Built, last: Seen) -> None:
    """When it was solved and closed: as the export says it, else when its state became so for the last time."""
    if "reopens" in found.values:
        digits = found.values["reopens"].strip()
        found.reopened = min(int(digits[:9]), 9_999) if digits.isascii() and digits.isdigit() else found.reopened
    if found.status not in DONE:
        return
    done = _last_into(found, DONE)
    found.solved = max(last.moments.get("solved", done), found.created)
    if found.status == CLOSED:
        found.closed = max(last.moments.get("closed", _last_into(found, (CLOSED,))), found.solved)
    found.changed = max(found.changed, found.closed or found.solved)


def _last_into(found: Built, states: tuple[str, ...]) -> int:
    turns = [change for change in found.changes if change.what == "status"]
    into = [turn.at for turn in turns if turn.after in states and turn.before not in states]
    return into[-1] if into else found.changed


def _first_answer(found: Built, last: Seen) -> None:
    minutes = found.values.get("answered minutes", "")
    if "answered" in last.moments:
        found.answered = max(last.moments["answered"], found.created)
    elif minutes.isascii() and minutes.isdigit() and len(minutes) < 8:
        found.answered = found.created + int(minutes) * MINUTE


def _reckon(found: Built, rule: Rule) -> None:
    """How much working time the first answer and the solution took."""
    found.rule = rule
    if found.answered is not None:
        found.first_taken = rule.time.worked(found.created, found.answered)
    if found.solved is not None:
        found.solve_taken = sum(rule.time.worked(since, until) for since, until in running(found))


def running(found: Built) -> list[tuple[int, int]]:
    """The spans in which a ticket's clock ran until it was done."""
    spans: list[tuple[int, int]] = []
    since: int | None = found.created
    for change in found.changes:
        if change.what != "status":
            continue
        runs = change.after in (NEW, OPEN, REOPENED)
        if since is not None and not runs:
            spans.append((since, change.at))
            since = None
        elif since is None and runs:
            since = change.at
    return spans


def told(found: Built) -> dict[str, Any]:
    """All of it, as it is kept until it is written."""
    rule = found.rule
    return {
        "key": found.key, "status": found.status, "priority": found.priority, "values": found.values,
        "note": found.note, "created": found.created, "changed": found.changed, "answered": found.answered,
        "solved": found.solved, "closed": found.closed, "reopened": found.reopened, "sla": found.sla,
        "first_taken": found.first_taken, "solve_taken": found.solve_taken, "first_in_time": found.first_in_time,
        "solve_in_time": found.solve_in_time, "policy": rule.policy_id if rule else None,
        "minutes": [rule.first, rule.solve] if rule else [None, None],
        "changes": [[one.at, one.what, one.before[:120], one.after[:120]] for one in found.changes],
    }  # fmt: skip
