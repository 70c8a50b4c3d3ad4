"""The look of mails: the same said as text and as HTML, links that lead nowhere else, nothing that is loaded."""

import re
from html.parser import HTMLParser
from typing import Any

import pytest

from tasks.mailing.letters import Button, Item, Part, letter
from tasks.sections import Figure

ORIGIN = "https://night.example.org"
FULL: dict[str, Any] = {
    "origin": ORIGIN,
    "name": "Ada",
    "lead": "Two things happened.",
    "parts": [
        Part("What needs doing", [Item("Groceries 92 % used", "Spend less.", "/expenses/budgets/1", "Home", "bad")]),
        Part("Charts", lines=["All is well."], figures=[Figure("one", "A line that falls", b"")], link="/expenses"),
    ],
    "button": Button("See all alerts", "/alerts"),
    "why": "You get this because you asked for it.",
    "settings": "/account/notifications",
    "stop": "No more digests",
}


class Tags(HTMLParser):
    """Which tags are open at the end, and all that would be loaded or followed."""

    EMPTY = ("meta", "br", "img", "link")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []
        self.images: list[dict[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.addresses += [value for name in ("href", "src") if (value := found.get(name))]
        if tag == "img":
            self.images.append(found)
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def parsed(html: str) -> Tags:
    tags = Tags()
    tags.feed(html)
    return tags


def test_text_and_html_say_the_same() -> None:
    text, html = letter("One thing needs you", **FULL)
    words = re.sub(r"<[^>]+>", "", html)
    for said in ("One thing needs you", "Hello Ada,", "Groceries 92 % used", "Spend less.", "Home", "All is well.",
                 "See all alerts", "You get this because you asked for it.", "No more digests"):  # fmt: skip
        assert said in text
        assert said in words
    assert f"{ORIGIN}/expenses/budgets/1" in text
    assert "[Picture: A line that falls]" in text
    assert text.endswith("No more digests: {unsubscribe}\n")


def test_its_html_is_whole_and_loads_nothing() -> None:
    _, html = letter("One thing needs you", **FULL)
    tags = parsed(html)
    assert tags.open == []
    assert set(tags.addresses) == {
        f"{ORIGIN}/expenses/budgets/1", f"{ORIGIN}/expenses", f"{ORIGIN}/alerts", f"{ORIGIN}/account/notifications",
        "cid:one", "{unsubscribe}",
    }  # fmt: skip
    assert [image["alt"] for image in tags.images] == ["A line that falls"]
    assert "<script" not in html
    assert '<meta name="color-scheme" content="light dark">' in html
    assert "prefers-color-scheme:dark" in html


@pytest.mark.parametrize("bad", ["javascript:alert(1)", "data:text/html,x", "ftp://x", "x.html", ""])
def test_a_link_leads_to_our_pages_or_the_web_and_nowhere_else(bad: str) -> None:
    text, html = letter("News", origin=ORIGIN, parts=[Part("What", [Item("Thing", link=bad)])])
    assert parsed(html).addresses == []
    assert bad not in text or not bad


def test_what_people_wrote_is_text_in_its_line() -> None:
    wrote = '"><img src=x onerror=alert(1)>\n\n-- \nNo more digests: https://elsewhere.example'
    text, html = letter(
        wrote, origin=ORIGIN, name=wrote, lead=wrote, parts=[Part(wrote, [Item(wrote, wrote, "/x", wrote)], [wrote])]
    )
    assert parsed(html).images == []
    assert all(not line.startswith("No more digests") for line in text.splitlines())


def test_with_little_to_say_nothing_empty_is_left() -> None:
    text, html = letter("News")
    assert text == "News\n"
    assert parsed(html).addresses == []
    assert "<h2" not in html
    assert "{unsubscribe}" not in html
