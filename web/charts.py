"""Plotly's own script, from its package's file: large, so it is packed once and kept by browsers for a month."""

import gzip
import hashlib
import importlib.util
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from flask import Blueprint, Flask, Response, abort, request, url_for
from flask.typing import ResponseReturnValue

from web.current import public

bp = Blueprint("charts", __name__)
MONTH = 30 * 86_400
LONG = 0.6  # of the longest bar


def beside(values: Sequence[float]) -> dict[str, Any]:
    """Where the words of lying bars stand: in the long ones, beside the short ones.

    Left to Plotly, they would be turned or shrunk until they fit.
    """
    most = max((abs(value) for value in values), default=0.0)
    where = ["inside" if abs(value) > most * LONG else "outside" for value in values]
    return {"textposition": where, "textangle": 0, "constraintext": "none", "cliponaxis": False}


@cache
def script() -> Path:
    """Found without importing the package, which would load much that no page needs."""
    found = importlib.util.find_spec("plotly")
    folders = list(found.submodule_search_locations or []) if found else []
    return Path(folders[0] if folders else "missing") / "package_data" / "plotly.min.js"


@cache
def version() -> str:
    """Changes with the file, which its address then does too."""
    stat = script().stat()
    return hashlib.sha256(f"{stat.st_size} {stat.st_mtime_ns}".encode()).hexdigest()[:10]


@cache
def packed() -> bytes:
    return gzip.compress(script().read_bytes(), compresslevel=6, mtime=0)


@cache
def style_ids() -> list[str]:
    """The style elements that the script would make, and our policy refuse; it uses those that it finds on the page."""
    own = re.findall(rb'getElementById\("([0-9a-f]{40,64})"\)', script().read_bytes()) if script().is_file() else []
    return ["plotly.js-style-global", *sorted({name.decode() for name in own})]


@bp.get("/charts/plotly.js")
@public
def plotly() -> ResponseReturnValue:
    """The script; anybody may have it, it is the same for all."""
    if not script().is_file():
        abort(404)
    small = request.accept_encodings["gzip"] > 0
    response = Response(packed() if small else script().read_bytes(), mimetype="text/javascript")
    if small:
        response.headers["Content-Encoding"] = "gzip"
    response.headers["Vary"] = "Accept-Encoding"
    response.headers["Cache-Control"] = f"public, max-age={MONTH}, immutable"
    response.set_etag(f"{version()}{'-gzip' if small else ''}")
    return response.make_conditional(request)


def address() -> str:
    return url_for("charts.plotly", of=version())


def install(app: Flask) -> None:
    app.jinja_env.globals.update(plotly_address=address, plotly_styles=style_ids)
