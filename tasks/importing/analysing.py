"""How a table is written: its first line, what each column is, and how all of its dates and amounts read."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from tasks import money
from tasks.errors import JobError
from tasks.importing import amounts, headers, presets
from tasks.importing.layout import NEEDED, ROLES, Column, Layout
from tasks.tabular import days, decoding
from tasks.tabular.records import DELIMITERS, Record, delimiter_of, records

SAMPLE = 200
EXAMPLES = 3
ONLY_HEADER = "This file holds a header and no line under it; choose the one that holds your lines."
NO_ROLES = (
    "Which column is what could not be found: {} is missing. Say what each column is, or choose your bank's layout."
)
NOT_AS_WIDE = "The layout “{}” has {} columns, and this file has {}; choose another layout, or none."
FIREFLY = {"journal_id", "type", "amount", "date", "source_name", "destination_name"}
ACTUAL = {"account", "date", "payee", "notes", "category", "amount"}
Tell = Callable[[float, str], None]


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a person chose; what is empty is found."""

    delimiter: str = ""
    encoding: str = ""
    decimal: str = ""
    dates: str = ""
    header: str = ""  # "yes", "no"
    columns: tuple[str, ...] = ()
    preset: str = ""
    hint: str = "dmy"  # of the workspace, where all dates allow both


def analyse(path: Path, subject: str, wishes: Wishes) -> Layout:
    """The layout of a table.

    Raises:
        JobError: it is no table, or what is needed is not among its columns.
    """
    encoding = wishes.encoding or decoding.encoding_of(path)
    preset = presets.find(wishes.preset) if subject == "expenses" and wishes.preset else None
    delimiter = wishes.delimiter or (preset.delimiter if preset else "") or delimiter_of(path, encoding)
    head = list(islice(records(path, encoding, delimiter), SAMPLE))
    first = _first(head, subject)
    width = max(len(record.cells) for record in head[first:])
    header = _has_header(head, first, subject, wishes.header or (preset.header if preset else ""))
    if header and len(head) == first + 1:
        raise JobError(ONLY_HEADER)
    body = head[first + header :]
    titles = [*(head[first].cells if header else []), *[""] * width][:width]
    layout = Layout(
        form=_form(titles, subject),
        encoding=encoding,
        delimiter=delimiter,
        skip=head[first].number if header else head[first].number - 1,
        header=header,
        columns=tuple(Column(titles[at] or f"Column {at + 1}", "", _examples(body, at)) for at in range(width)),
        preset=preset.name if preset else "",
    )
    roles = list(wishes.columns) or (preset.roles if preset else []) or _roles(subject, titles, body)
    if len(roles) != width:
        raise JobError(NOT_AS_WIDE.format(preset.title if preset else "your own", len(roles), width))
    layout = _settled(layout.with_roles(roles), path, wishes, preset.dates if preset else "")
    _check(layout, subject)
    return layout


def _check(layout: Layout, subject: str) -> None:
    for some in NEEDED[subject]:
        if not set(some) & set(layout.roles()) and layout.form == "csv":
            raise JobError(NO_ROLES.format(" or ".join(ROLES[subject][role].lower() for role in some)))


def _form(titles: Sequence[str], subject: str) -> str:
    """A program's own export is known by its header."""
    found = {title.strip().casefold() for title in titles}
    if subject == "expenses" and found >= FIREFLY:
        return "firefly"
    return "actual" if subject == "expenses" and found >= ACTUAL else "csv"


def _first(head: list[Record], subject: str) -> int:
    """Where the table begins: banks write who you are above it, in lines of another width."""
    widths = Counter(len(record.cells) for record in head if len(record.cells) > 1)
    if not widths:
        return 0
    usual = max(widths, key=lambda width: (widths[width], width))
    for at, record in enumerate(head):
        named = sum(headers.means(subject, cell)[1] > 900 for cell in record.cells if cell)
        if named >= 2 and len(record.cells) > 1:
            return at
        if len(record.cells) >= usual and sum(bool(cell) for cell in record.cells) > usual / 3:
            return at
    return 0


def _has_header(head: list[Record], first: int, subject: str, wish: str) -> bool:
    if wish:
        return wish == "yes"
    cells = head[first].cells
    if any(_is_value(cell) for cell in cells):
        return False
    named = any(headers.means(subject, cell)[1] for cell in cells if cell)
    return named or any(_is_value(cell) for record in head[first + 1 : first + 6] for cell in record.cells)


def _is_value(cell: str) -> bool:
    return bool(cell) and (days.looks_so(cell) or amounts.looks_so(cell))


def _examples(body: list[Record], at: int) -> tuple[str, ...]:
    cells = (record.cells[at][:60] for record in body if at < len(record.cells) and record.cells[at])
    return tuple(islice(dict.fromkeys(cells), EXAMPLES))


def _roles(subject: str, titles: list[str], body: list[Record]) -> list[str]:
    """By the words above the columns; where these do not do, by what stands in them."""
    guesses = [headers.means(subject, title) for title in titles]
    taken: dict[str, tuple[int, int]] = {}
    for at, (role, sure) in enumerate(guesses):
        if role and sure > taken.get(role, (-1, 0))[1] and _may_be(role, body, at):
            taken[role] = (at, sure)
    roles = [""] * len(titles)
    for at, (role, _sure) in enumerate(guesses):
        if role in ROLES[subject] and (role in headers.MANY or taken.get(role, (-1, 0))[0] == at):
            roles[at] = role
    if "value date" in taken and "date" not in taken:
        roles[taken["value date"][0]] = "date"
    return _by_content(roles, guesses, body) if subject == "expenses" else roles


def _may_be(role: str, body: list[Record], at: int) -> bool:
    """A column of dates has dates in it, whatever stands above it."""
    cells = [record.cells[at] for record in body if at < len(record.cells) and record.cells[at]]
    if not cells:
        return role not in ("date", "value date", "amount")
    tests = {"date": days.looks_so, "value date": days.looks_so, "expiry": days.looks_so, "amount": amounts.looks_so}
    tests |= dict.fromkeys(("debit", "credit"), amounts.looks_so)
    if role == "sign":
        return sum(cell.casefold() in amounts.SIGNS["in"] | amounts.SIGNS["out"] for cell in cells) * 2 > len(cells)
    return role not in tests or sum(map(tests[role], cells)) * 2 >= len(cells)


def _by_content(roles: list[str], guesses: list[tuple[str, int]], body: list[Record]) -> list[str]:
    """A bank's columns without words above them: the first dates, the first amounts, then the texts."""
    free = [at for at, role in enumerate(roles) if not role and not guesses[at][1]]
    if "date" not in roles:
        roles = _take(roles, free, body, "date", days.looks_so)
    if not {"amount", "debit", "credit", "negated"} & set(roles):
        roles = _take(roles, free, body, "amount", _like_money)
    if "currency" not in roles:
        roles = _take(roles, free, body, "currency", lambda cell: len(cell) == 3 and money.known(cell))
    for at in free:
        cells = [record.cells[at] for record in body if at < len(record.cells) and record.cells[at]]
        if not roles[at] and len(max(cells, key=len, default="")) > 2 and not any(map(_is_value, cells[:20])):
            roles[at] = "note"
    if "payee" not in roles and "note" in roles:
        roles[roles.index("note")] = "payee"
    return roles


def _like_money(cell: str) -> bool:
    return amounts.looks_so(cell) and not days.looks_so(cell) and len(cell.lstrip("+-")) < 14


def _take(roles: list[str], free: list[int], body: list[Record], role: str, test: Callable[[str], bool]) -> list[str]:
    for at in free:
        cells = [record.cells[at] for record in body if at < len(record.cells) and record.cells[at]]
        if not roles[at] and cells and sum(map(test, cells)) > 0.8 * len(cells):
            return [role if place == at else each for place, each in enumerate(roles)]
    return roles


def _settled(layout: Layout, path: Path, wishes: Wishes, preset_dates: str) -> Layout:
    """Dates and amounts as all lines agree on them."""
    kinds = {at: role for at, role in enumerate(layout.roles()) if role in ("date", "expiry")}
    sums = [at for at, role in enumerate(layout.roles()) if role in NUMERIC]
    orders: Counter[frozenset[str]] = Counter()
    points: Counter[str] = Counter()
    loose: Counter[str] = Counter()
    for record in records(path, layout.encoding, layout.delimiter):
        if record.number <= layout.skip:
            continue
        for at in kinds:
            if at < len(record.cells) and record.cells[at]:
                orders[frozenset(days.fits(record.cells[at]))] += 1
        for at in sums:
            _vote(record.cells[at] if at < len(record.cells) else "", points, loose)
    dates, ambiguous = days.order_of(orders, wishes.hint)
    decimal, unsure = amounts.decimal_of(points, loose)
    chosen = wishes.dates or preset_dates
    return replace(
        layout,
        dates=chosen or dates,
        ambiguous=ambiguous and not chosen,
        decimal=wishes.decimal or decimal,
        loose=unsure and not wishes.decimal,
    )


def _vote(cell: str, points: "Counter[str]", loose: "Counter[str]") -> None:
    if sign := amounts.votes(cell):
        points[sign] += 1
    elif found := [each for each in cell if each in ".,"]:
        loose[found[0]] += 1


NUMERIC = {
    "amount", "negated", "debit", "credit", "price", "cost", "reorder level", "target", "pack size", "on hand",
    "on order", "quantity",
}  # fmt: skip
__all__ = ["DELIMITERS", "Wishes", "analyse"]
