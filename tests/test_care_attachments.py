"""Files of tickets: what is taken, what is left out and why, and what is kept of a picture."""

import io
import zipfile
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import select

from models.ticket import TicketFile, TicketMessage
from tasks.care import attachments, file_kinds
from tasks.care.attachments import NotTaken, accepted, sort_out
from tasks.uploads import IncomingFile, receive
from tests.care_people import picture, ticket_of
from tests.conftest import Person
from workers.runtime import Runtime


@pytest.fixture
def given(tmp_path: Path) -> "Given":
    return Given(tmp_path)


class Given:
    """Files as they come in."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.count = folder, 0

    def __call__(self, data: bytes, name: str) -> IncomingFile:
        self.count += 1
        path = self.folder / str(self.count)
        path.write_bytes(data)
        return receive(path, name)


def zipped(*names: str, **parts: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in names:
            archive.writestr(name, b"words")
        for name, data in parts.items():
            archive.writestr(name, data)
    return out.getvalue()


def test_what_people_send_is_taken(given: Given) -> None:
    files = {
        "photo.jpg": picture(kind="JPEG").getvalue(), "drawing.png": picture().getvalue(), "bill.pdf": b"%PDF-1.7\n",
        "note.txt": "Grüße".encode(), "list.csv": b"a;b\n1;2\n", "mail.eml": b"From: a@b.c\n\nHello",
        "files.zip": zipped("a.txt"), "letter.docx": zipped("[Content_Types].xml", "word/document.xml"),
        "sheet.xlsx": zipped("[Content_Types].xml", "xl/workbook.xml"),
    }  # fmt: skip
    taken = accepted([given(data, name) for name, data in files.items()])
    assert [each.name for each in taken] == list(files)
    assert {each.media_type for each in taken} >= {"image/jpeg", "application/pdf", "text/plain", "application/zip"}


def test_a_picture_keeps_its_pixels_and_nothing_else(given: Given) -> None:
    for kind, name in (("JPEG", "a.jpg"), ("PNG", "b.png"), ("WEBP", "c.webp"), ("TIFF", "d.tif")):
        raw = picture((40, 30), kind).getvalue()
        assert b"taken at home" in raw
        (kept,) = accepted([given(raw, name)])
        assert b"taken at home" not in kept.data
        with Image.open(io.BytesIO(kept.data)) as image:
            assert image.size == (40, 30)
        assert kept.name.endswith((".jpg", ".png"))


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("setup.exe", b"MZ\x90\0", "program"),
        ("picture.png", b"\x7fELF\2\1", "program"),
        ("run.sh", b"#!/bin/sh\nrm -rf /", "program"),
        ("run.bat", b"del *.*", "program"),
        ("page.html", b"<!doctype html><script>alert(1)</script>", "web page"),
        ("text.html", b"Hello\n<script>alert(1)</script>", "program"),
        ("logo.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        ("winmail.dat", b"\x78\x9f\x3e\x22\x01\x00", "Outlook"),
        ("old.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest", "PDF"),
        ("macros.docx", zipped("[Content_Types].xml", "word/document.xml", "word/vbaProject.bin"), "macros"),
        ("tool.zip", zipped("tool.exe"), "program"),
        ("tool.jar", zipped("META-INF/MANIFEST.MF"), "program"),
        ("out.zip", zipped("../../etc/passwd"), "leads out"),
        ("half.zip", zipped("a.txt")[:40], "damaged"),
        ("half.png", picture().getvalue()[:50], "too early"),
        ("noise", bytes(range(256)) * 4, "kind of file"),
        ("nothing.txt", b"", "empty"),
    ],
    ids=lambda given: given if isinstance(given, str) else "data",  # a zip holds the time: workers differ
)
def test_what_is_not_taken_is_named_with_what_to_do(given: Given, name: str, data: bytes, says: str) -> None:
    with pytest.raises(NotTaken) as refusal:
        accepted([given(data, name)])
    (sentence,) = refusal.value.sentences
    assert sentence.startswith(f"“{name}” is left out: ")
    assert says in sentence
    assert sentence.endswith(".")


@pytest.mark.parametrize("kind", ["PNG", "GIF"])
def test_a_picture_of_too_many_pixels_is_refused_before_it_is_drawn(given: Given, kind: str) -> None:
    out = io.BytesIO()
    Image.new("1", (7_000, 6_000)).save(out, kind)
    _, (sentence,) = sort_out([given(out.getvalue(), f"big.{kind.lower()}")])
    assert "megapixels" in sentence


def test_forty_files_are_ten_and_thirty_sentences(given: Given) -> None:
    taken, refused = sort_out([given(b"words", f"{number}.txt") for number in range(40)])
    assert [each.name for each in taken] == [f"{number}.txt" for number in range(10)]
    assert len(refused) == 30
    assert "at most 10 files" in refused[0]


def test_one_that_is_too_large_leaves_room_for_the_others(given: Given, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attachments, "MOST_BYTES", 100)
    monkeypatch.setattr(attachments, "MOST_TOGETHER", 150)
    taken, refused = sort_out([given(b"x" * size, f"{size}.txt") for size in (101, 90, 61, 60)])
    assert [each.name for each in taken] == ["90.txt", "60.txt"]
    assert "10 MB" in refused[0]
    assert "25 MB" in refused[1]


def test_names_are_made_harmless_and_say_what_the_file_is(given: Given) -> None:
    names = {
        "../../etc/passwd": "passwd.txt", "C:\\Temp\\a.txt": "a.txt", "a\r\nSubject: x.txt": "a Subject x.txt",
        "\u202etxt.exe.txt": "txt.exe.txt", ".hidden": "hidden.txt", "": "file.txt", "x" * 300 + ".log": "",
    }  # fmt: skip
    for name, safe in names.items():
        (kept,) = accepted([given(b"words", name)])
        assert kept.name == safe or len(kept.name) <= file_kinds.LONGEST_NAME + 4
        assert not set(kept.name) & set('/\\\r\n"<>\u202e')
        assert not safe or kept.name == safe


def test_what_is_kept_is_named_by_a_row_and_lies_in_storage(runtime: Runtime, ada: Person, given: Given) -> None:
    ticket_id = ticket_of(runtime, ada)
    checked = accepted([given(b"words", "a.txt")])
    with runtime.database.write(ada.workspace_id) as session:
        message = session.scalars(select(TicketMessage).where(TicketMessage.ticket_id == ticket_id)).one()
        attachments.keep(session, runtime.storage, message, checked)
    with runtime.database.read(ada.workspace_id) as session:
        row = session.scalars(select(TicketFile)).one()
    assert (row.name, row.size, row.media_type, len(row.sha256)) == ("a.txt", 5, "text/plain", 64)
    with runtime.storage.open(row.key) as stream:
        assert stream.read() == b"words"
