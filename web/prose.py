"""Plain text as people wrote it, on a page: escaped, with its paragraphs and line breaks, lists and links."""

import re
from collections.abc import Iterator
from itertools import groupby

from flask import Flask
from markupsafe import Markup, escape

LINK = re.compile(r"https?://[^\s<>\"'“”‘’\\^`{|}]{1,2000}", re.I)
TRAILING = ".,;:!?)]…"
ITEM = re.compile(r"\s{0,3}(?:[-*•]|\d{1,3}[.)])\s+(?=\S)")
NUMBERED = re.compile(r"\s{0,3}\d")
NUMBERS, DOTS = Markup("<ol>{}</ol>"), Markup("<ul>{}</ul>")
SHOWN = 80  # signs of a link's text


def prose(text: str | None) -> Markup:
    """Paragraphs, and lists of lines that begin with - or 1. Nothing of the text is taken for HTML."""
    blocks = re.split(r"\n[ \t]*\n", (text or "").replace("\r\n", "\n").replace("\r", "\n").strip("\n"))
    return Markup("\n").join(part for block in blocks for part in _block(block))


def linked(text: str) -> Markup:
    """One line with its links, which open in a new tab that knows nothing of ours."""
    made, at = Markup(""), 0
    for found in LINK.finditer(text):
        url = _whole(found[0])
        made += escape(text[at : found.start()]) + _link(url)
        at = found.start() + len(url)
    return made + escape(text[at:])


def _block(block: str) -> Iterator[Markup]:
    for is_list, lines in groupby(block.split("\n"), key=lambda line: bool(ITEM.match(line))):
        some = list(lines)
        if is_list:
            items = Markup("").join(Markup("<li>{}</li>").format(linked(ITEM.sub("", line, 1))) for line in some)
            yield (NUMBERS if NUMBERED.match(some[0]) else DOTS).format(items)
        elif any(line.strip() for line in some):
            yield Markup("<p>{}</p>").format(Markup("<br>\n").join(linked(line) for line in some))


def _whole(url: str) -> str:
    """Without what ends the sentence around it; a bracket stays that was opened inside."""
    while url and url[-1] in TRAILING and not (url[-1] == ")" and url.count("(") >= url.count(")")):
        url = url[:-1]
    return url


def _link(url: str) -> Markup:
    shown = url if len(url) <= SHOWN else url[: SHOWN - 1] + "…"
    return Markup('<a href="{}" rel="noopener noreferrer nofollow ugc" target="_blank">{}</a>').format(url, shown)


def install(app: Flask) -> None:
    app.jinja_env.filters.update(prose=prose)
