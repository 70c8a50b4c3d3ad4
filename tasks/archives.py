"""Zip archives from strangers: checked in their directory, unpacked under names of ours, counted by real bytes."""

import errno
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from tasks.errors import FieldError

MAX_MEMBERS = 50
MAX_UNPACKED = 64_000_000
MAX_RATIO = 200
_SMALL = 1_000_000
_CHUNK = 1 << 16
_END = struct.Struct("<4s4H2LH")
_DAMAGED = "This zip is damaged or unusual; pack the files again with an ordinary zip tool."
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    OSError,
    struct.error,
)


def check(path: Path, field: str) -> None:
    """Refuse an archive by its directory alone: a bomb, too many members, names that lead out, links, passwords.

    Raises:
        FieldError: 413 for what would unpack to too much, else 422.
    """
    with _opened(path, field) as archive:
        _checked_members(archive, field)


def unpack(path: Path, folder: Path, field: str) -> list[tuple[str, Path]]:
    """Unpack every file of an archive into `folder`, flat and numbered, so that nothing in it chooses a path.

    Returns:
        (base name inside the archive, where the bytes lie) for each file.

    Raises:
        FieldError: as `check`, and when the real bytes are more than the directory says or are damaged.
    """
    with _opened(path, field) as archive:
        left, unpacked = MAX_UNPACKED, []
        for number, info in enumerate(_checked_members(archive, field)):
            target = folder / f"member{number:02d}"
            left -= _extract(archive, info, target, left, field)
            unpacked.append((PurePosixPath(info.filename).name, target))
    return unpacked


@contextmanager
def _opened(path: Path, field: str) -> Iterator[zipfile.ZipFile]:
    _check_end(path, field)
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except _BROKEN as error:
        # A full disk while unpacking is our trouble, not the archive's.
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
            raise
        raise FieldError(field, _DAMAGED) from error


def _check_end(path: Path, field: str) -> None:
    # zipfile reads the whole directory into objects; its length is bounded here first. A comment could hide a second
    # end record, so the record must be the very end of the file.
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - _END.size))
        tail = file.read(_END.size)
    if len(tail) < _END.size or not tail.startswith(b"PK\x05\x06"):
        raise FieldError(field, "This zip ends too early or carries a comment; pack the files again.")
    _, _, _, _, count, directory, _, comment = _END.unpack(tail)
    if comment or directory > MAX_MEMBERS * 1024:
        raise FieldError(field, _DAMAGED)
    if count > MAX_MEMBERS:
        raise FieldError(field, _too_many(count))


def _checked_members(archive: zipfile.ZipFile, field: str) -> list[zipfile.ZipInfo]:
    members = archive.infolist()
    if len(members) > MAX_MEMBERS:
        raise FieldError(field, _too_many(len(members)))
    for info in members:
        _check_member(archive, info, field)
    if sum(info.file_size for info in members) > MAX_UNPACKED:
        raise FieldError(field, _too_large(), 413)
    return [info for info in members if not info.is_dir()]


def _check_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, field: str) -> None:
    if _leaves(info.orig_filename):
        raise FieldError(field, "This zip holds a name that leads out of it; pack the files again, without folders.")
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise FieldError(field, "This zip holds a link or a device; pack the files themselves.")
    if info.flag_bits & 0x41:
        raise FieldError(field, "This zip is locked with a password; pack the files again without one.")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise FieldError(field, _DAMAGED)
    if info.file_size > max(_SMALL, MAX_RATIO * info.compress_size):
        raise FieldError(field, _too_large(), 413)
    if not info.is_dir():
        _check_content(archive, info, field)


def _check_content(archive: zipfile.ZipFile, info: zipfile.ZipInfo, field: str) -> None:
    with archive.open(info) as member:
        nested = member.read(4) in (b"PK\x03\x04", b"PK\x05\x06")
    if nested or info.filename.lower().endswith(".zip"):
        raise FieldError(field, "This zip holds another zip; pack the files themselves.")


def _leaves(name: str) -> bool:
    parts = name.split("/")
    return not name or name.startswith("/") or ".." in parts or any(mark in name for mark in "\\:\0")


def _extract(archive: zipfile.ZipFile, info: zipfile.ZipInfo, target: Path, left: int, field: str) -> int:
    """Write one member and return its real size; what the directory claims is not believed."""
    written = 0
    with archive.open(info) as source, target.open("wb") as sink:
        while chunk := source.read(_CHUNK):
            written += len(chunk)
            if written > min(left, info.file_size):
                raise FieldError(field, _too_large(), 413)
            sink.write(chunk)
    return written


def _too_many(count: int) -> str:
    return f"This zip holds {count} files; at most {MAX_MEMBERS} are read: pack only the recording."


def _too_large() -> str:
    return (
        f"This zip unpacks to more than {MAX_UNPACKED // 1_000_000} MB or far more than its size; choose a smaller one."
    )
