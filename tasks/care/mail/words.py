"""HTML as text: parsed by lxml, laid out by inscriptis. Nothing is fetched, and nothing runs.

All attributes go first, but where a link leads: a style alone (a padding of a million) can make gigabytes of spaces.
"""

import re
from typing import Any

LONGEST_HTML = 300_000  # signs; more is cut, as laying it out takes a second for each million
HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all", re.I)
GONE = (
    "script", "style", "head", "title", "meta", "link", "object", "embed", "iframe", "noscript", "template", "svg",
    "math", "form", "input", "button", "select", "textarea", "audio", "video", "canvas", "base", "img", "map",
)  # fmt: skip
# Where mail programs put what they repeat: Gmail, Apple Mail, Thunderbird, Yahoo, Proton, Outlook.
QUOTES = (
    "//*[contains(concat(' ', @class, ' '), ' gmail_quote ') or contains(@class, 'yahoo_quoted') "
    "or contains(@class, 'protonmail_quote') or contains(@class, 'moz-cite-prefix') "
    "or contains(@class, 'tutanota_quote') or contains(@class, 'zmail_extra')] "
    "| //blockquote[@type='cite'] | //*[@id='divRplyFwdMsg' or @id='appendonsend' or @id='reply-intro']"
)
# Outlook draws a line and sets the rest below it: what follows these is repeated, too.
AND_ALL_AFTER = ("divRplyFwdMsg", "appendonsend", "reply-intro")
CUT = "This mail is very long; its end was left out."
EMPTY = "<html></html>"


def to_text(html: str) -> tuple[str, str, bool]:
    """The words of a page, those that it repeats of earlier mails, and whether it was too long and cut."""
    tree = _tree(html[:LONGEST_HTML])
    if tree is None:
        return "", "", False
    quoted = _cut_quotes(tree)
    text, rest = _laid_out(tree), "\n".join(_laid_out(each) for each in quoted)
    if not text.strip() and rest.strip():  # a forwarded mail, with nothing said to it
        text, rest = rest, ""
    return text, rest, len(html) > LONGEST_HTML


def _tree(html: str) -> Any:
    import lxml.etree
    import lxml.html

    parser = lxml.html.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True)
    try:
        tree = lxml.html.document_fromstring(html.encode("utf-8", "replace") or EMPTY.encode(), parser=parser)
    except (lxml.etree.LxmlError, ValueError):
        return None
    for each in [each for each in tree.iter() if each.tag in GONE or HIDDEN.search(each.get("style", ""))]:
        if each is not tree and each.getparent() is not None:
            each.drop_tree()
    return tree


def _cut_quotes(tree: Any) -> list[Any]:
    """Takes what is repeated out of the tree."""
    cut = []
    for each in tree.xpath(QUOTES):
        if each is tree or not _inside(tree, each):
            continue  # it went with the one that it stands in
        after = list(each.itersiblings()) if each.get("id") in AND_ALL_AFTER else []
        for one in [each, *after]:
            if one.getparent() is not None:
                tail, one.tail = one.tail, None
                _put_tail(one, tail if one is each else None)
                one.getparent().remove(one)
                cut.append(one)
    return cut


def _inside(tree: Any, each: Any) -> bool:
    return any(one is tree for one in each.iterancestors())


def _put_tail(one: Any, tail: str | None) -> None:
    """What stands after an element that goes stays where it is."""
    if not tail:
        return
    before = one.getprevious()
    if before is not None:
        before.tail = (before.tail or "") + tail
    else:
        parent = one.getparent()
        parent.text = (parent.text or "") + tail


def _laid_out(tree: Any) -> str:
    from inscriptis.css_profiles import STRICT_CSS_PROFILE
    from inscriptis.html_engine import Inscriptis
    from inscriptis.model.config import ParserConfig

    for each in tree.iter():
        link = each.get("href", "") if each.tag == "a" else ""
        each.attrib.clear()
        if link:
            _show_link(each, link.strip())
    try:
        return str(Inscriptis(tree, ParserConfig(css=STRICT_CSS_PROFILE)).get_text())
    except (LookupError, TypeError, ValueError, RecursionError):
        return str(tree.text_content())


def _show_link(each: Any, link: str) -> None:
    """Where it leads, behind its words; a reader sees when they say something else."""
    said = (each.text_content() or "").strip()
    if not link.lower().startswith(("http://", "https://", "mailto:")) or len(link) > 500:
        return
    target = link.removeprefix("mailto:").strip()
    if said in (target, target.rstrip("/")) or not said:
        return
    last = each[-1] if len(each) else None
    if last is not None:
        last.tail = f"{last.tail or ''} <{target}>"
    else:
        each.text = f"{each.text or ''} <{target}>"
