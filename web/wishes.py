"""What may be said of a run besides its params: how urgent it is, and which runs it waits for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from models.lifecycle import RESCUED
from models.run import CANCELLED, FAILED
from tasks.handover import Refused
from web import run_view
from web.current import me

PRIORITIES = {"low": -1, "normal": 0, "high": 1}
FIELDS = ("priority", "after")  # a job's Params have no such fields: the contract test says so
MOST_AFTER = 100
ENDED_BADLY = {FAILED: "has failed", CANCELLED: "was cancelled"}


@dataclass(frozen=True)
class Wishes:
    """Attributes:
    priority: -1, 0 or 1.
    after: ids of the runs that must be done first.
    """

    priority: int = 0
    after: tuple[str, ...] = ()

    def check(self, session: Session) -> None:
        """Refuse to wait for what this session's workspace does not have, or what will never be done.

        Raises:
            Refused: naming the run.
        """
        if not self.after:
            return
        states = {run.id: run.state for run in run_view.some_in(session, self.after)}
        for run_id in self.after:
            if run_id not in states:
                raise Refused({"after": f"There is no run “{run_id[:40]}” in this workspace; leave it out."})
            if badly := ENDED_BADLY.get(states[run_id]):
                said = f"The run {run_id} {badly}, so what waits for it would never start. Choose another one."
                raise Refused({"after": said})


NONE = Wishes()


def word(priority: int) -> str:
    """A run's priority for people: what was wished, and not what the engine adds for a run whose worker was lost."""
    wished = priority - RESCUED if priority > RESCUED // 2 else priority
    return next((name for name, number in PRIORITIES.items() if number == wished), str(wished))


def offered() -> list[str]:
    """The priorities that the person who asks may give."""
    return [word for word in PRIORITIES if word != "high" or me().is_admin]


def read(given: Mapping[str, Any]) -> Wishes:
    """From a form or the API: `priority` is a word, `after` a list of ids; both may be missing.

    Raises:
        Refused: with a message for each field at fault.
    """
    return Wishes(_priority(given.get("priority")), _after(given.get("after")))


def split(given: Mapping[str, Any]) -> tuple[dict[str, Any], Wishes]:
    """What a program sent, in two: the job's own fields, and the wishes."""
    own = {name: value for name, value in given.items() if name not in FIELDS}
    return own, read({name: given[name] for name in FIELDS if name in given})


def _priority(word: Any) -> int:
    if word is None or word == "":
        return 0
    if not isinstance(word, str) or word not in PRIORITIES:
        raise Refused({"priority": f"Choose one of {', '.join(offered())}."})
    if word not in offered():
        raise Refused({"priority": "Only those who run the system may say “high”. Choose low or normal."}, 403)
    return PRIORITIES[word]


def _after(listed: Any) -> tuple[str, ...]:
    if listed is None:
        return ()
    if not isinstance(listed, list) or not all(isinstance(each, str) for each in listed):
        raise Refused({"after": "Give a list of runs' ids."})
    ids = tuple(dict.fromkeys(each.strip() for each in listed if each.strip()))
    if len(ids) > MOST_AFTER:
        raise Refused({"after": f"A run waits for at most {MOST_AFTER} others."})
    return ids
