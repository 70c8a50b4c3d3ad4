"""emoncms's input API, so that what sends there (emonHub, OpenEVSE, Home Assistant's emoncms_history) can send here.

An input “node:key” goes to the meter with this source. As in emoncms, inputs that nobody asked for are let pass; where
no meter takes any of them, that is said. Programs show a personal token as `apikey`, or as a bearer token.
"""

import json
import time
from collections import defaultdict
from typing import Any

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from models.engine import again
from tasks.metering import emoncms, taking
from tasks.metering.emoncms import Input, Wrong
from tasks.metering.incoming import energy, readings_of
from tasks.metering.readings import Moved
from tasks.metering.taking import NotTaken
from web.current import may, person, writing
from web.identity import LONGEST_SENT

bp = Blueprint("emoncms", __name__, url_prefix="/emoncms/input")
BOTH = ("GET", "POST")
NO_KEY = "Invalid API key: send a personal token with the right to write as apikey, or as “Authorization: Bearer …”."
READER = "This token, or your role in its workspace, is for reading only."
NOBODY = "No meter takes {}. Write “{}” as the source into a meter's settings, or make a meter with it."
AGAIN = "Others wrote the same readings at this moment. Send it again."
SHOWN = 5  # inputs that are named


@bp.before_request
def _key_wanted() -> ResponseReturnValue | None:
    if person() is None:
        return _failed(NO_KEY, 401)
    return None if may("member") else _failed(READER, 403)


@bp.errorhandler(HTTPException)
def _trouble(error: HTTPException) -> ResponseReturnValue:
    return _failed(error.description or "", error.code or 500)


@bp.errorhandler(Wrong)
@bp.errorhandler(NotTaken)
def _wrong(error: Exception) -> ResponseReturnValue:
    return _failed(str(error), 400)


@bp.errorhandler(Moved)
def _moved(_error: Moved) -> ResponseReturnValue:
    return _failed(AGAIN, 503)


@bp.route("/post", methods=BOTH)
@bp.route("/post.json", methods=BOTH)
@bp.route("/post/<node>", methods=BOTH)
def post(node: str = "") -> ResponseReturnValue:
    """One moment of one node."""
    sent = _sent()
    take(emoncms.post(sent, node.removesuffix(".json"), int(time.time())))
    return _well(sent)


@bp.route("/bulk", methods=BOTH)
@bp.route("/bulk.json", methods=BOTH)
def bulk() -> ResponseReturnValue:
    """Many moments of many nodes: all that meters take is written, or nothing."""
    sent = _sent()
    take(emoncms.bulk(sent, int(time.time())))
    return _well(sent)


@again
def take(inputs: list[Input]) -> None:
    """Write what meters take; of two values of a moment the later one holds.

    Raises:
        Wrong: a value is none, or no meter takes any.
        NotTaken: by `taking.take`.
    """
    by_source: dict[str, dict[int, Any]] = defaultdict(dict)
    for source, at, value in inputs:
        by_source[source][at] = value
    with writing() as session:
        meters = taking.by_source(session, [each for each in by_source if each.isprintable()])
        if not meters:
            raise Wrong(_untaken(list(by_source)))
        parts = [
            (meter, readings_of({at: _energy(value, meter.unit, source) for at, value in by_source[source].items()}))
            for source, meter in meters.items()
        ]
        taking.take(session, parts)


def _energy(value: Any, unit: str, source: str) -> int:
    try:
        return energy(value, unit)
    except ValueError as error:
        raise Wrong(f"{source}: {error}") from None


def _untaken(sources: list[str]) -> str:
    if not sources:
        return emoncms.NO_DATA
    named = [source[:60] for source in sources[:SHOWN]]
    more = f" and {len(sources) - SHOWN} more" if len(sources) > SHOWN else ""
    return NOBODY.format(", ".join(named) + more, named[0])


def _sent() -> dict[str, str]:
    """The parameters, of the body before those of the address."""
    request.max_content_length = request.max_form_memory_size = LONGEST_SENT
    sent = request.args.to_dict() | request.form.to_dict()
    return {name: text.replace("\0", "") for name, text in sent.items()}


def _well(sent: dict[str, str]) -> Response:
    if "fulljson" in sent:
        return Response('{"success": true}', content_type="application/json")
    return Response("ok", content_type="text/plain; charset=utf-8")


def _failed(message: str, status: int) -> Response:
    body = json.dumps({"success": False, "message": message}, ensure_ascii=True)
    return Response(body, status, content_type="application/json")
