"""The classes of beats in words, and what every beat has."""

from typing import Protocol

NAMES = {
    "N": "normal",
    "L": "left bundle branch block",
    "R": "right bundle branch block",
    "A": "atrial premature",
    "V": "ventricular premature",
    "/": "paced",
    "!": "ventricular flutter wave",
    "E": "ventricular escape",
    "?": "unclassified",
}
"""MIT-BIH symbols in the order in which they are listed everywhere."""

BASIC = frozenset("NLR/")
"""Beats of the underlying rhythm: the heart's own pace or its pacemaker's."""

PREMATURE = frozenset("AV")


class AnyBeat(Protocol):
    """A classified beat; `classify.Beat` is one."""

    @property
    def sample(self) -> int:
        """Index of the R peak in the signal."""

    @property
    def time_s(self) -> float:
        """The same in seconds."""

    @property
    def label(self) -> str:
        """A key of `NAMES`."""

    @property
    def certainty(self) -> float:
        """0 to 1."""
