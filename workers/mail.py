"""The one place that writes and sends mail: rows in their cause's transaction, servers behind one port."""

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from deploy.settings import Settings
from models.account import Account
from models.delivery import Delivery
from models.run import FAILED, Run
from models.statements import Claim
from models.workspace import HOUSE, Membership
from tasks import discover
from tasks.care.tokens import Tokens
from tasks.job import Job
from tasks.mailing.letters import Button, letter
from tasks.mailing.outgoing import Outgoing
from tasks.mailing.stops import PATH, RESULTS, Stop, Stops
from workers.compose import Sender
from workers.smtp import SmtpMailer

if TYPE_CHECKING:
    from workers.channels import Seal
    from workers.sendgrid_mail import SendGridMailer


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
    if account is None or member is None or member.role not in HOUSE or not account.mail_results:
        return
    news = "did not work" if state == FAILED else "is done"
    subject = f"{job.title}: {headline}" if headline else f"{job.title}: your run {news}"
    text, html = letter(
        subject,
        origin=origin,
        name=account.name,
        lead=f"Your run “{job.title}” {news}.",
        button=Button("See what came out" if state != FAILED else "See why", f"/runs/{claim.id}"),
        why="You get this mail because you started the run.",
        settings="/account",
        stop="Get no more mails after a run",
    )
    session.add(
        Delivery(
            workspace_id=claim.workspace_id,
            account_id=account.id,
            run_id=claim.id,
            to=account.email,
            subject=subject[:200],
            text=text,
            html=html,
            stop=RESULTS,
        )
    )


def after_lost(session: Session, run_id: str, origin: str) -> None:
    """The same for a run that ended because its workers kept dying."""
    run = session.get(Run, run_id)
    job = discover().get(run.kind) if run else None
    if run and job:
        claim = Claim(run.id, run.attempt, run.kind, run.workspace_id, run.account_id, {}, run.parent_id)
        after_run(session, job, claim, FAILED, "", origin)


class Mailbox:
    """The embedded mailbox: the delivery's row is the mail, so there is nothing more to do."""

    def prepare(self, mail: Outgoing) -> None:
        """Nothing."""

    def send(self, mail: Outgoing, meanwhile: Callable[[], None]) -> None:
        """Taken."""

    def close(self) -> None:
        """There is no connection."""


class Post:
    """The way out that the settings name, for mails; and for messages, the channels. Both are opened when needed."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def prepare(self, mail: Outgoing) -> None:
        self._server.prepare(mail)

    def send(self, mail: Outgoing, meanwhile: Callable[[], None]) -> None:
        if mail.sealed_url:
            from workers import channels  # loads libraries that most mail does without

            channels.send(mail, self._seal, self._settings.outgoing_networks)
        else:
            self._server.send(mail, meanwhile)

    def stop_url(self, account_id: str, stop: str, version: int) -> str:
        return f"{self._settings.origin}{PATH}{self._stops.token(Stop(account_id, stop, version))}"

    def close(self) -> None:
        if "_server" in self.__dict__:
            self._server.close()
            del self._server

    @cached_property
    def _server(self) -> "Mailbox | SmtpMailer | SendGridMailer":
        sender = Sender.parsed(self._settings.mail_from, self._settings.origin)
        if self._settings.mail == "smtp":
            return SmtpMailer(self._settings, sender)
        if self._settings.mail == "sendgrid":
            from workers.sendgrid_mail import SendGridMailer

            return SendGridMailer(self._settings, sender)
        return Mailbox()

    @cached_property
    def tokens(self) -> Tokens:
        return Tokens(self._settings.secret("secret_key"))

    @cached_property
    def _stops(self) -> Stops:
        return Stops(self._settings.secret("secret_key"))

    @cached_property
    def _seal(self) -> "Seal":
        from workers.channels import Seal

        return Seal(self._settings.secret("secret_key"))
