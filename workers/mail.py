"""The one place that writes and sends mail: rows in their cause's transaction, servers behind one port."""

import smtplib
import ssl
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr

from sqlalchemy.orm import Session

from deploy.settings import Settings
from models.account import Account
from models.delivery import Delivery
from models.run import FAILED, Run
from models.statements import Claim
from models.workspace import Membership
from tasks import discover
from tasks.context import Mailer
from tasks.errors import Away, JobError, TryLater
from tasks.job import Job

TIMEOUT = 30


def wanted(job: Job, claim: Claim) -> bool:
    """Whether the end of a run may be worth a mail at all: somebody asked for it, and it is nobody's child."""
    return job.audience != "machinery" and claim.account_id is not None and claim.parent_id is None


def after_run(session: Session, job: Job, claim: Claim, state: str, headline: str, origin: str) -> None:
    """Queue the mail that a run ended, for whoever asked for it and wants such mail.

    It carries a headline and a link: what was found stays behind the sign-in.
    """
    if not wanted(job, claim):
        return
    account = session.get(Account, claim.account_id)
    member = session.get(Membership, (claim.workspace_id, claim.account_id))
    if account is None or member is None or not account.mail_results:
        return
    news = "did not work" if state == FAILED else "is done"
    subject = f"{job.title}: {headline}" if headline else f"{job.title}: your run {news}"
    text = (
        f"Hello {account.name},\n\n"
        f"your run “{job.title}” {news}. See it here:\n{origin}/runs/{claim.id}\n\n"
        "You get this mail because you started the run. Mails after a run can be turned off on your account page:\n"
        f"{origin}/account\n"
    )
    session.add(
        Delivery(
            workspace_id=claim.workspace_id,
            account_id=account.id,
            run_id=claim.id,
            to=account.email,
            subject=subject[:200],
            text=text,
        )
    )


def after_lost(session: Session, run_id: str, origin: str) -> None:
    """The same for a run that ended because its workers kept dying."""
    run = session.get(Run, run_id)
    job = discover().get(run.kind) if run else None
    if run and job:
        claim = Claim(run.id, run.attempt, run.kind, run.workspace_id, run.account_id, {}, run.parent_id)
        after_run(session, job, claim, FAILED, "", origin)


class MailboxMailer:
    """The embedded mailbox: the delivery's row is the mail, so there is nothing more to do."""

    def send(self, delivery: Delivery, text: str) -> None:
        """Taken."""


class SmtpMailer:
    """A mail server, by SMTP with STARTTLS or TLS."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def send(self, delivery: Delivery, text: str) -> None:
        """Hand a mail to the server.

        Raises:
            Away: no server answers, or it does not let us in.
            TryLater: it says "later" (4xx), or falls silent over this mail.
            JobError: the server refuses this mail for good (5xx).
        """
        message = compose(delivery, text, self._settings)
        server = self._reached()
        try:
            with server:
                server.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            code, words = next(iter(error.recipients.values()))
            raise _refusal(code, words) from error
        except smtplib.SMTPResponseException as error:
            raise _refusal(error.smtp_code, error.smtp_error) from error
        except (OSError, smtplib.SMTPException) as error:
            raise TryLater(f"The mail server did not answer ({type(error).__name__}).") from error

    def _reached(self) -> smtplib.SMTP:
        try:
            return self._connect()
        except (OSError, smtplib.SMTPException) as error:
            code = getattr(error, "smtp_code", "")
            raise Away(f"The mail server was away ({f'{type(error).__name__} {code}'.strip()}).") from error

    def _connect(self) -> smtplib.SMTP:
        chosen, context = self._settings, ssl.create_default_context()
        if chosen.smtp_security == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                chosen.smtp_host, chosen.smtp_port, timeout=TIMEOUT, context=context
            )
        else:
            server = smtplib.SMTP(chosen.smtp_host, chosen.smtp_port, timeout=TIMEOUT)
        try:
            if chosen.smtp_security == "starttls":
                server.starttls(context=context)
            if chosen.smtp_user:
                server.login(chosen.smtp_user, chosen.smtp_password.get_secret_value())
        except (OSError, smtplib.SMTPException):
            server.close()
            raise
        return server


def _refusal(code: int, words: bytes | str) -> TryLater | JobError:
    said = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    if 400 <= code < 500:
        return TryLater(f"The mail server said {code}: later.")
    return JobError(f"The mail server refused this mail: {code} {said[:120]}")


def compose(delivery: Delivery, text: str, settings: Settings) -> EmailMessage:
    """The mail as it travels; its Message-ID is the delivery's id, so that a repeat can be recognised."""
    message = EmailMessage()
    name, address = parseaddr(settings.mail_from)
    message["From"] = Address(name, addr_spec=address)
    message["To"] = Address(addr_spec=delivery.to)
    message["Subject"] = delivery.subject
    message["Date"] = format_datetime(datetime.now(UTC))
    message["Message-ID"] = f"<{delivery.id}@{address.partition('@')[2] or 'localhost'}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    if delivery.html:
        message.add_alternative(delivery.html, subtype="html")
    return message


def mailer(settings: Settings) -> Mailer:
    """The adapter that the settings name."""
    return SmtpMailer(settings) if settings.mail == "smtp" else MailboxMailer()
