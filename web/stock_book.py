"""Recording what people and programs hand over: checked as a whole, and the same form or request only once."""

import hashlib
from dataclasses import dataclass
from datetime import timedelta

from flask import abort
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.stock import KINDS, Movement, Product
from tasks.inventory.movements import hold, record
from web.current import current_workspace, me
from web.stock_inputs import MovementForm
from web.stock_view import House
from workers.enqueue import KeyConflict

LATER = "The day is still to come. Record it when it has happened."
EXPIRED = "This lot is past its day already. Tick “It is past its day” if it came in all the same."
ONLY_IN = "Only what comes in has a day it expires on."


@dataclass(frozen=True)
class Told:
    """What became of a form: the movement, or what is wrong with it."""

    movement: Movement | None
    errors: dict[str, str]


def movement(session: Session, movement_id: str) -> Movement:
    """A movement of this workspace; 404 for all others."""
    return session.scalar(select(Movement).where(Movement.id == movement_id)) or abort(404)


def record_form(session: Session, product: Product, form: MovementForm, house: House, *, key: str | None) -> Told:
    """Record a checked form; what its key was recorded as before is given back.

    Raises:
        KeyConflict: the key stands for another movement.
    """
    errors = _unfit(form, house)
    if errors:
        return Told(None, errors)
    hold(session, [product.id])  # whoever sends the same form beside us waits here
    mark = mark_of(key) if key else None
    on = form.on or house.today
    if mark and (known := session.scalar(select(Movement).where(Movement.fingerprint == mark))):
        return Told(_same(known, product, form), {})
    more = form.model_dump(exclude={"kind", "quantity", "on", "expired"})
    try:
        with session.begin_nested():
            made = record(session, product, form.kind, form.quantity, on, fingerprint=mark, created_by=me().id, **more)
    except ValueError as error:
        return Told(None, {_field(str(error)): str(error)})
    return Told(made, {})


def _unfit(form: MovementForm, house: House) -> dict[str, str]:
    """What only shows when the fields are looked at together."""
    wrong = {}
    if form.kind not in KINDS:
        wrong["kind"] = f"Choose one of {', '.join(KINDS)}."
    if form.quantity == 0 and form.kind != "count":
        wrong["quantity"] = "Give a quantity above zero."
    if form.on and form.on > house.today + timedelta(days=1):  # somewhere it is tomorrow already
        wrong["on"] = LATER
    if form.expires_on and form.kind not in ("purchase", "return"):
        wrong["expires_on"] = ONLY_IN
    elif form.expires_on and form.expires_on < (form.on or house.today) and not form.expired:
        wrong["expires_on"] = EXPIRED
    if form.kind == "transfer" and not form.to_location_id:
        wrong["to_location_id"] = "Say where it goes."
    return wrong


def _same(known: Movement, product: Product, form: MovementForm) -> Movement:
    amount = known.counted if known.kind == "count" else abs(known.quantity)
    if (known.product_id, known.kind, amount) != (product.id, form.kind, form.quantity):
        raise KeyConflict
    return known


def mark_of(key: str) -> str:
    """A key's fingerprint, of this workspace alone."""
    return hashlib.sha256(f"{current_workspace()} {key}".encode()).hexdigest()


def _field(message: str) -> str:
    """Beside which field a refusal of the database stands."""
    if "location" in message:
        return "to_location_id" if "another" in message or "goes" in message else "location_id"
    return "quantity"
