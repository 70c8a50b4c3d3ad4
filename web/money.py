"""How amounts read on a page: with their currency, and whether they came or went."""

from decimal import Decimal

from flask import Flask
from markupsafe import Markup

from tasks import money


def amount(value: Decimal | None, currency: str) -> Markup:
    """€1,234.50 on one line; a dash for nothing."""
    if value is None:
        return Markup("–")
    return Markup('<span class="money">{}</span>').format(money.show(value, currency))


def quantity(value: Decimal | None) -> str:
    """1,234.5; a dash for nothing."""
    return "–" if value is None else money.quantity(value)


def offered() -> list[tuple[str, str]]:
    """Currencies in use today, for a field to choose from."""
    return [(code, f"{code} · {name}") for code, name in money.currencies()]


def install(app: Flask) -> None:
    app.jinja_env.filters.update(money=amount, quantity=quantity, typed=money.typed)
