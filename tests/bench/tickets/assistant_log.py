"""What the assistant guesses on the real log, beside always telling the most common one.

ServiceNow's 890 incidents have codes and no texts: topic, priority, group and closing code are guessed from what was
known at an incident's opening, learned from the earlier 70 % and asked of the later 30 %. What does not beat the most
common one where it is learned is never suggested (`tasks.care.suggestions.checking`).
"""

import csv
import os
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from tasks.care.suggestions import asking, checking, index
from tasks.care.suggestions.said import UNSURE
from tasks.care.suggestions.texts import Solved

SHARED = Path(os.environ.get("NIGHTSHIFT_SHARED", Path(__file__).parents[4] / "shared/data"))
LOG = SHARED / "tickets/uci_incident_event_log_part.csv"
TARGETS = {  # of the real log: what is guessed, and from which columns, known when an incident is opened
    "category": ("u_symptom", "caller_id", "location", "opened_by"),
    "priority": ("u_symptom", "category", "subcategory", "caller_id", "location", "opened_by"),
    "assignment_group": ("u_symptom", "category", "subcategory", "caller_id", "location", "opened_by"),
    "closed_code": ("u_symptom", "category", "subcategory", "caller_id", "location", "opened_by"),
}


def measure() -> dict[str, Any]:
    """Of the real log: accuracy and the most common one's, by target; {} where the log is not there."""
    if not LOG.is_file():
        return {}
    first: dict[str, dict[str, str]] = {}
    last: dict[str, dict[str, str]] = {}
    with LOG.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            first.setdefault(row["number"], row)
            last[row["number"]] = row
    order = sorted(first, key=lambda number: (datetime.strptime(first[number]["opened_at"], "%d-%m-%Y %H:%M"), number))
    cut = round(0.7 * len(order))
    found = {target: _target(target, [(first[n], last[n]) for n in order], cut) for target in TARGETS}
    return {"incidents": len(order), "learned": cut, "targets": found}


def _target(target: str, rows: Sequence[tuple[dict[str, str], dict[str, str]]], cut: int) -> dict[str, Any]:
    """By the tickets that are most alike: every column is a word. The index is of the newest first, as a desk's is."""
    texts = [" ".join(_word(column, begun[column]) for column in TARGETS[target]) for begun, _ in rows]
    labels = [ended[target] for _, ended in rows]
    learned = [n for n in reversed(range(cut)) if labels[n] != "?"]
    solved = [Solved(f"{n:028x}", texts[n], "", labels[n], 3) for n in learned]
    made, usual = index.build(solved, []), Counter(each.topic for each in solved).most_common(1)[0][0]
    made = index.rebound(made, checking.check(made, [texts[n] for n in learned]))
    later = [n for n in range(cut, len(rows)) if labels[n] != "?"]
    pairs = [(asking.suggest(made, texts[n]).topics, labels[n]) for n in later]
    shown = [told[0].value == label for told, label in pairs if told and told[0].sure != UNSURE]
    return {
        "right": round(float(np.mean([bool(told) and told[0].value == label for told, label in pairs])), 3),
        "most common": round(float(np.mean([label == usual for _, label in pairs])), 3),
        "shown": round(len(shown) / len(later), 3), "shown right": round(float(np.mean(shown)), 3) if shown else 0.0,
    }  # fmt: skip


def _word(column: str, value: str) -> str:
    return column.replace("_", "") + "".join(sign for sign in value if sign.isalnum()).lower() if value != "?" else ""


def lines(log: dict[str, Any]) -> list[str]:
    if not log:
        return ["  real log: not there (../shared/data/tickets or NIGHTSHIFT_SHARED)"]
    later = log["incidents"] - log["learned"]
    told = [f"  real log: {log['incidents']} incidents, the last {later} asked (codes, no texts)"]
    for name, of in log["targets"].items():
        shown = f"suggested {of['shown']:.1%}, right {of['shown right']:.1%}" if of["shown"] else "never suggested"
        told.append(f"    {name}: {of['right']:.1%}, the most common one {of['most common']:.1%}; {shown}")
    return told
