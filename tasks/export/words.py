"""README.txt of an export: what is in it, what is not, and why. Pure."""

from collections.abc import Mapping, Sequence

TEXT = """\
This is a copy of {whose}, made by Nightshift on {day} (UTC).

What is in it
{folders}
In each folder NAME.jsonl has the rows of one table, one JSON object in a line. Times are milliseconds since 1970 (UTC).
readings/ has the readings of each meter and weather/ the temperatures of each place, as CSV; their times are in UTC.
files/ has what was handed over (uploads) and what runs left (artifacts), one folder for each run. Some that a table
names may be missing: their bytes were deleted before.

What is not in it, and why
- Passwords, and the secrets of sign-ins, tokens and links: only fingerprints of them are kept, and who had those could
  try to guess. When you signed in and what your tokens are called is here.
- What belongs to others: mails to them, how they sign in, their exports, and workspaces that are not yours. A
  workspace is exported by its owner. Members stand in membership.jsonl by their ids.
- Names of the machines that did the work.
{left_out}

This file is kept for {days} days, for you alone, and then deleted.
"""


def readme(whose: str, day: str, folders: Sequence[str], left_out: Mapping[str, str], days: int) -> str:
    """The text."""
    return TEXT.format(
        whose=whose,
        day=day,
        folders="".join(f"- {folder}/\n" for folder in folders),
        left_out="\n".join(f"- {table}: {reason}." for table, reason in left_out.items()),
        days=days,
    )


def folder(name: str, taken: set[str]) -> str:
    """A name as a folder or file of the zip: nothing that leads elsewhere, and none twice."""
    plain = "".join(sign if sign.isalnum() or sign in " ._-'’()" else "_" for sign in name).strip(" .")[:100] or "_"
    stem, dot, ending = plain.rpartition(".") if "." in plain else (plain, "", "")
    found, number = plain, 1
    while found.casefold() in taken:
        number += 1
        found = f"{stem} ({number}){dot}{ending}"
    taken.add(found.casefold())
    return found
