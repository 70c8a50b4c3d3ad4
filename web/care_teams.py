"""Pages of teams: who answers together, and when they work."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base import clock
from models.desk import Team
from tasks.care import hours, week
from tasks.handover import Refused
from web import care_people, care_reckoned, care_starts
from web import care_team_book as book
from web import care_team_view as view
from web.current import reading, require_desk, writing
from web.energy_meters import countries, regions
from web.given import Given
from web.inputs import time_zones

bp = Blueprint("care_teams", __name__, url_prefix="/care/teams")


@bp.get("")
@require_desk("look")
def index() -> ResponseReturnValue:
    with reading() as session:
        now = clock(session)
        rows = session.scalars(select(Team).order_by(Team.name, Team.id).limit(book.MOST_TEAMS)).all()
        held = {row.id: hours.of(row) for row in rows}
        shown = [(row, week.week_words(held[row.id]), view.state(held[row.id], now)) for row in rows]
        return render_template(
            "care/teams/index.html", teams=shown, counts=view.counts(session), leads=view.leads(session),
            first=view.first_id(session), most=book.MOST_TEAMS,
        )  # fmt: skip


@bp.post("/start")
@require_desk("lead")
def start() -> ResponseReturnValue:
    """A team to begin with, where there is none."""
    _settle_first()
    with writing() as session:
        team = care_starts.team(session)
        if team is not None:
            care_reckoned.reckon(session)
    flash("This is a team to begin with: look at its hours, and say who is in it.", "success")
    return redirect(url_for("care_teams.show", team_id=team.id) if team else url_for("care_teams.index"), 303)


@bp.get("/week")
@require_desk("look")
def drawn() -> ResponseReturnValue:
    """The picture of hours that were not saved yet, for the form."""
    given = Given(request.args)
    held = book.read_hours(given)
    return render_template("care/teams/_week.html", days=view.picture(held), wrong=given.wrong, told=_strange(held))


@bp.get("/new")
@require_desk("lead")
def new() -> ResponseReturnValue:
    with reading() as session:
        return _form(care_starts.proposed(session))


@bp.post("/new")
@require_desk("lead")
def create() -> ResponseReturnValue:
    if drafted := _draft():
        return drafted
    _settle_first()
    try:
        with writing() as session:
            team = book.create(session, book.read(session, request.form))
            told = care_reckoned.reckon(session)
    except Refused as error:
        return _form(request.form, errors=error.errors), error.status
    flash(" ".join(["Saved. Now say who is in it.", told]).strip(), "success")
    return _to(team.id)


@bp.get("/<team_id>")
@require_desk("look")
def show(team_id: str) -> ResponseReturnValue:
    return _show(team_id)


@bp.get("/<team_id>/edit")
@require_desk("lead")
def edit(team_id: str) -> ResponseReturnValue:
    with reading() as session:
        team = _find(session, team_id)
        return _form(book.shown(team), team)


@bp.post("/<team_id>/edit")
@require_desk("lead")
def save(team_id: str) -> ResponseReturnValue:
    with reading() as session:
        team = _find(session, team_id)
    if drafted := _draft(team):
        return drafted
    try:
        with reading() as session:
            wanted = book.read(session, request.form, team_id)
        if wanted.hours != hours.of(team):
            care_reckoned.settle(team_id)
        with writing() as session:
            team = _find(session, team_id)
            moved = book.change(team, book.read(session, request.form, team_id))
            told = care_reckoned.reckon(session) if moved else ""
    except Refused as error:
        return _form(request.form, team, error.errors), error.status
    flash(f"Saved. {told}".strip(), "success")
    return _to(team_id)


@bp.get("/<team_id>/delete")
@require_desk("lead")
def ask(team_id: str) -> ResponseReturnValue:
    with reading() as session:
        team = _find(session, team_id)
        return render_template(
            "care/teams/delete.html", team=team, open=view.open_tickets(session, team_id), most=view.MOST,
            topics=view.topics(session, team_id),
        )  # fmt: skip


@bp.post("/<team_id>/delete")
@require_desk("lead")
def delete(team_id: str) -> ResponseReturnValue:
    care_reckoned.settle(team_id)
    with writing() as session:
        session.delete(_find(session, team_id))
        told = care_reckoned.reckon(session)
    flash(f"The team is gone. {told}".strip(), "success")
    return redirect(url_for("care_teams.index"), 303)


@bp.post("/<team_id>/members")
@require_desk("lead")
def join(team_id: str) -> ResponseReturnValue:
    try:
        with writing() as session:
            book.join(session, _find(session, team_id), request.form)
    except Refused as error:
        return _show(team_id, error.errors), error.status
    return _to(team_id)


@bp.post("/<team_id>/members/<account_id>")
@require_desk("lead")
def set_member(team_id: str, account_id: str) -> ResponseReturnValue:
    with writing() as session:
        book.set_member(book.member(session, team_id, account_id) or abort(404), request.form)
    flash("Saved.", "success")
    return _to(team_id)


@bp.post("/<team_id>/members/<account_id>/leave")
@require_desk("lead")
def leave(team_id: str, account_id: str) -> ResponseReturnValue:
    with writing() as session:
        session.delete(book.member(session, team_id, account_id) or abort(404))
    flash("They are not in this team any more. Tickets that they have stay theirs.", "success")
    return _to(team_id)


def _settle_first() -> None:
    """The first team's hours hold from now on for tickets that have none; until then every hour counted."""
    with reading() as session:
        none = not view.first_id(session)
    if none:
        care_reckoned.settle()


def _find(session: Session, team_id: str) -> Team:
    return book.find(session, team_id) or abort(404)


def _show(team_id: str, errors: dict[str, str] | None = None) -> str:
    with reading() as session:
        team, now = _find(session, team_id), clock(session)
        held, people = hours.of(team), view.members(session, team_id, now)
        known = {member.id for member in people}
        return render_template(
            "care/teams/show.html", team=team, held=held, days=view.picture(held), lines=week.week_words(held),
            state=view.state(held, now), free=view.free_days(held, now), told=hours.problems(held, now),
            members=people, others=[each for each in care_people.agents(session) if each[0] not in known],
            open=view.open_tickets(session, team_id), most=view.MOST, topics=view.topics(session, team_id),
            is_first=view.first_id(session) == team_id, assigns=book.ASSIGNS, errors=errors or {},
        )  # fmt: skip


def _draft(team: Team | None = None) -> ResponseReturnValue | None:
    """The form again, nothing saved: with Monday's hours on other days, or with a look at the week."""
    wanted = request.form.get("do", "")
    if wanted not in ("working days", "every day", "look"):
        return None
    values = dict(request.form)
    if wanted != "look":
        copied = book.DAYS[1:5] if wanted == "working days" else book.DAYS[1:]
        values |= dict.fromkeys(copied, values.get("monday", ""))
    given = Given(values)
    book.read_hours(given)
    return _form(values, team, given.wrong)


def _form(values: Mapping[str, Any], team: Team | None = None, errors: dict[str, str] | None = None) -> str:
    held = book.read_hours(Given(values))
    return render_template(
        "care/teams/form.html", values=values, team=team, errors=errors or {}, weekdays=hours.WEEKDAYS,
        days=view.picture(held), told=_strange(held), zones=time_zones(), countries=countries(),
        regions=regions(str(values.get("holidays") or "")[:12].upper()), assigns=list(book.ASSIGNS.items()),
    )  # fmt: skip


def _strange(held: hours.Hours) -> list[str]:
    """What a form says of hours beside what is wrong with them; an empty week is said when it is saved."""
    return hours.problems(held) if held.week is None or any(held.week) else []


def _to(team_id: str) -> ResponseReturnValue:
    return redirect(url_for("care_teams.show", team_id=team_id), 303)
