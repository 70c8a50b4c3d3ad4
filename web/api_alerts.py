"""The API's alerts: routes of web/api.py's own blueprint, and their part of the description."""

from typing import Any

from flask import abort, jsonify, request, url_for
from flask.typing import ResponseReturnValue
from pydantic import Field, ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.alert import FIRING, PENDING, RESOLVED, Alert, Move, Mute
from models.base import clock
from tasks.alerting import alerts
from tasks.handover import Refused, plain
from tasks.job import Params
from web import alert_book
from web.api import NO_OBJECT, bp, iso, json_body
from web.current import current_workspace, desk_too, me, reading, require_desk, writing
from web.problems import problem

Spec = dict[str, Any]
PAGE = 50
STATES = (FIRING, PENDING, RESOLVED)
ONE = "/api/v1/alerts/{alert_id}"


class Muting(Params):
    """The body of `mute`."""

    days: int | None = Field(ge=1, le=3650, description="For how long; null: for good.")


@bp.get("/alerts")
@desk_too
def alerts_of_workspace() -> ResponseReturnValue:
    """The workspace's alerts in one state, newest first; `next` leads to the following page."""
    state, after = request.args.get("state", FIRING), request.args.get("after", "")
    if state not in STATES:
        raise Refused({"state": f"Choose one of {', '.join(STATES)}."})
    asked = (
        select(Alert)
        .where(Alert.state == state, *alert_book.theirs(me().role))
        .order_by(Alert.id.desc())
        .limit(PAGE + 1)
    )
    with reading() as session:
        found = session.scalars(asked.where(Alert.id < after) if after else asked).all()
        listed = [_brief(session, each) for each in found[:PAGE]]
    more = {"state": state, "after": found[PAGE - 1].id} if len(found) > PAGE else None
    following = url_for("api.alerts_of_workspace", _external=False, **more) if more else None
    return jsonify(alerts=listed, next=following)


@bp.get("/alerts/<alert_id>")
@desk_too
def show_alert(alert_id: str) -> ResponseReturnValue:
    """One alert with its steps."""
    return jsonify(_whole(alert_id))


@bp.post("/alerts/<alert_id>/acknowledge")
@require_desk("agent")
def acknowledge_alert(alert_id: str) -> ResponseReturnValue:
    """Say that you see to it."""
    with writing() as session:
        alert = _locked(session, alert_id)
        if alert.state != FIRING or alert.acknowledged_at:
            return problem(409, "Somebody sees to it already, or it needs nobody any more.")
        alert_book.acknowledge(session, alert)
    return jsonify(_whole(alert_id))


@bp.delete("/alerts/<alert_id>/acknowledge")
@require_desk("agent")
def hand_back_alert(alert_id: str) -> ResponseReturnValue:
    """It waits for somebody again."""
    with writing() as session:
        alert_book.hand_back(session, _locked(session, alert_id))
    return jsonify(_whole(alert_id))


@bp.put("/alerts/<alert_id>/mute")
@require_desk("agent")
def mute_alert(alert_id: str) -> ResponseReturnValue:
    """Nobody in the workspace is told of its subject for so many days."""
    body = json_body()
    if not isinstance(body, dict):
        raise Refused({"": NO_OBJECT})
    try:
        days = Muting.model_validate(body).days
    except ValidationError as error:
        raise Refused({str((*each["loc"], "")[0]): plain(each) for each in error.errors(include_url=False)}) from error
    with writing() as session:
        length = None if days is None else days * alert_book.DAY_MS
        alert_book.mute(session, _locked(session, alert_id), length)
    return jsonify(_whole(alert_id))


@bp.delete("/alerts/<alert_id>/mute")
@require_desk("agent")
def unmute_alert(alert_id: str) -> ResponseReturnValue:
    """People are told of it again, from its next change on."""
    with writing() as session:
        alert_book.unmute(session, _locked(session, alert_id))
    return jsonify(_whole(alert_id))


def _locked(session: Session, alert_id: str) -> Alert:
    alerts.lock(session, [current_workspace()])
    return _find(session, alert_id)


def _find(session: Session, alert_id: str) -> Alert:
    """An alert that the person who asks may see; 404."""
    asked = select(Alert).where(Alert.id == alert_id, *alert_book.theirs(me().role))
    return session.scalar(asked) or abort(404)


def _whole(alert_id: str) -> dict[str, Any]:
    with reading() as session:
        alert = _find(session, alert_id)
        moves = session.scalars(select(Move).where(Move.alert_id == alert_id).order_by(Move.at, Move.id)).all()
        told = [{"what": each.what, "level": each.level, "title": each.title, "at": iso(each.at)} for each in moves]
        return {**_brief(session, alert), "moves": told}


def _brief(session: Session, alert: Alert) -> dict[str, Any]:
    mute = session.get(Mute, (alert.workspace_id, alert.rule, alert.subject))
    muted = mute is not None and (mute.until is None or mute.until > clock(session))
    told = {name: getattr(alert, name) for name in ("id", "area", "rule", "subject", "state", "level", "title", "text")}
    times = ("opened_at", "moved_at", "resolved_at", "acknowledged_at")
    return {
        **told,
        "link": alert.link,
        **{name: iso(getattr(alert, name)) for name in times},
        "muted": muted,
        "muted_until": iso(mute.until) if mute and muted else None,
        "url": url_for("api.show_alert", alert_id=alert.id),
    }


def schemas() -> Spec:
    """What the description has of them."""
    text, time = {"type": "string"}, {"type": ["string", "null"], "format": "date-time"}
    brief: Spec = {
        "id": text, "area": text, "rule": text, "subject": text, "state": {"type": "string", "enum": list(STATES)},
        "level": {"type": "integer"}, "title": text, "text": text, "link": text, "opened_at": time, "moved_at": time,
        "resolved_at": time, "acknowledged_at": time, "muted": {"type": "boolean"}, "muted_until": time, "url": text,
    }  # fmt: skip
    move = {"type": "object", "properties": {"what": text, "level": {"type": "integer"}, "title": text, "at": time}}
    whole = {**brief, "moves": {"type": "array", "items": move}}
    return {
        "AlertBrief": {"type": "object", "properties": brief, "required": list(brief)},
        "Alert": {"type": "object", "properties": whole, "required": list(whole)},
        "Mute": Muting.model_json_schema(),
    }


def paths(operation: Any) -> Spec:
    """The routes; `operation` is openapi's own maker of one."""
    one = [{"name": "alert_id", "in": "path", "required": True, "schema": {"type": "string"}}]
    ref, bad = {"$ref": "#/components/schemas/Alert"}, (401, 403, 404)
    items = {"type": "array", "items": {"$ref": "#/components/schemas/AlertBrief"}}
    listing = {"type": "object", "properties": {"alerts": items, "next": {"type": ["string", "null"]}}}
    filters = [
        {"name": "state", "in": "query", "schema": {"type": "string", "enum": list(STATES), "default": FIRING}},
        {"name": "after", "in": "query", "schema": {"type": "string"}, "description": "Where the page begins."},
    ]
    body = {"required": True, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Mute"}}}}
    muting = operation("mute_alert", "Tell nobody of its subject for a while", ref, one, 200, (*bad, 422))
    return {
        "/api/v1/alerts": {
            "get": operation("alerts", "The workspace’s alerts, newest first", listing, filters, bad=(401, 422))
        },
        ONE: {"get": operation("alert", "One alert with its steps", ref, one, bad=(401, 404))},
        f"{ONE}/acknowledge": {
            "post": operation("acknowledge_alert", "Say that you see to it", ref, one, 200, (*bad, 409)),
            "delete": operation("hand_back_alert", "It waits for somebody again", ref, one, 200, bad),
        },
        f"{ONE}/mute": {
            "put": {**muting, "requestBody": body},
            "delete": operation("unmute_alert", "Tell people of it again", ref, one, 200, bad),
        },
    }
