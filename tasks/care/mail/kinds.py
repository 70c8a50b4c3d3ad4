"""Mail that no person wrote: automatic answers, mailing lists, receipts, and mail that came back."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from email.message import Message

from tasks.care.mail import headers
from tasks.care.mail.headers import ODD, decoded, plain_address, words

REPLY, MACHINE, LIST, RECEIPT, BOUNCE = "reply", "machine", "list", "receipt", "bounce"
SEEMS = "seems"  # its subject alone reads like an automatic answer's: a person may have written it
ANSWERS = (REPLY, SEEMS)  # nothing that anybody said: they wake nobody
_SUBJECT = re.compile(
    r"\s*+(auto(matic|mated|-?)\s?(reply|response|answer)|automatische? (antwort|rückmeldung)|"
    r"(automatische )?abwesenheits(notiz|benachrichtigung|assistent|meldung)|réponse automatique|out of (the )?office|"
    r"abwesend|absence du bureau|message d['’]absence|autoreply)\s*+([:;(\[\-–—]|$)",
    re.I,
)
_CAME_BACK = re.compile(
    r"(undeliver|delivery (status notification|failure|has failed)|returned mail|mail delivery (failed|system)|"
    r"unzustellbar|nicht zustellbar|échec de remise|non remis|failure notice)",
    re.I,
)
_DAEMONS = ("mailer-daemon@", "mail-daemon@")
_PEOPLE_TOO = ("postmaster@", "bounce@", "bounces@")
_STATUS = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")


@dataclass(frozen=True, slots=True)
class Bounce:
    """A mail of somebody's that came back.

    Attributes:
        address: whom it did not reach, lower case; "" if it does not say.
        permanent: it will not arrive later either.
        status: as 5.1.1 (RFC 3463); "".
        reason: in the other server's words, one line.
        about: Message-IDs of the mail that came back, and those that it answered.
    """

    address: str
    permanent: bool
    status: str
    reason: str
    about: tuple[str, ...]


def automatic(message: Message, kinds: set[str]) -> str:
    """What kind of machine sent a mail; "" for a person's."""
    if "message/disposition-notification" in kinds:
        return RECEIPT
    if "message/delivery-status" in kinds or _daemon(message):
        return BOUNCE
    if _answers_by_itself(message):
        return REPLY
    kind = _machine(message)
    if _SUBJECT.match(decoded(headers.raw(message, "subject"))):
        return REPLY if kind else SEEMS
    return kind


def _answers_by_itself(message: Message) -> bool:
    """By marks that only automatic answers carry."""
    names = {name.lower() for name in message.keys()}  # noqa: SIM118  # of headers, each as often as it is there
    marks = {"x-autoreply", "x-autorespond", "x-autoresponder", "x-auto-reply-from", "x-mail-autoreply"}
    if _submitted(message).startswith("auto-replied") or "auto_reply" in headers.raw(message, "precedence", 40).lower():
        return True
    return bool(names & marks or headers.raw(message, "x-autoreply-from")) or _null(message)


def _machine(message: Message) -> str:
    """A list's, or another program's; "" for a person's."""
    names = {name.lower() for name in message.keys()}  # noqa: SIM118
    listed = names & {"list-id", "list-unsubscribe", "list-post"}
    if listed or headers.raw(message, "precedence", 40).lower() in ("bulk", "list", "junk"):
        return LIST
    suppress = headers.raw(message, "x-auto-response-suppress", 100).lower()
    told = _submitted(message) not in ("", "no") or any(each in suppress for each in ("all", "autoreply", "oof"))
    return MACHINE if told else ""


def _submitted(message: Message) -> str:
    return headers.raw(message, "auto-submitted", 100).lower().partition(";")[0].strip()


def _null(message: Message) -> bool:
    """From nobody: what has this envelope is never answered (RFC 3834)."""
    return headers.raw(message, "return-path", 10) == "<>"


def _daemon(message: Message) -> bool:
    """A server that tells of trouble in words of its own. Behind postmaster@ is a person as well as a server."""
    address = headers.sender(message)[0] or headers.raw(message, "from").lower()
    if address.startswith(_DAEMONS):
        return True
    if address.startswith(_PEOPLE_TOO) and _null(message):
        return True
    told = bool(_CAME_BACK.search(decoded(headers.raw(message, "subject"))))
    return told and (_null(message) or address.startswith(_PEOPLE_TOO))


def bounce(reports: list[Message], text: str) -> Bounce | None:
    """What a report says; None if nothing in it is about a mail."""
    status = next((each for each in reports if each.get_content_type() == "message/delivery-status"), None)
    about = _about(reports)
    if status is None:
        found = _STATUS.search(text[:20_000])
        return Bounce("", False, found[0] if found else "", words(text[:300], 200), about)
    for block in _blocks(status):
        address = _recipient(block)
        if not address:
            continue
        action = headers.raw(block, "action", 40).lower()
        code = _STATUS.search(headers.raw(block, "status", 40))
        reason = headers.raw(block, "diagnostic-code").partition(";")[2]
        permanent = action.startswith("failed") and (code is None or code[1] == "5")
        return Bounce(address, permanent, code[0] if code else "", words(reason, 200), about)
    return Bounce("", False, "", "", about)


def _blocks(status: Message) -> list[Message]:
    payload = status.get_payload()
    return [each for each in payload if isinstance(each, Message)][:20] if isinstance(payload, list) else []


def _recipient(block: Message) -> str:
    for name in ("final-recipient", "original-recipient"):
        given = headers.raw(block, name)
        if found := plain_address(given.partition(";")[2].strip(" <>") or given.strip(" <>")):
            return found
    return ""


def _about(reports: list[Message]) -> tuple[str, ...]:
    """Ids from the mail that came back, or from its headers alone."""
    found: list[str] = []
    for each in reports:
        kind = each.get_content_type()
        if kind == "message/rfc822":
            inner = each.get_payload()
            inside = inner[0] if isinstance(inner, list) and inner and isinstance(inner[0], Message) else None
            found += _ids(lambda inside=inside: headers.every(inside, "message-id", "references")) if inside else []  # type: ignore[misc]
        elif kind == "text/rfc822-headers":
            text = str(each.get_payload())[: headers.LONGEST_LIST]
            found += _ids(lambda text=text: [text])  # type: ignore[misc]
    return tuple(found[: headers.MOST_IDS])


def _ids(given: Callable[[], list[str]]) -> list[str]:
    try:
        return list(headers.ids(given()))
    except ODD:
        return []
