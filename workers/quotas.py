"""Quotas: how much one workspace may have, so that nobody fills the disk or the queues of the others."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from deploy.settings import Settings
from models.artifact import Artifact, Upload
from models.run import BLOCKED, QUEUED, RUNNING, Run
from models.ticket import TicketFile, TicketMessage
from tasks.handover import HandedOver, Refused

MEGABYTE = 1_000_000
SHARE_OF_MAIL = 0.5  # of a workspace's room
GOING_ON = (BLOCKED, QUEUED, RUNNING)  # named one by one: the index finds them, however many have ended


def check(session: Session, allowed: Settings, workspace: str, handed: HandedOver) -> None:
    """Refuse work that would go past the quotas of a workspace.

    Raises:
        Refused: 429 for too many runs that have not ended, 413 for too many bytes.
    """
    check_waiting(session, allowed, workspace)
    if not handed.uploads:
        return
    if not room_for(session, allowed, workspace, sum(upload.size for upload in handed.uploads)):
        said = f"This workspace keeps {allowed.storage_mb} MB of files already. Ask the administrator for more room."
        raise Refused({"": said}, 413)


def room_for(session: Session, allowed: Settings, workspace: str, size: int) -> bool:
    """Whether a workspace may keep so many bytes more beside the files that it has."""
    return size <= _left(session, allowed, workspace)


def room_for_mail(session: Session, allowed: Settings, workspace: str) -> int:
    """How many bytes of files a workspace still takes from mail.

    Anybody can send mail, so it gets a half at most: outsiders leave the house's own files their room.
    """
    mine = select(func.sum(TicketFile.size)).join(TicketMessage, TicketMessage.id == TicketFile.message_id)
    mailed = session.scalar(mine.where(TicketFile.workspace_id == workspace, TicketMessage.source == "mail")) or 0
    share = int(allowed.storage_mb * MEGABYTE * SHARE_OF_MAIL) - int(mailed)
    return max(0, min(share, _left(session, allowed, workspace)))


def _left(session: Session, allowed: Settings, workspace: str) -> int:
    uploads = select(func.sum(Upload.size)).where(Upload.workspace_id == workspace, Upload.deleted_at.is_(None))
    kept = session.scalar(uploads) or 0
    for table in (Artifact, TicketFile):
        kept += session.scalar(select(func.sum(table.size)).where(table.workspace_id == workspace)) or 0
    return int(allowed.storage_mb * MEGABYTE - kept)


def check_waiting(session: Session, allowed: Settings, workspace: str) -> None:
    """Refuse one more run that has not ended.

    Raises:
        Refused: 429 for too many of them.
    """
    mine = Run.workspace_id == workspace
    going_on = select(func.count()).select_from(Run).where(mine, Run.state.in_(GOING_ON), Run.listed.is_(True))
    if (session.scalar(going_on) or 0) >= allowed.waiting_runs:
        said = f"{allowed.waiting_runs} runs of this workspace wait already. Send more once some of them are done."
        raise Refused({"": said}, 429)
