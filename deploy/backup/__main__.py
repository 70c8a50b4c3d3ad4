"""`python -m deploy.backup save [FILE] | restore [--replace] FILE | check FILE | key FILE | free`; "-" is a pipe.

What people read goes to the standard error, so that an archive can go through the standard output.
"""

import argparse
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import BinaryIO, NoReturn

from deploy import check as settings_check
from deploy.backup.errors import BackupError, plainly
from deploy.backup.restoring import check, free, restore, spooled, told
from deploy.backup.saving import save
from deploy.lock import only_one
from deploy.settings import ROOT, Settings

PIPE = "-"


def say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


@contextmanager
def new_file(path: Path) -> Iterator[BinaryIO]:
    """A file that gets its name when it is whole and on the disk; its owner's alone, since its rows have secrets.

    Raises:
        BackupError: it cannot be written, or is there already.
    """
    if path.exists():
        raise BackupError(f"{path} is there already. Name another file, or remove that one first.")
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    if any(above.is_file() for above in path.parents):
        raise BackupError(f"{path.parent} is no folder. Name a file in one that can be written to.")
    with plainly("writing the backup"):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            with open(part, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            part.rename(path)
            _sync(path.parent)
        finally:
            part.unlink(missing_ok=True)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def opened(name: str, settings: Settings, twice: bool) -> Iterator[BinaryIO]:
    """An archive to read: a file, or the standard input, which is kept meanwhile if it is read twice."""
    if name == PIPE:
        source = spooled(sys.stdin.buffer, settings.var) if twice else sys.stdin.buffer
    else:
        with plainly("opening the backup"):
            source = Path(name).open("rb")  # noqa: SIM115  # closed below
    with source:
        yield source


def do_save(settings: Settings, name: str, still: bool = False) -> None:
    """Save to a file, or through the standard output.

    Args:
        still: nothing may run on this folder: who moves loses what is done after the backup.
    """
    with only_one(settings.var) if still else nullcontext():
        _save(settings, name)


def _save(settings: Settings, name: str) -> None:
    began = time.monotonic()
    if name == PIPE:
        if sys.stdout.isatty():
            raise BackupError("A backup is no text for a terminal. Name a file, or lead the output into one with >.")
        with plainly("writing the backup"):
            manifest = save(settings, sys.stdout.buffer)
            sys.stdout.buffer.flush()
        where = "the standard output"
    else:
        path = Path(name) if name else default(settings)
        with new_file(path) as file:
            manifest = save(settings, file)
        where = str(path)
    say(f"Saved {told(manifest)} to {where} in {time.monotonic() - began:.1f} s.")
    say("Whoever has it can read everything in it: keep it where nobody else gets at it.")


def default(settings: Settings, why: str = "nightshift") -> Path:
    return settings.var / "backups" / f"{why}-{time.strftime('%Y%m%d-%H%M%S')}.tar"


def do_restore(settings: Settings, name: str, replace: bool, leave_key: bool = False) -> None:
    """Restore into nothing; or, when told to, in place of what is saved first."""
    began = time.monotonic()
    settings.var.mkdir(parents=True, exist_ok=True, mode=0o700)
    before = default(settings, "replaced")
    with _named_if_it_fails(before), only_one(settings.var), opened(name, settings, twice=True) as source:
        save_first = (lambda: _save(settings, str(before))) if replace else None
        restore(settings, source, say, save_first, leave_key)
    say(f"Restored in {time.monotonic() - began:.1f} s. Start Nightshift; everybody signs in again.")


@contextmanager
def _named_if_it_fails(before: Path) -> Iterator[None]:
    """What was replaced is not lost by a restore that then failed: where it is."""
    try:
        yield
    except BaseException:
        if before.exists():
            say(f"What was there before is in {before}: restore that, or try again.")
        raise


def do_check(settings: Settings, name: str) -> None:
    """Read an archive to its end."""
    with opened(name, settings, twice=False) as source, plainly("reading the backup"):
        head, _, manifest = check(source)
    say(f"The backup is whole: of {head.made_at}, by Nightshift {head.version} (revision {head.revision}) on")
    say(f"{head.database}: {told(manifest)}.")


def do_key(settings: Settings, name: str) -> None:
    """Print the key that its rows are sealed with, for NIGHTSHIFT_SECRET_KEY."""
    with opened(name, settings, twice=False) as source, plainly("reading the backup"):
        sys.stdout.write(f"{check(source)[1]}\n")


def do_free(settings: Settings, _name: str) -> None:
    """Say whether a backup could be restored here: whether nothing is there."""
    free(settings)


OTHERS = {"check": do_check, "key": do_key, "free": do_free}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m deploy.backup", description=__doc__.splitlines()[0])
    deeds = parser.add_subparsers(dest="deed", required=True)
    for deed, told_by in {"save": do_save, "restore": do_restore, **OTHERS}.items():
        one = deeds.add_parser(deed, help=(told_by.__doc__ or "").splitlines()[0])
        one.add_argument("file", nargs="?" if deed in ("save", "free") else None, default="")
        if deed == "restore":
            one.add_argument("--replace", action="store_true", help="save what is there, then take it away")
            one.add_argument("--leave-key", action="store_true", help="somebody else puts the key in its place")
        if deed == "save":
            one.add_argument("--still", action="store_true", help="only while Nightshift does not run on this folder")
    return parser.parse_args()


def _stop(*_: object) -> NoReturn:
    raise SystemExit("Stopped; nothing is left of it.")


def main() -> None:
    """The entry point."""
    asked = _arguments()
    os.umask(0o077)
    asked.file = asked.file if asked.file in ("", PIPE) else str(Path(asked.file).absolute())
    os.chdir(ROOT)
    signal.signal(signal.SIGTERM, _stop)
    settings = settings_check.read_settings()
    try:
        if asked.deed == "restore":
            do_restore(settings, asked.file, asked.replace, asked.leave_key)
        elif asked.deed == "save":
            do_save(settings, asked.file, asked.still)
        else:
            OTHERS[asked.deed](settings, asked.file)
    except BackupError as error:
        raise SystemExit(str(error)) from None
    except KeyboardInterrupt:
        _stop()


if __name__ == "__main__":
    main()
