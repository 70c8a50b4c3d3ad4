"""What a power cut leaves of SQLite's and Valkey's files: what was synced, and of the rest a part.

Everything of the stage is stopped (SIGSTOP) while its files are copied, so that the copies are of one moment. The page
cache outlives that, a power cut it does not: so the end of each log is cut off at a random byte, behind what was synced
for certain, which is what stood there when the last submit came back.
"""

import random
import shutil
import struct
from dataclasses import dataclass
from pathlib import Path

FRAME_HEADER, WAL_HEADER = 24, 32
BACKFILLED_AT = 128  # in the -shm: how far a checkpoint may have copied frames into the database itself
AOF_TAIL = 20_000  # bytes; Valkey syncs each second


@dataclass(frozen=True)
class Mark:
    """How far the log of a database reached: which log, and how many frames of it."""

    salts: bytes
    frames: int


def mark(database: Path) -> Mark:
    """Called when a submit came back: up to here everything is on disk."""
    wal = database.with_name(database.name + "-wal")
    with wal.open("rb") as file:
        head = file.read(WAL_HEADER)
        if len(head) < WAL_HEADER:
            return Mark(b"", 0)
        (page,) = struct.unpack(">I", head[8:12])
        salts, frames = head[16:24], 0
        while len(frame := file.read(FRAME_HEADER)) == FRAME_HEADER and frame[8:16] == salts:
            frames += 1
            file.seek(page, 1)
    return Mark(salts, frames)


def copy(database: Path, broker: Path, target: Path, synced: Mark, chance: random.Random) -> int:
    """Copies of both while all are stopped; how many frames of the log were lost or torn."""
    target.mkdir(parents=True)
    shutil.copyfile(database, target / database.name)
    wal = database.with_name(database.name + "-wal")
    torn = 0
    if wal.exists():
        shutil.copyfile(wal, target / wal.name)
        torn = _tear(database, target / wal.name, synced, chance)
    shutil.copytree(broker, target / "broker")
    for log in (target / "broker").rglob("*.incr.aof"):
        size = log.stat().st_size
        with log.open("r+b") as file:
            file.truncate(max(0, size - chance.randrange(AOF_TAIL)))
    return torn


def _tear(database: Path, wal: Path, synced: Mark, chance: random.Random) -> int:
    now = mark(wal.with_name(wal.name.removesuffix("-wal")))
    kept = synced.frames if now.salts == synced.salts else 0
    shm = database.with_name(database.name + "-shm").read_bytes()
    kept = max(kept, struct.unpack("=I", shm[BACKFILLED_AT : BACKFILLED_AT + 4])[0])
    if now.salts != synced.salts or kept >= now.frames:
        return 0  # a log that was begun anew after that submit: its frames may all have been needed
    with wal.open("r+b") as file:
        (page,) = struct.unpack(">I", file.read(WAL_HEADER)[8:12])
        size = FRAME_HEADER + page
        at = chance.randrange(kept * size, now.frames * size + 1)
        file.truncate(WAL_HEADER + at)
    return int(now.frames - at // size)
