"""What the tests of stock's pages share: forms as they are posted, and what stands in the tables afterwards."""

import csv
import html
import io
import re
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from models.session import EVERYONE
from models.stock import Product
from tests.web_fixtures import Browser
from workers.runtime import Runtime

TODAY = date.today()


def text_of(answer: Any) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


def rows(runtime: Runtime, table: type[Any]) -> list[Any]:
    with runtime.database.read(EVERYONE) as session:
        return list(session.scalars(select(table).order_by(table.id)))


def on_hand(runtime: Runtime, of: Product) -> Decimal:
    with runtime.database.read(EVERYONE) as session:
        return session.scalars(select(Product.on_hand).where(Product.id == of.id)).one()


def move(browser: Browser, of: Product, kind: str, quantity: str, **more: Any) -> Any:
    return browser.post(f"/stock/products/{of.id}/move", {"kind": kind, "quantity": quantity, **more})


def read_csv(answer: Any) -> list[list[str]]:
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"].startswith("attachment")
    return list(csv.reader(io.StringIO(answer.get_data().decode("utf-8-sig"))))
