"""Codes at the shelf: read by a phone’s camera, by a hand scanner or typed; each leads to what can be done with it."""

from flask import render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.stock import Product
from tasks.inventory import barcodes
from web import security
from web.current import reading
from web.reorder import bp

LONGEST = 64
DEEDS = (("sale", "Sell"), ("purchase", "Receive"), ("count", "Count"), ("loss", "Lost"), ("return", "Taken back"))
SHOWN = 20  # products that share a code


@bp.get("/stock/scan")
def scan() -> ResponseReturnValue:
    """`?code=`: what has this code, with what can be done; without script the field and Enter do the same."""
    security.allow_camera()
    code = request.args.get("code", "").replace("\0", "").strip()[:LONGEST]
    with reading() as session:
        found = with_code(session, code) if code else []
        return render_template(
            "stock/scan.html", code=code, found=found, wrong=barcodes.wrong(code), deeds=DEEDS,
            kind=barcodes.kind(code),
        )  # fmt: skip


def with_code(session: Session, code: str) -> list[Product]:
    """The products with this barcode, however its leading zeros are written; else the one with this SKU."""
    asked = select(Product).where(Product.barcode.in_(barcodes.same(code))).order_by(Product.discontinued, Product.name)
    found = list(session.scalars(asked.limit(SHOWN)))
    return found or list(session.scalars(select(Product).where(Product.sku == code[:60]).limit(1)))
