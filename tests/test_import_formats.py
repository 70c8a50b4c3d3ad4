"""OFX, QIF, the exports of other trackers, and the tables of shops."""

import os
import xml.etree.ElementTree as ET
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from ofxtools.header import make_header
from ofxtools.models import (
    BANKACCTFROM,
    BANKMSGSRSV1,
    BANKTRANLIST,
    FI,
    LEDGERBAL,
    SIGNONMSGSRSV1,
    SONRS,
    STATUS,
    STMTRS,
    STMTTRN,
    STMTTRNRS,
)  # fmt: skip
from ofxtools.models.ofx import OFX

from tasks.errors import JobError
from tasks.importing.analysing import Wishes
from tasks.importing.layout import Layout, Line
from tasks.importing.reading import layout_of, lines_of

SHARED = Path(os.environ.get("NIGHTSHIFT_SHARED", Path(__file__).parents[2] / "shared")) / "data"
Read = Callable[..., tuple[Layout, list[Line]]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def reading(text: str | bytes, subject: str = "expenses", **wishes: Any) -> tuple[Layout, list[Line]]:
        path = tmp_path / "file"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        layout = layout_of(path, subject, Wishes(**wishes))
        return layout, list(lines_of(path, subject, layout))

    return reading


def what(line: Line) -> dict[str, Any]:
    assert line.what, line
    assert not line.wrong, line
    return line.what


SGML = """OFXHEADER:100
DATA:OFXSGML
VERSION:102

<OFX><BANKMSGSRSV1><STMTTRNRS><STMTRS><CURDEF>EUR
<BANKACCTFROM><BANKID>1<ACCTID>DE123456<ACCTTYPE>CHECKING</BANKACCTFROM>
<BANKTRANLIST>
<STMTTRN><TRNTYPE>DEBIT<DTPOSTED>20240131120000[-5:EST]<TRNAMT>-12,50<FITID>1<NAME>Shop &amp; Sons<MEMO>Two things
<STMTTRN><TRNTYPE>CREDIT<DTPOSTED>20240230<TRNAMT>5.00<FITID>2<NAME>Nobody</STMTTRN>
<STMTTRN><TRNTYPE>CREDIT<DTPOSTED>20240201<TRNAMT>1000.00<FITID>3<MEMO>Salary</STMTTRN>
</BANKTRANLIST></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>
"""


def test_ofx_of_the_old_kind_is_read_whether_its_tags_are_closed_or_not(read: Read) -> None:
    layout, found = read(SGML)
    assert layout.form == "ofx"
    first, wrong, last = found
    assert (what(first)["amount"], what(first)["payee"], what(first)["note"]) == ("-12.5", "Shop & Sons", "Two things")
    assert (what(first)["on"], what(first)["purse"], what(first)["currency"]) == ("2024-01-31", "DE123456", "EUR")
    assert "calendar" in wrong.wrong
    assert (what(last)["payee"], what(last)["amount"]) == ("Salary", "1000")


@pytest.mark.parametrize("version", [102, 203])
def test_ofx_is_read_as_its_own_library_writes_it(read: Read, version: int) -> None:
    day = datetime(2024, 3, 1, tzinfo=UTC)
    wanted = [
        STMTTRN(trntype="DEBIT", dtposted=day, trnamt=Decimal(-n), fitid=str(n), name=f"Shop {n}") for n in (1, 2)
    ]
    account = BANKACCTFROM(bankid="1", acctid="42", accttype="CHECKING")
    balance = LEDGERBAL(balamt=Decimal(1), dtasof=day)
    listed = BANKTRANLIST(*wanted, dtstart=day, dtend=day)
    status = STATUS(code=0, severity="INFO")
    statement = STMTRS(curdef="EUR", bankacctfrom=account, banktranlist=listed, ledgerbal=balance)
    sign_on = SONRS(status=status, dtserver=day, language="ENG", fi=FI(org="Bank", fid="1"))
    bank = BANKMSGSRSV1(STMTTRNRS(trnuid="1", status=status, stmtrs=statement))
    root = OFX(signonmsgsrsv1=SIGNONMSGSRSV1(sonrs=sign_on), bankmsgsrsv1=bank).to_etree()
    text = str(make_header(version=version)).encode() + ET.tostring(root)
    found = read(text)[1]
    assert [(what(line)["amount"], what(line)["payee"]) for line in found] == [("-1", "Shop 1"), ("-2", "Shop 2")]


@pytest.mark.parametrize("hostile", ['<!DOCTYPE x [<!ENTITY a "b">]>', '<!ENTITY a SYSTEM "file:///etc/passwd">'])
def test_an_ofx_file_declares_no_entities(read: Read, hostile: str) -> None:
    with pytest.raises(JobError, match="document type or entities"):
        read(f'<?xml version="1.0"?>{hostile}<OFX><STMTTRN><NAME>&a;</STMTTRN></OFX>')


def test_an_ofx_file_without_lines_or_with_a_text_without_end_is_refused(read: Read) -> None:
    with pytest.raises(JobError, match="no transaction"):
        read("OFXHEADER:100\n<OFX></OFX>")
    with pytest.raises(JobError, match="damaged"):
        read("OFXHEADER:100\n<OFX><STMTTRN><NAME>" + "x" * 200_000)


QIF = """!Account
NHousehold
TBank
^
!Type:Bank
D12/19'18
T-100.58
POutlet
LUsual Expenses:Shopping
^
D1/ 5'24
T-20.00
PMarket
MWeekly
SFood
EApples
$-15.00
SHome
$-5.00
^
D1/31/24
T-20.00
PMarket
SFood
$-15.00
SHome
$-4.00
^
D2/30/24
T-1
PNobody
^
D2/1/24
T-300.00
PTo savings
L[Savings]
^
!Type:Cat
NFood
^
!Account
NSavings
^
!Type:Bank
D2/1/24
T300.00
PTo savings
L[Household]
"""


def test_qif_is_read_with_splits_transfers_and_a_missing_end(read: Read) -> None:
    layout, found = read(QIF)
    assert (layout.form, layout.dates) == ("qif", "mdy")
    first, split, odd, wrong, out, back = found
    assert (what(first)["on"], what(first)["category"]) == ("2018-12-19", "Usual Expenses:Shopping")
    assert what(split)["on"] == "2024-01-05"
    assert what(split)["parts"] == [
        {"category": "Food", "note": "Apples", "amount": "-15.0000"},
        {"category": "Home", "note": "", "amount": "-5.0000"},
    ]
    assert "add up to -19" in odd.wrong
    assert "calendar" in wrong.wrong
    assert what(out)["transfer"] == what(back)["transfer"]
    assert (what(out)["purse"], what(back)["purse"]) == ("Household", "Savings")


def test_a_qif_file_without_entries_is_refused(read: Read) -> None:
    with pytest.raises(JobError, match="no entry"):
        read("!Type:Cat\nNFood\n^\n")
    with pytest.raises(JobError, match="choose “Expenses”"):
        read(QIF, "products")


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs the data beside the repository: ../shared/data")
def test_the_files_of_actual_s_own_tests_are_read(read: Read) -> None:
    folder = SHARED / "expenses" / "bank_formats"
    found = read((folder / "actual_with-categories.qif").read_bytes())[1]
    assert [what(line)["amount"] for line in found] == ["-100.58", "-20.15", "-40.6"]
    found = read((folder / "actual_windows-1252-euro.csv").read_bytes())[1]
    assert what(found[0])["payee"] == "Café €Rémy"
    found = read((folder / "actual_data-payee-memo.csv").read_bytes())[1]
    assert [line.number for line in found] == [2, 3, 4, 5]


FIREFLY = """user_id,group_id,journal_id,created_at,updated_at,group_title,type,currency_code,amount,foreign_currency_code,foreign_amount,description,date,source_name,source_iban,source_type,destination_name,destination_iban,destination_type,reconciled,category,budget,bill,tags,notes
1,1,1,x,x,,Withdrawal,EUR,-12.500000000000,,,Groceries,2024-01-31T00:00:00+01:00,Checking,,Asset account,Shop,,Expense account,,Food,,,,
1,2,2,x,x,,Deposit,EUR,1000.000000000000,,,Salary,2024-02-01T00:00:00+01:00,Employer,,Revenue account,Checking,,Asset account,,,,,,Thank you
1,3,3,x,x,,Transfer,EUR,50.000000000000,USD,55.000000000000,To dollars,2024-02-02T00:00:00+01:00,Checking,,Asset account,Dollars,,Asset account,,,,,,
1,4,4,x,x,Two things,Withdrawal,EUR,-1.000000000000,,,One,2024-02-03T00:00:00+01:00,Checking,,Asset account,Shop,,Expense account,,Food,,,,
1,4,5,x,x,Two things,Withdrawal,EUR,-2.000000000000,,,Other,2024-02-03T00:00:00+01:00,Checking,,Asset account,Shop,,Expense account,,Home,,,,
1,5,6,x,x,,Opening balance,EUR,100.000000000000,,,Opening,2024-01-01T00:00:00+01:00,Initial balance,,Initial balance account,Checking,,Asset account,,,,,,
"""  # noqa: E501


def test_firefly_s_journals_bring_both_sides_of_a_transfer_and_splits(read: Read) -> None:
    layout, found = read(FIREFLY)
    assert layout.form == "firefly"
    shop, salary, transfer, one, two, opening = map(what, found)
    assert (shop["amount"], shop["payee"], shop["category"], shop["purse"]) == ("-12.5", "Shop", "Food", "Checking")
    assert (salary["amount"], salary["note"]) == ("1000", "Salary · Thank you")
    assert (transfer["amount"], transfer["other"], transfer["other_currency"]) == ("-50", "Dollars", "USD")
    assert Decimal(transfer["other_amount"]) == 55
    assert one["group"] == two["group"] == "4"
    assert opening["amount"] == "100"


ACTUAL = """Account,Date,Payee,Notes,Category_Group,Category,Amount,Split_Amount,Cleared
Checking,2024-01-31,Market,(SPLIT INTO 2) ,,,0,-30,Cleared
Checking,2024-01-31,Market,(SPLIT 1 OF 2) apples,Usual,Food,-20,0,Cleared
Checking,2024-01-31,Market,(SPLIT 2 OF 2) soap,Usual,Home,-10,0,Cleared
Savings,2024-02-01,Checking,,,,100,0,Cleared
Checking,2024-02-01,Savings,,,,-100,0,Cleared
"""


def test_actual_s_transactions_come_with_their_accounts_and_without_the_sum_of_a_split(read: Read) -> None:
    layout, found = read(ACTUAL)
    assert layout.form == "actual"
    assert found[0].skipped
    assert [(what(line)["purse"], what(line)["amount"]) for line in found[1:]] == [
        ("Checking", "-20"), ("Checking", "-10"), ("Savings", "100"), ("Checking", "-100"),
    ]  # fmt: skip
    assert what(found[3])["transfer"] == what(found[4])["transfer"]
    assert "transfer" not in what(found[1])


def test_inventree_s_parts_are_products(read: Read) -> None:
    text = "pk,IPN,name,description,category_name,active,minimum_stock,in_stock,units\n7,R-10K,Resistor,10k,Parts,True,100,250,pcs\n8,,Old part,,Parts,False,0,3,\n"  # noqa: E501
    found = read(text, "products")[1]
    first, old = map(what, found)
    assert (first["sku"], first["name"], first["on hand"], first["reorder level"]) == (
        "R-10K",
        "Resistor",
        "250",
        "100",
    )
    assert first["category"] == "Parts"
    assert old["sku"] == "Old part"
    assert old["discontinued"] is True


def test_numbers_of_a_shop_are_checked(read: Read) -> None:
    text = (
        "SKU,Name,Price,Stock,Discontinued\nA,Tea,-1,3,0\nB,Jam,1,-3,0\nC,Milk,1,2,maybe\nD,Eggs,1,2000000000,0\n"
        "E,Bread,2.350000000000001,1.5,0\n"
    )
    found = read(text, "products")[1]
    assert ["below zero" in line.wrong for line in found] == [True, True, False, False, False]
    assert "neither yes nor no" in found[2].wrong
    assert "at most" in found[3].wrong
    assert (what(found[4])["price"], what(found[4])["on hand"]) == ("2.35", "1.5")


def test_movements_say_what_they_are_in_many_words_or_by_their_sign(read: Read) -> None:
    text = (
        "Date;Barcode;SKU;Type;Quantity;Price\n01.02.2024;;A;Verkauf;2;1,50\n02.02.2024;4000;;purchase;12;\n"
        "03.02.2024;;A;Inventur;7;\n04.02.2024;;A;;-3;\n05.02.2024;;A;dance;1;\n06.02.2024;;;sale;1;\n07.02.2024;;A;sale;;\n"
    )
    found = read(text, "movements")[1]
    assert [what(line)["kind"] for line in found[:4]] == ["sale", "purchase", "count", "sale"]
    assert [what(line)["quantity"] for line in found[:4]] == ["2", "12", "7", "3"]
    assert all(line.wrong for line in found[4:])
