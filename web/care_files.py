"""Files of tickets on the web: how they come in with a form, and how they go out."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from flask import Response, abort, request, send_file
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.ticket import NOTE, TicketFile, TicketMessage
from tasks import storage
from tasks.care import attachments
from tasks.care.attachments import Checked, NotTaken, Stored
from tasks.storage import TEMPORARY
from tasks.uploads import IncomingFile, receive
from web.artifacts import ALONE
from web.current import runtime
from workers import quotas

FIELD = attachments.FIELD
NO_ROOM = "There is no room for files at the moment; leave them out, or send a link."


@contextmanager
def posted(field: str = FIELD) -> Iterator[list[IncomingFile]]:
    """The form's files on disk, under names of ours, for as long as the context lasts."""
    with tempfile.TemporaryDirectory(prefix=TEMPORARY) as folder:
        found = []
        for number, each in enumerate(part for part in request.files.getlist(field) if part.filename):
            path = Path(folder) / str(number)
            each.save(path)
            found.append(receive(path, each.filename or ""))
        yield found


def checked() -> list[Checked]:
    """The posted files, cleaned.

    Raises:
        NotTaken: a sentence for each that is not taken; none is kept then.
    """
    with posted() as files:
        return attachments.accepted(files)


def stored(session: Session, workspace_id: str, files: Sequence[Checked]) -> list[Stored]:
    """Their bytes in storage, within the workspace's quota; before the transaction that writes their rows.

    Raises:
        NotTaken: the workspace is full.
    """
    size = sum(each.size for each in files)
    if files and not quotas.room_for(session, runtime().settings, workspace_id, size):
        raise NotTaken([NO_ROOM])
    return attachments.store(runtime().storage, files)


def drop(files: Sequence[Stored]) -> None:
    """Bytes that no row came to name."""
    storage.drop(runtime().storage, [each.key for each in files])


def find(session: Session, ticket_id: str, file_id: str, *, notes: bool) -> TicketFile:
    """A file of a ticket; 404 for all others.

    Args:
        notes: whether those of internal notes count, which customers never see.
    """
    asked = select(TicketFile).join(TicketMessage, TicketMessage.id == TicketFile.message_id)
    asked = asked.where(TicketFile.id == file_id, TicketFile.ticket_id == ticket_id)
    return session.scalar(asked if notes else asked.where(TicketMessage.kind != NOTE)) or abort(404)


def send(file: TicketFile) -> Response:
    """A file to save: a browser takes it for nothing of ours, whatever it holds."""
    try:
        stream = runtime().storage.open(file.key)
    except FileNotFoundError:
        abort(410)
    response = send_file(stream, file.media_type, as_attachment=True, download_name=file.name, max_age=0)
    response.content_length = file.size
    response.headers["Cache-Control"] = "no-store"
    response.headers["Content-Security-Policy"] = ALONE
    return response
