"""The CSV writer: what is read back is what was written, no text becomes a formula, and numbers stay numbers."""

import csv
import io
import random
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from tasks.tables import FORMULA, cell, csv_lines

SIGNS = "=+-@\t\r\n,;'\"|\\ aZ0é€漢🙂\u2028"


def read(header: list[str], rows: list[list[Any]]) -> list[list[str]]:
    text = b"".join(csv_lines(header, rows)).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline="")))


def test_any_text_is_read_back_as_it_was_but_for_the_apostrophe_that_keeps_it_a_text() -> None:
    chance = random.Random(7)
    rows = [["".join(chance.choices(SIGNS, k=chance.randrange(12))) for _ in range(4)] for _ in range(2_000)]
    found = read(["a", "b", "c", "d"], rows)
    assert found[0] == ["a", "b", "c", "d"]
    assert len(found) == len(rows) + 1
    for asked, got in zip(rows, found[1:], strict=True):
        for text, back in zip(asked, got, strict=True):
            assert back in (text, f"'{text}")
            assert not back.lstrip().startswith(FORMULA)
            assert (back == text) == (not text.lstrip().startswith(FORMULA) and not text.startswith(FORMULA))


@pytest.mark.parametrize(
    "text",
    ["=cmd|' /C calc'!A0", "+1", "-x", "@SUM(A1)", "\tx", "\rx", "\nx", " =1+1", "＝1", '=HYPERLINK("http://x")'],
)
def test_a_text_that_looks_like_a_formula_is_kept_as_a_text(text: str) -> None:
    assert read(["note"], [[text]])[1] == [f"'{text}"]


def test_formulas_in_the_heads_of_columns_are_texts_as_well() -> None:
    assert read(["=1+1"], [])[0] == ["'=1+1"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("-5"), "-5"), (Decimal("-0.0500"), "-0.05"), (Decimal("1E+3"), "1000"), (Decimal("1e-4"), "0.0001"),
        (Decimal("12.0000"), "12"), (Decimal("0"), "0"), (Decimal("-0.0"), "-0"), (-7, "-7"), (0.1, "0.1"),
        (date(2026, 2, 1), "2026-02-01"), (None, ""), (True, "yes"), (False, "no"), (100, "100"),
    ],
)  # fmt: skip
def test_numbers_and_days_stay_what_they_are(value: Any, text: str) -> None:
    assert read(["a", "b"], [[value, "x"]])[1] == [text, "x"]


def test_a_text_of_digits_with_a_sign_is_a_text() -> None:
    assert cell("-5") == "'-5"


@pytest.mark.parametrize("value", [Decimal("NaN"), Decimal("Infinity"), float("nan")])
def test_what_is_no_number_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="no number"):
        cell(value)


def test_a_file_begins_with_the_mark_that_spreadsheets_look_for_and_comes_in_pieces() -> None:
    pieces = list(csv_lines(["é"], ([number] for number in range(1_000))))
    assert pieces[0] == "\ufeffé\r\n".encode()
    assert len(pieces) == 5
    assert b"".join(pieces).count(b"\r\n") == 1_001


def test_a_stray_half_of_a_character_and_a_nul_do_not_break_the_file() -> None:
    assert read(["a"], [["x\0y\ud800"]])[1] == ["xy?"]
