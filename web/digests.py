"""How somebody wants to be told, and what their next digest would say."""

from datetime import time
from typing import Annotated, Literal

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from pydantic import BeforeValidator, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.account import Account
from models.alert import Notice, Wish
from models.base import clock
from models.session import touch
from models.workspace import SYSTEM
from tasks.alerting import adding, slots, telling, wishes
from tasks.digest.job import mail_of
from tasks.digest.words import Mail
from web import throttle
from web.current import everyone, me, own, runtime
from web.inputs import Form, read_form
from web.mailbox import MAIL_POLICY
from web.security import allow
from web.when import WEEKDAYS

bp = Blueprint("digests", __name__)
SENDS = 6  # of one's own digest, in a quarter of an hour
CHOICES = {"at once": "at once", "gathered": "gathered in my digest", "never": "never"}
REPEATS = {"daily": "every day", "weekly": "every week", "monthly": "every month", "never": "never"}


def _minute(text: str | None) -> int | None:
    """Minutes of the day; None for an empty field."""
    if not text:
        return None
    try:
        at = time.fromisoformat(text)
    except ValueError:
        raise ValueError("Give a time of day, such as 22:00.") from None
    return at.hour * 60 + at.minute


Minute = Annotated[int | None, BeforeValidator(_minute)]


class Wishes(Form):
    """The settings; a box that is not ticked is not sent."""

    repeat: Literal["daily", "weekly", "monthly", "never"]
    hour: Annotated[int, Field(ge=0, le=23)]
    weekday: Annotated[int, Field(ge=1, le=7)] = 1
    monthday: Annotated[int, Field(ge=1, le=31)] = 1
    quiet_from: Minute = None
    quiet_until: Minute = None
    pictures: bool = False
    amounts: bool = False
    nag: bool = False


@bp.get("/account/notifications")
@own
def show() -> ResponseReturnValue:
    with everyone() as session:
        return _page(_mine(session))


@bp.post("/account/notifications")
@own
def change() -> ResponseReturnValue:
    form, errors = read_form(Wishes)
    errors = {name: _plainly(name, text) for name, text in errors.items()}
    areas = {area: request.form.get(f"area-{area}", "") for area in wishes.areas()}
    errors |= {f"area-{area}": "Choose one of these." for area, chosen in areas.items() if chosen not in CHOICES}
    if form and (form.quiet_from is None) != (form.quiet_until is None):
        errors["quiet_until"] = "Give both, when the quiet begins and when it ends; or leave both empty."
    with everyone(write=not errors) as session:
        if form is None or errors:
            return _page(_mine(session), errors), 422
        wish = wishes.of(session, me().id)
        for name, value in form.model_dump().items():
            setattr(wish, name, value)
        wish.areas = {**(wish.areas or {}), **areas}
        wishes.reckon(session, wish, me().time_zone)
    flash("Saved.", "success")
    return redirect(url_for("digests.show"), 303)


@bp.get("/digest")
@own
def preview() -> ResponseReturnValue:
    """The next digest as it would be now; nothing is marked told."""
    mail, wish = _preview()
    allow("frame-src", "'self'")
    return render_template("digests/preview.html", mail=mail, wish=wish, email=me().email)


@bp.get("/digest/html")
@own
def body() -> ResponseReturnValue:
    """Its HTML, for the frame of the preview; harmless when opened by itself."""
    mail, _ = _preview()
    response = make_response(mail.html.replace("{unsubscribe}", url_for("digests.show")) if mail else "")
    response.headers["Content-Security-Policy"] = MAIL_POLICY
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@bp.post("/digest/send")
@own
def send() -> ResponseReturnValue:
    """The digest is due now: its own job writes it, as it does every other."""
    throttle.count("digest", me().id, SENDS)
    mail, _ = _preview()
    if mail is None:
        flash("There is nothing to tell, so there is no mail.", "warning")
        return redirect(url_for("digests.preview"), 303)
    with everyone(write=True) as session:
        wishes.of(session, me().id).next_due = clock(session)
        touch(session, Notice, SYSTEM)
    flash(f"Your digest is on its way to {me().email}; it stands in your mailbox as well.", "success")
    return redirect(url_for("mailbox.index"), 303)


def _mine(session: Session) -> Wish:
    """My wishes, or what holds for who never said anything; nothing is written for looking."""
    if (found := session.get(Wish, me().id)) is not None:
        return found
    due = slots.next_due("daily", wishes.HOUR, 1, 1, me().time_zone, clock(session))
    return Wish(
        account_id=me().id, repeat="daily", hour=wishes.HOUR, weekday=1, monthday=1, pictures=True, amounts=False,
        nag=False, next_due=due,
    )  # fmt: skip


def _preview() -> tuple[Mail | None, Wish]:
    """What would be sent, without pictures: those are drawn when it is."""
    with everyone() as session:
        wish = _mine(session)
        person = _person(session, wish)
        (bag,) = telling.bags(session, [person])
    read = runtime().database.read
    if bag.worth_it or adding.called(read, [bag]):
        adding.add_sections(read, [bag], pictures=False)
    if not bag.worth_it:
        return None, wish
    return mail_of(bag, runtime().origin), wish


def _person(session: Session, wish: Wish) -> telling.Person:
    """As the digest's job would see me; who has no row yet has what holds for everybody."""
    found = telling.people(session, [me().id])
    if found:
        return found[0]
    account = session.scalars(select(Account).where(Account.id == me().id)).one()
    places = telling.places(session, [account.id])[account.id]
    narrow = telling.care_only(session, [account.id])[account.id]
    about = (account.id, account.name, account.email, account.time_zone)
    return telling.Person(*about, wish, places, len(places) > 1, narrow)


def _plainly(name: str, text: str) -> str:
    """What is wrong, in words of the page."""
    plain = {
        "hour": "Choose an hour from the list.",
        "weekday": "Choose a day from the list.",
        "monthday": "Choose a day from the list.",
    }
    return plain.get(name, text)


def _page(wish: Wish, errors: dict[str, str] | None = None) -> str:
    given = request.form if errors else None
    return render_template(
        "digests/settings.html",
        wish=wish,
        given=given,
        errors=errors or {},
        areas=wishes.areas(),
        chosen={area: wishes.choice(wish.areas, area) for area in wishes.areas()},
        choices=CHOICES,
        repeats=REPEATS,
        weekdays=list(enumerate(WEEKDAYS, 1)),
        clock=_clock,
    )


def _clock(minute: int | None) -> str:
    return "" if minute is None else f"{minute // 60:02}:{minute % 60:02}"
