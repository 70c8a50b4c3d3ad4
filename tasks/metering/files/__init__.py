"""The one reader of meter files: bytes in; readings, temperatures and every oddity out. It writes nothing, anywhere."""

from pathlib import Path

from tasks.metering.files.found import Found, Hints, Oddity, Parsed, Unreadable

__all__ = ["Found", "Hints", "Oddity", "Parsed", "Unreadable", "parse"]


def parse(path: Path, hints: Hints) -> Parsed:
    """All of a file in memory: 16 bytes a reading. For files of any size take `reading.Reader` and its parts.

    Raises:
        Unreadable: it is no file of meters, is damaged or hostile; the message says what to do. Files whose readings
            can be had but not be forecast on are no error: see `Found.refusals`.
    """
    from tasks.metering.files.reading import Reader

    return Reader(path, hints).whole()
