"""Mails as they come: parts, alphabets, quotes, wrappings; never an exception, and never long."""

import base64
import struct
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from tasks.care.mail import kinds, quotes, reading, winmail, words
from tasks.care.mail.reading import Mail, read
from tests.postboxes import letter

TEXT = {"Content_Type": "text/plain; charset=utf-8"}


def said(text: str) -> str:
    return text.replace("\n", "\r\n")


def parts(*pieces: str, kind: str = "mixed") -> bytes:
    body = "".join(f"--b\r\n{each}\r\n" for each in pieces)
    return letter(f"{body}--b--\r\n", Content_Type=f"multipart/{kind}; boundary=b")


@pytest.mark.parametrize(
    ("text", "new"),
    [
        ("Yes.\n\nOn Mon, 1 Jun 2026 at 10:00, Shop <a@b.example> wrote:\n> Really?\n", "Yes."),
        ("Yes.\n\nOn Mon, 1 Jun 2026 at 10:00, Shop\n<a@b.example> wrote:\n\n> Really?\n", "Yes."),
        ("Ja.\n\nAm 01.06.26 um 10:00 schrieb Shop:\n> Wirklich?\n", "Ja."),
        ("Ja.\n\nAm Mo., 1. Juni 2026 um 10:00 Uhr schrieb Shop <\na@b.example>:\n\n> Wirklich?\n", "Ja."),
        ("Oui.\n\nLe lun. 1 juin 2026 à 10:00, Shop <a@b.example> a écrit :\n> Vraiment ?\n", "Oui."),
        ("Yes.\n\n-----Original Message-----\nFrom: Shop\nOld.\n", "Yes."),
        ("Ja.\n\n-----Ursprüngliche Nachricht-----\nVon: Shop\nAlt.\n", "Ja."),
        ("Oui.\n\n-----Message d'origine-----\nDe : Shop\nVieux.\n", "Oui."),
        ("Yes.\n\n________________________________\nFrom: Shop\nSent: Monday\nTo: Eve\nSubject: X\n\nOld.\n", "Yes."),
        ("Ja.\n\nVon: Shop\nGesendet: Montag\nAn: Eve\nBetreff: X\n\nAlt.\n", "Ja."),
        ("Oui.\n\nDe : Shop\nEnvoyé : lundi\nÀ : Eve\nObjet : X\n\nVieux.\n", "Oui."),
        ("> Really?\n\nYes, really.\n", "Yes, really."),
        ("Yes.\n-- \nEve\nTel. 123\n", "Yes."),
        ("Yes.\n\nSent from my phone\n", "Yes."),
        ("Ja.\n\nVon meinem iPhone gesendet\n", "Ja."),
    ],
)
def test_what_is_new_is_told_from_what_is_repeated(text: str, new: str) -> None:
    found, quoted = quotes.split(text)
    assert found == new
    assert quoted
    for line in filter(str.strip, text.splitlines()):
        assert line.strip() in f"{found}\n{quoted}", "nothing may be lost"


@pytest.mark.parametrize(
    "text",
    [
        "On Monday he wrote:\nnothing at all.",
        "From: here\nto there it is far.",
        "> One?\nYes, that one, as I said.\nAnd more.\n> Two?\nNo, never two.\nAnd less.",
        "---------- Forwarded message ---------\nFrom: Zoe\nSubject: Help\n\nPlease help her.",
        "Look at this:\n\n---------- Forwarded message ---------\nFrom: Zoe\n\nPlease help her.",
        "> only what was said before",
        "-- \nonly a signature",
        "",
    ],
)
def test_what_is_no_quote_and_what_would_leave_nothing_stays(text: str) -> None:
    assert quotes.split(text) == (text.strip("\n").replace("-- \n", "--\n"), "")


@pytest.mark.parametrize(
    ("body", "charset", "coding", "text"),
    [
        ("Grüße".encode(), "utf-8", "8bit", "Grüße"),
        ("Grüße".encode("latin-1"), "iso-8859-1", "8bit", "Grüße"),
        ("“Grüße”".encode("cp1252"), "iso-8859-1", "8bit", "“Grüße”"),
        ("Grüße".encode(), "us-ascii", "8bit", "Grüße"),
        ("Grüße".encode("latin-1"), "utf-8", "8bit", "Grüße"),
        ("Grüße".encode(), "no-such-alphabet", "8bit", "Grüße"),
        ("日本".encode("iso-2022-jp"), "iso-2022-jp", "7bit", "日本"),
        (b"Gr=C3=BC=C3=9Fe", "utf-8", "quoted-printable", "Grüße"),
        (base64.b64encode("Grüße".encode()), "utf-8", "base64", "Grüße"),
        (b"R3LDvM!!OfZQ", "utf-8", "base64", "Grüße"),
        (b"R3LDvMOfZ", "utf-8", "base64", "Grüß"),
        (b"=ZZ=41", "utf-8", "quoted-printable", "=ZZA"),
        (b"Hello", "punycode", "7bit", "Hello"),
        (b"Hello", "unicode_escape", "8bit", "Hello"),
    ],
)
def test_alphabets_and_codings_gone_wrong_are_read_as_far_as_they_go(
    body: bytes, charset: str, coding: str, text: str
) -> None:
    mail = letter("", Content_Type=f"text/plain; charset={charset}", Content_Transfer_Encoding=coding) + body
    assert read(mail).text == text


def test_base64_gone_wrong_in_a_file_is_said() -> None:
    file = 'Content-Type: image/png; name="a.png"\r\nContent-Transfer-Encoding: base64\r\n\r\niVBO!Rw0KGgo\r\n'
    found = read(parts("\r\nHello.", file))
    assert (found.text, found.files[0].name, len(found.files[0].data)) == ("Hello.", "a.png", 8)
    assert found.remarks == ("“a.png” came damaged: part of it may be missing.",)


def test_html_becomes_words_without_scripts_hidden_parts_or_what_it_repeats() -> None:
    page = (
        "<html><head><title>T</title><style>p{}</style></head><body><script>alert(1)</script>"
        "<p>Hello <a href='http://evil.example/x'>http://bank.example</a></p><img src='http://track.example/1.gif'>"
        "<p style='display:none'>hidden</p><ul><li>one</li><li>two</li></ul>"
        "<div class='gmail_quote'>On Monday Shop wrote:<blockquote>Old.</blockquote></div></body></html>"
    )
    found = read(letter(page, Content_Type="text/html; charset=utf-8"))
    assert "alert" not in found.text + found.quoted
    assert "track.example" not in found.text
    assert "hidden" not in found.text
    assert "http://bank.example <http://evil.example/x>" in found.text
    assert "one" in found.text
    assert "Old." in found.quoted
    assert "Old." not in found.text


def test_plain_text_goes_before_html_unless_it_says_nothing() -> None:
    plain, html = "Content-Type: text/plain\r\n\r\nPlain.", "Content-Type: text/html\r\n\r\n<p>Rich.</p>"
    assert read(parts(plain, html, kind="alternative")).text == "Plain."
    assert read(parts("Content-Type: text/plain\r\n\r\n  ", html, kind="alternative")).text == "Rich."
    assert read(parts(html, "Content-Type: text/plain\r\n\r\nFoot.")).text == "Rich.\n\nFoot."


def tnef(*attributes: tuple[int, int, int, bytes]) -> bytes:
    """Outlook's wrapping, as its specification (MS-OXTNEF) writes it."""
    made = struct.pack("<IH", 0x223E9F78, 1)
    for level, number, kind, data in attributes:
        made += struct.pack("<BHHI", level, number, kind, len(data)) + data + struct.pack("<H", sum(data) & 0xFFFF)
    return made


def wrapped(data: bytes) -> Mail:
    coded = base64.encodebytes(data).decode()
    head = "Content-Type: application/ms-tnef; name=winmail.dat\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    return read(parts("Content-Type: text/plain\r\n\r\nHello.", head + coded))


def test_outlooks_wrapping_is_opened_and_a_broken_one_is_said() -> None:
    attributes = [(2, 0x9002, 6, bytes(14)), (2, 0x8010, 1, b"plan.txt\0"), (2, 0x800F, 6, b"the plan")]
    found = wrapped(tnef(*attributes))
    assert [(file.name, file.data) for file in found.files] == [("plan.txt", b"the plan")]
    assert found.remarks == (winmail.UNWRAPPED,)
    broken = wrapped(b"\x78\x9f\x3e\x22 nothing")
    assert broken.text == "Hello."
    assert broken.files == ()


def test_a_mail_inside_a_mail_is_a_file_however_deep_it_goes() -> None:
    inner = "Content-Type: message/rfc822\r\n\r\nFrom: a@b.example\r\nSubject: Inner\r\n\r\nWords of another.\r\n"
    found = read(parts("Content-Type: text/plain\r\n\r\nSee below.", inner))
    assert (found.text, found.files[0].name) == ("See below.", "Inner.eml")
    assert b"Words of another." in found.files[0].data
    assert read(letter("Content-Type: message/rfc822\r\n\r\n" * 5000, Content_Type="message/rfc822")).remarks


def test_small_pictures_signatures_and_locked_mails_are_told_apart() -> None:
    logo = "Content-Type: image/png\r\nContent-ID: <l>\r\nContent-Disposition: inline\r\n\r\nabc"
    signature = 'Content-Type: application/pgp-signature; name="s.asc"\r\n\r\nabc'
    found = read(parts("\r\nHello.", logo, signature))
    assert found.files == ()
    assert "logos" in found.remarks[0]
    assert "encrypted" in read(letter("x", Content_Type="application/pkcs7-mime; name=smime.p7m")).remarks[-1]


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        ({}, ""),
        ({"Auto_Submitted": "no"}, ""),
        ({"Auto_Submitted": "Auto-Replied (vacation)"}, kinds.REPLY),
        ({"Precedence": "auto_reply"}, kinds.REPLY),
        ({"Subject": "Réponse automatique : Absent", "X_Auto_Response_Suppress": "All"}, kinds.REPLY),
        ({"Subject": "Réponse automatique : Absent"}, kinds.SEEMS),
        ({"Subject": "=?utf-8?q?Abwesenheitsnotiz?="}, kinds.SEEMS),
        ({"Subject": "Automatic pump does not start"}, ""),
        ({"Subject": "Auto: Bremsen quietschen"}, ""),
        ({"Subject": "Auto reply of my phone is broken"}, ""),
        ({"Subject": "Out of office assistant does not work"}, ""),
        ({"From": "postmaster@small-firm.example"}, ""),
        ({"From": "postmaster@small-firm.example", "Subject": "Undeliverable: Hello"}, kinds.BOUNCE),
        ({"List_Unsubscribe": "<mailto:x@y>"}, kinds.LIST),
        ({"X_Auto_Response_Suppress": "All"}, kinds.MACHINE),
        ({"From": "MAILER-DAEMON@x.example"}, kinds.BOUNCE),
        ({"Return_Path": "<>", "Subject": "Unzustellbar: X"}, kinds.BOUNCE),
    ],
)
def test_mail_of_machines_is_known(headers: dict[str, str], kind: str) -> None:
    assert read(letter(**headers)).automatic == kind


SLOW = {
    "deep": b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(90)),
    "many": b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * 30_000,
    "on": b"\r\n" + b"On " * 300_000,
    "lines": b"\r\n" + b"On a\r\n" * 50_000,
    "quotes": b"\r\n" + b"> a\r\nb\r\n" * 50_000,
    "to": b"To: " + b"<a@b.c>," * 50_000 + b"\r\n\r\nhi",
    "words": b"Subject: " + b"=?utf-8?q?" * 50_000 + b"\r\n\r\nhi",
    "ids": b"References: " + b"<" * 200_000 + b"\r\n\r\nhi",
    "parameters": b"Content-Type: text/plain; " + b"a*0*=x;" * 10_000 + b"\r\n\r\nhi",
    "padding": b'Content-Type: text/html\r\n\r\n<div style="padding-left:99999em">x<br>' * 300,
    "tables": b"Content-Type: text/html\r\n\r\n" + b"<table><tr><td>" * 20_000,
    "blanks": b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    + (b"--b\r\n\r\n" + (b" " * 399 + b"x\n") * 4_900) * 4,
    "lists": b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    + (b"--b\r\nContent-Type: text/html\r\n\r\n" + b"<li>" * 75_000 + b"\r\n") * 20,
    "tags": b"Content-Type: text/html\r\n\r\n" + b"<div class=gmail_quote>a" * 10_000,
}


@pytest.mark.parametrize("name", SLOW)
def test_a_mail_made_to_hurt_is_read_in_a_moment(name: str) -> None:
    began = time.process_time()
    found = read(b"From: eve@customer.example\r\n" + SLOW[name])
    assert time.process_time() - began < 8  # a fraction of it on a quiet machine; without bounds minutes, or gigabytes
    assert len(found.text) <= reading.LONGEST_TEXT
    assert found.sender == "eve@customer.example"


PIECES = some.sampled_from(
    [b"From: a@b.example\r\n", b"Subject: =?utf-8?b?!?=\r\n", b"Content-Type: multipart/mixed; boundary=b\r\n",
     b"Content-Type: text/html; charset=zip\r\n", b"Content-Transfer-Encoding: base64\r\n", b"\r\n", b"--b\r\n",
     b"--b--\r\n", b"Content-Type: message/rfc822\r\n", b"Content-Type: message/delivery-status\r\n",
     b"Content-Type: application/ms-tnef\r\n\r\n\x78\x9f\x3e\x22", b"Final-Recipient: rfc822; x@y.example\r\n",
     b"Content-Disposition: attachment; filename*0*=utf-8''%ff%; filename*1=\"\r\n", b"Date: \xff\r\n",
     b"<table><td><a href=x>", b"Content-Type: multipart/alternative; boundary=\"b\r\n", b"\0\0", b"\xff\xfe"]
)  # fmt: skip


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(some.lists(PIECES | some.binary(max_size=40), max_size=25))
def test_whatever_the_bytes_are_a_mail_comes_out_that_every_database_keeps(pieces: list[bytes]) -> None:
    found = read(b"".join(pieces))
    for text in (found.text, found.quoted, found.subject, found.name, found.sender, *found.remarks):
        assert "\0" not in text
        text.encode()
    assert len(found.fingerprint) == 64
    assert found == read(b"".join(pieces))


@settings(max_examples=100, deadline=None)
@given(some.text(max_size=300))
def test_whatever_the_words_are_nothing_of_them_is_lost(text: str) -> None:
    lines = text.split("\n")
    new, quoted = quotes.split("\n".join(lines))
    kept = f"{new}\n{quoted}"
    assert all(line.strip() in kept for line in lines)


TAGS = some.sampled_from(
    ["<blockquote type=cite>", "</blockquote>", "<div class=gmail_quote>", "</div>", "&#1;", "&#xfffe;",
     "<script></script>", "<a href='http://x&#1;'>", "<div id=appendonsend>", "<td>", "<li>",
     "<p style='display:none'>", "</p>"]
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(some.lists(TAGS | some.text(alphabet="<>/abdivtrp quote='\"&#1;!-\n\x0b\ufffe", max_size=20), max_size=20))
def test_whatever_the_html_is_it_becomes_text(pieces: list[str]) -> None:
    text, quoted, _ = words.to_text("".join(pieces))
    assert isinstance(text, str)
    assert isinstance(quoted, str)


@pytest.mark.parametrize("sign", ["\x01", "\x0b", "&#1;", "\ufffe", "\x1b", "&#xfffe;"])
def test_a_sign_that_xml_has_no_place_for_costs_a_mail_nothing_but_itself(sign: str) -> None:
    page = f"<p>Hi{sign}</p><script>x</script>{sign}<a href='http://x.example'>q{sign}</a><br>{sign}"
    found = read(letter(f'{page}<blockquote type="cite">old</blockquote>tail{sign}\r\n', Content_Type="text/html"))
    assert [found.text.count(word) for word in ("Hi", "q <http://x.example>", "tail", "old")] == [1, 1, 1, 0]
    assert found.quoted == "old"


def test_a_mail_at_which_a_library_breaks_is_known_by_its_head(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_: object) -> None:
        raise RuntimeError("a bug")

    assert read(letter(From="(" * 1_900 + "eve@customer.example")).text == "It smokes."
    assert read(letter(Message_ID="<a\0b@x>")).message_id == ""
    monkeypatch.setattr(quotes, "split", breaks)
    found = read(letter())
    assert (found.sender, found.subject, found.text) == ("eve@customer.example", "The printer burns", "It smokes.\n")
    assert found.remarks == (reading.NOT_UNPACKED,)
    monkeypatch.setattr(kinds, "automatic", breaks)
    assert (read(letter()).text, read(letter()).sender) == ("It smokes.\n", "")
