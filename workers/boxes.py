"""Opens the mailboxes of help desks, with the settings and the secret key; libraries are loaded where one is opened."""

from email.utils import parseaddr
from functools import cached_property

from sqlalchemy.orm import Session

from deploy.settings import Settings
from tasks.care.boxes import Box, Door, Trouble
from tasks.care.tokens import Tokens
from tasks.errors import JobError

KEY_CHANGED = "The secret key of this Nightshift has changed since: give the password of this mailbox once more."
TEST_SECONDS = 15.0


class Doors:
    """See `tasks.care.boxes.Boxes`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @cached_property
    def tokens(self) -> Tokens:
        return Tokens(self._settings.secret("secret_key"))

    @cached_property
    def own(self) -> str:
        return parseaddr(self._settings.mail_from)[1].lower()

    def room(self, session: Session, workspace_id: str) -> int:
        from workers import quotas

        return quotas.room_for_mail(session, self._settings, workspace_id)

    def open(self, door: Door, seconds: float | None = None) -> Box:
        if door.kind == "maildir":
            from workers.maildir import Maildir

            return Maildir(self._settings.maildirs, door.workspace_id, door.again)
        from workers import imap
        from workers.outgoing import networks

        allowed = networks(self._settings.outgoing_networks)
        return imap.ImapBox(door, self._password(door), allowed, self._settings.imap_ca, seconds or imap.ALL_SECONDS)

    def _password(self, door: Door) -> str:
        from workers.channels import Seal

        try:
            return Seal(self._settings.secret("secret_key")).open(door.sealed_password)
        except JobError as error:
            raise Trouble(KEY_CHANGED) from error

    def seal(self, password: str) -> str:
        """The password as it is kept."""
        from workers.channels import Seal

        return Seal(self._settings.secret("secret_key")).close(password)
