"""Mails about tickets, at the last moment: signed links in their places, where answers go, the files that go along.

Nothing of it is stored: what reads the table of deliveries finds `{ticket}` and `{rate}`, and no secret.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

import structlog

from models.delivery import Delivery
from tasks.care.threads import About, File
from tasks.care.tokens import FOLLOW, PATH, RATE, Tokens
from tasks.mailing.outgoing import Enclosed, Thread
from tasks.storage import Storage

log = structlog.get_logger()
TICKET_MARK, RATE_MARK = "{ticket}", "{rate}"
MOST_ENCLOSED = 7_000_000  # bytes of all files together: a third more on their way, and many servers stop at 10 MB
LONGEST_LOCAL = 64  # of an address before its “@” (RFC 5321)
KEEP = "Please keep this line when you answer: [{}]"
NOT_READ = "Please answer on the page of your ticket: mail to this address is not read."
TOO_LARGE = "Too large for a mail, so on the page of the ticket: {}."


@dataclass(frozen=True, slots=True)
class Links:
    """The two links that a mail may have, whole."""

    ticket: str
    rate: str

    def into(self, text: str) -> str:
        return text.replace(TICKET_MARK, self.ticket).replace(RATE_MARK, self.rate)

    def into_html(self, html: str) -> str:
        return html.replace(TICKET_MARK, escape(self.ticket)).replace(RATE_MARK, escape(self.rate))


def links(about: About | None, tokens: Tokens, origin: str) -> Links:
    """Made for whoever gets the mail; for a ticket that is gone, our first page."""
    if about is None:
        return Links(origin, origin)
    follow = tokens.link(about.ticket_id, about.customer_id, about.version, FOLLOW)
    if not about.customer_id:  # only the customer is asked how it was
        return Links(f"{origin}{PATH}{follow}", f"{origin}{PATH}{follow}")
    rate = tokens.link(about.ticket_id, about.customer_id, about.version, RATE)
    return Links(f"{origin}{PATH}{follow}", f"{origin}{PATH}{rate}/rating")


def thread(about: About, tokens: Tokens, storage: Storage, row: Delivery) -> Thread:
    """Where the mail belongs, and what goes with it."""
    token = tokens.reply(about.ticket_id, about.version)
    enclosed, _ = _sorted(about.files)
    return Thread(
        brand=about.brand,
        token=token,
        reply_to=reply_to(about, token),
        inlet=about.inlet,
        automatic=row.automatic,
        root=about.root,
        earlier=tuple(f"{each}.{tokens.sent(each, row.to)}" for each in about.earlier),
        asked=about.asked,
        files=tuple(_read(storage, enclosed)),
        mark=tokens.sent(row.id, row.to),
    )


def reply_to(about: About, token: str) -> str:
    """desk+TOKEN@… where such addresses arrive and are not too long; else the mailbox's own; "" without one."""
    local, _, domain = about.inlet.partition("@")
    plus = f"{local}+{token}"
    return f"{plus}@{domain}" if about.plus and domain and len(plus) <= LONGEST_LOCAL else about.inlet


def feet(about: About, token: str) -> list[str]:
    """The last lines: which files are too large, and what brings an answer to its ticket."""
    _, left = _sorted(about.files)
    lines = [TOO_LARGE.format(", ".join(f"{each.name} ({each.size / 1_000_000:.1f} MB)" for each in left))] * bool(left)
    if not about.inlet:
        return [*lines, NOT_READ]
    return lines if reply_to(about, token) != about.inlet else [*lines, KEEP.format(token)]


def below(text: str, html: str, lines: list[str]) -> tuple[str, str]:
    """Both parts of a mail with lines at their feet."""
    if not lines:
        return text, html
    text = "\n\n".join([text.rstrip(), *lines]) + "\n"
    if html:
        shown = "".join(f'<p style="color:#6c757d;font-size:12px;margin:12px">{escape(line)}</p>' for line in lines)
        before, end, after = html.rpartition("</body>")
        html = f"{before}{shown}{end}{after}" if end else html + shown
    return text, html


def _sorted(files: tuple[File, ...]) -> tuple[list[File], list[File]]:
    """Those that go along, and those that are too much."""
    going: list[File] = []
    left: list[File] = []
    for each in files:
        fits = sum(one.size for one in going) + each.size <= MOST_ENCLOSED
        (going if fits else left).append(each)
    return going, left


def _read(storage: Storage, files: list[File]) -> Iterator[Enclosed]:
    """One whose bytes are gone is left out: the ticket's page names it."""
    for each in files:
        try:
            with storage.open(each.key) as stream:
                yield Enclosed(each.name, each.media_type, stream.read())
        except FileNotFoundError:
            log.warning("mail.file_gone", key=each.key)
