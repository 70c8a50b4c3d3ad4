"""Mail through SendGrid, by its own library."""

import base64
import json
import logging
import time
from collections.abc import Callable
from http.client import HTTPException
from typing import Any
from urllib.error import URLError

import sendgrid
from python_http_client.exceptions import HTTPError
from sendgrid.helpers.mail import (
    Attachment,
    Category,
    Content,
    ContentId,
    CustomArg,
    Disposition,
    Email,
    FileContent,
    FileName,
    FileType,
    Header,
    Mail,
    To,
    TrackingSettings,
)  # fmt: skip
from sendgrid.helpers.mail.click_tracking import ClickTracking
from sendgrid.helpers.mail.open_tracking import OpenTracking

from deploy.settings import Settings
from tasks.errors import Away, JobError, TryLater
from tasks.mailing.outgoing import Enclosed, Outgoing
from workers.compose import Sender, from_name, headers, message_id, named, recipient, subject

TIMEOUT = 30
LONGEST_WAIT = 3600.0
# At its lowest level it logs every header, and the key is one.
logging.getLogger("python_http_client.client").disabled = True


class SendGridMailer:
    """Hands mails to SendGrid's API."""

    def __init__(self, settings: Settings, sender: Sender) -> None:
        self._client = sendgrid.SendGridAPIClient(
            settings.sendgrid_key.get_secret_value(), host=settings.sendgrid_host.rstrip("/")
        ).client
        self._client.timeout = TIMEOUT
        self._sender = sender

    def send(self, mail: Outgoing, meanwhile: Callable[[], None]) -> None:
        """Hand a mail over.

        Raises:
            Away: it does not know our key, or wants us to wait.
            TryLater: it is in trouble, or silent.
            JobError: it refuses this mail.
        """
        body = request(mail, self._sender)
        try:
            self._client.mail.send.post(request_body=body)
        except HTTPError as error:
            raise _meaning(error) from None  # the library's error holds our request
        except URLError as error:  # no connection: nothing of this mail was there yet
            raise Away(f"SendGrid cannot be reached ({type(error.reason).__name__}).") from None
        except (OSError, HTTPException) as error:
            raise TryLater(f"SendGrid did not answer ({type(error).__name__}).") from None

    def prepare(self, mail: Outgoing) -> None:
        """The library makes a request and waits for it: there is no time between."""

    def close(self) -> None:
        """Each request has a connection of its own."""


def request(mail: Outgoing, sender: Sender) -> dict[str, Any]:
    """The body as its API wants it."""
    html, shown = named(mail, sender)
    made = Mail(from_email=Email(sender.address, from_name(mail, sender) or None), subject=subject(mail.subject) or " ")
    made.add_to(To(recipient(mail.to)))
    if mail.thread is None:
        made.reply_to = Email(sender.address, sender.name or None)
    elif mail.thread.reply_to:
        made.reply_to = Email(recipient(mail.thread.reply_to))
    made.add_content(Content("text/plain", mail.text or " "))  # text goes first: the API refuses another order
    if html:
        made.add_content(Content("text/html", html))
    for (name, content_id), data in shown.items():
        made.add_attachment(_picture(name, content_id, data))
    for file in mail.thread.files if mail.thread else ():
        made.add_attachment(_file(file))
    for header, value in {**headers(mail, sender), "Message-ID": message_id(mail, sender)}.items():
        made.add_header(Header(header, value))
    made.add_custom_arg(CustomArg("delivery", mail.id))  # its events bring this back
    made.add_category(Category("nightshift"))
    if mail.stop:
        made.add_category(Category(mail.stop.partition(":")[0]))
    # Its own counting would put its links in the place of ours, and a picture that tells when somebody read.
    made.tracking_settings = TrackingSettings(ClickTracking(False, False), OpenTracking(False))
    found: dict[str, Any] = made.get()
    return found


def _file(file: Enclosed) -> Attachment:
    content = FileContent(base64.b64encode(file.data).decode())
    return Attachment(content, FileName(subject(file.name)), FileType(file.media_type), Disposition("attachment"))


def _picture(name: str, content_id: str, data: bytes) -> Attachment:
    return Attachment(
        FileContent(base64.b64encode(data).decode()),
        FileName(f"{name}.png"),
        FileType("image/png"),
        Disposition("inline"),
        ContentId(content_id),
    )


def _meaning(error: HTTPError) -> Exception:
    """What an answer means for this mail and for those after it."""
    code = error.status_code
    if code in (401, 403):
        return Away(
            f"SendGrid does not let us in ({code}): whoever runs this Nightshift checks NIGHTSHIFT_SENDGRID_KEY, that "
            "it may send mail, and that the sender NIGHTSHIFT_MAIL_FROM is verified there."
        )
    if code == 429:
        return Away("SendGrid wants fewer mails for a while (429).", _wait(error))
    if code >= 500 or code == 408:
        return TryLater(f"SendGrid is in trouble ({code}).")
    return JobError(f"SendGrid refused this mail: {code} {_said(error)}".strip())


def _wait(error: HTTPError) -> float:
    """Seconds, by either of the two headers that say so."""
    given = {name.lower(): value for name, value in dict(error.headers or {}).items()}
    for name, since in (("retry-after", 0.0), ("x-ratelimit-reset", time.time())):
        try:
            seconds = float(given[name]) - since
        except (KeyError, ValueError):
            continue
        return min(max(seconds, 1.0), LONGEST_WAIT)
    return 60.0


def _said(error: HTTPError) -> str:
    """Its own words, in one line that can be printed."""
    try:
        listed = json.loads(error.body)["errors"]
        words = "; ".join(str(each["message"]) for each in listed)
    except (ValueError, KeyError, TypeError):
        return ""
    return subject(words)
