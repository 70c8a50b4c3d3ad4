"""Getting in and out: the first administrator's page, signing in and out, making an account where that is open."""

import base64
import hashlib
import hmac
from typing import Any

from flask import Blueprint, Flask, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from deploy.settings import Settings
from models.account import Account
from models.session import EVERYONE
from models.workspace import SYSTEM
from web import identity, people, throttle
from web.current import everyone, me, own, person, public, runtime
from web.inputs import Form, NewPerson, read_form, time_zones
from web.security import hash_password, password_fits

bp = Blueprint("signin", __name__)
OPEN = ("static", "bootstrap.static", "livez", "health.readyz", "metrics.metrics", "signin.welcome")
CONFIRM = (
    "Welcome to Nightshift. To confirm that this address is yours, open this page within 30 minutes:\n\n{link}\n\n"
    "If you did not make an account, leave it: nothing happens without the button on that page."
)
KNOWN = (
    "Somebody, probably you, tried to make an account at Nightshift with this address. You have one already: "
    "sign in at {origin}, or choose a new password there if you forgot yours."
)


class Welcome(NewPerson):
    """The first administrator, with the code that `make run` printed."""

    code: str


class SignInForm(Form):
    email: str
    password: str


def install(app: Flask) -> None:
    """Every page wants a sign-in unless its view is `public`; before the first account all lead to /welcome."""
    inhabited = False

    @app.before_request
    def let_in() -> ResponseReturnValue | None:
        nonlocal inhabited
        if request.endpoint in OPEN or request.endpoint is None or request.blueprint in identity.PROGRAMS:
            return None
        inhabited = inhabited or _inhabited()
        if not inhabited:
            return redirect(url_for("signin.welcome"))
        if getattr(app.view_functions[request.endpoint], "public", False) or person():
            return None
        return redirect(url_for("signin.sign_in", next=_here()))


def first_code(settings: Settings) -> str:
    """The code that lets the first administrator in, four groups of four; worthless once somebody has an account."""
    secret = hashlib.sha256(b"first administrator:" + settings.secret("first_code").encode()).digest()
    text = base64.b32encode(secret).decode()[:16]
    return "-".join(text[start : start + 4] for start in range(0, 16, 4))


@bp.route("/welcome", methods=["GET", "POST"])
@public
def welcome() -> ResponseReturnValue:
    if _inhabited():
        return redirect(url_for("signin.sign_in"))
    errors: dict[str, str] = {}
    if request.method == "POST":
        throttle.count("welcome", request.remote_addr or "", throttle.BY_ADDRESS)
        form, errors = read_form(Welcome)
        if not _code_fits(request.form.get("code", "")):
            errors["code"] = "This is not the code. “make run” prints it; so does “python -m web code”."
        elif form and _first_account(form):
            flash("Welcome. You run this Nightshift; everything else begins on this page.", "success")
            return redirect(url_for("home"))
    return render_template("account/welcome.html", errors=errors, zones=time_zones()), 422 if errors else 200


@bp.route("/sign-in", methods=["GET", "POST"])
@public
def sign_in() -> ResponseReturnValue:
    target = local_path(request.values.get("next", ""))
    if person():
        return redirect(target)
    error = ""
    if request.method == "POST":
        form, _ = read_form(SignInForm)
        error = _try(form) if form else "Fill in both fields."
        if not error:
            return redirect(target)
    open_to_all = runtime().settings.sign_up == "open"
    return render_template(
        "account/sign_in.html", error=error, open_to_all=open_to_all, next=target
    ), 422 if error else 200


@bp.post("/sign-out")
@own
def sign_out() -> ResponseReturnValue:
    identity.stop(me().secret)
    flash("You are signed out.", "success")
    return redirect(url_for("signin.sign_in"))


@bp.route("/register", methods=["GET", "POST"])
@public
def register() -> ResponseReturnValue:
    if runtime().settings.sign_up != "open":
        abort(404)
    errors: dict[str, str] = {}
    if request.method == "POST":
        throttle.count("register", request.remote_addr or "", throttle.BY_ADDRESS)
        form, errors = read_form(NewPerson)
        if form:
            throttle.count("register-account", form.email, throttle.BY_ACCOUNT)
            _register(form)
            return render_template("account/sent.html", title="Look into your mail", purpose="confirm")
    return render_template("account/register.html", errors=errors, zones=time_zones()), 422 if errors else 200


def local_path(target: str) -> str:
    """Where to go after signing in: a path of ours; anything that could lead elsewhere becomes the first page."""
    ours = target.startswith("/") and not target.startswith(("//", "/\\")) and target.isprintable()
    return target if ours else url_for("home")


def _here() -> str | None:
    return request.full_path.rstrip("?") if request.method == "GET" and request.path != "/" else None


def _inhabited() -> bool:
    with everyone() as session:
        return people.inhabited(session)


def _code_fits(text: str) -> bool:
    given = text.upper().replace("-", "").replace(" ", "")
    return hmac.compare_digest(given.encode(), first_code(runtime().settings).replace("-", "").encode())


def _first_account(form: Welcome) -> bool:
    hashed = hash_password(form.password)
    with runtime().database.write(EVERYONE) as session:
        people.one_at_a_time(session, SYSTEM)  # where there is none yet, its primary key lets one of two make it
        if people.inhabited(session):
            return False
        account = people.create_account(session, password_hash=hashed, confirmed=True, **_about(form))
        people.make_admin(session, account)
        people.audit(session, "first administrator", account.id)
        identity.start(session, account.id)
    return True


def _about(form: NewPerson) -> dict[str, Any]:
    return {"name": form.name, "email": form.email, "time_zone": form.time_zone}


def _try(form: SignInForm) -> str:
    """Sign in, or say why not. An address without an account takes the same steps as a wrong password."""
    email = form.email.strip().lower()
    throttle.count("sign-in-address", request.remote_addr or "", throttle.BY_ADDRESS)
    # Ten from one machine, more from all together: a stranger must not be able to lock somebody out so easily.
    throttle.count("sign-in-here", f"{request.remote_addr} {email}", throttle.BY_ACCOUNT)
    throttle.count("sign-in-account", email, throttle.BY_ADDRESS)
    with everyone() as session:
        account = people.find(session, email)
    fits = password_fits(account.password_hash if account else None, form.password)
    if not (account and fits):
        with everyone(write=True) as session:
            people.audit(session, "sign-in refused", account.id if account else None)
        return "This address and password do not go together."
    return _enter(account)


def _enter(account: Account) -> str:
    with everyone(write=True) as session:
        if account.confirmed_at is None:
            people.mail(session, account, "Confirm your address", CONFIRM, link="confirm")
            return "Your address is not confirmed yet. A new mail is on its way; it holds a link that does it."
        identity.start(session, account.id)
        people.audit(session, "signed in", account.id)
    throttle.forget("sign-in-here", f"{request.remote_addr} {account.email}")
    throttle.forget("sign-in-account", account.email)
    return ""


def _register(form: NewPerson) -> None:
    """Make an account, or tell the owner of a known address by mail; the page says the same to both."""
    hashed = hash_password(form.password)
    with everyone(write=True) as session:
        if account := people.find(session, form.email):
            text = KNOWN.format(origin=runtime().origin)
            people.mail(session, account, "You have an account already", text)
            people.audit(session, "registered again", account.id)
            return
        account = people.create_account(session, password_hash=hashed, confirmed=False, **_about(form))
        people.mail(session, account, "Confirm your address", CONFIRM, link="confirm")
