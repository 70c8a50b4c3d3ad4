"""What the archive says about itself: its head, its manifest, and sums that no order of the rows changes."""

import hashlib
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from deploy.backup.archive import NO_BACKUP
from deploy.backup.errors import BackupError, Damaged

MOST_HEAD, MOST_MANIFEST = 1 << 20, 1 << 22
MOST_NAMED = 1000  # keys of files that were gone which the manifest names
KEY = r"[A-Za-z0-9_-]{3,80}"  # of a file: never a path
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
Kind = Literal["bool", "int", "float", "date", "bytes", "text"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class TableHead(_Strict):
    """A table: its columns in the order of each row, with their kinds."""

    name: Name
    columns: dict[Name, Kind]


class Head(_Strict):
    """The first member. The tables stand in an order that foreign keys allow."""

    program: Literal["nightshift"]
    format: Literal[1]
    version: str
    revision: Annotated[str, StringConstraints(pattern=r"^[0-9a-z_]{1,40}$")]
    database: str
    made_at: str
    tables: list[TableHead]


class Total(_Strict):
    """How many rows or files, and their `Sum`."""

    count: int
    sum: str


class Manifest(_Strict):
    """The last member. `gone`: files that rows named and that were deleted before they were copied; some by key.

    `start` is the sha256 of what stands before the rows: head and key.
    """

    start: str
    tables: dict[Name, Total]
    files: Total
    bytes: int
    gone: int
    gone_keys: list[str]


class Sum:
    """The sha256 of each line, added up modulo 2^256: equal for equal rows, in whatever order a database gives them.

    Source: M. Bellare, D. Micciancio, "A New Paradigm for Collision-Free Hashing", EUROCRYPT 1997 (AdHash). It tells
    accidents; who wants to forge an archive could write another manifest, too.
    """

    def __init__(self) -> None:
        self.count = self._sum = 0

    def add(self, line: bytes) -> None:
        self.count += 1
        self._sum += int.from_bytes(hashlib.sha256(line).digest(), "big")

    def total(self) -> Total:
        return Total(count=self.count, sum=f"{self._sum % (1 << 256):064x}")


def read_head(text: bytes) -> Head:
    """
    Raises:
        BackupError: it is of another program, or of a newer form.
    """
    try:
        return Head.model_validate_json(text)
    except ValidationError as error:
        wrong = {str(each["loc"][0]) for each in error.errors(include_input=False) if each["loc"]}
    if "format" in wrong and "program" not in wrong:
        raise BackupError("A newer Nightshift made this backup, in another form. Restore it with that one.")
    raise BackupError(NO_BACKUP)


def read_manifest(text: bytes) -> Manifest:
    try:
        return Manifest.model_validate_json(text)
    except ValidationError:
        raise Damaged("its manifest is unreadable") from None
