"""What is wrong in all meters of the workspace: listed, how large, what it cost, and dismissed by who knows better."""

from dataclasses import dataclass
from typing import Annotated, Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from pydantic import AfterValidator
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from models.base import clock
from models.meter import Anomaly, Meter
from tasks.metering import anomaly_alerts, anomaly_words
from web.current import reading, require_role, writing
from web.inputs import Form, page_number, read_form

bp = Blueprint("anomalies", __name__, url_prefix="/energy/anomalies")
PER_PAGE = 50
LONGEST = 200  # characters of a reason
SHOWN = {"": "All that count", "on": "Going on", "dismissed": "Dismissed"}
SORTS: dict[str, Any] = {
    "": Anomaly.start.desc(), "kwh": func.abs(func.coalesce(Anomaly.kwh, 0)).desc(),
    "cost": func.abs(func.coalesce(Anomaly.cost, 0)).desc(),
}  # fmt: skip
SORTED = {"": "Newest first", "kwh": "Largest first", "cost": "Dearest first"}


def _short(text: str) -> str:
    text = " ".join(text.split())
    if len(text) > LONGEST:
        raise ValueError(f"Say it in {LONGEST} characters.")
    return text


class Reason(Form):
    """Why it is none."""

    why: Annotated[str, AfterValidator(_short)] = ""


@dataclass(frozen=True, slots=True)
class Line:
    """An anomaly as the list shows it."""

    row: Anomaly
    meter: Meter

    @property
    def when(self) -> str:
        text = anomaly_words.when(self.row, self.meter.time_zone)
        return text[:1].upper() + text[1:]

    @property
    def kind(self) -> str:
        return anomaly_words.KINDS.get(self.row.kind, self.row.kind)

    @property
    def size(self) -> str:
        return anomaly_words.size(self.row)

    @property
    def cost(self) -> str:
        return anomaly_words.cost(self.row)


@bp.get("")
def index() -> ResponseReturnValue:
    return _page(_asked(request.args), page_number())


def _page(asked: dict[str, str], page: int, errors: dict[str, str] | None = None, at: str = "") -> str:
    with reading() as session:
        meters = session.scalar(select(func.count(Meter.id))) or 0
        chosen = _chosen(asked)
        found = session.scalar(chosen.with_only_columns(func.count(Anomaly.id)).order_by(None)) or 0
        rows = session.execute(chosen.limit(PER_PAGE).offset((page - 1) * PER_PAGE)).all()
        of = session.get(Meter, asked["meter"]) if asked["meter"] else None
        return render_template(
            "energy/anomalies.html", lines=[Line(row, meter) for row, meter in rows], found=found, meters=meters, of=of,
            asked=asked, page=page, pages=max(1, -(-found // PER_PAGE)), kinds=anomaly_words.KINDS, shown=SHOWN,
            orders=SORTED, errors=errors or {}, at=at, longest=LONGEST,
        )  # fmt: skip


@bp.post("/<anomaly_id>/dismiss")
@require_role("member")
def dismiss(anomaly_id: str) -> ResponseReturnValue:
    """Its alert ends, and the next nights leave it so."""
    form, errors = read_form(Reason)
    if form is None:
        with reading() as session:
            _find(session, anomaly_id)
        return _page(_asked(request.form), 1, errors, anomaly_id), 422
    with writing() as session:
        row, meter = _find(session, anomaly_id)
        now = clock(session)
        row.dismissed_at, row.dismissed_why = now, form.why
        session.flush()
        anomaly_alerts.settle(session, meter, [row], now // 1000)
    flash("Dismissed. It is not told of again; it stands under “Dismissed”.", "success")
    return _back()


@bp.post("/<anomaly_id>/restore")
@require_role("member")
def restore(anomaly_id: str) -> ResponseReturnValue:
    """It counts again; if it is news still, its alert opens again."""
    with writing() as session:
        row, meter = _find(session, anomaly_id)
        row.dismissed_at, row.dismissed_why = None, ""
        session.flush()
        as_of = min(clock(session) // 1000, (meter.last_at or 0) + max(meter.step, 1))
        anomaly_alerts.settle(session, meter, [row], as_of)
    flash("It counts again.", "success")
    return _back()


def _back() -> ResponseReturnValue:
    asked: dict[str, Any] = {name: value for name, value in _asked(request.form).items() if value}
    return redirect(url_for("anomalies.index", **asked), 303)


def _find(session: Session, anomaly_id: str) -> tuple[Anomaly, Meter]:
    if not anomaly_id.isalnum() or len(anomaly_id) > 28:
        abort(404)
    query = select(Anomaly, Meter).join(Meter, Meter.id == Anomaly.meter_id).where(Anomaly.id == anomaly_id)
    found = session.execute(query).first()
    return (found[0], found[1]) if found is not None else abort(404)


def _asked(given: Any) -> dict[str, str]:
    def one_of(name: str, known: Any) -> str:
        return given.get(name, "") if given.get(name, "") in known else ""

    meter = given.get("meter", "")
    return {
        "kind": one_of("kind", anomaly_words.KINDS), "show": one_of("show", SHOWN), "sort": one_of("sort", SORTS),
        "meter": meter if meter.isalnum() and len(meter) <= 28 else "",
        "q": given.get("q", "").replace("\0", "").strip()[:120],
    }  # fmt: skip


def _chosen(asked: dict[str, str]) -> Any:
    chosen = select(Anomaly, Meter).join(Meter, Meter.id == Anomaly.meter_id).where(_state(asked["show"]))
    if asked["kind"]:
        chosen = chosen.where(Anomaly.kind == asked["kind"])
    if asked["meter"]:
        chosen = chosen.where(Anomaly.meter_id == asked["meter"])
    if asked["q"]:
        chosen = chosen.where(func.lower(Meter.name).contains(asked["q"].lower(), autoescape=True))
    return chosen.order_by(SORTS[asked["sort"]], Anomaly.start.desc(), Anomaly.id)


def _state(show: str) -> ColumnElement[bool]:
    if show == "dismissed":
        return Anomaly.dismissed_at.is_not(None)
    counts = Anomaly.dismissed_at.is_(None)
    return counts & Anomaly.end.is_(None) if show == "on" else counts
