"""What the API says when something is wrong: problem details (RFC 9457), in the words of the pages."""

import json
from collections.abc import Mapping

from flask import Response
from werkzeug.http import HTTP_STATUS_CODES

MEDIA_TYPE = "application/problem+json"


def problem(
    status: int, detail: str, *, errors: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    """An answer of type application/problem+json.

    Args:
        detail: one sentence that says what to do.
        errors: a message for each field at fault; "" stands for the whole.
    """
    body = {"type": "about:blank", "title": HTTP_STATUS_CODES.get(status, "Error"), "status": status, "detail": detail}
    if errors is not None:
        body["errors"] = dict(errors)
    return Response(json.dumps(body), status, dict(headers or {}), content_type=MEDIA_TYPE)
