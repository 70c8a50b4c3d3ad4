"""HTML as text: parsed by lxml, laid out by inscriptis. Nothing is fetched, and nothing runs.

All attributes go first, but where a link leads: a style alone (a padding of a million) can make gigabytes of spaces.
"""

import re
from typing import Any

LONGEST_HTML = 300_000  # signs; more is cut, as laying it out takes a second for each million
MOST_ELEMENTS = 20_000  # of more, words alone are taken: to lay them out takes 60 µs each
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
EMPTY = "<html></html>"
# What XML has no place for: lxml reads it (a page may write &#1;), and raises where the same is put into its tree.
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ODD = (AssertionError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


def to_text(html: str, most: int = LONGEST_HTML) -> tuple[str, str, bool]:
    """The words of a page, those that it repeats of earlier mails, and whether it was longer than `most` and cut."""
    tree = _tree(html[:most])
    if tree is None:
        return "", "", False
    try:
        _drop_hidden(tree)
        quoted = _cut_quotes(tree)
        text, rest = _laid_out(tree), "\n".join(_laid_out(each) for each in quoted)
    except _ODD:
        text, rest = _bare(tree), ""
    if not text.strip() and rest.strip():  # a forwarded mail, with nothing said to it
        text, rest = rest, ""
    return text, rest, len(html) > most


def _tree(html: str) -> Any:
    import lxml.etree
    import lxml.html

    parser = lxml.html.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True)
    try:
        tree = lxml.html.document_fromstring(html.encode("utf-8", "replace") or EMPTY.encode(), parser=parser)
        _clean(tree)
    except (lxml.etree.LxmlError, *_ODD):
        return None
    return tree


def _clean(tree: Any) -> None:
    for each in tree.iter():
        if each.text and _NO_XML.search(each.text):
            each.text = _NO_XML.sub("", each.text)
        if each.tail and _NO_XML.search(each.tail):
            each.tail = _NO_XML.sub("", each.tail)


def _drop_hidden(tree: Any) -> None:
    for each in [each for each in tree.iter() if each.tag in GONE or HIDDEN.search(each.get("style", ""))]:
        if each is not tree and each.getparent() is not None:
            each.drop_tree()


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

    elements = list(tree.iter())
    if len(elements) > MOST_ELEMENTS:
        return _bare(tree)
    for each in elements:
        link = each.get("href", "") if each.tag == "a" else ""
        each.attrib.clear()
        if link:
            _show_link(each, link.strip())
    try:
        return str(Inscriptis(tree, ParserConfig(css=STRICT_CSS_PROFILE)).get_text())
    except _ODD:
        return _bare(tree)


def _bare(tree: Any) -> str:
    """All of its words in lines, where nothing finer works."""
    return "\n".join(tree.itertext())


def _show_link(each: Any, link: str) -> None:
    """Where it leads, behind its words; a reader sees when they say something else."""
    said, link = "".join(each.itertext()).strip(), _NO_XML.sub("", link)
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
