"""Barcodes: check digits of printed codes, bars as the specification draws them, and the ways one code is written."""

import pytest

from tasks.inventory import barcodes


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("4006381333931", "EAN-13"), ("5901234123457", "EAN-13"), ("96385074", "EAN-8"), ("73513537", "EAN-8"),
        ("036000291452", "UPC-A"), ("012345678905", "UPC-A"), ("00012345600012", "GTIN-14"),
        ("4006381333932", ""), ("400638133393", ""), ("ABC", ""), ("", ""), ("４006381333931", ""), ("²0063813", ""),
    ],
)  # fmt: skip
def test_the_check_digit_says_whether_it_is_a_code(code: str, kind: str) -> None:
    assert barcodes.kind(code) == kind


def test_every_single_wrong_digit_and_nearly_every_swap_is_noticed() -> None:
    code = "4006381333931"
    for place in range(13):
        for digit in set("0123456789") - {code[place]}:
            assert barcodes.kind(code[:place] + digit + code[place + 1 :]) == ""


def test_what_is_wrong_is_said_only_of_what_looks_like_such_a_code() -> None:
    assert "would be 1" in barcodes.wrong("4006381333932")
    assert barcodes.wrong("4006381333931") == ""
    assert barcodes.wrong("SKU-12") == ""
    assert barcodes.wrong("12345") == "", "a shop's own number"


def test_a_upc_is_found_whether_or_not_somebody_wrote_the_zero_before_it() -> None:
    assert set(barcodes.same("036000291452")) == {"036000291452", "0036000291452", "00036000291452"}
    assert "036000291452" in barcodes.same("0036000291452")
    assert barcodes.same("SKU-12") == ["SKU-12"]
    assert barcodes.same("4006381333931") == ["4006381333931", "04006381333931"]


def test_the_bars_are_those_of_the_specification() -> None:
    # EAN-13 of 5901234123457: first digit 5 is the parity LGGLLG.
    assert barcodes.bars("5901234123457") == (
        "101"
        "0001011" "0100111" "0110011" "0010011" "0111101" "0011101"
        "01010"
        "1100110" "1101100" "1000010" "1011100" "1001110" "1000100"
        "101"
    )  # fmt: skip
    assert len(barcodes.bars("96385074")) == 67
    assert barcodes.bars("036000291452") == barcodes.bars("0036000291452")
    with pytest.raises(ValueError, match="check digits"):
        barcodes.bars("5901234123458")
