"""Files that come with what is said in a ticket: hostile until checked, bounded, and kept without what pictures tell
beside their pixels (where they were taken, by whom).
"""

import hashlib
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from models.base import new_id
from models.ticket import TicketFile, TicketMessage
from tasks.care import file_kinds
from tasks.errors import FieldError
from tasks.storage import Storage
from tasks.uploads import IncomingFile

FIELD = "files"
MOST_FILES = 10
MOST_BYTES = 10_000_000  # each
MOST_TOGETHER = 25_000_000
TOO_MANY = "“{name}” is left out: at most 10 files go with one message. Send the rest with the next one."
TOO_LARGE = "“{name}” is left out: it has {size}, and a file may have at most 10 MB. Make it smaller or send a link."
TOO_MUCH = "“{name}” is left out: all files of a message together may have at most 25 MB. Send it with the next one."
EMPTY = "“{name}” is left out: it is empty."


@dataclass(frozen=True, slots=True)
class Checked:
    """A file that may be kept. `name` is safe to show and to save under; `data` is what is kept of it."""

    name: str
    media_type: str
    data: bytes

    @property
    def size(self) -> int:
        return len(self.data)


@dataclass(frozen=True, slots=True)
class Stored:
    """A file whose bytes stand in storage, before a row names them."""

    name: str
    media_type: str
    size: int
    sha256: str
    key: str


class NotTaken(FieldError):
    """Some files are not taken. `sentences` has one for each."""

    def __init__(self, sentences: Sequence[str]) -> None:
        super().__init__(FIELD, " ".join(sentences))
        self.sentences = list(sentences)


def accepted(files: Sequence[IncomingFile]) -> list[Checked]:
    """All of them, checked and cleaned.

    Raises:
        NotTaken: one sentence for each that is not.
    """
    taken, refused = sort_out(files)
    if refused:
        raise NotTaken(refused)
    return taken


def sort_out(files: Iterable[IncomingFile]) -> tuple[list[Checked], list[str]]:
    """What may be kept, and a sentence for each of the others: a mail is never lost for what is attached to it."""
    taken: list[Checked] = []
    refused: list[str] = []
    together = 0
    for file in files:
        name = file_kinds.plain_name(file.name)
        if sentence := _out_of_bounds(file, name, len(taken), together):
            refused.append(sentence)
            continue
        try:
            checked = _cleaned(file, name)
        except FieldError as error:
            refused.append(f"“{name}” is left out: {_small(str(error))}")
            continue
        together += file.size
        taken.append(checked)
    return taken, refused


def store(storage: Storage, checked: Iterable[Checked]) -> list[Stored]:
    """Their bytes in storage. Before the transaction whose rows name them; what no row names in the end is swept."""
    return [_stored(storage, each) for each in checked]


def attach(session: Session, message: TicketMessage, stored: Iterable[Stored]) -> list[TicketFile]:
    """Rows for files that `store` has put away. The message is in the session already."""
    rows = [
        TicketFile(
            id=new_id(), workspace_id=message.workspace_id, ticket_id=message.ticket_id, message_id=message.id,
            name=each.name, media_type=each.media_type, size=each.size, sha256=each.sha256, key=each.key,
        )
        for each in stored
    ]  # fmt: skip
    session.add_all(rows)
    return rows


def keep(session: Session, storage: Storage, message: TicketMessage, checked: Iterable[Checked]) -> list[TicketFile]:
    """Both at once, for whoever holds no transaction that others wait for."""
    return attach(session, message, store(storage, checked))


def _out_of_bounds(file: IncomingFile, name: str, taken: int, together: int) -> str:
    if taken >= MOST_FILES:
        return TOO_MANY.format(name=name)
    if file.size == 0:
        return EMPTY.format(name=name)
    if file.size > MOST_BYTES:
        return TOO_LARGE.format(name=name, size=f"{file.size / 1_000_000:.1f} MB")
    return TOO_MUCH.format(name=name) if together + file.size > MOST_TOGETHER else ""


def _cleaned(file: IncomingFile, name: str) -> Checked:
    data = file.path.read_bytes()
    kind = file_kinds.told(data, name, file.path)
    cleaned, media_type = file_kinds.cleaned(data, kind)
    if len(cleaned) > MOST_BYTES:
        raise FieldError(FIELD, "Without its packing this picture has more than 10 MB; make it smaller.", 413)
    return Checked(file_kinds.fitting_name(name, media_type), media_type, cleaned)


def _stored(storage: Storage, each: Checked) -> Stored:
    key, size = storage.put(io.BytesIO(each.data))
    return Stored(each.name, each.media_type, size, hashlib.sha256(each.data).hexdigest(), key)


def _small(sentence: str) -> str:
    """A sentence as the second half of another."""
    return sentence[:1].lower() + sentence[1:] if sentence[1:2].islower() or sentence[1:2] == " " else sentence
