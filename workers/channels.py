"""Messages through people's channels: Slack, Telegram, ntfy, webhooks and the rest, by the `apprise` library.

Only services that speak HTTP through `requests`, so that the guard of workers/outgoing.py holds for them; and no
others, above all none that would run a command, open a file, or speak to what listens on this machine.
"""

import base64
import logging
import warnings
from contextlib import suppress
from functools import cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from urllib3.exceptions import HTTPError

from tasks.errors import JobError, TryLater
from tasks.mailing.outgoing import Outgoing
from workers.outgoing import guarded, networks

SCHEMES = {
    "ntfy": "ntfy", "ntfys": "ntfy", "slack": "Slack", "tgram": "Telegram", "discord": "Discord",
    "workflows": "Microsoft Teams", "mmost": "Mattermost", "mmosts": "Mattermost", "rocket": "Rocket.Chat",
    "rockets": "Rocket.Chat", "matrix": "Matrix", "matrixs": "Matrix", "gotify": "Gotify", "gotifys": "Gotify",
    "pover": "Pushover", "pbul": "Pushbullet", "join": "Join", "ifttt": "IFTTT", "signal": "Signal API",
    "signals": "Signal API", "twilio": "Twilio", "zulip": "Zulip", "wxteams": "Webex", "gchat": "Google Chat",
    "hassio": "Home Assistant", "hassios": "Home Assistant", "bark": "Bark", "barks": "Bark", "spush": "SimplePush",
    "apprise": "Apprise API", "apprises": "Apprise API", "json": "a webhook (JSON)", "jsons": "a webhook (JSON)",
    "xml": "a webhook (XML)", "xmls": "a webhook (XML)", "form": "a webhook (form)", "forms": "a webhook (form)",
}  # fmt: skip
UNKNOWN = (
    "This kind of channel is not offered. Give the apprise URL of a service that is reached over the web, as "
    "ntfys://ntfy.sh/topic or slack://TOKEN."
)
UNREADABLE = "This is not a whole {} URL. See its page in the documentation of apprise for what goes where."
KEY_CHANGED = (
    "The secret key of this Nightshift has changed since this channel was added. Delete it, then add it again."
)
MOST_TARGETS = 5  # one message may not become a flood, nor hold a worker
TOO_MANY = f"Give a channel at most {MOST_TARGETS} targets, and leave retry= out: Nightshift tries again by itself."
TEMPLATE = "A channel cannot use a template or another file; leave template= out."
BROKEN = "The service of this channel gave an answer that makes no sense."
# What the library lets out when an answer has not the shape it expects: a list for an object, a word for a number.
ODD = (ArithmeticError, AttributeError, HTTPError, LookupError, OSError, RuntimeError, TypeError, ValueError)
for name in ("apprise", "urllib3.connectionpool"):  # they log addresses, and those are secrets
    logging.getLogger(name).disabled = True


class Seal:
    """Encrypts channels' URLs, which hold their secrets, with a key made from the secret key."""

    def __init__(self, secret: str) -> None:
        kdf = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=b"nightshift channels 1")
        self._fernet = Fernet(base64.urlsafe_b64encode(kdf.derive(secret.encode())))

    def close(self, url: str) -> str:
        return self._fernet.encrypt(url.encode()).decode()

    def open(self, sealed: str) -> str:
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken as error:
            raise JobError(KEY_CHANGED) from error


def scheme(url: str) -> str:
    """The kind of channel that a URL is for.

    Raises:
        JobError: none that is offered, or not whole.
    """
    found = url.partition("://")[0].lower()
    if found not in SCHEMES:
        raise JobError(UNKNOWN)
    _plugin(url)
    return found


@cache
def _apprise() -> Any:
    """Loaded by those alone who use it: all its services take 0.2 s, and one of their libraries warns of its age."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import apprise
        from apprise.plugins import N_MGR

        N_MGR.load_modules()
    for kind in {N_MGR[each] for each in SCHEMES}:
        if hasattr(kind, "__del__"):  # Matrix would sign out when it is forgotten, which no guard sees
            kind.__del__ = _nothing
    return apprise


def _plugin(url: str) -> Any:
    apprise = _apprise()
    asset = apprise.AppriseAsset(secure_logging=True, storage_mode=apprise.PersistentStoreMode.MEMORY)
    found = apprise.Apprise.instantiate(url, asset=asset, suppress_exceptions=True)
    kind = url.partition("://")[0].lower()
    if found is None or kind not in SCHEMES:
        raise JobError(UNREADABLE.format(SCHEMES.get(kind, "channel")))
    if any(len(each) for each in vars(found).values() if isinstance(each, apprise.AppriseAttachment)):
        raise JobError(TEMPLATE)  # a file of this machine, whose content it would send
    if found.retry or len(found) > MOST_TARGETS:
        raise JobError(TOO_MANY)
    found.throttle = _nothing
    return found


def _nothing(*_args: Any, **_more: Any) -> None:
    """In place of the library's sleeps, which last as long as a service asks for: our limit of time does not end them.
    And in place of its farewells."""


def _sign_out(plugin: Any) -> None:
    """Of Matrix, which makes a session for each message."""
    if hasattr(plugin, "_logout") and not (plugin.access_token == plugin.password and not plugin.user):
        with suppress(*ODD):
            plugin._logout()


def send(mail: Outgoing, seal: Seal, allowed: str) -> None:
    """Hand a message to its service.

    Raises:
        TryLater: it is in trouble, silent, or out of its mind.
        JobError: it refuses us, or lies where nothing is sent.
    """
    plugin = _plugin(seal.open(mail.sealed_url))
    taken, broken = False, False
    with guarded(networks(allowed)) as watch:
        try:
            taken = plugin.notify(title=mail.subject, body=mail.text, notify_type="info", body_format="text")
        except ODD:
            broken = True
        code = watch.statuses[-1] if watch.statuses else 0
        _sign_out(plugin)
    if taken:
        return
    if watch.refused:
        raise JobError(watch.refused)
    if broken:
        raise TryLater(BROKEN)
    if code == 0:
        raise TryLater("The service of this channel did not answer.")
    if code >= 500 or code in (408, 425, 429):
        raise TryLater(f"The service of this channel said {code}: later.")
    raise JobError(f"The service of this channel refused the message ({code}). Check its address, then add it anew.")
