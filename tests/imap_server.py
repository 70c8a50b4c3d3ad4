"""Dovecot, in a folder of its own and without root: the IMAP server that tests of mailboxes speak to."""

import grp
import os
import pwd
import shutil
from collections.abc import Iterator

import imapclient
import pytest

from tests import certificates
from tests.server import NOBODY, Server, found
from tests.servers import require, says

PASSWORD = "open-sesame"
CONFIG = """
protocols = imap
base_dir = {folder}/run
state_dir = {folder}/run
log_path = /dev/stderr
ssl = yes
ssl_cert = <{certificate}
ssl_key = <{key}
default_internal_user = {user}
default_login_user = {user}
default_internal_group = {group}
mail_location = maildir:{folder}/mail/%u
mailbox_list_index = no
first_valid_uid = 1
auth_mechanisms = plain login
auth_failure_delay = 0
auth_cache_size = 0
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/home/%u
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    address = 127.0.0.1
    port = {second}
  }}
  inet_listener imaps {{
    address = 127.0.0.1
    port = {port}
    ssl = yes
  }}
}}
"""


class Dovecot(Server):
    """Everybody has a mailbox, under any name, with the same password. `port` is TLS, `second_port` STARTTLS."""

    name, package = "dovecot", "dovecot-imapd"
    programs = (("dovecot",),)

    @property
    def certificate(self) -> str:
        return str(self.folder / "127.0.0.1.pem")

    def prepare(self) -> None:
        certificate, key = certificates.made(self.folder)
        user = NOBODY if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        entry = pwd.getpwnam(user)
        text = CONFIG.format(
            folder=self.folder, certificate=certificate, key=key, user=user, uid=entry.pw_uid, gid=entry.pw_gid,
            group=grp.getgrgid(entry.pw_gid).gr_name, port=self.port, second=self.second_port, password=PASSWORD,
        )  # fmt: skip
        for each in (certificate, key, self.folder / "dovecot.conf"):
            if each.name == "dovecot.conf":
                each.write_text(text)
            if os.geteuid() == 0:
                shutil.chown(each, NOBODY, "nogroup")

    def command(self) -> list[str]:
        return [str(found("dovecot")), "-F", "-c", str(self.folder / "dovecot.conf")]

    def answers(self) -> bool:
        return says(self.second_port, b"")[:4] == b"* OK"

    def client(self, user: str) -> imapclient.IMAPClient:
        """Somebody's mail program, by the connection without TLS that a server allows on its own machine."""
        client = imapclient.IMAPClient("127.0.0.1", self.second_port, ssl=False)
        client.login(user, PASSWORD)
        return client

    def deliver(self, user: str, *mails: bytes, folder: str = "INBOX") -> None:
        client = self.client(user)
        for mail in mails:
            client.append(folder, mail)
        client.logout()

    def flags(self, user: str) -> dict[int, tuple[bytes, ...]]:
        """Of all mails in somebody's inbox, by their number."""
        client = self.client(user)
        client.select_folder("INBOX", readonly=True)
        flags: dict[int, tuple[bytes, ...]] = client.get_flags(client.search(["ALL"]))
        client.logout()
        return flags


@pytest.fixture(scope="session")
def dovecot() -> Iterator[Dovecot]:
    require(Dovecot)
    with Dovecot() as server:
        yield server
