"""What a file of tickets adds up to: how many, in which states, how long they took, and how many were in time."""

from array import array
from collections import Counter
from collections.abc import Sequence
from typing import Any

from tasks.ticket_import.replay import Built

MINUTE = 60_000


class Report:
    """Adds up tickets one by one; keeps two whole numbers of each."""

    def __init__(self) -> None:
        self.tickets = self.events = self.reopened = self.changes = 0
        self.states: Counter[str] = Counter()
        self.priorities: Counter[int] = Counter()
        self.unknown: Counter[str] = Counter()
        self.sla: Counter[tuple[bool | None, bool | None]] = Counter()  # what the export says, and what we reckon
        self._elapsed, self._worked = array("q"), array("q")

    def add(self, found: Built) -> None:
        self.tickets += 1
        self.events += found.lines
        self.changes += len(found.changes)
        self.reopened += found.reopened > 0
        self.states[found.status] += 1
        self.priorities[found.priority] += 1
        self.unknown.update(word[:40] for word in found.unknown)
        if found.solved is not None and found.solve_taken is not None:
            self._elapsed.append(found.solved - found.created)
            self._worked.append(found.solve_taken)
        self.sla[found.sla, found.solve_in_time] += 1

    def told(self) -> dict[str, Any]:
        """For the import's page; times in minutes."""
        ours = self._share(1)
        theirs = self._share(0)
        both = sum(count for (one, other), count in self.sla.items() if one is not None and other is not None)
        same = sum(count for (one, other), count in self.sla.items() if one is not None and one == other)
        return {
            "tickets": self.tickets, "events": self.events, "changes": self.changes, "reopened": self.reopened,
            "states": dict(self.states), "priorities": {str(key): n for key, n in sorted(self.priorities.items())},
            "unknown": dict(self.unknown.most_common(10)), "solved": len(self._elapsed),
            "elapsed": _quantiles(self._elapsed), "worked": _quantiles(self._worked),
            "ours": ours, "theirs": theirs, "compared": both, "agreed": same,
        }  # fmt: skip

    def _share(self, which: int) -> dict[str, int]:
        known = {True: 0, False: 0}
        for pair, count in self.sla.items():
            if (mark := pair[which]) is not None:
                known[mark] += count
        return {"in_time": known[True], "of": known[True] + known[False]}


def _quantiles(found: "array[int]") -> dict[str, float]:
    """Median and nine tenths, in minutes: of n values in order the one at 0.5 (0.9) of n - 1, between two by share."""
    ordered = sorted(found)
    return {name: round(_at(ordered, share) / MINUTE, 1) for name, share in (("median", 0.5), ("p90", 0.9))}


def _at(ordered: Sequence[int], share: float) -> float:
    if not ordered:
        return 0.0
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)
