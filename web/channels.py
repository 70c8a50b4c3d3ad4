"""Other ways to tell a person: Slack, Telegram, ntfy, a webhook and the rest. Their addresses hold secrets: they are
encrypted on their way in and never shown again.
"""

from typing import Annotated

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from pydantic import AfterValidator, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.account import Account
from models.alert import Channel
from tasks.alerting import wishes
from tasks.errors import JobError
from tasks.mailing import channels, homes
from web import people, throttle
from web.current import everyone, me, own, runtime
from web.inputs import Form, read_form

bp = Blueprint("channels", __name__, url_prefix="/account/channels")
MOST = 10
LONGEST_URL = 1200
TEST = "This is what a message from Nightshift looks like. Nothing is wrong."


def _name(text: str) -> str:
    name = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    if not 1 <= len(name) <= 80:
        raise ValueError("Give a name of at most 80 characters, as “My phone”.")
    return name


class NewChannel(Form):
    channel_name: Annotated[str, AfterValidator(_name)]
    url: Annotated[str, Field(max_length=LONGEST_URL)]


@bp.get("")
@own
def index() -> ResponseReturnValue:
    return _page({})


@bp.post("")
@own
def add() -> ResponseReturnValue:
    throttle.count("channel", me().id, throttle.BY_ACCOUNT)
    form, errors = read_form(NewChannel)
    if "url" in errors:
        errors["url"] = f"Give an address of at most {LONGEST_URL} characters."
    if form is None:
        return _page(errors), 422
    wrong = _add(form)
    if wrong:
        return _page({"url": wrong}), 422
    flash("Added. A test message is on its way; if it does not arrive, this page soon says why.", "success")
    return redirect(url_for("channels.index"))


@bp.post("/<channel_id>/test")
@own
def test(channel_id: str) -> ResponseReturnValue:
    throttle.count("channel", me().id, throttle.BY_ACCOUNT)
    with everyone(write=True) as session:
        _try_out(session, _mine(session, channel_id))
    flash("A test message is on its way; if it does not arrive, this page soon says why.")
    return redirect(url_for("channels.index"))


@bp.post("/<channel_id>/switch")
@own
def switch(channel_id: str) -> ResponseReturnValue:
    """Off, or on again with its failures forgotten."""
    with everyone(write=True) as session:
        channel = _mine(session, channel_id)
        channel.enabled = not channel.enabled
        channel.failures = 0
        if channel.enabled:
            channel.reason = ""
        people.audit(
            session, "channel turned on" if channel.enabled else "channel turned off", me().id, channel=channel_id
        )
        said = f"“{channel.name}” is {'on' if channel.enabled else 'off'}."
    flash(said, "success")
    return redirect(url_for("channels.index"))


@bp.post("/<channel_id>/delete")
@own
def delete(channel_id: str) -> ResponseReturnValue:
    with everyone(write=True) as session:
        session.delete(_mine(session, channel_id))
        people.audit(session, "channel deleted", me().id, channel=channel_id)
    flash("The channel is gone, with the messages that went through it.", "success")
    return redirect(url_for("channels.index"))


@bp.post("/void-links")
@own
def void_links() -> ResponseReturnValue:
    """End every link that mails had so far for getting no more of them, as after a mail was passed on."""
    with everyone(write=True) as session:
        wishes.of(session, me().id).links_version += 1
        people.audit(session, "links in mails made void", me().id)
    flash("The links in all your older mails are void; newer mails have new ones.", "success")
    return redirect(url_for("channels.index"))


def _add(form: NewChannel) -> str:
    """Keep it and send a test message; what is wrong with it, if anything is."""
    from workers import channels as services  # apprise takes 0.2 s to load

    try:
        scheme = services.scheme(form.url.strip())
    except JobError as error:
        return str(error)
    sealed = services.Seal(runtime().settings.secret("secret_key")).close(form.url.strip())
    with everyone(write=True) as session:
        if len(_all(session)) >= MOST:
            return f"You have {MOST} channels; delete one first."
        channel = Channel(account_id=me().id, name=form.channel_name, scheme=scheme, sealed_url=sealed, enabled=True)
        session.add(channel)
        session.flush()
        people.audit(session, "channel added", me().id, channel=channel.id, scheme=scheme)
        _try_out(session, channel)
    return ""


def _try_out(session: Session, channel: Channel) -> None:
    home = homes.home(session, me().id)
    if home is None:
        return
    where = f"{runtime().origin}{url_for('channels.index')}"
    session.add(channels.message(channels.Way(channel.id, channel.name), me().id, home, "A test", TEST, where))


def _all(session: Session) -> list[Channel]:
    return list(session.scalars(select(Channel).where(Channel.account_id == me().id).order_by(Channel.id)))


def _mine(session: Session, channel_id: str) -> Channel:
    mine = select(Channel).where(Channel.id == channel_id, Channel.account_id == me().id)
    return session.scalar(mine) or abort(404)


def _page(errors: dict[str, str]) -> str:
    from workers.channels import SCHEMES

    with everyone() as session:
        account = session.get_one(Account, me().id)
        return render_template(
            "channels/index.html", channels=_all(session), errors=errors, kinds=SCHEMES, account=account, most=MOST,
            given=request.form.get("channel_name", ""),
        )  # fmt: skip
