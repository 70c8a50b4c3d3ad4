"""What was said in a chat box, signed, so that an agent can believe it: kept by the page itself, and nowhere here.

A token holds the last questions with what was told to each, for one desk and a day. With “Write to a person” it goes
into the ticket's form, and a ticket that comes with one is of the chat and has an internal note with what it says.
"""

from collections.abc import Sequence

from itsdangerous import BadData, URLSafeTimedSerializer

from tasks.care.suggestions.said import NAMES, Reply
from web.current import runtime

LIFETIME = 86_400
MOST_TURNS, LONGEST_QUESTION, LONGEST_TOLD = 8, 300, 160
LONGEST = 1500  # signs of a token: it may travel in a cookie, beside others
MOST_READ = 4 * LONGEST  # of one that is given back
NOTHING = "Nothing was known; a person was offered."
BEFORE = "Said in the chat box before:"
Turn = tuple[str, str]


def told(reply: Reply) -> str:
    """An answer in one line: by whom, and from where."""
    by = NAMES[reply.by]
    if reply.answers:
        how = "perhaps" if reply.person else "likely"
        return f"Shown ({how}), of {by}: {'; '.join(f'“{each.source}”' for each in reply.answers)}"
    return f"{by}: {' / '.join(reply.texts)}" if reply.texts else NOTHING


def added(desk: str, token: str, question: str, answer: str) -> str:
    """The token with one more turn; the oldest go first when it gets long."""
    one = (_line(question)[:LONGEST_QUESTION], _line(answer)[:LONGEST_TOLD])
    turns = [*read(desk, token), one][-MOST_TURNS:]
    made = _signed(desk, turns)
    while len(made) > LONGEST and len(turns) > 1:
        turns = turns[1:]
        made = _signed(desk, turns)
    return made


def read(desk: str, token: str) -> list[Turn]:
    """What was said; nothing where it was changed, is old, or is another desk's."""
    if not token or len(token) > MOST_READ:
        return []
    try:
        place, turns = _signer().loads(token, max_age=LIFETIME)
        return [(str(question), str(answer)) for question, answer in turns] if place == desk else []
    except (BadData, ValueError, TypeError):
        return []


def note(desk: str, token: str) -> str:
    """For the agent; "" where there was no conversation."""
    turns = read(desk, token)
    lines = [f"Customer: {question}\n{answer}" for question, answer in turns]
    return "\n\n".join([BEFORE, *lines]) if turns else ""


def _signed(desk: str, turns: Sequence[Turn]) -> str:
    return str(_signer().dumps([desk, turns]))


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(runtime().settings.secret("secret_key"), salt="nightshift care chat 1")


def _line(text: str) -> str:
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
