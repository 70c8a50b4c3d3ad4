"""Barcodes of retail: their check digits, and the bars of EAN-13 and EAN-8.

GS1 General Specifications: section 7.9 (check digit), 5.2 (EAN/UPC symbology). UPC-A is an EAN-13 that begins with 0.
Pure: numbers and text only, so that the web may use it.
"""

LENGTHS = {8: "EAN-8", 12: "UPC-A", 13: "EAN-13", 14: "GTIN-14"}
LEFT = ("0001101", "0011001", "0010011", "0111101", "0100011", "0110001", "0101111", "0111011", "0110111", "0001011")
# Which of the left digits are of odd (L) and even (G) parity says what the first digit is.
PARITY = ("LLLLLL", "LLGLGG", "LLGGLG", "LLGGGL", "LGLLGG", "LGGLLG", "LGGGLL", "LGLGLG", "LGLGGL", "LGGLGL")


def check_digit(digits: str) -> int:
    """The digit that belongs behind these: threes and ones from the right, up to the next ten."""
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits)))
    return -total % 10


def kind(code: str) -> str:
    """EAN-8, UPC-A, EAN-13 or GTIN-14; nothing when it is none of them or its check digit is wrong."""
    if not (code.isascii() and code.isdigit()) or len(code) not in LENGTHS:
        return ""
    return LENGTHS[len(code)] if check_digit(code[:-1]) == int(code[-1]) else ""


def wrong(code: str) -> str:
    """What is wrong with a code of digits, in a sentence; nothing of one that fits, or that is of another kind."""
    if not (code.isascii() and code.isdigit()) or len(code) not in (8, 12, 13) or kind(code):
        return ""
    return (
        f"The last digit of {code} would be {check_digit(code[:-1])} if it were an {LENGTHS[len(code)]} code: "
        "it may be misread or mistyped."
    )


def same(code: str) -> list[str]:
    """How a code may stand in somebody's list: a UPC-A with and without the 0 that makes it an EAN-13, a GTIN-14."""
    if not kind(code):
        return [code]
    bare = code.lstrip("0")
    forms = [code, *(bare.rjust(length, "0") for length in (8, 12, 13, 14) if len(bare) <= length)]
    return list(dict.fromkeys(each for each in forms if kind(each)))


def bars(code: str) -> str:
    """The modules of an EAN-13 or EAN-8 symbol: 1 is a bar. Without the quiet zones, which are 7 to 11 modules.

    Raises:
        ValueError: it is neither, or its check digit is wrong.
    """
    if kind(code) == "UPC-A":
        code = f"0{code}"
    if kind(code) not in ("EAN-13", "EAN-8"):
        raise ValueError("only EAN-13, UPC-A and EAN-8 with their check digits can be drawn")
    parity, digits = (PARITY[int(code[0])], code[1:]) if len(code) == 13 else ("LLLL", code)
    half = len(digits) // 2
    left = "".join(_left(int(digit), side) for digit, side in zip(digits[:half], parity, strict=True))
    right = "".join(_flipped(LEFT[int(digit)]) for digit in digits[half:])
    return f"101{left}01010{right}101"


def _left(digit: int, side: str) -> str:
    return LEFT[digit] if side == "L" else _flipped(LEFT[digit])[::-1]


def _flipped(modules: str) -> str:
    return modules.translate(str.maketrans("01", "10"))
