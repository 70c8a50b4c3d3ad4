"""Backups that are no good, and places that are not free: a sentence each, and nothing is left behind."""

import gzip
import hashlib
import io
import os
import sqlite3
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.backup.__main__ import do_restore, do_save, new_file, opened
from deploy.backup.archive import Writer
from deploy.backup.contents import Head
from deploy.backup.errors import BackupError, Damaged
from deploy.backup.restoring import check, spooled
from deploy.backup.saving import MOST_LINE, save
from deploy.settings import Settings
from models.account import Account
from tests.backups import PORTABLE, contents, count, furnished, place, restored, saved, sums


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory, fresh_sqlite: Path) -> Settings:
    settings = place(tmp_path_factory.mktemp("full") / "var")
    furnished(settings, fresh_sqlite)
    return settings


@pytest.fixture(scope="module")
def archive(full: Settings) -> bytes:
    return saved(full)[0]


def refusal(data: bytes) -> str:
    with pytest.raises(BackupError) as said:
        check(io.BytesIO(data))
    return str(said.value)


def test_an_archive_is_an_ordinary_tar_with_names_that_stay_inside(archive: bytes) -> None:
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        names = tar.getnames()
    assert (names[0], names[-1]) == ("nightshift.json", "manifest.json")
    assert len(names) == len(set(names))


def test_a_byte_that_changed_is_noticed_unless_it_says_nothing(archive: bytes) -> None:
    head, key, manifest = check(io.BytesIO(archive))
    unnoticed = 0
    for at in range(0, len(archive), len(archive) // 200):
        changed = bytearray(archive)
        changed[at] ^= 1
        try:
            other = check(io.BytesIO(bytes(changed)))
        except BackupError:
            continue
        unnoticed += 1
        same = (head, key, manifest.tables, manifest.files, manifest.bytes)
        assert same == (other[0], other[1], other[2].tables, other[2].files, other[2].bytes), at
    assert unnoticed < 150, "most of a small tar is padding, not all"


def test_an_archive_that_was_cut_off_anywhere_is_refused(archive: bytes) -> None:
    whole = len(archive.rstrip(b"\0"))
    for at in [*range(0, whole, whole // 30), whole - 1]:
        said = refusal(archive[:at])
        assert "damaged" in said or "no backup of Nightshift" in said


@pytest.mark.parametrize(
    "other", [b"", b"hello", b"\0" * 2048, gzip.compress(b"x" * 5000, mtime=0), b"PK\x03\x04" + b"x" * 600]
)
def test_other_files_are_no_backups(other: bytes) -> None:
    assert refusal(other) == "This is no backup of Nightshift. Name a file that `make backup` wrote."


def test_another_programs_tar_is_no_backup() -> None:
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as tar:
        tar.add(__file__, "nightshift.json")
    assert "no backup of Nightshift" in refusal(sink.getvalue())


def made(archive: bytes, *members: tuple[str, bytes], head: Callable[[str], str] = str) -> bytes:
    """An archive with the head of this one, then these members."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        first = tar.extractfile("nightshift.json")
        assert first
        text = head(first.read().decode()).encode()
    sink = io.BytesIO()
    writer = Writer(sink)
    for name, data in (("nightshift.json", text), *members):
        writer.member(name, len(data), [data])
    writer.end()
    return sink.getvalue()


@pytest.mark.parametrize(
    "name",
    ["files/../../../etc/passwd", "/etc/passwd", "../x", "files/a/b", "tables/001-../00001.jsonl.gz", "secrets/x", "x"],
)
def test_a_name_that_leads_elsewhere_is_refused(archive: bytes, name: str) -> None:
    assert "strange name" in refusal(made(archive, (name, b"x")))


def test_links_and_devices_are_refused(archive: bytes) -> None:
    link = tarfile.TarInfo("files/abc")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    data = made(archive)[: -2 * 512] + link.tobuf(tarfile.GNU_FORMAT)
    assert "no file" in refusal(data)


def test_what_unpacks_to_far_more_than_it_may_is_refused(archive: bytes) -> None:
    sink = io.BytesIO()
    with gzip.GzipFile(fileobj=sink, mode="wb", compresslevel=1) as file:
        for _ in range((MOST_LINE >> 20) + 2):
            file.write(bytes(1 << 20))
    assert "larger than it can be" in refusal(made(archive, ("tables/001-account/00001.jsonl.gz", sink.getvalue())))
    huge = made(archive, ("manifest.json", bytes(1 << 23)))
    assert "larger than it can be" in refusal(huge)


def test_rows_in_the_wrong_place_are_refused(archive: bytes) -> None:
    rows = gzip.compress(b"[]\n")
    assert "does not belong" in refusal(made(archive, ("tables/002-account/00001.jsonl.gz", rows)))
    assert "does not belong" in refusal(made(archive, ("tables/000-account/00001.jsonl.gz", rows)))
    assert "does not belong" in refusal(made(archive, ("tables/999-account/00001.jsonl.gz", rows)))


def test_a_newer_ones_backup_says_what_to_restore_it_with(full: Settings, archive: bytes, tmp_path: Path) -> None:
    newer = refusal(made(archive, head=lambda text: text.replace('"format": 1', '"format": 2')))
    assert newer == "A newer Nightshift made this backup, in another form. Restore it with that one."
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        parts = [(each.name, (tar.extractfile(each) or io.BytesIO()).read()) for each in tar]
    head = Head.model_validate_json(parts[0][1])
    text = head.model_copy(update={"revision": "9999"}).model_dump_json().encode()
    start = hashlib.sha256(parts[0][1] + parts[1][1]).hexdigest()
    manifest = parts[-1][1].replace(start.encode(), hashlib.sha256(text + parts[1][1]).hexdigest().encode())
    data = made(archive, *parts[1:-1], ("manifest.json", manifest), head=lambda _: text.decode())
    with pytest.raises(BackupError, match=r"newer Nightshift wrote this backup \(revision 9999\)"):
        restored(place(tmp_path / "var"), data)
    assert not (tmp_path / "var" / "nightshift.db").exists()


def test_what_is_there_is_never_written_over(full: Settings, archive: bytes, tmp_path: Path) -> None:
    before = contents(full)
    with pytest.raises(BackupError, match=r"accounts in the database and files in .* or say --replace"):
        restored(full, archive)
    assert (contents(full), count(full, Account)) == (before, 1)
    only_files = place(tmp_path / "var")
    only_files.var.joinpath("files", "ab").mkdir(parents=True)
    only_files.var.joinpath("files", "ab", "abc").write_text("somebody's")
    with pytest.raises(BackupError, match="already: files in"):
        restored(only_files, archive)
    assert contents(only_files) == {"abc": b"somebody's"}


def test_a_database_of_another_program_is_left_alone(archive: bytes, tmp_path: Path) -> None:
    settings = place(tmp_path)
    connection = sqlite3.connect(tmp_path / "nightshift.db")
    connection.execute("CREATE TABLE others (id INTEGER)")
    connection.close()
    with pytest.raises(BackupError, match=r"no Nightshift finished \(others\)"):
        restored(settings, archive)
    with pytest.raises(BackupError, match="no tables of Nightshift yet"):
        save(settings, io.BytesIO())


def test_a_key_that_is_set_outside_is_not_passed_over(archive: bytes, tmp_path: Path) -> None:
    chosen = {"var": tmp_path / "var", "secret_key": "another"}
    with pytest.raises(BackupError, match="NIGHTSHIFT_SECRET_KEY is set to another key"):
        restored(Settings.model_validate(chosen), archive)
    assert not (tmp_path / "var" / "nightshift.db").exists()


def test_a_restore_that_fails_in_the_middle_leaves_nothing_and_what_it_replaced_comes_back(
    full: Settings, tmp_path: Path, fresh_sqlite: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings, broken = place(tmp_path / "var"), tmp_path / "broken.tar"
    furnished(settings, fresh_sqlite)
    connection = sqlite3.connect(settings.var / "nightshift.db")  # which asks for no foreign keys
    tag = connection.execute("SELECT ticket_id FROM ticket_tag").fetchone()
    connection.execute("UPDATE ticket_tag SET ticket_id = 'nowhere'")
    connection.commit()
    broken.write_bytes(saved(settings)[0])
    connection.execute("UPDATE ticket_tag SET ticket_id = ?", tag)
    connection.commit()
    before = sums(settings)
    with pytest.raises(BackupError, match="ticket_tag contradict"):
        do_restore(settings, str(broken), replace=True)
    assert (contents(settings), list((settings.var / "files").glob(".restoring"))) == ({}, [])
    names = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    connection.close()
    assert names <= {"alembic_version"}
    (kept,) = (settings.var / "backups").iterdir()
    assert f"What was there before is in {kept}" in capsys.readouterr().err
    do_restore(settings, str(kept), replace=False)
    assert {name: sums(settings)[name] for name in PORTABLE} == {name: before[name] for name in PORTABLE}


def test_a_full_disk_and_a_folder_that_is_none_are_told(full: Settings, tmp_path: Path) -> None:
    with open("/dev/full", "wb", buffering=0) as sink, pytest.raises(BackupError, match="disk became full"):
        save(full, sink)
    (tmp_path / "file").write_text("x")
    with pytest.raises(BackupError, match="is no folder"):
        do_save(full, str(tmp_path / "file" / "b.tar"))
    with pytest.raises(BackupError, match="there already"):
        do_save(full, str(tmp_path / "file"))
    with pytest.raises(BackupError, match="No such file"), opened(str(tmp_path / "none"), full, twice=True):
        pass
    with pytest.raises(Damaged), new_file(tmp_path / "b.tar") as file:
        file.write(b"half")
        raise Damaged("it broke off")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_stream_that_ends_early_is_told_and_not_kept(archive: bytes, tmp_path: Path) -> None:
    with spooled(io.BytesIO(archive[:5000]), tmp_path) as kept, pytest.raises(Damaged):
        check(kept)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["postgresql", "mysql"])
def test_a_database_that_is_away_is_told(name: str, archive: bytes, tmp_path: Path) -> None:
    driver = {"postgresql": "postgresql+psycopg", "mysql": "mysql+pymysql"}[name]
    settings = place(tmp_path / "var", f"{driver}://a:hunter2@127.0.0.1:1/b")
    for call in (lambda: save(settings, io.BytesIO()), lambda: restored(settings, archive)):
        with pytest.raises(BackupError, match=r"The database failed .* See that it runs") as said:
            call()
        assert "hunter2" not in str(said.value)
    assert not os.listdir(settings.var) or contents(settings) == {}
