"""What a subject adds to somebody's digest beside its alerts: a few lines and pictures. The digest job asks for it."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Reader:
    """Who will read it.

    Attributes:
        zone: the reader's time zone.
        amounts: whether sums of money may stand in a mail to them.
        pictures: whether they want pictures; drawing one takes a tenth of a second.
        since: epoch milliseconds of their last digest.
    """

    account_id: str
    name: str
    zone: str
    amounts: bool
    pictures: bool
    since: int


@dataclass(frozen=True, slots=True)
class Figure:
    """A PNG with the words for those who do not see it."""

    name: str
    alt: str
    png: bytes


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a digest. `lines` are plain sentences; `link` is a path of ours.

    `news` is what of it is worth a mail by itself, in a line: such a digest goes out without any news of alerts.
    """

    title: str
    link: str
    lines: list[str] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)
    news: str = ""
