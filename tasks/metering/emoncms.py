"""What is sent to emoncms's input API, read: https://docs.openenergymonitor.org, “Input API”. Pure.

An input is a key of a node; the meter whose source is “node:key” takes it.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tasks.metering import incoming
from tasks.metering.incoming import NoJson, moment

MOST = 50_000  # values in one request
NO_DATA = "Request contains no data: send it as fulljson, json, csv or data."
NO_JSON = "Error decoding JSON string."
NO_OBJECT = "Input must be a JSON object of keys and numbers."
NO_KEY = "Format error, json key missing or invalid character."
NOT_A_LIST = "Format error: data is a list of lists, each [offset, node, value, …]."
NO_OFFSET = "Format error: an item of data begins with its time offset in whole seconds."
NO_NODE = "Format error: the node of an item must be a number or a name."
NO_SECONDS = "{} is a whole number of seconds."
TOO_MANY = f"Send at most {MOST:,} values at a time."
FORBIDDEN = re.compile(r"[^\w\s.:,+-]")  # what emoncms strikes out of its older, looser kind of JSON
NODE = re.compile(r"[^\w\s.-]")

Input = tuple[str, int, Any]  # source, epoch seconds, value as it was sent


class Wrong(ValueError):
    """What was sent cannot be read; says why."""


def post(sent: Mapping[str, str], node: str, now: int) -> list[Input]:
    """The inputs of input/post.

    Args:
        sent: the request's parameters.
        node: from its address; the parameter's, or 0, where that says none.
        now: epoch seconds.

    Raises:
        Wrong: see there.
    """
    node = NODE.sub("", node or sent.get("node", "")).strip() or "0"
    if "fulljson" in sent:
        inputs = _json(sent["fulljson"])
        if not isinstance(inputs, dict):
            raise Wrong(NO_OBJECT)
    else:
        inputs = _pairs(next((sent[name] for name in ("json", "csv", "data") if sent.get(name)), ""))
    at = sent.get("time") or inputs.pop("time", None)
    return [(f"{node}:{key}", _moment(at, now), value) for key, value in inputs.items() if value is not None]


def bulk(sent: Mapping[str, str], now: int) -> list[Input]:
    """The inputs of input/bulk: each item's time is relative to `time`, to now less `sentat` or `offset`, or to the
    last item's, which is taken to be of now.

    Raises:
        Wrong: see there.
    """
    items = _json(sent.get("data", ""))
    if not isinstance(items, list) or not items or not all(isinstance(item, list) and item for item in items):
        raise Wrong(NOT_A_LIST)
    if sum(map(len, items)) > MOST + 2 * len(items):
        raise Wrong(TOO_MANY)
    start = _reference(sent, items, now)
    return [each for item in items if len(item) > 2 for each in _item(item, start, now)]


def _reference(sent: Mapping[str, str], items: list[list[Any]], now: int) -> int:
    for name in ("sentat", "offset"):
        if sent.get(name):
            return now - _seconds(sent[name], name)
    if sent.get("time"):
        return _moment(sent["time"], now)
    return now - _offset(items[-1])


def _item(item: list[Any], start: int, now: int) -> Iterator[Input]:
    """[offset, node, value, value, {"key": value}, …]: a value without a key has the number of its place, from 1."""
    node = item[1]
    if isinstance(node, bool) or not isinstance(node, int | str) or not (name := NODE.sub("", str(node)).strip()):
        raise Wrong(NO_NODE)
    at, number = _moment(start + _offset(item), now), 0
    for value in item[2:]:
        if isinstance(value, dict):
            yield from ((f"{name}:{key}", at, inner) for key, inner in value.items() if inner is not None)
            continue
        number += 1
        if value not in (None, ""):
            yield f"{name}:{number}", at, value


def _json(text: str) -> Any:
    try:
        return incoming.parse(text)
    except NoJson:
        raise Wrong(NO_JSON) from None


def _pairs(text: str) -> dict[str, Any]:
    """“{power:250,wh:12}”, with or without quotes, or “100,200,300”, whose keys are 1, 2, 3."""
    if not (cleaned := FORBIDDEN.sub("", text).strip()):
        raise Wrong(NO_DATA)
    found: dict[str, Any] = {}
    number = 0
    for part in cleaned.split(",", MOST + 1):
        key, colon, value = part.rpartition(":")
        if colon and not key.strip():
            raise Wrong(NO_KEY)
        number += not colon
        found[key.strip() if colon else str(number)] = value.strip()
    if len(found) > MOST:
        raise Wrong(TOO_MANY)
    return found


def _moment(given: Any, now: int) -> int:
    try:
        return now if given is None else moment(given, now=now)
    except ValueError as error:
        raise Wrong(str(error)) from None


def _offset(item: list[Any]) -> int:
    offset = item[0]
    if isinstance(offset, bool) or not isinstance(offset, int) or abs(offset) > 2**40:
        raise Wrong(NO_OFFSET)
    return offset


def _seconds(text: str, name: str) -> int:
    try:
        return int(text[:14])
    except ValueError:
        raise Wrong(NO_SECONDS.format(name)) from None
