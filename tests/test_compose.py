"""Mails as they travel: nothing that a person wrote becomes a header, and all of it arrives as it was written."""

import email
import email.policy
from email.message import EmailMessage
from typing import Any

import pytest

from tasks.errors import JobError
from tasks.mailing.outgoing import Inline, Outgoing
from workers.compose import Sender, compose, recipient, subject

US = Sender.parsed("Nightshift <nightshift@example.org>", "https://night.example.org")
PNG = b"\x89PNG\r\n\x1a\n" + bytes(300)


def written(**more: Any) -> tuple[bytes, EmailMessage]:
    mail = Outgoing(**{"id": "0" * 28, "to": "ada@example.org", "subject": "News", "text": "Hello", **more})
    raw = compose(mail, recipient(mail.to), US)
    return raw, email.message_from_bytes(raw, policy=email.policy.default)


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("One\r\nBcc: eve@example.org", "One Bcc: eve@example.org"),
        ("Two\nX: y\rZ: a\0b\x0bc\u2028d\x85e", "Two X: y Z: a b c d e"),
        ("=?utf-8?q?Hi=0D=0ABcc:_eve@example.org?=", "=?utf-8?q?Hi=0D=0ABcc:_eve@example.org?="),
        ("Über " + "ü" * 500, ("Über " + "ü" * 500)[:200]),
        ("a" * 2000, "a" * 200),
        ("Café ☕ 日本", "Café ☕ 日本"),
        ("\ud800 broken", "broken"),
        ("", ""),
    ],
)
def test_a_subject_is_one_line_shown_as_it_was_written_and_never_a_header(given: str, shown: str) -> None:
    raw, found = written(subject=given)
    assert subject(given) == shown
    assert str(found["Subject"] or "") == shown
    assert "Bcc" not in found
    assert max(len(line) for line in raw.split(b"\r\n")) < 998


@pytest.mark.parametrize(
    "to",
    [
        "ada@example.org\r\nBcc: eve@example.org", "ada@example.org\0", "ada@example.org, eve@example.org",
        "<ada@example.org>",
        "Ada <ada@example.org>", "ada@example.org>\r\nDATA", "ada", "", "@example.org", "ada@",
        "ada@exa mple.org", "ada@example.org\nRCPT TO:<eve@example.org>", "=?utf-8?q?a?=@", "ada@[127.0.0.1]",
    ],
)  # fmt: skip
def test_what_is_not_one_address_is_refused(to: str) -> None:
    with pytest.raises(JobError, match="not an address"):
        recipient(to)


def test_an_address_in_another_script_is_written_as_servers_know_it() -> None:
    assert recipient("ada@bücher.example") == "ada@xn--bcher-kva.example"
    raw, _ = written(to="ada@bücher.example")
    assert b"\r\nTo: ada@xn--bcher-kva.example\r\n" in raw


def test_pictures_without_their_bytes_are_left_out() -> None:
    _, found = written(html='<img src="cid:a"><img src="cid:ab">', pictures=(Inline("a", PNG),))
    assert sum(part.get_content_type() == "image/png" for part in found.walk()) == 1
