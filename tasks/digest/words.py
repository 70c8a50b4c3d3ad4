"""What a mail about alerts says: its subject, its parts, why this person gets it. Pure: news in, text and HTML out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Protocol
from zoneinfo import ZoneInfo

from tasks.mailing.letters import Button, Item, Part, Tone, letter
from tasks.sections import Figure, Section

MOST = 12  # of a list; the page has all of them
LONGEST, LONGEST_STOP = 200, 40  # of a subject and of what a link ends, as the delivery keeps them


class Told(Protocol):
    """An alert as its reader is to hear of it; tasks/alerting/telling.py has what it means."""

    @property
    def id(self) -> str: ...
    @property
    def place(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def link(self) -> str: ...
    @property
    def since(self) -> int: ...
    @property
    def weight(self) -> float: ...
    @property
    def what(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Digest:
    """All that one mail tells.

    Attributes:
        firing: what needs somebody, worst first; `changed` needs nobody.
        places: names of workspaces by their ids; named where there are several.
        sections: what the subjects add, with the workspace's name.
        at_once: areas of which it tells at once; none: it is somebody's digest.
        several: whether they have other workspaces too: then links lead to the alert's own page, which opens from all.
    """

    name: str
    zone: str
    origin: str
    firing: Sequence[Told]
    changed: Sequence[Told]
    resolved: Sequence[Told]
    places: dict[str, str]
    sections: Sequence[tuple[str, Section]] = ()
    at_once: Sequence[str] = ()
    repeat: str = "daily"
    several: bool = False


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail as it is kept in a delivery; `figures` under the names that the HTML has for them."""

    subject: str
    text: str
    html: str
    stop: str
    figures: list[Figure]


def compose(digest: Digest) -> Mail:
    """The mail. Nothing but the news and links to them: no sums of money but in sections that may have them."""
    figures: list[Figure] = []
    subject = headline(digest)
    lead = subject if len(digest.firing) + len(digest.changed) + len(digest.resolved) > 1 else ""
    text, html = letter(
        _title(digest),
        origin=digest.origin,
        name=digest.name,
        preheader=lead or _first_text(digest),
        parts=_parts(digest, figures),
        button=Button("See all alerts", "/alerts"),
        why=_why(digest),
        settings="/account/notifications",
        stop="No more digests" if not digest.at_once else "No more such mails at once",
    )
    return Mail(subject, text, html, _stop(digest.at_once), figures)


def _stop(areas: Sequence[str]) -> str:
    """What the link of the mail ends, as `wishes.stop` knows it; as many areas as the delivery's column takes."""
    named = f"at once:{','.join(areas)}"
    return "digest" if not areas else named if len(named) <= LONGEST_STOP else "at once"


def headline(digest: Digest) -> str:
    """The subject says the news: of one thing its own line, of several how many and which."""
    for group, one, many in (
        (digest.firing, "", "{} things need you: "),
        (digest.resolved, "Resolved: ", "{} things resolved: "),
        (digest.changed, "", "{} things to know: "),
    ):
        if group:
            return _listed(one if len(group) == 1 else many.format(len(group)), [each.title for each in group])
    if own := [part.news for _, part in digest.sections if part.news]:
        return _listed("", own)
    return "Your digest"


def _listed(begin: str, titles: list[str]) -> str:
    """As many titles as fit, in one line; a header has no more."""
    said = begin + " ".join(titles[0].split())
    for number, title in enumerate(titles[1:], 1):
        longer = f"{said}; {' '.join(title.split())}"
        if len(longer) > LONGEST - 3 or number > 3:
            return _cut(f"{said}; …")
        said = longer
    return _cut(said)


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _title(digest: Digest) -> str:
    """The heading; the subject's titles follow below it."""
    count = len(digest.firing)
    if count > 1:
        return f"{count} things need you"
    if count == 1:
        return "One thing needs you"
    if digest.resolved:
        return "Back in order" if len(digest.resolved) > 1 else "One thing is back in order"
    return "Good to know"


def _first_text(digest: Digest) -> str:
    return next((each.text for each in (*digest.firing, *digest.resolved, *digest.changed)), "")


def _parts(digest: Digest, figures: list[Figure]) -> list[Part]:
    first = "What needs doing first" if len(digest.firing) > 1 else "What needs doing"
    found = [
        _part(first, digest.firing, digest, _doing),
        _part("What changed", digest.changed, digest, lambda _told: ""),
        _part("What resolved", digest.resolved, digest, lambda _told: "good"),
    ]
    parts = [part for part in found if part.items]
    for place, section in digest.sections:
        parts.append(_section(place if len(digest.places) > 1 else "", section, figures))
    return parts


def _doing(told: Told) -> Tone:
    return "bad" if told.weight >= 1 else "warn"


def _part(title: str, group: Sequence[Told], digest: Digest, tone: Callable[[Told], Tone]) -> Part:
    items = [_item(told, digest, tone(told)) for told in group[:MOST]]
    more = len(group) - len(items)
    lines = [f"And {more} more: the page of all alerts has them."] if more > 0 else []
    return Part(title, items, lines)


def _item(told: Told, digest: Digest, tone: Tone) -> Item:
    resolved = tone == "good"
    notes = [digest.places.get(told.place, "")] if len(digest.places) > 1 else []
    if not resolved:
        notes.append(f"{_news(told)}since {_day(told.since, digest.zone)}")
    link = f"/alerts/{told.id}" if digest.several else told.link
    return Item(told.title, "" if resolved else told.text, link, " · ".join(notes), tone)


def _news(told: Told) -> str:
    return {"": "", "opened": "new, ", "levelled": "worse than before, "}.get(told.what, "")


def _day(moment: int, zone: str) -> str:
    return datetime.fromtimestamp(moment / 1000, UTC).astimezone(_zone(zone)).strftime("%A, %-d %B")


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def _section(place: str, section: Section, figures: list[Figure]) -> Part:
    """A subject's part; its pictures get names that no other of this mail has."""
    mine = []
    for figure in section.figures:
        mine.append(Figure(f"picture{len(figures) + 1}", figure.alt, figure.png))
        figures.append(mine[-1])
    title = f"{section.title} · {place}" if place else section.title
    return Part(title, lines=section.lines, figures=mine, link=section.link, link_text="Look closer")


def _why(digest: Digest) -> str:
    names = list(digest.places.values())
    where = f"of {_and(names)}" if len(names) <= 3 else f"of {len(names)} workspaces"
    if digest.at_once:
        what = f"news of {_and(list(digest.at_once))}"
        return f"You get this because you are a member {where} and chose to be told {what} at once."
    how = {"weekly": "a weekly", "monthly": "a monthly"}.get(digest.repeat, "a daily")
    return f"You get this because you are a member {where} and {how} digest is what your settings say."


def _and(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
