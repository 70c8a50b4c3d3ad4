"""What customers read about their tickets: a title, what is so now, and what happens next. Pure."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from models.ticket import CLOSED, HOLD, OPEN, REOPENED, SOLVED, WAITING
from tasks.days import known

_LINKS = re.compile(r"(?<=\w)([.@](?=[^\W\d])|:(?=//))")
ANSWER_THIS = "You can answer this mail: what you write lands in your ticket."
ADD = "If you want to add something, answer this mail: it lands in your ticket."
PAGE = "your ticket’s page"
BY_PAGE = f"You can answer on {PAGE}; answers to this mail are not read."
ADD_BY_PAGE = f"If you want to add something, write it on {PAGE}; answers to this mail are not read."


@dataclass(frozen=True, slots=True)
class Now:
    """What a letter tells of a ticket.

    Attributes:
        due: until when an answer (of a new ticket) or a solution is promised, in words; "": no promise.
        close_days: after so many a solved ticket closes; 0: never by itself.
        by_customer: whether it was their own word that moved it.
        asks: whether they are asked how it was.
    """

    number: int
    subject: str
    status: str
    due: str = ""
    close_days: int = 7
    by_customer: bool = False
    asks: bool = True


@dataclass(frozen=True, slots=True)
class Words:
    """A letter's title, the sentence below it, and the lines about what happens next."""

    title: str
    lead: str
    next: tuple[str, ...]


def received(now: Now, by_agent: bool) -> Words:
    """Their message is here."""
    lead = f"It is ticket #{now.number}: “{now.subject}”."
    if by_agent:
        lead = f"We have opened ticket #{now.number} for you: “{now.subject}”."
    first = f"Somebody will answer you by {now.due}." if now.due else "Somebody will answer you as soon as they can."
    title = "We see to your request" if by_agent else "We have your message"
    return Words(title, lead, (first, ADD))


def answered(now: Now) -> tuple[str, ...]:
    """What happens after an answer."""
    return _NEXT_OF_ANSWER.get(now.status, _stays)(now)


def moved(now: Now) -> Words:
    """It has another status."""
    return _MOVED[now.status](now)


def merged(now: Now, into: int, theirs: bool) -> Words:
    """It goes on in another ticket; `theirs`: which is this customer's own, too."""
    if theirs:
        return Words(
            f"#{now.number} goes on as #{into}",
            f"Your tickets #{now.number} and #{into} are about the same, so we answer both in #{into}.",
            ("You need not do anything. " + ANSWER_THIS,),
        )
    return Words(
        f"Your ticket #{now.number} is seen to together with another one",
        "Somebody else has told us of the same, so we work on both together and have closed this ticket.",
        ("If you want to know how it stands, or it is not over for you, answer this mail.",),
    )


def unread(line: str) -> str:
    """A line of a desk that reads no mail: whoever answered the mail would wait for nothing."""
    return line.replace(ANSWER_THIS, BY_PAGE).replace(ADD, ADD_BY_PAGE).replace("nswer this mail", f"nswer on {PAGE}")


def moment(at: int, zone: str, now: int) -> str:
    """A moment on the clock of a zone, in words: “Tuesday, 24 November, 14:00 (Europe/Berlin)”."""
    zone = known(zone)
    local, today = (datetime.fromtimestamp(each / 1000, UTC).astimezone(ZoneInfo(zone)) for each in (at, now))
    year = f" {local.year}" if local.year != today.year else ""
    return f"{local:%A}, {local.day} {local:%B}{year}, {local:%H:%M} ({zone})"


def greeted(name: str) -> str:
    """A name as a mail may greet by it; "" for what is none.

    It is learned from a From or a form that anybody may have filled in with anybody's address, so that it must not
    carry a message of theirs: at most four words of letters, and 40 signs.
    """
    words = name.split()
    fine = len(name) <= 40 and len(words) <= 4 and all(map(_is_name, words))
    return " ".join(words) if fine else ""


def _is_name(word: str) -> bool:
    """Letters of any script, with what stands between and behind them: O’Neill, Anne-Marie, Dr."""
    plain = word.rstrip(".,").translate(dict.fromkeys(map(ord, "'’-")))
    return bool(plain) and all(unicodedata.category(sign)[0] in "LM" for sign in plain)


def tame(text: str) -> str:
    """Words of somebody unknown, as they go out in an automatic mail: programs make no link of them."""
    return _LINKS.sub("\\1\u2060", text)


def _days(days: int) -> str:
    return "one day" if days == 1 else f"{days} days"


def _stays(now: Now) -> tuple[str, ...]:
    return ("Your ticket stays open until this is solved. " + ANSWER_THIS,)


def _wait(now: Now) -> tuple[str, ...]:
    return ("We wait for your answer now: answer this mail, and we go on.",)


def _solves(now: Now) -> tuple[str, ...]:
    if not now.close_days:
        return ("We take this as solved. If it is not, answer this mail, and your ticket opens again.",)
    days = _days(now.close_days)
    return (f"We take this as solved. If it is not, answer this mail within {days}; after that your ticket is closed.",)


def _holds(now: Now) -> tuple[str, ...]:
    return ("Your ticket is on hold until we can go on; we write to you then. " + ANSWER_THIS,)


def _closes(now: Now) -> tuple[str, ...]:
    days = _days(now.close_days or 7)
    return (f"Your ticket is closed. If it is not over for you, answer this mail within {days}, and it opens again; "
            "later, your answer opens a new one.",)  # fmt: skip


_NEXT_OF_ANSWER = {WAITING: _wait, SOLVED: _solves, HOLD: _holds, CLOSED: _closes}


def _opened(now: Now) -> Words:
    until = f" It is to be solved by {now.due}." if now.due else ""
    if now.by_customer:
        return Words("We have your answer", "We go on with your ticket." + until, (ANSWER_THIS,))
    return Words("We are working on your ticket", "Somebody sees to it now." + until, (ANSWER_THIS,))


def _reopened(now: Now) -> Words:
    lead = "You wrote to us, so we have opened it again." if now.by_customer else "We have opened it again."
    until = f"It is to be solved by {now.due}. " if now.due else "Somebody sees to it and answers you. "
    return Words("Your ticket is open again", lead, (until + ANSWER_THIS,))


def _waiting(now: Now) -> Words:
    lead = "Without your answer we cannot go on."
    return Words("We wait for your answer", lead, ("Answer this mail, and we go on at once.",))


def _held(now: Now) -> Words:
    lead = "We cannot go on with it just now, for instance because a part or somebody else's answer is missing."
    return Words("Your ticket is on hold", lead, ("We write to you when we go on. " + ANSWER_THIS,))


def _solved(now: Now) -> Words:
    lead = "You have told us that it is solved. Thank you." if now.by_customer else ""
    return Words("Your ticket is solved", lead, _solves(now))


def _closed(now: Now) -> Words:
    return Words("Your ticket is closed", "", _closes(now))


_MOVED = {
    OPEN: _opened, REOPENED: _reopened, WAITING: _waiting, HOLD: _held, SOLVED: _solved, CLOSED: _closed,
}  # fmt: skip
