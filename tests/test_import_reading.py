"""Files of banks and shops in all their shapes: how they are read, and what is said of those that are not."""

import csv
import os
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tasks.errors import JobError
from tasks.importing import presets
from tasks.importing.analysing import Wishes
from tasks.importing.layout import Layout, Line
from tasks.importing.reading import layout_of, lines_of

SHARED = Path(os.environ.get("NIGHTSHIFT_SHARED", Path(__file__).parents[2] / "shared")) / "data"
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(text: str | bytes, encoding: str = "utf-8", name: str = "file.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
        return path

    return written


def read(path: Path, subject: str = "expenses", **wishes: Any) -> tuple[Layout, list[Line]]:
    layout = layout_of(path, subject, Wishes(**wishes))
    return layout, list(lines_of(path, subject, layout))


def amounts(found: list[Line]) -> list[str]:
    return [str(line.what["amount"]) if line.what and not line.wrong else line.wrong for line in found]


BANK = "Datum;Empfänger;Betrag\n01.02.2024;Café;-1.234,56\n28.02.2024;Bäcker;(12,00)\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-16-be"])
def test_every_encoding_is_found(write: Write, encoding: str) -> None:
    _layout, found = read(write(BANK, encoding))
    assert [line.what and line.what["payee"] for line in found] == ["Café", "Bäcker"]
    assert amounts(found) == ["-1234.56", "-12"]


def test_other_alphabets_are_guessed_where_they_fill_the_text(write: Write) -> None:
    text = "Дата;Описание;Сумма\n" + "01.02.2024;Оплата покупки в магазине продуктов;-100,50\n" * 20
    layout, found = read(write(text, "cp1251"), columns=("date", "payee", "amount"))
    assert layout.encoding == "cp1251"
    assert found[0].what
    assert found[0].what["payee"] == "Оплата покупки в магазине продуктов"


@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_delimiter_and_line_end_is_found(write: Write, delimiter: str, end: str) -> None:
    rows = [
        ["Date", "Payee", "Amount"],
        ["2024-02-01", "Shop, the; corner", "-5.00"],
        ["2024-02-02", "Bakery", "-1.20"],
    ]
    text = end.join(delimiter.join(f'"{cell}"' for cell in row) for row in rows)  # and no end of the last line
    layout, found = read(write(text))
    assert layout.delimiter == delimiter
    assert [line.what and line.what["payee"] for line in found] == ["Shop, the; corner", "Bakery"]


def test_amounts_of_all_kinds_are_read_or_refused_with_a_sentence(write: Write) -> None:
    cells = ["1.234,56", "(12,00)", "£12", "12-", "1e9", "NaN", "", "12,34567", "9" * 20, "0,00"]
    text = "Date;Payee;Amount\n" + "".join(f"0{n % 9 + 1}.03.2024;P;{cell}\n" for n, cell in enumerate(cells))
    _layout, found = read(write(text))
    assert amounts(found)[:4] == ["1234.56", "-12", "12", "-12"]
    assert all(line.wrong.endswith(".") for line in found[4:9]), amounts(found)
    assert found[9].skipped


@pytest.mark.parametrize(
    ("days", "order", "wrong"),
    [
        (["31/01/2024", "31/02/2024", "13/13/24", "01/02/24"], "dmy", [2, 3]),
        (["01/31/2024", "02/28/24", "02/30/24"], "mdy", [3]),
        (["2024-01-31", "2024-02-30", "2024-12-01T10:00:00Z"], "ymd", [2]),
        (["20240131", "20240230"], "ymd", [2]),
        (["31 Jan 2024", "1. Februar 2024", "30 fev 2024"], "dmy", [3]),
    ],
)
def test_dates_are_read_as_all_lines_agree(write: Write, days: list[str], order: str, wrong: list[int]) -> None:
    text = "Date,Payee,Amount\n" + "".join(f'"{day}",P,-1.00\n' for day in days)
    layout, found = read(write(text))
    assert layout.dates == order
    assert not layout.ambiguous
    assert [number for number, line in enumerate(found, 1) if line.wrong] == wrong
    assert all("calendar" in line.wrong for line in found if line.wrong)


def test_two_digit_years_turn_at_seventy(write: Write) -> None:
    _layout, found = read(write("Date,Payee,Amount\n31/12/69,P,-1\n31/12/70,P,-1\n"))
    assert [line.what and line.what["on"] for line in found] == ["2069-12-31", "1970-12-31"]


def test_dates_that_could_be_either_are_said_and_can_be_chosen(write: Write) -> None:
    path = write("Date,Payee,Amount\n01/02/2024,P,-1\n03/04/2024,P,-1\n")
    layout, found = read(path)
    assert layout.ambiguous
    assert found[0].what
    assert found[0].what["on"] == "2024-02-01"
    layout, found = read(path, dates="mdy")
    assert not layout.ambiguous
    assert found[0].what
    assert found[0].what["on"] == "2024-01-02"


def test_debit_and_credit_columns_signs_and_what_stands_above_the_table(write: Write) -> None:
    text = (
        "Account;DE00 1234\nPeriod;January\n\nDate;Text;Paid out;Paid in;Balance\n"
        "01.02.2024;Shop;12,50;;100,00\n02.02.2024;Job;;2.000,00;2.100,00\n"
    )
    assert amounts(read(write(text))[1]) == ["-12.5", "2000"]
    text = "Datum;Naam;Af Bij;Bedrag\n20240201;Winkel;Af;12,50\n20240202;Werk;Bij;20,00\n20240203;Werk;?;20,00\n"
    assert amounts(read(write(text))[1]) == ["-12.5", "20", "“?” does not say whether money came or went."]


def test_a_table_without_a_header_is_read_by_what_stands_in_it(write: Write) -> None:
    layout, found = read(write("01/13/2024,-5.00,*,,CORNER SHOP\n01/14/2024,200.00,*,,EMPLOYER\n"))
    assert layout.roles()[:2] == ["date", "amount"]
    assert [line.what and line.what["payee"] for line in found] == ["CORNER SHOP", "EMPLOYER"]
    assert amounts(found) == ["-5", "200"]


def test_texts_stay_texts(write: Write) -> None:
    text = "Date,Payee,Note,Amount\n2024-01-01,\"=cmd|' /C calc'!A0\",<script>alert(1)</script>,-1\n"
    what = read(write(text))[1][0].what
    assert what
    assert what["payee"] == "=cmd|' /C calc'!A0"
    assert what["note"] == "<script>alert(1)</script>"


def test_a_currency_that_does_not_exist_is_a_wrong_line(write: Write) -> None:
    found = read(write("Date,Payee,Amount,Currency\n2024-01-01,P,-1,EUR\n2024-01-02,P,-1,XQZ\n"))[1]
    assert [line.wrong for line in found] == ["", "There is no currency “XQZ”."]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"", "empty"),
        (b"  \n \n", "empty"),
        (b"Date,Payee,Amount\n", "a header and no line"),
        (b"hello\nworld\n", "No columns"),
        (b"a,b,c\n1,2,3\n", "date is missing"),
        (b'Date,Payee,Amount\n2024-01-01,"never closed,-1\n' + b"2024-01-02,P,-2\n" * 300, "line 2 is never closed"),
        (b'Date,Payee,Amount\n2024-01-01,P,-1\n2024-01-02,"open,-2', "line 3 is never closed"),
        (b"Date,Payee,Amount\n2024-01-01,P\0Q,-1\n", "NUL"),
        (b"Date,Payee,Amount\n2024-01-01,P,-1\n" + b"," * 60_000, "Line 3 has more than"),
        (b"Date,Payee,Amount\n2024-01-01,P,-1\n" + b"," * 500, "501 columns"),
    ],
)  # fmt: skip
def test_what_is_no_table_is_refused_with_a_sentence(write: Write, text: bytes, words: str) -> None:
    with pytest.raises(JobError, match=words) as error:
        read(write(text))
    assert str(error.value).endswith(".")


def test_a_billion_columns_are_never_held(write: Write) -> None:
    path = write(b"Date,Payee,Amount\n2024-01-01,P,-1\n")
    with path.open("r+b") as file:
        file.seek(200_000_000)  # a sparse file: zeros, which are no text
        file.write(b",")
    with pytest.raises(JobError, match=r"more than 50,000 signs|NUL"):
        read(path)


def test_an_encoding_that_was_chosen_wrongly_is_said(write: Write) -> None:
    with pytest.raises(JobError, match="not written in UTF-8"):
        read(write(BANK, "cp1252"), encoding="utf-8-sig")


def test_columns_can_be_said_and_must_fit(write: Write) -> None:
    path = write("x;y;z\n1;Shop;01.02.2024\n")
    _layout, found = read(path, columns=("amount", "payee", "date"))
    assert amounts(found) == ["1"]
    with pytest.raises(JobError, match="2 columns, and this file has 3"):
        read(path, columns=("amount", "payee"))


def test_there_are_112_layouts_and_each_has_days_and_amounts(write: Write) -> None:
    every = presets.known().values()
    assert len(every) == 112
    for each in every:
        assert "date" in each.roles, each.name
        assert {"amount", "negated", "debit", "credit"} & set(each.roles), each.name
    assert [each.name for each in presets.fitting("\t", 10)] == ["nl/abnamro/default"]


def test_every_bank_s_layout_reads_a_file_of_its_shape(write: Write) -> None:
    shown = {"dmy": "31.01.2024", "mdy": "01/31/2024", "ymd": "2024-01-31"}
    cells = {
        "payee": "Shop", "note": "Thing", "amount": "-12.34", "negated": "12.34", "debit": "12.34", "currency": "EUR",
        "category": "Food", "purse": "NL00BANK", "sign": "D",
    }  # fmt: skip
    for each in presets.known().values():
        row = [shown[each.dates] if role == "date" else cells.get(role, "") for role in each.roles]
        rows = [[f"h{at}" for at in range(len(row))]] if each.header == "yes" else []
        path = write("\n".join(each.delimiter.join(line) for line in [*rows, row, row]))
        _layout, found = read(path, preset=each.name)
        assert amounts(found) == ["-12.34", "-12.34"], each.name
        assert {line.what and line.what["on"] for line in found} == {"2024-01-31"}, each.name


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs the data beside the repository: ../shared/data")
def test_the_table_of_layouts_is_the_one_that_was_taken_over() -> None:
    source = SHARED / "expenses" / "bank_formats" / "firefly_bank_csv_layouts.csv"
    with source.open(encoding="utf-8", newline="") as file:
        rows = {row["config_path"].removesuffix(".json"): row for row in csv.DictReader(file)}
    signs = {"semicolon": ";", "comma": ",", "tab": "\t"}
    for name, each in presets.known().items():
        assert each.delimiter == signs[rows[name]["delimiter"]]
        assert len(each.roles) == len(rows[name]["column_roles"].split("|"))
    assert set(rows) == set(presets.known())


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs the data beside the repository: ../shared/data")
def test_northwind_imports_as_it_is() -> None:
    _layout, found = read(SHARED / "retail" / "northwind_products.csv", "products")
    assert len(found) == 77
    assert not [line for line in found if line.wrong]
    wanted = [line.what for line in found if line.what and Decimal(line.what.get("on order", 0))]
    assert len(wanted) == 17
    _layout, found = read(SHARED / "retail" / "northwind_suppliers.csv", "suppliers")
    assert [line.wrong for line in found] == [""] * 29
    assert found[0].what
    assert (found[0].what["code"], found[0].what["name"]) == ("1", "Exotic Liquids")


def test_cells_that_are_made_to_keep_us_busy_do_not(write: Write) -> None:
    cell = "T" * 40_000 + ":"
    text = "Date,Payee,Amount\n" + f"{cell},P,-1\n" * 10 + f'2024-01-01,P,"{"1," * 20_000}"\n2024-01-01,P,-1\n'
    _layout, found = read(write(text), columns=("date", "payee", "amount"))
    assert [bool(line.wrong) for line in found] == [True] * 11 + [False]
    assert all(len(line.wrong) <= 300 for line in found)
