"""The API's meters: routes of web/api.py's own blueprint, described by openapi_meters."""

from typing import Any

from flask import Response, abort, jsonify, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from models.meter import Meter
from tasks.handover import Refused
from tasks.metering.incoming import isoformat, told
from web import meter_book, people
from web.api import NO_OBJECT, bp, iso, json_body
from web.current import current_workspace, may, me, reading, require_role, writing

PER_PAGE = 100
NO_FIELD = "There is no such field; leave it out."
YES_OR_NO = "Say true or false."


@bp.get("/meters")
def meters() -> ResponseReturnValue:
    """The workspace's meters by id; `next` leads to the following page."""
    asked = {name: request.args.get(name, "").replace("\0", "") for name in ("source", "archived", "after")}
    found = select(Meter).where(Meter.archived.is_(asked["archived"] == "true")).order_by(Meter.id)
    found = found.where(Meter.source == asked["source"]) if asked["source"] else found
    found = found.where(Meter.id > asked["after"]) if asked["after"] else found
    with reading() as session:
        rows = session.scalars(found.limit(PER_PAGE + 1)).all()
    more = {name: value for name, value in asked.items() if value}
    more |= {"after": rows[PER_PAGE - 1].id} if rows[PER_PAGE:] else {}
    following = url_for("api.meters", _external=False, **more) if rows[PER_PAGE:] else None
    return jsonify(meters=[shown(each) for each in rows[:PER_PAGE]], next=following)


@bp.post("/meters")
@require_role("member")
def make_meter() -> ResponseReturnValue:
    """A new meter; its readings come by themselves."""
    given = _body()
    with writing() as session:
        made = meter_book.create(session, given)
        session.refresh(made)
        answer: Response = jsonify(shown(made))
    answer.status_code = 201
    answer.headers["Location"] = url_for("api.meter", meter_id=made.id)
    return answer


@bp.get("/meters/<meter_id>")
def meter(meter_id: str) -> ResponseReturnValue:
    """One meter."""
    with reading() as session:
        return jsonify(shown(meter_book.find(session, meter_id) or abort(404)))


@bp.patch("/meters/<meter_id>")
@require_role("member")
def change_meter(meter_id: str) -> ResponseReturnValue:
    """What is named changes, the rest stays."""
    given = _body()
    with writing() as session:
        found = meter_book.find(session, meter_id) or abort(404)
        meter_book.change(session, found, meter_book.known(found) | given)
        return jsonify(shown(found))


@bp.delete("/meters/<meter_id>")
@require_role("member")
def delete_meter(meter_id: str) -> ResponseReturnValue:
    """The meter goes, and all its readings with it."""
    with writing() as session:
        session.delete(meter_book.find(session, meter_id) or abort(404))
        people.audit(session, "meter deleted", me().id, current_workspace(), meter=meter_id)
    return "", 204


def _body() -> dict[str, Any]:
    body = json_body() if request.mimetype == "application/json" else None
    if not isinstance(body, dict):
        raise Refused({"": NO_OBJECT})
    wrong = dict.fromkeys(sorted(set(body) - set(meter_book.FIELDS)), NO_FIELD)
    if not isinstance(body.get("archived", False), bool):
        wrong["archived"] = YES_OR_NO
    if wrong:
        raise Refused(wrong)
    return {name: value.replace("\0", "") if isinstance(value, str) else value for name, value in body.items()}


def shown(one: Meter) -> dict[str, Any]:
    """A meter as the API tells it."""
    names = ("id", "name", "kind", "unit", "time_zone", "holidays", "step", "source", "tariff_id", "place_id", "note")
    return {name: getattr(one, name) for name in (*names, "archived")} | {
        "rolls_at": told(one.rolls_at, one.unit) if one.rolls_at else None,
        "mqtt_address": one.address if may("member") else None,  # whoever knows it writes
        "trouble": one.trouble,
        "first_at": isoformat(one.first_at) if one.first_at is not None else None,
        "last_at": isoformat(one.last_at) if one.last_at is not None else None,
        "created_at": iso(one.created_at),
        "url": url_for("api.meter", meter_id=one.id),
        "readings_url": url_for("api.readings_of_meter", meter_id=one.id),
    }
