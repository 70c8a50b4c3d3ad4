"""The API's tariffs: routes of web/api.py's own blueprint, and their part of the description."""

from typing import Any

from flask import Response, abort, jsonify, request, url_for
from flask.typing import ResponseReturnValue
from pydantic import ValidationError
from sqlalchemy import select

from models.meter import Tariff
from tasks.handover import Refused, plain
from tasks.metering.tariff_faults import faults
from tasks.metering.tariffs import Rates
from web import tariff_book
from web.api import NO_OBJECT, bp, iso, json_body
from web.current import reading, require_role, writing
from web.given import Given
from web.tariff_form import LONGEST_NAME, Filled

PER_PAGE = 100
OWN = ("name", "currency")
NO_FIELD = "There is no such field; leave it out."
Spec = dict[str, Any]
TEXT: Spec = {"type": "string"}
ONE = "/api/v1/tariffs/{tariff_id}"


@bp.get("/tariffs")
def tariffs() -> ResponseReturnValue:
    """The workspace's tariffs by id; `next` leads to the following page."""
    after = request.args.get("after", "").replace("\0", "")
    found = select(Tariff).order_by(Tariff.id)
    found = found.where(Tariff.id > after) if after else found
    with reading() as session:
        rows = session.scalars(found.limit(PER_PAGE + 1)).all()
    following = url_for("api.tariffs", _external=False, after=rows[PER_PAGE - 1].id) if rows[PER_PAGE:] else None
    return jsonify(tariffs=[shown(each) for each in rows[:PER_PAGE]], next=following)


@bp.post("/tariffs")
@require_role("member")
def make_tariff() -> ResponseReturnValue:
    """A new tariff; one with holes or overlaps is refused with their hours."""
    filled = _read(_body())
    with writing() as session:
        made = tariff_book.create(session, filled)
        session.refresh(made)
        answer: Response = jsonify(shown(made))
    answer.status_code = 201
    answer.headers["Location"] = url_for("api.tariff", tariff_id=made.id)
    return answer


@bp.get("/tariffs/<tariff_id>")
def tariff(tariff_id: str) -> ResponseReturnValue:
    """One tariff."""
    with reading() as session:
        return jsonify(shown(tariff_book.find(session, tariff_id) or abort(404)))


@bp.patch("/tariffs/<tariff_id>")
@require_role("member")
def change_tariff(tariff_id: str) -> ResponseReturnValue:
    """What is named changes, the rest stays; lists are replaced whole. Another kind keeps nothing of the old one."""
    given = _body()
    with writing() as session:
        found = tariff_book.find(session, tariff_id) or abort(404)
        rates = tariff_book.rates_of(found).model_dump(mode="json")
        if given.get("kind", rates["kind"]) != rates["kind"]:
            rates = {name: rates[name] for name in ("standing", "tax", "feed_in", "below_zero")}
        tariff_book.change(session, found, _read({"name": found.name, "currency": found.currency} | rates | given))
        return jsonify(shown(found))


@bp.delete("/tariffs/<tariff_id>")
@require_role("member")
def delete_tariff(tariff_id: str) -> ResponseReturnValue:
    """The tariff goes; meters that used it have none then."""
    with writing() as session:
        session.delete(tariff_book.find(session, tariff_id) or abort(404))
    return "", 204


def _body() -> dict[str, Any]:
    body = json_body() if request.mimetype == "application/json" else None
    if not isinstance(body, dict):
        raise Refused({"": NO_OBJECT})
    if wrong := dict.fromkeys(sorted(set(body) - {*OWN, *Rates.model_fields}), NO_FIELD):
        raise Refused(wrong)
    return {name: value.replace("\0", "") if isinstance(value, str) else value for name, value in body.items()}


def _read(body: dict[str, Any]) -> Filled:
    given = Given(body)
    name, currency = given.text("name", LONGEST_NAME, required=True), given.currency("currency")
    try:
        rates = Rates.model_validate({key: value for key, value in body.items() if key not in OWN})
    except ValidationError as error:
        wrong = {".".join(str(part) for part in each["loc"]): plain(each) for each in error.errors(include_url=False)}
        raise Refused(given.wrong | wrong) from None
    for key, text in faults(rates):
        given.wrong[key] = f"{given.wrong[key]} {text}" if key in given.wrong else text
    given.done()
    return Filled(name, currency, rates)


def shown(one: Tariff) -> Spec:
    """A tariff as the API tells it: what its kind has, prices as text."""
    rates = tariff_book.rates_of(one).model_dump(mode="json")
    told = {"id": one.id, "name": one.name, "currency": one.currency, **rates, "created_at": iso(one.created_at)}
    return told | {"url": url_for("api.tariff", tariff_id=one.id)}


def schemas() -> Spec:
    """`Tariff` and `NewTariff`, from the same model that reckons."""
    schema = Rates.model_json_schema(mode="validation", ref_template="#/components/schemas/Tariff{model}")
    parts = {f"Tariff{name}": part for name, part in schema.pop("$defs").items()}
    own = {"name": {**TEXT, "maxLength": LONGEST_NAME}, "currency": {**TEXT, "description": "ISO 4217."}}
    given = own | schema["properties"]
    more = {"id": TEXT, "created_at": {**TEXT, "format": "date-time"}, "url": TEXT}
    whole: Spec = {"type": "object", "properties": given, "description": schema["description"]}
    return parts | {
        "NewTariff": whole | {"required": ["name", "currency", "kind"]},
        "TariffChange": whole,
        "Tariff": {"type": "object", "properties": given | more, "required": ["id", "name", "currency", "kind", "url"]},
    }


def paths(operation: Any) -> Spec:
    """The routes, by openapi's own maker of an operation."""
    one = [{"name": "tariff_id", "in": "path", "required": True, "schema": TEXT}]
    after = [{"name": "after", "in": "query", "schema": TEXT, "description": "Where the page begins; see `next`."}]
    whole, bad = _ref("Tariff"), (400, 401, 403, 404, 413, 422)
    rows: Spec = {"tariffs": {"type": "array", "items": whole}, "next": {"type": ["string", "null"]}}
    gone = operation("delete_tariff", "Delete a tariff", {}, one, 204, (401, 403, 404))
    gone["responses"]["204"].pop("content")
    return {
        "/api/v1/tariffs": {
            "get": operation("tariffs", "Tariffs", {"type": "object", "properties": rows}, after, bad=(401,)),
            "post": operation("make_tariff", "Make a tariff", whole, [], 201, bad) | _body_of("NewTariff"),
        },
        ONE: {
            "get": operation("tariff", "A tariff", whole, one, bad=(401, 404)),
            "patch": operation("change_tariff", "Change a tariff", whole, one, 200, bad) | _body_of("TariffChange"),
            "delete": gone,
        },
    }


def _ref(name: str) -> Spec:
    return {"$ref": f"#/components/schemas/{name}"}


def _body_of(name: str) -> Spec:
    return {"requestBody": {"content": {"application/json": {"schema": _ref(name)}}}}
