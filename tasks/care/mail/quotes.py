"""What somebody wrote, apart from what their mail program repeated below it, in English, German, French and Outlook's.

Own rules, line by line, in a time that grows with the lines: libraries for this search the whole text with patterns
whose time grows with its square (15 kB of "On On On…" take one of them nine seconds).
"""

import re
from itertools import pairwise

LONGEST_LINE = 400  # signs of a line that are looked at
MOST_LINES = 20_000
WRAPPED = 3  # lines over which "On …, somebody wrote:" may run
_WROTE = re.compile(
    r"(wrote|writes|schrieb|schreibt|geschrieben|a écrit|a ecrit|escribió|scrisse|ha scritto)\b[^:]{0,120}:\s*$", re.I
)
# These are matched with lines that have no blanks at their ends, and none of them looks twice at a run of signs.
_OPENS = re.compile(r"(on|am|le|el|il|\d{1,4}[-./]\d{1,2}[-./]|[\w\s\"'.<@-]{1,80}?(schrieb|wrote|a écrit)\b)", re.I)
_RULE = re.compile(
    r"[-_=*]{2,}+\s*+(original message|ursprüngliche nachricht|originalnachricht|message d['’]origine|"
    r"message original|reply message|antwortnachricht)\s*+[-_=*]{2,}+\s*$",
    re.I,
)
_FORWARD = re.compile(
    r"([-_=*]{2,}+\s*+)?(forwarded message|weitergeleitete nachricht|message transféré|message transfere|"
    r"begin forwarded message:|anfang der weitergeleiteten nachricht:|début du message réexpédié)",
    re.I,
)
_HEADER = re.compile(
    r"[\s>*]*+(from|von|de|sent|gesendet|envoyé|date|datum|to|an|à|cc|subject|betreff|objet)\s?\*?\s?:\*?(\s|$)", re.I
)
_FROM = re.compile(r"[\s*]*+(from|von|de)\s?\*?\s?:\*?(\s|$)", re.I)
_LINE = re.compile(r"_{8,}+$")
_SIGNATURE = re.compile(r"^--\s?$")
_PHONE = re.compile(
    r"\s*+(sent from my |von meinem .{1,40} gesendet|gesendet mit |envoyé de mon |envoyé depuis |get outlook for )",
    re.I,
)
SIGNATURE_LINES = 15


def split(text: str) -> tuple[str, str]:
    """The new words, and what is repeated or a signature. Where nothing new would be left, all of it is new.

    Answers that stand between the lines they are about keep those lines.
    """
    lines = text.split("\n")
    rest = lines[MOST_LINES:]
    new, quoted = _apart(lines[:MOST_LINES])
    new, signature = _signed(new)
    if not "".join(new).strip():
        return _trimmed(lines), ""
    return _trimmed(new), _trimmed([*signature, *quoted, *rest])


def _apart(lines: list[str]) -> tuple[list[str], list[str]]:
    looked = [line[:LONGEST_LINE].strip() for line in lines]
    for at, line in enumerate(looked):
        if _FORWARD.match(line):
            return lines, []  # handed on: the words below are what it is about
        if _RULE.match(line) or _outlook(looked, at):
            return lines[:at], lines[at:]
        if (end := _attribution(looked, at)) is not None:
            return _below(lines, at, end)
        if lines[at].startswith(">"):
            return _below(lines, at, at)
    return lines, []


def _outlook(lines: list[str], at: int) -> bool:
    """From, Sent, To and Subject of the mail that is answered, with or without a line above them."""
    if _LINE.match(lines[at]):
        at = next((each for each in range(at + 1, min(at + 3, len(lines))) if lines[each].strip()), at)
    if not _FROM.match(lines[at]):
        return False
    return sum(bool(_HEADER.match(line)) for line in lines[at + 1 : at + 7]) >= 2


def _attribution(lines: list[str], at: int) -> int | None:
    """Where the words that it announces begin, if "On …, somebody wrote:" begins in this line."""
    if not _OPENS.match(lines[at]):
        return None
    for end in range(at + 1, min(at + 1 + WRAPPED, len(lines) + 1)):
        piece = " ".join(lines[at:end])[-LONGEST_LINE:]
        if _WROTE.search(piece):
            following = next((line for line in lines[end : end + 4] if line.strip()), "")
            dated = any(sign.isdigit() for sign in piece)
            return end if following.startswith(">") or (dated and end < len(lines)) else None
        if not lines[end - 1].strip():
            return None
    return None


def _below(lines: list[str], at: int, first: int) -> tuple[list[str], list[str]]:
    """What stands below the beginning of a repeated mail: all of it, or an answer after it, or answers in between."""
    marked = [number for number in range(first, len(lines)) if lines[number].startswith(">")]
    if not marked:
        return lines[:at], lines[at:]
    last = marked[-1] + 1
    between = [
        number for number in range(marked[0], last) if lines[number].strip() and not lines[number].startswith(">")
    ]
    if between and not _only_wrapped(between, marked):
        return lines, []
    return lines[:at] + lines[last:], lines[at:last]


def _only_wrapped(between: list[int], marked: list[int]) -> bool:
    """Single lines between marked ones are ends of theirs that some program wrapped, where they are few."""
    alone = all(one + 1 != other for one, other in pairwise(between))
    return alone and len(between) * 4 <= len(marked)


def _signed(lines: list[str]) -> tuple[list[str], list[str]]:
    """A signature at the end: what follows "-- ", or the phone's own line."""
    for at in range(max(0, len(lines) - SIGNATURE_LINES), len(lines)):
        if _SIGNATURE.match(lines[at][:4]) or (_PHONE.match(lines[at][:80]) and not "".join(lines[at + 1 :]).strip()):
            return lines[:at], lines[at:]
    return lines, []


def _trimmed(lines: list[str]) -> str:
    """Without blank lines at both ends, and at most two in a row."""
    kept: list[str] = []
    for line in lines:
        line = line.rstrip()
        if line or (kept and (len(kept) < 2 or kept[-1] or kept[-2])):
            kept.append(line)
    return "\n".join(kept).strip("\n")
