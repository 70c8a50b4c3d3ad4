"""What a mail provider tells us afterwards: delivered, came back, reported as spam, unsubscribed.

Open to nobody but the holder of the provider's key: the signature is checked over the time and the raw bytes before
anything of them is read. Each event counts once, however often it is told, and one call is one transaction.
"""

import binascii
import json
import time
from typing import Any

import structlog
from flask import Blueprint, abort, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models.account import Account
from models.delivery import Delivery, MailEvent
from tasks.mailing.outbox import came_back
from web import people, unsubscribe
from web.current import everyone, public, runtime
from workers.compose import subject

log = structlog.get_logger()
bp = Blueprint("mailhooks", __name__, url_prefix="/hooks")
MOST_BYTES, MOST_EVENTS = 1_000_000, 5_000
OLDEST_SECONDS = 600
SIGNATURE, TIMESTAMP = "X-Twilio-Email-Event-Webhook-Signature", "X-Twilio-Email-Event-Webhook-Timestamp"
FATES = {
    "delivered": "delivered", "bounce": "bounced", "blocked": "blocked", "dropped": "dropped", "deferred": "deferred",
    "spamreport": "spam", "unsubscribe": "unsubscribed", "group_unsubscribe": "unsubscribed",
}  # fmt: skip
DROPPED_FOR_GOOD = ("bounced address", "spam reporting address", "invalid")
SOME = 500  # ids in one question


@bp.post("/sendgrid")
@public
def sendgrid() -> ResponseReturnValue:
    key = runtime().settings.sendgrid_webhook_key.get_secret_value()
    if not key:
        abort(404)
    request.max_content_length = MOST_BYTES
    raw = request.get_data()
    if not _signed(key, raw):
        abort(403)
    events = _read(raw)
    try:
        count = _heard(events)
    except IntegrityError:  # the same events came twice at the same moment: now they are known
        count = _heard(events)
    log.info("mailhook.heard", events=len(events), new=count)
    return "", 204


def _signed(key: str, raw: bytes) -> bool:
    """Whether the provider sent exactly this, and lately."""
    from sendgrid.helpers.eventwebhook import EventWebhook  # loaded by those alone who use it

    sent = request.headers.get(TIMESTAMP, "")
    if not (sent.isascii() and sent.isdigit()) or abs(time.time() - int(sent[:12])) > OLDEST_SECONDS:
        return False
    try:
        hook = EventWebhook(key.replace("\\n", "\n").strip())
    except ValueError:
        log.error("mailhook.key_unreadable", setting="NIGHTSHIFT_SENDGRID_WEBHOOK_KEY")
        return False
    try:
        return bool(hook.verify_signature(raw.decode(), request.headers.get(SIGNATURE, ""), sent))
    except (UnicodeDecodeError, binascii.Error):
        return False


def _read(raw: bytes) -> list[dict[str, Any]]:
    try:
        events = json.loads(raw)
    except (ValueError, RecursionError):
        abort(400)
    if not isinstance(events, list) or len(events) > MOST_EVENTS or not all(isinstance(each, dict) for each in events):
        abort(400)
    return events


def _heard(events: list[dict[str, Any]]) -> int:
    """Write down what is new; how many that were."""
    by_id = {str(each["sg_event_id"])[:120]: each for each in events if each.get("sg_event_id")}
    with everyone(write=True) as session:
        for some in _some(list(by_id)):
            for known in session.scalars(select(MailEvent.id).where(MailEvent.id.in_(some))):
                del by_id[known]
        session.add_all(MailEvent(id=each) for each in by_id)
        session.flush()
        mails = _mails(session, list(by_id.values()))
        for event in sorted(by_id.values(), key=_when):
            if (mail := mails.get(_delivery(event))) is not None:
                _tell(session, mail, event)
    return len(by_id)


def _mails(session: Session, events: list[dict[str, Any]]) -> dict[str, Delivery]:
    ids = sorted({_delivery(each) for each in events} - {""})
    found: dict[str, Delivery] = {}
    for some in _some(ids):
        rows = session.scalars(select(Delivery).where(Delivery.id.in_(some), Delivery.channel_id.is_(None)))
        found |= {row.id: row for row in rows}
    return found


def _some(ids: list[str]) -> list[list[str]]:
    return [ids[first : first + SOME] for first in range(0, len(ids), SOME)]


def _delivery(event: dict[str, Any]) -> str:
    """The id that went with the mail; events of mails that others sent with the same key have none."""
    found = event.get("delivery")
    return found if isinstance(found, str) and len(found) == 28 else ""  # the length of our ids


def _when(event: dict[str, Any]) -> int:
    found = event.get("timestamp")
    return found * 1000 if isinstance(found, int) and 0 < found < 10**10 else 0


def _tell(session: Session, mail: Delivery, event: dict[str, Any]) -> None:
    """One event of one mail. What is told late does not undo what came after it."""
    kind = str(event.get("event"))
    if kind == "bounce" and event.get("type") == "blocked":
        kind = "blocked"
    fate, at = FATES.get(kind), _when(event)
    if fate is None:
        return
    if at >= (mail.fate_at or 0):
        mail.fate, mail.fate_at = fate, at
    why = subject(str(event.get("reason") or ""))
    if fate in ("bounced", "blocked", "dropped"):
        mail.reason = why or f"The mail was {fate}."
    if kind in ("bounce", "spamreport") or (kind == "dropped" and why.lower().startswith(DROPPED_FOR_GOOD)):
        came_back(session, mail.to, why or "It was reported as spam.")
    account = session.get(Account, mail.account_id) if mail.account_id else None
    if fate == "unsubscribed" and account and mail.stop:
        unsubscribe.ended(session, account, mail.stop)
        people.audit(session, "mails stopped at the mail provider", account.id, stopped=mail.stop)
