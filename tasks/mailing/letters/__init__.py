"""The one look of all mails: what is to be said goes in, its text and its HTML come out.

The HTML is what mail programs understand, Outlook's included: tables, styles on each element, and a style sheet
only for the dark and for phones. It loads nothing; pictures travel inside the mail and are named `cid:NAME`.
`{unsubscribe}` and `{link}` stand in it until it is sent: such links are made at the last moment.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from tasks.sections import Figure

Tone = Literal["", "bad", "warn", "good"]
MARKS: dict[Tone, str] = {"": "–", "bad": "!", "warn": "·", "good": "✓"}  # a colour is not everybody's, nor text's
BARS: dict[Tone, str] = {"": "#c9c3d6", "bad": "#ac2634", "warn": "#c47a00", "good": "#2f7d4f"}
STOP = "{unsubscribe}"
FOOTER = "\n-- \n"  # begins the text's


@dataclass(frozen=True, slots=True)
class Item:
    """One thing in a list. `note` is small print: where, since when. `link` is a path of ours or an address."""

    title: str
    text: str = ""
    link: str = ""
    note: str = ""
    tone: Tone = ""


@dataclass(frozen=True, slots=True)
class Part:
    """A heading with what stands under it: items, plain sentences, pictures, and a link with its words.

    `said` is somebody's own text: its lines and blanks stay as they are.
    """

    title: str
    items: Sequence[Item] = ()
    lines: Sequence[str] = ()
    figures: Sequence[Figure] = ()
    link: str = ""
    link_text: str = "See more"
    said: str = ""


@dataclass(frozen=True, slots=True)
class Button:
    """What the mail asks for."""

    words: str
    link: str


def letter(
    title: str,
    *,
    origin: str = "",
    name: str = "",
    lead: str = "",
    parts: Sequence[Part] = (),
    button: Button | None = None,
    preheader: str = "",
    why: str = "",
    settings: str = "",
    stop: str = "",
    brand: str = "Nightshift",
) -> tuple[str, str]:
    """A mail as text and as HTML.

    Args:
        title: its heading.
        origin: scheme and host; set before links that are paths of ours.
        name: whom it greets.
        lead: a sentence or two before the parts.
        preheader: what lists of mails show beside the subject; else the lead.
        why: why this person gets it; a whole sentence.
        settings: the page where this can be changed.
        stop: words of the link that ends such mails, which stands in the mail as `{unsubscribe}`; "": there is none.
        brand: whose letter it is: the words at its top.
    """
    said: dict[str, object] = {
        "title": title, "name": name, "lead": lead, "parts": parts, "button": button, "why": why, "stop": stop,
        "settings": _address(settings, origin), "preheader": preheader or lead, "origin": origin,
        "brand": brand,
    }  # fmt: skip
    return _text(said, parts, button, origin), _template().render(said)


def _address(link: str, origin: str) -> str:
    """Where a link leads; nothing but our own pages and the web."""
    if link.startswith("/"):
        return origin + link
    return link if link.startswith(("https://", "http://", "{")) else ""


@lru_cache(maxsize=1)
def _template() -> Template:
    """Read and compiled once for each process: a digest to ten thousand people is one template."""
    found = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters["lines"] = _written
    found.globals.update(address=_address, bars=BARS, unsubscribe=STOP)
    return found.get_template("letter.html")


def _text(said: dict[str, object], parts: Sequence[Part], button: Button | None, origin: str) -> str:
    """The same for programs and people who read plain text."""
    lines = [f"Hello {_line(str(said['name']))},", ""] if said["name"] else []
    lines += [_line(str(said["title"])), ""]
    if said["lead"]:
        lines += [_line(str(said["lead"])), ""]
    for part in parts:
        lines += _part(part, origin)
    if button:
        lines += [f"{button.words}:", _address(button.link, origin), ""]
    lines += _footer(said)
    return "\n".join(lines).rstrip("\n") + "\n"


def _part(part: Part, origin: str) -> list[str]:
    lines = [_line(part.title), "=" * min(len(part.title), 60), ""] if part.title else []
    lines += [*(line.rstrip() for line in part.said.split("\n")), ""] if part.said else []
    for item in part.items:
        lines.append(f"{MARKS[item.tone]} {_line(item.title)}")
        lines += [f"  {_line(said)}" for said in (item.text, item.note) if said]
        if where := _address(item.link, origin):
            lines.append(f"  {where}")
        lines.append("")
    lines += [_line(said) for said in part.lines]
    lines += [f"[Picture: {_line(figure.alt)}]" for figure in part.figures]
    if part.link:
        lines += [f"{part.link_text}: {_address(part.link, origin)}"]
    return lines if lines[-1:] == [""] else [*lines, ""]


def _line(text: str) -> str:
    """What people wrote stays in its line: it cannot look like another part of the mail."""
    return " ".join(text.split())


def _written(text: str) -> Markup:
    """Somebody's own text as HTML: its lines, and the blanks that mail programs would fold."""
    folded = re.sub(r"(?m)^ +| {2,}", lambda found: "\u00a0" * len(found[0]), text)
    return Markup("<br>\n").join(escape(line) for line in folded.split("\n"))


def _footer(said: dict[str, object]) -> list[str]:
    lines = ["-- "] if said["why"] or said["settings"] or said["stop"] else []
    if said["why"]:
        lines.append(str(said["why"]))
    if said["settings"]:
        lines.append(f"Change what you are told, and when: {said['settings']}")
    if said["stop"]:
        lines.append(f"{said['stop']}: {STOP}")
    return lines
