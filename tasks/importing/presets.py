"""The layouts of many banks' files, as a table: what stands between the columns, how dates read, what each column is.

The facts of presets.csv (which bank, which sign, which order, which column) come from the import configurations that
users of Firefly III share, github.com/firefly-iii/import-configurations, under CC BY-SA 4.0; the table is passed on
under the same licence. Only what a bank's file needs here was taken over, in the words of this program.
"""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tasks.errors import JobError

TABLE = Path(__file__).with_name("presets.csv")
UNKNOWN = "There is no bank layout called “{}”; choose one from the list, or none."


@dataclass(frozen=True, slots=True)
class Preset:
    """A bank's layout; `header` is "yes" or "no"."""

    name: str
    title: str
    delimiter: str
    dates: str
    header: str
    roles: list[str]


@cache
def known() -> dict[str, Preset]:
    """All of them by name, in the order of their titles."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        return {row["name"]: _preset(row) for row in csv.DictReader(file)}


def find(name: str) -> Preset:
    """One of them.

    Raises:
        JobError: there is none of this name.
    """
    try:
        return known()[name]
    except KeyError:
        raise JobError(UNKNOWN.format(name[:60])) from None


def fitting(delimiter: str, width: int) -> list[Preset]:
    """Those that a file of this shape could be of."""
    return [each for each in known().values() if each.delimiter == delimiter and len(each.roles) == width]


def _preset(row: dict[str, str]) -> Preset:
    sign = "\t" if row["delimiter"] == "tab" else row["delimiter"]
    return Preset(row["name"], row["title"], sign, row["dates"], row["header"], row["roles"].split("|"))
