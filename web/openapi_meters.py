"""The description of the API's meters and readings."""

from typing import Any

from tasks.metering.incoming import UNITS
from web import meter_book
from web.readings_book import MOST

Spec = dict[str, Any]
TEXT: Spec = {"type": "string"}
COUNT: Spec = {"type": "integer", "minimum": 0}
TIME: Spec = {"type": ["string", "null"], "format": "date-time"}
AMOUNT: Spec = {
    "type": "string",
    "description": "A decimal number with a point, such as “12.345”, in the meter's unit.",
}
GIVEN_TIME: Spec = {
    "type": ["string", "number"],
    "description": "ISO 8601 with its time zone, or seconds since 1970. Of an interval meter where the interval "
    "begins. A counter's reading without one is of now.",
}
GIVEN_VALUE: Spec = {"type": ["number", "string"], "description": "A decimal number, with a point, in `unit`."}
UNIT: Spec = {"type": "string", "enum": list(UNITS)}
METERS, ONE = "/api/v1/meters", "/api/v1/meters/{meter_id}"


def schemas() -> Spec:
    given: Spec = {
        "name": {**TEXT, "maxLength": meter_book.LONGEST["name"]},
        "kind": {"type": "string", "enum": list(meter_book.KINDS), "description": "“interval”: each reading is the "
                 "energy of the step that begins at its time. “counter”: what the counter showed at its time."},
        "unit": {**UNIT, "description": "That its readings come in, and are shown in."},
        "time_zone": {**TEXT, "description": "Such as Europe/Berlin."},
        "holidays": {**TEXT, "description": "Country and region of its public holidays, such as DE or DE-BY."},
        "step": {**COUNT, "description": "Seconds from one reading to the next; 0: it is found by the readings."},
        "rolls_at": {"type": ["string", "number", "null"], "description": "Of a counter: the first value that it "
                     "cannot show any more, such as 100000."},
        "source": {**TEXT, "maxLength": meter_book.LONGEST["source"], "description": "What it is called where its "
                   "readings come from: “sensor.energy_total”, or “node:key” of emoncms."},
        "tariff_id": {"type": ["string", "null"]}, "place_id": {"type": ["string", "null"]},
        "note": {**TEXT, "maxLength": meter_book.LONGEST["note"]},
        "archived": {"type": "boolean", "description": "It takes no readings any more."},
    }  # fmt: skip
    own: Spec = {"id": TEXT}
    own["mqtt_address"] = {"type": ["string", "null"], "description": "The end of its MQTT topic; keep it secret. Null "
                           "for viewers and tokens for reading: whoever knows it may send readings."}  # fmt: skip
    own["trouble"] = {**TEXT, "description": "Why its last message by MQTT was not taken; empty when it was."}
    own |= {"first_at": TIME, "last_at": TIME, "created_at": TIME, "url": TEXT, "readings_url": TEXT}
    reading = {"time": GIVEN_TIME, "value": GIVEN_VALUE}
    sourced = {"source": {**TEXT, "description": "The source in a meter's settings."}, **reading}
    counts = {
        "new": {**COUNT, "description": "Of times that nothing was known of."},
        "changed": {**COUNT, "description": "Of known times, with another value: the new one holds."},
        "same": {**COUNT, "description": "Known already."},
        "thinned": {**COUNT, "description": "Of a counter: a later one of the same minute is kept."},
    }
    per_meter = {"meter": TEXT, "source": TEXT, **counts}
    shown_one = {"time": {**TEXT, "format": "date-time"}, "value": AMOUNT}
    page = {"meter": TEXT, "unit": UNIT, "kind": TEXT, "readings": {"type": "array", "items": _object(shown_one)}}
    return {
        "Meter": _object({**own, **given}),
        "NewMeter": {"type": "object", "properties": given, "required": ["name"]},
        "MeterChange": {"type": "object", "properties": given},
        "SentReadings": _sent(reading, ["value"]),
        "SourcedReadings": _sent(sourced, ["value"]),
        "Written": _object({"meter": TEXT, **counts}),
        "WrittenBySource": _object({**counts, "meters": {"type": "array", "items": _object(per_meter)}}),
        "Readings": _object({**page, "next": {"type": ["string", "null"]}}),
    }


def _sent(one: Spec, required: list[str]) -> Spec:
    """One, a list, or an object with a list and what holds for all of it."""
    single: Spec = {"type": "object", "properties": {**one, **_options()}, "required": required}
    listed: Spec = {"type": "array", "items": {"type": "object", "properties": one}, "minItems": 1, "maxItems": MOST}
    with_options = {"type": "object", "properties": {"readings": listed, **_options()}, "required": ["readings"]}
    return {"anyOf": [single, listed, with_options]}


def _options() -> Spec:
    return {
        "unit": {**UNIT, "description": "Of the values; the meter's own when left out."},
        "zone": {"const": "meter", "description": "Times without a zone are by the meter's clock."},
        "keep_old": {"type": "boolean", "description": "What is known stays where another value comes for its time."},
    }


def paths(operation: Any) -> Spec:
    """The routes, by openapi's own maker of an operation."""
    one = [{"name": "meter_id", "in": "path", "required": True, "schema": TEXT}]
    bad = (400, 401, 403, 404, 413, 415, 422)
    filters = [_query("source", "The meter with this source."), _query("archived", "“true”: those that are archived.")]
    filters.append(_query("after", "Where the page begins."))
    items = {"meters": {"type": "array", "items": _ref("Meter")}, "next": {"type": ["string", "null"]}}
    listed = {"type": "object", "properties": items}
    sending = _sending(operation, "send_by_source", "WrittenBySource", [], bad, "SourcedReadings")
    gone = operation("delete_meter", "Delete a meter and all its readings", {}, one, 204, (401, 403, 404))
    gone["responses"]["204"].pop("content")
    return {
        METERS: {
            "get": operation("meters", "Meters", listed, filters, bad=(401,)),
            "post": operation("make_meter", "Make a meter", _ref("Meter"), [], 201, bad) | _body("NewMeter"),
        },
        ONE: {
            "get": operation("meter", "A meter", _ref("Meter"), one, bad=(401, 404)),
            "patch": operation("change_meter", "Change a meter", _ref("Meter"), one, 200, bad) | _body("MeterChange"),
            "delete": gone,
        },
        f"{ONE}/readings": _readings(operation, one, bad),
        "/api/v1/readings": {"post": sending},
    }


def _readings(operation: Any, one: list[Spec], bad: tuple[int, ...]) -> Spec:
    span = [_query("from", "ISO 8601 or seconds since 1970."), _query("to", "The same; up to before it.")]
    more = [*span, _query("limit", "Readings of a page, up to 50,000."), _query("format", "“csv” for a CSV file.")]
    removed = {"type": "object", "properties": {"meter": TEXT, "removed": COUNT}}
    found = operation("readings", "A meter's readings, oldest first", _ref("Readings"), [*one, *more])
    found["responses"]["200"]["content"]["text/csv"] = {}
    return {
        "get": found,
        "post": _sending(operation, "send_readings", "Written", one, (*bad, 409), "SentReadings"),
        "delete": operation("remove_readings", "Take readings away", removed, [*one, *span], 200, (401, 403, 404, 422)),
    }


def _sending(operation: Any, name: str, answer: str, parameters: list[Spec], bad: tuple[int, ...], body: str) -> Spec:
    told = operation(name, "Send readings; doing it again changes nothing", _ref(answer), parameters, 200, (*bad, 503))
    return {**told, **_body(body), "description": f"Up to {MOST:,} at a time: all of them are written, or none."}


def _query(name: str, text: str) -> Spec:
    return {"name": name, "in": "query", "schema": TEXT, "description": text}


def _object(properties: Spec) -> Spec:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _ref(name: str) -> Spec:
    return {"$ref": f"#/components/schemas/{name}"}


def _body(name: str) -> Spec:
    return {"requestBody": {"content": {"application/json": {"schema": _ref(name)}}}}
