"""What was typed into a form, or sent to the API, about money: each field read once, what is wrong beside it."""

import unicodedata
from collections.abc import Callable, Collection, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, TypeVar

from tasks import dates, money
from tasks.handover import Refused

T = TypeVar("T")
FILL_IN = "Fill this in."
CHOOSE = "Choose one of these."
TOO_LONG = "Write at most {} characters."
NO_TEXT = "Write a text."
NO_CURRENCY = "There is no currency “{}”; write its code of three letters, like EUR."
NO_NUMBER = "Write a whole number from {} to {}."
ABOVE = "Write an amount above zero."
NO_SIGN = "Write the amount without a minus, and choose whether it went out or came in."


class Given:
    """The fields of a form. Ask for all of them, then call `done`.

    Args:
        values: by name.
        decimal: the sign before decimals, where it is known.
    """

    def __init__(self, values: Mapping[str, Any], decimal: str | None = None) -> None:
        self.values, self.decimal = values, decimal
        self.wrong: dict[str, str] = {}

    def done(self) -> None:
        """
        Raises:
            Refused: with a message for each field at fault.
        """
        if self.wrong:
            raise Refused(self.wrong)

    def text(self, name: str, longest: int, required: bool = False) -> str:
        """In one line, without signs that are no text."""
        given = self.values.get(name)
        if given is not None and not isinstance(given, str):
            self.wrong[name] = NO_TEXT
            return ""
        text = " ".join("".join(" " if unicodedata.category(sign)[0] == "C" else sign for sign in given or "").split())
        if len(text) > longest:
            self.wrong[name] = TOO_LONG.format(longest)
        elif required and not text:
            self.wrong[name] = FILL_IN
        return text

    def choice(self, name: str, offered: Collection[str], default: str = "") -> str:
        found = str(self.values.get(name) or default)
        if found not in offered:
            self.wrong[name] = CHOOSE
        return found

    def row(self, name: str, required: bool = False) -> str:
        """The id of something; whether it is there, the tables know."""
        found = str(self.values.get(name) or "")
        if required and not found:
            self.wrong[name] = CHOOSE
        return found

    def amount(self, name: str, required: bool = True) -> Decimal | None:
        return self._read(name, lambda text: money.parse(text, decimal=self.decimal), required)

    def unsigned(self, name: str, required: bool = True, message: str = NO_SIGN) -> Decimal | None:
        """An amount above zero."""
        found = self.amount(name, required)
        if found is not None and found <= 0:
            self.wrong[name] = message if found < 0 else ABOVE
        return found

    def day(self, name: str, required: bool = True) -> date | None:
        return self._read(name, dates.parse, required)

    def currency(self, name: str) -> str:
        code = str(self.values.get(name) or "").strip().upper()
        if not code:
            self.wrong[name] = FILL_IN
        elif not money.known(code):
            self.wrong[name] = NO_CURRENCY.format(code[:10])
        return code

    def number(self, name: str, least: int, most: int, default: int) -> int:
        text = str(self.values.get(name) or default).strip()
        found = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
        if found is None or not least <= found <= most:
            self.wrong[name] = NO_NUMBER.format(least, most)
            return default
        return found

    def _read(self, name: str, read: Callable[[str], T], required: bool) -> T | None:
        given = self.values.get(name)
        text = str(given).strip() if isinstance(given, str | int | float) and not isinstance(given, bool) else ""
        if not text:
            if required or given:
                self.wrong[name] = FILL_IN
            return None
        try:
            return read(text)
        except ValueError as error:
            self.wrong[name] = str(error)
            return None
